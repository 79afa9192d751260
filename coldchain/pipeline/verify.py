"""Fold a journal again from nothing and say of each stretch what that shows.

A stretch is what one engine made, from one EngineStarted fact to the next. *Equal*: every
announcement came out again, byte for byte. *Made by another engine*: this code is not the one that
folded it then; what it would say differently is counted. *Differs*: the same engine gives another
result, which must never be, or the chain of hashes is broken.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from msgspec import Struct

from coldchain import announcements, facts
from coldchain.facts import EngineStarted
from coldchain.fold import Fold
from coldchain.journal import ChainReport, Readable, verify_chain
from coldchain.pipeline.recovery import refold


class Verdict(StrEnum):
    """What a re-fold shows of one stretch."""

    EQUAL = "equal"
    OTHER_ENGINE = "made_by_another_engine"
    DIFFERS = "differs"


class Stretch(Struct, frozen=True):
    """Positions that one engine folded; `different` counts facts with other announcements now.

    first_different: the first such position, None if there is none.
    """

    engine: str
    first_position: int
    last_position: int
    verdict: Verdict
    announcements: int
    different: int
    first_different: int | None


class Verification(Struct, frozen=True):
    """The chain of hashes and every stretch."""

    chain: ChainReport
    stretches: tuple[Stretch, ...]

    @property
    def sound(self) -> bool:
        """No byte changed, and this engine's own stretches came out equal."""
        return self.chain.intact and all(s.verdict is not Verdict.DIFFERS for s in self.stretches)


def verify(
    journal: Readable, engine: str, progress: Callable[[int], None] = lambda position: None
) -> Verification:
    """Verify a whole journal; `progress` is told the position now and then."""
    chain = verify_chain(journal)
    stretches: list[Stretch] = []
    fold = Fold()
    made_by, first, said, different, first_different, last = "", 1, 0, 0, None, 0

    def close() -> None:
        if last < first:
            return
        if made_by != engine and made_by:
            verdict = Verdict.OTHER_ENGINE
        else:
            verdict = Verdict.DIFFERS if different else Verdict.EQUAL
        stretches.append(Stretch(made_by, first, last, verdict, said, different, first_different))

    for entry in journal.entries():
        fact = facts.decode(entry.fact)
        if isinstance(fact, EngineStarted) and fact.engine != made_by:
            if made_by:
                close()
                first, said, different, first_different = entry.position, 0, 0, None
            made_by = fact.engine
        told = refold(journal, fold, entry.position, entry.arrival_ms, fact)
        again = tuple(announcements.encode(one) for one in told)
        said += len(entry.announcements)
        last = entry.position
        if again != entry.announcements:
            different += 1
            first_different = entry.position if first_different is None else first_different
        if entry.position % 1000 == 0:
            progress(entry.position)
    close()
    return Verification(chain, tuple(stretches))
