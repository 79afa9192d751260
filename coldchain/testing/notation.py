"""A series of readings in one line, as tests, documentation and `coldchain check` write it.

Phrases, separated by commas, one after the other:

    -190 for 3h                a reading each interval
    ramp to -140 over 2h       in equal steps from where it was; or: ramp from 4 to 9 over 1h
    ?-149 for 5m               UNCERTAIN readings
    bad:sensor_open for 10m    BAD with its reason; or just: bad for 10m
    gap 20m                    nothing comes

or steps, separated by blanks, each one interval long:

    -149   ?-149   bad   bad:sensor_open   _ (nothing comes)
    -160x10     ten times           -190..-140x6    six steps from the first to the last value

A phrase reaches up to where the next one begins; the last one is measured at its end as well, so that
"9 for 10m" is ten minutes of 9. A step is one reading. Durations are "3h12m", "90s", "1h 30m", "2d",
"10 min"; a minus may be "-" or "−".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from msgspec import Struct

from coldchain.facts import Reading
from coldchain.model import Reason
from coldchain.units import exact

_UNITS_MS = {"ms": 1, "s": 1000, "m": 60_000, "min": 60_000, "h": 3_600_000, "d": 86_400_000}
#: A duration as a part of other patterns: "3h12m", "10 min".
LENGTH = r"(?:\d+(?:\.\d+)?\s*(?:ms|s|min|m|h|d)(?![a-z])\s*)+"
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|min|m|h|d)")
_DURATION = re.compile(LENGTH)
_NUMBER = r"-?\d+(?:\.\d+)?"

_STEADY = re.compile(rf"(?P<what>\S+)\s+for\s+(?P<length>{LENGTH})")
_RAMP = re.compile(
    rf"ramp(?:\s+from\s+(?P<a>{_NUMBER}))?\s+to\s+(?P<b>{_NUMBER})\s+over\s+(?P<length>{LENGTH})"
)
_GAP = re.compile(rf"gap\s+(?:of\s+|for\s+)?(?P<length>{LENGTH})")
_STEP = re.compile(r"(?P<what>.+?)(?:x(?P<times>\d+))?")
_FROM_TO = re.compile(rf"(?P<a>{_NUMBER})\.\.(?P<b>{_NUMBER})")
_WORDS = frozenset({"for", "ramp", "gap", "over", "to", "from"})

#: More readings than this are a slip of the pen, not a test.
READINGS_MAX = 1_000_000


class Unreadable(ValueError):
    """A text that is not in the notation: the `token` that cannot be read, what is wrong, and the mend."""

    def __init__(self, token: str, what: str, mend: str) -> None:
        super().__init__(f"{token!r}: {what}; {mend}")
        self.token, self.what, self.mend = token, what, mend


class Point(Struct, frozen=True):
    """One reading of a series: when after its start, and the number's text or why there is none."""

    at_ms: int
    raw: str = ""
    bad: Reason | None = None
    doubt: Reason | None = None


class Series(Struct, frozen=True):
    """A series as read: its readings in order of time, and how long it is."""

    points: tuple[Point, ...]
    length_ms: int

    def readings(self, *, source: str, channel: str, unit: str, start_ms: int) -> Iterator[Reading]:
        """The series as facts of a channel."""
        for point in self.points:
            given = unit if point.raw else ""
            yield Reading(
                source,
                channel,
                point.raw,
                given,
                at_ms=start_ms + point.at_ms,
                bad=point.bad,
                doubt=point.doubt,
            )


def series(text: str, *, step_ms: int = 60_000) -> Series:
    """Read a series; `step_ms` is the channel's interval. Raises Unreadable."""
    writer = _Writer(step_ms)
    phrases = [phrase.strip() for phrase in text.replace("−", "-").split(",")]
    if not any(phrases):
        raise Unreadable(text, "there is nothing in it", 'write a series such as "5 for 3h"')
    for phrase in phrases:
        if not phrase:
            raise Unreadable(text, "has a comma with nothing beside it", "take the comma out")
        writer.add(phrase)
    return writer.close()


def readings(
    text: str, *, source: str, channel: str, unit: str = "degC", start_ms: int = 0, step_ms: int = 60_000
) -> list[Reading]:
    """The readings of a series that begins at `start_ms`. Raises Unreadable."""
    read = series(text, step_ms=step_ms)
    return list(read.readings(source=source, channel=channel, unit=unit, start_ms=start_ms))


def duration_ms(text: str, *, step_ms: int | None = None) -> int:
    """A duration such as "3h12m" in ms; a bare number counts steps, if there are any. Raises Unreadable."""
    bare = exact(text.strip())
    if bare is not None and step_ms is not None:
        return round(bare * step_ms)
    if bare == 0:
        return 0  # nothing is nothing in any unit
    if _DURATION.fullmatch(text.strip()) is None:
        raise Unreadable(text, "is no duration", 'write one such as "3h12m", "20m" or "90s"')
    total = sum(
        (exact(number) or Fraction(0)) * _UNITS_MS[unit] for number, unit in _PART.findall(text.strip())
    )
    if total != int(total):
        raise Unreadable(text, "is finer than 1 ms", "round it to whole milliseconds")
    return int(total)


