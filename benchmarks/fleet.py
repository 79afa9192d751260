"""Many boxes on one broker, watched by the daemon as it runs."""

from __future__ import annotations

import threading
import time
from collections import Counter

from benchmarks.bare import Options
from benchmarks.boxes import Broker, count, measured
from benchmarks.measure import Figures
from coldchain import facts
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon.daemon import Daemon
from coldchain.facts import Reading
from coldchain.journal import Reader
from coldchain_simulators.fleet import configuration


def watch(options: Options) -> Figures:
    """The whole daemon: each message decoded, judged, in the journal on the disk, and acknowledged then."""
    with Broker(options) as broker:
        config = broker.folder / "gateway.toml"
        config.write_text(configuration(options["boxes"], options["every_ms"], "127.0.0.1", broker.port))
        daemon = Daemon(load(config), SystemClock(trusted=True))
        daemon.start()
        running = threading.Thread(target=daemon.run)
        running.start()
        while not all(source.up for source in daemon.station.state().gateway.sources):
            time.sleep(0.1)
        histories = daemon.writer.fold.channels.histories

        def judged() -> int:
            return sum(map(len, list(histories.values())))

        figures = measured(options, broker, judged)
        daemon.ask_to_stop()
        running.join()
    kept: Counter[tuple[str, int | None]] = Counter()
    with Reader.open(broker.folder / "fleet.db") as reader:
        for row in reader.facts():
            fact = facts.decode(row.body)
            if isinstance(fact, Reading):
                kept[fact.channel, fact.sequence] += 1
    if len(kept) != count(options):
        raise RuntimeError(f"{len(kept)} of {count(options)} reports are in the journal")
    return figures | {"doubled": float(kept.total() - len(kept))}
