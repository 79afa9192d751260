"""From a journal to the fold's state as it stood: the same function live, after a crash, in `verify`."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from coldchain import announcements, facts
from coldchain.announcements import Announcement
from coldchain.facts import EngineStarted, Fact
from coldchain.fold import Fold
from coldchain.journal import JournalError, Readable
from coldchain.pipeline.states import thaw
from coldchain.rules.plugged import MissingPlugin


@dataclass(frozen=True)
class Recovered:
    """The state at the journal's tail, and whether another engine made it last."""

    fold: Fold
    other_engine: bool
    from_checkpoint: int


class GivenUp(Exception):
    """Nobody wants the state any more."""


#: After so many facts it is asked whether the state is still wanted: a few ms of folding.
_ASK_EVERY = 256


def recover(journal: Readable, engine: str, wanted: Callable[[], bool] = lambda: True) -> Recovered:
    """Fold a journal to its tail, from the newest checkpoint of this engine if there is one.

    Raises GivenUp when the state is no longer `wanted`: folding a long journal takes a while.

    Where another engine made the journal last, everything is folded anew by this one and the
    announced side is taken over; the differences are told by the EngineStarted fact that follows.
    """
    checkpoint = journal.latest_checkpoint(engine)
    fold, start = Fold(), 0
    if checkpoint is not None:
        try:
            fold, start = thaw(checkpoint.state), checkpoint.position
        except (pickle.UnpicklingError, AttributeError, EOFError, ValueError, TypeError):
            fold, start = Fold(), 0  # a cache that cannot be read is no cache
    for row in journal.facts(start + 1):
        refold(journal, fold, row.position, row.arrival_ms, facts.decode(row.body))
        if row.position % _ASK_EVERY == 0 and not wanted():
            raise GivenUp
    other = bool(fold.engine) and fold.engine != engine
    if other:
        fold.adopt(announced(journal))
    return Recovered(fold, other, start)


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
