"""How the alarm system itself did: the figures of ISA-18.2 and EEMUA 191 from what was announced.

A pure function of announcements with their journal times. Alarms raised out of sight (shelved, suppressed,
out of service) called nobody: they are counted apart and are no load.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median_low

from msgspec import Struct

from coldchain.alarms.table import HIDDEN_STATES, AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.model import Priority

#: The window of rates. ISA-18.2 and EEMUA 191 count alarms per 10 minutes.
RATE_MS = 600_000
#: So many within so short a time: chattering. ISA-18.2 names three or more within a minute.
CHATTER_COUNT, CHATTER_MS = 3, 60_000
#: Standing longer than this: stale. ISA-18.2 names 24 hours.
STALE_MS = 24 * 3_600_000
#: How many sources of most alarms are named; ISA-18.2 asks for the top ten.
TOP = 10


class OfPriority(Struct, frozen=True):
    """The alarms of one priority: how many, their share of all (%), and how long people took to take one up.

    acknowledged: how many were; median_ms, longest_ms: of the time to that (None: none was); open: not yet.
    """

    priority: Priority
    raised: int
    share_percent: float
    acknowledged: int
    open: int
    median_ms: int | None = None
    longest_ms: int | None = None


class Often(Struct, frozen=True):
    """An alarm that came up often, and its share of all (%)."""

    alarm: str
    raised: int
    share_percent: float


class Chattering(Struct, frozen=True):
    """An alarm that came up again and again: the most times within a minute."""

    alarm: str
    most_in_a_minute: int


class Stale(Struct, frozen=True):
    """An alarm whose condition stood too long; `end_ms` None: it stands."""

    alarm: str
    since_ms: int
    end_ms: int | None
    length_ms: int


class FloodSpan(Struct, frozen=True):
    """One flood; `end_ms` None: it lasts."""

    begin_ms: int
    end_ms: int | None
    alarms: int
    peak: int


class Blind(Struct, frozen=True):
    """For how long a place was without at least one of its alarms, and how often."""

    place: str
    blind_ms: int
    times: int


class AlarmMetrics(Struct, frozen=True):
    """The figures of a span [from_ms, to_ms) of journal time.

    raised: alarms that called somebody; hidden: raised out of sight. per_10_min: on average; peak_10_min: the
    most in any 10 minutes. flood_percent: share of the span in flood.
    """

    from_ms: int
    to_ms: int
    raised: int
    hidden: int
    re_alarmed: int
    escalated: int
    per_10_min: float
    per_day: float
    peak_10_min: int
    flood_percent: float
    priorities: tuple[OfPriority, ...]
    floods: tuple[FloodSpan, ...]
    chattering: tuple[Chattering, ...]
    stale: tuple[Stale, ...]
    top: tuple[Often, ...]
    blind: tuple[Blind, ...]
    unconfirmed_works: int


@dataclass
class _Seen:
    """What has been read so far."""

    raised: list[tuple[int, str, Priority]] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    waiting: dict[tuple[str, int], tuple[int, Priority]] = field(default_factory=dict)
    taken: dict[Priority, list[int]] = field(default_factory=dict)
    standing: dict[str, int] = field(default_factory=dict)
    stood: list[tuple[str, int, int]] = field(default_factory=list)
    floods: list[tuple[int, int, Announcement]] = field(default_factory=list)
    flood_ms: int | None = None
    blind: dict[str, int] = field(default_factory=dict)
    was_blind: list[tuple[str, int, int]] = field(default_factory=list)


def alarm_metrics(said: Iterable[tuple[int, Announcement]], from_ms: int, to_ms: int) -> AlarmMetrics:
    """The figures of [from_ms, to_ms) from all announcements, with their journal times, from the first on."""
    seen = _Seen()
    for at_ms, one in said:
        if at_ms >= to_ms:
            break
        _take(seen, at_ms, one, within=at_ms >= from_ms)
    return _figures(seen, from_ms, max(from_ms, to_ms))


def _take(seen: _Seen, at_ms: int, one: Announcement, *, within: bool) -> None:
    match one.kind:
        case Kind.RAISED:
            _raised(seen, at_ms, one, within=within)
        case Kind.ACKNOWLEDGED:
            for number in one.occurrences:
                raised = seen.waiting.pop((one.alarm, number), None)
                if raised is not None:
                    seen.taken.setdefault(raised[1], []).append(at_ms - raised[0])
        case Kind.RETURNED | Kind.CLOSED:
            _over(seen, at_ms, one)
        case Kind.RE_ALARMED | Kind.ESCALATED:
            seen.counts[one.kind] += within
        case Kind.FLOOD_BEGAN | Kind.FLOOD_ENDED:
            if seen.flood_ms is not None:
                seen.floods.append((seen.flood_ms, at_ms, one))
            seen.flood_ms = at_ms if one.kind is Kind.FLOOD_BEGAN else None
        case Kind.BLIND_BEGAN | Kind.BLIND_ENDED:
            began_ms = seen.blind.pop(one.subject, None)
            if began_ms is not None:
                seen.was_blind.append((one.subject, began_ms, at_ms))
            if one.kind is Kind.BLIND_BEGAN:
                seen.blind[one.subject] = at_ms
        case _:
            pass


def _over(seen: _Seen, at_ms: int, one: Announcement) -> None:
    since_ms = seen.standing.pop(one.alarm, None)
    if since_ms is not None:
        seen.stood.append((one.alarm, since_ms, at_ms))
    if one.kind is Kind.CLOSED:
        for key in [key for key in seen.waiting if key[0] == one.alarm]:
            del seen.waiting[key]


def _raised(seen: _Seen, at_ms: int, one: Announcement, *, within: bool) -> None:
    priority = one.priority or Priority.TO_KNOW
    if one.state != AlarmState.RETURNED:
        seen.standing.setdefault(one.alarm, at_ms)
    if within and one.rule == "work":
        seen.counts["work"] += 1
    if one.state in HIDDEN_STATES:
        seen.counts["hidden"] += within
    elif within:
        seen.raised.append((at_ms, one.alarm, priority))
        if one.occurrence is not None:
            seen.waiting[one.alarm, one.occurrence] = (at_ms, priority)


def _figures(seen: _Seen, from_ms: int, to_ms: int) -> AlarmMetrics:
    span_ms = to_ms - from_ms
    times = [at_ms for at_ms, _, _ in seen.raised]
    alarms = Counter(alarm for _, alarm, _ in seen.raised)
    floods = [(begin, end, _count(one, "count"), _count(one, "peak")) for begin, end, one in seen.floods]
    spans: list[tuple[int, int | None, int, int]] = [each for each in floods if each[1] > from_ms]
    if seen.flood_ms is not None:
        since = [at for at in times if at >= seen.flood_ms]
        spans.append((seen.flood_ms, None, len(since), _most_within(since, RATE_MS)))
    flooded = sum(min(end or to_ms, to_ms) - max(begin, from_ms) for begin, end, _, _ in spans)
    return AlarmMetrics(
        from_ms=from_ms,
        to_ms=to_ms,
        raised=len(times),
        hidden=seen.counts["hidden"],
        re_alarmed=seen.counts[Kind.RE_ALARMED],
        escalated=seen.counts[Kind.ESCALATED],
        per_10_min=_ratio(len(times) * RATE_MS, span_ms),
        per_day=_ratio(len(times) * 86_400_000, span_ms),
        peak_10_min=_most_within(times, RATE_MS),
        flood_percent=_percent(flooded, span_ms),
        priorities=tuple(_of_priority(seen, priority, len(times)) for priority in Priority),
        floods=tuple(FloodSpan(*each) for each in spans),
        chattering=_chattering(seen),
        stale=_stale(seen, from_ms, to_ms),
        top=tuple(Often(alarm, n, _percent(n, len(times))) for alarm, n in _most_first(alarms)[:TOP]),
        blind=_blind(seen, from_ms, to_ms),
        unconfirmed_works=seen.counts["work"],
    )


def _of_priority(seen: _Seen, priority: Priority, total: int) -> OfPriority:
    raised = sum(1 for _, _, mine in seen.raised if mine is priority)
    taken = seen.taken.get(priority, [])
    return OfPriority(
        priority,
        raised,
        _percent(raised, total),
        len(taken),
        sum(1 for _, mine in seen.waiting.values() if mine is priority),
        median_low(taken) if taken else None,
        max(taken, default=None),
    )


def _chattering(seen: _Seen) -> tuple[Chattering, ...]:
    times: dict[str, list[int]] = {}
    for at_ms, alarm, _ in seen.raised:
        times.setdefault(alarm, []).append(at_ms)
    most = Counter({alarm: _most_within(each, CHATTER_MS) for alarm, each in times.items()})
    return tuple(Chattering(alarm, n) for alarm, n in _most_first(most) if n >= CHATTER_COUNT)


def _stale(seen: _Seen, from_ms: int, to_ms: int) -> tuple[Stale, ...]:
    found = [Stale(alarm, since, end, end - since) for alarm, since, end in seen.stood if end >= from_ms]
    found += [Stale(alarm, since, None, to_ms - since) for alarm, since in seen.standing.items()]
    stale = [each for each in found if each.length_ms > STALE_MS]
    return tuple(sorted(stale, key=lambda each: (-each.length_ms, each.alarm)))


def _blind(seen: _Seen, from_ms: int, to_ms: int) -> tuple[Blind, ...]:
    spans = [*seen.was_blind, *((place, since, to_ms) for place, since in seen.blind.items())]
    blind: dict[str, list[int]] = {}
    for place, since_ms, end_ms in spans:
        length_ms = min(end_ms, to_ms) - max(since_ms, from_ms)
        if length_ms > 0:
            blind.setdefault(place, []).append(length_ms)
    return tuple(
        Blind(place, sum(each), len(each))
        for place, each in sorted(blind.items(), key=lambda pair: (-sum(pair[1]), pair[0]))
    )


def _most_first(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


def _most_within(times: Sequence[int], window_ms: int) -> int:
    """The most of these instants, in order, within any window of that length, its begin excluded."""
    return max((bisect_right(times, at_ms + window_ms - 1) - i for i, at_ms in enumerate(times)), default=0)


def _count(said: Announcement, word: str) -> int:
    text = said.detail.get(word, "")
    return int(text) if text.isdecimal() else 0


def _ratio(part: int, whole: int) -> float:
    return round(part / whole, 3) if whole > 0 else 0.0


def _percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole > 0 else 0.0
