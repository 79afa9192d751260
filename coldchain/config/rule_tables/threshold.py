"""What the rules about a value on one side of a limit have in common."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import Amount, amount_text, duration_text
from coldchain.config.fields import Name, Period, Value, said
from coldchain.config.rule_tables.base import RuleTable
from coldchain.model import Side
from coldchain.plan import Fires, Settle
from coldchain.units import QUANTITIES


class ThresholdTable(RuleTable):
    """A role's values above or below one value."""

    role: Name = Field(examples=["vapour"], description="which probe of the vessel it judges")
    side: Literal["above", "below"] = Field(
        examples=["above"], description="which side of the value is outside"
    )
    value: Value = Field(examples=["-150 °C"], description="the limit itself")
    outside: Literal["beyond", "at_or_beyond"] = Field(
        default="beyond", description="whether just that value is outside, too"
    )
    fires: Literal["at_due", "on_reading"] | None = Field(
        default=None,
        description=(
            "`at_due`: its time passes even if no reading comes any more; `on_reading`: a reading "
            "outside must follow; without it `at_due` where the priority is critical, else "
            "`on_reading`"
        ),
    )
    crossing: Literal["step", "linear"] = Field(
        default="step",
        description=(
            "where between two readings the limit was passed: at the later one (`step`), or on the "
            "line between them (`linear`)"
        ),
    )
    guarded: bool = Field(
        default=False, description="the limit moves inwards by the uncertainty on the probe's certificate"
    )
    settle_to: Value | None = Field(
        default=None,
        description="after a product came in nothing is judged until a reading is not beyond this",
    )
    settle_max: Period | None = Field(
        default=None, description="or until this long has passed, whatever was read"
    )
    settle_source: str = ""

    @model_validator(mode="after")
    def _settles(self) -> ThresholdTable:
        if (self.settle_to is None) is not (self.settle_max is None):
            raise said("has only one of settle_to and settle_max", "write both or none")
        if self.settle_to is not None and not self.settle_source:
            raise said("has a time to settle without a source", 'write settle_source, if only "judgement"')
        if self.settle_to is not None and self.settle_to.quantity != self.value.quantity:
            raise said(f"settle_to {self.settle_to.text} is no {self.value.quantity}", "write it in its unit")
        return self

    @property
    def settle(self) -> Settle | None:
        """The probe's time to settle, if it has one."""
        if self.settle_to is None or self.settle_max is None:
            return None
        return Settle(Side(self.side), self.settle_to.quanta, self.settle_max)

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
        """A value further out, itself inside, waiting for a reading and a longer settling are wider."""
        return {
            **super().leniency(),
            "value": self._outward(self.value),
            "outside": 1 if self.outside == "beyond" else 0,
            "fires": 1 if self.fires_or_default is Fires.ON_READING else 0,
            "guarded": 0 if self.guarded else 1,
            "settle_max": self.settle_max or 0,
            # It begins to judge at a value inside of that: the further in, the later.
            "settle_to": 0 if self.settle_to is None else -self._outward(self.settle_to),
        }

    def _outward(self, amount: Amount) -> int:
        return amount.quanta if self.side == "above" else -amount.quanta

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
        """Where the time outside begins and ends, if not at the readings themselves; what comes before."""
        told = []
        if self.crossing == "linear":
            told.append("Between two readings the moment of crossing is interpolated.")
        if self.guarded:
            told.append("The limit is moved inwards by the uncertainty on the probe's certificate.")
        if self.settle_to is not None and self.settle_max is not None:
            far = amount_text(QUANTITIES[self.settle_to.quantity], self.settle_to.quanta)
            told.append(
                f"After a product came in it begins with the first reading not {self.side} {far}, "
                f"at the latest after {duration_text(self.settle_max)}."
            )
        return told
