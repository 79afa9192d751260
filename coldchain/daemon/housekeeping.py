"""Housekeeping by the wall clock: nothing here decides anything, and no alarm hangs on it.

APScheduler's jobs run by wall-clock time; after a step they would all be missed or run at once, so
the schedule is simply built anew.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from apscheduler.schedulers.background import BackgroundScheduler

_log = logging.getLogger(__name__)


class Housekeeping:
    """Jobs as (name, interval in real seconds, what to do); each returns at once."""

    def __init__(self, jobs: tuple[tuple[str, int, Callable[[], object]], ...]) -> None:
        self._jobs = jobs
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin."""
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        self._scheduler = BackgroundScheduler(
            timezone="UTC", job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1}
        )
        for name, seconds, job in self._jobs:
            self._scheduler.add_job(job, "interval", seconds=seconds, id=name)
        self._scheduler.start()

    def rebuild(self) -> None:
        """The wall clock stepped: forget what was planned by it."""
        if self._scheduler is not None:
            self.stop()
            self.start()

    def stop(self) -> None:
        """End; a running job is not waited for."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=False)
            self._scheduler = None
