"""What the rules about a value on one side of a limit have in common."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from coldchain.config.amounts import Amount, amount_text
from coldchain.config.fields import Name, Value
from coldchain.config.rule_tables.base import RuleTable
from coldchain.plan import Fires
from coldchain.units import QUANTITIES


class ThresholdTable(RuleTable):
    """A role's values above or below one value."""

    role: Name = Field(examples=["vapour"])
    side: Literal["above", "below"] = Field(examples=["above"])
    value: Value = Field(examples=["-150 °C"])
    outside: Literal["beyond", "at_or_beyond"] = "beyond"
    fires: Literal["at_due", "on_reading"] | None = None
    crossing: Literal["step", "linear"] = "step"

    @property
    def fires_or_default(self) -> Fires:
        """Critical limits fire at their deadline even if nothing more arrives; others wait for a reading."""
        if self.fires is not None:
            return Fires(self.fires)
        return Fires.AT_DUE if self.priority == "critical" else Fires.ON_READING

    @property
    def outside_text(self) -> str:
        """Which values are outside: "above -165 °C", "at or below 0 °C"."""
        value = amount_text(QUANTITIES[self.value.quantity], self.value.quanta)
        return f"{self.side} {value}" if self.outside == "beyond" else f"at or {self.side} {value}"

    def leniency(self) -> dict[str, int]:
        """A value further out, the value itself inside, and waiting for a reading are wider."""
        return {
            **super().leniency(),
            "value": self.value.quanta if self.side == "above" else -self.value.quanta,
            "outside": 1 if self.outside == "beyond" else 0,
            "fires": 1 if self.fires_or_default is Fires.ON_READING else 0,
        }

    def roles(self) -> tuple[str, ...]:
        """Its role."""
        return (self.role,)

    def quantity(self) -> str | None:
        """That of its value."""
        return self.value.quantity

    def values(self) -> tuple[Amount, ...]:
        """Its value."""
        return (self.value,)

    def fires_sentence(self) -> str:
        """What completes it: its deadline, or a reading."""
        if self.fires_or_default is Fires.AT_DUE:
            return "It is raised at that moment even if no further reading arrives."
        return "It is raised with a reading that is outside at or after that moment."

    def crossing_sentences(self) -> list[str]:
        """Where the time outside begins and ends, if not at the readings themselves."""
        if self.crossing == "step":
            return []
        return ["Between two readings the moment of crossing is interpolated."]
