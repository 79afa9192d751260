"""The one notation for announcements: what a line asks for, and how lines are held against what was said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.announcements import Announcement, Kind, Late
from coldchain.model import Priority
from coldchain.testing.notation import Unreadable
from coldchain.testing.saying import Told, expected, hold, told

MIN = 60_000
START = 1_700_000_000_000
param = pytest.param


def raised(rule: str, due_min: float, since_min: float | None = None, **more: object) -> Told:
    """An alarm that became certain at a minute."""
    due = START + round(due_min * MIN)
    since = due if since_min is None else START + round(since_min * MIN)
    words: dict[str, object] = {"priority": Priority.CRITICAL, "alarm": f"check/product/{rule}"}
    said = Announcement(Kind.RAISED, rule=rule, since_ms=since, due_ms=due, **(words | more))  # type: ignore[arg-type]
    return Told(due, said, "product")


def returned(rule: str, end_min: int) -> Told:
    """A return to normal at a minute."""
    end = START + end_min * MIN
    return Told(end, Announcement(Kind.RETURNED, rule=rule, end_ms=end), "product")


WARM = raised("too-warm", 192, 182)


@pytest.mark.parametrize(
    ("line", "fits"),
    [
        param("too-warm at 3h12m", True, id="when it became certain"),
        param("critical too-warm at 3h12m", True, id="with its priority"),
        param("high too-warm at 3h12m", False, id="another priority"),
        param("too-warm", True, id="whenever"),
        param("too-warm at 3h11m", False, id="a minute too early"),
        param("too-warm at 3h11m ± 1m", True, id="that close"),
        param("too-warm at 3h10m +- 1m", False, id="not that close"),
        param("too-warm at 192", True, id="counted in steps"),
        param("raised too-warm since 182 due 192", True, id="in full"),
        param("too-warm at 3h12m since 3h2m", True, id="since when"),
        param("too-warm at 3h12m, since 3h 2m", True, id="with comma and blank"),
        param("too-warm since 3h1m", False, id="since another time"),
        param("too-warm between 3h and 3h12m", True, id="both ends included"),
        param("too-warm between 3h and 3h11m", False, id="outside of it"),
        param("too-warm before 3h12m", False, id="before excludes its end"),
        param("too-warm after 3h11m", True, id="after"),
        param("product/too-warm at 3h12m", True, id="by role"),
        param("vapour/too-warm at 3h12m", False, id="another role"),
        param("check/product/too-warm at 3h12m", True, id="by the alarm's whole name"),
        param("too-cold at 3h12m", False, id="another rule"),
        param("too-warm returned at 3h12m", False, id="another kind"),
        param("too-warm at 3h12m found_late", False, id="not late"),
        param("too-warm announced 3h12m", True, id="when it was said"),
    ],
)
def test_a_line_fits(line: str, fits: bool) -> None:
    """An announcement fulfils a line exactly if the line speaks of it."""
    assert expected(line, step_ms=MIN).fits(WARM, START) is fits


@pytest.mark.parametrize(
    ("line", "kind"),
    [
        param("too-warm returned at 5h", Kind.RETURNED, id="rule first"),
        param("returned too-warm at 5h", Kind.RETURNED, id="verb first"),
        param("too-warm ended at 5h", Kind.EXCURSION_ENDED, id="the excursion"),
        param("excursion_ended too-warm end 300", Kind.EXCURSION_ENDED, id="in full"),
        param("too-warm re-alarmed at 5h", Kind.RE_ALARMED, id="again"),
        param("too-warm not confirmed", Kind.NOT_CONFIRMED, id="two words"),
        param("silence of", Kind.RAISED, id="a rule may be called like a word, refused below"),
    ],
)
def test_kinds(line: str, kind: Kind) -> None:
    """Each kind has a word, before or after the rule's name."""
    if line.endswith(" of"):
        with pytest.raises(Unreadable):
            expected(line, step_ms=MIN)
    else:
        assert expected(line, step_ms=MIN).kind is kind


