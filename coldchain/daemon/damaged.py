"""What a daemon does that finds its journal damaged when it starts: it watches all the same, on a new one.

A gateway that refused to start would watch nothing and call nobody, for a bit that flipped on a card. What
is lost to it is what it knew of the past (alarms taken up, consignments, budgets spent), and it says so.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import msgspec

from coldchain.facts import Unrecorded
from coldchain.journal import JournalCorrupt, JournalError, NotAJournal, Reserve, set_aside

_log = logging.getLogger("coldchain")


def start(write: Callable[[], None], close: Callable[[], None], path: Path) -> str:
    """Begin to write; on a damaged journal close it, set it aside and begin again on a new one.

    Returns what is to be said of it, "" where all is well. Raises what `write` raises for anything else, and
    for a file that never was a journal of ours: there is no reserve beside it.
    """
    try:
        write()
        return ""
    except (JournalCorrupt, NotAJournal, msgspec.DecodeError) as error:
        close()
        if isinstance(error, NotAJournal) and not Reserve(path).path.exists():
            raise
        aside = set_aside(path)
        words = f"{error.operation}: {error.why}" if isinstance(error, JournalError) else str(error)
        why = f"the journal was found damaged ({words}); it was kept as {aside.name}, and a new one was begun"
        _log.critical("%s: it knows nothing of what stood, was taken up or was under way", why)
    write()
    return why


def fact(now_ms: int, why: str) -> Unrecorded:
    """What raises the alarm about it (`gateway/journal`, critical), and stands in the new journal."""
    return Unrecorded(now_ms, now_ms, 0, why)
