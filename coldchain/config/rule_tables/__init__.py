"""The kinds of rules that a profile's file may hold: one module each, one line each here."""

from __future__ import annotations

from coldchain.config.rule_tables.base import RuleTable
from coldchain.config.rule_tables.budget import BudgetTable
from coldchain.config.rule_tables.limit import LimitTable

#: The table of each kind, by the word that `kind` says. A rule that says none is a limit.
RULES: dict[str, type[RuleTable]] = {
    "limit": LimitTable,
    "budget": BudgetTable,
}

__all__ = ["RULES", "BudgetTable", "LimitTable", "RuleTable"]
