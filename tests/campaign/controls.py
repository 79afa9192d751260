"""Gateways from which one guard was taken out: the audit of a running gateway must see what that costs."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.campaign.gateway import Audit, Gateway
from tests.campaign.growth import LOOKS_MIN
from tests.campaign.live import line_cut_at_an_acknowledgement
from tests.campaign.outcome import Fault, Outcome, Size

#: How many messages come between two looks at a driver that leaks, and how many times as fast as usual.
_MESSAGES, _TIMES = 50, 4
#: The first commits of a life are its own; from this one on they hold what the broker sends.
_PASSES = 4
#: So many kills at most until something is lost.
_KILLS = 20
#: How often the connection is cut at an acknowledgement; how long what nobody was told is waited for (s).
_CUTS, _PATIENCE_S = 3, 2.0


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


def keeping_twice(seed: int, size: Size) -> Outcome:
    """A writer that does not know a repeat: what was not acknowledged comes again, and is kept again."""
    del size
    with (
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
        Gateway(Path(folder), seed, "twice") as gateway,
    ):
        gateway.flow(5)
        for _ in range(_CUTS):
            line_cut_at_an_acknowledgement(gateway)
            gateway.flow(1)
        found = gateway.audit()
    return _outcome(_CUTS, found, gateway.kills, found.doubled)


def telling_nobody(seed: int, size: Size) -> Outcome:
    """Sinks that say yes and tell nobody: notices, points and an alarm that stands are missed."""
    del size
    with (
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
        Gateway(Path(folder), seed, "deaf") as gateway,
    ):
        gateway.patience_s = _PATIENCE_S
        gateway.printed_celsius = -140.0
        gateway.print_lines(1)
        gateway.flow(100)
        found = gateway.end()
    seen = {line.partition(":")[0].partition(" box-")[0]: line for line in reversed(found.lost)}
    return _outcome(1, found, gateway.kills, sorted(seen.values()))


def _outcome(tried: int, found: Audit, kills: int, seen: list[str]) -> Outcome:
    lost, doubled, grown = len(found.lost), len(found.doubled), len(found.grown)
    return Outcome(tried, lost, doubled, grown, kills, note="; ".join(seen[:4]))


FAULTS = (
    Fault("ack-early", "control: acknowledged early, and killed", acknowledged_early, control="lost"),
    Fault("leak", "control: a driver that leaks", leaking, control="grown"),
    Fault("twice", "control: repeats are not known", keeping_twice, control="doubled"),
    Fault("deaf", "control: sinks that tell nobody", telling_nobody, control="lost"),
)
