"""The validation record: what was checked, by which code, with what result, as plain data to be kept."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coldchain.reports import words
from coldchain.testing.checking import CaseResult, FileResult
from coldchain.testing.notation import duration_text
from coldchain.testing.saying import Expected, Told

_MS = 1000


@dataclass(frozen=True)
class CheckedBy:
    """Which program judged, and when it did (UTC ms)."""

    version: str
    engine: str
    at_ms: int


@dataclass(frozen=True)
class Row:
    """One line of a time line: what was expected beside what happened; `wrong`: what is not as it should."""

    at_ms: int | None
    expected: str
    happened: str
    wrong: str = ""


def timeline(result: CaseResult) -> list[Row]:
    """What was expected beside what happened, in order of time."""
    start_ms = result.case.start_ms
    held = result.held
    rows = [Row(each.at_ms - start_ms, line.text, _said(each, start_ms)) for line, each in held.pairs]
    rows += [Row(line.at_ms, line.text, "", _near(line, result)) for line in held.missing]
    rows += [
        Row(each.at_ms - start_ms, "", _said(each, start_ms), "not expected") for each in held.unexpected
    ]
    rows += [
        Row(each.at_ms - start_ms, line.text, _said(each, start_ms), "broken") for line, each in held.broken
    ]
    rows += [Row(each.announced_ms - start_ms, "", each.said.text, "refused") for each in result.refused]
    rows += [Row(event.at_ms, "", f"[{event.word} {event.rest}]") for event in result.case.events]
    shown = {id(each) for _, each in held.pairs} | {id(each) for each in held.unexpected}
    rows += [
        Row(each.at_ms - start_ms, "", _said(each, start_ms))
        for each in result.told
        if each.said.kind.value in ("raised", "returned") and id(each) not in shown
        and not any(each is other for _, other in held.broken)
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row.at_ms is None, row.at_ms or 0))


def record(results: Sequence[FileResult], by: CheckedBy) -> dict[str, Any]:
    """The whole record; its form is promised in docs/check.md."""
    return {
        "coldchain": by.version,
        "engine": by.engine,
        "python": platform.python_version(),
        "checked_at": words.iso(by.at_ms, UTC),
        "passed": all(result.passed for result in results),
        "files": [_file(result) for result in results],
    }


def _file(result: FileResult) -> dict[str, Any]:
    profile = result.file.profile.plan
    return {
        "file": result.file.document.shown,
        "sha256": result.file.document.sha256,
        "title": result.file.title,
        "profile": {
            "id": profile.id,
            "version": profile.version,
            "approved": profile.approved,
            "sha256": profile.sha256,
        },
        "figures": {
            name: {"value": figure.value, "source": figure.source, "approved_by": figure.approved_by}
            for name, figure in sorted(result.file.figures.items())
        },
        "passed": result.passed,
        "cases": [_case(case) for case in result.cases],
    }


def _case(result: CaseResult) -> dict[str, Any]:
    start_ms = result.case.start_ms
    return {
        "name": result.case.name,
        "line": result.case.line,
        "stage": result.case.stage,
        "start": words.iso(start_ms, UTC),
        "length": duration_text(result.case.length_ms),
        "passed": result.passed,
        "verdict": str(result.verdict),
        "expected_verdict": str(result.case.verdict),
        "reasons": list(result.reasons),
        "expected": [line.text for line in result.case.expected],
        "wrong": list(wrong(result)),
        "announcements": [_announcement(each, start_ms) for each in result.told],
        "channels": {role: _role(each) for role, each in result.roles.items()},
        "timeline_sha256": result.timeline_sha256,
    }


def wrong(result: CaseResult) -> Iterator[str]:
    """Each thing that was not as expected, in a sentence."""
    for row in timeline(result):
        if row.wrong:
            when = "" if row.at_ms is None else f"at {duration_text(row.at_ms)}: "
            yield f"{when}{row.expected or row.happened}: {row.wrong}"
    if result.verdict is not result.case.verdict:
        why = f" ({'; '.join(result.reasons)})" if result.reasons else ""
        yield f"verdict {result.verdict}{why}, expected {result.case.verdict}"


def _announcement(each: Told, start_ms: int) -> dict[str, Any]:
    said = each.said
    return {
        "at": duration_text(each.at_ms - start_ms),
        "kind": str(said.kind),
        "rule": said.rule,
        "alarm": said.alarm,
        "role": each.role,
        "priority": None if said.priority is None else str(said.priority),
        "since": None if said.since_ms is None else duration_text(said.since_ms - start_ms),
        "due": None if said.due_ms is None else duration_text(said.due_ms - start_ms),
        "end": None if said.end_ms is None else duration_text(said.end_ms - start_ms),
        "announced": duration_text(each.announced_ms - start_ms),
        "late": None if said.late is None else str(said.late),
        "text": said.text,
    }


def _role(result: Any) -> dict[str, Any]:
    covered = result.coverage
    return {
        "quantity": result.plan.quantity,
        "interval_s": result.plan.interval_ms / _MS,
        "max_gap_s": result.plan.max_gap_ms / _MS,
        "readings": sum(point.good for point in result.points),
        "not_good": sum(not point.good for point in result.points),
        "good_s": covered.good_ms / _MS,
        "product_s": covered.product_ms / _MS,
        "rules": [rule.id for rule in result.rules],
    }


def _said(each: Told, start_ms: int) -> str:
    return each.text(start_ms=start_ms)


def _near(line: Expected, result: CaseResult) -> str:
    """Why a line found nothing: what was said of the same rule instead, if anything."""
    start_ms = result.case.start_ms
    like = [
        each
        for each in result.told
        if each.said.kind is line.kind and line.about(each) and (each.said.rule or each.said.alarm)
    ]
    if not like:
        return "did not happen"
    at_ms = line.at_ms or 0
    nearest = min(like, key=lambda each: abs(each.at_ms - start_ms - at_ms))
    priority = nearest.said.priority
    other = f", {priority}" if line.priority not in (None, priority) and priority is not None else ""
    return f"did not happen; it did at {duration_text(nearest.at_ms - start_ms)}{other}"


def checked_at(by: CheckedBy) -> str:
    """When, for people."""
    return f"{datetime.fromtimestamp(by.at_ms / _MS, UTC):%Y-%m-%d %H:%M:%S} UTC"
