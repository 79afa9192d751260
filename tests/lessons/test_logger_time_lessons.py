"""Lessons about the clocks of loggers: whose zone, and which number is the day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from coldchain.importers import LoggerFile, ReadAs, Refused, dates, read
from coldchain.importers.stamps import epoch_ms

ZURICH = ZoneInfo("Europe/Zurich")
#: What the person who holds the logger would answer, if asked: its zone, its order of day and month.
Asking = Callable[[str], LoggerFile]


def asks(text: str) -> LoggerFile:
    """As `coldchain import` does: read by its own evidence, and a person answers what is asked."""
    try:
        return read("trip.csv", text.encode(), ReadAs())
    except Refused as refused:
        answer = ReadAs(zone=ZURICH) if refused.asks_zone else ReadAs(zone=ZURICH, dates="DMY")
        try:
            return read("trip.csv", text.encode(), answer)
        except Refused:
            return read("trip.csv", text.encode(), ReadAs(zone=ZURICH, dates="DMY"))


# The server's zone is taken for the logger's (open-msupply 7535).


def an_hour_is_not_lost(reader: Asking) -> bool:
    """A logger in Zurich read out by a gateway in UTC: does its first reading stand where it was taken?"""
    text = "time,temp_c\n2026-07-01 08:00,4.2\n2026-07-01 08:10,4.4\n"
    (first, _) = reader(text).series[0].values
    return first.at_ms == epoch_ms(datetime(2026, 7, 1, 8, tzinfo=ZURICH))


def test_the_zone_of_a_logger_is_asked() -> None:
    """A local time is a question; a reader that answers with its own zone shifts the trip by two hours."""
    assert an_hour_is_not_lost(asks)

    def by_the_servers_zone(text: str) -> LoggerFile:
        return read("trip.csv", text.encode(), ReadAs(zone=UTC))

    assert not an_hour_is_not_lost(by_the_servers_zone)


# Dates of the other order break the import, or worse, do not (open-msupply 7456).


def the_trip_is_two_days_long(reader: Asking) -> bool:
    """From the 1st to the 3rd of May, day first: how far apart are its ends?"""
    days = [f"0{day}/05/2026 {hour:02}:00,4.{hour % 10}" for day in (1, 2, 3) for hour in range(0, 24, 8)]
    values = reader("time,temp_c\n" + "\n".join(days) + "\n").series[0].values
    return values[-1].at_ms - values[0].at_ms == (2 * 24 + 16) * 3_600_000


def test_the_order_of_day_and_month_is_asked_or_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """A regular log proves its order; a reader that follows one country's custom makes months of it."""
    assert the_trip_is_two_days_long(asks)

    def by_custom(
        cells: object, candidates: tuple[str, ...], heading: str, told: str | None
    ) -> tuple[str, str]:
        return "MDY" if "MDY" in candidates else candidates[0], "as is usual here"

    monkeypatch.setattr(dates, "_order", by_custom)
    assert not the_trip_is_two_days_long(asks)


def test_a_single_ambiguous_day_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """One day of a log proves nothing: it is refused, and a reader that tries until a date fits is wrong."""

    def the_fifth_of_may(reader: Asking) -> bool:
        (first, _) = reader("time,temp_c\n05/06/2026 08:00,4.2\n05/06/2026 08:10,4.4\n").series[0].values
        return first.at_ms == epoch_ms(datetime(2026, 6, 5, 8, tzinfo=ZURICH))

    assert the_fifth_of_may(asks)

    def first_that_fits(
        cells: list[tuple[int, dates.Civil]], candidates: tuple[str, ...], heading: str, told: str | None
    ) -> tuple[str, str]:
        left = [one for one in reversed(candidates) if all(cell.under(one) for _, cell in cells)]
        return left[0], ""

    monkeypatch.setattr(dates, "_order", first_that_fits)
    assert not the_fifth_of_may(asks)