@pytest.mark.parametrize(
    ("line", "token"),
    [
        param("critical at 3h", "critical at 3h", id="no rule"),
        param("", "", id="empty"),
        param("too-warm at noon", "at", id="no time"),
        param("too-warm at 3 o'clock", "o'clock", id="rubbish behind"),
        param("too-warm by 3h", "by", id="unknown word"),
        param("too-warm between 4h and 3h", "too-warm between 4h and 3h", id="backwards"),
        param("any", "any", id="any of what"),
        param("nothing soon after", "after", id="nothing, when"),
    ],
)
def test_what_is_refused(line: str, token: str) -> None:
    """The error names what is not understood and how to write it."""
    with pytest.raises(Unreadable) as refused:
        expected(line, step_ms=MIN)
    assert refused.value.token == token
    assert refused.value.mend


WARMING = raised("warming", 100, priority=Priority.LOW)


@pytest.mark.parametrize(
    ("lines", "happened", "missing", "unexpected", "broken"),
    [
        param(["too-warm at 3h12m"], [WARM], 0, 0, 0, id="as expected"),
        param([], [WARM], 0, 1, 0, id="an alarm that nobody expected"),
        param([], [returned("too-warm", 1)], 0, 0, 0, id="a return need not be named"),
        param(["too-warm at 3h12m"], [], 1, 0, 0, id="an alarm that did not come"),
        param(["too-warm at 3h"], [WARM], 1, 1, 0, id="at another time it is both"),
        param(["nothing"], [], 0, 0, 0, id="nothing"),
        param(["nothing"], [WARM], 0, 0, 1, id="nothing, and yet"),
        param(["nothing before 3h", "too-warm"], [WARM], 0, 0, 0, id="nothing before"),
        param(["nothing after 3h"], [WARM], 0, 0, 1, id="nothing after"),
        param(["nothing of warming"], [WARM], 0, 1, 0, id="nothing of another rule"),
        param(["any warming", "too-warm"], [WARMING, WARM], 0, 0, 0, id="one that does not matter"),
        param(["any warming", "nothing"], [WARMING], 0, 0, 1, id="and yet nothing is nothing"),
        param(
            ["too-warm", "too-warm at 3h12m"],
            [WARM, raised("too-warm", 300)],
            0,
            0,
            0,
            id="the narrowest line takes first",
        ),
        param(["too-warm", "too-warm"], [WARM], 1, 0, 0, id="one announcement fulfils one line"),
    ],
)
def test_hold(lines: list[str], happened: list[Told], missing: int, unexpected: int, broken: int) -> None:
    """Everything expected must happen, and no alarm besides."""
    held = hold([expected(line, step_ms=MIN) for line in lines], happened, start_ms=START)
    assert (len(held.missing), len(held.unexpected), len(held.broken)) == (missing, unexpected, broken)
    assert held.whole is not (missing or unexpected or broken)


KINDS = [Kind.RAISED, Kind.RETURNED, Kind.EXCURSION_ENDED, Kind.EXCURSION_REVISED, Kind.NOT_CONFIRMED]
TIMES = st.none() | st.integers(0, 10**6).map(lambda each: START + each * MIN)


@given(
    kind=st.sampled_from(KINDS),
    since=TIMES,
    due=TIMES,
    end=TIMES,
    late=st.none() | st.sampled_from(Late),
)
def test_what_tests_write_is_what_users_write(
    kind: Kind, since: int | None, due: int | None, end: int | None, late: Late | None
) -> None:
    """A line in full, as tests of the fold hold it, is read alike and fits what it was made of."""
    said = Announcement(kind, rule="above", since_ms=since, due_ms=due, end_ms=end, late=late)
    (line,) = told([said], start_ms=START)
    assert expected(line, step_ms=MIN).fits(Told(START, said), START)


def test_as_people_read_it() -> None:
    """Without its time, which a time line shows beside it."""
    assert WARM.text(start_ms=START) == "critical product/too-warm since 3h2m"
    assert returned("too-warm", 300).text(start_ms=START) == "product/too-warm returned"
