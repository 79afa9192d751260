"""Gateways from which one guard was taken out: the audit of a running gateway must see what that costs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.campaign.gateway import Audit, Gateway
from tests.campaign.growth import LOOKS_MIN
from tests.campaign.outcome import Fault, Outcome, Size

#: How many messages come between two looks at a driver that leaks, and how many times as fast as usual.
_MESSAGES, _TIMES = 50, 4
#: The first commits of a life are its own; from this one on they hold what the broker sends.
_PASSES = 4
#: So many kills at most until something is lost.
_KILLS = 20


def acknowledged_early(seed: int, size: Size) -> Outcome:
    """A daemon that acknowledges before it commits, killed in a commit."""
    del size
    found, tries = Audit(), 0
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder, Gateway(Path(folder), seed) as gateway:
        gateway.kill()
        while not found.lost and tries < _KILLS:
            tries += 1
            gateway.kill_at("in_commit", _PASSES, "ack_first")
            found = gateway.audit()
    return _outcome(tries, found, gateway.kills, found.lost)


def leaking(seed: int, size: Size) -> Outcome:
    """A driver that keeps something of every message, and opens files that it never closes."""
    del size
    with (
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
        Gateway(Path(folder), seed, "leak") as gateway,
    ):
        gateway.talk.times = _TIMES
        for _ in range(LOOKS_MIN):
            gateway.flow(_MESSAGES)
            gateway.audit()
        found = gateway.end()
    return _outcome(LOOKS_MIN, found, gateway.kills, found.grown)


def _outcome(tried: int, found: Audit, kills: int, seen: list[str]) -> Outcome:
    lost, doubled, grown = len(found.lost), len(found.doubled), len(found.grown)
    return Outcome(tried, lost, doubled, grown, kills, note="; ".join(seen[:2]))


FAULTS = (
    Fault("ack-early", "control: acknowledged early, and killed", acknowledged_early, control="lost"),
    Fault("leak", "control: a driver that leaks", leaking, control="grown"),
)
