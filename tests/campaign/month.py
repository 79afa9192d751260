"""Thirty days of a gateway that keeps readings for seven: nothing grows but what is kept on purpose.

From the time on at which readings are removed as fast as they come, all that is looked at stays the same:
threads and open files exactly, Python's objects but for excursions (which stay for ever), SQLite's memory and
the process's within a slack. The journal is as large as its rows say (`predicted`).
"""

from __future__ import annotations

import os
import tempfile
import threading
from pathlib import Path

from msgspec import Struct, structs

from coldchain.journal import Journal, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import verify
from coldchain.pipeline.writer import Committed
from tests.campaign.days import CHANNELS, DAY_MS, HOUR_MS, MINUTE_MS, Life
from tests.campaign.outcome import Fault, Outcome, Size
from tests.campaign.stock import Stock, grown, taken

_QUICK = Path("/dev/shm")
#: An excursion and what is remembered beside it; what else may move; SQLite's cache; what allocators keep.
OBJECTS_EACH, OBJECTS_SLACK, SQLITE_SLACK, RESIDENT_SLACK = 60, 2_000, 1 << 20, 16 << 20


class Course(Struct, frozen=True):
    """How long a life is, how long it keeps readings, how often it is read and looked at."""

    days: int
    keep_ms: int
    every_ms: int
    look_ms: int

    @property
    def warm_ms(self) -> int:
        """From then on readings go as fast as they come, and every store with a bound is full."""
        return self.keep_ms * 5 // 4 + self.look_ms


COURSES = {
    Size.FULL: Course(30, 7 * DAY_MS, MINUTE_MS, 6 * HOUR_MS),
    Size.SHORT: Course(2, 8 * HOUR_MS, 10 * MINUTE_MS, 2 * HOUR_MS),
}

# Bytes of a row beside what it holds: header, keys, numbers, its place in the page
# (sqlite.org/fileformat2.html, 2.1 and 1.6). A reading is 46 with its values (28), a sign of life 32, a
# commit 47 with its link (32). A notice stands in two indexes besides. A twentieth more for page headers
# and what stays free in pages; a saved state has pages of its own, the last of which is half empty.
READING_BYTES, BEAT_BYTES, COMMIT_BYTES, FACT_BYTES, SAID_BYTES, NOTICE_BYTES = 46, 32, 47, 22, 20, 200
#: Names and words of people, 64 characters of commitment (twice: as key), and a salt.
PRIVATE_BYTES = 200
PAGE_BYTES, FREE_PART = 4096, 0.05
#: By what part the size may be off; and pages that are begun, or of which all but a few rows were removed.
MARGIN, BEGUN_BYTES = 0.05, 32 * PAGE_BYTES
_HELD = """
SELECT (SELECT count(*) FROM facts WHERE shape),
  (SELECT count(*) FROM facts WHERE NOT shape AND body = CAST('{"fact":"beat"}' AS BLOB)),
  (SELECT count(*) FROM facts WHERE NOT shape), (SELECT sum(length(body)) FROM facts WHERE NOT shape),
  (SELECT count(*) FROM commits),
  (SELECT count(*) FROM announcements), (SELECT coalesce(sum(length(body)), 0) FROM announcements),
  (SELECT count(*) FROM outbox), (SELECT coalesce(sum(length(body) + length(receipt)), 0) FROM outbox),
  (SELECT count(*) FROM private_texts),
  (SELECT coalesce(sum(length(state)), 0) FROM checkpoints)
    + (SELECT coalesce(sum(length(state)), 0) FROM base_states)
    + (SELECT coalesce(sum(length(body)), 0) FROM remains)
    + (SELECT coalesce(sum(length(text)), 0) FROM documents),
  (SELECT count(*) FROM checkpoints) + (SELECT count(*) FROM base_states)
"""


class Sized(Struct, frozen=True):
    """A journal's size: its pages in use, and what its rows say of it."""

    used: int
    predicted: int

    @property
    def off(self) -> bool:
        """Whether the one is not the other."""
        return abs(self.used - self.predicted) > MARGIN * self.predicted + BEGUN_BYTES


