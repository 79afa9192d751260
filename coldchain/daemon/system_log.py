"""What the fold said, for the system's log: one line each, without names and words of people."""

from __future__ import annotations

import logging

from msgspec import structs

from coldchain.announcements import Kind
from coldchain.pipeline.writer import Committed
from coldchain.sinks.wording import sentence

_log = logging.getLogger("coldchain")


def tell(batch: Committed) -> None:
    """One line each; what calls people as a warning."""
    for told in batch.told:
        level = logging.WARNING if told.said.kind in (Kind.RAISED, Kind.RE_ALARMED) else logging.INFO
        # Who it was and in what words is for the journal: a log is read by more people and kept elsewhere.
        _log.log(level, "%s", sentence(structs.replace(told.said, actor="", comment="")))
