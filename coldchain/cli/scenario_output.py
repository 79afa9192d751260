"""A scenario for people and for programs: its story, its time line, and how it went."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.text import Text

from coldchain.announcements import Kind
from coldchain.cli.output import PRIORITY_STYLE
from coldchain.testing.notation import duration_text
from coldchain.testing.saying import Told
from coldchain.testing.scenario_file import Scenario
from coldchain.testing.scenario_run import ScenarioResult
from coldchain.units import QUANTITIES

#: How many rows of values a time line has at most.
_VALUES_MAX = 40


class Moment(NamedTuple):
    """A line of a time line, and when after the start it stands there."""

    at_ms: int
    line: Text


def story_of(scenario: Scenario, *, brief: bool = False) -> Iterator[Text]:
    """What a scenario is about; in full also what happens, what people enter and what must be said."""
    head, profile = scenario.head, scenario.check.profile.plan
    yield Text(f"{scenario.name}  ", "bold").append(head.title)
    yield Text(" ".join(head.story.split()))
    yield Text(f"source   {head.source}", "dim")
    stamp = "" if profile.approved else "  UNAPPROVED"
    yield Text(f"profile  {profile.id}, version {profile.version}", "dim").append(stamp, "bold yellow")
    if brief:
        yield Text()
        return
    yield Text(f"file     {scenario.document.shown}", "dim")
    for title, lines in (
        ("happens", head.happens),
        ("entered", head.events),
        ("true", head.truth),
        ("said", head.expect),
        ("verdict", (str(head.verdict),)),
    ):
        for number, line in enumerate(lines):
            yield Text(f"{'' if number else title:<9}{line}")


def moments(result: ScenarioResult) -> list[Moment]:
    """What happened, what was measured now and then, and what was said, in order of time."""
    case = result.result.case
    found = happenings(result.scenario)
    found += [said_at(told, case.start_ms) for told in result.result.told]
    found += _values(result)
    return sorted(found, key=lambda moment: moment.at_ms)


def happenings(scenario: Scenario) -> list[Moment]:
    """What happens and what people enter, in order of time."""
    found = [Moment(each.at_ms, _line(each.at_ms, "·", each.words, "cyan")) for each in scenario.happens]
    found += [
        Moment(event.at_ms, _line(event.at_ms, ">", f"{event.word} {event.rest}", "cyan"))
        for event in scenario.case.events
    ]
    return sorted(found, key=lambda moment: moment.at_ms)


def said_at(told: Told, start_ms: int) -> Moment:
    """An announcement as a line, where it was made."""
    at_ms = told.announced_ms - start_ms
    raised = told.said.kind is Kind.RAISED and told.said.priority is not None
    style = PRIORITY_STYLE[str(told.said.priority)] if raised else "dim"
    return Moment(at_ms, _line(at_ms, "!", told.text(start_ms=start_ms), style))


def summary(scenario: Scenario) -> dict[str, Any]:
    """A scenario for programs."""
    head = scenario.head
    return {
        "name": scenario.name,
        "title": head.title,
        "kind": head.kind,
        "story": " ".join(head.story.split()),
        "source": head.source,
        "profile": scenario.check.profile.plan.id,
        "happens": list(head.happens),
        "events": list(head.events),
        "truth": list(head.truth),
        "expect": list(head.expect),
        "verdict": str(head.verdict),
        "file": scenario.document.shown,
        "sha256": scenario.document.sha256,
    }


def as_json(result: ScenarioResult) -> dict[str, Any]:
    """One play for programs."""
    case, judged = result.result.case, result.result
    return {
        "name": result.scenario.name,
        "seed": result.seed,
        "passed": result.passed,
        "verdict": str(judged.verdict),
        "reasons": list(judged.reasons),
        "complaints": result.complaints(),
        "measurements_lost": result.lost,
        "timeline_sha256": judged.timeline_sha256,
        "said": [
            {
                "at": duration_text(told.at_ms - case.start_ms),
                "announced": duration_text(told.announced_ms - case.start_ms),
                "text": told.text(start_ms=case.start_ms),
            }
            for told in judged.told
        ],
    }


def _values(result: ScenarioResult) -> Iterator[Moment]:
    """The roles' values at even distances, as they were measured."""
    case = result.result.case
    step_ms = max(1, case.length_ms // _VALUES_MAX)
    rows: dict[int, dict[str, str]] = {}
    for role, measured in result.result.roles.items():
        quantity = QUANTITIES[measured.plan.quantity]
        for point in measured.points:
            number = (point.at_ms - case.start_ms) // step_ms
            text = (
                "no value"
                if point.value is None
                else f"{quantity.display(point.value)} {quantity.display_unit}"
            )
            rows.setdefault(number, {}).setdefault(role, text)
    for number, values in rows.items():
        if number >= 0:
            at_ms = number * step_ms
            yield Moment(at_ms, _line(at_ms, " ", "   ".join(f"{r} {v}" for r, v in values.items()), "dim"))


def _line(at_ms: int, mark: str, words: str, style: str) -> Text:
    return Text(f"{duration_text(at_ms):>12} {mark} ").append(words, style=style)
