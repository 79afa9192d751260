"""What a gateway of twenty channels writes to its card, all of it: the figures that docs/journal.md has."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest

from benchmarks.world import HandClock, reading, shippers, start
from coldchain.config import load
from coldchain.config.settings import Heartbeat
from coldchain.daemon.daemon import CHECKPOINT_S, TIDY_S
from coldchain.daemon.signing import Signer
from coldchain.daemon.tidying import Tidying
from coldchain.evidence.keys import Key
from coldchain.journal import Reader, verify_chain
from tests.unit.daemon.retained import House
from tests.unit.journal.disk import Operation, watched

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "journal.md").read_text(encoding="utf-8")
CHANNELS = 20
MIN = 60_000
#: As often as the writer looks.
STEP_MS = 500
#: A file system writes whole blocks of this size, however little of one is new.
BLOCK = 4_096
CONFIG = """\
[site]
name = "Test"
[journal]
path = "x.journal"
[evidence]
key_file = "evidence.key"
"""


class Written(NamedTuple):
    """Bytes asked for, by what they are for, and what whole blocks make of them."""

    log: int
    database: int
    in_blocks: int


def written(operations: Iterable[Operation]) -> Written:
    """Sum up what was asked of the disk. A block counts once between two syncs of its file."""
    bytes_of: Counter[str] = Counter()
    fresh: defaultdict[str, set[int]] = defaultdict(set)
    blocks = 0
    for asked in operations:
        if asked.kind == "write":
            bytes_of[asked.name] += len(asked.data)
            last = (asked.offset + len(asked.data) - 1) // BLOCK
            fresh[asked.name].update(range(asked.offset // BLOCK, last + 1))
        elif asked.kind == "sync":
            blocks += len(fresh.pop(asked.name, ()))
    blocks += sum(map(len, fresh.values()))
    log = sum(count for name, count in bytes_of.items() if name.endswith("-wal"))
    return Written(log, bytes_of.total() - log, blocks * BLOCK)


def lived(folder: Path, minutes: int, *, apart_ms: int) -> tuple[list[Operation], int]:
    """What a gateway that lives so long asks of its disk, and how many transactions it took.

    Each channel measures once a minute, one channel `apart_ms` after the other. Everything else is the
    daemon's default: heartbeats, heads (which a broker takes), the log copied back, states saved.
    """
    clock = HandClock()
    Key.make(folder / "evidence.key")
    (folder / "gateway.toml").write_text(CONFIG, encoding="utf-8")
    with watched() as disk:
        world = start(folder / "x.journal", clock, shippers(CHANNELS, MIN))
        writer, began_ms = world.writer, clock.now_ms
        writer.beat_s = Heartbeat().interval / 1000
        signer, tidying = Signer(world.journal, world.queue, clock), Tidying(world.journal)
        signer.reload(load(folder / "gateway.toml"))
        taken = None
        for now_ms in range(0, minutes * MIN, STEP_MS):
            clock.now_ms = began_ms + now_ms
            number, in_minute_ms = divmod(now_ms, MIN)
            for channel in (n for n in range(CHANNELS) if n * apart_ms == in_minute_ms):
                hundredths = -18_500 + (number * 7 + channel * 131) % 240
                assert world.queue.offer((reading(channel, number + 1, clock.now_ms, hundredths),))
            if now_ms % (TIDY_S * 1000) == 0:
                writer.later(tidying.look)
            if now_ms % (CHECKPOINT_S * 1000) == 0:
                writer.want_checkpoint()
            writer.later(signer.look)
            writer.step(0)
            if signer.head is not None and signer.head is not taken:
                taken = signer.head
                signer.published("board", taken)
        writer.step(0)
        world.close()
    return disk.operations, writer.commits.count


@pytest.mark.parametrize(
    ("come", "apart_ms", "a_reading", "in_blocks"),
    [
        pytest.param("each alone", 3_000, 11_700, 16_800, id="each reading comes alone"),
        pytest.param("all twenty at once", 0, 4_000, 5_400, id="all twenty come at once"),
    ],
)
def test_all_that_is_written(
    tmp_path: Path, come: str, apart_ms: int, a_reading: int, in_blocks: int
) -> None:
    """Log, database, states, heads and heartbeats come to what docs/journal.md says, and stay within it."""
    minutes = 32
    operations, commits = lived(tmp_path, minutes, apart_ms=apart_ms)
    found = written(operations)
    readings = CHANNELS * minutes
    whole = found.log + found.database
    print(
        f"\n{readings} readings in {commits} commits: log {found.log / readings:.0f}, database"
        f" {found.database / readings:.0f}, together {whole / readings:.0f} B a reading,"
        f" {found.in_blocks / readings:.0f} in whole blocks"
    )
    assert whole / readings == pytest.approx(a_reading, rel=0.1)
    assert found.in_blocks / readings == pytest.approx(in_blocks, rel=0.1)
    (row,) = re.findall(rf"^\| {come} \|.*$", PAGE, flags=re.MULTILINE)
    a_year = CHANNELS * 60 * 24 * 365
    assert row.endswith(
        f"| {a_reading:,} | {in_blocks:,} |"
        f" {a_reading * a_year / 1e9:.0f} GB, in blocks {in_blocks * a_year / 1e9:.0f} GB |"
    )


def test_what_a_removal_writes(tmp_path: Path) -> None:
    """Letting a reading go costs little of what writing it cost."""
    with watched() as disk:
        house = House(tmp_path / "x.journal", key=Key.make(tmp_path / "evidence.key"))
        house.activate()
        house.days(10)
        before = len(disk.operations)
        house.retain()
        house.journal.checkpoint_wal()
        found = written(disk.operations[before:])
        house.end()
    with Reader.open(house.path) as journal:
        gone = verify_chain(journal).removed
    assert gone > 1_000
    print(f"\n{gone} readings removed: {(found.log + found.database) / gone:.0f} B each")
    assert found.log + found.database < 500 * gone
