"""From a journal to the fold's state as it stood: the same function live, after a crash, in `verify`."""

from __future__ import annotations

import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from coldchain import announcements, facts
from coldchain.announcements import Announcement
from coldchain.facts import EngineStarted, Fact
from coldchain.fold import Fold
from coldchain.fold.remains import rest_on
from coldchain.journal import Checkpoint, JournalError, Readable
from coldchain.journal.removal import removals
from coldchain.journal.states import state_hash
from coldchain.pipeline.states import thaw
from coldchain.rules.plugged import MissingPlugin

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Recovered:
    """The state at the journal's tail, and whether it was made anew: by another engine, or from remains.

    from_checkpoint: the position after which facts were folded.
    """

    fold: Fold
    other_engine: bool
    from_checkpoint: int


class GivenUp(Exception):
    """Nobody wants the state any more."""


class Look(Protocol):
    """Called on the way, for folding a long journal takes a while; ends it by raising GivenUp."""

    def __call__(self, fold: Fold, *, resumable: bool) -> None:
        """resumable: this state, kept as a checkpoint, leads to the same end as the whole way."""


#: It is called after so many facts: some ten ms of folding.
_LOOK_EVERY = 256


def _go_on(fold: Fold, *, resumable: bool) -> None:
    """Nobody looks."""


def recover(journal: Readable, engine: str, look: Look = _go_on) -> Recovered:
    """Fold a journal to its tail, from the newest checkpoint of this engine if there is one.

    Where another engine made the journal last, everything is folded anew by this one and the
    announced side is taken over; the differences are told by the EngineStarted fact that follows. So it is
    where readings were removed and no state of this engine is left: what they left behind stands for them.
    """
    start, fold = _begin(journal.latest_checkpoint(engine)) or base(journal, engine) or (0, Fold())
    gap = Gap(journal, start)
    for row in journal.facts(start + 1):
        refold(journal, fold, row.position, row.arrival_ms, facts.decode(row.body))
        gap.passed(fold)
        if row.position % _LOOK_EVERY == 0:
            # A state does not tell that it lacks readings, or is still to take over what was announced.
            look(fold, resumable=not (gap.open or gap.closed))
    other = gap.closed or (bool(fold.engine) and fold.engine != engine)
    if other:
        fold.adopt(announced(journal))
    return Recovered(fold, other, start)


def base(journal: Readable, engine: str) -> tuple[int, Fold] | None:
    """Where a fold by this engine can begin behind removed readings, as a removal's fact vouches for it.

    None: nothing was removed, or there is no such state.
    """
    told = [removed for _, removed in removals(journal)]
    end = max((removed.last_position for removed in told), default=None)
    state = None if end is None else journal.first_base_state(engine, end)
    if state is None:
        return None
    sha256 = state_hash(state.position, engine, state.state).hex()
    if not any(
        (one.state_position, one.engine, one.state) == (state.position, engine, sha256) for one in told
    ):
        return None  # nobody vouches for it
    return _begin(state)


class Gap:
    """Lets what removed readings left behind stand for them, where a fold has to go past them."""

    def __init__(self, journal: Readable, start: int) -> None:
        told = list(removals(journal))
        needed = bool(told) and start < max(removed.last_position for _, removed in told)
        # The newest has what all left behind.
        self._at, self._removed = (told[-1][0], told[-1][1].remains) if needed else (0, "")
        self._journal = journal
        #: Whether it is still to come, and whether it was passed.
        self.open, self.closed = needed, False

    def passed(self, fold: Fold) -> None:
        """The fold has taken in one fact more."""
        if not self._removed or fold.position != self._at:
            return
        body = self._journal.remains(self._removed)
        if body is None:
            _log.warning("%s: what removed readings left behind is damaged", self._journal.path)
        else:
            rest_on(fold, body)
        self.open, self.closed = False, True


def _begin(kept: Checkpoint | None) -> tuple[int, Fold] | None:
    if kept is None:
        return None
    try:
        return kept.position, thaw(kept.state)
    except (pickle.UnpicklingError, AttributeError, EOFError, ValueError, TypeError):
        return None  # a cache that cannot be read is no cache


def refold(journal: Readable, fold: Fold, position: int, arrival_ms: int, fact: Fact) -> list[Announcement]:
    """Fold one fact of the past; where another engine took over, the announced side goes with it.

    Raises JournalError where a rule was in force whose package is gone.
    """
    if isinstance(fact, EngineStarted) and fold.engine and fact.engine != fold.engine:
        fold.adopt(announced(journal, position - 1))
    try:
        return fold.apply(position, arrival_ms, fact)
    except MissingPlugin as missing:
        rule = missing.rule
        mend = (
            f"install {rule.package} {rule.version} again, or begin a new journal; see `coldchain rules list`"
        )
        raise JournalError("fold", journal.path, str(missing), position=position, mend=mend) from missing


def announced(journal: Readable, to_position: int | None = None) -> Iterator[tuple[int, Announcement]]:
    """Everything a journal announced up to a position, as (arrival, announcement)."""
    for row in journal.announcements(1, to_position):
        yield row.announced_ms, announcements.decode(row.body)
