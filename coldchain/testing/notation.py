"""A series and what is said of it, each in one line.

Series: one token a step, separated by blanks.

    -149        a GOOD value            _           nothing comes
    ?-149       an UNCERTAIN value      bad         BAD, bad:sensor_open with its reason
    -160x10     the token ten times     -190..-140x6  six steps from the first to the last value

Announcements: the words of `Announcement` that matter, times in steps: "raised above since 1 due 11".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from fractions import Fraction

from coldchain.announcements import Announcement
from coldchain.facts import Reading
from coldchain.model import Reason

_TOKEN = re.compile(r"(?P<what>.+?)(?:x(?P<times>\d+))?")
_RAMP = re.compile(r"(?P<a>-?\d+(?:\.\d+)?)\.\.(?P<b>-?\d+(?:\.\d+)?)")


def readings(
    series: str, *, source: str, channel: str, unit: str = "degC", start_ms: int = 0, step_ms: int = 60_000
) -> list[Reading]:
    """The readings of a series; token n is at `start_ms + n * step_ms`.

    Raises ValueError naming the token that cannot be read.
    """
    found: list[Reading] = []
    step = 0
    for token in series.split():
        for what in _expand(token):
            if what != "_":
                found.append(_reading(what, source, channel, unit, start_ms + step * step_ms))
            step += 1
    return found


def told(announcements: Iterable[Announcement], *, start_ms: int = 0, step_ms: int = 60_000) -> list[str]:
    """Announcements as short lines, event times in steps from the start of the series."""

    def steps(at_ms: int) -> str:
        return str(Fraction(at_ms - start_ms, step_ms).limit_denominator(100_000))

    lines = []
    for said in announcements:
        words = [said.kind.value, said.rule or said.alarm or said.text]
        if said.since_ms is not None:
            words.append(f"since {steps(said.since_ms)}")
        if said.due_ms is not None:
            words.append(f"due {steps(said.due_ms)}")
        if said.end_ms is not None:
            words.append(f"end {steps(said.end_ms)}")
        if said.late is not None:
            words.append(said.late.value)
        lines.append(" ".join(words))
    return lines


def _expand(token: str) -> list[str]:
    match = _TOKEN.fullmatch(token)
    if match is None:
        raise ValueError(f"{token!r} is no token of a series")
    what, times = match["what"], int(match["times"] or 1)
    ramp = _RAMP.fullmatch(what)
    if ramp is None:
        return [what] * times
    first, last = Fraction(ramp["a"]), Fraction(ramp["b"])
    if times < 2:
        raise ValueError(f"{token!r}: a ramp needs at least two steps, as in {what}x5")
    return [f"{float(first + (last - first) * i / (times - 1)):.3f}" for i in range(times)]


def _reading(what: str, source: str, channel: str, unit: str, at_ms: int) -> Reading:
    if what == "bad" or what.startswith("bad:"):
        reason = Reason(what[4:]) if what[3:] else Reason.SENSOR_FAULT
        return Reading(source, channel, at_ms=at_ms, bad=reason)
    doubt = Reason.UNSTABLE if what.startswith("?") else None
    raw = what.removeprefix("?")
    if re.fullmatch(r"-?\d+(\.\d+)?", raw) is None:
        raise ValueError(f"{what!r} is no token of a series: a number, _, ?number, bad or bad:reason")
    return Reading(source, channel, raw, unit, at_ms=at_ms, doubt=doubt)
