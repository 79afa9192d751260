"""A readout of an Elitech RC-4, RC-4HC or RC-5 as a log: times counted from its start, by its interval.

What no description of the logger tells is not guessed: whether values come in °F when it shows °F, and
whether its start includes a delay that was set. The one is asked, the other is a doubt.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from coldchain.importers import elitech_wire as wire
from coldchain.importers.daylight import to_utc
from coldchain.importers.elitech_readout import FIRST_LINE, page_sizes
from coldchain.importers.loggerfile import Findings, LoggerFile, ReadAs, Series, Value
from coldchain.importers.refusal import Refused, Unread, beginning
from coldchain.importers.stamps import epoch_ms
from coldchain.model import Reason

_AGAIN = "read the logger out again with coldchain readout"
#: A clock that differs by more is told as a doubt: the zone may be wrong. Judgement.
_FAR_S = 600


def is_readout(lines: Sequence[str]) -> bool:
    """Whether a file begins as a readout does."""
    return bool(lines) and lines[0].strip() == FIRST_LINE


def read(name: str, sha256: str, lines: Sequence[str], told: ReadAs) -> LoggerFile:
    """The log of a readout; raises Refused."""
    file = _File(lines)
    info = wire.info(file.need(wire.INFO, wire.INFO_BYTES, "its information"))
    header = wire.data_header(file.need(wire.header(info.station), wire.HEADER_BYTES, "the data's header"))
    start, interval_s = _start(info, header), info.interval_s
    if interval_s is None:
        raise Refused("the logger says no interval, so no value has a time", "it was never set up")
    unit = _unit(info, told)
    if told.zone is None:
        raise Refused(
            "its times carry no zone",
            "say which clock the logger kept, such as --tz Europe/Zurich or --tz UTC",
            asks_zone=True,
            device=info.number,
        )
    (first_ms,), _ = to_utc([(file.line, start)], told.zone)
    findings = Findings(unread=file.odd)
    values = tuple(file.values(info, header, first_ms, interval_s * 1000, findings))
    _tell(info, header, file, told.zone, findings)
    return LoggerFile(
        name=name,
        sha256=sha256,
        kind=f"Elitech {file.model}, read out over serial",
        zone=told.zone,
        series=(Series("t", "Temperature", unit, values),),
        serial=info.number,
        unread=tuple(sorted(findings.unread, key=lambda unread: unread.line)),
        notes=tuple(findings.notes),
        doubts=tuple(findings.doubts),
        simulated=told.simulated,
    )


class _File:
    """The lines of a readout. `replies`: by request, with their lines; `line`: of the data's header."""

    def __init__(self, lines: Sequence[str]) -> None:
        self.model, self.read = "", ""
        self.page_values = self.measurement = 0
        self.replies: dict[bytes, list[tuple[int, bytes]]] = {}
        self.odd: list[Unread] = []
        self.line = 1
        self.whole = bool(lines) and any(line.strip() == "end" for line in lines)
        asked = b""
        for number, line in enumerate(lines[1:], start=2):
            sign, _, rest = line.strip().partition(" ")
            data = _bytes(rest) if sign in {">", "<"} else None
            if sign == ">" and data is not None:
                asked = data
            elif sign == "<" and data is not None:
                self.replies.setdefault(asked, []).append((number, data))
            elif not self._head(line.strip()):
                self.odd.append(Unread(number, "", beginning(line.strip()), "is no line of a readout"))
        if self.measurement not in {1, 2} or not self.page_values or self.page_values % self.measurement:
            raise Refused("it does not say how many values a page and a measurement have", _AGAIN)

    def _head(self, line: str) -> bool:
        key, _, said = line.partition(": ")
        if key == "values in a page" and said.isdecimal():
            self.page_values = int(said)
        elif key == "values in a measurement" and said.isdecimal():
            self.measurement = int(said)
        elif key == "model":
            self.model = said
        elif key == "read":
            self.read = said
        else:
            return line in {"", "end"}
        return True

    def need(self, request: bytes, size: int, what: str) -> bytes:
        """A reply that nothing can be read without."""
        found = self._best(request, size)
        if found is None:
            raise Refused(f"the file does not hold {what}", _AGAIN)
        self.line = found[0]
        return found[1]

    def _best(self, request: bytes, size: int) -> tuple[int, bytes] | None:
        """The reply whose sum fits, else one that came twice alike, else none."""
        came = [(line, reply) for line, reply in self.replies.get(request, ()) if wire.is_reply(reply, size)]
        alike = [one for one in came if sum(reply == one[1] for _, reply in came) > 1]
        return next((one for one in came if wire.sum_fits(one[1])), alike[0] if alike else None)

    def values(
        self, info: wire.Info, header: wire.Header, first_ms: int, step_ms: int, findings: Findings
    ) -> Iterator[Value]:
        """Each measurement with its time; those of a page that did not come whole are BAD, and named."""
        at, sums, count = 0, 0, self.measurement
        for number, size in enumerate(page_sizes(header.count * count, self.page_values)):
            request = wire.page(info.station, number)
            found = self._best(request, wire.page_bytes(size))
            line, reply = found or (self.line, b"")
            sums += found is not None and not wire.sum_fits(reply)
            told = wire.values(reply)[::count] if found else []
            last = at + size // count
            if found is None:
                why = f"measurements {at + 1} to {last} did not come whole; {_AGAIN}"
                findings.unread.append(Unread(line, f"page {number + 1}", "", why))
            for index in range(at, last):
                raw = told[index - at] if found else ""
                yield Value(first_ms + index * step_ms, raw, line, None if found else Reason.CORRUPT_FRAME)
            at = last
        if sums:
            findings.doubts.append(
                f"{sums} pages end with another number than the sum of their bytes; each came twice alike"
            )


