"""What the rules about one role's readings have in common, where no single value is the limit."""

from __future__ import annotations

from pydantic import Field

from coldchain.config.amounts import Amount, amount_text
from coldchain.config.fields import Name
from coldchain.config.rule_tables.base import RuleTable
from coldchain.units import QUANTITIES


class OneRole(RuleTable):
    """A rule that judges the readings of one role."""

    role: Name = Field(examples=["vapour"], description="which probe of the vessel it judges")

    def roles(self) -> tuple[str, ...]:
        """Its role."""
        return (self.role,)

    def raised(self, when: str) -> str:
        """The sentence that says when its alarm is raised."""
        return f"A {self.priority} alarm is raised {when}."


def text_of(amount: Amount) -> str:
    """An amount as people read it, in the unit shown everywhere."""
    return amount_text(QUANTITIES[amount.quantity], amount.quanta)
