"""Retention: which readings may go, and what proves that nothing else went.

A link cannot be recomputed without all of its commit's bytes. So the fact that tells of a removal says what
is *kept* of its commits, links among it, as one hash; the fact itself stands in the chain behind them. Only
what is plenty and was never announced at is removed (`removable`). docs/journal.md describes the hash.

Of two removals that speak of the same commits the later one holds.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from struct import Struct as Layout
from typing import NamedTuple

import msgspec
from msgspec import Struct

from coldchain import facts
from coldchain.facts import Note, Reading
from coldchain.journal.errors import JournalCorrupt
from coldchain.journal.link import origin
from coldchain.journal.reader import Readable
from coldchain.journal.records import Entry
from coldchain.removed import JOURNAL, Exact, ReadingsRemoved, ReadingsSummarised

#: How a removal's fact looks as canonical bytes.
MARK = b'"fact":"readings_removed"'
#: Kinds of facts that go: what devices send, and our own heartbeat. All else is little, and somebody's word.
_PLENTY = tuple(f'"fact":"{kind}"'.encode() for kind in ("reading", "unreadable", "note", "beat"))

_HEADER = Layout(">QQI")
_KEPT = Layout(">Qq")
_COUNT = Layout(">I")


class Bound(Struct, frozen=True):
    """What was measured before this, in journal time and in UTC (None: not known), of channels not `held`.

    exact: by channel and axis the spans, disjoint and in order, in which readings stay all the same.
    """

    before_ms: int
    before_utc_ms: int | None
    held: frozenset[str] = frozenset()
    exact: Mapping[tuple[str, str], tuple[Exact, ...]] = {}


class Stored(Struct, frozen=True):
    """A commit as it lies in the file: its place, its link, how many facts it had, and which are there."""

    number: int
    first: int
    count: int
    link: bytes
    entries: tuple[Entry, ...]

    @property
    def last(self) -> int:
        """Its last position."""
        return self.first + self.count - 1


class Surveyed(Struct, frozen=True):
    """Commits of which something can go. spans: positions to remove, as (first, last), in order.

    exact, spared: the spans by which readings stay that are old enough, and how many those are.
    """

    first_commit: int
    last_commit: int
    first_position: int
    last_position: int
    removed: int
    kept: str
    link_before: str
    link_after: str
    spans: tuple[tuple[int, int], ...]
    exact: tuple[Exact, ...] = ()
    spared: int = 0


def bound_of(removed: ReadingsRemoved) -> Bound:
    """By what a removal chose."""
    utc_ms = removed.judged_from_utc_ms
    before_utc_ms = None if utc_ms is None else utc_ms - removed.reach_ms
    before_ms = removed.judged_from_ms - removed.reach_ms
    return Bound(before_ms, before_utc_ms, frozenset(removed.held), by_channel(removed.exact))


def by_channel(exact: Iterable[Exact]) -> dict[tuple[str, str], tuple[Exact, ...]]:
    """Spans as a bound has them: those that touch each other are one."""
    found: dict[tuple[str, str], list[Exact]] = {}
    for one in sorted(exact, key=lambda one: one.from_ms):
        spans = found.setdefault((one.channel, one.axis), [])
        if spans and one.from_ms <= spans[-1].to_ms + 1:
            before = spans.pop()
            one = Exact(one.channel, before.from_ms, max(before.to_ms, one.to_ms), one.axis)
        spans.append(one)
    return {key: tuple(spans) for key, spans in found.items()}


def removable(entry: Entry, bound: Bound) -> bool:
    """Whether a fact goes. What is no fact of ours stays: the chain has to tell of it."""
    old = _old(entry, bound)
    return old is not None and old.goes


def stored(journal: Readable, from_number: int = 1, to_number: int | None = None) -> Iterator[Stored]:
    """Commits with what is there of them."""
    rows = list(journal.commits(from_number, from_number))
    if not rows:
        return
    entries = journal.entries(rows[0].first_position)
    ahead = next(entries, None)
    for commit in journal.commits(from_number, to_number):
        there = []
        while ahead is not None and ahead.position <= commit.last_position:
            there.append(ahead)
            ahead = next(entries, None)
        count = commit.last_position - commit.first_position + 1
        yield Stored(commit.number, commit.first_position, count, commit.link, tuple(there))


def digest_of(number: int, first: int, count: int, link: bytes, entries: Sequence[Entry]) -> bytes:
    """The hash of what is kept of one commit."""
    parts = [_HEADER.pack(number, first, count), link, _COUNT.pack(len(entries))]
    for entry in entries:
        parts += (_KEPT.pack(entry.position, entry.arrival_ms), _COUNT.pack(len(entry.fact)), entry.fact)
        parts.append(_COUNT.pack(len(entry.announcements)))
        for body in entry.announcements:
            parts += (_COUNT.pack(len(body)), body)
    return hashlib.sha256(b"".join(parts)).digest()


def kept_of(digests: Iterable[bytes]) -> str:
    """The hash over commits: of their hashes, in order; hex."""
    return hashlib.sha256(b"".join(digests)).hexdigest()


def survey(
    journal: Readable, first_commit: int, last_commit: int, bound: Bound, facts_max: int | None
) -> Surveyed | None:
    """What can go of these commits, up to that with which `facts_max` facts are looked at; None: nothing.

    facts_max None: all of these commits, also where nothing goes. Only reads. Raises JournalCorrupt.
    """
    before = link_of(journal, first_commit - 1)
    digests: list[bytes] = []
    spans: list[tuple[int, int]] = []
    removed = looked = spared = 0
    exact: set[Exact] = set()
    last: Stored | None = None
    first = 0
    for commit in stored(journal, first_commit, last_commit):
        first = first or commit.first
        kept = []
        for entry in commit.entries:
            old = _old(entry, bound)
            if old is None or not old.goes:
                kept.append(entry)
                if old is not None and old.exact is not None:
                    exact.add(old.exact)
                    spared += 1
                continue
            removed += 1
            if spans and spans[-1][1] == entry.position - 1:
                spans[-1] = (spans[-1][0], entry.position)
            else:
                spans.append((entry.position, entry.position))
        digests.append(digest_of(commit.number, commit.first, commit.count, commit.link, kept))
        last, looked = commit, looked + len(commit.entries)
        if facts_max is not None and removed and looked >= facts_max:
            break
    if last is None or not (removed or facts_max is None):
        return None
    return Surveyed(
        first_commit=first_commit,
        last_commit=last.number,
        first_position=first,
        last_position=last.last,
        removed=removed,
        kept=kept_of(digests),
        link_before=before.hex(),
        link_after=last.link.hex(),
        spans=tuple(spans),
        exact=tuple(sorted(exact, key=lambda one: (one.channel, one.axis, one.from_ms))),
        spared=spared,
    )


def link_of(journal: Readable, number: int) -> bytes:
    """The link of a commit; of commit 0, what the first one continues. Raises JournalCorrupt."""
    if not number:
        return origin(journal.journal_id)
    found = next(journal.commits(number, number), None)
    if found is None:
        raise JournalCorrupt("read commits", journal.path, f"commit {number} is missing")
    return found.link


def removals(journal: Readable) -> Iterator[tuple[int, ReadingsRemoved]]:
    """Every removal that the journal tells of, with its position, in order."""
    for position in journal.removal_positions():
        for row in journal.facts(position, position):
            if (removed := told_in(row.body)) is not None:
                yield position, removed


def summary_of(bodies: Iterable[bytes]) -> str:
    """The hash over the facts that sum up what a removal took; hex, "" where there are none."""
    whole = b"".join(bodies)
    return hashlib.sha256(whole).hexdigest() if whole else ""


def summaries(journal: Readable, position: int, removed: ReadingsRemoved) -> tuple[ReadingsSummarised, ...]:
    """What stands for the readings of a removal told at a position.

    Raises JournalCorrupt if it is not what the removal says.
    """
    rows = [row.body for row in journal.facts(position - removed.summaries, position - 1)]
    try:
        told = tuple(one for one in map(facts.decode, rows) if isinstance(one, ReadingsSummarised))
    except msgspec.MsgspecError:
        told = ()
    if summary_of(rows) != removed.summary or not len(told) == len(rows) == removed.summaries:
        span = f"commits {removed.first_commit} to {removed.last_commit}"
        why = f"what sums up the readings of {span} that went is not what their removal says"
        raise JournalCorrupt("read summaries", journal.path, why, position=position)
    return told


def told_in(body: bytes) -> ReadingsRemoved | None:
    """The removal of a fact's bytes; None if it is another, or none: the chain says what is wrong with it."""
    try:
        fact = facts.decode(body)
    except msgspec.MsgspecError:
        return None
    return fact if isinstance(fact, ReadingsRemoved) else None


