"""Days of a gateway in minutes: the whole daemon on a clock that is moved by hand.

    with Life(folder, keep="7 d") as life:
        life.live(30 * DAY_MS, each=6 * HOUR_MS, look=print)

Twenty boxes at one reading a minute go through intake, fold, commit, sinks and their receipts; log, heads,
saved states, retention and health are looked after in their own rhythm of simulated time, and a person takes
up the alarms. The doors stay shut: readings are handed in where a port would hand them in.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Self

from benchmarks.series import T0_MS, text, value
from coldchain.alarms.alarm import unacknowledged
from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon.daemon import Daemon
from coldchain.daemon.housekeeping import Job
from coldchain.evidence.keys import Key
from coldchain.facts import Reading
from coldchain.fold import conditioning
from coldchain.journal import Cursor, Reader
from coldchain.pipeline.writer import Committed
from coldchain.web.station import AcknowledgeAlarm, Actor, ResetLatch, Role
from coldchain_simulators.fleet import configuration, names
from tests.campaign.room import Room

CHANNELS = 20
MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
#: What is not done within this never will be (real seconds).
PATIENCE_S = 60.0
#: A person looks at the alarms this often.
ROUND_MS = HOUR_MS


class HandClock(SystemClock):
    """Stands until it is moved; wall clock, boot clock, journal time and real seconds move together."""

    def __init__(self) -> None:
        super().__init__(trusted=True)
        self.now_ms, self._ahead_ms = T0_MS, 0

    def start_journal_at(self, journal_ms: int) -> None:
        self._ahead_ms = journal_ms - self.now_ms

    def leap(self, by_ms: int) -> None:
        self._ahead_ms += by_ms

    def journal_ms(self) -> int:
        return self.now_ms + self._ahead_ms

    def utc_ms(self) -> int:
        return self.now_ms

    def boot_ms(self) -> int:
        return self.now_ms

    def real_s(self) -> float:
        return self.now_ms / 1000

    def real_until_s(self, journal_ms: int) -> float:
        return (journal_ms - self.journal_ms()) / 1000


class Indoors(Daemon):
    """A daemon without port, page and socket, whose housekeeping is called by whoever moves its clock."""

    jobs: tuple[Job, ...] = ()

    def _open_doors(self) -> None:
        self.jobs = self._housekeeping._jobs
        self._housekeeping.stop()


class Life:
    """One gateway from its start on.

    keep_ms: for how long it keeps readings; every_ms: how often each box is read, and a sign of life made.
    Every other box numbers its readings. The others print more digits than they measure: nearly each of their
    readings is a text of its own.
    """

    def __init__(self, folder: Path, keep_ms: int, every_ms: int = MINUTE_MS) -> None:
        self.folder, self.clock = folder, HandClock()
        self.keep_ms, self.every_ms = keep_ms, every_ms
        self._ends = ExitStack()
        self._changed = threading.Condition()
        #: Readings handed in, commits, and notices that the receiver must get.
        self.said = self.commits = self.notices = 0
        self._due_ms: dict[str, int] = {}

    def __enter__(self) -> Self:
        self.room = self._ends.enter_context(Room())
        Key.make(self.folder / "key")
        self.config = self.folder / "gateway.toml"
        self.config.write_text(self._configuration(), encoding="utf-8")
        _fill_caches()
        self.daemon = Indoors(load(self.config), self.clock)
        self.daemon.watch(self._committed)
        self.daemon.start()
        self._ends.callback(self.daemon.stop)
        return self

    def __exit__(self, *_: object) -> None:
        self._ends.close()

    def _configuration(self) -> str:
        boxes = configuration(CHANNELS, self.every_ms, "127.0.0.1", 1)
        return boxes.replace('fresh_within = "10 min"', 'fresh_within = "1 h"') + (
            f'[retention]\nreadings = "{self.keep_ms} ms"\n[evidence]\nkey_file = "key"\n'
            f'[heartbeat]\ninterval = "{self.every_ms} ms"\n'
            f'[sinks.hook]\nkind = "webhook"\nurl = "{self.room.hook}"\n'
            f'[sinks.series]\nkind = "influx"\nurl = "{self.room.series}"\nbucket = "b"\n'
        )

    @property
    def journal(self) -> Path:
        """Its journal."""
        return self.daemon.journal_path

    @property
    def lived_ms(self) -> int:
        """How long it has lived."""
        return self.clock.now_ms - T0_MS

    def excursions(self) -> int:
        """How many there were so far."""
        ledgers = [place.ledger for place in self.daemon.writer.fold.places.values()]
        return sum(sum(ledger.numbers.values()) for ledger in ledgers)

    def remembered(self) -> int:
        """How many readings the fold has at hand."""
        return sum(map(len, self.daemon.writer.fold.channels.histories.values()))

    def live(self, span_ms: int, each_ms: int, look: Callable[[Life], None]) -> None:
        """So much time passes; `look` is called whenever `each_ms` of it has, with nothing under way."""
        first_ms = T0_MS + (self.clock.now_ms - T0_MS) // self.every_ms * self.every_ms
        for at_ms in range(first_ms + self.every_ms, first_ms + span_ms + 1, self.every_ms):
            self._round(at_ms)
            if (at_ms - T0_MS) % ROUND_MS == 0:
                self._take_up()
            if (at_ms - T0_MS) % each_ms == 0:
                self.quiet()
                look(self)

    def quiet(self) -> None:
        """Wait until both receivers have everything; some seconds pass, for the series gathers its rows."""
        self._until(self._all_told, "the notices arrive")
        last = self.daemon.writer.fold.position
        with Reader.open(self.journal) as reader:

            def sent() -> bool:
                if reader.cursors().get("series", Cursor()).sent >= last:
                    return True
                self.clock.now_ms += 100
                self.daemon.outgoing._sinks[-1][1].wake()
                return False

            self._until(sent, "the series has every row")
            # What waited for the series alone goes now: on a busy machine it is behind in every round.
            while self.daemon._retention.step(reader):
                assert self.daemon._retention.wait(PATIENCE_S), "a removal is on the disk"

    # --- What goes on

    def _round(self, at_ms: int) -> None:
        self.clock.now_ms = at_ms
        number = (at_ms - T0_MS) // self.every_ms
        for channel, box in enumerate(names(CHANNELS)):
            celsius, numbered = text(value(channel, at_ms)), number
            if channel % 2:
                celsius, numbered = f"{celsius}{number:07}", None
            fact = Reading("fleet", f"{box}.vapour", celsius, "degC", at_ms=at_ms, sequence=numbered)
            assert self.daemon.queue.offer((fact,))
        self.said += CHANNELS
        last = f"{box}.vapour"
        shown = self.daemon.writer.fold.channels.now
        self._until(lambda: last in shown and shown[last].at_ms == at_ms, "the readings are in the journal")
        for job in self.daemon.jobs:
            if at_ms >= self._due_ms.get(job.name, 0):
                self._due_ms[job.name] = at_ms + job.every_s * 1000
                job.work()
        assert self.daemon._retention.wait(PATIENCE_S), "a removal is on the disk"
        self._until(self._all_told, "the notices arrive")

    def _take_up(self) -> None:
        """A person acknowledges what asks for it, and resets what is over."""
        desk = self.daemon.writer.fold.desk
        anna = Actor("anna", Role.OPERATOR)
        for alarm in list(desk.alarms.values()):
            if numbers := unacknowledged(alarm):
                assert self.daemon.station.act(AcknowledgeAlarm(alarm.id, numbers, "seen"), anna).done
            if alarm.latched and not alarm.condition:
                assert self.daemon.station.act(ResetLatch(alarm.id, "over"), anna).done

    def _all_told(self) -> bool:
        receipts = self.daemon.outgoing._receipts
        if any(receipts._waiting.values()):
            receipts._looked_at_s = 0.0
            receipts.look()
        return not any(receipts._waiting.values())

    def _committed(self, batch: Committed) -> None:
        self.commits += 1
        for told in batch.told:
            rows = self.daemon.outgoing._outbox.rows(told.position, told.arrival_ms, [told.said])
            self.notices += sum(1 for _ in rows)
        with self._changed:
            self._changed.notify_all()

    def _until(self, reached: Callable[[], bool], what: str) -> None:
        """Wait until it is so, looking after each commit and now and then."""
        tries = 0
        with self._changed:
            while not reached():
                tries += 1
                assert tries < PATIENCE_S / 0.01, f"{what}: not within {PATIENCE_S:.0f} s"
                self._changed.wait(0.01)


def _fill_caches() -> None:
    """What is remembered of different texts has its bound, and is as large as it gets from the beginning."""
    for number in range(conditioning._REMEMBERED):
        conditioning._quanta("temperature", f"{number}.0", "degC")
