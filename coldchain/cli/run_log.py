"""The daemon's log on standard error: lines for people, entries for systemd's journal.

The journal makes an entry of each line and reads its priority from a prefix (sd-daemon(3)); without one it
files a critical alarm as "info". There a record is one line, its traceback folded in: lines of their own
would be entries of their own, torn apart by what other threads say, and a line break in what a device sent
could pass for an entry of ours. The same words again and again are counted. The time is the journal's.
"""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import TextIO

import click

from coldchain.clock import SystemClock

_log = logging.getLogger("coldchain")

#: What is said again within this is counted and not repeated (real seconds). Our judgement: as long as a
#: person may wait for the count.
WITHIN_S = 60.0
#: Of so many different words the repeats are counted at a time; further ones end the oldest count.
COUNTED_MAX = 1000
#: So many characters stay of either end of a record: journald splits a line at 48 KiB (journald.conf(5),
#: LineMax=), and what follows would have no prefix. A character has up to four bytes.
END_CHARACTERS = 5_000

#: syslog(3)'s priorities.
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f]")  # journalctl shows a text with one of these as "blob data"


def start(level: str) -> None:
    """Log to standard error, from this level on, in the form that stands behind it."""
    if not to_journal():
        shown = "%(levelname)s %(name)s: %(message)s"
        logging.basicConfig(level=level.upper(), format=shown, stream=sys.stderr)
        return
    handler = Counting(sys.stderr, SystemClock().real_s)
    handler.setFormatter(Entries("%(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
    logging.captureWarnings(True)
    sys.excepthook = _failed
    threading.excepthook = _thread_failed


def only_trouble() -> None:
    """Log what goes wrong and nothing else: for a command that tells alarms itself."""
    from coldchain.daemon import system_log

    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(lambda record: record.name != system_log.NAME)
    logging.basicConfig(level="ERROR", handlers=[handler])


def last_word(words: str) -> None:
    """Say why the program ends; nothing is watched from then on."""
    click.echo(entry(logging.CRITICAL, words) if to_journal() else words, err=True)


def to_journal(environment: Mapping[str, str] = os.environ, descriptor: int = 2) -> bool:
    """Whether the journal itself reads what is written there (systemd.exec(5), JOURNAL_STREAM).

    The variable is inherited also where the output then goes elsewhere, so device and inode must agree.
    """
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return environment.get("JOURNAL_STREAM") == f"{found.st_dev}:{found.st_ino}"


def entry(level: int, words: str) -> str:
    """One line with its priority, whatever the words are."""
    lines = (line.strip() for line in words.splitlines())
    text = _UNSEEN.sub(lambda found: f"\\x{ord(found[0]):02x}", " | ".join(filter(None, lines)))
    if len(text) > 2 * END_CHARACTERS:
        text = f"{text[:END_CHARACTERS]} … {text[-END_CHARACTERS:]}"
    priority = next((number for least, number in _PRIORITIES if level >= least), _DEBUG)
    return f"<{priority}>{text}"


class Entries(logging.Formatter):
    """A record as one entry."""

    def format(self, record: logging.LogRecord) -> str:
        """With its traceback, if it has one."""
        return entry(record.levelno, super().format(record))


@dataclass
class _Said:
    """Words that were said, and how often again since."""

    record: logging.LogRecord
    at_s: float
    more: int = 0


class Counting(logging.StreamHandler[TextIO]):
    """Says the same words once, and after a while how many more there were; what is critical each time."""

    def __init__(self, stream: TextIO, now_s: Callable[[], float], within_s: float = WITHIN_S) -> None:
        super().__init__(stream)
        self._now_s, self._within_s = now_s, within_s
        self._said: dict[tuple[str, int, str], _Said] = {}  # the oldest first
        self._timer: threading.Timer | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Called with the handler's lock held."""
        if record.levelno >= logging.CRITICAL:
            super().emit(record)
            return
        now_s = self._now_s()
        self._tell(now_s - self._within_s)
        try:
            words = record.getMessage()
        except Exception:  # noqa: BLE001 - whatever a record's arguments raise is said as logging says it
            self.handleError(record)
            return
        # The same words about another failure are other words.
        key = (record.name, record.levelno, f"{words}\n{record.exc_info[1]!r}" if record.exc_info else words)
        if (said := self._said.get(key)) is not None:
            said.more += 1
            self._wait(said.at_s + self._within_s - now_s)
            return
        if len(self._said) >= COUNTED_MAX:
            self._tell(next(iter(self._said.values())).at_s)
        self._said[key] = _Said(record, now_s)
        super().emit(record)

    def close(self) -> None:
        """Nothing that was counted is kept back."""
        self.acquire()
        try:
            self._tell(float("inf"))
            if self._timer is not None:
                self._timer.cancel()
        finally:
            self.release()
        super().close()

    def _tell(self, until_s: float) -> None:
        """End the counts that began by then."""
        due = []
        for key, said in self._said.items():
            if said.at_s > until_s:
                break
            due.append(key)
        for key in due:
            said = self._said.pop(key)
            if said.more:
                first = said.record
                words = f"{said.more} more of these within {self._within_s:.0f} s: {first.getMessage()}"
                super().emit(logging.LogRecord(first.name, first.levelno, "", 0, words, None, None))

    def _wait(self, for_s: float) -> None:
        """A count is told also if nothing else is ever said."""
        if self._timer is None:
            self._timer = threading.Timer(for_s, self._waited)
            self._timer.daemon = True
            self._timer.start()

    def _waited(self) -> None:
        self.acquire()
        try:
            self._timer = None
            now_s = self._now_s()
            self._tell(now_s - self._within_s)
            counted = [said.at_s for said in self._said.values() if said.more]
            if counted:
                self._wait(counted[0] + self._within_s - now_s)
        finally:
            self.release()


def _failed(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    _log.critical("failed, and nobody has caught it", exc_info=(kind, error, trace))


def _thread_failed(failed: threading.ExceptHookArgs) -> None:
    if failed.exc_value is not None and not isinstance(failed.exc_value, SystemExit):
        _failed(failed.exc_type, failed.exc_value, failed.exc_traceback)
