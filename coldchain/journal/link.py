"""The hash link of a commit: one SHA-256 over the link before it and every byte of the batch.

The encoding is fixed for ever; `docs/journal.md` describes it for a stranger. All integers are
big-endian, lengths unsigned, arrival signed. Nothing is separated by a mark that a body could
contain: every part has its length before it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from struct import Struct

from coldchain.journal.records import Entry

#: What the first link is made of, before the journal's id; the last number is the encoding's version.
ORIGIN = b"coldchain journal 1\n"

_HEADER = Struct(">QQI")
_FACT = Struct(">qI")
_COUNT = Struct(">I")


def origin(journal_id: bytes) -> bytes:
    """Link 0, which the first commit continues: SHA-256 over `ORIGIN` and the journal's id."""
    return hashlib.sha256(ORIGIN + journal_id).digest()


def link(previous: bytes, number: int, entries: Sequence[Entry]) -> bytes:
    """Link of commit `number` over its entries, which are not empty."""
    parts = [previous, _HEADER.pack(number, entries[0].position, len(entries))]
    for entry in entries:
        parts += (_FACT.pack(entry.arrival_ms, len(entry.fact)), entry.fact)
        parts.append(_COUNT.pack(len(entry.announcements)))
        for body in entry.announcements:
            parts += (_COUNT.pack(len(body)), body)
    return hashlib.sha256(b"".join(parts)).digest()
