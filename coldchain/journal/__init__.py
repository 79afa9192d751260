"""The journal: one SQLite file with every fact, everything announced, and what is still to be told.

- `Journal` writes (one process at a time), `Reader` only reads, `Deliveries` is what a sink's thread uses.
- `Batch` in, `Commit` out: one transaction and one hash link each.
- Everything that goes wrong is a `JournalError` with its mend.
- `verify_chain` recomputes every link; `back_up` copies a journal that is being written.

The file's format is described in `docs/journal.md`, so that a stranger can check it without us.
"""

from coldchain.journal.aside import set_aside
from coldchain.journal.backup import BackedUp, back_up
from coldchain.journal.deliveries import Deliveries
from coldchain.journal.errors import (
    JournalBusy,
    JournalCorrupt,
    JournalError,
    JournalFull,
    JournalIo,
    JournalMissing,
    JournalNewer,
    JournalReadOnly,
    JournalRefused,
    NotAJournal,
)
from coldchain.journal.journal import Journal
from coldchain.journal.lock import holder_of
from coldchain.journal.reader import Readable, Reader
from coldchain.journal.records import (
    AnnouncementRow,
    Backlog,
    Batch,
    Checkpoint,
    Commit,
    Cursor,
    Document,
    Entry,
    FactRow,
    Holder,
    Notice,
    Outcome,
    Pending,
    PrivateText,
    Receipt,
    Removing,
    Settled,
    Tail,
    WalState,
)
from coldchain.journal.reserve import Reserve
from coldchain.journal.verify import ChainReport, Fault, Finding, verify_chain

__all__ = [
    "AnnouncementRow",
    "BackedUp",
    "Backlog",
    "Batch",
    "ChainReport",
    "Checkpoint",
    "Commit",
    "Cursor",
    "Deliveries",
    "Document",
    "Entry",
    "FactRow",
    "Fault",
    "Finding",
    "Holder",
    "Journal",
    "JournalBusy",
    "JournalCorrupt",
    "JournalError",
    "JournalFull",
    "JournalIo",
    "JournalMissing",
    "JournalNewer",
    "JournalReadOnly",
    "JournalRefused",
    "NotAJournal",
    "Notice",
    "Outcome",
    "Pending",
    "PrivateText",
    "Readable",
    "Reader",
    "Receipt",
    "Removing",
    "Reserve",
    "Settled",
    "Tail",
    "WalState",
    "back_up",
    "holder_of",
    "set_aside",
    "verify_chain",
]
