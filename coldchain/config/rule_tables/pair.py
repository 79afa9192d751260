"""`kind = "pair"`: two probes of one thing that disagree."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Difference, Duration, Name, said
from coldchain.config.rule_tables.base import RuleTable
from coldchain.config.rule_tables.one_role import text_of
from coldchain.model import Side
from coldchain.plan import PAIR, Cited, Fires, Limit


class PairTable(RuleTable):
    """Two roles whose readings lie too far apart: one of the probes is wrong, and nobody knows which."""

    kind: Literal["pair"]
    role: Name = Field(examples=["vapour"], description="one of the two probes")
    other: Name = Field(examples=["vapour-2"], description="the other one")
    apart: Difference = Field(examples=["3 °C"], description="how far apart they may lie")
    apart_source: str = ""
    hold: Duration = Field(
        default=0, description="how long without a break they must be further apart; at once otherwise"
    )
    hold_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> PairTable:
        if self.apart.quanta <= 0:
            raise said(f"apart {self.apart.text} is no distance", "write one above zero")
        if self.role == self.other:
            raise said(f'compares "{self.role}" with itself', "write the role of another probe in other")
        if self.hold and not self.hold_source:
            raise said("has a hold without a source", 'write hold_source, if only "judgement"')
        return self

    def compile(self, name: str, cited: Cited) -> Limit:
        """A `plan.Limit` on the distance of the two."""
        return Limit(
            **self.common(name, cited),
            role=f"{self.role}{PAIR}{self.other}",
            side=Side.ABOVE,
            limit=self.apart.quanta,
            hold_ms=self.hold,
            fires=Fires.ON_READING,
        )

    def brief(self) -> str:
        """Roles, distance and hold."""
        how = f"for {duration_text(self.hold)}" if self.hold else "at once"
        return f"{self.role} and {self.other} more than {text_of(self.apart)} apart {how}"

    def sentences(self) -> list[str]:
        """When they disagree."""
        for_long = f" for {duration_text(self.hold)} without a break" if self.hold else ""
        raised = (
            f"A {self.priority} alarm is raised when {self.role} and {self.other} are more than "
            f"{text_of(self.apart)} apart{for_long}."
        )
        return [
            raised,
            "It is raised with a reading of either; while one of them gives no value nothing is compared.",
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A larger distance or a longer hold is wider."""
        return {**super().leniency(), "apart": self.apart.quanta, "hold": self.hold}

    def roles(self) -> tuple[str, ...]:
        """Both."""
        return (self.role, self.other)

    def quantity(self) -> str | None:
        """That of the distance."""
        return self.apart.quantity
