"""A power cut at any moment: what was acknowledged is there, whole, and nothing that was not is half there.

A life of a journal is recorded: commits large and small, receipts, states, checkpoints, a restart. Then the
power goes after each operation the disk was asked for, and the journal is opened from each state the disk may
be left in. States that are the same byte for byte are opened once.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from msgspec import Struct

from coldchain.journal import (
    Batch,
    Cursor,
    Deliveries,
    Entry,
    Journal,
    JournalError,
    Notice,
    PrivateText,
    verify_chain,
)
from coldchain.journal.removal import Bound, holding, removals, survey
from tests.campaign.medium import Cut, every_cut, some_cuts
from tests.campaign.outcome import Outcome, Size
from tests.unit.journal.disk import Operation, watched
from tests.unit.journal.support import entries, removing

#: Kept in memory where there is such a folder: it is the disk's notes that are tried, not this disk.
_QUICK = Path("/dev/shm")
#: Up to so many writes every single drop and tear is tried; longer lives are sampled.
WRITES_MAX = 200
#: How many states the whole campaign tries at least.
STATES_MIN = 100_000
#: Of how many states a control needs to lose something.
_CONTROL_STATES = {Size.SHORT: 60, Size.FULL: 2_000}

Control = Callable[[int, Size], Outcome]


class Gone(Struct, frozen=True):
    """What a removal took away: facts, and receipts as old as they; by position."""

    facts: frozenset[int]
    receipts: frozenset[int]


class Life(Struct):
    """What a run asked of the disk, and after how many operations each commit was acknowledged."""

    operations: list[Operation] = []
    entries: list[Entry] = []
    settled: list[int] = []  # positions whose notice has its receipt
    removed: dict[int, Gone] = {}  # what went, by the position that tells of it
    acknowledged: list[tuple[int, int]] = []  # operations so far, last position
    at_rest: dict[str, bytes] = {}  # the files before the first operation

    def promised(self, operations: int) -> int:
        """The last position that had been acknowledged when the power went."""
        return max((position for asked, position in self.acknowledged if asked <= operations), default=0)

    def left(self, position: int) -> list[Entry]:
        """What is in the journal up to a position: all but what the removals in it took away."""
        gone = {one for at, went in self.removed.items() if at <= position for one in went.facts}
        return [entry for entry in self.entries[:position] if entry.position not in gone]

    def told(self, position: int) -> set[int]:
        """The positions up to one whose notice, or the receipt for it, is still there."""
        gone = {one for at, went in self.removed.items() if at <= position for one in went.receipts}
        ends = {last for _, last in self.acknowledged if last <= position}
        return ends - self.removed.keys() - gone

    @property
    def writes(self) -> int:
        """How many writes it took."""
        return sum(operation.kind == "write" for operation in self.operations)


def record(
    sizes: Iterable[Iterable[int]],
    synchronous: str = "FULL",
    *,
    begun: bool = False,
    early: bool = False,
    erase: bool = False,
    remove: bool = False,
    wal_pages_max: int = 8,
) -> Life:
    """Live: each inner list is a run of the daemon, each number a commit of so many facts.

    begun: the journal is there already, so that its making is no part of the life.
    early: the acknowledgement leaves before the commit, as it must not. remove: each run ends with a removal
    of what came before it. wal_pages_max: small, so that the log starts anew many times.
    """
    life = Life()
    with TemporaryDirectory() as folder, watched() as disk:
        path = Path(folder, "x.journal")
        if begun:
            Journal.open(path).close()
            life.at_rest = {path.name: path.read_bytes()}
            disk.operations.clear()
        for run in sizes:
            with Journal.open(path) as journal, Deliveries.open(path) as deliveries:
                db = journal._database.connection
                db.pragma("synchronous", synchronous)
                journal.wal_pages_max = wal_pages_max
                for turn, size in enumerate(run):
                    more = entries(len(life.entries) + 1, size)
                    last = more[-1].position
                    notice = Notice("hook", f"{last}", last, 0, "raised", b"x" * 50)
                    text = PrivateText.of(f"name {last}", b"%032d" % last)
                    if early:
                        life.acknowledged.append((len(disk.operations), last))
                    erased = (text.commitment,) if erase and turn % 4 == 3 else ()
                    journal.commit(Batch(more, notices=(notice,), private_texts=(text,), erased=erased))
                    life.entries += more
                    if not early:
                        life.acknowledged.append((len(disk.operations), last))
                    if turn % 3 == 0:
                        deliveries.done("hook", {f"{last}": "200"}, 0)
                        life.settled.append(last)
                        deliveries.move("influx", Cursor(last, more[0].position))
                    if turn % 5 == 0:
                        journal.save_checkpoint(last, "engine", b"state" * 500)
                    if turn % 7 == 0:
                        journal.checkpoint_wal(truncate=turn % 2 == 0)
                if remove:
                    _remove(life, journal)
                    life.acknowledged.append((len(disk.operations), len(life.entries)))
        life.operations = disk.operations
    return life


def _remove(life: Life, journal: Journal) -> None:
    """Let go of every reading that may go, but for those of the newest commit."""
    parts = holding(removals(journal)).parts
    first = parts[-1][1].last_commit + 1 if parts else 1
    found = survey(journal, first, journal.tail().commit - 1, Bound(2**62, None), None)
    if found is None:
        return
    batch = removing(journal, found)
    journal.commit(batch)
    life.entries += batch.entries
    life.removed[batch.entries[-1].position] = Gone(
        frozenset(at for begin, end in found.spans for at in range(begin, end + 1)),
        frozenset(at for at in life.settled if at <= found.last_position),
    )


class Found(Struct, frozen=True):
    """What a journal held after the power came back; `wrong`: what should not be, "" if nothing."""

    position: int = 0
    wrong: str = ""


def opened(life: Life, contents: dict[str, bytes], folder: Path) -> Found:
    """Open what is left, look whether it is a true beginning of what was written, and go on with it."""
    for left in folder.iterdir():
        left.unlink()
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    path = folder / "x.journal"
    try:
        with Journal.open(path, reserve_bytes=0) as journal, Deliveries.open(path) as deliveries:
            position = journal.tail().position
            found = list(journal.entries())
            if found != life.left(position):
                return Found(position, "not a beginning of what was written")
            ends = {last for _, last in life.acknowledged}
            if position not in ends | {0}:
                return Found(position, "a commit is half there")
            notices = [*deliveries.pending("hook", 0, 10_000), *deliveries.settled("hook", limit=10_000)]
            if {row.notice.position for row in notices} != life.told(position):
                return Found(position, "a notice is missing, or one is told of nothing")
            if deliveries.cursor("influx").sent > position:
                return Found(position, "a cursor is ahead")
            if not verify_chain(journal).intact:
                return Found(position, "the chain is broken")
            journal.commit(Batch(entries(position + 1, 1)))
    except JournalError as error:
        return Found(0, f"does not open: {error.why}")
    return Found(position)


class Trial(Struct):
    """Counts over many cuts."""

    states: int = 0
    lost: int = 0
    wrong: int = 0
    first: str = ""
    distinct: int = 0

    def __add__(self, other: Trial) -> Trial:
        """Both together."""
        return Trial(
            self.states + other.states,
            self.lost + other.lost,
            self.wrong + other.wrong,
            self.first or other.first,
            self.distinct + other.distinct,
        )

    def outcome(self) -> Outcome:
        """As a row of the campaign's table."""
        note = f"{self.distinct:,} of them different, each opened, verified and continued"
        return Outcome(
            self.states, self.lost, self.wrong, note=f"{note}; {self.first}" if self.first else note
        )


