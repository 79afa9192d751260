"""Stateful protocols: the port keeps a state, moves it on with what was taken, publishes what is wanted."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest

from coldchain.config import ConfigError
from coldchain.driver import Maturity, MqttDriver
from coldchain.facts import Lost, Reading, SourceUp
from coldchain.model import Bad, Measured, Origin, Reason
from coldchain.pipeline.intake import Folded
from coldchain.ports.inbox import Inbox, Message, Verdict
from coldchain.ports.outlet import Outlet, channels_of
from coldchain.ports.standing import Count, Standing
from coldchain.session import Now, Publication, Received, Session, Turn
from tests.unit.ports.support import AnySettings, Desk, nothing, site

HELLO = Publication("host/state", b"here", 1, True)
WILL = Publication("host/state", b"gone", 1, True)

SITE = """
[brokers.local]
host = "127.0.0.1"
client_id = "gateway"
clean_session = {clean}

[sources.one]
driver = "counting"
broker = "local"
settings = {{ topic = "probe/1" }}
"""


def take(settings: Any, state: int, received: Received, now: Now) -> Turn:
    """Counts; the same word again is no news; some words mean something else."""
    word = received.payload.decode()
    if word == "raise":
        raise ValueError("as asked")
    if word == "again":
        return Turn(state)
    if word == "ask":
        return Turn(state + 1, publish=(Publication("probe/ask", b"?"),))
    old = word.startswith("old ")
    value = Measured("v", str(state), "degC", 1000 if old else None, history=old)
    return Turn(state + 1, (value,))


SESSION = Session(
    start=lambda s: 0,
    take=take,
    will=lambda s, now: WILL,
    opened=lambda s, state, now: Turn(state, publish=(HELLO,)),
    closing=lambda s, state, now: (WILL,),
    due_ms=lambda state: 0 if state == 3 else None,
    fire=lambda s, state, now: Turn(100, (Bad(Reason.OFFLINE, b"", "v"),)),
    clean=True,
)
COUNTING = MqttDriver(
    name="counting",
    version="1",
    title="Counts its messages",
    maturity=Maturity.GENERIC,
    settings=AnySettings,
    topics=lambda s: (s.topic,),
    decode=nothing,
    keys=lambda s: {"v": "degC"},
    session=SESSION,
)


def make(tmp_path: Path, desk: Desk, session: Session = SESSION) -> Inbox:
    """An inbox with one source that counts."""
    driver = dataclasses.replace(COUNTING, session=session)
    loaded = site(tmp_path, SITE.format(clean="true"), {"box.v": ("one", "v")}, {"counting": driver})
    outlets = tuple(
        Outlet(source, channels_of(loaded, source.id), Standing(source, desk.intake, desk.clock), desk.clock)
        for source in loaded.sources.values()
    )
    for outlet in outlets:
        outlet.connected("open")
    desk.look()
    return Inbox("local", outlets, desk.intake, desk.clock)


def settled(_: Folded) -> None:
    """Nothing to do."""


def send(inbox: Inbox, word: str, **more: Any) -> Verdict:
    """One message."""
    return inbox.take(Message("probe/1", word.encode(), **more), settled)


def test_a_state_goes_from_message_to_message(tmp_path: Path) -> None:
    """Each message meets the state that the one before left, and `decode` is not asked."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    for _ in range(3):
        assert send(inbox, "x") is Verdict.TAKEN
    assert [reading.raw for reading in desk.readings] == ["0", "1", "2"]


def test_a_message_without_room_leaves_the_state(tmp_path: Path) -> None:
    """It comes again and must mean the same: a state that ran ahead would take it for a repeat."""
    desk = Desk(capacity=1)
    inbox = make(tmp_path, desk)
    desk.takes = False
    assert send(inbox, "x") is Verdict.TAKEN
    assert send(inbox, "x") is Verdict.REFUSED
    desk.takes = True
    desk.look()
    assert send(inbox, "x") is Verdict.TAKEN
    assert [reading.raw for reading in desk.readings] == ["0", "1"]


def test_a_repeat_is_settled_after_what_it_repeats(tmp_path: Path) -> None:
    """It gives no fact, and is acknowledged only when what came before it is on disk."""
    desk = Desk(settle=False)
    inbox = make(tmp_path, desk)
    order: list[str] = []
    inbox.take(Message("probe/1", b"x"), lambda _: order.append("first"))
    assert inbox.take(Message("probe/1", b"again"), lambda _: order.append("repeat")) is Verdict.TAKEN
    desk.look()
    assert order == []
    desk.settle()
    assert order == ["first", "repeat"]
    assert len(desk.readings) == 1


def test_what_a_device_remembers_is_backfilled(tmp_path: Path) -> None:
    """A reading out of a device's memory never looks fresh."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    send(inbox, "old x")
    send(inbox, "old x", retain=True)
    send(inbox, "x", retain=True)
    assert [reading.origin for reading in desk.readings] == [
        Origin.BACKFILLED,
        Origin.BACKFILLED,
        Origin.RETAINED,
    ]


def test_a_session_that_raises_keeps_its_state(tmp_path: Path) -> None:
    """The message is a fact, the source is down, and the next message meets the old state."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    send(inbox, "x")
    assert send(inbox, "raise") is Verdict.TAKEN
    assert [down.why for down in desk.downs] == ["driver counting 1 raised ValueError: as asked"]
    send(inbox, "x")
    assert [reading.raw for reading in desk.readings] == ["0", "1"]


