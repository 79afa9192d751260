"""A case of a check file as a picture: its series, what the fold found outside, and each instant it spoke."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC

from coldchain.announcements import Kind
from coldchain.config.rule_tables import RuleTable
from coldchain.plan import LANE, PAIR, Budget, KineticMean, Limit, Rolling, Rule, TimeToLimit
from coldchain.reports import words
from coldchain.reports.pictured import LimitLine, Mark, Panel, Picture
from coldchain.reports.stretches import stretches
from coldchain.testing.check_file import CheckFile
from coldchain.testing.checking import CaseResult, RoleResult
from coldchain.testing.notation import duration_text

#: What is marked: an alarm is raised, its condition is gone, or what it said is denied by what came late.
_MARKED = frozenset({Kind.RAISED, Kind.RETURNED, Kind.NOT_CONFIRMED})
#: Rules about values that can be drawn as a line over the curve; of the others their words stand below it.
_LINED = (Limit, Budget, Rolling, KineticMean, TimeToLimit)


def picture_of(file: CheckFile, result: CaseResult) -> Picture:
    """The case, a panel for each role that was measured; times in words count from its start."""
    return Picture(
        headline=f"{result.case.name}: {str(result.verdict).replace('_', ' ')}",
        zone=UTC,
        panels=[
            _panel(result, role, measured, file.profile.rules)
            for role, measured in result.roles.items()
            if measured.points
        ],
    )


def _panel(result: CaseResult, role: str, measured: RoleResult, tables: Mapping[str, RuleTable]) -> Panel:
    start_ms = result.case.start_ms
    end_ms = max(start_ms + result.case.length_ms, measured.points[-1].at_ms)
    quantity = measured.plan.quantity
    rules = {one.rule.id: one.rule for one in result.found if _about(one.rule.role, role)}
    rules |= {rule.id: rule for rule in measured.rules}
    return Panel(
        title=f"{role}, {words.duration(result.case.length_ms)}",
        quantity=quantity,
        from_ms=start_ms,
        to_ms=end_ms,
        points=measured.points,
        gaps=measured.gaps,
        limits=[line for rule in rules.values() if (line := _line(rule, quantity)) is not None],
        stretches=stretches(
            [one for one in result.found if one.rule.id in rules],
            measured.points,
            measured.plan.max_gap_ms,
            end_ms,
        ),
        marks=[
            Mark(told.at_ms, f"{duration_text(told.at_ms - start_ms)}: {told.text(start_ms=start_ms)}")
            for told in result.told
            if told.said.kind in _MARKED and told.said.rule in rules and _about(told.role, role)
        ],
        notes=[
            f"{name}: {tables[name].brief()}"
            for name, rule in rules.items()
            if _line(rule, quantity) is None and name in tables
        ],
    )


def _about(subject: str, role: str) -> bool:
    """Whether what is said of a role, of two of them, or of the whole lane, is about this one."""
    return role in subject.split(PAIR) or subject in ("", LANE)


def _line(rule: Rule, quantity: str) -> LimitLine | None:
    """The rule's line over the curve; None where it has none, or one of another curve (a difference)."""
    if isinstance(rule, _LINED) and PAIR not in rule.role:
        return LimitLine(rule.id, rule.limit, rule.side, words.limit(rule, quantity))
    return None
