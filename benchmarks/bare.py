"""The baselines: the least that could do the same work. None imports the program.

`open_bare` is SQLite as the journal has it (write-ahead log, each commit on the disk when it returns) with
one plain table and nothing beside it.
"""

from __future__ import annotations

import csv
import time
import tracemalloc
from array import array
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from benchmarks.measure import Figures, Usage, peak_bytes, quantile
from benchmarks.series import DELAY_MS, HOUR_MS, rounds, text

Options = dict[str, Any]


def open_bare(path: Path) -> apsw.Connection:
    """A new database with one table of rows (position, arrival, series, values)."""
    db = apsw.Connection(str(path))
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "FULL")
    db.execute(
        "CREATE TABLE rows(position INTEGER PRIMARY KEY, arrival_ms INT, series INT, body BLOB) STRICT"
    )
    return db


def row(position: int, number: int, at_ms: int, channel: int, hundredths: int) -> tuple[int, int, int, bytes]:
    """One reading as the journal's own table stores it."""
    return position, at_ms + DELAY_MS, channel + 1, f"{at_ms}\n{text(hundredths)}\n{number}".encode()


def limit_loop(options: Options) -> Figures:
    """One limit with one hold for each channel, written by hand, over tuples (channel, time, value)."""
    tuples = [
        (channel, at_ms, hundredths * 10)
        for _, at_ms, values in rounds(options["channels"], options["interval_ms"], options["span_ms"])
        for channel, hundredths in enumerate(values)
    ]
    passes = 50
    with Usage() as used:
        for _ in range(passes):
            _judge(tuples, options["channels"], -165_000, 600_000)
    return {"cpu_us_per_reading": used.cpu_s / passes / len(tuples) * 1e6, "peak_bytes": peak_bytes()}


def _judge(tuples: list[tuple[int, int, int]], channels: int, limit: int, hold_ms: int) -> int:
    since: list[int | None] = [None] * channels
    triggered = [False] * channels
    alarms = 0
    for channel, at_ms, value in tuples:
        if value > limit:
            began = since[channel]
            if began is None:
                since[channel] = at_ms
            elif not triggered[channel] and at_ms - began >= hold_ms:
                triggered[channel] = True
                alarms += 1
        elif since[channel] is not None:
            since[channel], triggered[channel] = None, False
    return alarms


