"""What stays exact when readings are removed: every excursion, and time around it so that it can be seen.

An excursion's own span stays. A sum (a budget, a rolling window) begins with the first ms that is spent, and
a budget lasts as long as its product does: of these the readings outside their limit stay.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import NamedTuple

from coldchain.consignments.line import Segment
from coldchain.fold.excursions import Excursion
from coldchain.fold.history import History, quality_of
from coldchain.fold.series import Series
from coldchain.fold.state import State
from coldchain.fold.timebase import Timebase
from coldchain.fold.track import Track
from coldchain.plan import Budget, Rolling
from coldchain.removed import JOURNAL, Exact
from coldchain.rules.judging import BAD, evidence_outside, inside


class _Shown(NamedTuple):
    """A part of an excursion: who measured it, on the place's axis, ends included."""

    segment: Segment
    from_ms: int
    to_ms: int


def spared(state: State, around_ms: int, journal_ms: int, utc_ms: int | None) -> tuple[Exact, ...]:
    """The spans that stay of what was measured before an instant (journal time; UTC, None: not known).

    They may overlap. around_ms: so much more to either side, and never less
    than the time for which a reading counts there: the readings before and after an excursion say when it
    began and ended.
    """
    found: list[Exact] = []
    for place in state.places.values():
        ledger, before_ms = place.ledger, journal_ms if place.journal_axis else utc_ms
        for excursion in (*ledger.closed, *ledger.open.values()):
            for shown in _parts(place.track, excursion, before_ms, around_ms):
                for span in _around(shown, around_ms):
                    history = state.channels.histories.get(span[0])
                    found += _on_both_axes(span, state.timebase, history, journal_axis=place.journal_axis)
        for excursion in ledger.past:
            # Of an earlier time base of the place: on which axis it is told nobody kept.
            for span in _around(_Shown(excursion.segment, *_ends(excursion, before_ms)), around_ms):
                found += [Exact(*span, axis) for axis in ("", JOURNAL)]
    return tuple(found)


def _ends(excursion: Excursion, before_ms: int | None) -> tuple[int, int]:
    """Where it began and ended; one that lasts, at the instant: what was measured since stays anyway."""
    begin_ms, end_ms = excursion.interval.start_ms, excursion.interval.end_ms
    if end_ms is None:
        end_ms = begin_ms if before_ms is None else max(begin_ms, before_ms)
    return begin_ms, end_ms


def _parts(track: Track, excursion: Excursion, before_ms: int | None, around_ms: int) -> Iterator[_Shown]:
    """What is to be seen of an excursion, by who measured it, as far as it can matter before an instant."""
    rule = excursion.rule
    begin_ms, end_ms = _ends(excursion, before_ms)
    if isinstance(rule, Rolling):
        begin_ms -= rule.window_ms
    if before_ms is not None:
        end_ms = min(end_ms, before_ms + max(around_ms, excursion.segment.gap_ms))
    if end_ms < begin_ms:
        return
    index = max(0, track.segment_at(begin_ms))
    while index < len(track.line) and track.line[index].from_ms <= end_ms:
        segment, until_ms = track.line[index], track.past.ends_ms(index)
        from_ms, to_ms = max(begin_ms, segment.from_ms), end_ms if until_ms is None else min(end_ms, until_ms)
        if not isinstance(rule, Budget | Rolling):
            yield _Shown(segment, from_ms, to_ms)
        elif (series := track.past.series(segment)) is not None:
            for first_ms, last_ms in _outside(rule, series, from_ms, to_ms):
                yield _Shown(segment, first_ms, last_ms)
        index += 1


def _outside(rule: Budget | Rolling, series: Series, from_ms: int, to_ms: int) -> Iterator[tuple[int, int]]:
    """Runs of readings outside a limit within a span: the first and the last of each."""
    for out, run in groupby(_told(rule, series, from_ms, to_ms), key=lambda one: one[1]):
        times = [at_ms for at_ms, _ in run]
        if out:
            yield times[0], times[-1]


def _told(rule: Budget | Rolling, series: Series, from_ms: int, to_ms: int) -> Iterator[tuple[int, bool]]:
    """When each reading that says something was measured, and whether it was outside."""
    if not isinstance(series, History):
        for sample in series.samples(from_ms - 1, to_ms + 1):
            if sample.quality != BAD:
                yield sample.at_ms, evidence_outside(rule, sample)
        return
    band, (lo, hi) = inside(rule), series.span(from_ms, to_ms + 1)
    low, high = band.low, band.high
    for i, value in enumerate(series.value[lo:hi], lo):
        if quality_of(series.code[i]) != BAD:
            yield series.at[i], not low <= value <= high


def _around(shown: _Shown, around_ms: int) -> list[tuple[str, int, int]]:
    """Channel, beginning and end of what stays for a part of an excursion."""
    margin_ms = max(around_ms, shown.segment.gap_ms)
    return [
        (channel, shown.from_ms - margin_ms, shown.to_ms + margin_ms)
        for channel in shown.segment.probe or ()
        if channel
    ]


def _on_both_axes(
    span: tuple[str, int, int], timebase: Timebase, history: History | None, *, journal_axis: bool
) -> Iterator[Exact]:
    """A span of event time as the times that readings bring with them.

    A reading without a time of its own has journal time; one of a device whose clock was put right still
    bears the time that was sent.
    """
    channel, from_ms, to_ms = span
    if journal_axis:
        yield Exact(channel, from_ms, to_ms, JOURNAL)
        other, axis = (timebase.printed(from_ms), timebase.printed(to_ms)), ""
    else:
        for shift_ms in {0} if history is None else {0, *history.shifts_in(from_ms, to_ms)}:
            yield Exact(channel, from_ms + shift_ms, to_ms + shift_ms)
        other, axis = (timebase.instant(from_ms), timebase.instant(to_ms)), JOURNAL
    if other[0] is not None and other[1] is not None:
        yield Exact(channel, min(other[0], other[1]), max(other[0], other[1]), axis)
