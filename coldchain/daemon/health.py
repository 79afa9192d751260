"""How the gateway itself is doing, held against the site's limits: a fact when it crosses one, and no other.

What is measured is shown at once (`/metrics`); an alarm waits until it has lasted, and its end until it is
over for good, so that a card that pauses or a broker that restarts wakes nobody. The fact carries value and
limit, so a re-fold needs neither this machine nor its configuration.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from coldchain import clock as kernel
from coldchain.clock import Clock
from coldchain.config.settings import Health
from coldchain.daemon import consumption
from coldchain.facts import HealthCrossed
from coldchain.journal.database import wal_path
from coldchain.model import Priority
from coldchain.pipeline.intake import Queue
from coldchain.pipeline.writer import Writer

#: How often it is looked (real seconds).
LOOK_S = 20
#: So long it must have been beyond its limit, and so long within again (real seconds). Our judgement: a
#: minute outlasts the pauses of a memory card and the restart of a broker; five minutes prevent chattering.
WAIT_S, CALM_S = 60.0, 300.0

_SINK = "sink-"


class SinkHealth(Struct, frozen=True):
    """One sink: whether it takes what it is told, and for how long the oldest has waited (journal ms)."""

    ok: bool
    oldest_ms: int | None


class Measure(Struct, frozen=True):
    """One thing measured; `beyond`: the limit is crossed."""

    what: str
    value: int
    limit: int
    unit: str
    beyond: bool
    priority: Priority = Priority.LOW


class HealthWatch:
    """Measures and decides. `look` is called by housekeeping alone; limits may change under it."""

    def __init__(
        self,
        limits: Callable[[], Health],
        writer: Writer,
        queue: Queue,
        clock: Clock,
        journal: Path,
        sinks: Callable[[], Mapping[str, SinkHealth]],
    ) -> None:
        self.wait_s, self.calm_s = WAIT_S, CALM_S
        self._limits, self._writer, self._queue, self._clock = limits, writer, queue, clock
        self._journal, self._sinks = journal, sinks
        self._since: dict[str, tuple[bool, float]] = {}
        self._down_s: dict[str, float] = {}
        self._commits = (0, 0.0)

    def look(self) -> None:
        """Measure everything, and record what has crossed its limit for long enough."""
        now_s = self._clock.real_s()
        measured = list(self._measure())
        with self._writer.lock:
            desk = self._writer.fold.desk
            ours = [alarm for alarm in desk.alarms if alarm.startswith("gateway/")]
            standing = {alarm for alarm in ours if desk.condition(alarm)}
        for one in measured:
            beyond, since_s = self._since.get(one.what, (not one.beyond, now_s))
            if beyond != one.beyond:
                since_s = now_s
                self._since[one.what] = (one.beyond, now_s)
            lasted = now_s - since_s >= (self.wait_s if one.beyond else self.calm_s)
            if lasted and one.beyond != (f"gateway/{one.what}" in standing):
                self._say(one)
        for alarm in standing:
            what = alarm.removeprefix("gateway/")
            if what.startswith(_SINK) and what not in {one.what for one in measured}:
                self._say(Measure(what, 0, 0, "ms", beyond=False))  # the configuration has it no more

    def _say(self, one: Measure) -> None:
        self._queue.submit(
            (HealthCrossed(one.what, one.beyond, one.value, one.limit, one.unit, one.priority),)
        )

    def _measure(self) -> Iterator[Measure]:
        limits = self._limits()
        try:
            total, _, free = shutil.disk_usage(self._journal.parent)
        except OSError:
            pass  # a commit says aloud what is wrong with the disk
        else:
            least = total * limits.disk_free // 10_000
            yield Measure("disk", free, least, "bytes", free < least)
        with suppress(OSError):
            log = wal_path(self._journal).stat().st_size
            yield Measure("log", log, limits.log, "bytes", log > limits.log)
        most = self._queue.capacity * limits.queue // 10_000
        waiting = self._queue.waiting
        yield Measure("queue", waiting, most, "facts", waiting > most, Priority.HIGH)
        commits = self._writer.commits
        (count, sum_s), self._commits = self._commits, (commits.count, commits.sum_s)
        if commits.count > count:
            mean_ms = round((commits.sum_s - sum_s) / (commits.count - count) * 1000)
            yield Measure("commit", mean_ms, limits.commit, "ms", mean_ms > limits.commit)
        yield from _consumed(limits)
        yield from _clock(limits)
        now_s = self._clock.real_s()
        sinks = self._sinks()
        for name in self._down_s.keys() - sinks.keys():
            del self._down_s[name]
        for name, sink in sinks.items():
            if sink.ok:
                self._down_s.pop(name, None)
            down_s = 0.0 if sink.ok else now_s - self._down_s.setdefault(name, now_s)
            # Receivers live in real time, however fast the journal's passes in a demonstration.
            age_ms = max(round(down_s * 1000), (sink.oldest_ms or 0) // self._clock.speed)
            beyond = age_ms > limits.sink
            yield Measure(f"{_SINK}{name}", age_ms, limits.sink, "ms", beyond, Priority.HIGH)


def _consumed(limits: Health) -> Iterator[Measure]:
    """What something that never gives anything back (a driver, a library) uses up in days or weeks."""
    for what, share, most, unit in (
        ("memory", consumption.memory(), limits.memory, "bytes"),
        ("files", consumption.files(), limits.files, "files"),
    ):
        if share is not None:
            limit = share.at_most * most // 10_000
            yield Measure(what, share.used, limit, unit, share.used > limit)


def _clock(limits: Health) -> Iterator[Measure]:
    """By how much the kernel's clock may be wrong, while the kernel stands for it at all.

    Once it does not, that alarm (`gateway/clock`) says more, and this one ends.
    """
    error_s = kernel.kernel_clock_error_s()
    if error_s is not None:
        error_ms = round(error_s * 1000)
        beyond = error_ms > limits.clock and kernel.kernel_clock_synchronised()
        yield Measure("clock-error", error_ms, limits.clock, "ms", beyond)
