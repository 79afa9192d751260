"""The kinds of rules that a profile's file may hold: one module each, one line each here.

Those of other packages come by entry point (`plugged.py`).
"""

from __future__ import annotations

from coldchain.config.rule_tables.age import AgeTable
from coldchain.config.rule_tables.base import RuleTable
from coldchain.config.rule_tables.boil_off import BoilOffTable
from coldchain.config.rule_tables.budget import BudgetTable
from coldchain.config.rule_tables.hold_left import HoldLeftTable
from coldchain.config.rule_tables.kinetic_mean import KineticMeanTable
from coldchain.config.rule_tables.limit import LimitTable
from coldchain.config.rule_tables.pair import PairTable
from coldchain.config.rule_tables.plugged import found
from coldchain.config.rule_tables.rate import RateTable
from coldchain.config.rule_tables.rolling import RollingTable
from coldchain.config.rule_tables.spike import SpikeTable
from coldchain.config.rule_tables.stuck import StuckTable
from coldchain.config.rule_tables.time_to_limit import TimeToLimitTable

#: The table of each kind of ours, by the word that `kind` says. A rule that says none is a limit.
RULES: dict[str, type[RuleTable]] = {
    "limit": LimitTable,
    "budget": BudgetTable,
    "rolling": RollingTable,
    "kinetic_mean": KineticMeanTable,
    "rate": RateTable,
    "time_to_limit": TimeToLimitTable,
    "hold_left": HoldLeftTable,
    "boil_off": BoilOffTable,
    "age": AgeTable,
    "stuck": StuckTable,
    "spike": SpikeTable,
    "pair": PairTable,
}


def kinds() -> dict[str, type[RuleTable]]:
    """The table of each kind, ours and those of other packages; no package takes a word of ours."""
    return {**{kind: each.plugin.table for kind, each in found().kinds.items()}, **RULES}


__all__ = ["RULES", "BudgetTable", "LimitTable", "RuleTable", "kinds"]
