"""Times by their shape: what is read, and what is no time."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers import stamps
from coldchain.importers.stamps import Civil, Instant

AT = 1_667_882_940_000  # 2022-11-08 04:49:00 UTC


@pytest.mark.parametrize(
    ("text", "at_ms"),
    [
        pytest.param("1667882940", AT, id="seconds"),
        pytest.param("1667882940.25", AT + 250, id="seconds with a fraction"),
        pytest.param("1667882940000", AT, id="milliseconds"),
        pytest.param("1667882940000000", AT, id="microseconds"),
        pytest.param("1667882940000999999", AT, id="nanoseconds, below a millisecond left out"),
    ],
)
def test_epochs(text: str, at_ms: int) -> None:
    """An epoch is an instant whatever its unit, told by its number of digits."""
    assert stamps.read(text) == Instant(at_ms)


@pytest.mark.parametrize(
    ("text", "shape", "wall", "offset_h"),
    [
        pytest.param("2022-11-08T04:49:00Z", "first", (4, 49, 0, 0), 0, id="ISO 8601, UTC"),
        pytest.param("2022-11-08T04:49:00.125+01:00", "first", (4, 49, 0, 125), 1, id="offset and fraction"),
        pytest.param(
            "2022-11-08 04:49:00,5 -0500", "first", (4, 49, 0, 500), -5, id="comma before the fraction"
        ),
        pytest.param("2022-11-08 04:49 UTC+2", "first", (4, 49, 0, 0), 2, id="offset in words"),
        pytest.param("2022-11-08 04:49", "first", (4, 49, 0, 0), None, id="no zone"),
        pytest.param("2022/11/8 4:49:07", "first", (4, 49, 7, 0), None, id="slashes, short"),
        pytest.param("20221108T044907", "first", (4, 49, 7, 0), None, id="packed"),
        pytest.param("20221108044907", "first", (4, 49, 7, 0), None, id="packed without a letter"),
        pytest.param("2022年11月8日 04:49", "first", (4, 49, 0, 0), None, id="Chinese"),
        pytest.param("08-Nov-2022 04:49:07", "first", (4, 49, 7, 0), None, id="month by name"),
        pytest.param("Nov 8, 2022 4:49 PM", "first", (16, 49, 0, 0), None, id="American, by name"),
        pytest.param(
            "Nov 8, 2022, 4:49\u202fPM", "first", (16, 49, 0, 0), None, id="a blank that does not break"
        ),
        pytest.param("8/11/2022 12:05 AM", "last", (0, 5, 0, 0), None, id="midnight in twelve hours"),
        pytest.param("8/11/2022 12:05 p.m.", "last", (12, 5, 0, 0), None, id="noon in twelve hours"),
        pytest.param("08.11.2022, 04:49", "last", (4, 49, 0, 0), None, id="points and a comma"),
        pytest.param("08.11.22 04:49", "short", (4, 49, 0, 0), None, id="two-digit year"),
    ],
)
def test_civil_times(text: str, shape: str, wall: tuple[int, int, int, int], offset_h: int | None) -> None:
    """A written time keeps its numbers in the order of writing, and its offset if it has one."""
    cell = stamps.read(text)
    assert isinstance(cell, Civil)
    assert (cell.shape, (cell.hour, cell.minute, cell.second, cell.millisecond)) == (shape, wall)
    assert cell.offset == (None if offset_h is None else timedelta(hours=offset_h))
    if shape == "first":
        assert cell.under("YMD") is not None


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="blank"),
        pytest.param("4.4", id="a temperature"),
        pytest.param("2022-11-08", id="a date alone"),
        pytest.param("04:49", id="a time of day alone"),
        pytest.param("2022-13-08 04:49", id="month 13"),
        pytest.param("2022-02-30 04:49", id="30 February"),
        pytest.param("2022-11-08 24:00", id="hour 24"),
        pytest.param("2022-11-08 13:05 PM", id="13 o'clock PM"),
        pytest.param("2022-11-08 04:49 CET", id="a zone's name, which several zones share"),
        pytest.param("2022-11/08 04:49", id="two separators"),
        pytest.param("8162221000", id="a serial number: an epoch in the year 2228"),
        pytest.param("1999-11-08 04:49", id="older than any logger of ours"),
        pytest.param("2022-11-08 04:49x", id="something behind it"),
    ],
)
def test_no_times(text: str) -> None:
    """What only resembles a time is none."""
    assert stamps.read(text) is None


@given(st.text(max_size=40))
def test_any_text(text: str) -> None:
    """Whatever stands in a cell, reading it does not fail."""
    stamps.read(text)
    stamps.is_date(text)
    stamps.is_time_of_day(text)
    stamps.zone_in_words(text)


@given(
    st.datetimes(datetime(2000, 1, 1), datetime(2099, 12, 31)), st.sampled_from(["", "Z", "+05:30", "-03:00"])
)
def test_iso_is_read_back(at: datetime, zone: str) -> None:
    """Every ISO time comes back to the millisecond."""
    cell = stamps.read(at.isoformat(timespec="milliseconds") + zone)
    assert isinstance(cell, Civil)
    assert cell.under("YMD") == at.replace(microsecond=at.microsecond // 1000 * 1000)
    assert (cell.offset is None) is (zone == "")


@pytest.mark.parametrize(
    ("heading", "hours"),
    [
        pytest.param("Time (UTC)", 0.0, id="UTC"),
        pytest.param("Date/Time GMT+1", 1.0, id="GMT+1"),
        pytest.param("Timestamp [UTC-03:30]", -3.5, id="with minutes"),
        pytest.param("Time (local)", None, id="no zone"),
        pytest.param("UTCtime", None, id="no word of its own"),
    ],
)
def test_zone_in_words(heading: str, hours: float | None) -> None:
    """A heading that states UTC or an offset settles the zone."""
    assert stamps.zone_in_words(heading) == (None if hours is None else timedelta(hours=hours))


def test_told_form() -> None:
    """A form that was told is used instead of what would have been recognised."""
    cell = stamps.reader("%d|%m|%Y %Hh%M")("08|11|2022 04h49")
    assert isinstance(cell, Civil)
    assert cell.under("YMD") == datetime(2022, 11, 8, 4, 49)
    assert stamps.reader("%d|%m|%Y %Hh%M")("2022-11-08 04:49") is None
