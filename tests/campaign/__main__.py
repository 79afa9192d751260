"""`python -m tests.campaign [NAME …] [--seed N] [--size short|full]`: one table, 1 if one cost anything."""

from __future__ import annotations

import argparse
import secrets
import sys
import time

from tests.campaign.faults import FAULTS
from tests.campaign.outcome import Size

HEAD = ("fault", "tried", "lost", "doubled", "heal", "verdict", "")


def main() -> int:
    """Try what was asked for and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.campaign", description="Try faults, and audit.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(fault.name for fault in FAULTS))
    parser.add_argument("--seed", type=int, default=None, help="the same faults again (drawn if not given)")
    parser.add_argument("--size", type=Size, choices=list(Size), default=Size.FULL)
    asked = parser.parse_args()
    unknown = set(asked.names) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    seed = secrets.randbelow(2**32) if asked.seed is None else asked.seed
    print(f"seed {seed}; the same again: make campaign SEED={seed}", flush=True)
    print("| {:<42} | {:>8} | {:>6} | {:>7} | {:>7} | {:<7} | {}".format(*HEAD), flush=True)
    failed = False
    for fault in FAULTS:
        if asked.names and fault.name not in asked.names:
            continue
        began = time.monotonic()
        outcome = fault.try_it(seed, asked.size)
        passed = fault.passed(outcome)
        failed |= not passed
        heal = "" if outcome.heal_s is None else f"{outcome.heal_s:.2f} s"
        verdict = "ok" if passed else "FAILED"
        row = f"| {fault.title:<42} | {outcome.tried:>8,} | {outcome.lost:>6,} | {outcome.doubled:>7,}"
        took_s = time.monotonic() - began
        print(f"{row} | {heal:>7} | {verdict:<7} | {outcome.note} ({took_s:.0f} s)", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