class Holding(Struct, frozen=True):
    """Removals that hold, by their commits in order, each with its position; and what contradicts itself."""

    parts: tuple[tuple[int, ReadingsRemoved], ...]
    problems: tuple[tuple[int, str], ...] = ()

    def of(self, number: int) -> tuple[int, ReadingsRemoved] | None:
        """The removal that speaks of a commit."""
        index = bisect_right(self.parts, number, key=lambda one: one[1].first_commit) - 1
        return self.parts[index] if index >= 0 and number <= self.parts[index][1].last_commit else None


def holding(told: Iterable[tuple[int, ReadingsRemoved]]) -> Holding:
    """Of removals of the same commits the later one holds; each is taken whole, or not at all."""
    parts: list[tuple[int, ReadingsRemoved]] = []
    problems: list[tuple[int, str]] = []
    for position, removed in sorted(told, key=lambda one: -one[0]):
        first, last = removed.first_commit, removed.last_commit
        spans = [(max(first, one.first_commit), min(last, one.last_commit)) for _, one in parts]
        over = sum(end - begin + 1 for begin, end in spans if begin <= end)
        if not over:
            parts.append((position, removed))
        elif over != last - first + 1:
            problems.append((position, f"only a part of commits {first} to {last} was removed anew"))
    parts.sort(key=lambda one: one[1].first_commit)
    return Holding(tuple(parts), tuple(problems))


