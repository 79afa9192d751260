"""A start with a long past: systemd waits for it, and a start that is cut off is gone on with."""

from __future__ import annotations

import shutil
import socket
from array import array
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

import pytest

from coldchain.daemon import catching_up
from coldchain.daemon.catching_up import CatchingUp
from coldchain.daemon.systemd import Notifier
from coldchain.daemon.wishes import Wishes
from coldchain.evidence.keys import Key
from coldchain.fold import Fold
from coldchain.journal import Journal
from coldchain.pipeline import recovery
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.recovery import GivenUp, Recovered, recover
from coldchain.pipeline.states import freeze
from tests.unit.daemon.retained import House
from tests.unit.pipeline.fake_clock import HandClock

MIB = 1 << 20


@pytest.fixture(autouse=True)
def _look_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "_LOOK_EVERY", 16)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """The gateway's."""
    pytest.importorskip("cryptography")
    return Key.make(tmp_path_factory.mktemp("key") / "evidence.key")


def lived(path: Path, *, made_by: str = "", key: Key | None = None, then_by: str = "") -> Path:
    """A gateway's journal: three days, old readings removed with a key, an hour by another engine at last."""
    house = House(path, key=key, made_by=made_by)
    house.activate()
    house.days(3)
    if key is not None:
        house.retain()
        house.measure(18, "5", "20")
    house.end()
    if then_by:
        house = House(path, key=key, clock=house.clock, made_by=then_by)
        house.measure(18, "5", "20")
        house.end()
    with Journal.open(path, reserve_bytes=0) as journal:
        journal.drop_checkpoints()
    return path


STORIES = ("by this engine", "by an older one", "by two older ones")


@pytest.fixture(scope="module", params=STORIES)
def past(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal without a state of this engine."""
    path = tmp_path_factory.mktemp("past") / "j.db"
    match request.param:
        case "by this engine":
            return lived(path)
        case "by an older one":
            return lived(path, made_by="older")
        case _:
            return lived(path, made_by="oldest", then_by="older")


def normal(recovered: Recovered) -> tuple[bool, object]:
    """What a start goes on with."""
    return recovered.other_engine, plain(recovered.fold)


def plain(what: object) -> object:
    """An object as tuples of what it holds, for comparing; one that is held twice is written twice."""
    match what:
        case None | bool() | int() | str() | bytes() | Enum():
            return what
        case dict():
            return [(plain(key), plain(value)) for key, value in what.items()]
        case list() | tuple() | array():
            return [plain(one) for one in what]
        case set() | frozenset():
            return sorted((plain(one) for one in what), key=repr)
        case type():
            return what.__qualname__
        case _:
            made = what.__reduce_ex__(4)
            assert not isinstance(made, str)
            return (plain(type(what)), *(plain(one) for one in made[1:]))


def test_whatever_was_kept_on_the_way_leads_to_the_same_end(past: Path, tmp_path: Path) -> None:
    """From each state that may be kept a later start comes to the same state, with the same to take over."""
    kept: list[tuple[int, bytes]] = []

    def keep(fold: Fold, *, resumable: bool) -> None:
        if resumable:
            kept.append((fold.position, freeze(fold)))

    with Journal.open(past, reserve_bytes=0) as journal:
        whole = normal(recover(journal, engine(), keep))
    assert len(kept) >= 5
    for position, state in kept[:: max(1, len(kept) // 8)]:
        copy = tmp_path / f"{position}.db"
        shutil.copy(past, copy)
        with Journal.open(copy, reserve_bytes=0) as journal:
            journal.save_checkpoint(position, engine(), state)
            resumed = recover(journal, engine())
        assert resumed.from_checkpoint == position
        assert normal(resumed) == whole


def test_where_readings_were_removed_nothing_is_kept_on_the_way(tmp_path: Path, key: Key) -> None:
    """Such a state lacks what the readings left behind until the fold is past them, and does not tell."""
    looks: list[bool] = []

    def look(fold: Fold, *, resumable: bool) -> None:
        looks.append(resumable)

    with Journal.open(lived(tmp_path / "j.db", made_by="older", key=key), reserve_bytes=0) as journal:
        recover(journal, engine(), look)
    assert looks
    assert not any(looks)


class Slow:
    """A start on a slow machine: each look takes so many seconds."""

    def __init__(self, journal: Journal, address: Path, seconds_a_look: int) -> None:
        self.clock, self.wishes = HandClock(), Wishes()
        self._ms = seconds_a_look * 1000
        notifier = Notifier({"NOTIFY_SOCKET": str(address)})
        self.catching_up = CatchingUp(journal, engine(), self.clock, notifier, self.wishes)
        self.end_at: int | None = None

    def look(self, fold: Fold, *, resumable: bool) -> None:
        """As the daemon does."""
        self.clock.pass_ms(self._ms)
        if self.end_at is not None and fold.position >= self.end_at:
            self.wishes.stop()
        self.catching_up.look(fold, resumable=resumable)


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal that another engine made."""
    return lived(tmp_path_factory.mktemp("upgraded") / "j.db", made_by="older")


@pytest.fixture
def journal(upgraded: Path, tmp_path: Path) -> Iterator[Journal]:
    """A copy of it, opened."""
    shutil.copy(upgraded, tmp_path / "j.db")
    with Journal.open(tmp_path / "j.db", reserve_bytes=0) as opened:
        yield opened


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[tuple[Path, socket.socket]]:
    """Where systemd hears, and what hears there."""
    address = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, MIB)
        line.bind(str(address))
        line.setblocking(False)
        yield address, line


