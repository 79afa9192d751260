"""Faults tried several at a time, each in a process of its own."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from multiprocessing import get_context

from tests.campaign.faults import FAULTS
from tests.campaign.outcome import Fault, Outcome, Size

#: What came of one, and the real seconds it took.
Row = tuple[Outcome, float]


def _try(name: str, seed: int, size: Size) -> Row:
    """Try one fault; what came of it, and the real seconds it took."""
    # Some live a gateway within this process: what it logs is not the table's.
    logging.getLogger("coldchain").addHandler(logging.NullHandler())
    fault = next(fault for fault in FAULTS if fault.name == name)
    began_s = time.monotonic()
    return fault.try_it(seed, size), time.monotonic() - began_s


def tried(
    faults: list[Fault], seeds: Sequence[int], size: Size, jobs: int
) -> Iterator[tuple[Fault, int, Future[Row]]]:
    """Each fault from each seed in a process of its own, so many at a time, as they end."""
    with ProcessPoolExecutor(jobs, get_context("spawn"), max_tasks_per_child=1) as workers:
        running = {
            workers.submit(_try, fault.name, seed, size): (fault, seed) for fault in faults for seed in seeds
        }
        for future in as_completed(running):
            yield *running[future], future
