"""The one notation for series: what each phrase and each step means, and what is refused with its mend."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.model import Reason
from coldchain.testing.notation import Unreadable, duration_ms, duration_text, readings, series

MIN = 60_000
param = pytest.param


def shown(text: str, step_min: int = 1) -> list[str]:
    """A series as "minute:what" in order."""
    return [
        f"{point.at_ms / MIN:g}:{'?' if point.doubt else ''}{point.raw or f'bad:{point.bad}'}"
        for point in series(text, step_ms=step_min * MIN).points
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        param("5 for 3m", ["0:5", "1:5", "2:5", "3:5"], id="the last phrase is measured at its end as well"),
        param("5 for 2m, 9 for 1m", ["0:5", "1:5", "2:9", "3:9"], id="a phrase reaches up to the next"),
        param("−190 for 1m", ["0:-190", "1:-190"], id="a typeset minus, as people paste it"),
        param("4 for 1m, ramp to 6 over 2m", ["0:4", "1:4.000", "2:5.000", "3:6.000"], id="a ramp goes on"),
        param(
            "ramp from 1 to 0 over 2m, 0 for 1m",
            ["0:1.000", "1:0.500", "2:0", "3:0"],
            id="a ramp that says where it begins",
        ),
        param("5, gap 20m, 6", ["0:5", "21:6"], id="a step, a gap, a step"),
        param("5 for 1m, gap 20m", ["0:5"], id="nothing is measured at the end of a gap"),
        param("bad:sensor_open", ["0:bad:sensor_open"], id="BAD with its reason"),
        param("bad for 1m", ["0:bad:sensor_fault", "1:bad:sensor_fault"], id="BAD without one"),
        param("?-149 for 1m", ["0:?-149", "1:?-149"], id="UNCERTAIN"),
        param("5 9 _ 7", ["0:5", "1:9", "3:7"], id="steps: one interval each"),
        param("5x3 bad", ["0:5", "1:5", "2:5", "3:bad:sensor_fault"], id="a step several times"),
        param("1..2x3", ["0:1.000", "1:1.500", "2:2.000"], id="steps from the first to the last value"),
        param("5, 9 for 2m", ["0:5", "1:9", "2:9", "3:9"], id="steps and phrases together"),
        param("5 for 90s", ["0:5", "1:5", "1.5:5"], id="a phrase need not be whole intervals"),
        param("_ for 2m, 5", ["2:5"], id="_ for a while is a gap"),
    ],
)
def test_series(text: str, says: list[str]) -> None:
    """Each token stands where the notation says."""
    assert shown(text) == says


def test_the_interval_is_the_channel_s() -> None:
    """The same words, read every ten minutes."""
    assert shown("5 for 30m, 9 9", 10) == ["0:5", "10:5", "20:5", "30:9", "40:9"]


@pytest.mark.parametrize(
    ("text", "token", "mend"),
    [
        param("5 fr 3h", "fr", "write a number, ?number, bad", id="a slip in a word"),
        param("5 for", "5 for", "-190 for 3h", id="no duration"),
        param("5 for 3x", "5 for 3x", "-190 for 3h", id="no such unit"),
        param("for 3h", "for 3h", "-190 for 3h", id="no value"),
        param("ramp to 5 over 1h", "ramp to 5 over 1h", "ramp from 5", id="a ramp from nowhere"),
        param("ramp from 1 to 5 over 0s", "ramp from 1 to 5 over 0s", "how long", id="a ramp in no time"),
        param("5 for 1h,, 6 for 1h", "5 for 1h,, 6 for 1h", "take the comma out", id="a comma too many"),
        param("", "", "5 for 3h", id="empty"),
        param("bad:sensor_opne for 1h", "bad:sensor_opne", "sensor_open", id="no such reason"),
        param("nan", "nan", "write a number", id="nan is no value"),
        param("1e3", "1e3", "write a number", id="nor is an exponent"),
        param("1..2", "1..2", "x5", id="a ramp of steps needs a number of them"),
        param("5 for 3000d", "3000d", "read less often", id="a million readings are a slip of the pen"),
        param("5x99999999", "69444d10h39m", "read less often", id="so are they as steps"),
    ],
)
def test_what_is_refused(text: str, token: str, mend: str) -> None:
    """The error names the token and says what to write."""
    with pytest.raises(Unreadable) as refused:
        series(text)
    assert refused.value.token == token
    assert mend in refused.value.mend


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        param("3h12m", 192 * MIN, id="hours and minutes"),
        param("3h 12m", 192 * MIN, id="with a blank"),
        param("10 min", 10 * MIN, id="as in a profile"),
        param("90s", 90_000, id="seconds"),
        param("1.5h", 90 * MIN, id="a fraction"),
        param("2d", 2880 * MIN, id="days"),
        param("250ms", 250, id="milliseconds"),
        param("0", 0, id="nothing is nothing in any unit"),
    ],
)
def test_durations(text: str, ms: int) -> None:
    """Durations as people write them."""
    assert duration_ms(text) == ms


@pytest.mark.parametrize("text", ["3", "h", "3 hours", "-3h", "", "0.1ms"])
def test_no_duration(text: str) -> None:
    """A number without a unit is no duration, unless it counts steps."""
    with pytest.raises(Unreadable):
        duration_ms(text)


def test_a_bare_number_counts_steps() -> None:
    """Where there are steps."""
    assert duration_ms("3", step_ms=MIN) == 3 * MIN


@given(st.integers(0, 10**12))
def test_a_duration_is_read_back(ms: int) -> None:
    """Nothing is lost on the way to paper and back."""
    assert duration_ms(duration_text(ms)) == ms


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    """Any text is a series, or is refused with a mend; readings come in order of time."""
    try:
        points = series(text).points
    except Unreadable as error:
        said = error.mend
        points = ()
    else:
        said = "read"
    assert said
    assert [point.at_ms for point in points] == sorted(point.at_ms for point in points)


def test_as_facts() -> None:
    """A reading carries the channel's unit; one that has no value carries none."""
    good, bad = readings("5 bad:sensor_open", source="s", channel="c", start_ms=7)
    assert (good.raw, good.unit, good.at_ms) == ("5", "degC", 7)
    assert (bad.raw, bad.unit, bad.bad) == ("", "", Reason.SENSOR_OPEN)