def heard(line: socket.socket) -> list[str]:
    """All that systemd has heard."""
    words = []
    while True:
        try:
            words.append(line.recv(4096).decode())
        except BlockingIOError:
            return words


def test_systemd_waits_for_a_start_that_goes_on(
    journal: Journal, systemd: tuple[Path, socket.socket]
) -> None:
    """It is told how far we are, again before its patience is over; the state is kept when it is whole."""
    address, line = systemd
    start = Slow(journal, address, seconds_a_look=2)
    recover(journal, engine(), start.look)
    said = heard(line)
    end = journal.tail().position
    begun_s = [int(words.split()[-4].replace(",", "")) for words in said]
    assert said[0].startswith("EXTEND_TIMEOUT_USEC=120000000\nSTATUS=catching up with the journal: 48 of "), (
        said[0]
    )
    assert said[0].endswith(f" of {end:,} facts")
    assert begun_s == sorted(set(begun_s))
    # A look each 16 facts, 2 s each: every third look, 6 s after the last, long before 120 s are over.
    assert len(said) == end // 16 // 3
    assert start.catching_up.long


def test_a_short_start_says_nothing(journal: Journal, systemd: tuple[Path, socket.socket]) -> None:
    """A start of less than five seconds is none to speak of."""
    address, line = systemd
    start = Slow(journal, address, seconds_a_look=0)
    recover(journal, engine(), start.look)
    assert heard(line) == []
    assert not start.catching_up.long
    assert journal.latest_checkpoint(engine()) is None


def test_a_start_that_is_cut_off_is_gone_on_with(
    journal: Journal, systemd: tuple[Path, socket.socket]
) -> None:
    """What was folded until then is not folded again."""
    address, _ = systemd
    start = Slow(journal, address, seconds_a_look=7)
    start.end_at = journal.tail().position // 2
    with pytest.raises(GivenUp):
        recover(journal, engine(), start.look)
    kept = journal.latest_checkpoint(engine())
    assert kept is not None
    looks_a_minute = -(-catching_up.KEEP_S // 7)
    assert start.end_at - kept.position <= 16 * (looks_a_minute + 1)
    assert recover(journal, engine()).from_checkpoint == kept.position


def test_a_start_on_a_full_disk_goes_on(
    journal: Journal, systemd: tuple[Path, socket.socket], caplog: pytest.LogCaptureFixture
) -> None:
    """Keeping is a convenience: where nothing can be written the state is folded all the same."""
    address, _ = systemd
    journal._database.connection.execute("PRAGMA query_only = 1")
    start = Slow(journal, address, seconds_a_look=7)
    assert recover(journal, engine(), start.look).fold.position == journal.tail().position
    journal._database.connection.execute("PRAGMA query_only = 0")
    assert "a start that is cut off now begins anew" in caplog.text
