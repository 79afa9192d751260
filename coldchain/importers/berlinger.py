"""Text reports of Berlinger loggers: a Q-tag CLm's log, its alarm slots, and its own result.

Daily figures of those that keep no log are `berlinger_days`. Known from recorded files of a "Q-tag CLm doc
LR" (version 1.9): sections `Conf`, `Res` and `Data`, times by
the device's clock without offset, temperatures in °C. `Zone` is shown and not trusted: it says
how the device was configured, not how its clock was set. Signatures are not checked here.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, tzinfo
from fractions import Fraction

from coldchain.importers import berlinger_days, berlinger_limits, daylight, stamps
from coldchain.importers.berlinger_tree import Node, tree
from coldchain.importers.loggerfile import ROLE, Findings, LoggerFile, ReadAs, Series, Value
from coldchain.importers.placing import placed
from coldchain.importers.refusal import Refused, Unread, beginning
from coldchain.logged import LoggerAlarm
from coldchain.model import Reason
from coldchain.plan import Bound
from coldchain.units import exact

#: A heading of its own kind names the columns: how times are written, the temperature, the mark.
_COLUMNS = ("yyyy-MM-dd hh:mm", "T", "Out of limits")
_ROW = re.compile(r"\t(?P<time>[^\t]*)\t(?P<value>[^\t]*)\t(?P<mark>x?)\s*")
_VALUE = re.compile(r"[+-]?\d{1,3}(\.\d{1,3})?")
_KNOWN = ("Q-tag CLm", "Q-tag Fridge-tag 2")


def is_berlinger(lines: Sequence[str]) -> bool:
    """Whether a file begins as Berlinger loggers do."""
    return bool(lines) and lines[0].startswith("Device: Q-tag")


def read(name: str, sha256: str, lines: Sequence[str], told: ReadAs) -> LoggerFile:
    """Read a report; raises Refused where it holds no log, or no zone is known."""
    root, odd = tree(lines)
    device = root.get("Device") or ""
    data, history = root.section("Data"), root.section("Hist")
    if data is None and (history is None or not told.days):
        raise Refused(*_why_no_log(root, device))
    conf = root.section("Conf")
    if conf is None:
        raise Refused("has no section 'Conf'", "read the logger out again")
    if told.zone is None:
        zone = conf.get("Zone")
        raise Refused(
            "its times carry no zone"
            + (f"; 'Zone: {zone}' is how it was configured, no proof" if zone else ""),
            "say which clock the logger kept, such as --tz Europe/Zurich or --tz UTC",
            line=(data or history or root).line,
            asks_zone=True,
            device=conf.get("Serial") or "",
        )
    serial = conf.get("Serial") or ""
    if data is None and history is not None:
        figures, unread = berlinger_days.days(history, conf)
        if not figures:
            raise Refused("has no day in its history", "read the logger out again", line=history.line)
        return LoggerFile(
            name=name,
            sha256=sha256,
            kind=device,
            zone=told.zone,
            series=(),
            serial=serial,
            unread=tuple(sorted([*unread, *(_odd(*one) for one in odd)], key=lambda one: one.line)),
            notes=(
                _shown(device, root, conf),
                "daily figures and no log: no limit can judge it",
            ),
            days=figures,
            simulated=told.simulated,
        )
    assert data is not None
    limits, doubts = berlinger_limits.rules(conf, ROLE, serial)
    findings = Findings(doubts=doubts, unread=[_odd(line, text) for line, text in odd])
    findings.notes.append(_shown(device, root, conf))
    if above := [line for line, _ in odd if line < data.line]:
        findings.doubts.append(f"line {above[0]} could not be read and may have held a limit")
    series, marks = _log(data, odd, told, findings)
    _compare_marks(series, marks, limits, findings)
    result = root.section("Res")
    stopped = _stopped_ms(result, told)
    if not any(node.key == "Sig" for node in root.below):
        findings.doubts.append("the report ends before its signature, so its log may be incomplete")
    else:
        findings.notes.append("the report is signed; the signature was not checked")
    return LoggerFile(
        name=name,
        sha256=sha256,
        kind=device,
        zone=told.zone,
        series=(series,),
        serial=serial,
        rules=tuple(limits),
        unread=tuple(sorted(findings.unread, key=lambda unread: unread.line)),
        notes=tuple(findings.notes),
        doubts=tuple(findings.doubts),
        claims=tuple((claim.rule, str(claim)) for claim in berlinger_limits.claims(result)),
        alarms=tuple(_alarm(claim, told.zone) for claim in berlinger_limits.claims(result)),
        energy=_energy(conf),
        stopped_ms=stopped,
        simulated=told.simulated,
    )


def _alarm(claim: berlinger_limits.Claim, zone: tzinfo) -> LoggerAlarm:
    """An event of the device's own result, by its own clock."""
    since, raised, until = (
        None if wall is None else stamps.epoch_ms(wall.replace(tzinfo=zone))
        for wall in (claim.start, claim.triggered, claim.end)
    )
    return LoggerAlarm(claim.rule, str(claim), since, raised, until, claim.minutes)


