"""What an Elitech RC-4, RC-4HC or RC-5 is asked over its serial line, and what its replies mean.

Requests can be formed only for what reads: who it is, how much it holds, and a page of that. A description of
commands that set its clock or its parameters exists as well, and is not in this program.

From second-hand description: civic/elitech-datareader 1.0.5 (MIT), rc-4-data.md and elitech/msg.py, with
which RC-4 and RC-5 were read; the checksum of requests is that of its published vectors. Not tried on a
logger.
"""

from __future__ import annotations

from datetime import date, datetime, time

from msgspec import Struct

#: The line: 115200 8N1 over the logger's USB; a reply may take 5 s, and the logger wants half a second
#: between two requests (all of them the source's own figures).
BAUD, FRAME, TIMEOUT_S, REST_S = 115_200, "8N1", 5.0, 0.5
_FIRST = 0x55
INIT, INIT_BYTES = bytes.fromhex("CC000A00D6"), 3
INFO, INFO_BYTES = bytes.fromhex("CC000600D2"), 160
HEADER_BYTES = 11
#: The codes of `Info.unit` and `Info.state`.
CELSIUS, FAHRENHEIT = 0x31, 0x13
STATES = {0: "not started", 1: "recording", 2: "stopped", 3: "waiting for its start"}


class Model(Struct, frozen=True):
    """A kind of logger: how many values a page of its data has, and how many of them one measurement is."""

    name: str
    page_values: int
    values: int


#: By the model's number in its information.
MODELS = {40: Model("RC-4", 100, 1), 42: Model("RC-4HC", 200, 2), 50: Model("RC-5", 500, 1)}


class Info(Struct, frozen=True):
    """What a logger says of itself; None or "": what stands there means nothing."""

    station: int
    model: int
    interval_s: int | None
    high: str
    low: str
    state: int
    start: datetime | None
    count: int
    now: datetime | None
    number: str
    delay: int
    unit: int
    calibration: str


class Header(Struct, frozen=True):
    """How many measurements it holds, and since when by its own clock."""

    count: int
    start: datetime | None


def header(station: int) -> bytes:
    """The question for the data's header."""
    return _summed(bytes((0x33, station, 0x01, 0x00)))


def page(station: int, number: int) -> bytes:
    """The question for a page of the data, from 0."""
    return _summed(bytes((0x33, station, 0x02, number)))


def page_bytes(values: int) -> int:
    """How long a page of so many values is."""
    return 2 + 2 * values


def is_reply(reply: bytes, size: int) -> bool:
    """Whether these bytes have the form of a reply."""
    return len(reply) == size and reply[0] == _FIRST


def sum_fits(reply: bytes) -> bool:
    """Whether a reply ends with the sum of its bytes."""
    return _summed(reply[:-1]) == reply


def info(reply: bytes) -> Info:
    """The information of a reply of INFO_BYTES."""
    hours, minutes, seconds = reply[5:8]
    known = minutes < 60 and seconds < 60 and (hours, minutes, seconds) != (0, 0, 0)
    return Info(
        station=reply[1],
        model=reply[3],
        interval_s=hours * 3600 + minutes * 60 + seconds if known else None,
        high=tenths(reply[8:10]),
        low=tenths(reply[10:12]),
        state=reply[19],
        start=_moment(reply[20:27]),
        count=int.from_bytes(reply[29:31]),
        now=_moment(reply[31:38]),
        number=_text(reply[138:148]),
        delay=reply[148],
        unit=reply[151],
        calibration=tenths(reply[152:153]),
    )


def data_header(reply: bytes) -> Header:
    """The header of a reply of HEADER_BYTES."""
    return Header(int.from_bytes(reply[1:3]), _moment(reply[3:10]))


def values(reply: bytes) -> list[str]:
    """The values of a page, as numbers with one decimal."""
    return [tenths(reply[at : at + 2]) for at in range(1, len(reply) - 1, 2)]


def tenths(raw: bytes) -> str:
    """A signed number of tenths, exactly."""
    number = int.from_bytes(raw, signed=True)
    return f"{'-' if number < 0 else ''}{abs(number) // 10}.{abs(number) % 10}"


def _moment(raw: bytes) -> datetime | None:
    try:
        # Of a wall clock: the logger knows no zone.
        return datetime.combine(date(int.from_bytes(raw[:2]), *raw[2:4]), time(*raw[4:]))
    except ValueError:
        return None


def _text(raw: bytes) -> str:
    """A text that ends at the first NUL; one that was never written (all FF) or is no ASCII is none."""
    try:
        text = raw.split(b"\0")[0].decode("ascii").strip()
    except UnicodeDecodeError:
        return ""
    return text if text.isprintable() else ""


def _summed(body: bytes) -> bytes:
    return body + bytes((sum(body) % 256,))