def duration_text(span_ms: int) -> str:
    """A duration without loss, as `duration_ms` reads it back: "3h12m", "1m30s"; nothing is "0"."""
    sign, rest = ("-", -span_ms) if span_ms < 0 else ("", span_ms)
    words = ""
    for unit in ("d", "h", "m", "s", "ms"):
        count, rest = divmod(rest, _UNITS_MS[unit])
        if count:
            words += f"{count}{unit}"
    return sign + (words or "0")


class _Writer:
    """Phrases in, points out; `at_ms` is where the next phrase begins."""

    def __init__(self, step_ms: int) -> None:
        self.step_ms = step_ms
        self.at_ms = 0
        self.points: list[Point] = []
        self.value: Fraction | None = None  # where a ramp begins
        self.closing: Point | None = None  # what is measured at the end of the last phrase

    def add(self, phrase: str) -> None:
        if (ramp := _RAMP.fullmatch(phrase)) is not None:
            self._ramp(phrase, ramp["a"], ramp["b"], duration_ms(ramp["length"]))
        elif (gap := _GAP.fullmatch(phrase)) is not None:
            self.at_ms += duration_ms(gap["length"])
            self.closing = None
        elif (steady := _STEADY.fullmatch(phrase)) is not None:
            self._steady(steady["what"], duration_ms(steady["length"]))
        elif phrase.split(maxsplit=1)[0] in _WORDS or not _WORDS.isdisjoint(phrase.split()):
            raise Unreadable(
                phrase,
                "is no phrase",
                'write one such as "-190 for 3h", "ramp to -140 over 2h", "gap 20m" or "bad for 10m"',
            )
        else:
            self._steps(phrase)

    def close(self) -> Series:
        if self.closing is not None:
            self._put(_at(self.closing, self.at_ms))
        return Series(tuple(self.points), self.at_ms)

    def _steady(self, what: str, length_ms: int) -> None:
        if what == "_":
            self.at_ms += length_ms
            self.closing = None
            return
        point = self._point(what)
        self._count(length_ms)
        for offset_ms in range(0, length_ms, self.step_ms):
            self._put(_at(point, self.at_ms + offset_ms))
        self.at_ms += length_ms
        self.closing = point

    def _ramp(self, phrase: str, first: str | None, last: str, length_ms: int) -> None:
        begin = self.value if first is None else exact(first)
        end = exact(last)
        if begin is None or end is None:
            raise Unreadable(phrase, "nothing says where it begins", f'write "ramp from 5 {phrase[5:]}"')
        if not length_ms:
            raise Unreadable(phrase, "takes no time", "write how long it takes")
        self._count(length_ms)
        for offset_ms in range(0, length_ms, self.step_ms):
            value = begin + (end - begin) * offset_ms / length_ms
            self._put(Point(self.at_ms + offset_ms, _plain(value)))
        self.at_ms += length_ms
        self.value = end
        self.closing = Point(0, _plain(end))

    def _steps(self, phrase: str) -> None:
        self.closing = None
        for token in phrase.split():
            for what in self._expand(token):
                if what != "_":
                    self._put(_at(self._point(what), self.at_ms))
                self.at_ms += self.step_ms

    def _expand(self, token: str) -> list[str]:
        match = _STEP.fullmatch(token)
        assert match is not None, "a token is not empty"
        what, times = match["what"], int(match["times"] or 1)
        self._count(times * self.step_ms)
        ramp = _FROM_TO.fullmatch(what)
        if ramp is None:
            return [what] * times
        first, last = Fraction(ramp["a"]), Fraction(ramp["b"])
        if times < 2:
            raise Unreadable(token, "is a ramp of less than two steps", f'write "{what}x5"')
        return [_plain(first + (last - first) * i / (times - 1)) for i in range(times)]

    def _point(self, what: str) -> Point:
        if what == "bad" or what.startswith("bad:"):
            name = what.removeprefix("bad").removeprefix(":")
            try:
                return Point(0, bad=Reason(name) if name else Reason.SENSOR_FAULT)
            except ValueError:
                known = ", ".join(sorted(Reason))
                raise Unreadable(
                    what, f"{name!r} is no reason for a bad reading", f"write one of {known}"
                ) from None
        raw = what.removeprefix("?")
        if re.fullmatch(_NUMBER, raw) is None:
            raise Unreadable(
                what, "is no token of a series", "write a number, ?number, bad, bad:reason, or _ for nothing"
            )
        self.value = exact(raw)
        return Point(0, raw, doubt=Reason.UNSTABLE if what.startswith("?") else None)

    def _put(self, point: Point) -> None:
        self.points.append(point)

    def _count(self, length_ms: int) -> None:
        if len(self.points) + length_ms // self.step_ms > READINGS_MAX:
            raise Unreadable(
                duration_text(length_ms),
                f"would be more than {READINGS_MAX} readings",
                "shorten it, or read less often",
            )


def _at(point: Point, at_ms: int) -> Point:
    """The same reading at another time."""
    return Point(at_ms, point.raw, point.bad, point.doubt)


def _plain(value: Fraction) -> str:
    """A value between two others to three decimals, as a logger would send it."""
    return f"{round(value * 1000) / 1000:.3f}"
