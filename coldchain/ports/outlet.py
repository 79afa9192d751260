"""What a port says about one source: facts made of what its driver read, and its ups and downs.

A driver is other people's code: whatever it raises ends here, as a fact. The port never makes a
reading by itself; what it could not hand to the driver is an `Unreadable`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from coldchain.clock import Clock
from coldchain.config.loaded import Loaded, Source
from coldchain.facts import Note, Reading, Unreadable
from coldchain.model import Bad, Decoded, Measured, Noted, Origin, Reason
from coldchain.ports.framing import Blob
from coldchain.ports.standing import Count, Standing

_log = logging.getLogger(__name__)

#: Reasons by which a driver says that it did not understand the frame; all others are the device's own words.
NOT_UNDERSTOOD = frozenset(
    {
        Reason.CORRUPT_FRAME,
        Reason.BAD_CHECKSUM,
        Reason.OVERSIZED_FRAME,
        Reason.UNEXPECTED_REPLY,
        Reason.WRONG_DEVICE,
    }
)

#: After a driver raised, its source is called up again by the first good frame that is this much later.
FAULT_STANDS_S = 10.0

#: A state or a place that changes all the time is recorded so often (real seconds; a judgement: a courier's
#: van moves a kilometre in it).
NOTE_EACH_S = 60.0
NOTE_CHARACTERS_MAX = 200

PortFact = Reading | Unreadable | Note


def channels_of(loaded: Loaded, source: str) -> dict[str, str]:
    """Which channel each key of a source is."""
    return {
        channel.key: name for name, channel in loaded.settings.channels.items() if channel.source == source
    }


def unreadable(source: str, blob: Blob, key: str = "") -> Unreadable:
    """The fact of bytes that gave no reading."""
    return Unreadable(source, blob.reason, blob.sha256, blob.size, blob.head_hex, key)


@dataclass(frozen=True, slots=True)
class Made:
    """Facts made of one frame, not handed in yet. `good`: the frame could be read."""

    facts: tuple[PortFact, ...]
    good: bool
    unmapped: int = 0


class Outlet:
    """Everything a port says about one source. Belongs to one run of one port; `close` makes it mute."""

    def __init__(self, source: Source, channels: Mapping[str, str], standing: Standing, clock: Clock) -> None:
        self.source = source
        self.channels = channels
        self.standing = standing
        self._clock = clock
        self._closed = False
        self._detail: str | None = None  # None: the line is down
        self._fault_s: float | None = None

    # Ups and downs

    @property
    def closed(self) -> bool:
        """Whether the run that this belongs to is over."""
        return self._closed

    def close(self) -> None:
        """Say nothing any more: another run speaks for the source now."""
        self._closed = True

    def connected(self, detail: str, *, wait_for_frame: bool = False) -> None:
        """The device was opened; `wait_for_frame`: it is in doubt until it says something readable."""
        self._detail = detail
        if not wait_for_frame and not self._closed:
            self.standing.up(detail)

    def lost(self, why: str) -> None:
        """The device cannot be read, and why."""
        self._detail = None
        if not self._closed:
            self.standing.down(why)

    def fails(self, why: str) -> None:
        """The line is open, and yet nothing can be read for now."""
        if not self._closed:
            self.standing.down(why)

    def count(self, what: Count, by: int = 1) -> None:
        """Count something."""
        self.standing.counts[what] += by

    # Facts

    def read(
        self,
        decode: Callable[[], Decoded],
        frame: bytes,
        *,
        origin: Origin = Origin.LIVE,
        dup: bool = False,
    ) -> Made:
        """The facts of one frame; what the driver raises becomes one too. Counts nothing yet."""
        try:
            return self._made(decode(), frame, origin, dup=dup)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge to other people's code
            self.driver_raised(error)
            return Made((unreadable(self.source.id, Blob(Reason.CORRUPT_FRAME, frame)),), good=False)

    def driver_raised(self, error: BaseException) -> None:
        """The driver broke its word that it never raises."""
        driver = self.source.driver
        why = f"driver {driver.name} {driver.version} raised {type(error).__name__}: {error}"
        if self._fault_s is None:  # once, not for each of its frames
            _log.error("%s: %s", self.source.id, why, exc_info=error)
        self._fault_s = self._clock.real_s()
        self.fails(why)

    def taken(self, made: Made) -> None:
        """These facts were handed in (or there were none): count them."""
        counts = self.standing.counts
        counts[Count.FRAMES] += 1
        counts[Count.UNMAPPED] += made.unmapped
        for fact in made.facts:
            if isinstance(fact, Unreadable):
                if fact.key:
                    self.standing.told_keys.add(fact.key)
                else:
                    counts[Count.UNREADABLE] += 1
            elif isinstance(fact, Note):
                self.standing.noted[fact.key] = (fact.text, self._clock.real_s())
            else:
                counts[Count.READINGS] += 1
                counts[Count.BAD] += fact.bad is not None
        if made.good:
            self._heard()

    def _heard(self) -> None:
        """A good frame: the source is up if its line is."""
        self.standing.good()
        if self._closed or self._detail is None or self.standing.is_up:
            return
        if self._fault_s is None or self._clock.real_s() - self._fault_s >= FAULT_STANDS_S:
            self._fault_s = None
            self.standing.up(self._detail)

    def _made(self, decoded: Decoded, frame: bytes, origin: Origin, *, dup: bool) -> Made:
        facts: list[PortFact] = []
        good = not decoded  # nothing in it that is ours, and said so
        unmapped = 0
        told: set[str] = set()
        for place, item in enumerate(decoded):
            if isinstance(item, Noted):
                good = True
                facts += self._note(item)
                continue
            good = good or isinstance(item, Measured) or item.reason not in NOT_UNDERSTOOD
            if item.key is None:
                facts.append(unreadable(self.source.id, Blob(_reason(item), frame)))
                continue
            channel = self.channels.get(item.key)
            if channel is None:
                unmapped += 1
                if item.key not in self.standing.told_keys | told:
                    told.add(item.key)
                    facts.append(unreadable(self.source.id, Blob(_reason(item), frame), item.key))
                continue
            facts.append(self._reading(item, channel, place, origin, dup=dup))
        return Made(tuple(facts), good, unmapped)

    def _note(self, item: Noted) -> tuple[Note, ...]:
        """The fact of what a device says of itself, if it is new and the last one is old enough."""
        text = item.text[:NOTE_CHARACTERS_MAX]
        self.standing.says[item.key] = text
        told, told_s = self.standing.noted.get(item.key, (None, 0.0))
        if text == told or (told is not None and self._clock.real_s() - told_s < NOTE_EACH_S):
            return ()
        return (Note(self.source.id, item.key, text, item.at_ms, self.source.settings.simulated),)

    def _reading(
        self, item: Measured | Bad, channel: str, place: int, origin: Origin, *, dup: bool
    ) -> Reading:
        made = Reading(
            self.source.id,
            channel,
            at_ms=item.at_ms,
            sequence=item.sequence,
            place=place,
            origin=Origin.BACKFILLED if item.history else origin,
            dup=dup,
            simulated=self.source.settings.simulated,
        )
        if isinstance(item, Bad):
            return replace(made, bad=item.reason)
        return replace(made, raw=item.value, unit=item.unit, doubt=item.doubt)


def _reason(item: Measured | Bad) -> Reason:
    """Why an item is no reading; a value under a key that nobody configured was not expected."""
    return item.reason if isinstance(item, Bad) else Reason.UNEXPECTED_REPLY
