"""Recompute the chain: is every byte what was committed, in its place and order?

Pure reading. Whether the same facts still give the same announcements is asked one floor up, by
folding `Readable.entries()` anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Generic, TypeVar

from msgspec import Struct

from coldchain.journal import removal, shapes
from coldchain.journal.errors import JournalCorrupt
from coldchain.journal.link import link, origin
from coldchain.journal.reader import Readable
from coldchain.journal.records import Document, Entry, PrivateText
from coldchain.removed import ReadingsRemoved

#: Findings kept word by word; more of them are only counted.
FINDINGS_MAX = 100


class Fault(StrEnum):
    """What is wrong with a commit, or beside the chain."""

    COMMIT_MISSING = "commit_missing"
    COMMIT_MISPLACED = "commit_misplaced"
    FACT_MISSING = "fact_missing"
    FACT_UNCOMMITTED = "fact_uncommitted"
    ANNOUNCEMENT_MISPLACED = "announcement_misplaced"
    ARRIVAL_GOES_BACK = "arrival_goes_back"
    BYTES_DIFFER = "bytes_differ"
    ANCHOR_DIFFERS = "anchor_differs"
    UNREADABLE = "unreadable"
    DOCUMENT_DIFFERS = "document_differs"
    TEXT_DIFFERS = "text_differs"
    REMOVAL_DIFFERS = "removal_differs"


class Finding(Struct, frozen=True):
    """One fault: the commit it is in (None: beside the chain), where it begins, and a sentence."""

    fault: Fault
    commit: int | None
    position: int | None
    detail: str


class ChainReport(Struct, frozen=True):
    """What verification found, in order of commits; `more` findings beyond those that are listed.

    last_link: link of the last commit, to be kept elsewhere as an anchor for the next verification.
    removed: how many facts retention took away. removals: what it says of that, each with its position; of
    the commits that these name only what is kept can be checked, and that as a whole.
    """

    commits: int
    facts: int
    announcements: int
    last_link: bytes
    findings: tuple[Finding, ...]
    more: int = 0
    removed: int = 0
    removals: tuple[tuple[int, ReadingsRemoved], ...] = ()

    @property
    def intact(self) -> bool:
        """Whether everything is as it was committed, as far as the journal alone (and anchors) can tell."""
        return not self.findings

    @property
    def first(self) -> Finding | None:
        """The finding in the earliest commit; one beside the chain only if there is none in it."""
        in_chain = [finding for finding in self.findings if finding.commit is not None]
        return min(in_chain or self.findings, key=lambda finding: finding.commit or 0, default=None)


def verify_chain(journal: Readable, anchors: Mapping[int, bytes] | None = None) -> ChainReport:
    """Recompute each link from the first commit on; then the hash of each document and private text.

    Works beside a daemon that goes on writing; what it commits meanwhile is left for the next time.
    Each link is checked against the one *stored* before it, so one changed byte is one finding and
    what follows is still judged by itself.

    anchors: links known from elsewhere (commit number -> link), such as one printed in a report:
    without any, a chain whose end was cut off, or that was made anew as a whole, looks intact.
    """
    walk = _Walk(journal, dict(anchors or {}))
    walk.chain()
    walk.beside()
    return walk.report()


_T = TypeVar("_T")


class _Ahead(Generic[_T]):
    """An iterator whose next element can be looked at. What cannot be read counts as not there."""

    def __init__(self, rows: Iterator[_T]) -> None:
        self._rows = rows
        self.damage: JournalCorrupt | None = None
        self.next: _T | None = None
        self.move_on()

    def move_on(self) -> None:
        """Look at the one after."""
        try:
            self.next = next(self._rows, None)
        except JournalCorrupt as cause:
            self.next, self.damage = None, cause


_Fact = tuple[int, int, bytes | None]  # position, arrival, whole bytes
_Said = tuple[int, int, bytes]  # position, ordinal, body
_Stored = tuple[int, int, int, bytes]  # number, first position, facts, link


class _Walk:
    """One pass over commits, facts and announcements side by side."""

    def __init__(self, journal: Readable, anchors: dict[int, bytes]) -> None:
        self._journal = journal
        self._anchors = anchors
        self._findings: list[Finding] = []
        self._damage: list[Finding] = []
        self._more = self._count_facts = self._count_said = self._count_commits = 0
        self._number = self._position = 0
        self._accused: int | None = None
        self._arrival_ms: int | None = None
        self._begins_well = False
        self._last_link = origin(journal.journal_id)
        self._link: bytes | None = self._last_link
        self._removals = self._told_of_removals()
        self._digests: list[bytes] = []
        self._removed = 0
        ends = journal.ends()  # of one moment: a writer beside us goes on
        self._facts = _Ahead(self._assembled(ends.fact))
        self._said = _Ahead(journal.stored_announcements(ends.announcement))
        self._commits = _Ahead(journal.stored_commits(ends.commit))

    def say(self, fault: Fault, commit: int | None, position: int | None, detail: str) -> None:
        self._accused = commit
        if len(self._findings) < FINDINGS_MAX:
            self._findings.append(Finding(fault, commit, position, detail))
        else:
            self._more += 1

    def report(self) -> ChainReport:
        return ChainReport(
            self._count_commits,
            self._count_facts,
            self._count_said,
            self._last_link,
            (*self._findings, *self._damage),
            self._more,
            self._removed,
            self._removals.parts,
        )

    def chain(self) -> None:
        """Every commit, and whatever belongs to none."""
        while (commit := self._commits.next) is not None:
            self._commits.move_on()
            self._count_commits += 1
            number, first, count, link_there = commit
            self._place(number, first)
            self._strays(self._number + 1, first)
            removed = self._removals.of(number)
            entries = self._gather(number, first, first + count - 1, gaps=removed is not None)
            if removed is None:
                self._judge(number, first, entries, link_there)
            else:
                self._keep(*removed, commit, entries)
            self._anchored(number, first, link_there)
            self._number, self._position = number, first + count - 1
            self._link = self._last_link = link_there
        self._strays(self._number + 1, None)
        for number in sorted(self._anchors):
            self.say(Fault.ANCHOR_DIFFERS, number, None, f"commit {number} is known elsewhere and not here")
        for ahead in (self._facts, self._said, self._commits):
            if ahead.damage is not None:
                self._damaged(ahead.damage)

    def beside(self) -> None:
        """Texts that facts know only by hash."""
        try:
            for document in self._journal.documents():
                if Document.of(document.text).sha256 != document.sha256:
                    self.say(
                        Fault.DOCUMENT_DIFFERS, None, None, f"document {document.sha256} has another text"
                    )
            for kept in self._journal.private_texts():
                if PrivateText.of(kept.text, kept.salt).commitment != kept.commitment:
                    detail = f"private text {kept.commitment} is not what was committed to"
                    self.say(Fault.TEXT_DIFFERS, None, None, detail)
        except JournalCorrupt as cause:
            self._damaged(cause)

    def _damaged(self, cause: JournalCorrupt) -> None:
        # Kept apart: the rows that cannot be read would push it off the list as so many missing ones.
        self._damage.append(Finding(Fault.UNREADABLE, None, cause.position, str(cause)))

    def _assembled(self, last: int) -> Iterator[_Fact]:
        """Facts as whole bytes; None for one whose values do not fit its shape."""
        for position, arrival_ms, shape, body in self._journal.stored_facts(to_position=last):
            whole: bytes | None = body
            if shape != shapes.WHOLE:
                try:
                    whole = shapes.fill(self._journal.pieces(shape) or b"", body)
                except ValueError:
                    whole = None
            yield position, arrival_ms, whole

    def _place(self, number: int, first: int) -> None:
        """Numbers and positions follow one another without a gap."""
        expected, position = self._number + 1, self._position + 1
        if number != expected:
            gone = (
                f"commit {expected} is"
                if number == expected + 1
                else f"commits {expected} to {number - 1} are"
            )
            self.say(Fault.COMMIT_MISSING, expected, position, f"{gone} missing")
            self._link = None  # what the next link continues is not known
        elif first != position:
            detail = f"begins at position {first}, not at {position}"
            self.say(Fault.COMMIT_MISPLACED, number, position, detail)

    def _strays(self, number: int, position: int | None) -> None:
        """Rows before a position (None: all that are left) that no commit covers."""
        while (fact := self._facts.next) is not None and (position is None or fact[0] < position):
            self._facts.move_on()
            self._count_facts += 1
            detail = f"the fact at {fact[0]} belongs to no commit"
            self.say(Fault.FACT_UNCOMMITTED, number, fact[0], detail)
        while (said := self._said.next) is not None and (position is None or said[0] < position):
            self._said.move_on()
            self._count_said += 1
            detail = f"an announcement at {said[0]} belongs to no commit"
            self.say(Fault.ANNOUNCEMENT_MISPLACED, number, said[0], detail)

    def _gather(self, number: int, first: int, last: int, *, gaps: bool) -> list[Entry]:
        """A commit's entries as they lie in the file. gaps: some may have been removed."""
        entries = []
        expected = first
        while (fact := self._facts.next) is not None and fact[0] <= last:
            self._facts.move_on()
            self._count_facts += 1
            position, arrival_ms, body = fact
            if not gaps:
                self._missing(number, expected, position - 1)
            expected = position + 1
            if self._arrival_ms is not None and arrival_ms < self._arrival_ms:
                detail = f"arrival {arrival_ms} lies before {self._arrival_ms}"
                self.say(Fault.ARRIVAL_GOES_BACK, number, position, detail)
            self._arrival_ms = arrival_ms
            if body is None:
                detail = f"the fact at {position} cannot be put together from its shape"
                self.say(Fault.BYTES_DIFFER, number, position, detail)
                body = b""
            entries.append(Entry(position, arrival_ms, body, self._said_at(number, position)))
        if not gaps:
            self._missing(number, expected, last)
        return entries

    def _missing(self, number: int, first: int, last: int) -> None:
        if first <= last:
            which = f"the fact at {first} is" if first == last else f"the facts at {first} to {last} are"
            self.say(Fault.FACT_MISSING, number, first, f"{which} missing")

    def _said_at(self, number: int, position: int) -> tuple[bytes, ...]:
        bodies: list[bytes] = []
        while (said := self._said.next) is not None and said[0] <= position:
            self._said.move_on()
            self._count_said += 1
            if said[:2] != (position, len(bodies)):
                detail = (
                    f"announcement {said[1]} at {said[0]} stands where {len(bodies)} at {position} belongs"
                )
                self.say(Fault.ANNOUNCEMENT_MISPLACED, number, said[0], detail)
            bodies.append(said[2])
        return tuple(bodies)

    def _judge(self, number: int, first: int, entries: list[Entry], link_there: bytes) -> None:
        """The link over what was gathered against the stored one, and that against the anchors."""
        # What has been said of this commit already says more than that its link differs.
        known = self._accused == number or self._link is None or not entries
        if not known and link(self._link or b"", number, entries) != link_there:
            detail = f"its {len(entries)} facts, what was announced, or its link are not what was written"
            self.say(Fault.BYTES_DIFFER, number, first, detail)

    def _keep(self, told_at: int, removed: ReadingsRemoved, commit: _Stored, entries: list[Entry]) -> None:
        """What is kept of commits of which readings were removed, against what that removal says."""
        number, first, count, link_there = commit
        if number == removed.first_commit:
            self._digests = []
            self._begins_well = self._link == bytes.fromhex(removed.link_before)
        self._removed += count - len(entries)
        self._digests.append(removal.digest_of(number, first, count, link_there, entries))
        if number != removed.last_commit:
            return
        ends_well = link_there.hex() == removed.link_after and first + count - 1 == removed.last_position
        if not (self._begins_well and ends_well and removal.kept_of(self._digests) == removed.kept):
            detail = (
                f"of commits {removed.first_commit} to {number} not that is there which the removal "
                f"of readings told at position {told_at} has kept"
            )
            self.say(Fault.REMOVAL_DIFFERS, removed.first_commit, removed.first_position, detail)

    def _told_of_removals(self) -> removal.Holding:
        try:
            told = list(removal.removals(self._journal))
            for position in set(self._journal.removal_positions()) - {position for position, _ in told}:
                detail = f"at position {position} a removal of readings should be told, and is not"
                self.say(Fault.REMOVAL_DIFFERS, None, position, detail)
            for position, removed in told:
                self._summed_up(position, removed)
        except JournalCorrupt as cause:
            self._damaged(cause)
            return removal.Holding(())
        holding = removal.holding([one for one in told if one[1].last_position < one[0]])
        for position, detail in holding.problems:
            self.say(Fault.REMOVAL_DIFFERS, None, position, detail)
        return holding

    def _summed_up(self, told_at: int, removed: ReadingsRemoved) -> None:
        """What stands for the readings that went is what their removal says of it."""
        try:
            removal.summaries(self._journal, told_at, removed)
        except JournalCorrupt as cause:
            self.say(Fault.REMOVAL_DIFFERS, None, told_at, cause.why)

    def _anchored(self, number: int, first: int, link_there: bytes) -> None:
        """The stored link against the one known elsewhere."""
        if self._anchors.pop(number, link_there) != link_there:
            detail = f"the link of commit {number} is not the one known elsewhere"
            self.say(Fault.ANCHOR_DIFFERS, number, first, detail)
