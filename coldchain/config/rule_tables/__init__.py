"""The kinds of rules that a profile's file may hold: one module each, one line each here."""

from __future__ import annotations

from coldchain.config.rule_tables.age import AgeTable
from coldchain.config.rule_tables.base import RuleTable
from coldchain.config.rule_tables.boil_off import BoilOffTable
from coldchain.config.rule_tables.budget import BudgetTable
from coldchain.config.rule_tables.hold_left import HoldLeftTable
from coldchain.config.rule_tables.kinetic_mean import KineticMeanTable
from coldchain.config.rule_tables.limit import LimitTable
from coldchain.config.rule_tables.pair import PairTable
from coldchain.config.rule_tables.rate import RateTable
from coldchain.config.rule_tables.rolling import RollingTable
from coldchain.config.rule_tables.spike import SpikeTable
from coldchain.config.rule_tables.stuck import StuckTable
from coldchain.config.rule_tables.time_to_limit import TimeToLimitTable

#: The table of each kind, by the word that `kind` says. A rule that says none is a limit.
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

__all__ = ["RULES", "BudgetTable", "LimitTable", "RuleTable"]
