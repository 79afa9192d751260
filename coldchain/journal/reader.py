"""Reading a journal, in chunks: no read transaction outlives a chunk, so the log can be recycled."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple, Self

from coldchain.journal import shapes, states
from coldchain.journal.database import Database, Kinds, open_for_reading, wal_path
from coldchain.journal.errors import JournalCorrupt
from coldchain.journal.link import origin
from coldchain.journal.records import (
    AnnouncementRow,
    Checkpoint,
    Commit,
    Cursor,
    Document,
    Entry,
    FactRow,
    Outcome,
    PrivateText,
    Receipt,
    Tail,
)

#: Rows in one read transaction.
CHUNK = 1_000
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1  # what SQLite can hold


class Ends(NamedTuple):
    """The last commit, and the last positions of facts and announcements."""

    commit: int
    fact: int
    announcement: int


class Readable:
    """What can be asked of an open journal, whoever opened it. One thread at a time.

    Positions are inclusive on both ends; `to_position` None means the tail at the time of the call.
    Raises JournalCorrupt where the file contradicts itself, JournalIo where it cannot be read.
    """

    def __init__(self, database: Database) -> None:
        """Take over an open database; `open` of the classes below is how one is made."""
        self._database = database
        self.path: Path = database.path
        self._pieces: dict[int, bytes] = {}
        row = database.first("open", "SELECT journal FROM identity", kinds=(bytes,))
        if row is None:
            raise JournalCorrupt("open", self.path, "the journal's id is gone")
        #: 16 random bytes given to this journal when it was made; its chain begins with them.
        self.journal_id: bytes = row[0]

    def close(self) -> None:
        """Close the file; nothing can be asked any more. The second time does nothing."""
        self._database.close()

    def __enter__(self) -> Self:
        """The journal itself; leaving the context closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close."""
        self.close()

    def tail(self) -> Tail:
        """The end: last position, its arrival, number and link of the last commit.

        One statement, so both ends are of one moment: the writer may commit between two of them.
        """
        row = self._database.first(
            "read the tail",
            "SELECT fact.position, fact.arrival_ms, done.last, done.number, done.link FROM (SELECT 1)"
            " LEFT JOIN (SELECT position, arrival_ms FROM facts ORDER BY position DESC LIMIT 1) fact"
            " LEFT JOIN (SELECT first_position + facts - 1 AS last, number, link FROM commits"
            " ORDER BY number DESC LIMIT 1) done",
        )
        assert row is not None
        position, arrival_ms, last, number, link = row
        if position is None and last is None:
            return Tail(0, 0, 0, origin(self.journal_id))
        if position != last:
            why = f"the last fact is {position}, the last commit ends at {last}"
            raise JournalCorrupt("read the tail", self.path, why)
        if tuple(map(type, row)) != (int, int, int, int, bytes):
            raise JournalCorrupt("read the tail", self.path, "a row of other types", position=position)
        return Tail(position, arrival_ms, number, link)

    def facts(self, from_position: int = 1, to_position: int | None = None) -> Iterator[FactRow]:
        """Facts in journal order."""
        for position, arrival_ms, shape, body in self.stored_facts(from_position, to_position):
            if shape != shapes.WHOLE:
                pieces = self.pieces(shape)
                try:
                    if pieces is None:
                        raise ValueError(f"its shape {shape} is gone")
                    body = shapes.fill(pieces, body)
                except ValueError as cause:
                    raise JournalCorrupt("read", self.path, str(cause), position=position) from cause
            yield FactRow(position, arrival_ms, body)

    def ends(self) -> Ends:
        """Where the tables end, all at one moment, while a writer may go on; for `verify`.

        In a journal whose ends cannot be read there is no writer: then everything.
        """
        try:
            row = self._database.first(
                "read the ends",
                "SELECT (SELECT coalesce(max(number), 0) FROM commits),"
                " (SELECT coalesce(max(position), 0) FROM facts),"
                " (SELECT coalesce(max(position), 0) FROM announcements)",
                kinds=(int, int, int),
            )
        except JournalCorrupt:
            row = None
        return Ends(*row) if row else Ends(_HIGHEST, _HIGHEST, _HIGHEST)

    def stored_facts(
        self, from_position: int = _LOWEST + 1, to_position: int | None = None
    ) -> Iterator[tuple[int, int, int, bytes]]:
        """Position, arrival, shape and body as they lie in the file: for `verify`, which doubts them."""
        return self._pages(
            "read facts",
            "SELECT position, arrival_ms, shape, body FROM facts WHERE position > ? AND position <= ?"
            " ORDER BY position LIMIT ?",
            (from_position - 1,),
            self._end(to_position),
            (int, int, int, bytes),
        )

    def pieces(self, shape: int) -> bytes | None:
        """The text that readings of a shape have in common (see `shapes.py`); None if there is none."""
        if shape not in self._pieces:
            row = self._database.first(
                "read a shape", "SELECT pieces FROM shapes WHERE shape = ?", (shape,), kinds=(bytes,)
            )
            if row is None:
                return None
            self._pieces[shape] = row[0]
        return self._pieces[shape]

    def announcements(
        self, from_position: int = 1, to_position: int | None = None
    ) -> Iterator[AnnouncementRow]:
        """Announcements in the order in which they were made.

        One whose fact a damaged file does not find raises JournalCorrupt: left out, nobody would miss it.
        """
        for row in self._pages(
            "read announcements",
            "SELECT a.position, a.ordinal, f.arrival_ms, a.body"
            " FROM announcements a LEFT JOIN facts f USING (position)"
            " WHERE (a.position, a.ordinal) > (?, ?) AND a.position <= ?"
            " ORDER BY a.position, a.ordinal LIMIT ?",
            (from_position, -1),
            self._end(to_position),
            (int, int, int, bytes),
        ):
            yield AnnouncementRow(*row)

    def stored_announcements(self, to_position: int) -> Iterator[tuple[int, int, bytes]]:
        """Position, ordinal and body, whether or not they belong to a fact: for `verify`."""
        return self._pages(
            "read announcements",
            "SELECT position, ordinal, body FROM announcements WHERE (position, ordinal) > (?, ?)"
            " AND position <= ? ORDER BY position, ordinal LIMIT ?",
            (_LOWEST, _LOWEST),
            to_position,
            (int, int, bytes),
        )

    def entries(self, from_position: int = 1, to_position: int | None = None) -> Iterator[Entry]:
        """Facts together with what was announced at each: what a re-fold compares itself with."""
        end = self._end(to_position)
        said = groupby(self.announcements(from_position, end), key=lambda row: row.position)
        position, group = next(said, (None, iter(())))
        for fact in self.facts(from_position, end):
            bodies: tuple[bytes, ...] = ()
            if position == fact.position:
                bodies = tuple(row.body for row in group)
                position, group = next(said, (None, iter(())))
            yield Entry(fact.position, fact.arrival_ms, fact.body, bodies)

    def commits(self, from_number: int = 1, to_number: int | None = None) -> Iterator[Commit]:
        """Commits in order."""
        for row in self._pages(
            "read commits",
            "SELECT number, first_position, first_position + c.facts - 1,"
            " coalesce((SELECT arrival_ms FROM facts WHERE position < first_position + c.facts"
            " ORDER BY position DESC LIMIT 1), 0), link"
            " FROM commits c WHERE number > ? AND number <= ? ORDER BY number LIMIT ?",
            (from_number - 1,),
            self._number("SELECT coalesce(max(number), 0) FROM commits") if to_number is None else to_number,
            (int, int, int, int, bytes),
        ):
            yield Commit(*row)

    def stored_commits(self, to_number: int) -> Iterator[tuple[int, int, int, bytes]]:
        """Number, first position, number of facts and link, whatever else is there: for `verify`."""
        return self._pages(
            "read commits",
            "SELECT number, first_position, facts, link FROM commits WHERE number > ? AND number <= ?"
            " ORDER BY number LIMIT ?",
            (_LOWEST,),
            to_number,
            (int, int, int, bytes),
        )

    def position_at(self, arrival_ms: int) -> int:
        """The last position whose arrival is not later than this journal time; 0 if there is none.

        Where readings were removed it may be one of theirs.
        """
        low = max(self._number("SELECT coalesce(min(position), 0) FROM facts") - 1, 0)
        high = self._end(None)
        while low < high:  # the answer is `low` or above it: arrivals never go back
            middle = (low + high + 1) // 2
            row = self._database.first(  # retention leaves gaps
                "read",
                "SELECT position, arrival_ms FROM facts WHERE position <= ? ORDER BY position DESC LIMIT 1",
                (middle,),
                kinds=(int, int),
            )
            if row is None or row[0] <= low:
                low = middle
            else:
                low, high = (middle, high) if row[1] <= arrival_ms else (low, row[0] - 1)
        return low

    def document(self, sha256: str) -> Document | None:
        """A configuration or profile text by its hash."""
        row = self._database.first(
            "read a document",
            "SELECT sha256, text FROM documents WHERE sha256 = ?",
            (sha256,),
            kinds=(str, str),
        )
        return None if row is None else Document(*row)

    def private_text(self, commitment: str) -> str | None:
        """The text behind a commitment; None if it was erased or never known."""
        row = self._database.first(
            "read a private text", "SELECT text FROM private_texts WHERE commitment = ?", (commitment,)
        )
        return None if row is None else row[0]

    def documents(self) -> Iterator[Document]:
        """All documents, each in a read transaction of its own: one can be large."""
        for row in self._database.all("read documents", "SELECT sha256 FROM documents ORDER BY sha256"):
            document = self.document(row[0])
            if document is not None:
                yield document

    def private_texts(self) -> Iterator[PrivateText]:
        """All private texts that were not erased."""
        for row in self._database.all(
            "read private texts",
            "SELECT commitment, salt, text FROM private_texts WHERE text IS NOT NULL",
            kinds=(str, bytes, str),
        ):
            yield PrivateText(*row)

    def receipts(self, positions: Iterable[int]) -> Iterator[Receipt]:
        """Whom the notices of these positions went to, and what became of each; in journal order."""
        wanted = set(positions)
        for row in self._database.all(
            "read the outbox",
            "SELECT sink, position, ordinal, outcome, receipt, failure, attempts, settled_ms FROM outbox"
            " WHERE position >= ? AND position <= ? ORDER BY position, ordinal, sink",
            (min(wanted, default=1), max(wanted, default=0)),
        ):
            if row[1] in wanted:
                sink, position, ordinal, outcome, receipt, failure, attempts, settled_ms = row
                ended = None if outcome is None else Outcome(outcome)
                yield Receipt(sink, position, ordinal, ended, receipt, failure, attempts, settled_ms)

    def activations(self) -> Iterator[FactRow]:
        """Every fact by which a configuration came into force, found without reading others."""
        for row in self._pages(
            "read activations",
            "SELECT position, arrival_ms, body FROM facts WHERE position > ? AND position <= ?"
            ' AND shape = 0 AND instr(body, CAST(\'"fact":"activated"\' AS BLOB)) ORDER BY position LIMIT ?',
            (_LOWEST,),
            self._end(None),
            (int, int, bytes),
        ):
            yield FactRow(*row)

    def latest_checkpoint(self, engine: str, up_to: int | None = None) -> Checkpoint | None:
        """The newest intact state of this engine at or before a position; None: fold from the beginning."""
        return states.latest(self._database, engine, self._end(up_to))

    def first_base_state(self, engine: str, from_position: int = 1) -> Checkpoint | None:
        """The earliest intact base state of this engine at or after a position: where a fold can begin."""
        return states.first_base(self._database, engine, from_position)

    def removal_positions(self) -> list[int]:
        """Where the facts of retention stand, in order."""
        return states.removal_positions(self._database)

    def remains(self, sha256: str) -> bytes | None:
        """What removed readings left behind, by its hash; None if it is not there, or not what it was."""
        return states.remains(self._database, sha256)

    def cursors(self) -> dict[str, Cursor]:
        """How far each time-series sink is."""
        rows = self._database.all("read cursors", "SELECT sink, sent, confirmed FROM cursors")
        return {sink: Cursor(sent, confirmed) for sink, sent, confirmed in rows}

    def counts(self) -> dict[str, int]:
        """The named counters."""
        return dict(self._database.all("read counters", "SELECT name, value FROM counters ORDER BY name"))

    def wal_bytes(self) -> int:
        """Size of the write-ahead log on disk."""
        return _size(wal_path(self.path))

    def integrity(self) -> list[str]:
        """What SQLite itself finds wrong with the file's pages and indexes; empty if nothing.

        Reads the whole file in one transaction, so the log grows while a daemon writes beside it.
        """
        try:
            rows = self._database.all("check the pages", "PRAGMA quick_check")
        except JournalCorrupt as cause:  # some damage it lists, before some it gives up
            return [cause.why]
        return [row[0] for row in rows if row[0] != "ok"]

    def _pages(
        self, operation: str, sql: str, after: tuple[int, ...], end: int, kinds: Kinds
    ) -> Iterator[tuple[Any, ...]]:
        """Rows of a query `… > after AND … <= end … LIMIT n`, whose first columns are the key.

        After damage it goes on row by row, so that all before the damaged page still come out.
        """
        limit = CHUNK
        while True:
            try:
                rows = self._database.all(operation, sql, (*after, end, limit), kinds=kinds)
            except JournalCorrupt:
                if limit == 1:
                    raise
                limit = 1
                continue
            yield from rows
            if len(rows) < limit:
                return
            after = rows[-1][: len(after)]

    def _end(self, position: int | None) -> int:
        return self._number("SELECT coalesce(max(position), 0) FROM facts") if position is None else position

    def _number(self, sql: str) -> int:
        row = self._database.first("read", sql, kinds=(int,))
        assert row is not None
        number: int = row[0]
        return number


class Reader(Readable):
    """A journal opened for reading alone; works beside a running daemon and takes no lock."""

    @classmethod
    def open(cls, path: Path | str) -> Self:
        """Open an existing journal; nothing is created, migrated or locked.

        Raises JournalMissing, NotAJournal, JournalNewer, JournalReadOnly (an older schema),
        JournalCorrupt, JournalIo.
        """
        return cls(open_for_reading(Path(path).resolve()))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
