"""The gateway a command is about: its daemon if one runs, else its journal."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from coldchain.cli.output import console, errors, print_json
from coldchain.clock import SystemClock
from coldchain.daemon.control import Answer, Ask, ControlError, NotRunning, ask, local_actor, socket_path
from coldchain.daemon.logs import Imported, Log, LoggerView
from coldchain.traffic import FramesView
from coldchain.web.station import Action, Outcome
from coldchain.web.views import StateView

if TYPE_CHECKING:
    from coldchain.config.loaded import Loaded

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")

#: A large file is taken in piece by piece, between live readings: on a small computer that takes minutes.
_IMPORT_S = 900.0


def config_option(command: _F) -> _F:
    """Which gateway: its configuration tells where the journal and its socket are."""
    return click.option(
        "--config",
        "config_file",
        type=click.Path(dir_okay=False, path_type=Path),
        default=Path("/etc/coldchain/gateway.toml"),
        show_default=True,
        envvar="COLDCHAIN_CONFIG",
        show_envvar=True,
        help="The gateway's configuration.",
    )(command)


class Gateway:
    """Asks the daemon; without one, looks at the journal or writes to it under its lock.

    Whatever goes wrong is a ClickException: a sentence on standard error, exit status 1. What reads
    configurations and journals is imported only when no daemon answers: that takes a small computer seconds.
    """

    def __init__(self, config_file: Path) -> None:
        self._config_file = config_file
        self._journal = journal_of(config_file)

    def state(self) -> tuple[StateView, bool]:
        """How things stand, and whether a daemon runs; without one it is how they stood when it ended."""
        answer = self._ask(Ask())
        if answer is None:
            return self._at_rest(), False
        if answer.state is None:
            raise click.ClickException(answer.error or "the daemon gave no state")
        return answer.state, True

    def utc_ms(self) -> int:
        """The gateway's own time, which in a simulated run is not this machine's."""
        answer = self._ask(Ask())
        return SystemClock().utc_ms() if answer is None or answer.pulse is None else answer.pulse.utc_ms

    def act(self, action: Action) -> Outcome:
        """Have something done."""
        answer = self._ask(Ask(action))
        if answer is not None:
            return answer.outcome or Outcome(done=False, message=answer.error)
        return self._write(action)

    def logger(self, device: str) -> LoggerView | None:
        """What is known of a logger, None if nothing of it was imported yet."""
        answer = self._ask(Ask(logger=device))
        return self._logger_at_rest(device) if answer is None else answer.logger

    def frames(self, port: str) -> FramesView | None:
        """What passed over a serial port around its faults; None if no daemon runs: it alone has them."""
        answer = self._ask(Ask(frames=port))
        if answer is not None and answer.frames is None:
            raise click.ClickException(answer.error or "the daemon gave no frames; it may be an older one")
        return None if answer is None else answer.frames

    def take_log(self, log: Log) -> Imported:
        """Have a logger's file taken in."""
        answer = self._ask(Ask(log=log), _IMPORT_S)
        if answer is not None:
            return answer.imported or Imported(done=False, message=answer.error)
        return self._take_log(log)

    def _ask(self, request: Ask, answer_s: float | None = None) -> Answer | None:
        """The daemon's answer, None if none runs."""
        path = socket_path(self._journal)
        try:
            return ask(path, request) if answer_s is None else ask(path, request, answer_s)
        except NotRunning:
            return None
        except ControlError as error:
            raise click.ClickException(str(error)) from error

    def _at_rest(self) -> StateView:
        from coldchain.config.load import load
        from coldchain.config.problems import ConfigError
        from coldchain.daemon.offline import state_offline
        from coldchain.journal import JournalError

        try:
            return state_offline(load(self._config_file))
        except (ConfigError, JournalError, OSError) as error:
            raise click.ClickException(str(error)) from error

    def _logger_at_rest(self, device: str) -> LoggerView | None:
        from coldchain.daemon.offline import logger_offline

        return self._without_daemon(lambda loaded, _: logger_offline(loaded, device))

    def _write(self, action: Action) -> Outcome:
        from coldchain.daemon.offline import act_offline

        return self._without_daemon(lambda loaded, clock: act_offline(loaded, clock, action, local_actor()))

    def _take_log(self, log: Log) -> Imported:
        from coldchain.daemon.offline import take_log_offline

        return self._without_daemon(lambda loaded, clock: take_log_offline(loaded, clock, log, local_actor()))

    def _without_daemon(self, work: Callable[[Loaded, SystemClock], _T]) -> _T:
        from coldchain.config.load import load
        from coldchain.config.problems import ConfigError
        from coldchain.daemon.errors import DaemonError
        from coldchain.journal import JournalError

        try:
            loaded = load(self._config_file)
            return work(loaded, SystemClock(trusted=loaded.settings.clock.trust == "site"))
        except (ConfigError, DaemonError, JournalError, OSError) as error:
            raise click.ClickException(str(error)) from error


def journal_of(config_file: Path) -> Path:
    """Where a configuration has its journal; nothing else of it need be right.

    Somebody may be at work on the file while an alarm has to be acknowledged.
    """
    try:
        text: str = tomllib.loads(config_file.read_text(encoding="utf-8"))["journal"]["path"]
        return (config_file.parent / text).absolute()
    except OSError as error:
        raise click.ClickException(
            f"{config_file}: {error.strerror}; name the gateway's configuration with --config"
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        raise click.ClickException(
            f"{config_file}: no journal can be read from it; see `coldchain config check {config_file}`"
        ) from error


def do(config_file: Path, action: Action, done: str, *, as_json: bool = False, confirm: str = "") -> None:
    """Have an action done and say how it went; a refusal is exit status 1.

    confirm: how to have it done all the same, where it waits to be confirmed.
    """
    outcome = Gateway(config_file).act(action)
    if as_json:
        print_json(outcome)
    elif outcome.done:
        console.print(f"{done} (journal position {outcome.position})", markup=False)
        if outcome.message:
            errors.print(f"note: {outcome.message}", style="yellow", markup=False)
    elif outcome.confirm:
        errors.print(f"not recorded: {outcome.message}.", style="yellow", markup=False)
        errors.print(f"If that is meant: {confirm}", markup=False)
    else:
        errors.print(f"refused: {outcome.message}", style="red", markup=False)
    if not outcome.done:
        sys.exit(1)
