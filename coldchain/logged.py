"""What loggers hand over after a trip: how far it is believed, what a file held, and two facts of it."""

from __future__ import annotations

from msgspec import Struct

from coldchain.plan import ChannelPlan, SourcePlan

#: A reading of a file counts for this many of the file's own usual steps, unless told otherwise.
GAP_STEPS = 3


class Valid(Struct, frozen=True):
    """The lowest and the highest temperature that is believed, in thousandths of °C; beyond, it is BAD."""

    low_mc: int
    high_mc: int


#: What a platinum thermometer can show (IEC 60751 reaches from −200 to +850 °C): codes such as −999 or 999.9
#: for "no probe" lie beyond it. So does +850 °C itself: a converter whose probe is open shows the end of its
#: scale (qitechgmbh/control, issue 176).
PLATINUM = Valid(-200_000, 849_999)


class Logged(Struct, frozen=True, omit_defaults=True):
    """What a file held for one channel: from its first reading until what its log stands for is over."""

    channel: str
    from_ms: int
    until_ms: int
    readings: int


class LoggerDay(Struct, frozen=True, omit_defaults=True):
    """What a logger without a log says of one day of its own clock: figures as they stand, "" if none.

    outside_min: for each of its limits, in words, how long it counted; lost_min: how long a sensor was away.
    """

    date: str
    least: str
    least_at: str
    greatest: str
    greatest_at: str
    average: str
    unit: str
    outside_min: tuple[tuple[str, int], ...] = ()
    lost_min: int = 0


class LoggerAlarm(Struct, frozen=True, omit_defaults=True):
    """An alarm as the logger itself recorded it; nothing of it is judged here.

    rule: its name for the limit; text: in words; times None where it gives none; minutes: as it counted.
    """

    rule: str
    text: str
    from_ms: int | None = None
    raised_ms: int | None = None
    until_ms: int | None = None
    minutes: int | None = None


class LoggerKnown(Struct, frozen=True, tag="logger", tag_field="fact", omit_defaults=True):
    """A logger whose files are imported: the source and the channels that its readings belong to.

    zone: in which its clock tells local time, asked once; "" if its files carry their offsets.
    """

    source: SourcePlan
    channels: tuple[ChannelPlan, ...]
    serial: str = ""
    kind: str = ""
    zone: str = ""
    actor: str = ""


class FileImported(Struct, frozen=True, tag="file_imported", tag_field="fact", omit_defaults=True):
    """All readings of a logger's file have been taken in; they came before this fact.

    sha256, size: of the file as it was; kept: hash of the document that holds it (the file itself where that
    is UTF-8 text, else its zlib-compressed bytes in base64). unread: how many lines or fields gave no
    reading; report: hash of the document that names each of them, "" if there is none.
    """

    sha256: str
    name: str
    size: int
    kept: str
    asset: str
    source: str
    logs: tuple[Logged, ...]
    alarms: tuple[LoggerAlarm, ...] = ()
    days: tuple[LoggerDay, ...] = ()
    unread: int = 0
    report: str = ""
    actor: str = ""
