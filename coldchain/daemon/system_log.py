"""What the fold said, for the system's log: one line each, without names and words of people."""

from __future__ import annotations

import logging

from msgspec import structs

from coldchain.announcements import Announcement, Kind
from coldchain.model import Priority
from coldchain.pipeline.intake import Told
from coldchain.pipeline.writer import Committed
from coldchain.sinks.wording import sentence

#: The logger of what is announced, apart from that of what goes wrong.
NAME = "coldchain.alarms"

_log = logging.getLogger(NAME)

_CALLS = (Kind.RAISED, Kind.RE_ALARMED, Kind.ESCALATED)
_LEVELS = {
    Priority.CRITICAL: logging.CRITICAL,
    Priority.HIGH: logging.ERROR,
    Priority.LOW: logging.WARNING,
    Priority.TO_KNOW: logging.INFO,
}


def tell(batch: Committed) -> None:
    """One line each; what calls people at the level of its priority, everything else to know."""
    for told in batch.told:
        said = told.said
        level = _LEVELS[said.priority or Priority.LOW] if said.kind in _CALLS else logging.INFO
        _log.log(level, "%s%s", _words(said), "" if batch.recorded else ", not recorded")


def urgent(told: list[Told]) -> None:
    """That the journal cannot be written: behind this alarm stands no fact, so it is in no batch."""
    for one in told:
        if one.ordinal < 0:
            _log.critical("%s, %s", _words(one.said), one.said.detail.get("why", ""))


def _words(said: Announcement) -> str:
    # Who it was and in what words is for the journal: a log is read by more people and kept elsewhere.
    return sentence(structs.replace(said, actor="", comment=""))
