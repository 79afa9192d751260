"""Wall clocks and daylight saving: hours that happened twice, hours that never did."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers.daylight import to_utc
from coldchain.importers.refusal import Refused
from coldchain.importers.stamps import epoch_ms

ZURICH = ZoneInfo("Europe/Zurich")
# Clocks go back from 03:00 to 02:00 on 2023-10-29 (01:00 UTC), and forward over 02:00 on 2024-03-31.
BACK = datetime(2023, 10, 29, 1, 0, tzinfo=UTC)


def walls(start: datetime, count: int, minutes: int) -> tuple[list[tuple[int, datetime]], list[int]]:
    """A regular log as a clock in Zurich writes it, and its true times."""
    true = [start + timedelta(minutes=minutes * step) for step in range(count)]
    written = [at.astimezone(ZURICH).replace(tzinfo=None, fold=0) for at in true]
    return list(enumerate(written, start=2)), [epoch_ms(at) for at in true]


@pytest.mark.parametrize(
    ("start_min", "count", "step_min"),
    [
        pytest.param(-180, 40, 10, id="through the hour: the step back shows where it begins anew"),
        pytest.param(-180, 12, 30, id="every half hour"),
        pytest.param(-180, 8, 60, id="every hour: equal times, yet only one reading keeps the step"),
        pytest.param(-240, 6, 120, id="every two hours"),
        pytest.param(-180, 16, 10, id="ends within the first passage"),
        pytest.param(0, 30, 10, id="begins with the second passage"),
        pytest.param(30, 30, 10, id="begins within the second passage"),
    ],
)
def test_repeated_hour_is_settled(start_min: int, count: int, step_min: int) -> None:
    """A regular log tells by itself which passage of the hour each line means, and says how."""
    times, true = walls(BACK + timedelta(minutes=start_min), count, step_min)
    found, notes = to_utc(times, ZURICH)
    assert found == true
    assert notes
    backwards, _ = to_utc(times[::-1], ZURICH)
    assert backwards == true[::-1]


def test_hour_alone_is_refused() -> None:
    """A log that lies within the repeated hour may mean either passage."""
    times, _ = walls(BACK - timedelta(minutes=50), 5, 10)
    with pytest.raises(Refused, match="happened twice") as refused:
        to_utc(times, ZURICH)
    assert refused.value.line == 2


def test_clock_that_did_not_go_back_is_refused() -> None:
    """A clock that runs on without a step back did not follow daylight saving, so no reading fits."""
    times = [(line, datetime(2023, 10, 29, 1) + timedelta(minutes=10 * line)) for line in range(20)]
    with pytest.raises(Refused, match="--tz"):
        to_utc(times, ZURICH)


def test_hour_that_never_was_is_refused() -> None:
    """A time within the hour that the clocks left out proves another clock; its line is named."""
    times = [(7, datetime(2024, 3, 31, 1, 50)), (8, datetime(2024, 3, 31, 2, 0))]
    with pytest.raises(Refused, match="never happened") as refused:
        to_utc(times, ZURICH)
    assert refused.value.line == 8


def test_fixed_offset_needs_no_evidence() -> None:
    """A fixed offset has neither hour."""
    times = [(2, datetime(2023, 10, 29, 2, 30)), (3, datetime(2024, 3, 31, 2, 30))]
    found, notes = to_utc(times, timezone(timedelta(hours=1)))
    assert found == [
        epoch_ms(datetime(2023, 10, 29, 1, 30, tzinfo=UTC)),
        epoch_ms(datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
    ]
    assert notes == []


@given(
    st.integers(-400, 400), st.integers(2, 80), st.sampled_from([1, 5, 10, 15, 20, 30, 60, 90]), st.booleans()
)
def test_right_or_refused(start_min: int, count: int, step_min: int, newest_first: bool) -> None:
    """A regular log around the change is read as it was written, or refused; never otherwise."""
    times, true = walls(BACK + timedelta(minutes=start_min), count, step_min)
    if newest_first:
        times, true = times[::-1], true[::-1]
    try:
        found, _ = to_utc(times, ZURICH)
    except Refused:
        return
    assert found == true
