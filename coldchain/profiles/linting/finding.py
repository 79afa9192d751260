"""What lint finds: the code by which a profile can answer it, how grave it is, where it stands, the mend."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from coldchain.config.problems import Problem


class Severity(StrEnum):
    """How grave a finding is; the first two keep a profile from passing."""

    ERROR = "error"  # cannot work
    WARNING = "warning"  # dangerous, unless it is meant so and the profile says why
    NOTE = "note"  # to know


#: Every code, and what it is about; docs/profiles.md has the same list.
CODES: dict[str, str] = {
    "nothing-inside": "an upper limit is not above the lower one: every value is outside",
    "beyond-nature": "a limit that every value passes, or none",
    "deadband-across": "the deadband reaches to the limit of the other side: the alarm never ends",
    "budget-wrong-side": "a budget is charged for all values that the limits allow",
    "warning-beyond-critical": "a warning comes after the critical alarm that it should precede",
    "told-twice": "two rules judge the same and call twice",
    "low-side-missing": "cold that harms would not be told: a critical upper limit above 0 °C stands alone",
    "high-side-missing": "warmth that harms would not be told: a critical lower limit stands alone",
    "no-critical": "a stage has warnings and nothing critical",
    "critical-waits": "a critical alarm waits for a reading, which a dead probe never sends",
    "critical-not-latched": "a critical alarm ends by itself, perhaps before anybody saw it",
    "chatter": "a warning without hold, deadband and off-delay comes and goes with every wobble",
    "delay-too-long": "the product may be harmed before the critical alarm is raised",
    "warning-too-late": "when all is lost at once, the critical limit is reached before the warning comes",
    "nothing-known": "a critical limit whose number has no confidence",
    "probe-cannot-measure": "the probe cannot see both sides of a limit",
    "inside-probe-error": "limits are closer together than the probe can tell apart",
    "uncalibrated": "a critical limit is judged by a probe whose error nobody knows",
    "window-too-wide": "a shorted probe in nitrogen would be believed",
    "fresh-too-long": "a silent probe is noticed after the product may have been harmed",
    "silence-unheard": "the silence of a probe that guards a critical limit calls nobody",
    "fires-unstated": "readings are few for a hold, and the profile does not say what completes it",
    "no-re-alarm": "an unacknowledged critical alarm is said once",
    "not-as-needed": "a channel is not measured as the profile needs it",
    "not-measured": "no channel measures a role that is judged",
    "accepted-nothing": "the profile answers a doubt that does not arise, or that does not exist",
    "nothing-judged": "a stage judges nothing",
    "figure-missing": "a rule judges nothing until the site gives its figure",
    "not-looked-at": "without channels, nobody can say whether probes fit these limits",
}


@dataclass(frozen=True)
class Finding:
    """One finding; `accepted`: why the profile means it so."""

    code: str
    severity: Severity
    problem: Problem
    accepted: str = ""

    def accept(self, reason: str) -> Finding:
        """The same, answered: to know, and no longer in the way."""
        return replace(self, severity=Severity.NOTE, accepted=reason)

    def __str__(self) -> str:
        problem = self.problem
        where = f"{problem.place}: " if problem.place else ""
        end = f"accepted: {self.accepted}" if self.accepted else problem.mend
        return f"{problem.file}:{problem.line}: {self.severity}: {where}{problem.what}; {end} [{self.code}]"
