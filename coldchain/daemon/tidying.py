"""What the journal's file needs now and then: its log copied back, its reserve made again.

What stands against it is said once, with the cause, and once that it is over. How large the log grows
meanwhile is watched by own health (`gateway/log`).
"""

from __future__ import annotations

import logging

from coldchain.journal import Journal, JournalError
from coldchain.journal.database import WAL_KEEP_BYTES

_log = logging.getLogger("coldchain")

#: Why a log is not copied whole although nothing failed: a transaction that reads still needs older pages.
_READ = (
    "a program that reads the journal has not ended its transaction; end it (`fuser` names who has it open)"
)


class Tidying:
    """The work, in the writer's thread: the journal is its."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._stuck = ""  # what could not be done the last time

    def look(self) -> None:
        """Do it, and say so if that does not go, or goes again."""
        stuck, why = self._done()
        if stuck and stuck != self._stuck:
            _log.warning("the journal's log is %d MiB: %s", self._journal.wal_bytes() >> 20, why)
        elif self._stuck and not stuck:
            _log.info("the journal's log is copied back again")
        self._stuck = stuck

    def _done(self) -> tuple[str, str]:
        """What could not be done, and why; "" if all could."""
        earlier = self._journal.wal_trouble  # a commit that came by could not copy it: a medium that fails
        try:
            state = self._journal.checkpoint_wal()
            self._journal.reserve.make()
        except JournalError as error:
            return error.operation, str(error)
        if earlier is not None:
            return earlier.operation, str(earlier)
        # Somebody always reads for a moment; one who does not end lets the log grow beyond what it keeps.
        held = not state.done and self._journal.wal_bytes() > WAL_KEEP_BYTES
        return ("read", _READ) if held else ("", "")
