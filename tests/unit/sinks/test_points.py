"""What facts become as points: judged values, numbers only, the same points every time."""

from pathlib import Path

import pytest
from msgspec import structs

from coldchain import facts
from coldchain.alarms import AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.evidence.meaning import Learned, TimeUnknown, teaches
from coldchain.facts import (
    Activated,
    Beat,
    Bound,
    ClockSet,
    Lost,
    ProcessStarted,
    Reading,
    SourceDown,
    SourceUp,
    Unreadable,
)
from coldchain.model import Origin, Priority, Reason
from coldchain.sinks.base import Point
from coldchain.sinks.points import QUALITY_NUMBERS, STATE_NUMBERS, Lens
from tests.unit.sinks.world import AIR, HIGH, NOON, plan, raised, reading

BOX = (
    ("site", "cell-bank"),
    ("asset", "box-7"),
    ("role", "air"),
    ("channel", AIR),
    ("source", "probe"),
    ("origin", "device"),
    ("simulated", "false"),
)


def lens(*, simulated: bool = False) -> Lens:
    return Lens(
        [Learned(1, 0, Activated(plan(simulated=simulated), {})), Learned(2, 0, ClockSet(NOON, "kernel"))]
    )


def not_good(point: Point) -> str:
    assert point.measurement == "not_good"
    return dict(point.tags)["reason"]


def test_a_good_reading() -> None:
    """The value is in the unit people read, with its quality as a number and its own time."""
    assert lens().points(7, reading(NOON + 5), []) == [
        Point("temperature", BOX, (("value", -150.5), ("quality", 2.0)), NOON + 5)
    ]


@pytest.mark.parametrize(
    ("fact", "fields", "reason"),
    [
        pytest.param(
            reading(NOON, "", bad=Reason.SENSOR_OPEN),
            (("quality", 0.0),),
            "sensor_open",
            id="BAD has no value",
        ),
        pytest.param(
            reading(NOON, "-150.5", doubt=Reason.UNSTABLE),
            (("value", -150.5), ("quality", 1.0)),
            "unstable",
            id="UNCERTAIN keeps its value",
        ),
        pytest.param(
            reading(NOON, "-250"),
            (("quality", 0.0),),
            "outside_validity",
            id="colder than possible is no value",
        ),
        pytest.param(reading(NOON, "nan"), (("quality", 0.0),), "not_a_number", id="no number"),
    ],
)
def test_a_reading_that_is_not_good(
    fact: Reading, fields: tuple[tuple[str, float], ...], reason: str
) -> None:
    """A bad reading is never a number, and its reason can be counted."""
    first, second = lens().points(0, fact, [])
    assert (first.measurement, first.fields) == ("temperature", fields)
    assert not_good(second) == reason


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param({"origin": Origin.RETAINED}, "retained_without_time", id="retained, no time"),
        pytest.param({"dup": True}, "duplicate_in_doubt", id="perhaps a repeat"),
    ],
)
def test_what_cannot_be_told_from_its_repeat(words: dict[str, object], reason: str) -> None:
    """A source without time and number is doubted here as it is by the rules."""
    fact = Reading("mute", "box-7.wall", "4.0", "degC", stamp_ms=3, **words)  # type: ignore[arg-type]
    first, second = lens().points(9, fact, [])
    assert dict(first.fields)["quality"] == 1.0
    assert not_good(second) == reason


def test_a_source_without_time_gets_its_stamp() -> None:
    """The port's stamp, printed by the clock fact that holds, is the time; never the moment of sending."""
    fact = Reading("mute", "box-7.wall", "4.0", "degC", stamp_ms=3)
    assert lens().points(9, fact, [])[0].time_ms == NOON + 3


def test_without_a_clock_there_is_no_time() -> None:
    """Before the clock was ever known such a row cannot be sent; the first clock fact to come settles it."""
    fact = Reading("mute", "box-7.wall", "4.0", "degC", stamp_ms=3)
    blind = Lens([Learned(1, 0, Activated(plan(), {}))])
    with pytest.raises(TimeUnknown):
        blind.points(9, fact, [])
    blind.offset_ahead_ms = NOON
    assert blind.points(9, fact, [])[0].time_ms == NOON + 3