def packed(options: Options) -> Figures:
    """A time, a value and a code of each reading, as packed integers: what stays of it in memory."""
    channels = options["channels"]
    kept = [(array("q"), array("q"), array("H")) for _ in range(channels)]
    total = channels * options["span_ms"] // options["interval_ms"]
    at_half = 0
    tracemalloc.start()
    for number, at_ms, values in rounds(channels, options["interval_ms"], options["span_ms"]):
        for channel, hundredths in enumerate(values):
            at, value, code = kept[channel]
            at.append(at_ms)
            value.append(hundredths * 10)
            code.append(0)
        if number * channels == total // 2:
            at_half = tracemalloc.get_traced_memory()[0]
    grown = tracemalloc.get_traced_memory()[0] - at_half
    tracemalloc.stop()
    return {"kept_bytes_per_reading": grown / (total - total // 2)}


def insert(options: Options) -> Figures:
    """The same readings into the bare table, so many in a transaction."""
    path = Path(options["folder"]) / "bare.db"
    db = open_bare(path)
    batch: list[tuple[int, int, int, bytes]] = []
    position = commits = 0
    with Usage() as used:
        for number, at_ms, values in rounds(options["channels"], options["interval_ms"], options["span_ms"]):
            for channel, hundredths in enumerate(values):
                position += 1
                batch.append(row(position, number, at_ms, channel, hundredths))
                if len(batch) == options["batch"]:
                    _put(db, batch)
                    batch = []
                    commits += 1
        if batch:
            _put(db, batch)
            commits += 1
        db.close()
    return (
        per_reading(used, position)
        | per_hour(used, options["span_ms"])
        | {
            "commits": commits,
            "file_bytes_per_reading": path.stat().st_size / position,
        }
    )


def _put(db: apsw.Connection, batch: list[tuple[int, int, int, bytes]]) -> None:
    db.execute("BEGIN IMMEDIATE")
    db.executemany("INSERT INTO rows VALUES (?, ?, ?, ?)", batch)
    db.execute("COMMIT")


def single_commits(options: Options) -> Figures:
    """One row a commit at a calm rate: how long each commit took."""
    db = open_bare(Path(options["folder"]) / "bare.db")
    took: list[float] = []
    began = time.perf_counter()
    for number in range(1, options["readings"] + 1):
        time.sleep(max(0.0, began + number / options["rate"] - time.perf_counter()))
        before = time.perf_counter()
        _put(db, [row(number, number, 0, 0, -18_500)])
        took.append(time.perf_counter() - before)
    db.close()
    return latency(took)


def count_rows(options: Options) -> Figures:
    """Open a journal's file and count its facts, by SQLite alone."""
    with Usage() as used:
        db = apsw.Connection(options["journal"], flags=apsw.SQLITE_OPEN_READONLY)
        (rows,) = next(db.execute("SELECT count(*) FROM facts"))
        db.close()
    return {
        "wall_ms": used.wall_s * 1e3,
        "cpu_ms": used.cpu_s * 1e3,
        "peak_bytes": peak_bytes(),
        "rows": rows,
    }


def read_rows(options: Options) -> Figures:
    """Fetch every row of evidence, by SQLite alone."""
    rows = 0
    with Usage() as used:
        db = apsw.Connection(options["journal"], flags=apsw.SQLITE_OPEN_READONLY)
        for table in ("facts", "announcements", "commits"):
            for _ in db.execute(f"SELECT * FROM {table}"):
                rows += 1
        db.close()
    return {
        "wall_ms": used.wall_s * 1e3,
        "cpu_ms": used.cpu_s * 1e3,
        "peak_bytes": peak_bytes(),
        "rows": rows,
    }


def per_reading(used: Usage, readings: int) -> Figures:
    """What a run used, for each reading."""
    return {
        "readings": readings,
        "cpu_us_per_reading": used.cpu_s / readings * 1e6,
        "wall_us_per_reading": used.wall_s / readings * 1e6,
        "handed_bytes_per_reading": used.handed_bytes / readings,
        "disk_bytes_per_reading": used.disk_bytes / readings,
        "peak_bytes": peak_bytes(),
    }


def per_hour(used: Usage, span_ms: int) -> Figures:
    """What a run used, for each hour that it stands for."""
    hours = span_ms / HOUR_MS
    return {
        "cpu_ms_per_hour": used.cpu_s / hours * 1e3,
        "handed_bytes_per_hour": used.handed_bytes / hours,
        "disk_bytes_per_hour": used.disk_bytes / hours,
    }


def latency(took_s: list[float]) -> Figures:
    """The middle and the slow end of single times."""
    ordered = sorted(took_s)
    return {
        "p50_us": quantile(ordered, 0.5) * 1e6,
        "p99_us": quantile(ordered, 0.99) * 1e6,
        "count": len(ordered),
    }


def journey(path: Path, options: Options) -> int:
    """Write a log of one channel as CSV; how many readings it has."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(("time (UTC)", "vapour (°C)"))
        count = 0
        for _, at_ms, values in rounds(1, options["interval_ms"], options["span_ms"]):
            at = datetime.fromtimestamp(at_ms / 1000, UTC)
            out.writerow((at.isoformat(timespec="seconds"), text(values[0])))
            count += 1
    return count


def read_csv(options: Options) -> Figures:
    """Read such a log and look for the highest value: what any script would do first."""
    path = Path(options["folder"]) / "journey.csv"
    readings = journey(path, options)
    with Usage() as used, path.open(encoding="utf-8", newline="") as file:
        rows = iter(csv.reader(file))
        next(rows)
        highest = max((float(value), datetime.fromisoformat(at)) for at, value in rows)
    assert highest
    return {
        "readings": float(readings),
        "wall_ms": used.wall_s * 1000,
        "cpu_ms": used.cpu_s * 1000,
        "peak_bytes": float(peak_bytes()),
    }
