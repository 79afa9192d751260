"""From a damaged journal into a new one: everything that still checks, and a list of what is lost.

The old file is only read. Rows are gathered page by page (`pages.py`), and a commit is taken over if its
link comes out of the link before it and its rows, byte for byte. A commit whose own row is lost is taken over
if the commit after it proves it. No link is made that another does not prove, so nothing can be invented, and
`verify` of the new file finds each gap.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, product
from pathlib import Path

import msgspec
from msgspec import Struct

from coldchain import announcements, facts
from coldchain.journal.backup import sync
from coldchain.journal.errors import JournalCorrupt, JournalMissing, JournalRefused, from_os
from coldchain.journal.gathered import ID, Found, FoundCommit
from coldchain.journal.link import link, origin
from coldchain.journal.lock import holder_of
from coldchain.journal.pages import rows
from coldchain.journal.rebuild import Beside, rebuild
from coldchain.journal.records import Document, Entry
from coldchain.journal.removal import (
    MARK,
    Bound,
    Stored,
    bound_of,
    digest_of,
    holding,
    kept_of,
    removable,
    told_in,
)
from coldchain.journal.reshaping import reshape

#: So many ways to put a commit together are tried where damage left several rows for one place.
_WAYS = 4_096
#: Of those, so many are kept until the commit after them decides.
_WAYS_KEPT = 64
#: Bytes at the file's beginning in which the journal's id is looked for if its row is lost.
_SEARCHED = 65_536
_LISTED = 100_000


class Gap(Struct, frozen=True):
    """What is lost: commits (first to last), positions (first to last; None: not known how far), and why."""

    commits: tuple[int, int]
    positions: tuple[int, int | None]
    why: str


class Repaired(Struct, frozen=True):
    """What a repair brought back, and what not.

    reshaped: how many shapes, which all readings of a channel have in common, were found again.
    """

    commits: int
    facts: int
    announcements: int
    documents: int
    names: int
    gaps: tuple[Gap, ...]
    reshaped: int = 0


class _Taken(Struct, frozen=True):
    commit: FoundCommit
    entries: tuple[Entry, ...]


def repair(journal: Path, new: Path) -> Repaired:
    """Bring everything that checks into a new journal. Raises JournalMissing, JournalRefused, JournalCorrupt
    (nothing checks), JournalFull and what else making a file raises; then there is no new file.
    """
    journal, new = journal.resolve(), new.resolve()
    if not journal.is_file():
        raise JournalMissing("repair", journal, "there is no such file")
    if new.exists():
        raise JournalRefused("repair into", new, "something lies there", mend="give another path")
    if (holder := holder_of(journal)) is not None:
        raise JournalRefused("repair", journal, f"{holder.describe()} writes to it", mend="end it first")
    try:
        found = Found()
        for row in rows(journal):
            found.add(row)
    except OSError as cause:
        raise from_os(cause, "repair", journal) from cause
    chain = _Chain(found, journal)
    reshaped = chain.reshape()
    chain.walk()
    if not chain.taken:
        why = "not one commit in it can be proven"
        raise JournalCorrupt("repair", journal, why, mend="keep the file, and restore a backup")
    commits = chain.commits()
    texts = [Document(sha256, text) for sha256, text in found.documents.items()]
    partial = new.with_name(new.name + ".partial")
    try:
        beside = Beside(texts, found.names, found.remains)
        rebuild(partial, chain.journal_id, commits, beside)
        sync(partial)
        partial.replace(new)
        sync(new.parent)
    except OSError as cause:
        raise from_os(cause, "repair into", new) from cause
    finally:
        for left in ("", "-wal", "-shm"):
            partial.with_name(partial.name + left).unlink(missing_ok=True)
    return Repaired(
        commits=len(commits),
        facts=sum(len(one.entries) for one in commits),
        announcements=sum(len(entry.announcements) for one in commits for entry in one.entries),
        documents=len(texts),
        names=sum(text is not None for text in found.names.values()),
        gaps=tuple(chain.gaps),
        reshaped=reshaped,
    )


class _Before(Struct, frozen=True):
    """A link that may have stood before a commit, and the commits that are proven if it did."""

    link: bytes
    unproven: tuple[_Taken, ...] = ()


class _Chain:
    """One walk over the commits in order. `taken`: proven; `gaps`: what lies between them."""

    def __init__(self, found: Found, path: Path) -> None:
        self._found, self._path = found, path
        self.taken: list[_Taken] = []
        self.kept: dict[int, Stored] = {}
        self.gaps: list[Gap] = []
        self.journal_id = b""
        self._before: list[_Before] = []
        self._shapeless: set[int] = set()
        self._position: int | None = 1  # where the next commit begins; None: not known
        # Each commit holds a fact, so its number is not above its first position.
        self._rows = {
            number: good
            for number, there in sorted(found.commits.items())
            if number > 0 and (good := [one for one in there if one.first >= number])
        }

    def reshape(self) -> int:
        """Find again what readings have in common where its row is damaged or lost; how often that was."""

        def proves(number: int) -> bool:
            row, before = self._rows[number][0], self._rows[number - 1][0].link
            return any(
                link(before, number, way) == row.link for way in islice(self._ways(row.first, row.count), 4)
            )

        spans = [
            (number, there[0].first, there[0].count)
            for number, there in self._rows.items()
            if number - 1 in self._rows
        ]
        mended, self._shapeless = reshape(self._found.shapes, self._found.facts, spans, proves)
        return len(mended)

    def walk(self) -> None:
        """Prove what can be proven, then name the rest."""
        numbers = list(self._rows)
        self._begin()
        last = 0
        for number in numbers:
            if number == last + 2:
                self._take(last + 1)
            elif number != last + 1:
                self._before, self._position = [], None
            self._take(number)
            last = number
        self._keep()
        self._name_gaps()

    def commits(self) -> list[Stored]:
        """What is proven, in order: by its link, or by the removal that says what is kept of it."""
        whole = {one.commit.number: _stored(one.commit, one.entries) for one in self.taken}
        return [one for _, one in sorted((whole | self.kept).items())]

    def _keep(self) -> None:
        """Commits of which readings were removed: what is kept of them, if that is what the removal says."""
        told = [
            (entry.position, removed)
            for one in self.taken
            for entry in one.entries
            if MARK in entry.fact and (removed := told_in(entry.fact)) is not None
        ]
        proven = {one.commit.number: [one.commit] for one in self.taken}
        for commit in (one.commit for one in self.taken):
            self._found.is_commit(commit)
        for _, removed in holding(told).parts:
            bound = bound_of(removed)
            commits, position = [], removed.first_position
            for number in range(removed.first_commit, removed.last_commit + 1):
                there = proven.get(number) or self._rows.get(number) or []
                row = next((one for one in there if one.first == position), None)
                if row is None:
                    break
                self._found.is_commit(row)
                commits.append(row)
                position += row.count
            kept = []
            for row in commits:
                rows = [self._kept_at(at, bound) for at in range(row.first, row.first + row.count)]
                kept.append(_stored(row, tuple(one for one in rows if one is not None)))
            digests = [digest_of(one.number, one.first, one.count, one.link, one.entries) for one in kept]
            if kept_of(digests) == removed.kept:
                self.kept |= {one.number: one for one in kept}

    def _kept_at(self, position: int, bound: Bound) -> Entry | None:
        """What is kept of a position. What was removed and lies in a page that is free now stays removed."""
        # No link decides here: the first that can be read, and that has all that was announced at it.
        first = next(filter(_reads, self._found.entries(position)), None)
        return None if first is None or removable(first, bound) else first

    def _begin(self) -> None:
        ids = self._found.ids
        self._before = [_Before(origin(one)) for one in ids]
        proven = [one for one in self._ids() if self._proves_first(one)] if 1 in self._rows else []
        if proven:
            self._before = [_Before(origin(proven[0]))]
        if not (proven or ids):
            why = "its id is lost, and nothing in the file tells it"
            raise JournalCorrupt("repair", self._path, why, mend="keep the file, and restore a backup")
        self.journal_id = proven[0] if proven else ids[0]

    def _ids(self) -> Iterator[bytes]:
        """What may be the journal's id: as found; with one bit turned; whatever stands in the first pages."""
        found = self._found.ids
        for one in found:
            if self._proves_first(one):
                yield one
                return
        for one in found:
            whole = int.from_bytes(one, "big")
            yield from ((whole ^ 1 << bit).to_bytes(ID, "big") for bit in range(8 * ID))
        if not found:
            with self._path.open("rb") as file:
                start = file.read(_SEARCHED)
            yield from (start[at : at + ID] for at in range(len(start) - ID))

    def _proves_first(self, journal_id: bytes) -> bool:
        before = origin(journal_id)
        return any(
            link(before, 1, way) == row.link
            for row in self._rows[1]
            for way in islice(self._ways(row.first, row.count), 4)
        )

    def _take(self, number: int) -> None:
        """Prove a commit, whether its own row is there or not; or remember what would prove it."""
        there = self._rows.get(number, [])
        spans = [(one.first, one.count) for one in there]
        if self._position is not None:
            spans += [
                (self._position, after.first - self._position) for after in self._rows.get(number + 1, [])
            ]
        stored = {one.link for one in there}
        next_before = [_Before(one.link) for one in there]
        for first, count in dict.fromkeys(spans):
            for way in self._ways(first, count):
                for before in self._before:
                    made = link(before.link, number, way)
                    one = _Taken(FoundCommit(number, first, count, made), way)
                    if made in stored:
                        self.taken += (*before.unproven, one)
                        self._before, self._position = [_Before(made)], first + count
                        return
                    if len(next_before) < _WAYS_KEPT:
                        next_before.append(_Before(made, (*before.unproven, one)))
        self._before = next_before
        ends = {first + count for first, count in spans if count > 0}
        self._position = ends.pop() if len(ends) == 1 else None

    def _ways(self, first: int, count: int) -> Iterator[tuple[Entry, ...]]:
        """Every way to put a span of facts together from what was found."""
        if not 0 < count <= len(self._found.facts):
            return
        there = [self._found.entries(position) for position in range(first, first + count)]
        if all(there):
            yield from islice(product(*there), _WAYS)

    def _name_gaps(self) -> None:
        number, position = 1, 1
        for commit in self.commits():
            if commit.number != number:
                self._gap(number, commit.number - 1, position, commit.first - 1)
            number, position = commit.number + 1, commit.first + commit.count
        last = max(self._rows, default=0)
        if last >= number:
            self._gap(number, last, position, None)
        elif any(at >= position for at in self._found.facts):
            why = "facts lie there, and no commit that proves them"
            self.gaps.append(Gap((number, number), (position, None), why))

    def _gap(self, first: int, last: int, from_position: int, to_position: int | None) -> None:
        missing = [
            number for number in range(first, min(last, first + _LISTED) + 1) if number not in self._rows
        ]
        why = "rows are lost, or are not what was written"
        if missing:
            why = f"{why}; of {len(missing)} the commit itself is lost"
        shapeless = sum(
            1
            for at, there in self._found.facts.items()
            if at >= from_position and (to_position is None or at <= to_position)
            if any(shape in self._shapeless for _, shape, _ in there)
        )
        if shapeless:
            why = f"{why}; of {shapeless} readings only the values are left, not what they have in common"
        self.gaps.append(Gap((first, last), (from_position, to_position), why))


def _reads(entry: Entry) -> bool:
    """Whether a fact and what was announced at it are what they should be, not half overwritten."""
    try:
        facts.decode(entry.fact)
        for said in entry.announcements:
            announcements.decode(said)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return False
    return True


def _stored(commit: FoundCommit, entries: tuple[Entry, ...]) -> Stored:
    return Stored(commit.number, commit.first, commit.count, commit.link, entries)
