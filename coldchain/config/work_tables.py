"""`[works.NAME]`: kinds of work at a vessel, during which some of its alarms call nobody.

A profile describes what happens to a product's vessel (a filling, a lid opened for a planned move) and names
the rules whose alarms it explains; a site describes its maintenance, which takes alarms out of service.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.fields import Difference, Duration, Name, Period, Table, Text, Value, said
from coldchain.model import Priority, Side
from coldchain.plan import Cause, Cited, Moves, Sign, Work


class SignTable(Table):
    """What readings of a role must show before the work counts as done."""

    role: Name = Field(examples=["level"])
    moves: Literal["rises", "falls", "changes"] = Field(examples=["rises"])
    by: Difference = Field(examples=["20 mm"])
    within: Duration = 0  # so long after the end it may still come
    after_end: bool = False  # only what comes after the end counts

    @model_validator(mode="after")
    def _fits(self) -> SignTable:
        if self.by.quanta <= 0:
            raise said(f'by "{self.by.text}" is no move', "write how far it must move, without a sign")
        if self.after_end and not self.within:
            raise said(
                "must come after the end and is not waited for",
                'write within = "24 h", or how long that takes',
            )
        return self

    def compile(self) -> Sign:
        """As `plan.Sign`."""
        return Sign(self.role, Moves(self.moves), self.by.quanta, self.within, self.after_end)


class CauseTable(Table):
    """How readings show that the work goes on."""

    role: Name = Field(examples=["valve"])
    side: Literal["above", "below"] = Field(examples=["above"])
    value: Value = Field(examples=["50 %"])

    def compile(self) -> Cause:
        """As `plan.Cause`."""
        return Cause(self.role, Side(self.side), self.value.quanta)


class WorkTable(Table):
    """A kind of maintenance: it takes alarms out of service for `longest` at most."""

    title: str = ""
    longest: Period = Field(examples=["30 min"])
    done_when: SignTable | None = None
    priority: Literal["critical", "high", "low", "to_know"] = "high"
    advice: Text = Field(examples=["See whether the valve is open again."])
    source: Text = Field(examples=["our procedure SOP-12, section 3"])
    confidence: Literal["high", "medium", "low", "none"] = Field(examples=["high"])

    def compile(self, name: str) -> Work:
        """As `plan.Work`."""
        return Work(
            id=name,
            longest_ms=self.longest,
            cited=Cited(self.source, self.confidence),
            title=self.title,
            sign=self.done_when.compile() if self.done_when is not None else None,
            priority=Priority(self.priority),
            advice=self.advice,
        )

    def measured(self) -> dict[str, str]:
        """The quantity that each role must measure for it."""
        return {self.done_when.role: self.done_when.by.quantity} if self.done_when is not None else {}