def _why_no_log(root: Node, device: str) -> tuple[str, str]:
    if root.section("Hist") is not None:
        return (
            f"{device or 'this report'} holds daily figures and no log, so nobody can judge limits by it",
            "judge it by the device's own display, or use a logger that exports its log",
        )
    return f"{device or 'this report'} has no section 'Data'", "read the logger out again"


def _shown(device: str, root: Node, conf: Node) -> str:
    known = "" if device.startswith(_KNOWN) else ", a model not seen before"
    shown = [
        f"{device}{known}",
        f"serial {conf.get('Serial') or 'not given'}",
        f"report {root.get('Vers') or '?'}",
    ]
    if (zone := conf.get("Zone")) is not None:
        shown.append(f"'Zone: {zone}' in its configuration, shown and not trusted")
    return ", ".join(shown)


def _odd(line: int, text: str) -> Unread:
    return Unread(line, "", beginning(text), "is no line of such a report")


def _log(
    data: Node, odd: list[tuple[int, str]], told: ReadAs, findings: Findings
) -> tuple[Series, dict[int, bool]]:
    """The log as a series, and by line whether the device marked the value as out of limits."""
    if not data.rows:
        raise Refused("has an empty log", "read the logger out again", line=data.line)
    (line_of_heading, heading), rows = data.rows[0], data.rows[1:]
    if tuple(heading.strip().split("\t")) != _COLUMNS:
        raise Refused(
            f"its log has the columns {heading.strip()!r}, and only {' | '.join(_COLUMNS)} are known",
            "export it as CSV",
            line=line_of_heading,
        )
    found: list[tuple[int, datetime | None, str, Reason | None]] = []
    marks: dict[int, bool] = {}
    for line, text in rows:
        match = _ROW.fullmatch(text)
        if match is None:
            findings.unread.append(Unread(line, "", beginning(text.strip()), "is not time, value and mark"))
            found.append((line, None, "", Reason.CORRUPT_FRAME))
            continue
        cell = stamps.read(match["time"])
        wall = cell.under("YMD") if isinstance(cell, stamps.Civil) and cell.shape == "first" else None
        good = _VALUE.fullmatch(match["value"]) is not None
        if wall is None:
            findings.unread.append(Unread(line, _COLUMNS[0], beginning(match["time"]), "is no time"))
        if not good:
            why = "is no number" if match["value"] else "is blank"
            findings.unread.append(
                Unread(line, "T", beginning(match["value"]), why, known=not match["value"])
            )
        bad = None if good else Reason.NOT_A_NUMBER if match["value"] else Reason.NO_VALUE
        found.append((line, wall, match["value"] if good and wall is not None else "", bad))
        marks[line] = bool(match["mark"])
    # Lines that are nothing in particular stood where they stand: below the heading they were rows.
    found += [(number, None, "", Reason.CORRUPT_FRAME) for number, _ in odd if number > line_of_heading]
    found.sort(key=lambda row: row[0])
    return _series(found, told, findings), marks


def _series(
    found: list[tuple[int, datetime | None, str, Reason | None]], told: ReadAs, findings: Findings
) -> Series:
    assert told.zone is not None, "checked before the log was read"
    known = [(line, wall) for line, wall, _, _ in found if wall is not None]
    at_ms, notes = daylight.to_utc(known, told.zone)
    findings.notes += notes
    by_line = dict(zip((line for line, _ in known), at_ms, strict=True))
    values = [
        Value(by_line[line], raw, line, bad) if line in by_line else None for line, _, raw, bad in found
    ]
    in_order = placed(values, [line for line, _, _, _ in found])
    return Series("t", "T", "degC", tuple(sorted(in_order, key=lambda value: value.at_ms)))


def _compare_marks(series: Series, marks: dict[int, bool], limits: list[Bound], findings: Findings) -> None:
    """The device's own marks say what it takes to be outside; if we read its limits otherwise, say so."""
    differing = [
        value.line
        for value in series.values
        if value.bad is None
        and (number := exact(value.raw)) is not None
        and marks.get(value.line) is not berlinger_limits.is_marked(number, limits)
    ]
    if differing and limits:
        findings.doubts.append(
            f"{len(differing)} values are marked otherwise by the device than its limits say, the first in "
            f"line {differing[0]}"
        )


def _stopped_ms(result: Node | None, told: ReadAs) -> int | None:
    text = result.get("TS Stop") if result is not None else None
    cell = stamps.read(text) if text else None
    if not isinstance(cell, stamps.Civil) or told.zone is None:
        return None
    wall = cell.under("YMD")
    return None if wall is None else stamps.epoch_ms(wall.replace(tzinfo=told.zone))


def _energy(conf: Node) -> Fraction | None:
    text = conf.get("MKT Energy")
    return exact(text) if text else None
