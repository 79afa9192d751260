"""`kind = "rate"`: a change of so much within so long."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Difference, Period, said
from coldchain.config.rule_tables.one_role import OneRole, text_of
from coldchain.model import Side
from coldchain.plan import Cited, Rate


class RateTable(OneRole):
    """A rise or a fall within a time, however it is spread over it."""

    kind: Literal["rate"]
    way: Literal["rises", "falls"] = Field(examples=["rises"], description="whether it rises or falls")
    change: Difference = Field(examples=["5 °C"], description="by how much, or more")
    within: Period = Field(examples=["10 min"], description="in how long at most")
    within_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> RateTable:
        if self.change.quanta <= 0:
            raise said(f"change {self.change.text} is no change", "write one above zero; `way` says whither")
        return self

    def compile(self, name: str, cited: Cited) -> Rate:
        """As `plan.Rate`."""
        return Rate(
            **self.common(name, cited),
            role=self.role,
            side=Side.ABOVE if self.way == "rises" else Side.BELOW,
            limit=self.change.quanta,
            within_ms=self.within,
        )

    def brief(self) -> str:
        """Role, change and time."""
        return f"{self.role} {self.way} by {text_of(self.change)} within {duration_text(self.within)}"

    def sentences(self) -> list[str]:
        """When it is raised, and when it is over."""
        change, within = text_of(self.change), duration_text(self.within)
        against = "above the lowest" if self.way == "rises" else "below the highest"
        return [
            self.raised(f"when {self.role} lies {change} or more {against} value of the last {within}"),
            "It is over with the first reading for which that is no longer so.",
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A larger change, or a shorter time, is wider."""
        return {**super().leniency(), "change": self.change.quanta, "within": -self.within}

    def quantity(self) -> str | None:
        """That of its change."""
        return self.change.quantity
