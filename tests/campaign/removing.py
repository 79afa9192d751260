"""Kills inside a removal of old readings: before any request to the disk, and before its commit.

Each life opens a journal of three days that keeps readings for one, and dies while it removes the rest, piece
by piece. What it leaves is audited as a stranger would (links, what each removal says is kept, the fold, the
stand-alone checker), and the next life goes on: in the end there is what an undisturbed life leaves.
"""

from __future__ import annotations

import json
import signal
import tempfile
from pathlib import Path

from msgspec import Struct

from coldchain import facts
from coldchain.evidence import check_export, heads
from coldchain.evidence.export import lines
from coldchain.evidence.keys import EvidenceError, Key
from coldchain.facts import Reading
from coldchain.journal import Entry, Reader, verify_chain
from coldchain.journal.removal import removals
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import verify
from tests.campaign.nursery import Nursery
from tests.campaign.outcome import Fault, Outcome, Size
from tests.unit.daemon.retained import House
from tests.unit.pipeline.fake_clock import HandClock

#: In the short form each so many-th request only.
_EVERY = {Size.SHORT: 10, Size.FULL: 1}
_LIVES_WITHIN_S = 60.0
#: Readings that the life after a kill takes in before it removes what is left to remove.
_MORE = 12


class _Begun(Struct, frozen=True):
    """The journal before anything was removed, and what it takes to go on with it."""

    data: bytes
    entries: tuple[Entry, ...]
    key_file: Path
    key: Key
    utc_ms: int
    boot_ms: int


def _begin(folder: Path) -> _Begun:
    key_file = folder / "key"
    key = Key.make(key_file)
    house = House(folder / "begun.db", key=key)
    house.activate()
    house.days(3)
    house.submit(heads.sign(key, house.journal.journal_id, house.journal.tail(), None))
    house.end()
    with Reader.open(house.path) as journal:
        entries = tuple(journal.entries())
    clock = house.clock
    return _Begun(house.path.read_bytes(), entries, key_file, key, clock.utc_ms(), clock.boot_ms())


def _audited(path: Path, begun: _Begun) -> str:
    """What is wrong with a journal of which a part may have been removed; "" if nothing."""
    with Reader.open(path) as journal:
        told = [removed for _, removed in removals(journal)]
        there = {entry.position: entry for entry in journal.entries()}
        chain = verify_chain(journal)
        found = verify(journal, engine())
        export = check_export.Export(begun.key.public)
        try:
            for line in lines(journal):
                export.line(json.loads(line))
            export.finish()
        except (check_export.Wrong, EvidenceError) as wrong:
            return f"the stand-alone checker says: {wrong}"
    if chain.first is not None:
        return chain.first.detail
    if not found.sound:
        return f"folded again it differs: {found.stretches}, {found.stopped}"
    gone = [entry.position for entry in begun.entries if entry.position not in there]
    if len(gone) != sum(removed.removed for removed in told):
        return f"{len(gone)} facts are gone, the removals tell of {[removed.removed for removed in told]}"
    if any(there[entry.position] != entry for entry in begun.entries if entry.position in there):
        return "what stays is not what it was"
    return ""


def _went_on(path: Path, begun: _Begun) -> list[int]:
    """The next life: it takes readings in and removes again; when what is left then was measured."""
    clock = HandClock(begun.utc_ms, boot_ms=begun.boot_ms)
    house = House(path, key=begun.key, clock=clock)
    house.measure(_MORE, "5")
    house.retain()
    house.end()
    with Reader.open(path) as journal:
        left = [facts.decode(row.body) for row in journal.facts()]
    return [fact.at_ms or 0 for fact in left if isinstance(fact, Reading)]


def killed_while_removing(seed: int, size: Size) -> Outcome:
    """Each piece is gone with the fact that tells of it, or not at all; the next life removes the rest."""
    del seed
    wrong: list[str] = []
    tried = 0
    with tempfile.TemporaryDirectory(prefix="campaign-") as name:
        folder = Path(name)
        with Nursery(folder / "log") as nursery:
            begun = _begin(folder)

            def live(count: int) -> tuple[Path, bool]:
                path = folder / f"{count}.db"
                path.write_bytes(begun.data)
                words = (path, begun.key_file, begun.utc_ms, begun.boot_ms)
                status = nursery.bear("removing", count, *words).wait(_LIVES_WITHIN_S)
                assert status in (0, -signal.SIGKILL), f"ended with {status}: {nursery.said()}"
                return path, status != 0

            undisturbed, killed = live(10**9)
            assert not killed
            left = _went_on(undisturbed, begun)
            while True:
                path, killed = live(tried * _EVERY[size])
                if not killed:
                    break
                tried += 1
                wrong += filter(None, [_audited(path, begun)])
                if _went_on(path, begun) != left:
                    wrong.append("the next life did not remove what was left to remove")
                wrong += filter(None, [_audited(path, begun)])
                for part in folder.glob(f"{path.name}*"):
                    part.unlink()
    return Outcome(tried, len(wrong), kills=tried, note="; ".join(wrong[:1]))


FAULTS = (Fault("kill-removal", "killed while old readings are removed", killed_while_removing),)