def audit(life: Life, cuts: Iterable[Cut]) -> Trial:
    """Open the journal after each cut; count what is lost and what is wrong."""
    trial = Trial()
    seen: dict[bytes, Found] = {}
    with TemporaryDirectory(dir=_QUICK if _QUICK.is_dir() else None) as folder:
        for cut in cuts:
            name = hashlib.sha256()
            contents = cut.contents()
            for file, content in sorted(contents.items()):
                name.update(b"%s %d\n" % (file.encode(), len(content)) + content)
            key = name.digest()
            if key not in seen:
                seen[key] = opened(life, contents, Path(folder))
                trial.distinct += 1
            found = seen[key]
            trial.states += 1
            missing = found.position < life.promised(cut.operations)
            trial.lost += missing
            trial.wrong += bool(found.wrong) and not missing
            if (missing or found.wrong) and not trial.first:
                promised = life.promised(cut.operations)
                trial.first = (
                    f"first after operation {cut.operations}: {promised} promised, {found.position} there"
                    f"{found.wrong and ': ' + found.wrong}"
                )
    return trial


def _short(chance: random.Random, commits: int) -> list[list[int]]:
    """Two runs of a few commits, small enough for every drop and tear."""
    sizes = [1, 1, 1, 2, 3, 8]
    return [[chance.choice(sizes) for _ in range(chance.randint(1, commits))] for _ in range(2)]


def _lives(seed: int) -> tuple[Life, Life, Life]:
    """One from its making on, one that goes on with a journal, and a long one."""
    chance = random.Random(seed)
    long = [[chance.choice([1, 1, 1, 2, 5, 20, 60, 150]) for _ in range(16)] for _ in range(2)]
    return (
        record(_short(chance, 2)),
        record(_short(chance, 4), begun=True, erase=True, remove=True),
        record(long),
    )


def _trial(seed: int) -> Trial:
    """Every state of two short lives (sampled if one became long), samples of a long one."""
    total = Trial()
    chance = random.Random(seed)
    for life in _lives(seed):
        if life.writes > WRITES_MAX:
            total += audit(life, some_cuts(life.operations, chance, at_rest=life.at_rest))
        else:
            total += audit(life, every_cut(life.operations, life.at_rest))
    return total


def cut_power(seed: int, size: Size) -> Outcome:
    """Every single drop and tear of short lives, samples of long ones; FULL: at least 100,000 states."""
    total = Trial()
    chance = random.Random(seed)
    if size is Size.SHORT:
        *short, _ = _lives(seed)
        for life in short:
            total += audit(life, chance.sample(list(every_cut(life.operations, life.at_rest)), 100))
        return total.outcome()
    while total.states < STATES_MIN:
        total += _trial(chance.randrange(2**32))
    return total.outcome()


def cut_power_with_normal(seed: int, size: Size) -> Outcome:
    """Control: with synchronous=NORMAL a commit is on the disk only with the next checkpoint."""
    sizes = _short(random.Random(seed), 4)
    return _control(record(sizes, "NORMAL", begun=True, wal_pages_max=1000), seed, size)


def cut_power_early(seed: int, size: Size) -> Outcome:
    """Control: acknowledged before the commit, which is the order that must never be."""
    return _control(record(_short(random.Random(seed), 4), begun=True, early=True), seed, size)


def _control(life: Life, seed: int, size: Size) -> Outcome:
    cuts = list(every_cut(life.operations, life.at_rest))
    cuts = random.Random(seed).sample(cuts, min(_CONTROL_STATES[size], len(cuts)))
    return audit(life, cuts).outcome()
