"""Times, durations and limits as people read them."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from coldchain.model import Priority, Side
from coldchain.plan import Budget, Cited, Limit, Outside, Rule
from coldchain.reports import words

CITED = Cited("a test", "none")
HOT = Limit("hot", "product", Side.ABOVE, 8000, 1_800_000, Priority.HIGH, CITED)
SUM = Budget("sum", "product", Side.BELOW, -500, 3_600_000, Priority.HIGH, CITED)


@pytest.mark.parametrize(
    ("span_ms", "said"),
    [
        pytest.param(0, "0 s", id="none"),
        pytest.param(12, "12 ms", id="below a second"),
        pytest.param(61_000, "1 min 1 s", id="two units"),
        pytest.param(90_061_500, "1 d 1 h", id="the two largest"),
        pytest.param(3_600_000, "1 h", id="one unit"),
    ],
)
def test_duration(span_ms: int, said: str) -> None:
    """A duration is told in its two largest units."""
    assert words.duration(span_ms) == said


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        pytest.param(HOT, "above 8.0 °C for 30 min", id="held"),
        pytest.param(SUM, "below −0.5 °C for more than 1 h in total", id="a sum"),
        pytest.param(
            Limit("a", "r", Side.BELOW, 2345, 0, Priority.LOW, CITED, outside=Outside.AT_OR_BEYOND),
            "at or below 2.345 °C",
            id="at once, the limit itself outside",
        ),
        pytest.param(
            Budget("a", "r", Side.ABOVE, 0, 60_000, Priority.LOW, CITED, exceeded=Outside.AT_OR_BEYOND),
            "above 0.0 °C for 1 min in total",
            id="exceeded when reached",
        ),
    ],
)
def test_limit(rule: Rule, said: str) -> None:
    """A rule in words says side, limit, time, and whether the ends count."""
    assert words.limit(rule) == said


def test_times() -> None:
    """A time carries its offset and milliseconds, in whatever zone it is shown, daylight saving included."""
    at_ms = 1_698_541_200_125  # 2023-10-29 01:00:00.125 UTC
    assert words.iso(at_ms, UTC) == "2023-10-29T01:00:00.125+00:00"
    assert words.iso(at_ms, ZoneInfo("Europe/Zurich")) == "2023-10-29T02:00:00.125+01:00"
    assert words.iso(at_ms - 3_600_000, ZoneInfo("Europe/Zurich")) == "2023-10-29T02:00:00.125+02:00"
    assert words.clock(at_ms, timezone(timedelta(hours=-3, minutes=-30))) == "2023-10-28 21:30:00"
    assert words.offset(at_ms, timezone(timedelta(hours=-3, minutes=-30))) == "-03:30"
