"""A logger's file on its way into the journal: what a command hands over, and what it is told."""

from __future__ import annotations

from msgspec import Struct

from coldchain.logged import PLATINUM, LoggerAlarm, LoggerDay, Valid
from coldchain.model import Reason

#: The original file is kept whole in the journal, so it may not be of any size: about 200 000 readings.
FILE_BYTES_MAX = 8 << 20


class Column(Struct, frozen=True):
    """One series of a file: parallel lists of times (UTC, ms), raw texts, why there is no value, or a doubt.

    role: what it measured in the asset; "": nothing said, None: nothing that could be judged by limits.
    """

    id: str
    title: str
    unit: str
    role: str | None
    at_ms: tuple[int, ...]
    raw: tuple[str, ...]
    bad: tuple[Reason | None, ...]
    doubt: tuple[Reason | None, ...]


class Log(Struct, frozen=True, forbid_unknown_fields=True):
    """A logger's file as it was read, and the file itself.

    device: by which name the logger is known from trip to trip; zone: of its local times, "" if it needs
    none; until_ms: when recording ended, if the file says so; another_zone: its clock was set to another one;
    valid: between which values its probes are believed.
    """

    asset: str
    device: str
    serial: str
    kind: str
    zone: str
    name: str
    sha256: str
    content: bytes
    columns: tuple[Column, ...]
    until_ms: int | None = None
    unread: tuple[str, ...] = ()
    alarms: tuple[LoggerAlarm, ...] = ()
    days: tuple[LoggerDay, ...] = ()
    another_zone: bool = False
    valid: Valid = PLATINUM
    simulated: bool = False


class LoggerView(Struct, frozen=True, omit_defaults=True):
    """What is known of a logger: the zone of its clock, and when it was last heard of in the journal."""

    device: str
    zone: str = ""
    serial: str = ""


class Taken(Struct, frozen=True):
    """What became of one series. judged: by which profiles' stages; beside: why by none."""

    channel: str
    title: str
    place: str
    readings: int
    from_ms: int
    to_ms: int
    judged: str
    beside: str = ""


class Excursion(Struct, frozen=True):
    """What our limits find in the log. triggered_ms: when its alarm was due, None if it never was."""

    id: str
    rule: str
    title: str
    from_ms: int
    triggered_ms: int | None
    until_ms: int | None
    extreme: int
    quantity: str


class Imported(Struct, frozen=True, omit_defaults=True):
    """How an import ended: done, already there, or refused in words fit for the person."""

    done: bool
    message: str = ""
    already: bool = False
    position: int | None = None
    new: int = 0
    repeats: int = 0
    taken: tuple[Taken, ...] = ()
    excursions: tuple[Excursion, ...] = ()
    notes: tuple[str, ...] = ()
