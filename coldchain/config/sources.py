"""Sources and their drivers: the driver's own settings, how the device is reached, how often it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from pydantic import BaseModel

from coldchain.config.amounts import duration_text
from coldchain.config.devices import with_device
from coldchain.config.draft import Draft
from coldchain.config.loaded import Source
from coldchain.config.positions import Place
from coldchain.config.problems import listed, nearest
from coldchain.config.settings import SourceSettings
from coldchain.driver import Driver, Line, MqttDriver, SerialDriver
from coldchain.session import Now

_GROUP = "coldchain.drivers"


def installed_drivers() -> dict[str, Driver]:
    """Every driver published under the entry-point group `coldchain.drivers`, by name."""
    return {entry.name: entry.load() for entry in entry_points(group=_GROUP)}


def drivers_found() -> tuple[dict[str, Driver], dict[str, str]]:
    """Every published driver by name, and why the others cannot be loaded."""
    found: dict[str, Driver] = {}
    broken: dict[str, str] = {}
    for entry in entry_points(group=_GROUP):
        try:
            driver: object = entry.load()
        except Exception as error:  # noqa: BLE001 - the edge to other people's code
            broken[entry.name] = f"{type(error).__name__}: {error}"
            continue
        if isinstance(driver, SerialDriver | MqttDriver):
            found[entry.name] = driver
        else:
            broken[entry.name] = "it publishes no driver object"
    return found, broken


def resolve_sources(draft: Draft, drivers: Mapping[str, Driver] | None, base: Path) -> None:
    """Find each source's driver and let it read its settings; fills `draft.resolved`.

    base: where relative paths start.
    """
    for name, settings in draft.sources.items():
        place: Place = ("sources", name, "driver")
        driver = _find(draft, place, settings.driver, drivers)
        if driver is None:
            continue
        own = _own_settings(draft, ("sources", name, "settings"), settings.settings, driver, base)
        if own is None:
            continue
        if getattr(own, "simulated", False) and not settings.simulated:
            draft.refuse(
                ("sources", name, "simulated"),
                "is false, and the driver is told to accept simulated messages",
                "write simulated = true: what is simulated must never pass for evidence",
            )
        polled = _check_way(draft, name, settings, driver, own)
        draft.resolved[name] = Source(
            id=name,
            settings=settings,
            driver=driver,
            driver_settings=own,
            keys=driver.keys(own),
            line=_line(settings, driver, own),
            polled=polled,
            round_ms=_round_ms(draft, name, settings, polled),
        )
    _check_shared_ports(draft)
    _check_wills(draft)


def _own_settings(
    draft: Draft, place: Place, written: dict[str, Any], driver: Driver, base: Path
) -> BaseModel | None:
    """The driver's settings, with the device that they name; None if they are wrong, the problems noted."""
    table: dict[str, Any] | None = written
    if isinstance(driver, SerialDriver) and driver.devices is not None:
        table = with_device(draft, place, written, driver.devices, base)
    return None if table is None else draft.document.validate(driver.settings, table, place)


def _find(draft: Draft, place: Place, name: str, drivers: Mapping[str, Driver] | None) -> Driver | None:
    """A driver, given or installed; None if there is none or it cannot be loaded, which is then reported."""
    known: Mapping[str, Driver | EntryPoint]
    known = {entry.name: entry for entry in entry_points(group=_GROUP)} if drivers is None else drivers
    if name not in known:
        meant = nearest(name, known)
        mend = f'did you mean "{meant}"?' if meant else f"installed are: {listed(known)}"
        draft.refuse(place, f'no driver "{name}" is installed', mend)
        return None
    found: object = known[name]
    if isinstance(found, EntryPoint):
        try:
            found = found.load()
        except (ImportError, AttributeError) as error:
            what = f'driver "{name}" cannot be loaded: {error}'
            draft.refuse(place, what, "install it again, with what it needs")
            return None
    if not isinstance(found, SerialDriver | MqttDriver):
        draft.refuse(place, f'"{name}" is no driver', "ask whoever made it: it must publish a driver object")
        return None
    return found


def _check_way(draft: Draft, name: str, settings: SourceSettings, driver: Driver, own: BaseModel) -> bool:
    """Whether the device can be reached as written; returns whether it is polled."""
    if isinstance(driver, SerialDriver):
        return _check_serial(draft, name, settings, driver, own)
    for key in ("port", "baud", "frame", "poll", "poll_outside"):
        if getattr(settings, key) is not None:
            draft.refuse(("sources", name, key), f"{driver.name} is read from a broker", f"leave out {key}")
    if settings.broker is None:
        draft.refuse(
            ("sources", name, "broker"),
            "is missing",
            f"write broker, one of {listed(draft.written('brokers'))}",
        )
    elif draft.must_exist("brokers", settings.broker, ("sources", name, "broker")):
        _doubt_unnumbered(draft, name, settings.broker, driver, own)
        at = draft.brokers.get(settings.broker)
        if driver.session is not None and driver.session.clean and at is not None and not at.clean_session:
            draft.refuse(
                ("sources", name, "broker"),
                f"{driver.name} needs a session that the broker forgets: what it kept would be out of order",
                f"write clean_session = true in brokers.{settings.broker}, or a broker entry of its own with "
                "it and a client_id of its own",
            )
    return False


