"""`python -m tests.campaign [NAME …] [--seed N] [--size short|full]`: one table, 1 if one cost anything."""

from __future__ import annotations

import argparse
import os
import secrets
import sys
import time

from tests.campaign.faults import FAULTS
from tests.campaign.outcome import Fault, Outcome, Size
from tests.campaign.trying import tried

HEAD = ("fault", "tried", "lost", "doubled", "grown", "kill -9", "heal", "verdict", "")
#: A fault mostly waits for something that a gateway does: two of them share a core.
_JOBS = 2 * (os.cpu_count() or 1)
_ROW = "| {:<50} | {:>7} | {:>6} | {:>7} | {:>5} | {:>7} | {:>7} | {:<7} | {}"
#: A whole campaign kills so many processes at least, or it was none.
KILLS_MIN = 1_000


def _show(fault: Fault, outcome: Outcome, took_s: float, verdict: str) -> None:
    counts = (outcome.tried, outcome.lost, outcome.doubled, outcome.grown, outcome.kills)
    heal = "" if outcome.heal_s is None else f"{outcome.heal_s:.2f} s"
    note = f"{outcome.note} ({took_s:.0f} s)"
    print(_ROW.format(fault.title, *(f"{count:,}" for count in counts), heal, verdict, note), flush=True)


def main() -> int:
    """Try what was asked for and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description="Try faults, and audit.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(fault.name for fault in FAULTS))
    parser.add_argument("--seed", type=int, default=None, help="the same faults again (drawn if not given)")
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.FULL)
    parser.add_argument("--jobs", type=int, default=_JOBS, help="so many faults at a time")
    asked = parser.parse_args()
    unknown = set(asked.names) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    print(f"seed {seed}; the same again: make campaign SEED={seed}", flush=True)
    print(_ROW.format(*HEAD), flush=True)
    failed: list[str] = []
    tries = kills = 0
    began_s = time.monotonic()
    chosen = [fault for fault in FAULTS if not asked.names or fault.name in asked.names]
    for fault, future in tried(chosen, seed, asked.size, asked.jobs):
        error = future.exception()
        if error is None:
            outcome, took_s = future.result()
            passed = fault.passed(outcome)
            _show(fault, outcome, took_s, "ok" if passed else "FAILED")
            kills += outcome.kills
            tries += outcome.tried
        else:
            passed = False
            first, *rest = f"{type(error).__name__}: {error}".splitlines()
            _show(fault, Outcome(0, note=first), 0, "FAILED")
            print("\n".join(rest), file=sys.stderr, flush=True)
        if not passed:
            failed.append(fault.name)
    print(f"{len(chosen)} kinds of faults, {tries:,} tries, {kills:,} processes killed; {_minutes(began_s)}")
    if not asked.names and asked.size is Size.FULL and kills < KILLS_MIN:
        print(f"only {kills:,} were killed; a campaign is {KILLS_MIN:,}")
        return 1
    if failed:
        print(f'FAILED: {" ".join(failed)}; again: make campaign SEED={seed} FAULTS="{" ".join(failed)}"')
    return 1 if failed else 0


def _minutes(began_s: float) -> str:
    return f"{(time.monotonic() - began_s) / 60:.0f} min"


if __name__ == "__main__":
    sys.exit(main())
