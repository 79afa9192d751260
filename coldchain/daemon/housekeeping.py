"""Housekeeping by the wall clock: nothing here decides anything, and no alarm hangs on it.

APScheduler plans its jobs by wall-clock time; after a step back none would run until that time comes
again. So the schedule is built anew whenever the wall clock has left the boot clock.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coldchain.clock import Clock
from coldchain.daemon.errors import DaemonError
from coldchain.pipeline.timekeeper import STEP_MS

if TYPE_CHECKING:
    from apscheduler.schedulers.background import BackgroundScheduler


@dataclass(frozen=True)
class Job:
    """What to do every so many real seconds; it returns at once or minds its own time."""

    name: str
    every_s: int
    work: Callable[[], object]


class Housekeeping:
    """The jobs, on a schedule that survives steps of the wall clock."""

    def __init__(self, clock: Clock, jobs: tuple[Job, ...]) -> None:
        self._clock = clock
        self._jobs = jobs
        self._lock = threading.Lock()
        self._offset_ms = self._wall_minus_boot_ms()
        self.scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin. Raises DaemonError if APScheduler is not installed."""
        with self._lock:
            self.scheduler = self._planned()
            self.scheduler.start()

    def look(self) -> None:
        """Plan anew if the wall clock has stepped since the last look; a slewed one has not."""
        offset_ms = self._wall_minus_boot_ms()
        stepped = abs(offset_ms - self._offset_ms) > STEP_MS * self._clock.speed
        self._offset_ms = offset_ms
        with self._lock:
            if stepped and self.scheduler is not None:
                self.scheduler.shutdown(wait=False)
                self.scheduler = self._planned()
                self.scheduler.start()

    def stop(self) -> None:
        """End; a running job is not waited for."""
        with self._lock:
            if self.scheduler is not None:
                self.scheduler.shutdown(wait=False)
                self.scheduler = None

    def _planned(self) -> BackgroundScheduler:
        try:
            from apscheduler.schedulers.background import BackgroundScheduler
        except ImportError as error:
            raise DaemonError(
                f"housekeeping needs APScheduler ({error}); "
                "install it with: pip install 'coldchain[schedule]'"
            ) from error
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for job in self._jobs:
            scheduler.add_job(job.work, "interval", seconds=job.every_s, id=job.name)
        return scheduler

    def _wall_minus_boot_ms(self) -> int:
        return self._clock.utc_ms() - self._clock.boot_ms()
