"""`kind = "stuck"`: the same value for too long."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Difference, Period, said
from coldchain.config.rule_tables.base import quanta
from coldchain.config.rule_tables.one_role import OneRole, text_of
from coldchain.plan import Cited, Stuck


class StuckTable(OneRole):
    """Readings that do not move: a dead cable, a frozen gateway, a cached value."""

    kind: Literal["stuck"]
    unchanged: Period = Field(examples=["3 h"], description="for how long all readings are alike")
    unchanged_source: str = ""
    tolerance: Difference | None = Field(
        default=None, description="how far apart they may lie and still be alike; not at all otherwise"
    )
    tolerance_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> StuckTable:
        if self.tolerance is not None and self.tolerance.quanta < 0:
            raise said(f"tolerance {self.tolerance.text} is negative", "write it without a sign")
        return self

    def compile(self, name: str, cited: Cited) -> Stuck:
        """As `plan.Stuck`."""
        return Stuck(
            **self.common(name, cited),
            role=self.role,
            for_ms=self.unchanged,
            tolerance=quanta(self.tolerance),
        )

    def brief(self) -> str:
        """Role and time."""
        return f"{self.role} unchanged for {duration_text(self.unchanged)}"

    def sentences(self) -> list[str]:
        """What counts as unchanged."""
        within = "have the same value" if self.tolerance is None else f"lie within {text_of(self.tolerance)}"
        return [
            self.raised(f"when all readings of {self.role} {within} for {duration_text(self.unchanged)}"),
            "It is over with the first reading that differs.",
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A longer time is wider; so is less tolerance."""
        return {**super().leniency(), "unchanged": self.unchanged, "tolerance": -quanta(self.tolerance)}

    def quantity(self) -> str | None:
        """That of its tolerance, else any."""
        return None if self.tolerance is None else self.tolerance.quantity
