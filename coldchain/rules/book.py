"""The book of rules: which functions judge which kind of limit in a plan.

A new kind of rule is one module with these functions and one line here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
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
    #: (rule, state, last, now, max_gap_ms): one sample more. The very same state if nothing changed.
    on_sample: Callable[[Any, Any, Sample | None, Sample, int], Step]
    #: (rule, state, last, max_gap_ms): when the state changes by itself, or None.
    due_ms: Callable[[Any, Any, Sample | None, int], int | None]
    on_due: Callable[[Any, Any, Sample | None, int], Step]
    #: (old, new): whether two rules judge alike, whatever else differs in them.
    same: Callable[[Any, Any], bool]
    #: (rule, state, last, at_ms, max_gap_ms): sums up to an instant after which other evidence counts.
    settle: Callable[[Any, Any, Sample | None, int, int], Step]
    #: (old, new, state, last, at_ms, max_gap_ms): its parameters change.
    reconfigure: Callable[[Any, Any, Any, Sample | None, int, int], Step]
    #: (rule, state, last, at_ms, max_gap_ms, why): it is no longer in force; the state that is left.
    end: Callable[[Any, Any, Sample | None, int, int, str], Step]
    #: (rule, what was left, last, at_ms, max_gap_ms): it is in force again for the same product.
    resume: Callable[[Any, Any, Sample | None, int, int], Step]
    #: (rule, state, last, at_ms, max_gap_ms): the open interval with its sums up to then.
    standing: Callable[[Any, Any, Sample | None, int, int], Interval | None]
    #: (state): whether the alarm's condition lasts.
    active: Callable[[Any], bool]


def _judge(module: Any) -> Judge:
    return Judge(**{field.name: getattr(module, field.name) for field in fields(Judge)})


JUDGES: dict[type[Rule], Judge] = {Limit: _judge(limit), Budget: _judge(budget)}
