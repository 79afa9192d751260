"""A journal's evidence as text, one JSON object a line, and back into a journal, byte for byte.

The format is fixed and described in docs/evidence.md; `check_export.py` reads it without us. What is no
evidence (outbox, receipts, cursors, counters, saved states) is not in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from coldchain.evidence.keys import EvidenceError
from coldchain.journal import Batch, Document, Entry, Journal, PrivateText, Readable
from coldchain.journal.link import origin

FORMAT = 1
_encode = msgspec.json.Encoder().encode


def lines(journal: Readable, *, names: bool = False) -> Iterator[bytes]:
    """The lines of an export, each with its line end; of the moment at which it begins.

    names: private texts go out too. Raises JournalCorrupt where the journal is not what was written,
    EvidenceError where it holds what is no text.
    """
    ends = journal.ends()
    yield _line({"coldchain_export": FORMAT, "journal": journal.journal_id.hex()})
    for document in journal.documents():
        yield _line({"document": document.sha256, "text": document.text})
    if names:
        for kept in journal.private_texts():
            yield _line({"name": kept.commitment, "salt": kept.salt.hex(), "text": kept.text})
    facts = announcements = 0
    last, link = 0, origin(journal.journal_id)
    for number, first, rows, link in _commits(journal, ends.commit, ends.fact):
        facts += len(rows)
        announcements += sum(len(row.announcements) for row in rows)
        last = number
        told = [
            [row.arrival_ms, _text(row.fact, row), [_text(a, row) for a in row.announcements]] for row in rows
        ]
        yield _line({"commit": number, "first": first, "link": link.hex(), "facts": told})
    yield _line({"end": [last, facts, announcements, link.hex()]})


def read_back(text: Iterable[bytes], path: Path) -> int:
    """Make a journal of an export; returns how many facts are in it. Every link must come out as it was.

    path: where the journal is made; nothing may lie there. Raises EvidenceError with the line, JournalError.
    """
    if path.exists():
        raise EvidenceError(f"{path} is there already", "give a path where nothing lies")
    journal: Journal | None = None
    documents: list[Document] = []
    names: list[PrivateText] = []
    number = facts = 0
    ended = False
    try:
        for number, line in enumerate(text, 1):
            row = msgspec.json.decode(line)
            if journal is None:
                if row.get("coldchain_export") != FORMAT:
                    raise EvidenceError(f"line {number}: not an export of format {FORMAT}", _CHECK)
                journal = Journal.open(path, journal_id=bytes.fromhex(row["journal"]), reserve_bytes=0)
            elif "document" in row:
                documents.append(Document.of(row["text"]))
            elif "name" in row:
                names.append(PrivateText.of(row["text"], bytes.fromhex(row["salt"])))
            elif "commit" in row:
                batch = Batch(_entries(row), documents=tuple(documents), private_texts=tuple(names))
                done = journal.commit(batch)
                if (done.number, done.link.hex()) != (row["commit"], row["link"]):
                    raise EvidenceError(
                        f"line {number}: commit {row['commit']} is not what was written", _CHECK
                    )
                documents, names, facts = [], [], facts + len(batch.entries)
            else:
                ended = "end" in row
    except (LookupError, TypeError, ValueError, AttributeError, msgspec.MsgspecError) as error:
        raise EvidenceError(f"line {number}: cannot be read: {error}", _CHECK) from error
    finally:
        if journal is not None:
            journal.close()
    if not ended:
        raise EvidenceError("the export is cut off: its last line is missing", "export it again")
    return facts


def _commits(journal: Readable, last: int, position: int) -> Iterator[tuple[int, int, list[Entry], bytes]]:
    entries = journal.entries(1, position)
    for number, first, count, link in journal.stored_commits(last):
        rows = [row for _, row in zip(range(count), entries, strict=False)]
        if not rows or rows[0].position != first or len(rows) != count:
            raise EvidenceError(
                f"commit {number} is not whole, so it cannot be exported",
                "run `coldchain verify`, then repair",
            )
        yield number, first, rows, link


def _entries(row: dict[str, Any]) -> tuple[Entry, ...]:
    return tuple(
        Entry(position, arrival_ms, fact.encode(), tuple(text.encode() for text in said))
        for position, (arrival_ms, fact, said) in enumerate(row["facts"], row["first"])
    )


def _line(row: dict[str, Any]) -> bytes:
    return _encode(row) + b"\n"


def _text(body: bytes, row: Entry) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise EvidenceError(
            f"the fact at position {row.position} is no text: {error}", "run `coldchain verify`"
        ) from error


_CHECK = "check it with check_export.py, and export again from the journal"
