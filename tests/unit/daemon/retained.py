"""A gateway with a journal of some days, made in a moment: real writer, real journal, a clock in the hand."""

from __future__ import annotations

from pathlib import Path

from coldchain.daemon.retention import Guards, Policy, Retention
from coldchain.evidence.keys import Key
from coldchain.facts import Activated, ConsignmentStarted, EngineStarted, Fact, ProcessEnded, Reading
from coldchain.journal import Journal, Readable
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.recovery import Recovered, recover
from coldchain.pipeline.timekeeper import Timekeeper
from coldchain.pipeline.writer import Hooks, Writer
from coldchain.plan import Plan, Rolling
from tests.unit.fold.bench import MIN, channel, limit, plan
from tests.unit.fold.test_calm_band import RULES
from tests.unit.pipeline.fake_clock import HandClock

HOUR = 60 * MIN
DAY = 24 * HOUR
EVERY = 10 * MIN
#: What judges the box: a limit, a rolling sum and a mean; the rules look back 30 min.
JUDGED = plan(
    limit(value=8, hold_ms=0),
    *(rule for rule in RULES if isinstance(rule, Rolling)),
    RULES[8],
    channels=(channel(max_gap_ms=2 * EVERY),),
)
#: Readings in one commit: each waits for the disk.
TOGETHER = 6
EVERYTHING = (2**62, "")


class House:
    """Writer, journal and retention of one run of a gateway."""

    def __init__(
        self,
        path: Path,
        *,
        key: Key | None,
        clock: HandClock | None = None,
        keep_ms: int | None = DAY,
        made_by: str = "",
        beat: bool = False,
    ) -> None:
        self.path, self.key, self.keep_ms = path, key, keep_ms
        self.clock = clock or HandClock()
        self.engine = made_by or engine()
        self.journal = Journal.open(path, reserve_bytes=0)
        self.recovered: Recovered = recover(self.journal, self.engine)
        timekeeper = Timekeeper(self.clock)
        started = timekeeper.start(self.recovered.fold)
        self.queue = Queue(self.clock, 100_000)
        self.writer = Writer(
            self.clock, self.queue, self.recovered.fold, self.journal, self.engine, timekeeper, Hooks()
        )
        if not beat:
            self.writer.beat_s = 10**9
        self.anchored = EVERYTHING
        self.around_ms = HOUR
        self.log_sinks: tuple[str, ...] = ()
        self.retention = Retention(
            self.writer, self.queue, self.clock, self.journal, self.engine, lambda: self.key,
            self._policy, self._guards,
        )  # fmt: skip
        self.submit(*started.facts, EngineStarted(self.engine, "test"))

    def _policy(self) -> Policy | None:
        return None if self.keep_ms is None else Policy(self.keep_ms, around_ms=self.around_ms)

    def _guards(self, journal: Readable) -> Guards:
        return Guards(self.anchored, self.log_sinks)

    def submit(self, *facts: Fact) -> None:
        """Let something be said, and written."""
        self.queue.submit(facts)
        self.writer.step(0)

    def activate(self, active: Plan = JUDGED) -> None:
        """Bring a configuration into force."""
        self.submit(Activated(active, {}))

    def measure(self, count: int, *values: str, every_ms: int = EVERY) -> None:
        """So many readings, one each `every_ms`, the values in turn."""
        for i in range(count):
            self.clock.pass_ms(every_ms)
            raw = values[i % len(values)]
            self.queue.offer((Reading("log", "box.vapour", raw, "degC", at_ms=self.clock.utc_ms()),))
            if i % TOGETHER == TOGETHER - 1 or i == count - 1:
                self.writer.step(0)

    def days(self, count: int) -> None:
        """So many days: cold, with an hour of warmth in the middle of each."""
        for _ in range(count):
            self.measure(60, "5", "5.1")
            self.measure(6, "20")
            self.measure(78, "5.2", "5")

    def consignment(self, name: str = "c1") -> None:
        """Doses travel from now on."""
        self.submit(ConsignmentStarted(name, "box", "test", "transport", self.clock.utc_ms(), actor="anna"))

    def retain(self, *, at_once: bool = True, pieces: int = 1_000) -> int:
        """Let retention do what there is to do; how many pieces went."""
        done = 0
        while done <= pieces and self.retention.step(self.journal, at_once=at_once):
            self.writer.step(0)
            self.writer.step(0)
            done += 1
        return done - 1 if done else 0

    def end(self) -> None:
        """Stop as a daemon does."""
        self.writer.stop(ProcessEnded("test"))
        self.writer.run()
        self.journal.close()
