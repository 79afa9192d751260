"""`coldchain run`: the daemon in the foreground, as systemd wants it."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from typing import NoReturn

import click

from coldchain.cli import run_log
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.config.problems import ConfigError
from coldchain.daemon.daemon import Daemon
from coldchain.daemon.errors import DaemonError
from coldchain.daemon.wishes import Wishes
from coldchain.journal import JournalError

#: sysexits(3): a configuration error, something unavailable that may heal, a fault of ours.
EX_CONFIG, EX_UNAVAILABLE, EX_SOFTWARE = 78, 69, 70


@click.command()
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False, path_type=Path),
    default=Path("/etc/coldchain/gateway.toml"),
    show_default=True,
    envvar="COLDCHAIN_CONFIG",
    show_envvar=True,
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
    and end. The exit status is 0 if it was asked to end, 78 if the configuration will not do, 69 if the
    journal or something else is not to be had now, 70 for a fault of ours.

    \b
    Example:
      coldchain run --config /etc/coldchain/gateway.toml
    """
    run_log.start(log_level)
    wishes = Wishes()
    signal.signal(signal.SIGTERM, lambda *_: wishes.stop())
    signal.signal(signal.SIGINT, lambda *_: wishes.stop())
    signal.signal(signal.SIGHUP, lambda *_: wishes.reload())
    try:
        loaded = load(config_file)
    except (ConfigError, OSError) as error:
        _end(EX_CONFIG, error)
    if wishes.stopping:
        return
    clock = SystemClock(speed=speed, trusted=loaded.settings.clock.trust == "site")
    daemon = Daemon(loaded, clock, wishes=wishes)
    try:
        daemon.start()
    except DaemonError as error:
        _end(EX_CONFIG, error)
    except (JournalError, OSError) as error:
        _end(EX_UNAVAILABLE, error)
    try:
        daemon.run()
    except DaemonError as error:
        _end(EX_SOFTWARE, error)
    except JournalError as error:  # while it was closed; what it could not take was said before
        _end(EX_UNAVAILABLE, error)


def _end(status: int, error: Exception) -> NoReturn:
    run_log.last_word(f"coldchain run: {error}")
    sys.exit(status)
