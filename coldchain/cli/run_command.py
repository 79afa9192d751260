"""`coldchain run`: the daemon in the foreground, as systemd wants it."""

from __future__ import annotations

import logging
import signal
import sys
from pathlib import Path

import click

from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.config.problems import ConfigError
from coldchain.daemon import Daemon, DaemonError
from coldchain.journal import JournalError
from coldchain.web.server import PageError
from coldchain.web.settings import ExposureError
from coldchain.web.users import UsersError

#: sysexits(3): a configuration error, and something unavailable that may heal.
_EX_CONFIG, _EX_UNAVAILABLE = 78, 69


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("/etc/coldchain/gateway.toml"),
    show_default=True,
    help="The configuration.",
)
@click.option(
    "--speed", type=click.IntRange(1, 100_000), default=1, help="Scale journal time (simulations only)."
)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning"]), default="info", show_default=True
)
def run(config_file: Path, speed: int, log_level: str) -> None:
    """Watch: read devices, judge, record, tell, until told to stop.

    SIGHUP reads the configuration again, whole or not at all; SIGTERM and SIGINT commit what came in
    and end.

    \b
    Example:
      coldchain run --config /etc/coldchain/gateway.toml
    """
    logging.basicConfig(
        level=log_level.upper(), format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    try:
        loaded = load(config_file)
    except (ConfigError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(_EX_CONFIG)
    real = [name for name, source in loaded.settings.sources.items() if not source.simulated]
    if speed != 1 and real:
        raise click.UsageError(
            f"--speed is for simulated sources only; {', '.join(real)} is not marked simulated = true"
        )
    clock = SystemClock(speed=speed, trusted=loaded.settings.clock.trust == "site")
    daemon = Daemon(loaded, clock)
    signal.signal(signal.SIGTERM, lambda *_: daemon.ask_to_stop())
    signal.signal(signal.SIGINT, lambda *_: daemon.ask_to_stop())
    signal.signal(signal.SIGHUP, lambda *_: daemon.ask_to_reload())
    try:
        daemon.start()
    except (JournalError, PageError, ExposureError, UsersError, DaemonError, OSError) as error:
        click.echo(f"coldchain run: {error}", err=True)
        sys.exit(_EX_UNAVAILABLE)
    if daemon.page is not None:
        logging.getLogger("coldchain").info("page at %s", daemon.page.url)
    daemon.run()
