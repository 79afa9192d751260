"""A journal as a daemon would have left it: facts folded one by one, what they made it say, who was told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from coldchain import announcements, facts
from coldchain.announcements import Announcement, Kind
from coldchain.facts import Activated, ClockSet, EngineStarted, Fact, ProcessStarted, Reading, Wake
from coldchain.fold import Fold
from coldchain.journal import Batch, Deliveries, Document, Entry, Journal, Notice, PrivateText
from coldchain.plan import Plan
from coldchain.testing.notation import readings
from tests.unit.fold.bench import MIN, T0

#: What the configuration says of the probe, as the journal keeps it.
CONFIG = """\
[channels."box.vapour".calibration]
certificate = "2026-0114"
due = 2027-01-31
uncertainty = "0.3 °C"
"""


class Recorded:
    """Folds and commits; each alarm goes to the sink "room"."""

    def __init__(self, path: Path, plan: Plan, *, engine: str = "e1", clock: bool = True) -> None:
        self.path = path
        self.fold = Fold()
        self.said: list[tuple[int, Announcement]] = []
        self._journal = Journal.open(path)
        self._position = 0
        self._texts: list[PrivateText] = []
        document = Document.of(CONFIG)
        self.add(EngineStarted(engine, "test"), T0)
        self.add(ProcessStarted("boot", T0 if clock else None, 0), T0)
        self.add(ClockSet(0 if clock else None, "test"), T0)
        self.add(Activated(plan, {"gateway.toml": document.sha256}), T0, documents=(document,))

    def text(self, text: str) -> str:
        """The commitment to a name or a comment."""
        made = PrivateText.of(text)
        self._texts.append(made)
        return made.commitment

    def add(self, fact: Fact, at_ms: int | None = None, **more: Any) -> None:
        """Fold a fact and commit it with what it made us say."""
        if at_ms is None:
            at_ms = fact.at_ms if isinstance(fact, Reading) else self.fold.arrival_ms
        assert at_ms is not None
        at_ms = max(at_ms, self.fold.arrival_ms)
        self._position += 1
        said = self.fold.apply(self._position, at_ms, fact)
        self.said += [(self._position, one) for one in said]
        entry = Entry(
            self._position, at_ms, facts.encode(fact), tuple(announcements.encode(one) for one in said)
        )
        notices = tuple(
            Notice("room", f"{self._position}-{ordinal}", self._position, ordinal, one.kind.value, b"{}")
            for ordinal, one in enumerate(said)
            if one.kind is Kind.RAISED
        )
        texts, self._texts = tuple(self._texts), []
        self._journal.commit(Batch((entry,), notices=notices, private_texts=texts, **more))

    def series(self, given: str, start_ms: int = T0, **late: int) -> None:
        """Feed a series, waking in between; `delay_ms` is how much later each reading arrives."""
        for reading in readings(given, source="log", channel="box.vapour", start_ms=start_ms, step_ms=MIN):
            assert reading.at_ms is not None
            at_ms = reading.at_ms + late.get("delay_ms", 0)
            self.run(at_ms - 1)
            self.add(reading, at_ms)

    def run(self, until_ms: int) -> None:
        """Wake at every deadline up to an instant."""
        while (due_ms := self.fold.next_due_ms()) is not None and due_ms <= until_ms:
            self.add(Wake(), due_ms)

    def tell(self, receipt: str, now_ms: int) -> None:
        """The sink has told of everything that waits."""
        with Deliveries.open(self.path) as deliveries:
            waiting = deliveries.pending("room", now_ms)
            deliveries.done("room", {each.notice.id: receipt for each in waiting}, now_ms)

    def close(self) -> None:
        """The daemon ends."""
        self._journal.close()
