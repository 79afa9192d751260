"""Who is called, and when: steps until somebody takes it up; quiet hours never silence what is critical."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.alarms import acknowledge, condition_gone, fire, raise_, shelve, unshelve
from coldchain.alarms.alarm import Alarm, Moved, due_ms, next_step_ms, unacknowledged
from coldchain.alarms.calling import Calling, Contacts
from coldchain.announcements import Kind
from coldchain.config.zone import offsets
from coldchain.model import Priority
from coldchain.plan import Contact, Escalation, Plan, QuietHours, Step

STEPS = (Step(0, ("room",)), Step(10, ("on-call",)), Step(30, ("head", "room")))
Story = list[tuple[int, str]]


def told(
    story: Story, priority: Priority = Priority.HIGH, quiet: dict[str, tuple[int, int]] | None = None
) -> list[str]:
    """A story of (time, word) from 0 on; who is called by what, "time kind: names", up to its end.

    quiet: contacts that must not be called from one time to another.
    """
    alarm = Alarm(id="a", priority=priority)
    said: list[str] = []

    def calling(now: int) -> Calling:
        asleep = {name for name, (a, b) in (quiet or {}).items() if a <= now < b}
        return Calling(STEPS, frozenset(asleep) if priority is not Priority.CRITICAL else frozenset())

    def put(moved: Moved, now: int) -> None:
        nonlocal alarm
        alarm, words = moved
        for each in words:
            if each.kind is not Kind.REFUSED:
                held = f" ({','.join(each.held)} held)" if each.held else ""
                said.append(f"{now} {each.kind.value}: {','.join(each.to)}{held}")

    def next_ms() -> int | None:
        ends = [quiet[name][1] for name in alarm.held if quiet]
        return min([at for at in (due_ms(alarm, STEPS), *ends) if at is not None], default=None)

    for at, word in story:
        while (due := next_ms()) is not None and due <= at:
            put(fire(alarm, due, calling=calling(due)), due)
        match word:
            case "raise":
                put(raise_(alarm, "e", at, at, at, calling=calling(at)), at)
            case "gone":
                put(condition_gone(alarm, at, calling=calling(at)), at)
            case "ack":
                put(acknowledge(alarm, unacknowledged(alarm), "anna", at, calling=calling(at)), at)
            case "shelve":
                put(shelve(alarm, at + 20, at, calling=calling(at)), at)
            case "unshelve":
                put(unshelve(alarm, at, calling=calling(at)), at)
            case "wait":
                pass
    return said


@pytest.mark.parametrize(
    ("story", "calls"),
    [
        pytest.param(
            [(0, "raise"), (50, "wait")],
            ["0 raised: room", "10 escalated: on-call", "30 escalated: head"],
            id="step by step; who was called before is not called again",
        ),
        pytest.param(
            [(0, "raise"), (9, "ack"), (50, "wait")],
            ["0 raised: room", "9 acknowledged: room"],
            id="taken up",
        ),
        pytest.param(
            [(0, "raise"), (15, "ack"), (20, "gone")],
            [
                "0 raised: room",
                "10 escalated: on-call",
                "15 acknowledged: room,on-call",
                "20 returned: room,on-call",
            ],
            id="who was told hears how it goes on",
        ),
        pytest.param(
            [(0, "raise"), (4, "gone"), (50, "wait")],
            ["0 raised: room", "4 returned: room"],
            id="gone before the next step: nobody more is woken",
        ),
        pytest.param(
            [(0, "raise"), (4, "gone"), (8, "raise"), (12, "wait")],
            ["0 raised: room", "4 returned: room", "8 raised: room", "10 escalated: on-call"],
            id="what comes and goes does not begin anew",
        ),
        pytest.param(
            [(0, "raise"), (4, "gone"), (14, "raise")],
            ["0 raised: room", "4 returned: room", "14 raised: room,on-call"],
            id="a step that came meanwhile is called when it is back",
        ),
        pytest.param(
            [(0, "raise"), (5, "ack"), (20, "raise"), (30, "wait")],
            ["0 raised: room", "5 acknowledged: room", "20 raised: room", "30 escalated: on-call"],
            id="a new occurrence of what was taken up begins anew",
        ),
        pytest.param(
            [(0, "raise"), (5, "shelve"), (24, "wait"), (40, "wait")],
            ["0 raised: room", "5 shelved: room", "25 unshelved: room", "35 escalated: on-call"],
            id="the shelf stops it, and its end begins anew",
        ),
        pytest.param(
            [(0, "raise"), (5, "raise"), (12, "wait")],
            ["0 raised: room", "5 raised: room", "10 escalated: on-call"],
            id="a second occurrence puts nothing off",
        ),
    ],
)
def test_steps(story: Story, calls: list[str]) -> None:
    """Each story calls exactly these."""
    assert told(story) == calls


def test_what_is_critical_calls_on_after_it_has_gone() -> None:
    """The dose was warm: somebody has to look, though it is cold again."""
    assert told([(0, "raise"), (4, "gone"), (50, "wait")], Priority.CRITICAL) == [
        "0 raised: room",
        "4 returned: room",
        "10 escalated: on-call",
        "30 escalated: head",
    ]


def test_quiet_hours_hold_a_step_back_and_give_it_free() -> None:
    """On-call sleeps from 5 to 40: its step waits, the next comes, and at 40 it is called if still open."""
    night = {"on-call": (5, 40)}
    assert told([(0, "raise"), (60, "wait")], quiet=night) == [
        "0 raised: room",
        "10 escalated:  (on-call held)",
        "30 escalated: head (on-call held)",
        "40 escalated: on-call",
    ]
    assert told([(0, "raise"), (35, "ack"), (60, "wait")], quiet=night)[-1] == "35 acknowledged: room,head"


def test_nothing_more_is_said_to_somebody_asleep() -> None:
    """Told at 0, asleep from 5: neither the return nor a new occurrence wakes them."""
    calls = told([(0, "raise"), (6, "gone"), (7, "raise")], quiet={"room": (5, 40)})
    assert calls == ["0 raised: room", "6 returned: ", "7 raised: "]


def test_quiet_hours_never_silence_what_is_critical() -> None:
    """The same night, and each step is called at its minute."""
    night = {"room": (0, 99), "on-call": (0, 99), "head": (0, 99)}
    assert told([(0, "raise"), (50, "wait")], Priority.CRITICAL, night) == [
        "0 raised: room",
        "10 escalated: on-call",
        "30 escalated: head",
    ]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 25), st.sampled_from(["raise", "gone", "ack", "shelve", "unshelve", "wait"])
        ),
        max_size=15,
    )
)
def test_an_open_critical_reaches_every_step(moves: list[tuple[int, str]]) -> None:
    """Whatever came before: a critical alarm that nobody takes up is told to everybody in the end."""
    last, story = 0, []
    for later, word in moves:
        last += later
        story.append((last, word))
    alarm = Alarm(id="a", priority=Priority.CRITICAL)
    calling = Calling(STEPS)
    for at, word in [*story, (last + 21, "raise")]:
        while (due := due_ms(alarm, STEPS)) is not None and due <= at:
            alarm, _ = fire(alarm, due, calling=calling)
        match word:
            case "raise":
                alarm, _ = raise_(alarm, "e", at, at, at, calling=calling)
            case "gone":
                alarm, _ = condition_gone(alarm, at, calling=calling)
            case "ack":
                alarm, _ = acknowledge(alarm, unacknowledged(alarm), "anna", at, calling=calling)
            case "shelve":
                alarm, _ = shelve(alarm, at + 20, at, calling=calling)
            case "unshelve":
                alarm, _ = unshelve(alarm, at, calling=calling)
    while next_step_ms(alarm, STEPS) is not None:
        due = due_ms(alarm, STEPS)
        assert due is not None
        alarm, _ = fire(alarm, due, calling=calling)
    assert set(alarm.told) == {"room", "on-call", "head"}


# The hour of the day

NIGHT = QuietHours(22 * 60, 6 * 60)
WEEKEND = QuietHours(0, 23 * 60 + 59, days=(5, 6))


def contacts(*quiet: QuietHours, zone: str = "UTC") -> Contacts:
    """One contact with quiet hours, at a site."""
    return Contacts(
        Plan(
            site="test",
            contacts=(Contact("anna", quiet),),
            escalation=(Escalation(Priority.HIGH, (Step(0, ("anna",)),)),),
            zone=offsets(zone),
        )
    )


def ms(text: str, zone: str = "UTC") -> int:
    """A local time in UTC ms."""
    return round(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp() * 1000)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T21:59", None),
        ("2026-11-23T22:00", "2026-11-24T06:00"),
        ("2026-11-24T05:59:59", "2026-11-24T06:00"),
        ("2026-11-24T06:00", None),
    ],
)
@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "Europe/Berlin", "America/St_Johns"])
def test_a_night(zone: str, now: str, until: str | None) -> None:
    """From ten to six at the site, to the minute."""
    end = contacts(NIGHT, zone=zone).quiet_until_ms("anna", ms(now, zone))
    assert end == (None if until is None else ms(until, zone))


@pytest.mark.parametrize("evening", ["2026-03-28T22:30", "2026-10-24T23:00"])
def test_a_night_in_which_the_clocks_are_changed(evening: str) -> None:
    """It ends at six by the clock on the wall, an hour earlier or later than any other."""
    zone = "Europe/Berlin"
    day = datetime.fromisoformat(evening).date() + timedelta(days=1)
    assert contacts(NIGHT, zone=zone).quiet_until_ms("anna", ms(evening, zone)) == ms(f"{day}T06:00", zone)


def test_days() -> None:
    """A night belongs to the day of its evening."""
    friday = contacts(QuietHours(22 * 60, 6 * 60, days=(4,)))
    assert friday.quiet_until_ms("anna", ms("2026-11-27T23:00")) == ms("2026-11-28T06:00")
    assert friday.quiet_until_ms("anna", ms("2026-11-28T05:00")) == ms("2026-11-28T06:00")
    assert friday.quiet_until_ms("anna", ms("2026-11-28T23:00")) is None
    assert friday.quiet_until_ms("anna", ms("2026-11-27T05:00")) is None


@given(
    st.integers(1_577_900_000_000, 4_000_000_000_000),
    st.sampled_from(["UTC", "Europe/Berlin", "Asia/Kathmandu"]),
)
def test_quiet_is_what_the_wall_clock_says(at_ms: int, zone: str) -> None:
    """At any instant until 2069, by an oracle that asks the zone's own rules."""
    local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(ZoneInfo(zone))
    night = local.hour >= 22 or local.hour < 6
    if local.year < 2070:
        assert (contacts(NIGHT, zone=zone).quiet_until_ms("anna", at_ms) is not None) is night


def test_no_clock_no_quiet_hours() -> None:
    """While nobody knows what hour it is, nothing is held back; and never what is critical."""
    site = contacts(NIGHT)
    assert site.calling(Priority.HIGH, None).quiet == frozenset()
    assert site.calling(Priority.HIGH, ms("2026-11-23T23:00")).quiet == {"anna"}
    assert site.calling(Priority.CRITICAL, ms("2026-11-23T23:00")).quiet == frozenset()
