"""What time an entry of a person gets, on a gateway whose clock nobody vouches for."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from coldchain.clock import SystemClock
from coldchain.daemon.station import LiveStation, Surroundings
from coldchain.facts import ClockSet, Fact, StageEntered
from coldchain.fold import Fold
from coldchain.journal import Document, PrivateText
from coldchain.pipeline.intake import Folded
from coldchain.web.station import Action, Actor, EnterStage, Role, SetEta, ShelveAlarm

ANNA = Actor("anna", Role.OPERATOR)
#: The wall clock was last known to be an hour ahead of journal time 0.
OFFSET_MS = 3_600_000


@dataclass
class Known:
    """A fold, and a way into it that settles at once."""

    fold: Fold = field(default_factory=Fold)
    lock: threading.Lock = field(default_factory=threading.Lock)
    facts: list[Fact] = field(default_factory=list)

    def offer(self, facts: tuple[Fact, ...], settled: Callable[[Folded], None] | None = None) -> bool:
        """Not for people."""
        raise AssertionError(facts, settled)

    def submit(
        self,
        facts: tuple[Fact, ...],
        settled: Callable[[Folded], None] | None = None,
        *,
        documents: tuple[Document, ...] = (),
        private_texts: tuple[PrivateText, ...] = (),
        erased: tuple[str, ...] = (),
    ) -> None:
        """Take it and say so."""
        del documents, private_texts, erased
        self.facts += facts
        if settled is not None:
            settled(Folded(1, ()))


def entered(*clock_facts: ClockSet, at_ms: int | None = None, why: str = "") -> tuple[str, int | None, int]:
    """What is answered to "in transit", the time it got, and journal time then."""
    known, clock = Known(), SystemClock()
    for position, fact in enumerate(clock_facts, 1):
        known.fold.apply(position, position, fact)
    station = LiveStation(known, known, clock, Surroundings())
    outcome = station.act(EnterStage("C1", "transit", at_ms, why), ANNA)
    got = next((fact.at_ms for fact in known.facts if isinstance(fact, StageEntered)), None)
    return outcome.message, got, clock.journal_ms()


def test_now_is_the_last_known_mapping_while_nobody_vouches_for_the_clock() -> None:
    """The wall clock may say anything: an entry for now lies after all that was entered before."""
    _, got, journal_ms = entered(ClockSet(OFFSET_MS, "test"), ClockSet(None, "unknown"))
    assert got is not None
    assert OFFSET_MS <= got <= OFFSET_MS + journal_ms


def test_a_watch_is_believed_while_nobody_vouches_for_our_clock() -> None:
    """What looks like the future may be the truth: it is refused only by a clock that is known."""
    later_ms = OFFSET_MS + 7_200_000
    unknown = entered(ClockSet(OFFSET_MS, "test"), ClockSet(None, "unknown"), at_ms=later_ms)
    known = entered(ClockSet(OFFSET_MS, "test"), at_ms=later_ms)
    assert unknown[:2] == ("", later_ms)
    assert known[:2] == ("that time lies in the future; say it when it happens", None)


def test_a_back_dated_entry_wants_its_reason() -> None:
    """More than a minute ago needs a why; with one it is taken as it is said."""
    early_ms = OFFSET_MS - 120_000
    assert entered(ClockSet(OFFSET_MS, "test"), at_ms=early_ms)[1] is None
    assert entered(ClockSet(OFFSET_MS, "test"), at_ms=early_ms, why="lift was stuck")[1] == early_ms


@pytest.mark.parametrize(
    "action",
    [
        pytest.param(ShelveAlarm("a", 10**15, "microseconds by mistake"), id="a shelf without an end"),
        pytest.param(SetEta("C1", 10**25), id="beyond every calendar"),
        pytest.param(EnterStage("C1", "transit", -1, "before 1970"), id="before 1970"),
    ],
)
def test_a_time_that_no_view_could_show_is_refused(action: Action) -> None:
    """Taken in, it would silence an alarm for good and end every later look at the state."""
    known = Known()
    outcome = LiveStation(known, known, SystemClock(), Surroundings()).act(action, ANNA)
    assert not outcome.done
    assert outcome.message.startswith("that is no time")
    assert known.facts == []
