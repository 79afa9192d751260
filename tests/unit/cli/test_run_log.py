"""The log in systemd's journal: the priority, one line a thing, and no flood."""

from __future__ import annotations

import io
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.cli.run_log import COUNTED_MAX, END_CHARACTERS, Counting, Entries, entry, to_journal
from tests.house.tree import ROOT


@dataclass
class Log:
    """A logger of its own whose entries are read, on a clock that a test moves."""

    now_s: float = 0.0
    out: io.StringIO = field(default_factory=io.StringIO)

    def __post_init__(self) -> None:
        self.handler = Counting(self.out, lambda: self.now_s, within_s=60)
        self.handler.setFormatter(Entries("%(name)s: %(message)s"))
        self.logger = logging.Logger("coldchain")  # noqa: LOG001 - one that is nobody else's
        self.logger.addHandler(self.handler)

    @property
    def entries(self) -> list[str]:
        """What stands there."""
        return self.out.getvalue().splitlines()


@pytest.fixture
def log() -> Iterator[Log]:
    """One whose timer ends with the test."""
    made = Log()
    yield made
    made.handler.close()


@pytest.mark.parametrize(
    ("level", "priority"),
    [
        (logging.CRITICAL, "<2>"),
        (logging.ERROR, "<3>"),
        (logging.WARNING, "<4>"),
        (logging.INFO, "<6>"),
        (logging.DEBUG, "<7>"),
    ],
)
def test_each_level_has_its_priority(log: Log, level: int, priority: str) -> None:
    """`journalctl -p` finds it: the numbers of sd-daemon(3), and no time of ours."""
    log.logger.log(level, "box-one is %s", "warm")
    assert log.entries == [f"{priority}coldchain: box-one is warm"]


def test_a_traceback_is_one_entry(log: Log) -> None:
    """With the failure's own words at its end."""
    try:
        raise ValueError("no such probe")
    except ValueError:
        log.logger.exception("port one")
    (line,) = log.entries
    assert line.startswith("<3>coldchain: port one | Traceback (most recent call last): | File ")
    assert line.endswith(" | ValueError: no such probe")


def test_what_a_device_sends_is_no_entry_of_ours(log: Log) -> None:
    """A line break, a prefix and a terminal's sequences in foreign words stay within the one line."""
    log.logger.warning("unexpected: %s", "x\r\n<2>coldchain: all is well\x1b[2K")
    assert log.entries == ["<4>coldchain: unexpected: x | <2>coldchain: all is well\\x1b[2K"]


@given(st.text(), st.integers(min_value=0, max_value=60))
def test_any_words_are_one_line(words: str, level: int) -> None:
    """Whatever is said: a priority, one line that can be shown, short enough not to be split."""
    line = entry(level, words)
    assert line[0] == "<"
    assert line[1] in "23467"
    assert line[2] == ">"
    assert len(line.splitlines()) == 1
    assert not any(ord(letter) < 32 or 127 <= ord(letter) < 160 for letter in line)


def test_a_long_one_keeps_both_ends() -> None:
    """journald would split it at 48 KiB and file the rest without a priority."""
    line = entry(logging.ERROR, "begin" + "\N{SNOWFLAKE}" * 100_000 + "end")
    assert line.startswith("<3>begin")
    assert line.endswith("end")
    assert len(line) < 2 * END_CHARACTERS + 10
    assert len(line.encode()) < 48 * 1024


def test_the_same_again_is_counted(log: Log) -> None:
    """Said once, then how many more there were; other words, and the same ones later, are said as ever."""
    for _ in range(1000):
        log.now_s += 0.01
        log.logger.warning("port one: no answer")
    log.logger.warning("port two: no answer")
    assert log.entries == ["<4>coldchain: port one: no answer", "<4>coldchain: port two: no answer"]
    log.now_s = 61.0
    log.logger.info("all is well")
    assert log.entries[2:] == [
        "<4>coldchain: 999 more of these within 60 s: port one: no answer",
        "<6>coldchain: all is well",
    ]
    log.logger.warning("port one: no answer")
    assert log.entries[4:] == ["<4>coldchain: port one: no answer"]


