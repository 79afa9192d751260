"""A small bench for the fold: one box, chosen rules, facts in order, what was said."""

from __future__ import annotations

from typing import Any

from coldchain.announcements import Announcement, Kind
from coldchain.facts import Activated, ClockSet, EngineStarted, Fact, ProcessStarted, Reading, Wake
from coldchain.fold import Fold
from coldchain.model import Priority, Side
from coldchain.plan import (
    AssetPlan,
    Budget,
    ChannelPlan,
    Cited,
    Limit,
    Plan,
    ProfilePlan,
    Rule,
    SourcePlan,
    StagePlan,
)
from coldchain.testing.notation import readings
from coldchain.testing.saying import told

MIN = 60_000
#: All tests begin at this instant of UTC and of journal time, unless they say otherwise.
T0 = 1_700_000_000_000
CITED = Cited(source="test", confidence="test")


def limit(name: str = "above", value: float = -150, **more: Any) -> Limit:
    """A limit in °C; by default above −150 °C, held 10 min."""
    words: dict[str, Any] = {
        "id": name,
        "role": "vapour",
        "side": Side.ABOVE,
        "limit": round(value * 1000),
        "hold_ms": 10 * MIN,
        "priority": Priority.CRITICAL,
        "cited": CITED,
    }
    return Limit(**(words | more))


def budget(name: str = "budget", value: float = -150, allowance_min: float = 10, **more: Any) -> Budget:
    """A budget in °C and minutes."""
    words: dict[str, Any] = {
        "id": name,
        "role": "vapour",
        "side": Side.ABOVE,
        "limit": round(value * 1000),
        "allowance_ms": round(allowance_min * MIN),
        "priority": Priority.CRITICAL,
        "cited": CITED,
    }
    return Budget(**(words | more))


def plan(*rules: Rule, profile: str = "test", channels: tuple[ChannelPlan, ...] = (), **source: Any) -> Plan:
    """One box with a vapour probe on source "log", judged by these rules."""
    words: dict[str, Any] = {"id": "log", "driver": "test", "round_ms": 2 * MIN, "sends_time": True}
    return Plan(
        site="test",
        sources=(SourcePlan(**(words | source)),),
        channels=channels or (channel(),),
        assets=(AssetPlan("box", "dry_shipper", profile=profile, stage="transport"),),
        profiles=(ProfilePlan("test", "1", True, (StagePlan("transport", rules),), "0" * 64),),
    )


def channel(name: str = "box.vapour", **more: Any) -> ChannelPlan:
    """A vapour probe read once a minute, in force for 3 min, silent after an hour."""
    words: dict[str, Any] = {
        "id": name,
        "source": "log",
        "quantity": "temperature",
        "asset": "box",
        "role": "vapour",
        "interval_ms": MIN,
        "fresh_within_ms": 60 * MIN,
        "max_gap_ms": 30 * MIN,
        "valid_low": -210_000,
        "valid_high": 60_000,
    }
    return ChannelPlan(**(words | more))


class Bench:
    """A fold that has just started; `said` collects everything since."""

    def __init__(self, active: Plan, *, start_ms: int = T0, clock: bool = True) -> None:
        self.fold = Fold()
        self.said: list[tuple[int, Announcement]] = []
        self.facts: list[tuple[int, Fact]] = []
        self.add(EngineStarted("e1", "test"), start_ms)
        self.add(ProcessStarted("boot", start_ms if clock else None, 0), start_ms)
        self.add(ClockSet(0 if clock else None, "test"), start_ms)
        self.add(Activated(active, {}), start_ms)
        self.said.clear()

    def add(self, fact: Fact, arrival_ms: int | None = None) -> list[Announcement]:
        """Fold one fact; a reading arrives at its event time unless said otherwise."""
        if arrival_ms is None:
            arrival_ms = fact.at_ms if isinstance(fact, Reading) else self.fold.arrival_ms
        assert arrival_ms is not None
        self.facts.append((arrival_ms, fact))
        said = self.fold.apply(len(self.facts), arrival_ms, fact)
        self.said += [(arrival_ms, one) for one in said]
        return said

    def run(self, until_ms: int) -> None:
        """Wake at every deadline up to an instant, as the writer does."""
        while (due := self.fold.next_due_ms()) is not None and due <= until_ms:
            self.add(Wake(), max(due, self.fold.arrival_ms))

    def series(self, given: str, *, delay_ms: int = 0, start_ms: int = T0, step_ms: int = MIN) -> None:
        """Feed a series in our notation, waking in between."""
        for reading in readings(
            given, source="log", channel="box.vapour", start_ms=start_ms, step_ms=step_ms
        ):
            assert reading.at_ms is not None
            self.run(reading.at_ms + delay_ms - 1)
            self.add(reading, reading.at_ms + delay_ms)

    def told(self, *kinds: Kind) -> list[str]:
        """What was said, in short lines; all kinds, or the given ones."""
        return told((a for _, a in self.said if not kinds or a.kind in kinds), start_ms=T0)

    def refold(self) -> list[tuple[int, Announcement]]:
        """The same facts folded again from nothing, without this bench's start-up announcements."""
        fold = Fold()
        again: list[tuple[int, Announcement]] = []
        for position, (arrival_ms, fact) in enumerate(self.facts, 1):
            said = fold.apply(position, arrival_ms, fact)
            if position > 4:
                again += [(arrival_ms, one) for one in said]
        return again


def announced(rules: tuple[Rule, ...], given: str, until_min: int) -> list[str]:
    """What a box with these rules says to a series, up to a minute."""
    bench = Bench(plan(*rules))
    bench.series(given)
    bench.run(T0 + until_min * MIN)
    assert bench.refold() == bench.said
    return bench.told()