def _bytes(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _start(info: wire.Info, header: wire.Header) -> datetime:
    """By the logger's own clock. Two places tell it, and nobody says which of them counts if they differ."""
    found = {each for each in (info.start, header.start) if each is not None}
    if not found:
        raise Refused("the logger says no start, so no value has a time", "it has recorded nothing")
    if len(found) > 1:
        first, second = info.start, header.start
        raise Refused(
            f"its information says that it started at {first}, and the data's header {second}",
            "read it out with the maker's program, and tell us what that says",
        )
    return found.pop()


def _unit(info: wire.Info, told: ReadAs) -> str:
    if info.unit == wire.CELSIUS:
        if told.unit not in {None, "degC"}:
            raise Refused("the logger says that it is set to °C", "leave --unit out")
        return "degC"
    if told.unit is None:
        says = "°F" if info.unit == wire.FAHRENHEIT else f"unit {info.unit:#04x}"
        raise Refused(
            f"the logger is set to {says}, and in which unit it hands out its values then, nobody could say",
            "compare its display with the first value as read with --unit C and with --unit F",
        )
    return told.unit


def _tell(info: wire.Info, header: wire.Header, file: _File, zone: tzinfo, findings: Findings) -> None:
    """How it was set, and whatever makes that nobody can say that the product was inside."""
    findings.notes += [
        f"{header.count} measurements each {info.interval_s} s, from second-hand description of its line",
        f"its own limits are {info.low} and {info.high}; it keeps no record of its alarms",
        f"it is {wire.STATES.get(info.state, f'in state {info.state}')}",
        f"its calibration adds {info.calibration}",
        "which values mean that it had none, nobody could say: compare a strange one with its display",
    ]
    if file.measurement == 2:
        findings.notes.append("it measures humidity, too: that is in the file kept, and is not imported")
    if info.count != header.count:
        findings.doubts.append(
            f"its information says {info.count} measurements, the data's header {header.count}"
        )
    if info.delay:
        findings.doubts.append(
            f"its start was delayed (code {info.delay:#04x}); whether its times include that nobody knows"
        )
    if not file.whole:
        findings.doubts.append("the file has no end: it may have been cut")
    ahead_s = _ahead_s(info, file, zone)
    if ahead_s is not None:
        which = "ahead of" if ahead_s > 0 else "behind"
        words = f"its clock was {abs(ahead_s)} s {which} the gateway's when it was read out"
        findings.notes.append(words)
        if abs(ahead_s) > _FAR_S:
            findings.doubts.append(f"{words}: is its zone right?")


def _ahead_s(info: wire.Info, file: _File, zone: tzinfo) -> int | None:
    try:
        read = datetime.fromisoformat(file.read)
    except ValueError:
        return None
    if info.now is None or read.tzinfo is None:
        return None
    return (epoch_ms(info.now.replace(tzinfo=zone)) - epoch_ms(read.astimezone(UTC))) // 1000
