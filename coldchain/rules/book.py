"""The book of rules: which functions judge which kind of limit in a plan.

A new kind of rule is one module with these functions and one line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from coldchain.plan import Budget, Limit, Rule
from coldchain.rules import budget, limit
from coldchain.rules.judging import Change, Interval, Sample

Step = tuple[Any, tuple[Change, ...]]


@dataclass(frozen=True)
class Judge:
    """One kind of rule. `last` is the sample before; all times are event times of the channel."""

    #: (rule, last, at_ms, max_gap_ms): comes into force.
    start: Callable[[Any, Sample | None, int, int], Step]
    #: (rule, state, last, now, max_gap_ms): one sample more.
    on_sample: Callable[[Any, Any, Sample | None, Sample, int], Step]
    #: (rule, state, last, max_gap_ms): when the state changes by itself, or None.
    due_ms: Callable[[Any, Any, Sample | None, int], int | None]
    on_due: Callable[[Any, Any, Sample | None, int], Step]
    #: (old, new, state, last, at_ms, max_gap_ms): its parameters change.
    reconfigure: Callable[[Any, Any, Any, Sample | None, int, int], Step]
    #: (rule, state, last, at_ms, max_gap_ms, why): it is no longer in force.
    end: Callable[[Any, Any, Sample | None, int, int, str], Step]
    #: (rule, state, last, at_ms, max_gap_ms): the open interval with its sums up to then.
    standing: Callable[[Any, Any, Sample | None, int, int], Interval | None]


def _judge(module: Any) -> Judge:
    return Judge(
        module.start,
        module.on_sample,
        module.due_ms,
        module.on_due,
        module.reconfigure,
        module.end,
        module.standing,
    )


JUDGES: dict[type[Rule], Judge] = {Limit: _judge(limit), Budget: _judge(budget)}
