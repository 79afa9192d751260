"""Trying what is at the end of a serial line: one driver after the other, read-only, each with its time-out.

Nothing is sent but what a driver asks in service: its identity requests and its questions, and no driver can
form what writes. A driver fits when its device says rightly who it is (where it can be asked), and something
it says then is a value, or the device's own word that there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from pydantic import BaseModel

from coldchain.clock import Clock
from coldchain.config.devices import shipped_device
from coldchain.datasheet import Attempt
from coldchain.driver import Driver, Line, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain.ports.bell import Bell
from coldchain.ports.bus import Bus
from coldchain.ports.framing import Blob, cutter
from coldchain.ports.holders import holder_of
from coldchain.ports.lines import LineLost, open_wire
from coldchain.ports.outlet import NOT_UNDERSTOOD

#: Who has not answered by then is not there: the longest that one request may take (a judgement; drivers wait
#: up to 5 s for a device that is known to be there and busy).
TIMEOUT_MS_MAX = 2000


class PortHeld(Exception):
    """Another program has the port; the message says which."""


class Try(Struct, frozen=True):
    """One way to ask for one driver's device. `given`: the driver's settings, as written."""

    driver: SerialDriver
    attempt: Attempt
    given: dict[str, Any]
    line: Line

    @property
    def words(self) -> str:
        """What is tried, for people."""
        device = self.given.get("device") or self.given.get("model")
        what = f"{self.driver.name} {device}" if device else self.driver.name
        return f"{what}, {self.line.baud} baud {self.line.frame}"


class Seen(Struct, frozen=True):
    """A driver that fits: with which settings, and what its device says now."""

    tried: Try
    given: dict[str, Any]
    said: Decoded


def settings_of(driver: Driver, given: dict[str, Any]) -> BaseModel:
    """The driver's settings as it will have them. Raises ValidationError, KeyError for an unknown device."""
    devices = driver.devices if isinstance(driver, SerialDriver) else None
    if devices is not None and isinstance(given.get("device"), str):
        given = given | {"device": shipped_device(given["device"], devices)}
    return driver.settings.model_validate(given)


def tries(
    driver: SerialDriver, attempts: Iterable[Attempt], stated: dict[str, Any], *, network: bool
) -> Iterator[Try]:
    """The ways to ask for a driver's device. `stated`: what the site says of it; `network`: over a converter.

    An attempt that contradicts what is stated is left out. Raises ValueError for settings that do not fit.
    """
    for attempt in attempts:
        if any(attempt.settings.get(key, value) != value for key, value in stated.items()):
            continue
        given = attempt.settings | attempt.trial | stated
        line = driver.line(settings_of(driver, given))
        if line.numbered is not None and not network:
            continue
        line = replace(
            line,
            timeout_ms=min(line.timeout_ms, TIMEOUT_MS_MAX),
            baud=line.baud or 9600,  # a device on USB takes any
            frame=line.frame or "8N1",
        )
        yield Try(driver, attempt, given, line)


def probe_line(port: str, plan: Iterable[Try], clock: Clock, tell: Callable[[Try], None]) -> Iterator[Seen]:
    """Try each, and give what fits. Raises PortHeld before anything is sent, LineLost."""
    holder = holder_of(port)
    if holder is not None:
        raise PortHeld(
            f"{holder} has {port} open; stop it first, for a question between its own would be answered to it"
        )
    with closing(Bell()) as bell:
        for tried in plan:
            tell(tried)
            with open_wire(port, tried.line.baud, tried.line.frame, bell) as wire:
                bus = Bus(wire, bell, clock, lambda: False, lambda: None)
                if _speaks_when_asked(tried):
                    seen = _asked(bus, tried)
                    if seen is None:  # a late answer must not be taken for one to the next driver
                        bus.rest(partial(float, clock.real_s() + tried.line.timeout_ms / 1000), _unasked)
                else:
                    seen = _listened(bus, tried, clock)
            if seen is not None:
                yield seen


