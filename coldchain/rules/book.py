"""The book of rules: which functions judge which kind of rule in a plan.

A new kind of rule is one module with a `JUDGE` and one line here; another package brings its own by the
entry-point group `coldchain.rules` (`rules/plugged.py`).
"""

from __future__ import annotations

from coldchain.plan import (
    Age,
    BoilOff,
    Budget,
    HoldLeft,
    KineticMean,
    Limit,
    Plugged,
    Rate,
    Rolling,
    Rule,
    Spike,
    Stuck,
    TimeToLimit,
)
from coldchain.rules import (
    age,
    boil_off,
    budget,
    hold_left,
    limit,
    mean,
    plugged,
    rate,
    rolling,
    spike,
    stuck,
    time_to_limit,
)
from coldchain.rules.judge import Judge
from coldchain.rules.settling import settling

JUDGES: dict[type[Rule], Judge] = {
    Limit: limit.JUDGE,
    Budget: budget.JUDGE,
    Rolling: rolling.JUDGE,
    KineticMean: mean.JUDGE,
    Rate: rate.JUDGE,
    TimeToLimit: time_to_limit.JUDGE,
    HoldLeft: hold_left.JUDGE,
    BoilOff: boil_off.JUDGE,
    Age: age.JUDGE,
    Stuck: stuck.JUDGE,
    Spike: spike.JUDGE,
    Plugged: plugged.JUDGE,
}

_SETTLING = {kind: settling(judge) for kind, judge in JUDGES.items()}


def judge_of(rule: Rule) -> Judge:
    """How a rule is judged."""
    return JUDGES[type(rule)] if rule.settle is None else _SETTLING[type(rule)]
