"""Which channel measures which place ("asset/role"), from when to when.

Of each channel there is one time line. A statement holds from its instant on and overrides
whatever was said of later instants before; at no instant does a channel measure two places, or
two channels one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from coldchain.consignments.when import When

_Line = list[tuple[When, str | None]]


class Bindings:
    """The time lines of all channels, and which channels ever measured a place."""

    def __init__(self) -> None:
        self._lines: dict[str, _Line] = {}
        self._at: dict[str, list[str]] = {}
        self._in: dict[str, set[str]] = {}
        self._lent: set[str] = set()

    def bind(self, channel: str, place: str, when: When) -> set[str]:
        """From an instant on the channel measures that place, and no other does; the places touched."""
        touched = self._state(channel, place, when) | {place}
        self._in.setdefault(place.rsplit("/", 1)[0], set()).add(place)
        for other in self._at.setdefault(place, []):
            if other != channel:
                self._leave(other, place, when)
        if channel not in self._at[place]:
            self._at[place].append(channel)
        return touched

    def unbind(self, channel: str, when: When) -> set[str] | None:
        """From an instant on the channel measures nothing; None: it measured nothing from then on anyway."""
        line = self._lines.get(channel, [])
        if not line or (_value_at(line, when.journal_ms) is None and not _after(line, when.journal_ms)):
            return None
        return self._state(channel, None, when)

    def lend(self, channel: str, place: str, since: When, until: When) -> bool:
        """A channel measured a place for a while, as is found out later; False if another one did then.

        Unlike a binding it overrides nothing: whoever measured the place was there, and stays.
        """
        others = [self._lines[other] for other in self._at.get(place, []) if other != channel]
        if any(_holds_within(line, place, since.journal_ms, until.journal_ms) for line in others):
            return False
        line = self._lines.setdefault(channel, [])
        spans = sorted([*_spans(line), (since, until)], key=lambda span: span[0].journal_ms)
        line.clear()
        for began, ended in spans:
            if line and began.journal_ms <= line[-1][0].journal_ms:
                if ended.journal_ms > line[-1][0].journal_ms:
                    line[-1] = (ended, None)
                continue
            line += [(began, place), (ended, None)]
        self._in.setdefault(place.rsplit("/", 1)[0], set()).add(place)
        if channel not in self._at.setdefault(place, []):
            self._at[place].append(channel)
        self._lent.add(channel)
        return True

    def left_by_a_log(self, place: str, journal_ms: int) -> bool:
        """Whether nothing measures a place at an instant, and what did so last was a log that has ended."""
        said = [
            (when.journal_ms, value == place, channel)
            for channel in self._at.get(place, [])
            for when, value in self._lines[channel]
            if when.journal_ms <= journal_ms
        ]
        if not said or self.channel_at(place, journal_ms) is not None:
            return False
        return max(said)[2] in self._lent

    def places(self) -> Iterable[str]:
        """Every place that was ever measured."""
        return self._at

    def places_in(self, asset: str) -> set[str]:
        """Every place of an asset that was ever measured."""
        return set(self._in.get(asset, ()))

    def place_of(self, channel: str) -> str | None:
        """Where a channel measures now."""
        line = self._lines.get(channel)
        return line[-1][1] if line else None

    def channel_in(self, place: str) -> str | None:
        """Which channel measures a place now."""
        return next((channel for channel in self._at.get(place, []) if self.place_of(channel) == place), None)

    def channel_at(self, place: str, journal_ms: int) -> str | None:
        """Which channel measures a place at an instant."""
        for channel in self._at.get(place, []):
            if _value_at(self._lines[channel], journal_ms) == place:
                return channel
        return None

    def channels_at(self, place: str) -> tuple[str, ...]:
        """Every channel that ever measured a place."""
        return tuple(self._at.get(place, ()))

    def instants(self, place: str) -> set[When]:
        """When something changes at a place, and perhaps when nothing does."""
        return {when for channel in self._at.get(place, []) for when, _ in self._lines[channel]}

    def put_right(self, mend: Callable[[When], When]) -> None:
        """Our clock became known: vague instants are told anew."""
        for channel, line in self._lines.items():
            self._lines[channel] = sorted(
                ((mend(when), place) for when, place in line), key=lambda part: part[0].journal_ms
            )

    def _state(self, channel: str, place: str | None, when: When) -> set[str]:
        line = self._lines.setdefault(channel, [])
        touched = {was for _, was in _after(line, when.journal_ms)} | {_value_at(line, when.journal_ms)}
        line[:] = [part for part in line if part[0].journal_ms < when.journal_ms]
        if (line[-1][1] if line else None) != place:
            line.append((when, place))
        return {was for was in touched if was is not None}

    def _leave(self, channel: str, place: str, when: When) -> None:
        """The channel does not measure this place from an instant on; elsewhere it may."""
        line = self._lines[channel]
        there = _value_at(line, when.journal_ms) == place
        changed: _Line = [part for part in line if part[0].journal_ms < when.journal_ms]
        rest = [part for part in line if part[0].journal_ms >= when.journal_ms]
        if there and not (rest and rest[0][0].journal_ms == when.journal_ms):
            changed.append((when, None))
        changed += [(began, None if at == place else at) for began, at in rest]
        self._lines[channel] = changed


def _value_at(line: _Line, journal_ms: int) -> str | None:
    value = None
    for when, place in line:
        if when.journal_ms > journal_ms:
            break
        value = place
    return value


def _after(line: _Line, journal_ms: int) -> _Line:
    return [part for part in line if part[0].journal_ms > journal_ms]


def _spans(line: _Line) -> list[tuple[When, When]]:
    """What a lent channel's line says, as (since, until): it names a place and nothing in turn."""
    return [(began, ended) for (began, _), (ended, _) in zip(line[::2], line[1::2], strict=True)]


def _holds_within(line: _Line, place: str, from_ms: int, until_ms: int) -> bool:
    """Whether a channel measures a place at any instant of a span."""
    if _value_at(line, from_ms) == place:
        return True
    return any(value == place and from_ms <= when.journal_ms < until_ms for when, value in line)