def _check_serial(
    draft: Draft, name: str, settings: SourceSettings, driver: SerialDriver, own: BaseModel
) -> bool:
    if settings.broker is not None:
        draft.refuse(
            ("sources", name, "broker"), f"{driver.name} is read from a serial line", "leave out broker"
        )
    if settings.port is None:
        draft.refuse(
            ("sources", name, "port"),
            "is missing",
            'write port = "/dev/serial/by-id/…" or "socket://HOST:PORT"',
        )
    line = driver.line(own)
    over_network = line.numbered is not None or (settings.port is not None and "://" in settings.port)
    if line.numbered is not None and settings.port is not None and "://" not in settings.port:
        draft.refuse(
            ("sources", name, "port"),
            f'{driver.name} is told to speak over the network, and "{settings.port}" is a device file',
            'write port = "socket://HOST:PORT"',
        )
    for key, own_word, example in (("baud", line.baud, "9600"), ("frame", line.frame, '"8N1"')):
        stated = getattr(settings, key)
        if own_word is not None and stated is not None and own_word != stated:
            draft.refuse(
                ("sources", name, key),
                f"{stated} contradicts {own_word} of {driver.name}",
                f"leave out {key}",
            )
        elif own_word is None and stated is None and not over_network:
            draft.refuse(
                ("sources", name, key),
                f"is missing: {driver.name} does not know it",
                f"write {key} = {example}, or what the device is set to",
            )
    polled = bool(driver.poll(own))
    if polled and settings.poll is None:
        draft.refuse(
            ("sources", name, "poll"), f"is missing: {driver.name} asks the device", 'write poll = "10 s"'
        )
    if not polled and settings.poll is not None:
        draft.refuse(("sources", name, "poll"), "the device speaks by itself", "leave out poll")
    _check_hurry(draft, name, settings, polled)
    return polled


def _check_hurry(draft: Draft, name: str, settings: SourceSettings, polled: bool) -> None:
    if settings.poll_outside is None:
        return
    if not polled:
        draft.refuse(
            ("sources", name, "poll_outside"),
            "the device speaks by itself, and nobody can ask it to do so more often",
            "leave out poll_outside; where the device has a faster interval of its own, set it there",
        )
    elif settings.poll is not None and settings.poll_outside >= settings.poll:
        draft.refuse(
            ("sources", name, "poll_outside"),
            f"is {duration_text(settings.poll_outside)}, and poll is {duration_text(settings.poll)}",
            "write a shorter time, or leave it out",
        )


def _line(settings: SourceSettings, driver: Driver, own: BaseModel) -> Line | None:
    if not isinstance(driver, SerialDriver):
        return None
    line = driver.line(own)
    return replace(line, baud=line.baud or settings.baud, frame=line.frame or settings.frame)


def _doubt_unnumbered(draft: Draft, name: str, broker: str, driver: Driver, own: BaseModel) -> None:
    at = draft.brokers.get(broker)
    if at is None or at.clean_session or driver.sends_time(own) or driver.numbers_readings(own):
        return
    draft.warn(
        ("sources", name, "broker"),
        "the source sends neither time nor number, so all that the broker kept would count as measured "
        "on reconnecting",
        "use a broker with clean_session = true, or a device that sends its time",
    )


def _round_ms(draft: Draft, name: str, settings: SourceSettings, polled: bool) -> int:
    if polled:
        return settings.poll or 0
    own = [channel for channel in draft.channels.values() if channel.source == name]
    return max((channel.upload or channel.interval or 0 for channel in own), default=0)


def _check_shared_ports(draft: Draft) -> None:
    """Several polled devices may share a bus: same speed, and each with an address of its own."""
    owners: dict[str, list[Source]] = {}
    for name, source in draft.resolved.items():
        port = source.settings.port
        if port is None:
            continue
        before = owners.setdefault(port, [])
        for first in before:
            refusal = _cannot_share(first, source)
            if refusal is not None:
                what = f'"{port}" belongs to sources.{first.id}, {refusal[0]}'
                draft.refuse(("sources", name, "port"), what, refusal[1])
                break
        before.append(source)


def _check_wills(draft: Draft) -> None:
    """A connection has one will: two sources that leave one need two connections."""
    owner: dict[str, str] = {}
    for name, source in draft.resolved.items():
        driver, broker = source.driver, source.settings.broker
        if not isinstance(driver, MqttDriver) or driver.session is None or broker is None:
            continue
        if driver.session.will(source.driver_settings, Now(0, 0)) is None:
            continue
        first = owner.setdefault(broker, name)
        if first != name:
            draft.refuse(
                ("sources", name, "broker"),
                f'sources.{first} leaves a will on the connection to "{broker}", and it can have one',
                "give this source a broker entry of its own, with a client_id of its own",
            )


def _cannot_share(first: Source, second: Source) -> tuple[str, str] | None:
    """Why two sources cannot share a line, and the mend; None if they can."""
    if not (first.polled and second.polled):
        return "and one of the two speaks by itself", "give each a port of its own"
    if first.line is not None and second.line is not None:
        ours = [(line.baud, line.frame) for line in (first.line, second.line)]
        if (first.line.numbered is None) is not (second.line.numbered is None):
            return "and only one of the two speaks Modbus TCP", "give each a port of its own"
        if ours[0] != ours[1]:
            return f"which talks at {ours[0][0]} {ours[0][1]}", "give both the same baud and frame"
    asked = [
        {query.send for query in source.driver.poll(source.driver_settings)}
        for source in (first, second)
        if isinstance(source.driver, SerialDriver)
    ]
    if len(asked) == 2 and asked[0] & asked[1]:
        return f"and both ask {_spoken(min(asked[0] & asked[1]))}", "give each device an address of its own"
    return None


def _spoken(request: bytes) -> str:
    """A request for people: as text if it is one, else in hex."""
    text = request.decode("latin-1").strip()
    return f'"{text}"' if text.isascii() and text.isprintable() else request.hex(" ")