def test_what_is_to_be_published_waits_for_what_it_follows_from(tmp_path: Path) -> None:
    """Nothing is asked because of a message that was not taken, and each thing is published once."""
    desk = Desk()
    desk.intake.hold(True)
    inbox = make(tmp_path, desk)
    inbox.take(Message("probe/1", b"x"), settled)
    assert inbox.wanted() == []
    desk.intake.hold(False)
    assert send(inbox, "ask") is Verdict.TAKEN
    assert inbox.wanted() == [Publication("probe/ask", b"?")]
    assert inbox.wanted() == []


def test_a_connection_says_hello_with_the_time_of_its_will(tmp_path: Path) -> None:
    """The will goes with CONNECT, the birth follows when all is subscribed; both tell the same time."""
    desk, times = Desk(), list[Now]()

    def will(settings: Any, now: Now) -> Publication:
        times.append(now)
        return WILL

    def opened(settings: Any, state: int, now: Now) -> Turn:
        times.append(now)
        return Turn(state, publish=(HELLO,))

    inbox = make(tmp_path, desk, dataclasses.replace(SESSION, will=will, opened=opened))
    times.clear()  # the check of the configuration asked, too
    assert inbox.sessions.connecting() == WILL
    inbox.opened()
    assert inbox.wanted() == [HELLO]
    assert times[0] == times[1]
    assert inbox.sessions.closing() == [WILL]


def test_what_was_wanted_on_an_old_connection_is_not_said_on_a_new_one(tmp_path: Path) -> None:
    """A question is about what was true when it was asked."""
    inbox = make(tmp_path, Desk())
    send(inbox, "ask")
    inbox.sessions.connecting()
    assert inbox.wanted() == []


def test_a_timer_fires_once_it_is_due(tmp_path: Path) -> None:
    """State 3 is due at once and no other is: what follows comes without a message."""
    desk = Desk()
    inbox = make(tmp_path, desk)
    for _ in range(2):
        send(inbox, "x")
    inbox.fire()
    assert inbox.sessions.wait_s(7.0) == 7.0
    send(inbox, "x")
    assert inbox.sessions.wait_s(7.0) == 0
    inbox.fire()
    inbox.fire()
    assert [reading.bad for reading in desk.readings] == [None, None, None, Reason.OFFLINE]
    send(inbox, "x")
    assert desk.readings[-1].raw == "100"


def test_what_happens_without_room_is_told_as_lost(tmp_path: Path) -> None:
    """Nobody sends it again: it is counted and told."""
    desk = Desk(capacity=3)
    inbox = make(tmp_path, desk)
    desk.takes = False
    for _ in range(3):
        send(inbox, "x")
    inbox.fire()
    desk.takes = True
    assert [type(fact) for fact in desk.look()] == [SourceUp] + [Reading] * 3
    inbox.tick()
    assert desk.lost == [Lost("one", 1, desk.lost[0].why)]
    assert inbox.outlets[0].standing.counts[Count.LOST] == 1


@pytest.mark.parametrize("which", ["opened", "fire", "closing", "due_ms"])
def test_what_raises_outside_of_a_message_costs_only_its_source(tmp_path: Path, which: str) -> None:
    """The port goes on, and the source is down with what was raised."""

    def raises(*_: Any) -> Any:
        raise ValueError("as asked")

    changes = {"due_ms": lambda state: 0} | {which: raises}
    desk = Desk()
    inbox = make(tmp_path, desk, dataclasses.replace(SESSION, **changes))
    inbox.opened()
    inbox.fire()
    inbox.sessions.closing()
    assert inbox.sessions.wait_s(1.0) in {0.0, 1.0}
    assert {down.why for down in desk.downs} == {"driver counting 1 raised ValueError: as asked"}


def test_a_protocol_that_wants_to_be_forgotten_refuses_a_kept_session(tmp_path: Path) -> None:
    """What the broker kept for it would be out of order; the configuration says so."""
    with pytest.raises(ConfigError, match=r"write clean_session = true in brokers\.local"):
        site(tmp_path, SITE.format(clean="false"), {"box.v": ("one", "v")}, {"counting": COUNTING})


def test_one_connection_one_will(tmp_path: Path) -> None:
    """Two sources that leave a will cannot share a connection: the second will would be lost silently."""
    two = SITE.format(clean="true") + (
        '\n[sources.two]\ndriver = "counting"\nbroker = "local"\nsettings = { topic = "probe/2" }\n'
    )
    channels = {"box.v": ("one", "v"), "box.w": ("two", "v")}
    with pytest.raises(ConfigError, match=r"sources\.one leaves a will"):
        site(tmp_path, two, channels, {"counting": COUNTING})
    quiet = dataclasses.replace(COUNTING, session=dataclasses.replace(SESSION, will=lambda s, now: None))
    assert len(site(tmp_path, two, channels, {"counting": quiet}).sources) == 2
