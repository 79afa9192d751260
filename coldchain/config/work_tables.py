"""`[works.NAME]`: kinds of work at a vessel, during which some of its alarms call nobody.

A profile describes what happens to a product's vessel (a filling, a lid opened for a planned move) and names
the rules whose alarms it explains; a site describes its maintenance, which takes alarms out of service.
"""

from __future__ import annotations

from typing import Literal

from msgspec.structs import replace
from pydantic import Field, model_validator
from typing_extensions import override

from coldchain.config.amounts import duration_text
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


class ProfileWorkTable(WorkTable):
    """A kind of work that explains some alarms of a product's vessel: they are suppressed by design.

    hides:         the rules of the profile whose alarms it explains.
    going_on_when: readings that show that it goes on, so that nobody need say so.
    reason:        why it hides more, or for longer, than what it replaces.
    """

    hides: tuple[Name, ...] = Field(strict=False, examples=[["level-low"]])
    going_on_when: CauseTable | None = None
    reason: str = ""

    @model_validator(mode="after")
    def _hides_something(self) -> ProfileWorkTable:
        if not self.hides:
            raise said("hides nothing", "name the rules whose alarms it explains")
        return self

    @override
    def compile(self, name: str) -> Work:
        """As `plan.Work`."""
        cause = self.going_on_when.compile() if self.going_on_when is not None else None
        return replace(super().compile(name), hides=self.hides, cause=cause)

    @override
    def measured(self) -> dict[str, str]:
        """The quantity that each role must measure for it."""
        cause = self.going_on_when
        return super().measured() | ({cause.role: cause.value.quantity} if cause is not None else {})

    def sentences(self) -> list[str]:
        """What it means, in whole sentences with every number and unit of it, as QA would sign it."""
        begins = "A person says that it begins"
        if self.going_on_when is not None:
            cause = self.going_on_when
            begins += f", or {cause.role} is {cause.side} {cause.value.text}"
        hidden = f"While it goes on the alarms of {', '.join(self.hides)} call nobody"
        told = [
            f"{hidden}; they are judged and recorded all the same.",
            f"{begins}.",
            f"It ends after {duration_text(self.longest)} at the latest, and then they call again.",
        ]
        sign = self.done_when
        if sign is None:
            told.append("That it was done a person must say.")
        else:
            when = "after its end" if sign.after_end else "since it began"
            waits = f", at the latest {duration_text(sign.within)} after its end" if sign.within else ""
            moved = {"rises": "risen", "falls": "fallen", "changes": "changed"}[sign.moves]
            told.append(f"It counts as done when {sign.role} has {moved} by {sign.by.text} {when}{waits}.")
        told.append(f"Else a {self.priority.replace('_', ' ')} alarm says that its end is not confirmed.")
        return told
