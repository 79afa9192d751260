"""Lines of text from loggers and converters: `name=value[unit];…*CS`, or columns.

The site describes its lines; nothing is guessed. A line that is too long, holds what is not
printable or fails its checksum gives no value at all, and neither does one that has another form
than described: half a line must never become a value.
Sources: docs/drivers/ascii_line.md.
"""

from __future__ import annotations

import re
from functools import reduce
from operator import xor

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.ascii_settings import AsciiSettings
from coldchain_drivers.lies import NUMBER, Lie, refusal, told
from coldchain_drivers.times import event_time_ms

LINE_BYTES_MAX = 512

_UNIT = r"[A-Za-z%°][A-Za-z0-9%°/]{0,7}"
_CELL = re.compile(rf"(?P<number>{NUMBER.pattern}) ?(?:\[(?P<boxed>{_UNIT})\]|(?P<bare>{_UNIT}))?", re.ASCII)
_SEQUENCE = re.compile(r"\d{1,18}", re.ASCII)
_CHECK = re.compile(r"(?P<body>.*)\*(?P<check>[0-9A-Fa-f]{2})", re.DOTALL)


def decode(settings: AsciiSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one line, without its end, as the values in it; never raises."""
    cells = _cells(settings, frame)
    if isinstance(cells, Reason):
        return (Bad(cells, frame),)
    at_ms = sequence = fault = None
    if settings.sequence is not None:
        text = cells.get(settings.sequence) or ""
        sequence = int(text) if _SEQUENCE.fullmatch(text) else None
        fault = Reason.CORRUPT_FRAME if sequence is None else None
    if settings.time is not None:
        at_ms = event_time_ms(cells.get(settings.time.at) or "", settings.time.format, settings.time.zone)
        fault = Reason.BAD_TIME if at_ms is None else fault
    found: list[Measured | Bad] = []
    for value in settings.values:
        if value.at not in cells and not settings.every_value:
            continue
        number, unit, reason = _read(
            cells.get(value.at, ""), value.unit or "", settings.lies_by_key[value.key]
        )
        reason = fault or reason
        if reason is None:
            found.append(Measured(value.key, number, unit, at_ms, sequence))
        else:
            found.append(Bad(reason, frame, value.key, at_ms, sequence))
    return tuple(found)


def _read(cell: str | None, unit: str, lies: tuple[Lie, ...]) -> tuple[str, str, Reason | None]:
    """Number, unit and refusal of one cell. None stands for a name that came twice."""
    if cell is None:
        return "", unit, Reason.CORRUPT_FRAME
    match = _CELL.fullmatch(cell)
    if match is None:
        return "", unit, told(cell, unit, lies) or (Reason.NOT_A_NUMBER if cell else Reason.NO_VALUE)
    unit = match["boxed"] or match["bare"] or unit
    return match["number"], unit, refusal(match["number"], unit, lies)


def _cells(settings: AsciiSettings, frame: bytes) -> dict[str | int, str | None] | Reason:
    """What stands at each place of the line, or why the whole line is refused."""
    if len(frame) > LINE_BYTES_MAX:
        return Reason.OVERSIZED_FRAME
    text = _text(settings, frame)
    if text is None:
        return Reason.CORRUPT_FRAME
    if settings.checksum != "none":
        checked = _CHECK.fullmatch(text)
        covered = frame[settings.checksum_skips : max(frame.rfind(b"*"), 0)]
        if checked is None or int(checked["check"], 16) != _checksum(settings.checksum, covered):
            return Reason.BAD_CHECKSUM
        text = checked["body"]
    if not text.startswith(settings.prefix):
        return Reason.UNEXPECTED_REPLY
    cells = (
        text.removeprefix(settings.prefix)
        .strip(" ")
        .split(None if settings.separator == " " else settings.separator)
    )
    cells = [cell.strip(" ") for cell in cells]
    return _columns(settings, cells) if settings.layout == "columns" else _pairs(settings, cells)


def _columns(settings: AsciiSettings, cells: list[str]) -> dict[str | int, str | None] | Reason:
    if len(cells) != settings.column_count:
        return Reason.CORRUPT_FRAME
    return dict(enumerate(cells, 1))


def _pairs(settings: AsciiSettings, cells: list[str]) -> dict[str | int, str | None] | Reason:
    found: dict[str | int, str | None] = {}
    for cell in cells[:-1] if cells and not cells[-1] else cells:  # one separator may end the line
        name, equals, value = (part.strip(" ") for part in cell.partition("="))
        if not equals or name not in settings.names:
            return Reason.UNEXPECTED_REPLY
        found[name] = None if name in found else value
    return found or Reason.UNEXPECTED_REPLY


def _text(settings: AsciiSettings, frame: bytes) -> str | None:
    try:
        text = frame.decode(settings.encoding)
    except UnicodeDecodeError:
        return None
    also = {"\t"} if settings.separator == "\t" else set()
    if settings.encoding != "ascii":
        also.add("°")
    return text if all(" " <= sign <= "~" or sign in also for sign in text) else None


def _checksum(kind: str, covered: bytes) -> int:
    return reduce(xor, covered, 0) if kind == "xor8" else sum(covered) & 0xFF


def _keys(settings: AsciiSettings) -> dict[str, str]:
    return {value.key: value.unit or "" for value in settings.values}


DRIVER = SerialDriver(
    name="ascii_line",
    version="1",
    title="Lines of text, described by the site",
    maturity=Maturity.GENERIC,
    settings=AsciiSettings,
    line=lambda s: Line(s.terminator.encode("ascii"), LINE_BYTES_MAX, s.timeout_ms, s.baud, s.frame),
    poll=lambda s: () if s.request is None else (Query("line", s.request.encode("ascii")),),
    decode=decode,
    keys=_keys,
    sends_time=lambda s: s.time is not None,
    numbers_readings=lambda s: s.sequence is not None,
    datasheet=DATASHEETS / "ascii_line.toml",
    sources=("generic; the site describes what its device sends",),
)
