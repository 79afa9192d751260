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
