"""What goes into a journal and what comes out: frozen types without behaviour.

Times named `*_ms` are journal time unless they say UTC. Bodies are canonical bytes, made by
`coldchain.facts.encode` and `coldchain.announcements.encode`; the journal never looks into them.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum
from typing import Self

from msgspec import Struct, field


class Entry(Struct, frozen=True):
    """One fact in its place, with everything that was announced by folding it, in order."""

    position: int
    arrival_ms: int
    fact: bytes
    announcements: tuple[bytes, ...] = ()


class FactRow(Struct, frozen=True):
    """One fact as read back."""

    position: int
    arrival_ms: int
    body: bytes


class AnnouncementRow(Struct, frozen=True):
    """One announcement as read back: the `ordinal`-th (from 0) of the fact at `position`.

    `announced_ms` is that fact's arrival.
    """

    position: int
    ordinal: int
    announced_ms: int
    body: bytes


class Notice(Struct, frozen=True):
    """A message for one notice sink, born with its announcement.

    id:              idempotency key, unique within the sink; sent to the receiver unchanged.
    not_before_ms:   journal time before which it is not to be sent.
    """

    sink: str
    id: str
    position: int
    ordinal: int
    kind: str
    body: bytes
    not_before_ms: int = 0


class Cursor(Struct, frozen=True):
    """How far a log sink is: positions up to which rows were sent, and are known to be kept there."""

    sent: int = 0
    confirmed: int = 0


class Document(Struct, frozen=True):
    """The exact text of a configuration or profile file, known by its hash."""

    sha256: str
    text: str

    @classmethod
    def of(cls, text: str) -> Self:
        """The document of this text: SHA-256 (hex) over its UTF-8 bytes."""
        return cls(hashlib.sha256(text.encode()).hexdigest(), text)


class PrivateText(Struct, frozen=True):
    """A name or free text. Facts carry only its commitment, so erasing the text breaks nothing."""

    commitment: str
    salt: bytes
    text: str

    @classmethod
    def of(cls, text: str, salt: bytes | None = None) -> Self:
        """Commit to a text: hex SHA-256 over salt and UTF-8 text; without a salt, 32 random bytes are it."""
        salt = secrets.token_bytes(32) if salt is None else salt
        return cls(hashlib.sha256(salt + text.encode()).hexdigest(), salt, text)


class Removing(Struct, frozen=True):
    """What retention removes; the fact at `position`, in the same batch, tells of it (`removal.py`).

    spans: positions, as (first, last). first_position, last_position: of the commits that it looked at.
    remains: what removed readings leave behind.
    """

    position: int
    spans: tuple[tuple[int, int], ...]
    first_position: int
    last_position: int
    remains: bytes


class Batch(Struct, frozen=True):
    """Everything that is committed together, or not at all. A value: it can be tried again as it is.

    counts: named counters to add to, such as repeats per channel. removing: what goes with it.
    erased: commitments of the private texts that go with it.
    """

    entries: tuple[Entry, ...]
    notices: tuple[Notice, ...] = ()
    documents: tuple[Document, ...] = ()
    private_texts: tuple[PrivateText, ...] = ()
    cursors: dict[str, Cursor] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    removing: tuple[Removing, ...] = ()
    erased: tuple[str, ...] = ()


class Commit(Struct, frozen=True):
    """One committed batch: its number (from 1), span of positions, last arrival and hash link."""

    number: int
    first_position: int
    last_position: int
    arrival_ms: int
    link: bytes


class Tail(Struct, frozen=True):
    """The journal's end: what the next commit continues. An empty journal stands at position 0."""

    position: int
    arrival_ms: int
    commit: int
    link: bytes


class Checkpoint(Struct, frozen=True):
    """The fold's state after a position, as made by one engine: a cache, or a base state."""

    position: int
    engine: str
    state: bytes


class Outcome(StrEnum):
    """How a notice ended."""

    TOLD = "told"
    REFUSED = "refused"
    FOLDED = "folded"


class Pending(Struct, frozen=True):
    """A notice that is still to be sent, with its history."""

    notice: Notice
    attempts: int
    next_try_ms: int
    failure: str


class Settled(Struct, frozen=True):
    """A notice that has ended, and what the receiver said."""

    notice: Notice
    outcome: Outcome
    receipt: str
    attempts: int
    settled_ms: int


class Receipt(Struct, frozen=True):
    """Whether a sink has told of an announcement: its `outcome`, None while it waits.

    receipt: what the receiver said; failure: what went wrong at the last attempt; settled_ms: when it ended.
    """

    sink: str
    position: int
    ordinal: int
    outcome: Outcome | None
    receipt: str
    failure: str
    attempts: int
    settled_ms: int | None


class Backlog(Struct, frozen=True):
    """What a notice sink still has to tell."""

    count: int
    oldest_position: int | None
    attempts: int


class Holder(Struct, frozen=True):
    """Who holds a journal's lock, as it said itself when it took it.

    boot_id: the kernel's id of the boot in which `pid` means anything; since_utc_ms: None if not known.
    """

    pid: int
    boot_id: str
    command: str
    since_utc_ms: int | None = None

    def describe(self) -> str:
        """For a sentence: process and command."""
        return f"process {self.pid} ({self.command})"


class WalState(Struct, frozen=True):
    """The write-ahead log after a checkpoint: pages in it, and how many are in the database by now.

    `done` False: a reader still needs older pages, so the log cannot start anew and goes on growing.
    """

    pages: int
    copied: int

    @property
    def done(self) -> bool:
        return self.copied >= self.pages
