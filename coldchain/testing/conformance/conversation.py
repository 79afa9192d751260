"""Checks on the real port: a device at the other end of a pseudo-terminal, and all that goes wrong between.

The device answers each question as the datasheet's first vector for it says. Whatever is done to one reply,
no value but these may ever come in, and the port must go on.
"""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from coldchain.config.loaded import Loaded, Source
from coldchain.driver import Line, SerialDriver
from coldchain.facts import Note, Reading, SourceDown
from coldchain.ports import Ports, start_ports
from coldchain.ports.standing import Count
from coldchain.testing.conformance.papers import example
from coldchain.testing.conformance.player import FAULTS, Fault, Player
from coldchain.testing.conformance.subject import Subject
from coldchain.testing.desk import Desk
from coldchain_simulators.wires import PtyWire

#: Short, so that a time-out costs a test little; the shortest of our devices answers within a few ms here.
TIMEOUT_MS = 250
ROUND_MS = 100


@dataclasses.dataclass
class Talk:
    """A port that reads, a device that plays, and what has come in."""

    desk: Desk
    ports: Ports
    player: Player
    wire: PtyWire

    def reads_on(self, rounds: int = 1) -> None:
        """Wait until each key, or a frame with what is only noted, has come well again, so many times."""
        keys = {channel for channel, _, _ in self.player.values}
        seen, frames = len(self.good), self._frames()
        self.desk.until(lambda: len(self.good) >= seen + len(keys) * rounds, "it reads on")
        self.desk.until(lambda: self._frames() >= frames + rounds, "frames come on")

    def _frames(self) -> int:
        counts = self.ports.status()[0].counts
        return counts[Count.FRAMES] - counts[Count.UNREADABLE]

    @property
    def good(self) -> list[Reading]:
        """The readings that are values."""
        return [reading for reading in self.desk.readings if reading.bad is None]

    def nothing_else_came(self) -> None:
        """No value but those that were sent, and the driver raised nothing."""
        found = {(reading.channel, reading.raw, reading.unit) for reading in self.good}
        assert found == self.player.values, f"came in: {found}; was sent: {self.player.values}"
        noted = {(note.key, note.text) for note in self.desk.of(Note) if isinstance(note, Note)}
        assert noted == self.player.notes, f"was noted: {noted}; was sent: {self.player.notes}"
        raised = [down.why for down in self.desk.downs if "raised" in down.why]
        assert raised == [], f"the driver raised: {raised}"


@contextmanager
def talking(subject: Subject) -> Iterator[Talk]:
    """The driver on a port, in conversation with a device that plays its datasheet."""
    with tempfile.TemporaryDirectory() as folder:
        wire = PtyWire(Path(folder) / "device")
        source, loaded = _on(subject, wire.port)
        assert source.line is not None
        desk = Desk()
        with Player(subject, source.line, wire) as player:
            ports = start_ports(loaded, desk.intake, desk.clock)
            try:
                yield Talk(desk, ports, player, wire)
            finally:
                ports.stop()
                wire.close()


def _on(subject: Subject, port: str) -> tuple[Source, Loaded]:
    """The example with our port, short times, and a channel for each key."""
    loaded = example(subject)
    (source,) = loaded.sources.values()
    line = source.line
    assert line is not None
    impatient: Line = msgspec.structs.replace(
        line, timeout_ms=TIMEOUT_MS, baud=line.baud or 9600, frame=line.frame or "8N1"
    )
    settings = source.settings.model_copy(update={"port": port})
    source = dataclasses.replace(
        source,
        settings=settings,
        driver_settings=subject.settings(),
        keys=subject.driver.keys(subject.settings()),
        line=impatient,
        round_ms=ROUND_MS,
    )
    shown = next(iter(loaded.settings.channels.values()), None)
    channels = {
        key: shown.model_copy(update={"key": key, "source": source.id}) for key in source.keys if shown
    }
    return source, dataclasses.replace(
        loaded,
        sources={source.id: source},
        settings=loaded.settings.model_copy(update={"channels": channels}),
    )


def it_reads_a_device_that_plays_its_vectors(subject: Subject) -> None:
    """Over a line, each question is asked as poll says and each value comes in as the datasheet has it."""
    if not isinstance(subject.driver, SerialDriver):
        return
    with talking(subject) as talk:
        talk.reads_on(2)
        talk.nothing_else_came()
        assert talk.player.strange == [], "it sent what neither poll nor identity holds"


def no_fault_of_the_line_gives_a_wrong_value(subject: Subject) -> None:
    """Partial, merged, split, echoed, corrupted, another's, oversized, late, silent: only the truth."""
    if not isinstance(subject.driver, SerialDriver):
        return
    with talking(subject) as talk:
        talk.reads_on()
        for fault in FAULTS:
            if talk.player.can(fault):
                talk.player.inject(fault)
                talk.desk.until(lambda: talk.player.done, f"{fault.value} happens")
                talk.reads_on()
        talk.nothing_else_came()


def unplugged_in_mid_frame_it_heals(subject: Subject) -> None:
    """Half a reply and then no device: no value of it, the source is down, and up again after plugging in."""
    if not isinstance(subject.driver, SerialDriver):
        return
    with talking(subject) as talk:
        talk.reads_on()
        talk.player.inject(Fault.PARTIAL)
        talk.desk.until(lambda: talk.player.done, "half a reply")
        talk.wire.unplug()
        talk.desk.wait_for(1, SourceDown)
        talk.wire.replug()
        talk.reads_on()
        talk.nothing_else_came()


CHECKS = (
    it_reads_a_device_that_plays_its_vectors,
    no_fault_of_the_line_gives_a_wrong_value,
    unplugged_in_mid_frame_it_heals,
)