class _Old(NamedTuple):
    """A fact that is old enough to go, and may: whether it does, or for which excursion it stays."""

    goes: bool
    exact: Exact | None = None


def _old(entry: Entry, bound: Bound) -> _Old | None:
    """What becomes of a fact that is old enough to go, and may; None for what stays whatever its age."""
    if entry.announcements or not any(mark in entry.fact for mark in _PLENTY):
        return None
    try:
        fact = facts.decode(entry.fact)
    except msgspec.MsgspecError:
        return None
    if isinstance(fact, Reading | Note) and fact.at_ms is not None:
        at_ms, before_ms, axis = fact.at_ms, bound.before_utc_ms, ""
    else:
        stamp_ms = fact.stamp_ms if isinstance(fact, Reading) else None
        at_ms, before_ms, axis = entry.arrival_ms if stamp_ms is None else stamp_ms, bound.before_ms, JOURNAL
    if before_ms is None or at_ms >= before_ms:
        return None
    if not isinstance(fact, Reading):
        return _Old(goes=True)
    if fact.channel in bound.held:
        return _Old(goes=False)
    exact = _span_at(bound.exact.get((fact.channel, axis), ()), at_ms)
    return _Old(exact is None, exact)


def _span_at(spans: Sequence[Exact], at_ms: int) -> Exact | None:
    index = bisect_right(spans, at_ms, key=lambda one: one.from_ms) - 1
    return spans[index] if index >= 0 and at_ms <= spans[index].to_ms else None
