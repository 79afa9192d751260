"""Fold a journal again from nothing and say of each stretch what that shows.

A stretch is what one engine made, from one EngineStarted fact to the next. *Equal*: every
announcement came out again, byte for byte. *Made by another engine*: this code is not the one that
folded it then; what it would say differently is counted. *Differs*: the same engine gives another
result, which must never be, or the chain of hashes is broken. *Without readings*: retention removed readings
before it, and there is no state of this engine from which to fold on exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum

import msgspec
from msgspec import Struct

from coldchain import announcements, facts
from coldchain.facts import EngineStarted, ProcessEnded
from coldchain.fold import Fold
from coldchain.journal import ChainReport, JournalCorrupt, JournalError, Readable, holder_of, verify_chain
from coldchain.pipeline.recovery import Gap, base, refold


class Verdict(StrEnum):
    """What a re-fold shows of one stretch."""

    EQUAL = "equal"
    OTHER_ENGINE = "made_by_another_engine"
    DIFFERS = "differs"
    WITHOUT_READINGS = "without_readings"


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


class Stopped(Struct, frozen=True):
    """From this position on nothing could be folded, and why: what stands there is no fact any more."""

    position: int
    why: str


class Verification(Struct, frozen=True):
    """The chain of hashes and every stretch.

    stopped: where the re-fold had to end before the journal does. cut: it may have lost its end, and why so.
    from_position: where the re-fold began: 1, or behind what retention removed.
    """

    chain: ChainReport
    stretches: tuple[Stretch, ...]
    stopped: Stopped | None = None
    cut: str = ""
    from_position: int = 1

    @property
    def empty(self) -> bool:
        """Nothing is in the journal and nothing is missing from it, so nothing can be said of it."""
        return self.chain.intact and not self.chain.facts

    @property
    def sound(self) -> bool:
        """No byte changed, and this engine's own stretches came out equal. An empty journal shows nothing."""
        equal = all(stretch.verdict is not Verdict.DIFFERS for stretch in self.stretches)
        return self.chain.intact and not self.empty and equal and self.stopped is None


def verify(
    journal: Readable,
    engine: str,
    progress: Callable[[int], None] = lambda position: None,
    anchors: Mapping[int, bytes] | None = None,
) -> Verification:
    """Verify a whole journal; `progress` is told the position now and then.

    anchors: links known from elsewhere, by the number of their commit.
    """
    chain = verify_chain(journal, anchors)
    if not chain.facts:
        return Verification(chain, (), cut=_cut(journal))
    stretches: list[Stretch] = []
    start, fold = base(journal, engine) or (0, Fold())
    gap = Gap(journal, start)
    made_by, first, said, different, first_different, last = fold.engine, start + 1, 0, 0, None, start

    def close() -> None:
        if last < first:
            return
        if made_by != engine and made_by:
            verdict = Verdict.OTHER_ENGINE
        elif not start and chain.removals:
            verdict = Verdict.WITHOUT_READINGS
        else:
            verdict = Verdict.DIFFERS if different else Verdict.EQUAL
        stretches.append(Stretch(made_by, first, last, verdict, said, different, first_different))

    stopped: Stopped | None = None
    at, ended = start, False
    try:
        for entry in journal.entries(start + 1):
            at = entry.position
            fact = facts.decode(entry.fact)
            ended = isinstance(fact, ProcessEnded)
            if isinstance(fact, EngineStarted) and fact.engine != made_by:
                if made_by:
                    close()
                    first, said, different, first_different = at, 0, 0, None
                made_by = fact.engine
            told = refold(journal, fold, at, entry.arrival_ms, fact)
            if gap.open:
                gap.passed(fold)
                first, last = at + 1, at
                continue  # folded without the readings, it says nothing of what was announced
            again = tuple(announcements.encode(one) for one in told)
            said += len(entry.announcements)
            if again != entry.announcements:
                different += 1
                first_different = at if first_different is None else first_different
            last = at
            if at % 1000 == 0:
                progress(at)
    except JournalCorrupt as cause:
        stopped = Stopped(at + 1 if cause.position is None else cause.position, cause.why)
    except (msgspec.MsgspecError, ValueError, TypeError, LookupError, ArithmeticError) as cause:
        # What was tampered with can be anything. The chain has said where; here it only ends the re-fold.
        stopped = Stopped(at, f"{type(cause).__name__}: {cause}")
    close()
    cut = "" if ended or stopped else _cut(journal)
    begun = stretches[0].first_position if stretches else start + 1
    return Verification(chain, tuple(stretches), stopped, cut, begun)


def _cut(journal: Readable) -> str:
    """Why a journal that does not end with the end of a run may have lost its end; "" if it has not.

    A chain whose end is missing looks whole. While somebody writes, or after a crash, the newest facts lie in
    the log beside the file.
    """
    if journal.wal_bytes():
        return ""
    try:
        if holder_of(journal.path) is not None:
            return ""
    except JournalError:
        pass  # a lock that cannot be looked at is no sign of a writer
    return (
        "it does not end with the end of a run, and no write-ahead log lies beside it: if the file alone was "
        "copied from a running gateway, its newest facts are missing; "
        "give the anchor that the gateway's own journal has (--anchor) to see that none is"
    )
