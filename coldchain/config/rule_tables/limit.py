"""`kind = "limit"`: a value outside without a break for a time (a single event)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Difference, Duration, said
from coldchain.config.rule_tables.base import quanta
from coldchain.config.rule_tables.threshold import ThresholdTable
from coldchain.model import Priority, Side
from coldchain.plan import Cited, Crossing, Limit, Outside


class LimitTable(ThresholdTable):
    """A limit that was violated without a break for `hold`."""

    kind: Literal["limit"] = "limit"
    hold: Duration = Field(
        default=0, description="how long without a break it must be outside; at once otherwise"
    )
    hold_source: str = ""
    off_delay: Duration = Field(
        default=0,
        description=("how long without a break it must be inside again before the alarm's condition is gone"),
    )
    off_delay_source: str = ""
    deadband: Difference | None = Field(
        default=None, description="how far back inside a reading must lie to end the time outside"
    )
    deadband_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> LimitTable:
        if self.hold and not self.hold_source:
            raise said("has a hold without a source", 'write hold_source, if only "judgement"')
        if self.deadband is not None and self.deadband.quantity != self.value.quantity:
            raise said(
                f"deadband {self.deadband.text} is no {self.value.quantity}",
                "write it in the unit of the value",
            )
        if self.deadband is not None and self.deadband.quanta < 0:
            raise said(f"deadband {self.deadband.text} is negative", "write it without a sign")
        if self.deadband is not None and not self.deadband_source:
            raise said("has a deadband without a source", 'write deadband_source, if only "judgement"')
        if self.off_delay and not self.off_delay_source:
            raise said("has an off_delay without a source", 'write off_delay_source, if only "judgement"')
        return self

    def compile(self, name: str, cited: Cited) -> Limit:
        """As `plan.Limit`."""
        return Limit(
            id=name,
            role=self.role,
            side=Side(self.side),
            limit=self.value.quanta,
            hold_ms=self.hold,
            priority=Priority(self.priority),
            cited=cited,
            title=self.title,
            outside=Outside(self.outside),
            fires=self.fires_or_default,
            crossing=Crossing(self.crossing),
            deadband=quanta(self.deadband),
            off_delay_ms=self.off_delay,
            latched=self.latched,
            re_alarm_ms=self.re_alarm,
            advice=self.advice,
            guarded=self.guarded,
            settle=self.settle,
        )

    def brief(self) -> str:
        """Role, value and hold."""
        how = f"for {duration_text(self.hold)}" if self.hold else "at once"
        return f"{self.role} {self.outside_text} {how}"

    def sentences(self) -> list[str]:
        """What raises it, what ends it."""
        if self.hold:
            raised = (
                f"when {self.role} was {self.outside_text} for {duration_text(self.hold)} without a break"
            )
            told = [f"A {self.priority} alarm is raised {raised}.", self.fires_sentence()]
        else:
            told = [f"A {self.priority} alarm is raised as soon as {self.role} is {self.outside_text}."]
        told += self.crossing_sentences()
        back = []
        if self.deadband is not None and self.deadband.quanta:
            back.append(f"come back by {self.deadband.text} from the limit")
        if self.off_delay:
            back.append(f"stayed inside for {duration_text(self.off_delay)} without a break")
        if back:
            told.append(f"It is over only when readings have {' and '.join(back)}.")
        return told + self.alarm_sentences()

    def leniency(self) -> dict[str, int]:
        """A longer hold is wider; so is what is over sooner."""
        return {
            **super().leniency(),
            "hold": self.hold,
            "off_delay": -self.off_delay,
            "deadband": -quanta(self.deadband),
        }
