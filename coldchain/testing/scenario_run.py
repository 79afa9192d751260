"""Playing a scenario before the very fold that judges live, without a daemon and in moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from coldchain.facts import ClockSet, Fact, ProcessStarted, Reading
from coldchain.model import Reason
from coldchain.testing.check_file import Case, CheckFile
from coldchain.testing.checking import CaseResult, run_case
from coldchain.testing.notation import Series, duration_text
from coldchain.testing.scenario_file import Scenario, Truth, played
from coldchain_simulators.carrier import Arrival, ClockKnown, Measured, Restarted
from coldchain_simulators.story import Story


@dataclass(frozen=True)
class ScenarioResult:
    """A scenario as it went with one seed.

    untrue: what the scenario says was really so and was not, with what was instead.
    """

    scenario: Scenario
    seed: int
    result: CaseResult
    untrue: tuple[tuple[Truth, str], ...]
    lost: int

    @property
    def passed(self) -> bool:
        """Whether everything was said as expected, nothing else was, and the story was as told."""
        return self.result.passed and not self.untrue

    def complaints(self) -> list[str]:
        """What did not go as expected, a line each; empty when all did."""
        case, held = self.result.case, self.result.held
        lines = [f"expected and not said: {line.text}" for line in held.missing]
        lines += [
            f"said and not expected: {_timed(case, told.at_ms)} {told.text(start_ms=case.start_ms)}"
            for told in held.unexpected
        ]
        lines += [
            f"{line.text}, but: {_timed(case, told.at_ms)} {told.text(start_ms=case.start_ms)}"
            for line, told in held.broken
        ]
        lines += [f"refused: {told.text(start_ms=case.start_ms)}" for told in self.result.refused]
        if self.result.verdict is not case.verdict:
            why = "; ".join(self.result.reasons) or "no rule alarmed"
            lines.append(f"verdict {self.result.verdict}, expected {case.verdict}: {why}")
        return lines + [f"{truth.text}: {what}" for truth, what in self.untrue]


def run_scenario(scenario: Scenario, seed: int, engine: str) -> ScenarioResult:
    """Play a scenario with one seed and judge it; `engine` names the code that judges."""
    story = scenario.story(seed)
    story.play(scenario.head.until)
    case = as_case(scenario, story)
    result = run_case(played(scenario, case), case, engine)
    return ScenarioResult(scenario, seed, result, untrue(scenario, story), story.carrier.lost)


def run_seeds(scenario: Scenario, seeds: Sequence[int], engine: str) -> list[ScenarioResult]:
    """The same story with other noise."""
    return [run_scenario(scenario, seed, engine) for seed in seeds]


def as_case(scenario: Scenario, story: Story) -> Case:
    """The scenario's case with everything that has arrived."""
    case = scenario.case
    silent = {role: Series((), 0) for role in scenario.head.channels}
    facts = tuple(
        (at_ms, fact) for at_ms, what in story.arrived for fact in facts_of(scenario.check, case, at_ms, what)
    )
    return replace(case, series=silent, facts=facts)


def facts_of(file: CheckFile, case: Case, at_ms: int, what: Arrival) -> list[Fact]:
    """What a gateway makes of something that arrives so many ms after the start."""
    match what:
        case Restarted(down_ms):
            known = down_ms is not None
            utc_ms = case.start_ms + at_ms if known else None
            started = ProcessStarted(f"scenario-{at_ms}", utc_ms, down_ms)
            return [started, *([] if known else [ClockSet(None, "scenario")])]
        case ClockKnown():
            return [ClockSet(0, "scenario")]
        case Measured():
            return [_reading(file, case, what)]


def _reading(file: CheckFile, case: Case, what: Measured) -> Reading:
    channel = file.channels[what.role]
    unit = channel.settings.unit or channel.quantity.display_unit
    at_ms = case.start_ms + what.stamp_ms
    if what.digits is None:
        return Reading(what.role, what.role, at_ms=at_ms, bad=Reason.NO_VALUE)
    return Reading(what.role, what.role, what.digits, unit, at_ms=at_ms)


def untrue(scenario: Scenario, story: Story) -> tuple[tuple[Truth, str], ...]:
    """What the scenario says was really so and was not in this play, with what was instead."""
    found = []
    for truth in scenario.truth:
        first_ms = story.crossed[truth.crossing]
        if not truth.holds(first_ms):
            when = "never" if first_ms is None else f"first at {duration_text(first_ms)}"
            found.append((truth, f"it reached {truth.crossing.celsius:g} °C {when}"))
    return tuple(found)


def _timed(case: Case, at_ms: int) -> str:
    return duration_text(at_ms - case.start_ms)
