"""A device's time is read exactly, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain_drivers.times import event_time_ms, zone_of

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30), timezones=offsets)


@given(moments)
def test_iso_8601_with_any_offset(moment: datetime) -> None:
    """The same moment comes out, cut to the millisecond, whatever offset it was written in."""
    text = moment.isoformat(sep="T", timespec="microseconds")
    assert event_time_ms(text, "iso8601", None) == (moment - EPOCH) // timedelta(milliseconds=1)


@given(st.integers(0, 253_402_300_799_999))
def test_epoch(ms: int) -> None:
    """Seconds and milliseconds since 1970 tell the same moment."""
    assert event_time_ms(str(ms), "epoch_ms", None) == ms
    assert event_time_ms(f"{ms // 1000}.{ms % 1000:03d}", "epoch_s", None) == ms


@pytest.mark.parametrize(
    ("text", "zone", "utc"),
    [
        pytest.param("2026-07-01 14:00:00", "Europe/Berlin", "2026-07-01T12:00:00", id="summer"),
        pytest.param("2026-01-01 13:00:00", "Europe/Berlin", "2026-01-01T12:00:00", id="winter"),
        pytest.param("2026-10-25 02:30:00", "Europe/Berlin", None, id="an hour that comes twice"),
        pytest.param("2026-03-29 02:30:00", "Europe/Berlin", None, id="an hour that never came"),
        pytest.param("2026-10-25 02:30:00", "+01:00", "2026-10-25T01:30:00", id="a fixed offset has neither"),
        pytest.param("2026-01-01 20:00:00", "Asia/Shanghai", "2026-01-01T12:00:00", id="Shanghai"),
        pytest.param("2026-01-01 20:00:00Z", "Asia/Shanghai", None, id="an offset contradicts the zone"),
    ],
)
def test_local_time(text: str, zone: str, utc: str | None) -> None:
    """Local time counts in the stated zone; where the zone makes it uncertain it is no time."""
    told = event_time_ms(text, "iso8601_local", zone)
    assert told == (None if utc is None else int(datetime.fromisoformat(utc + "+00:00").timestamp() * 1000))


@given(
    st.text(max_size=40) | st.from_regex(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?"),
    st.sampled_from(["epoch_s", "epoch_ms", "iso8601", "iso8601_local"]),
    st.sampled_from([None, "Z", "+14:00", "Europe/Berlin", "America/Santiago"]),
)
def test_any_text(text: str, form: object, zone: str | None) -> None:
    """No text raises, and every time lies within the calendar."""
    ms = event_time_ms(text, form, zone)  # type: ignore[arg-type]
    assert ms is None or 0 <= ms <= 253_402_300_799_999


@pytest.mark.parametrize(
    "name", ["", "Mars/Olympus", "+8", "+25:00", "../etc/passwd", "/etc/passwd", "CEST?"]
)
def test_no_such_zone(name: str) -> None:
    """A zone that does not exist is refused with an example of one that does."""
    with pytest.raises(ValueError, match=r"zone|offset"):
        zone_of(name)
