"""What `coldchain import` says of a file: what is in, what could not be read, and whose alarms it shows."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from coldchain.cli.output import at, whole
from coldchain.daemon.logs import Imported
from coldchain.importers import LoggerFile
from coldchain.logged import LoggerAlarm, LoggerDay
from coldchain.units import QUANTITIES

#: Of lines that gave no reading, a report for people names so many; JSON and the journal name all.
_SHOWN = 40


class Status(StrEnum):
    """How an import ended. WITH_GAPS: imported, and some lines or fields gave no reading."""

    IMPORTED = "imported"
    WITH_GAPS = "imported_with_gaps"
    ALREADY = "already_imported"
    REFUSED = "refused"


@dataclass(frozen=True)
class FileReport:
    """One file: what it was, what is in the journal now, what gave no reading."""

    name: str
    sha256: str
    size: int
    asset: str
    status: Status = Status.REFUSED
    why: str = ""
    kind: str = ""
    device: str = ""
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    logger_alarms: tuple[LoggerAlarm, ...] = ()
    days: tuple[LoggerDay, ...] = ()
    imported: Imported = field(default_factory=lambda: Imported(done=False))

    def was_refused(self, why: str) -> FileReport:
        """Nothing of it is in the journal, and why."""
        return replace(self, why=why)

    def told(self, file: LoggerFile, device: str, imported: Imported) -> FileReport:
        """What the gateway made of it."""
        status = Status.REFUSED
        if imported.done:
            status = Status.WITH_GAPS if file.unread else Status.IMPORTED
            status = Status.ALREADY if imported.already else status
        return replace(
            self, status=status, why=imported.message, kind=file.kind, device=device,
            notes=(*file.notes, *imported.notes), doubts=file.doubts, unread=tuple(map(str, file.unread)),
            logger_alarms=file.alarms, days=file.days, imported=imported,
        )  # fmt: skip


def report_as_json(report: FileReport) -> dict[str, Any]:
    """One file for programs: times in ms UTC, nothing left out."""
    imported = report.imported
    return {
        "file": report.name, "sha256": report.sha256, "bytes": report.size, "asset": report.asset,
        "status": str(report.status), "why": report.why, "kind": report.kind, "device": report.device,
        "origin": "imported", "position": imported.position, "new": imported.new,
        "repeats": imported.repeats, "channels": whole(imported.taken), "notes": list(report.notes),
        "days": whole(report.days), "doubts": list(report.doubts), "unread": list(report.unread),
        "alarms": {"logger": whole(report.logger_alarms), "ours": whole(imported.excursions)},
    }  # fmt: skip


def show(reports: list[FileReport], console: Console) -> None:
    """All files for people."""
    for report in reports:
        _show(report, console)


def _show(report: FileReport, console: Console) -> None:
    imported = report.imported
    console.print(f"[bold]{escape(report.name)}[/bold]  SHA-256 {report.sha256}", soft_wrap=True)
    match report.status:
        case Status.REFUSED:
            console.print(f"refused: {report.why}", style="red", markup=False, soft_wrap=True)
            return
        case Status.ALREADY:
            console.print(
                f"already imported for {report.asset} at journal position {imported.position}; "
                "nothing was changed",
                markup=False,
            )
        case _:
            console.print(
                f"imported for {report.asset}: "
                + (f"{len(report.days)} days" if report.days else f"{imported.new} readings")
                + f" of {report.device}"
                + (f", {imported.repeats} known before" if imported.repeats else "")
                + f" (journal position {imported.position})",
                markup=False,
            )
    for taken in imported.taken:
        judged = f"judged by {taken.judged}" if taken.judged else f"stands beside: {taken.beside}"
        span = f"{at(taken.from_ms)} to {at(taken.to_ms)}"
        console.print(
            f"  {taken.title}: {taken.place or 'no place'}, {span}, {judged}", markup=False, soft_wrap=True
        )
    for doubt in report.doubts:
        console.print(f"  doubt: {doubt}", style="yellow", markup=False, soft_wrap=True)
    for note in report.notes:
        console.print(f"  note: {note}", style="dim", markup=False, soft_wrap=True)
    _show_days(report, console)
    _show_alarms(report, console)
    if report.unread:
        console.print(f"  {len(report.unread)} lines or fields gave no reading:", style="yellow")
        for line in report.unread[:_SHOWN]:
            console.print(f"    {line}", markup=False, soft_wrap=True)
        if len(report.unread) > _SHOWN:
            console.print(
                f"    and {len(report.unread) - _SHOWN} more; --format json names all", markup=False
            )


def _show_days(report: FileReport, console: Console) -> None:
    if not report.days:
        return
    table = Table(
        "day of its clock", "least °C", "at", "greatest °C", "at", "average °C", "outside", "no sensor"
    )
    for day in report.days:
        outside = "; ".join(f"{minutes} min ({limit})" for limit, minutes in day.outside_min if minutes)
        table.add_row(
            day.date, day.least, day.least_at, day.greatest, day.greatest_at, day.average,
            escape(outside) or "—", f"{day.lost_min} min" if day.lost_min else "—",
        )  # fmt: skip
    console.print(table)


def _show_alarms(report: FileReport, console: Console) -> None:
    ours = report.imported.excursions
    if not (ours or report.logger_alarms):
        return
    table = Table("by", "limit", "outside from", "alarm", "until", "furthest")
    for alarm in report.logger_alarms:
        table.add_row(
            "logger", escape(alarm.rule), at(alarm.from_ms), at(alarm.raised_ms), at(alarm.until_ms)
        )
    for each in ours:
        quantity = QUANTITIES.get(each.quantity)
        furthest = f"{quantity.to_float(each.extreme):g} {quantity.display_unit}" if quantity else ""
        table.add_row(
            "ours", escape(each.rule), at(each.from_ms), at(each.triggered_ms), at(each.until_ms), furthest
        )
    console.print(table)
