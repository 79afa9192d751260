"""Whether the limits of a stage make sense by themselves and together, whoever measures them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from coldchain.config.amounts import amount_text, duration_text
from coldchain.config.profile_file import Profile
from coldchain.config.rule_tables import BudgetTable, LimitTable, RuleTable
from coldchain.config.rule_tables.base import quanta
from coldchain.config.rule_tables.threshold import ThresholdTable
from coldchain.profiles.linting.finding import Finding, Severity
from coldchain.profiles.linting.knowledge import knowledge
from coldchain.units import QUANTITIES

_CALLS = ("critical", "high", "low")

#: What a fraction can be: nothing to everything. In quanta.
_ALL = QUANTITIES["fraction"].per_display * 100


@dataclass(frozen=True)
class Judged:
    """The rules that judge one role in one stage, by name."""

    profile: Profile
    stage: str
    role: str
    rules: dict[str, RuleTable]

    def limits(self, side: str | None = None) -> dict[str, LimitTable]:
        """The single-event limits, of one side or all."""
        return {
            name: rule
            for name, rule in self.rules.items()
            if isinstance(rule, LimitTable) and side in {None, rule.side}
        }

    def finding(self, code: str, severity: Severity, rule: str, key: str, what: str, mend: str) -> Finding:
        """A finding at a key of a rule."""
        place = ("rules", rule, key) if key else ("rules", rule)
        return Finding(code, severity, self.profile.document.problem(place, what, mend))

    def text(self, value: int) -> str:
        """A value of this role, as people write it."""
        of = next(rule.value.quantity for rule in self.rules.values() if isinstance(rule, ThresholdTable))
        return amount_text(QUANTITIES[of], value)

    def band(self) -> tuple[int | None, int | None]:
        """Between which values no limit is violated that somebody is called for at once."""
        upper = [
            limit.value.quanta for limit in self.limits("above").values() if limit.priority == "critical"
        ]
        lower = [
            limit.value.quanta for limit in self.limits("below").values() if limit.priority == "critical"
        ]
        return max(lower, default=None), min(upper, default=None)


def judged(profile: Profile) -> Iterator[Judged]:
    """Every stage and role that has rules."""
    for stage in profile.head.stages:
        rules = {name: rule for name, rule in profile.rules.items() if stage in profile.holds_in(name)}
        for role in dict.fromkeys(role for rule in rules.values() for role in rule.roles()):
            yield Judged(
                profile, stage, role, {name: rule for name, rule in rules.items() if role in rule.roles()}
            )


def doubts(here: Judged) -> Iterator[Finding]:
    """Everything that is impossible or dangerous about these rules by themselves."""
    yield from _beyond_nature(here)
    yield from _sides(here)
    yield from _pairs(here)
    yield from _budgets(here)
    yield from _critical(here)
    yield from _chatter(here)


def _beyond_nature(here: Judged) -> Iterator[Finding]:
    """Limits that nothing can pass, or everything must."""
    boils = knowledge().nitrogen_boils.value
    coldest = QUANTITIES["temperature"].quanta("-273.15", "°C")
    assert isinstance(coldest, int)
    for name, rule in here.rules.items():
        if not isinstance(rule, ThresholdTable):
            continue
        value, quantity = rule.value.quanta, rule.value.quantity
        what = ""
        if quantity == "temperature" and value <= coldest:
            what = f"is {rule.value.text}, and nothing is colder than -273.15 °C"
        elif quantity == "temperature" and rule.side == "above" and value < boils.quanta:
            what = f"is {rule.value.text}: nitrogen boils at {boils.text}, so all that is kept in it is above"
        elif quantity == "fraction" and not 0 <= value <= _ALL:
            what = f"is {rule.value.text}: a fraction lies between 0 % and 100 %"
        elif quantity in {"mass", "level"} and value < 0:
            what = f"is {rule.value.text}: there is no negative {quantity}"
        if what:
            yield here.finding("beyond-nature", Severity.ERROR, name, "value", what, "correct the value")


def _sides(here: Judged) -> Iterator[Finding]:
    """Limits of both sides against each other, and the side that is missing."""
    above, below = here.limits("above"), here.limits("below")
    for upper_name, upper in above.items():
        for lower_name, lower in below.items():
            yield from _against(here, upper_name, upper, lower_name, lower)
    lowest = min((rule.value.quanta for rule in above.values()), default=None)
    temperature = any(rule.value.quantity == "temperature" for rule in (*above.values(), *below.values()))
    low_band, high_band = here.band()
    if not temperature:
        return
    if high_band is not None and low_band is None and lowest is not None and lowest > 0:
        name = next(name for name, rule in above.items() if rule.value.quanta == high_band)
        yield here.finding(
            "low-side-missing",
            Severity.WARNING,
            name,
            "side",
            f"is above, and nothing critical in stage {here.stage} tells when {here.role} gets too cold: "
            "freezing is the common failure at 2 to 8 °C",
            "add a lower limit, or say in [[accepted]] why cold does no harm",
        )
    if low_band is not None and high_band is None:
        name = next(name for name, rule in below.items() if rule.value.quanta == low_band)
        yield here.finding(
            "high-side-missing",
            Severity.WARNING,
            name,
            "side",
            f"is below, and nothing critical in stage {here.stage} tells when {here.role} gets too warm",
            "add an upper limit, or say in [[accepted]] why warmth does no harm",
        )


def _against(
    here: Judged, upper_name: str, upper: LimitTable, lower_name: str, lower: LimitTable
) -> Iterator[Finding]:
    if upper.value.quantity != lower.value.quantity:
        return
    high, low = upper.value.quanta, lower.value.quanta
    touching = "beyond" not in {upper.outside, lower.outside}
    if high < low or (high == low and touching):
        yield here.finding(
            "nothing-inside",
            Severity.ERROR,
            upper_name,
            "value",
            f"is {upper.value.text}, and {lower_name} already calls below {lower.value.text}: "
            "every value is outside",
            "correct one of them",
        )
        return
    for name, rule, reaches, other in (
        (upper_name, upper, high - quanta(upper.deadband) <= low, lower_name),
        (lower_name, lower, low + quanta(lower.deadband) >= high, upper_name),
    ):
        if rule.deadband is not None and rule.deadband.quanta and reaches:
            yield here.finding(
                "deadband-across",
                Severity.ERROR,
                name,
                "deadband",
                f"is {rule.deadband.text}: to end, {here.role} would have to pass the limit of {other}",
                "make it smaller than the distance of both limits",
            )


def _pairs(here: Judged) -> Iterator[Finding]:
    """Rules of one side against each other."""
    for (first_name, first), (second_name, second) in combinations(here.limits().items(), 2):
        if first.side != second.side or first.value.quantity != second.value.quantity:
            continue
        if first.value.quanta == second.value.quanta and first.hold == second.hold:
            if first.outside == second.outside:
                yield here.finding(
                    "told-twice",
                    Severity.WARNING,
                    second_name,
                    "",
                    f"judges the same as {first_name}: {second.brief()}",
                    "remove one of them",
                )
            continue
        yield from _order(here, first_name, first, second_name, second)
        yield from _order(here, second_name, second, first_name, first)


def _order(
    here: Judged, mild_name: str, mild: LimitTable, hard_name: str, hard: LimitTable
) -> Iterator[Finding]:
    """A milder alarm that is never heard before the graver one."""
    if not _graver(hard, mild):
        return
    sign = 1 if mild.side == "above" else -1
    if sign * mild.value.quanta >= sign * hard.value.quanta and mild.hold >= hard.hold:
        yield here.finding(
            "warning-beyond-critical",
            Severity.WARNING,
            mild_name,
            "value",
            f"is {mild.value.text} for {duration_text(mild.hold)}: {hard_name} ({hard.priority}) calls "
            f"first, at {hard.value.text} for {duration_text(hard.hold)}",
            "let it warn before, or remove it",
        )


def _graver(hard: LimitTable, mild: LimitTable) -> bool:
    if hard.priority not in _CALLS or mild.priority not in _CALLS:
        return False
    return _CALLS.index(hard.priority) < _CALLS.index(mild.priority)


def _budgets(here: Judged) -> Iterator[Finding]:
    """Budgets that are charged while all is well."""
    low, high = here.band()
    for name, rule in here.rules.items():
        if not isinstance(rule, BudgetTable):
            continue
        value = rule.value.quanta
        wrong = (rule.side == "above" and low is not None and value <= low) or (
            rule.side == "below" and high is not None and value >= high
        )
        if wrong:
            allowed = " to ".join(here.text(end) for end in (low, high) if end is not None)
            yield here.finding(
                "budget-wrong-side",
                Severity.ERROR,
                name,
                "side",
                f"is {rule.side} {rule.value.text}: it would be charged for every value that the critical "
                f"limits allow ({allowed})",
                f'write side = "{"below" if rule.side == "above" else "above"}", or correct the value',
            )


def _critical(here: Judged) -> Iterator[Finding]:
    """What a critical limit must be, to be heard."""
    for name, rule in here.limits().items():
        if rule.priority != "critical":
            continue
        if rule.fires == "on_reading" and rule.hold:
            yield here.finding(
                "critical-waits",
                Severity.WARNING,
                name,
                "fires",
                "is on_reading: if the probe dies while it is outside, this is never raised",
                'write fires = "at_due"',
            )
        if not rule.latched:
            yield here.finding(
                "critical-not-latched",
                Severity.WARNING,
                name,
                "latched",
                "is false: the alarm ends by itself, though somebody must look at the product",
                "write latched = true",
            )
        if rule.confidence == "none":
            yield here.finding(
                "nothing-known",
                Severity.WARNING,
                name,
                "confidence",
                f"is none, for a limit that decides about the product ({rule.value.text})",
                "find a source, or let the site give the figure",
            )


def _chatter(here: Judged) -> Iterator[Finding]:
    for name, rule in here.limits().items():
        if rule.hold or rule.off_delay or quanta(rule.deadband) or rule.latched or rule.priority == "to_know":
            continue
        yield here.finding(
            "chatter",
            Severity.WARNING,
            name,
            "",
            "has neither hold nor deadband nor off_delay: it comes and goes with every wobble at the limit",
            "write one of them",
        )
