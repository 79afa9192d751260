"""The curve of a time whose readings were removed: a band of what stands for them, and excursions."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.daemon.older import Archive, Row, band
from coldchain.daemon.station import LiveStation, Surroundings
from coldchain.evidence.keys import Key
from coldchain.removed import Bucket, Extreme
from coldchain.web.series import SeriesView, Span, without
from tests.unit.daemon.retained import DAY, EVERY, HOUR, House

CHANNEL = "box.vapour"


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """Four days, each with a warm hour; of all but the last the calm readings went."""
    pytest.importorskip("cryptography")
    folder = tmp_path_factory.mktemp("older")
    made = House(folder / "j.db", key=Key.make(folder / "key"))
    made.activate()
    made.days(4)
    made.retain()
    return made


def look(house: House, from_ms: int, to_ms: int, columns: int = 1_000) -> SeriesView:
    """The curve of a span, as the page asks for it."""
    around = Surroundings(older=Archive(house.path).of)
    view = LiveStation(house.writer, house.queue, house.clock, around).series(
        CHANNEL, from_ms, to_ms, columns
    )
    assert view is not None
    return view


def first_day(house: House) -> tuple[int, int]:
    """From the beginning to a day later."""
    begin = house.clock.utc_ms() - 4 * DAY
    return begin, begin + DAY


def test_the_calm_past_is_a_band(house: House) -> None:
    """Hours with lowest, highest and mean; they and what stayed are all that was measured that day."""
    view = look(house, *first_day(house))
    summed = view.band
    assert summed is not None
    rows = list(zip(summed.low, summed.mean, summed.high, strict=True))
    assert all(5_000 <= low <= (mean or 0) <= high <= 5_200 for low, mean, high in rows)
    assert all(end - begin == HOUR for begin, end in zip(summed.from_ms, summed.to_ms, strict=True))
    inside = sum(
        count
        for begin, end, count in zip(summed.from_ms, summed.to_ms, summed.count, strict=True)
        if first_day(house)[0] <= begin and end <= first_day(house)[1]
    )
    assert inside > 90
    assert not any(summed.doubtful)


def test_an_excursion_is_drawn_as_it_was(house: House) -> None:
    """Every reading of the warm hour and of the hours around it, one column each."""
    view = look(house, *first_day(house))
    (hot,) = {
        (one.from_ms, one.to_ms)
        for one in view.excursions
        if one.rule == "above" and one.from_ms < first_day(house)[1]
    }
    assert hot[1] is not None
    at = view.drawn.at_ms
    wanted = range(hot[0] - HOUR, hot[1] + HOUR + 1, EVERY)
    assert set(wanted) <= set(at)
    assert [view.drawn.high[at.index(at_ms)] for at_ms in range(hot[0], hot[1], EVERY)] == [20_000] * 6


def test_what_was_summed_up_is_no_gap(house: House) -> None:
    """The whole past has no silence in it, for there was none; a time before the journal has."""
    begin = house.clock.utc_ms() - 4 * DAY
    assert look(house, begin + HOUR, house.clock.utc_ms()).drawn.gaps == ()
    assert look(house, begin - DAY, begin).drawn.gaps == (Span(begin - DAY, begin, "silence"),)


def test_far_away_hours_are_drawn_together(house: House) -> None:
    """No more spans than columns, and no extreme lost in them."""
    begin = house.clock.utc_ms() - 4 * DAY
    near = look(house, begin, house.clock.utc_ms()).band
    far = look(house, begin, house.clock.utc_ms(), 10).band
    assert near is not None
    assert far is not None
    assert len(far.low) <= 10 < len(near.low)
    assert (min(far.low), max(far.high), sum(far.count)) == (min(near.low), max(near.high), sum(near.count))


def test_the_recent_past_is_asked_of_nobody(house: House) -> None:
    """What the fold holds needs no row."""
    now = house.clock.utc_ms()
    view = look(house, now - DAY // 2, now)
    assert view.band is None
    assert view.readings > 60


def test_a_journal_that_cannot_be_read_shows_the_gap(house: House, tmp_path: Path) -> None:
    """Nobody waits for it, and nothing is made up."""
    assert Archive(tmp_path / "none.db").of(CHANNEL, 0, 1).rows == ()


def test_a_span_in_which_nothing_had_a_value_is_no_band() -> None:
    """BAD readings and time that only counted draw nothing."""
    assert band((Row(Bucket(0, bad=3), HOUR), Row(Bucket(HOUR, covered_ms=5), 2 * HOUR)), 100) is None
    doubtful = Bucket(0, uncertain=1, doubtful_low=Extreme(3, 1), doubtful_high=Extreme(4, 2))
    drawn = band((Row(doubtful, HOUR),), 100)
    assert drawn is not None
    assert (drawn.low, drawn.high, drawn.mean, drawn.doubtful) == ((3,), (4,), (None,), (True,))


def test_gaps_less_what_is_known() -> None:
    """Before, between and behind: what is left of a gap keeps its word."""
    assert without([Span(0, 100, "silence")], [(10, 20), (20, 30), (90, 200)]) == (
        Span(0, 10, "silence"),
        Span(30, 90, "silence"),
    )
    assert without([Span(0, 10, "silence")], [(10, 20)]) == (Span(0, 10, "silence"),)
