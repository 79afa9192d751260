"""Retention: readings older than the site's policy are removed, piece by piece, each signed and in the chain.

A piece is one fact and one transaction: it is there whole or not at all. Nothing is removed that any of these
still needs: an open consignment, a window of a rule, a sink that has not told it, a head that is not signed
yet or has not left the house. What goes is found beside the writer, who only folds the fact and commits.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from msgspec import Struct

from coldchain import facts
from coldchain.clock import Clock
from coldchain.config.amounts import duration_text
from coldchain.config.endpoints import InfluxSink, MqttStateSink
from coldchain.config.loaded import Loaded
from coldchain.daemon.signing import Signer
from coldchain.evidence import removals
from coldchain.evidence.keys import Key
from coldchain.evidence.summarising import summarised
from coldchain.fold import Fold, settling
from coldchain.fold.remains import remains
from coldchain.fold.sparing import spared
from coldchain.journal import Journal, JournalError, Readable, Reader, Removing
from coldchain.journal.removal import Bound, Surveyed, by_channel, holding, summary_of, survey
from coldchain.journal.removal import removals as told_removals
from coldchain.journal.states import state_hash
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.states import freeze
from coldchain.pipeline.writer import Writer
from coldchain.removed import Exact, ReadingsRemoved, ReadingsSummarised

_log = logging.getLogger("coldchain")

#: Facts that one piece looks at: of 20 channels once a minute 17 hours. Alarms wait for one such transaction.
PIECE_FACTS = 20_000
#: A new run begins when an eighth of the time for which readings are kept has come together: each run keeps
#: one saved state of the fold, from which what comes behind can be folded again exactly.
RUNS = 8


class Policy(Struct, frozen=True):
    """What a site asks for: for how long readings stay, and what stays of them afterwards; in ms.

    summary_ms: the span of which one row stays. around_ms: so much before and after an excursion stays exact.
    """

    readings_ms: int
    summary_ms: int = 3_600_000
    around_ms: int = 3_600_000

    @property
    def words(self) -> str:
        """As the configuration says it."""
        told = {
            "readings": self.readings_ms,
            "summary": self.summary_ms,
            "around_excursions": self.around_ms,
        }
        return ", ".join(f"{name} = {duration_text(value)}" for name, value in told.items())


def policy_of(loaded: Loaded) -> Policy | None:
    """The policy of a configuration; None: readings stay for ever."""
    table = loaded.settings.retention
    return None if table is None else Policy(table.readings, table.summary, table.around_excursions)


class Proposal(Struct, frozen=True):
    """What the policy would remove now.

    judged_from_ms, judged_from_utc_ms: what was measured before is judged no more (journal time, UTC).
    first_commit, last_commit: of which commits readings would go, if the last is not before the first. why:
    what keeps them from reaching further, in words. holds: places of which nothing goes. exact: spans in
    which readings stay, since an excursion was there.
    """

    policy: Policy
    judged_from_ms: int
    judged_from_utc_ms: int | None
    reach_ms: int
    first_commit: int
    last_commit: int
    holds: tuple[settling.Hold, ...]
    held: frozenset[str]
    exact: tuple[Exact, ...] = ()
    why: str = ""

    @property
    def bound(self) -> Bound:
        """By what it is chosen."""
        utc_ms = self.judged_from_utc_ms
        before_utc_ms = None if utc_ms is None else utc_ms - self.reach_ms
        return Bound(self.judged_from_ms - self.reach_ms, before_utc_ms, self.held, by_channel(self.exact))


@dataclass(frozen=True)
class Guards:
    """What must be done with a commit before its readings may go.

    anchored: the last commit under a signature, and, where heads leave the house, known outside; and a
    sentence about it. log_sinks: names of the sinks that tell of readings.
    """

    anchored: tuple[int, str]
    log_sinks: tuple[str, ...]


def guards_of(loaded: Loaded, signed: int, outside: int) -> Guards:
    """What a configuration asks for. signed, outside: the last commit under a head, and under a taken one."""
    sinks = loaded.settings.sinks
    if any(isinstance(sink, MqttStateSink) for sink in sinks.values()):
        anchored = (min(signed, outside), f"no head beyond commit {outside} has left the house")
    else:
        anchored = (signed, f"no head beyond commit {signed} is signed")
    return Guards(anchored, tuple(name for name, sink in sinks.items() if isinstance(sink, InfluxSink)))


def retaining(
    loaded: Callable[[], Loaded], writer: Writer, queue: Queue, clock: Clock, journal: Journal, signer: Signer
) -> Retention:
    """Retention as the configuration in force wants it, for a daemon."""

    def guards(_: Readable) -> Guards:
        return guards_of(loaded(), 0 if signer.head is None else signer.head.commit, signer.outside)

    def policy() -> Policy | None:
        return policy_of(loaded())

    return Retention(writer, queue, clock, journal, engine(), lambda: signer.key, policy, guards)


class Wanted(Struct, frozen=True):
    """What the fold has to say to a policy: from when on readings are judged, and what is needed still."""

    judged_from_ms: int
    judged_from_utc_ms: int | None
    reach_ms: int
    holds: tuple[settling.Hold, ...]
    held: frozenset[str]
    exact: tuple[Exact, ...]


def wanted(fold: Fold, policy: Policy) -> Wanted:
    """What a policy means now. The caller sees to it that the fold stands still."""
    now_ms, keep_ms = fold.arrival_ms, policy.readings_ms
    utc_ms = fold.timebase.utc(now_ms)
    from_ms, from_utc_ms = now_ms - keep_ms, None if utc_ms is None else utc_ms - keep_ms
    reach = settling.reach_ms(fold)
    holds = settling.holds(fold, from_ms, from_utc_ms, reach)
    exact = spared(fold, policy.around_ms, from_ms, from_utc_ms)
    held = settling.held_channels(fold, holds)
    return Wanted(from_ms, from_utc_ms, reach, tuple(holds), held, exact)


def propose(want: Wanted, journal: Readable, policy: Policy, guards: Guards) -> Proposal:
    """What would go now; looks at the journal alone."""
    position, why = journal.position_at(want.judged_from_ms - want.reach_ms - 1), ""
    cursors = journal.cursors()
    for sink in guards.log_sinks:
        confirmed = cursors[sink].confirmed if sink in cursors else 0
        if confirmed < position:
            position, why = confirmed, f"sink {sink} has told of nothing after position {confirmed} yet"
    last = _last_commit(journal, position)
    if guards.anchored[0] < last:
        last, why = guards.anchored
    first = first_commit(journal, want.held)
    # What an earlier removal left exact stays so if its commits are gone through again.
    exact = (*want.exact, *(span for _, one in told_removals(journal) for span in one.exact))
    return Proposal(
        policy, want.judged_from_ms, want.judged_from_utc_ms, want.reach_ms, first, last,
        want.holds, want.held, exact, why,
    )  # fmt: skip


def first_commit(journal: Readable, held: frozenset[str]) -> int:
    """Behind what was removed; or where readings were held, and are held no more."""
    parts = holding(told_removals(journal)).parts
    for _, one in parts:
        if set(one.held) - held:
            return one.first_commit
    return parts[-1][1].last_commit + 1 if parts else 1


def piece(journal: Readable, proposal: Proposal) -> Surveyed | None:
    """The next piece; None: nothing goes. One that was removed before is taken as it was then."""
    first = first_commit(journal, proposal.held)
    for _, one in holding(told_removals(journal)).parts:
        if one.first_commit == first:
            return survey(journal, first, one.last_commit, proposal.bound, None)
    if first > proposal.last_commit:
        return None
    return survey(journal, first, proposal.last_commit, proposal.bound, PIECE_FACTS)


class Plan(Struct, frozen=True):
    """A proposal, and what it would come to: facts that go and facts that stay, up to a commit.

    spared: how many of those that stay do so for an excursion. short: rules that lack readings that are gone.
    """

    proposal: Proposal
    removed: int
    kept: int
    last_commit: int
    spared: int = 0
    short: tuple[settling.Short, ...] = ()


def surveyed(journal: Readable, proposal: Proposal) -> Plan:
    """What a proposal would come to, all pieces together."""
    first, last = proposal.first_commit, proposal.last_commit
    found = survey(journal, first, last, proposal.bound, None) if first <= last else None
    if found is None:
        return Plan(proposal, 0, 0, last)
    there = sum(1 for _ in journal.stored_facts(found.first_position, found.last_position))
    return Plan(proposal, found.removed, there - found.removed, found.last_commit, found.spared)


def lacking(one: settling.Short) -> str:
    """A sentence about a rule that looks back to where readings were removed."""
    span = duration_text(one.kept_ms - one.begin_ms)
    return (
        f"{one.place}: its rule {one.rule} began after older readings were removed and lacks the first "
        f"{span} of its time: it sums up what was kept"
    )


def _last_commit(journal: Readable, position: int) -> int:
    """The last commit that ends at a position or before."""
    low, high = 0, journal.tail().commit
    while low < high:
        middle = (low + high + 1) // 2
        commit = next(journal.commits(middle, middle), None)
        low, high = (middle, high) if commit and commit.last_position <= position else (low, middle - 1)
    return low


@dataclass(frozen=True)
class _Run:
    """A run under way: everything that its pieces have in common."""

    proposal: Proposal
    remains: bytes
    state_position: int
    state: bytes


class Retention:
    """Removes by policy, one piece at a time. `look` is called now and then, by one thread."""

    def __init__(
        self,
        writer: Writer,
        queue: Queue,
        clock: Clock,
        journal: Journal,
        made_by: str,
        key: Callable[[], Key | None],
        policy: Callable[[], Policy | None],
        guards: Callable[[Readable], Guards],
    ) -> None:
        """Nothing is done by itself. policy: what is removed when; None: nothing, ever."""
        self._writer, self._queue, self._clock = writer, queue, clock
        self._journal, self._engine = journal, made_by
        self._key, self._policy, self._guards = key, policy, guards
        self._run: _Run | None = None
        self._idle = threading.Event()
        self._idle.set()
        self._said = ""
        self._short: set[tuple[str, str]] = set()

    def look(self) -> None:
        """Do the next step if there is one, and the one before is done; say which rules lack readings."""
        with self._writer.lock:
            short = settling.short(self._writer.fold)
        for one in short:
            if (one.place, one.rule) not in self._short:
                _log.warning("%s", lacking(one))
        self._short = {(one.place, one.rule) for one in short}
        if self._policy() is None:
            return
        try:
            with Reader.open(self._journal.path) as reader:
                self.step(reader)
        except JournalError as error:
            self._say(f"no readings are removed: {error}")

    def step(self, reader: Readable, *, at_once: bool = False) -> bool:
        """Begin a run, or remove a piece; whether there was anything to do.

        at_once: also where not enough has come together for a run. What it began is on disk after `wait`.
        """
        key, policy = self._key(), self._policy()
        if policy is None or not self._idle.is_set() or self._writer.failing.unwritten:
            return False
        if key is None:
            self._say("no readings are removed: there is no key to sign that with ([evidence] key_file)")
            return False
        run = self._run
        if run is None:
            return self._begin(reader, policy, at_once=at_once)
        found = piece(reader, run.proposal)
        if found is None:
            self._run = None
            return False
        summaries = summarised(reader, found, run.proposal.policy.summary_ms)
        fact = removals.sign(key, self._fact(run, found, summaries))
        removing = Removing(0, found.spans, found.first_position, found.last_position, run.remains)
        self._idle.clear()
        self._queue.remove(summaries, fact, removing, lambda folded: self._idle.set())
        return True

    def wait(self, timeout_s: float) -> bool:
        """Wait until the last step is on disk; False if it is not by then."""
        return self._idle.wait(timeout_s)

    def _begin(self, reader: Readable, policy: Policy, *, at_once: bool) -> bool:
        with self._writer.lock:
            want = wanted(self._writer.fold, policy)
        proposal = propose(want, reader, policy, self._guards(reader))
        if proposal.why:
            self._say(f"older readings stay for now: {proposal.why}")
        if not (at_once or _enough(reader, proposal)) or piece(reader, proposal) is None:
            return False
        with self._writer.lock:
            fold = self._writer.fold
            left = remains(fold, want.held, want.judged_from_ms, want.judged_from_utc_ms)
            run = _Run(proposal, left, fold.position, freeze(fold))
        self._idle.clear()
        self._writer.later(lambda: self._save(run))
        return True

    def _save(self, run: _Run) -> None:
        """In the writer's thread: from this state a fold goes on exactly once the readings are gone."""
        try:
            self._journal.save_base_state(run.state_position, self._engine, run.state)
            self._run = run
        finally:
            self._idle.set()

    def _fact(self, run: _Run, found: Surveyed, summaries: tuple[ReadingsSummarised, ...]) -> ReadingsRemoved:
        proposal = run.proposal
        return ReadingsRemoved(
            journal=self._journal.journal_id.hex(),
            first_commit=found.first_commit,
            last_commit=found.last_commit,
            first_position=found.first_position,
            last_position=found.last_position,
            removed=found.removed,
            kept=found.kept,
            link_before=found.link_before,
            link_after=found.link_after,
            policy=proposal.policy.words,
            judged_from_ms=proposal.judged_from_ms,
            judged_from_utc_ms=proposal.judged_from_utc_ms,
            reach_ms=proposal.reach_ms,
            remains=hashlib.sha256(run.remains).hexdigest(),
            state_position=run.state_position,
            state=state_hash(run.state_position, self._engine, run.state).hex(),
            engine=self._engine,
            held=tuple(sorted(proposal.held)),
            exact=found.exact,
            summaries=len(summaries),
            summary=summary_of(map(facts.encode, summaries)),
            utc_ms=self._clock.utc_ms() if self._clock.known() else None,
        )

    def _say(self, why: str) -> None:
        if why != self._said:
            _log.warning("%s", why)
        self._said = why


def _enough(journal: Readable, proposal: Proposal) -> bool:
    first, last = (
        next(journal.commits(number, number), None)
        for number in (proposal.first_commit, proposal.last_commit)
    )
    if first is None or last is None:
        return False
    return (
        last.number < first.number
        or last.arrival_ms - first.arrival_ms >= proposal.policy.readings_ms // RUNS
    )
