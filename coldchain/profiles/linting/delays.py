"""Whether an alarm comes in time when all is lost at once.

For products in nitrogen only: how fast a vessel warms whose vacuum is gone has been measured. The slower way
is what warnings are for.
"""

from __future__ import annotations

from collections.abc import Iterator

from coldchain.config.amounts import amount_text, duration_text
from coldchain.config.rule_tables import LimitTable
from coldchain.profiles.linting.finding import Finding, Severity
from coldchain.profiles.linting.knowledge import knowledge
from coldchain.profiles.linting.limits import Judged
from coldchain.units import TEMPERATURE


def doubts(here: Judged, lag_ms: int = 0) -> Iterator[Finding]:
    """Holds that are too long. lag_ms: how long after the crossing a reading may show it."""
    for name, rule in here.limits("above").items():
        if not in_nitrogen(rule):
            continue
        if rule.priority == "critical":
            yield from _critical(here, name, rule, lag_ms)
        elif rule.priority != "to_know":
            yield from _warning(here, name, rule, lag_ms)


def in_nitrogen(rule: LimitTable) -> bool:
    """Whether an upper limit is one of a product that is kept in nitrogen."""
    if rule.value.quantity != TEMPERATURE.name or rule.side != "above":
        return False
    return rule.value.quanta <= knowledge().cryogenic.value.quanta


def time_to_damage(start: int) -> int:
    """From a temperature to where cells may be harmed, at the fastest warming known, in ms."""
    known = knowledge()
    return max(0, known.catastrophic_warming.time_for(known.damage.value.quanta - start))


def _critical(here: Judged, name: str, rule: LimitTable, lag_ms: int) -> Iterator[Finding]:
    known = knowledge()
    start, damage = rule.value.quanta, known.damage.value
    allowed = time_to_damage(start)
    if rule.hold == 0 or rule.hold + lag_ms <= allowed:
        return
    reached = start + known.catastrophic_warming.rise_in(rule.hold + lag_ms)
    how = duration_text(rule.hold) + (f" and readings {duration_text(lag_ms)} apart" if lag_ms else "")
    if start < damage.quanta:
        harm = f"cells may be harmed from {damage.text} on, after {_rounded(allowed)}"
        mend = f"make it shorter than {_rounded(max(0, allowed - lag_ms))}"
    else:
        harm = f"the limit itself is not below {damage.text}, where cells may be harmed"
        mend = "remove it: there is no time to lose"
    yield here.finding(
        "delay-too-long",
        Severity.WARNING,
        name,
        "hold",
        f"is {how}: a vessel that lost its vacuum warms to {_shown(reached)} meanwhile, and {harm}",
        mend,
    )


def _warning(here: Judged, name: str, rule: LimitTable, lag_ms: int) -> Iterator[Finding]:
    critical = [limit.value.quanta for limit in here.limits("above").values() if limit.priority == "critical"]
    reached = rule.value.quanta + knowledge().catastrophic_warming.rise_in(rule.hold + lag_ms)
    if critical and rule.value.quanta < min(critical) <= reached:
        yield here.finding(
            "warning-too-late",
            Severity.WARNING,
            name,
            "hold",
            f"is {duration_text(rule.hold)}: a vessel that lost its vacuum warms to {_shown(reached)} "
            f"meanwhile, and {_shown(min(critical))} is critical",
            "make it shorter",
        )


def _shown(value: int) -> str:
    return amount_text(TEMPERATURE, round(value, -2))


def _rounded(ms: int) -> str:
    """A time for people, rounded down: to minutes, below two minutes to seconds."""
    step = 60_000 if ms >= 120_000 else 1000
    return duration_text(ms // step * step)
