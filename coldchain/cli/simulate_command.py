"""`coldchain simulate`: the devices that the shipped gateway.toml is written for."""

from __future__ import annotations

import threading

import click

from coldchain.cli.output import console
from coldchain.clock import SystemClock


@click.command(short_help="Play the devices that the shipped gateway.toml expects.")
@click.option("--broker", default="127.0.0.1:1883", show_default=True, help="HOST:PORT of the broker.")
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulated noise.")
def simulate(broker: str, seed: int) -> None:
    """Play a freezer's controller, a refrigerator's logger and a shipper's tracker, until Ctrl-C.

    The first two listen on 127.0.0.1, ports 10001 and 10002; the tracker publishes to the broker. Beside it,
    `coldchain run` with the shipped gateway.toml (and a journal path of yours) watches them.

    \b
    Example:
      coldchain simulate --broker 127.0.0.1:1883
    """
    from coldchain_simulators.bench import LOGGER_PORT, TEC_PORT, Bench

    host, _, port = broker.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter(f'"{broker}" is no HOST:PORT', param_hint="--broker")
    try:
        bench = Bench(seed, SystemClock(trusted=True), host=host, broker_port=int(port))
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