def _speaks_when_asked(tried: Try) -> bool:
    return bool(tried.driver.poll(settings_of(tried.driver, tried.given)))


# A device that is asked


def _asked(bus: Bus, tried: Try) -> Seen | None:
    """Whether the device answers as this driver's does, and what."""
    driver, line = tried.driver, tried.line
    try:
        settings = settings_of(driver, tried.given)
        for query in driver.identity(settings):
            query = bus.numbered(query, line)
            reply = bus.ask(query.send, line, _unasked)
            if not isinstance(reply, bytes) or driver.identify(settings, query, reply) is not None:
                return None
        return _narrowed(bus, tried) if tried.attempt.each else _whole(bus, tried, tried.given)
    except LineLost as lost:
        if "never quiet" in str(lost):  # it speaks by itself: those who listen will hear it
            return None
        raise


def _whole(bus: Bus, tried: Try, given: dict[str, Any]) -> Seen | None:
    said = _round(bus, tried, given)
    return Seen(tried, given, said) if said and any(map(_is_its_own, said)) else None


def _narrowed(bus: Bus, tried: Try) -> Seen | None:
    """Each input or point by itself: those that give a value now are kept; of none, all that answer."""
    name = tried.attempt.each
    live: list[Any] = []
    known: list[Any] = []
    words: list[Measured | Bad | Noted] = []
    for item in tried.given[name]:
        said = _round(bus, tried, tried.given | {name: [item]})
        if said is None:  # silence: nobody is there, and no other question will find anybody
            break
        if any(isinstance(each, Measured) for each in said):
            live.append(item)
            words += said
        elif any(map(_is_its_own, said)):
            known.append(item)
    kept = live or known
    return Seen(tried, tried.given | {name: kept}, tuple(words)) if kept else None


def _round(bus: Bus, tried: Try, given: dict[str, Any]) -> Decoded | None:
    """What the device says to each question; None: it is silent to the first."""
    settings = settings_of(tried.driver, given)
    said: list[Measured | Bad | Noted] = []
    for at, query in enumerate(tried.driver.poll(settings)):
        query = bus.numbered(query, tried.line)
        reply = bus.question(query, tried.line, _unasked)
        if isinstance(reply, bytes):
            said += _decoded(tried, settings, query, reply)
        elif at == 0:
            return None
    return tuple(said)


# A device that speaks by itself


def _listened(bus: Bus, tried: Try, clock: Clock) -> Seen | None:
    """Whether what comes unasked can be read by this driver: two frames, or one and then silence."""
    settings = settings_of(tried.driver, tried.given)
    frames = cutter(tried.line)
    frames.skip_line()
    until_s = clock.real_s() + tried.attempt.listen_s
    said: list[Measured | Bad | Noted] = []
    while (left_s := until_s - clock.real_s()) > 0:
        for frame in frames.feed(bus.receive(left_s)):
            if isinstance(frame, Blob):
                continue
            read = _decoded(tried, settings, None, frame)
            if any(isinstance(each, Bad) and each.reason in NOT_UNDERSTOOD for each in read):
                return None
            said += read
    return Seen(tried, tried.given, tuple(said)) if any(map(_is_its_own, said)) else None


def _decoded(tried: Try, settings: BaseModel, query: Query | None, frame: bytes) -> Decoded:
    try:
        return tried.driver.decode(settings, query, frame)
    except (Exception, SystemExit):  # noqa: BLE001 - the edge to other people's code: it does not fit
        return (Bad(Reason.CORRUPT_FRAME, frame),)


def _is_its_own(each: Measured | Bad | Noted) -> bool:
    """Whether this is a device's own word, and not a frame that could not be read."""
    return not isinstance(each, Bad) or each.reason not in NOT_UNDERSTOOD | {Reason.REFUSED}


def _unasked(blob: Blob) -> None:
    """What came without a question proves nothing."""