def sized(journal: Path, empty_bytes: int) -> Sized:
    """Both sizes of a journal. empty_bytes: one without a row."""
    with Reader.open(journal) as reader:
        [row] = reader._database.all("count", _HELD)
        [(pages, free)] = reader._database.all(
            "count", "SELECT * FROM pragma_page_count(), pragma_freelist_count()"
        )
    readings, beats, whole, whole_bytes, commits, said, said_bytes, notices, notice_bytes, private, *rest = (
        row
    )
    kept_bytes, states = rest
    rows = (
        readings * READING_BYTES
        + beats * BEAT_BYTES
        + (whole - beats) * FACT_BYTES
        + whole_bytes
        - beats * len('{"fact":"beat"}')
        + commits * COMMIT_BYTES
        + said * SAID_BYTES
        + said_bytes
        + notices * NOTICE_BYTES
        + notice_bytes
        + private * PRIVATE_BYTES
    )
    predicted = rows * (1 + FREE_PART) + kept_bytes + states * PAGE_BYTES / 2 + empty_bytes
    return Sized((pages - free) * PAGE_BYTES, round(predicted))


class Leaking(Life):
    """A control: of each commit it keeps some objects, and now and then a file and a thread."""

    def __init__(self, folder: Path, keep_ms: int, every_ms: int) -> None:
        super().__init__(folder, keep_ms, every_ms)
        self._kept: list[tuple[int, ...]] = []
        self._files: list[int] = []
        self._over = threading.Event()

    def _committed(self, batch: Committed) -> None:
        super()._committed(batch)
        self._kept += [(batch.last_position, number) for number in range(200)]
        if self.commits % 50 == 0:
            self._files.append(os.open("/dev/null", os.O_RDONLY))
            threading.Thread(target=self._over.wait, daemon=True).start()

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._over.set()
        for file in self._files:
            os.close(file)


def lived(course: Course, life_of: type[Life] = Life) -> Outcome:
    """Live it, and audit it."""
    stocks: list[Stock] = []
    empty_bytes = 0
    sizes: list[Sized] = []
    excursions: list[int] = []
    remembered: list[int] = []

    def look(life: Life) -> None:
        if life.lived_ms >= course.warm_ms:
            sizes.append(sized(life.journal, empty_bytes))
            stocks.append(taken())
            excursions.append(life.excursions())
            remembered.append(life.remembered())

    folder = _QUICK if _QUICK.is_dir() else None
    with tempfile.TemporaryDirectory(prefix="days-", dir=folder) as place:
        empty = Path(place, "empty.journal")
        Journal.open(empty).close()
        empty_bytes = empty.stat().st_size
        with life_of(Path(place), course.keep_ms, course.every_ms) as life:
            life.live(course.days * DAY_MS, course.look_ms, look)
            heard = life.room.heard()
        with Reader.open(life.journal) as reader:
            sound = verify(reader, engine()).sound
    more = OBJECTS_SLACK + OBJECTS_EACH * (excursions[-1] - excursions[0])
    wrong = grown(stocks, Stock(0, 0, more, SQLITE_SLACK, RESIDENT_SLACK))
    wrong += [f"the journal takes {one.used:,} bytes, not {one.predicted:,}" for one in sizes if one.off][:1]
    most = CHANNELS * (course.keep_ms * 9 // 8 + 2 * HOUR_MS) // course.every_ms
    if max(remembered) > most:
        wrong.append(f"{max(remembered):,} readings are remembered, not {most:,}")
    lost = life.said - heard.points + life.notices - heard.notices + (not sound)
    first, last = stocks[0], stocks[-1]
    note = (
        f"{course.days} days, {life.commits:,} commits, {heard.notices:,} notices; at the end "
        f"{last.threads} threads, {last.files} files, objects {first.objects:,} → {last.objects:,}, "
        f"memory {max(one.resident_bytes for one in stocks) >> 20} MiB at most, "
        f"journal {sizes[-1].used / 1e6:.1f} MB, {sizes[-1].predicted / 1e6:.1f} predicted"
    )
    return Outcome(life.said, lost, grown=len(wrong), note="; ".join([note, *wrong]))


def month(_seed: int, size: Size) -> Outcome:
    """The readings of a life: one is lost if the series has it not, or a notice did not arrive."""
    return lived(COURSES[size])


def leaking(_seed: int, _size: Size) -> Outcome:
    """Control: a life that keeps what it should not; a day of it shows."""
    return lived(structs.replace(COURSES[Size.SHORT], days=1), Leaking)


FAULTS = (
    Fault("month", "30 days of 20 channels, one reading a minute", month),
    Fault("month-leaking", "control: objects, files and threads are kept", leaking, control="grown"),
)
