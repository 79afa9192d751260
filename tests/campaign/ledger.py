"""What a journal was seen to hold while its gateway lived: every reading, counted, as it came in."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from coldchain import facts
from coldchain.facts import Activated, ClockSet, Lost, Reading
from coldchain.journal import JournalError, Reader
from coldchain.model import Origin
from coldchain.units import TEMPERATURE

#: The sources of a gateway under faults: a device on MQTT, a logger on a serial line, one that may flood.
BUS, LOG, FLOOD = "bus", "log", "flood"


class Ledger:
    """Reads on where it stopped; what was seen once stays.

    times: the event times of a source. values: (channel, time, value in quanta). lost: of how many
    messages of a source the gateway says that it could not take them in. position: how far it has read.
    """

    def __init__(self, journal: Path) -> None:
        self.times: dict[str, set[int]] = {source: set() for source in (BUS, LOG, FLOOD)}
        self.values: set[tuple[str, int, int]] = set()
        self.lost: Counter[str] = Counter()
        self.clock_facts = self.activations = 0
        self.position = 0
        self._journal = journal
        self._numbers: dict[str, Counter[int]] = {source: Counter() for source in self.times}
        self._origins: Counter[tuple[str, int, Origin]] = Counter()

    def look(self) -> None:
        """Take notice of what has come in."""
        try:
            with Reader.open(self._journal) as reader:
                for row in reader.facts(self.position + 1):
                    self.position = row.position
                    self._note(facts.decode(row.body))
        except JournalError:
            return  # it is being made, or mended

    def numbers(self, source: str) -> Counter[int]:
        """How often each number of this source is there, in the order in which they came first."""
        return self._numbers[source]

    def last(self, source: str) -> int:
        """The largest number of this source; −1: there is none."""
        return max(self._numbers[source], default=-1)

    def doubled(self) -> list[str]:
        """What is there twice.

        A device that repeats what its broker repeats as well is heard as redelivered, then as fresh. The
        second says something new of the same reading and is a fact of its own; a third would not be.
        """
        return [
            f"{source}: {number} ({origin.value}) is there {times} times"
            for (source, number, origin), times in self._origins.items()
            if times > 1
        ]

    def _note(self, fact: facts.Fact) -> None:
        if isinstance(fact, Lost):
            self.lost[fact.source] += fact.count
        self.clock_facts += isinstance(fact, ClockSet)
        self.activations += isinstance(fact, Activated)
        if not isinstance(fact, Reading) or fact.sequence is None or fact.at_ms is None:
            return
        self._numbers[fact.source][fact.sequence] += 1
        self._origins[fact.source, fact.sequence, fact.origin] += 1
        self.times[fact.source].add(fact.at_ms)
        quanta = TEMPERATURE.quanta(fact.raw, fact.unit)
        if isinstance(quanta, int):
            self.values.add((fact.channel, fact.at_ms, quanta))
