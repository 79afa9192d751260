"""`coldchain simulate`: the devices that the shipped gateway.toml is written for."""

from __future__ import annotations

import threading

import click

from coldchain.cli import replay_options as options
from coldchain.cli.output import console
from coldchain.clock import SystemClock

#: Reports of a fleet that may be on their way to the broker at a time.
_FLEET_INFLIGHT = 100
#: How long the broker may take for the last ones (real seconds).
_DRAIN_S = 30


@click.command(short_help="Play the devices that the shipped gateway.toml expects.")
@click.option("--broker", default="127.0.0.1:1883", show_default=True, help="HOST:PORT of the broker.")
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulated noise.")
@click.option(
    "--fleet", type=click.IntRange(1, 10_000), metavar="COUNT", help="So many boxes instead, for load."
)
@click.option(
    "--every", default="10 s", show_default=True, metavar="SPAN", callback=options.span,
    help="How often each box of a fleet reports.",
)  # fmt: skip
@click.option(
    "--for", "for_ms", metavar="SPAN", callback=options.span, help="End a fleet after so long (else: Ctrl-C)."
)
@click.option("--print-config", is_flag=True, help="Print the gateway.toml that watches the fleet, and end.")
def simulate(
    broker: str, seed: int, fleet: int | None, every: int, for_ms: int | None, print_config: bool
) -> None:
    """Play a freezer's controller, a refrigerator's logger and a shipper's tracker, until Ctrl-C.

    The first two listen on 127.0.0.1, ports 10001 and 10002; the tracker publishes to the broker. Beside it,
    `coldchain run` with the shipped gateway.toml (and a journal path of yours) watches them.

    With --fleet it is many boxes that report in turn, in real time, to one broker.

    \b
    Examples:
      coldchain simulate --broker 127.0.0.1:1883
      coldchain simulate --fleet 2000 --print-config > fleet.toml
      coldchain simulate --fleet 2000 --every 10s --for 10min
    """
    host, _, port = broker.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter(f'"{broker}" is no HOST:PORT', param_hint="--broker")
    if fleet is None:
        if print_config or for_ms is not None:
            raise click.UsageError("--print-config and --for are about a fleet; say --fleet COUNT, too")
        _bench(broker, host, int(port), seed)
    elif print_config:
        from coldchain_simulators.fleet import configuration

        click.echo(configuration(fleet, every, host, int(port)), nl=False)
    else:
        _fleet(broker, host, int(port), seed, fleet, every, for_ms)


def _fleet(
    broker: str, host: str, port: int, seed: int, count: int, every_ms: int, for_ms: int | None
) -> None:
    from coldchain_simulators.fleet import TOPIC, Fleet
    from coldchain_simulators.mqtt_logger import Publisher

    boxes = Fleet(count, seed, every_ms)
    publisher = Publisher(host, port, f"sim-fleet-{seed}", TOPIC, inflight=_FLEET_INFLIGHT)
    publisher.start()
    console.print(f"{count} boxes report to {broker} under {TOPIC}/; Ctrl-C ends")
    made = 0
    try:
        made = boxes.run(publisher, SystemClock(trusted=True), threading.Event(), for_ms)
        publisher.drained(_DRAIN_S)
    except KeyboardInterrupt:
        pass
    finally:
        publisher.stop()
        kept = len(publisher.pending())
        console.print(f"ended: {publisher.acknowledged} reports acknowledged by the broker, {kept} were not")
    if for_ms is not None and publisher.acknowledged < made:
        raise click.ClickException("the broker did not take all of them")


def _bench(broker: str, host: str, port: int, seed: int) -> None:
    from coldchain_simulators.bench import LOGGER_PORT, TEC_PORT, Bench

    try:
        bench = Bench(seed, SystemClock(trusted=True), host=host, broker_port=port)
    except OSError as error:
        raise click.ClickException(
            f"ports {TEC_PORT} and {LOGGER_PORT} on 127.0.0.1 are needed: {error}"
        ) from error
    with bench:
        console.print(f"playing on 127.0.0.1:{TEC_PORT}, 127.0.0.1:{LOGGER_PORT} and {broker}; Ctrl-C ends")
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            console.print("ended")
