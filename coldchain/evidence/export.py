"""A journal's evidence as text, one JSON object a line, and back into a journal, byte for byte.

The format is fixed and described in docs/evidence.md; `check_export.py` reads it without us. What is no
evidence (outbox, receipts, cursors, counters, saved states) is not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from coldchain.evidence.keys import EvidenceError
from coldchain.journal import Document, Entry, PrivateText, Readable, Reader, verify_chain
from coldchain.journal.link import origin
from coldchain.journal.rebuild import Beside, rebuild
from coldchain.journal.removal import Stored, holding, removals, stored

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
    told = list(removals(journal))
    for body in {removed.remains: journal.remains(removed.remains) for _, removed in told}.values():
        if body is not None:
            yield _line({"remains": hashlib.sha256(body).hexdigest(), "text": body.decode()})
    gaps = holding(told)
    facts = announcements = 0
    last, link = 0, origin(journal.journal_id)
    for commit in stored(journal, 1, ends.commit):
        rows = commit.entries
        facts += len(rows)
        announcements += sum(len(row.announcements) for row in rows)
        last, link = commit.number, commit.link
        head = {"commit": last, "first": commit.first, "link": link.hex()}
        if gaps.of(last) is not None:
            left = [[row.position, *_row(row)] for row in rows]
            yield _line(head | {"count": commit.count, "kept": left})
            continue
        if len(rows) != commit.count:
            raise EvidenceError(
                f"commit {last} is not whole, so it cannot be exported", "run `coldchain verify`, then repair"
            )
        yield _line(head | {"facts": [_row(row) for row in rows]})
    yield _line({"end": [last, facts, announcements, link.hex()]})


def read_back(text: Iterable[bytes], path: Path) -> int:
    """Make a journal of an export; returns how many facts are in it. Every link must come out as it was.

    path: where the journal is made; nothing may lie there. Raises EvidenceError with the line, JournalError;
    then nothing lies there.
    """
    if path.exists():
        raise EvidenceError(f"{path} is there already", "give a path where nothing lies")
    partial = path.with_name(path.name + ".partial")
    export = _Export(text)
    try:
        rebuild(partial, export.journal_id, export.commits(), export.beside)
        with Reader.open(partial) as journal:
            chain = verify_chain(journal)
        if chain.first is not None:
            commit = chain.first.commit
            where = f"line {export.lines[commit]}: commit {commit}" if commit in export.lines else "it"
            raise EvidenceError(f"{where} is not what was written: {chain.first.detail}", _CHECK)
        partial.replace(path)
    finally:
        for left in ("", "-wal", "-shm"):
            partial.with_name(partial.name + left).unlink(missing_ok=True)
    return chain.facts


class _Export:
    """An export as it is read, line by line."""

    def __init__(self, text: Iterable[bytes]) -> None:
        self._rows = enumerate(text, 1)
        self._number = 0
        self.beside = Beside()
        #: In which line each commit stood.
        self.lines: dict[int, int] = {}
        with self._reading():
            row = self._next()
            if row is None or row.get("coldchain_export") != FORMAT:
                raise EvidenceError(f"line {self._number}: not an export of format {FORMAT}", _CHECK)
            self.journal_id = bytes.fromhex(row["journal"])

    def commits(self) -> Iterator[Stored]:
        """Its commits, in order; what stands before and between them is `beside`."""
        with self._reading():
            while (row := self._next()) is not None:
                if "document" in row:
                    self.beside.documents.append(Document.of(row["text"]))
                elif "name" in row:
                    text = PrivateText.of(row["text"], bytes.fromhex(row["salt"]))
                    self.beside.names[text.commitment] = text
                elif "remains" in row:
                    body = row["text"].encode()
                    if hashlib.sha256(body).hexdigest() != row["remains"]:
                        raise ValueError("what removed readings left behind has another text")
                    self.beside.remains[row["remains"]] = body
                elif "commit" in row:
                    self.lines[row["commit"]] = self._number
                    yield _commit(row)
                elif "end" in row:
                    return
            raise EvidenceError("the export is cut off: its last line is missing", "export it again")

    def _next(self) -> dict[str, Any] | None:
        self._number, line = next(self._rows, (self._number, b""))
        row: dict[str, Any] | None = msgspec.json.decode(line) if line else None
        return row

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except (LookupError, TypeError, ValueError, AttributeError, msgspec.MsgspecError) as error:
            raise EvidenceError(f"line {self._number}: cannot be read: {error}", _CHECK) from error


def _commit(row: dict[str, Any]) -> Stored:
    if "kept" in row:
        rows, count = row["kept"], row["count"]
    else:
        rows = [[row["first"] + at, *fact] for at, fact in enumerate(row["facts"])]
        count = len(rows)
    entries = tuple(
        Entry(position, arrival_ms, fact.encode(), tuple(text.encode() for text in said))
        for position, arrival_ms, fact, said in rows
    )
    return Stored(row["commit"], row["first"], count, bytes.fromhex(row["link"]), entries)


def _row(row: Entry) -> list[object]:
    return [row.arrival_ms, _text(row.fact, row), [_text(each, row) for each in row.announcements]]


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
