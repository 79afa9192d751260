"""A process that commits until it is killed: batches of odd sizes, a sink at work beside it.

Every commit is reported on standard output once it has returned: `<number> <last position>`.
"""

from __future__ import annotations

import random
import sys
import threading
from pathlib import Path

from coldchain.journal import Batch, Cursor, Deliveries, Journal, Notice
from tests.unit.journal.support import entries


def deliver(path: Path, stop: threading.Event) -> None:
    """Tell every notice at once, and follow with a cursor."""
    with Deliveries.open(path) as deliveries:
        while not stop.is_set():
            ids = {row.notice.id: "200" for row in deliveries.pending("hook", 0)}
            if not ids:
                stop.wait(0.001)
                continue
            deliveries.done("hook", ids, 0)
            last = deliveries.tail().position
            deliveries.move("influx", Cursor(last, deliveries.cursor("influx").sent))


def main(path: Path, seed: int) -> None:
    """Commit for ever."""
    chance = random.Random(seed)
    stop = threading.Event()
    with Journal.open(path, command="appender") as journal:
        journal.wal_pages_max = 20
        sink = threading.Thread(target=deliver, args=(path, stop), daemon=True)
        sink.start()
        print("ready", flush=True)
        while True:
            first = journal.tail().position + 1
            made = entries(first, chance.choice([1, 1, 2, 10, 100]))
            last = made[-1].position
            notice = Notice("hook", f"{last}", last, 0, "raised", b"x")
            done = journal.commit(Batch(made, notices=(notice,)))
            print(done.number, done.last_position, flush=True)
            if done.number % 17 == 0:
                journal.save_checkpoint(last, "engine", b"state" * 2000)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
