"""Recompute the chain: is every byte what was committed, in its place and order?

Pure reading. Whether the same facts still give the same announcements is asked one floor up, by
folding `Readable.entries()` anew.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct

from coldchain.journal.reader import Readable


class Fault(StrEnum):
    """What is wrong with a commit, or beside it."""

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


class Finding(Struct, frozen=True):
    """One fault: the commit it is in (None: beside the chain), where it begins, and a sentence."""

    fault: Fault
    commit: int | None
    position: int | None
    detail: str


class ChainReport(Struct, frozen=True):
    """What verification found. `first` is the first commit that is not what was written."""

    commits: int
    facts: int
    announcements: int
    last_link: bytes
    findings: tuple[Finding, ...]

    @property
    def intact(self) -> bool:
        return not self.findings

    @property
    def first(self) -> Finding | None:
        """The finding in the earliest commit, or beside the chain if there is none in it."""
        raise NotImplementedError


def verify_chain(journal: Readable, anchors: dict[int, bytes] | None = None) -> ChainReport:
    """Recompute each link from the first commit on.

    anchors: links known from elsewhere (commit number -> link), such as one printed in a report:
    without any, a chain whose end was cut off, or that was rewritten as a whole, looks intact.
    """
    raise NotImplementedError((journal, anchors))
