"""From what a driver says to facts: nothing invented, nothing left out, nothing said twice."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from coldchain.facts import Fact, Note, Reading, Unreadable
from coldchain.model import Bad, Decoded, Measured, Noted, Origin, Reason
from coldchain.ports.outlet import NOT_UNDERSTOOD, Made, Outlet, channels_of
from coldchain.ports.standing import Count, Standing
from tests.unit.ports.support import Desk, site

SOURCE = """
[sources.log]
driver = "ascii_line"
port = "socket://127.0.0.1:1"
simulated = {simulated}
[sources.log.settings]
baud = 9600
frame = "8N1"
layout = "pairs"
values = [{{ key = "a", at = "a", unit = "degC" }}, {{ key = "b", at = "b", unit = "degC" }},
          {{ key = "c", at = "c", unit = "degC" }}]
"""
FRAME = b"a=1;b=2"


def outlet(tmp_path: Path, desk: Desk, *, simulated: str = "false") -> Outlet:
    """Keys a and b are channels, c is none."""
    loaded = site(
        tmp_path, SOURCE.format(simulated=simulated), {"box.a": ("log", "a"), "box.b": ("log", "b")}
    )
    source = loaded.sources["log"]
    return Outlet(source, channels_of(loaded, "log"), Standing(source, desk.intake, desk.clock), desk.clock)


def reading(channel: str, **more: object) -> Reading:
    """A reading of the source."""
    return Reading("log", channel, **more)  # type: ignore[arg-type]


def unread(reason: Reason, key: str = "") -> Unreadable:
    """The fact of the frame."""
    return Unreadable("log", reason, sha256(FRAME).hexdigest(), len(FRAME), FRAME.hex(), key)


@pytest.mark.parametrize(
    ("decoded", "facts"),
    [
        pytest.param((), (), id="nothing of ours"),
        pytest.param(
            (Measured("a", "-182.40", "degC"),), (reading("box.a", raw="-182.40", unit="degC"),), id="as sent"
        ),
        pytest.param(
            (Measured("a", "1", "degC", 5, 6), Measured("b", "2", "degF", 5, 6, Reason.UNSTABLE)),
            (
                reading("box.a", raw="1", unit="degC", at_ms=5, sequence=6, place=0),
                reading("box.b", raw="2", unit="degF", at_ms=5, sequence=6, place=1, doubt=Reason.UNSTABLE),
            ),
            id="time, number, place and doubt",
        ),
        pytest.param(
            (Bad(Reason.SENSOR_SHORT, FRAME, "b", 7, 8),),
            (reading("box.b", bad=Reason.SENSOR_SHORT, at_ms=7, sequence=8),),
            id="bad is a reading without a value",
        ),
        pytest.param(
            (Bad(Reason.BAD_CHECKSUM, FRAME),), (unread(Reason.BAD_CHECKSUM),), id="whole frame bad"
        ),
        pytest.param(
            (Measured("c", "3", "degC"), Measured("a", "1", "degC")),
            (unread(Reason.UNEXPECTED_REPLY, "c"), reading("box.a", raw="1", unit="degC", place=1)),
            id="a key that is no channel, and the place of the next",
        ),
        pytest.param(
            (Bad(Reason.SENSOR_OPEN, FRAME, "c"),), (unread(Reason.SENSOR_OPEN, "c"),), id="bad, no channel"
        ),
    ],
)
def test_facts_of_a_frame(tmp_path: Path, decoded: Decoded, facts: tuple[Fact, ...]) -> None:
    """Each item of a frame becomes one fact, in its place."""
    desk = Desk()
    assert outlet(tmp_path, desk).read(lambda: decoded, FRAME).facts == facts


def test_origin_repeat_and_simulation_stand_in_each_reading(tmp_path: Path) -> None:
    """How it came is the port's to say; that it is simulated, the source's."""
    made = outlet(tmp_path, Desk(), simulated="true").read(
        lambda: (Measured("a", "1", "degC"), Bad(Reason.NO_VALUE, FRAME, "b")),
        FRAME,
        origin=Origin.RETAINED,
        dup=True,
    )
    for fact in made.facts:
        assert isinstance(fact, Reading)
        assert (fact.origin, fact.dup, fact.simulated) == (Origin.RETAINED, True, True)


def test_an_unknown_key_is_told_once_and_counted(tmp_path: Path) -> None:
    """A value that nobody configured is written down once in a process, and only if it was taken."""
    out = outlet(tmp_path, Desk())
    decoded = (Measured("c", "3", "degC"), Measured("c", "4", "degC"))
    assert len(out.read(lambda: decoded, FRAME).facts) == 1
    first = out.read(lambda: decoded, FRAME)
    assert len(first.facts) == 1, "what was not taken in is told again"
    out.taken(first)
    second = out.read(lambda: decoded, FRAME)
    assert second.facts == ()
    out.taken(second)
    assert out.standing.counts[Count.UNMAPPED] == 4
    assert out.standing.counts[Count.UNREADABLE] == 0


@pytest.mark.parametrize(
    "raised", [ValueError("no"), SystemExit(1), RecursionError(), UnicodeDecodeError("ascii", b"", 0, 1, "")]
)
def test_a_driver_that_raises(tmp_path: Path, raised: BaseException) -> None:
    """Its frame is a fact, its source is down with what was raised, and the caller goes on."""
    desk = Desk()
    out = outlet(tmp_path, desk)
    out.connected("open")

    def decode() -> Decoded:
        raise raised

    made = out.read(decode, FRAME)
    assert made == Made((unread(Reason.CORRUPT_FRAME),), good=False)
    (down,) = desk.downs
    assert f"driver ascii_line 1 raised {type(raised).__name__}" in down.why
    out.taken(out.read(lambda: (Measured("a", "1", "degC"),), FRAME))
    assert out.standing.is_up is False, "one good frame right after it is not enough"


def test_a_driver_that_answers_nonsense(tmp_path: Path) -> None:
    """What is no list of values is treated like a raise."""
    made = outlet(tmp_path, Desk()).read(lambda: None, FRAME)  # type: ignore[arg-type, return-value]
    assert [type(fact) for fact in made.facts] == [Unreadable]


@pytest.mark.parametrize("reason", list(Reason))
def test_only_a_frame_that_was_understood_is_good(tmp_path: Path, reason: Reason) -> None:
    """A device that says "sensor open" is well; one whose checksum fails may be another device."""
    made = outlet(tmp_path, Desk()).read(lambda: (Bad(reason, FRAME, "a"),), FRAME)
    assert made.good is (reason not in NOT_UNDERSTOOD)


def test_up_and_down_are_told_when_they_change(tmp_path: Path) -> None:
    """A port that tries every second tells nothing twice, and the status has the latest words."""
    desk = Desk()
    out = outlet(tmp_path, desk)
    assert out.standing.status().up is None
    for why in ("no such file", "permission denied"):
        out.lost(why)
    out.connected("open")
    out.connected("open")
    out.lost("unplugged")
    assert [fact.why for fact in desk.downs] == ["no such file", "unplugged"]
    assert [(fact.driver, fact.version, fact.detail) for fact in desk.ups] == [("ascii_line", "1", "open")]
    status = out.standing.status()
    assert (status.up, status.detail, status.place) == (False, "unplugged", "socket://127.0.0.1:1")


def test_in_doubt_until_it_says_something(tmp_path: Path) -> None:
    """A device that was lost by its silence is up with its first good frame, not with the opening."""
    desk = Desk()
    out = outlet(tmp_path, desk)
    out.connected("open", wait_for_frame=True)
    assert desk.ups == []
    out.taken(out.read(lambda: (Bad(Reason.BAD_CHECKSUM, FRAME),), FRAME))
    assert desk.ups == []
    out.taken(out.read(lambda: (Measured("a", "1", "degC"),), FRAME))
    assert len(desk.ups) == 1
    assert out.standing.status().last_good_ms is not None


def test_a_closed_outlet_is_mute(tmp_path: Path) -> None:
    """A run that was given up says nothing any more, even if its driver comes back one day."""
    desk = Desk()
    out = outlet(tmp_path, desk)
    out.close()
    out.connected("open")
    out.lost("gone")
    out.fails("stuck")
    assert desk.look() == []


def test_what_nothing_judges_is_noted_when_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A state or a place is a fact when it is new; what changes all the time is not written all the time."""
    out, now_s = outlet(tmp_path, Desk()), [1000.0]
    monkeypatch.setattr(out._clock, "real_s", lambda: now_s[0], raising=False)

    def said(text: str, after_s: float) -> list[str]:
        now_s[0] += after_s
        made = out.read(lambda: (Noted("fill", text, 5),), b"")
        assert made.good
        out.taken(made)
        assert all(isinstance(fact, Note) and (fact.key, fact.at_ms) == ("fill", 5) for fact in made.facts)
        return [fact.text for fact in made.facts if isinstance(fact, Note)]

    assert said("off", 0) == ["off"]
    assert said("off", 3600) == []
    assert said("on", 1) == ["on"]
    assert said("expired", 59) == [], "a minute is not over"
    assert out.standing.status().says == {"fill": "expired"}, "what it says now is known all the same"
    assert said("expired", 1) == ["expired"]
    assert said("x" * 500, 60) == ["x" * 200]


def test_a_note_that_found_no_room_is_offered_again(tmp_path: Path) -> None:
    """Only what was taken counts as told."""
    out = outlet(tmp_path, Desk())
    for _ in range(2):
        assert len(out.read(lambda: (Noted("fill", "off"),), b"").facts) == 1