@pytest.mark.parametrize(
    ("by_plan", "by_fact"), [(True, False), (False, True)], ids=["the source is simulated", "the reading is"]
)
def test_simulated_is_a_tag(by_plan: bool, by_fact: bool) -> None:
    """No query can take simulated data for evidence unawares."""
    tags = dict(lens(simulated=by_plan).points(0, reading(NOON, simulated=by_fact), [])[0].tags)
    assert tags["simulated"] == "true"


def test_an_imported_file_stands_beside() -> None:
    """What came from a file is another series than what the device sent; retained and backfilled are not."""
    tags = [
        dict(lens().points(0, reading(NOON, origin=origin), [])[0].tags)["origin"]
        for origin in (Origin.LIVE, Origin.RETAINED, Origin.BACKFILLED, Origin.IMPORTED)
    ]
    assert tags == ["device", "device", "device", "imported"]


def test_an_unknown_channel_is_counted() -> None:
    """A row of a channel that no plan knows is not dropped silently."""
    fact = structs.replace(reading(NOON), channel="gone")
    (point,) = lens().points(0, fact, [])
    assert not_good(point) == "unknown_channel"


def test_a_binding_moves_the_tags() -> None:
    """From the binding on the channel's points carry the other asset."""
    seen = lens()
    seen.learn(5, Bound(AIR, "box-8", "air", NOON, "anna", "moved"))
    assert dict(seen.points(6, reading(NOON), [])[0].tags)["asset"] == "box-8"


@pytest.mark.parametrize(
    ("fact", "measurement", "fields"),
    [
        pytest.param(Unreadable("probe", Reason.BAD_CHECKSUM, "00", 3, "00"), "unreadable", (("count",
        1.0),), id="unreadable"), pytest.param(Lost("probe", 7, "full"), "lost", (("count", 7.0),),
        id="lost"), pytest.param(SourceUp("probe", "demo", "1"), "source", (("up", 1.0),), id="up"),
        pytest.param(SourceDown("probe", "unplugged"), "source", (("up", 0.0),), id="down"),
        pytest.param(ProcessStarted("boot", None, None), "process", (("started", 1.0),), id="start"),
    ],
)  # fmt: skip
def test_other_facts(fact: facts.Fact, measurement: str, fields: tuple[tuple[str, float], ...]) -> None:
    """What explains a gap in a curve is there beside the curve."""
    (point,) = lens().points(11, fact, [])
    assert (point.measurement, point.fields, point.time_ms) == (measurement, fields, NOON + 11)


def test_our_own_heartbeat_is_no_row() -> None:
    """Nothing is sent for facts that say nothing about the world."""
    assert lens().points(0, Beat(), []) == []


def test_an_alarm_is_a_number() -> None:
    """An announcement about an alarm is the alarm's state, under the alarm's name."""
    (point,) = lens().points(11, Beat(), [raised(3)])
    assert point.measurement == "alarm"
    assert dict(point.tags)["alarm"] == HIGH
    assert point.fields == (("state", 1.0), ("occurrence", 3.0))
    refused = Announcement(Kind.REFUSED, alarm=HIGH, priority=Priority.CRITICAL)
    assert lens().points(11, Beat(), [refused]) == []


def test_numbers_cover_every_state_and_quality() -> None:
    """A new state needs a number of its own; the old ones lie in other people's databases."""
    assert set(STATE_NUMBERS) == set(AlarmState)
    assert len(set(STATE_NUMBERS.values())) == len(STATE_NUMBERS)
    assert sorted(QUALITY_NUMBERS.values()) == [0.0, 1.0, 2.0]


def test_what_teaches_is_seen_in_the_bytes() -> None:
    """Plans, bindings and clock facts are found without decoding every reading on the way."""
    assert teaches(facts.encode(Activated(plan(), {})))
    assert teaches(facts.encode(ClockSet(None, "kernel")))
    assert not teaches(facts.encode(reading(NOON)))


def test_docs_name_every_number() -> None:
    """The numbers in other people's databases can be read without the source code."""
    page = (Path(__file__).parents[3] / "docs" / "sinks.md").read_text(encoding="utf-8")
    for state, number in STATE_NUMBERS.items():
        assert f"| {number:.0f} | {state.value.replace('_', ' ')} |" in page
    for word, number in (("BAD", 0), ("UNCERTAIN", 1), ("GOOD", 2)):
        assert f"| {number} | {word}" in page
