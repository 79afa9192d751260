"""`python -m tests.campaign [NAME …] [--seed N] [--seeds N]`: one table; 1 if one cost anything."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time

from tests.campaign.faults import FAULTS
from tests.campaign.outcome import Fault, Outcome, Size, summed
from tests.campaign.trying import tried

HEAD = ("fault", "tried", "lost", "doubled", "grown", "kill -9", "heal", "verdict", "")
#: A fault mostly waits for something that a gateway does: two of them share a core.
_JOBS = 2 * (os.cpu_count() or 1)
_ROW = "| {:<50} | {:>7} | {:>6} | {:>7} | {:>5} | {:>7} | {:>7} | {:<7} | {}"
#: A whole campaign kills so many processes at least, or it was none.
KILLS_MIN = 1_000


class Row:
    """A fault's row of the table. failed: seeds from which it cost something, or did not come to its end."""

    def __init__(self, fault: Fault, seeds: int) -> None:
        self._fault, self._left, self._took_s = fault, seeds, 0.0
        self._outcomes: list[Outcome] = []
        self.failed: list[int] = []

    def lived(self, seed: int, outcome: Outcome, took_s: float) -> None:
        """It was tried to its end."""
        self._left -= 1
        self._outcomes.append(outcome)
        self._took_s += took_s
        if not self._fault.passed(outcome):
            self.failed.append(seed)

    def broke(self, seed: int, why: str) -> None:
        """It was not; whatever was written of it goes beside the table."""
        print(f"{self._fault.name}, seed {seed}: {why}", file=sys.stderr, flush=True)
        self.lived(seed, Outcome(0, note=why.splitlines()[0]), 0)

    @property
    def whole(self) -> bool:
        """Whether it was tried from each seed."""
        return not self._left

    @property
    def outcome(self) -> Outcome:
        """All of it, so far."""
        return summed(self._outcomes)

    def show(self) -> None:
        """Print it."""
        all_in_all = self.outcome
        counts = (all_in_all.tried, all_in_all.lost, all_in_all.doubled, all_in_all.grown, all_in_all.kills)
        cells = ("" if count is None else f"{count:,}" for count in counts)
        heal = "" if all_in_all.heal_s is None else f"{all_in_all.heal_s:.2f} s"
        verdict = "FAILED" if self.failed else "ok"
        note = f"{all_in_all.note} ({self._took_s:.0f} s)"
        words = (self._fault.title, *cells, heal, verdict, note)
        print(_ROW.format(*words), flush=True)


def main() -> int:
    """Try what was asked for and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description="Try faults, and audit.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(fault.name for fault in FAULTS))
    parser.add_argument("--seed", type=int, default=None, help="the same faults again (drawn if not given)")
    parser.add_argument("--seeds", type=int, default=1, help="each from so many seeds, this one and the next")
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.FULL)
    parser.add_argument("--jobs", type=int, default=_JOBS, help="so many faults at a time")
    asked = parser.parse_args()
    unknown = set(asked.names) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    again = f"SEED={seed}" + (f" SEEDS={asked.seeds}" if asked.seeds > 1 else "")
    last = f" to {seed + asked.seeds - 1}" if asked.seeds > 1 else ""
    print(f"seed {seed}{last}; the same again: make campaign {again}", flush=True)
    print(_ROW.format(*HEAD), flush=True)
    began_s = time.monotonic()
    chosen = [fault for fault in FAULTS if not asked.names or fault.name in asked.names]
    rows = {fault.name: Row(fault, asked.seeds) for fault in chosen}
    for fault, one, future in tried(chosen, range(seed, seed + asked.seeds), asked.size, asked.jobs):
        row = rows[fault.name]
        error = future.exception()
        if error is None:
            row.lived(one, *future.result())
        else:
            row.broke(one, f"{type(error).__name__}: {error}")
        if row.whole:
            row.show()
    kills = sum(row.outcome.kills for row in rows.values())
    tries = sum(row.outcome.tried for row in rows.values())
    print(f"{len(chosen)} kinds of faults, {tries:,} tries, {kills:,} processes killed; {_minutes(began_s)}")
    if not asked.names and asked.size is Size.FULL and kills < KILLS_MIN:
        print(f"only {kills:,} were killed; a campaign is {KILLS_MIN:,}")
        return 1
    failed = [(one, name) for name, row in rows.items() for one in row.failed]
    for one, name in failed:
        print(f"FAILED: {name}; again: make campaign SEED={one} FAULTS={name}")
    return 1 if failed else 0


def _minutes(began_s: float) -> str:
    return f"{(time.monotonic() - began_s) / 60:.0f} min"


if __name__ == "__main__":
    sys.exit(main())