def test_what_is_critical_is_always_said(log: Log) -> None:
    """However often."""
    for _ in range(3):
        log.logger.critical("[CRITICAL] box-one raised")
    assert len(log.entries) == 3


def test_another_failure_is_another_thing(log: Log) -> None:
    """The same words over another exception are not counted away."""
    for why in ("cable", "cable", "driver"):
        try:
            raise OSError(why)
        except OSError:
            log.logger.exception("port one")
    assert [line.rpartition(" | ")[2] for line in log.entries] == ["OSError: cable", "OSError: driver"]


def test_the_end_tells_what_was_counted(log: Log) -> None:
    """Nothing is kept back when the program ends."""
    for _ in range(3):
        log.logger.error("disk")
    log.handler.close()
    assert log.entries == ["<3>coldchain: disk", "<3>coldchain: 2 more of these within 60 s: disk"]


def test_a_count_is_told_though_nothing_else_is_said() -> None:
    """A flood that just ends: its count comes by itself."""
    out = io.StringIO()
    waited = threading.Event()

    def now_s() -> float:
        return 1.0 if waited.is_set() else 0.0

    handler = Counting(out, now_s, within_s=0.05)
    logger = logging.Logger("coldchain")  # noqa: LOG001 - one that is nobody else's
    logger.addHandler(handler)
    for _ in range(3):
        logger.warning("noise")
    waited.set()
    assert handler._timer is not None
    handler._timer.join(10)
    assert out.getvalue().splitlines() == ["noise", "2 more of these within 0 s: noise"]
    handler.close()


def test_a_flood_of_different_words_takes_no_room(log: Log) -> None:
    """What is remembered is bounded, and a count that is dropped is told."""
    log.logger.warning("first")
    log.logger.warning("first")
    for number in range(3 * COUNTED_MAX):
        log.now_s += 0.001
        log.logger.warning("%d", number)
    assert len(log.handler._said) == COUNTED_MAX
    assert "<4>coldchain: 1 more of these within 60 s: first" in log.entries


def test_words_that_cannot_be_made_end_nothing(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    """A defect in a call of the log is said and harms nobody who logs."""
    log.logger.warning("%d", "no number")
    log.logger.warning("next")
    assert log.entries == ["<4>coldchain: next"]
    assert "Logging error" in capsys.readouterr().err


def test_only_the_journal_s_own_stream(tmp_path: Path) -> None:
    """Device and inode must be its: the variable is inherited by those whose output goes elsewhere."""
    with (tmp_path / "log").open("wb") as log:
        found = os.fstat(log.fileno())
        mine = {"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino}"}
        assert to_journal(mine, log.fileno())
        assert not to_journal({"JOURNAL_STREAM": f"{found.st_dev}:{found.st_ino + 1}"}, log.fileno())
        assert not to_journal({"JOURNAL_STREAM": "no stream"}, log.fileno())
        assert not to_journal({}, log.fileno())
        descriptor = log.fileno()
    assert not to_journal(mine, descriptor), "standard error is closed"


def test_a_start_that_fails_is_an_entry_too(tmp_path: Path) -> None:
    """The real command: why it ended is one critical line in the journal, and plain words elsewhere."""
    code = (
        "import threading\n"
        "from coldchain.cli import run_log\n"
        "run_log.start('info')\n"
        "thread = threading.Thread(target=lambda: 1 / 0)\n"
        "thread.start(); thread.join()\n"
        "run_log.last_word('gone\\nfor good')\n"
    )
    said = []
    for name in ("journal", "file"):
        with (tmp_path / name).open("wb") as log:
            found = os.fstat(log.fileno())
            stream = f"{found.st_dev}:{found.st_ino}" if name == "journal" else "1:1"
            environment = {**os.environ, "JOURNAL_STREAM": stream}
            subprocess.run([sys.executable, "-c", code], cwd=ROOT, stderr=log, env=environment, check=True)
        said.append((tmp_path / name).read_text(encoding="utf-8").splitlines())
    failed, gone = said[0]
    assert failed.startswith("<2>coldchain: failed, and nobody has caught it | Traceback")
    assert failed.endswith("ZeroDivisionError: division by zero")
    assert gone == "<2>gone | for good"
    assert said[1][-2:] == ["gone", "for good"]
