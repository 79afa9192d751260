"""`kind = "rolling"`: a sum of time outside within the last hours or days."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Duration, Period, said
from coldchain.config.rule_tables.threshold import ThresholdTable
from coldchain.model import Side
from coldchain.plan import Cited, Outside, Rolling


class RollingTable(ThresholdTable):
    """A sum of time beyond a limit within a rolling window."""

    kind: Literal["rolling"]
    allowance: Duration = Field(
        examples=["20 h"], description="how much time outside is allowed within the window"
    )
    allowance_source: str = ""
    window: Period = Field(examples=["7 d"], description="how far back time outside counts")
    window_source: str = ""
    exceeded: Literal["beyond", "at_or_beyond"] = Field(
        default="beyond", description="whether just that much is already too much"
    )
    charge_unmonitored: bool = Field(default=False, description="time without readings counts as outside")

    @model_validator(mode="after")
    def _fits(self) -> RollingTable:
        if self.crossing != "step":
            raise said("interpolates within a window", 'write crossing = "step", or kind = "budget"')
        if self.allowance >= self.window:
            raise said("allows all of its window", "write an allowance shorter than the window")
        return self

    def compile(self, name: str, cited: Cited) -> Rolling:
        """As `plan.Rolling`."""
        return Rolling(
            **self.common(name, cited),
            role=self.role,
            side=Side(self.side),
            limit=self.value.quanta,
            allowance_ms=self.allowance,
            window_ms=self.window,
            outside=Outside(self.outside),
            exceeded=Outside(self.exceeded),
            fires=self.fires_or_default,
            charge_unmonitored=self.charge_unmonitored,
            guarded=self.guarded,
            settle=self.settle,
        )

    def _spent(self) -> str:
        allowance = duration_text(self.allowance)
        return f"more than {allowance}" if self.exceeded == "beyond" else f"{allowance} or more"

    def brief(self) -> str:
        """Role, value, allowance and window."""
        return f"{self.role} {self.outside_text} {self._spent()} within {duration_text(self.window)}"

    def sentences(self) -> list[str]:
        """What is summed, over which time, and when it is too much."""
        window = duration_text(self.window)
        return [
            f"All time of the last {window} in which {self.role} was {self.outside_text} is added up.",
            f"A {self.priority} alarm is raised when the sum is {self._spent()}.",
            self.fires_sentence(),
            *self.crossing_sentences(),
            "Time without readings is charged as if it had been outside."
            if self.charge_unmonitored
            else "Time without readings is not charged; it is stated apart.",
            "It is over with the first reading inside that finds no more than that in the window.",
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A larger allowance is wider, and so is a shorter window."""
        return {
            **super().leniency(),
            "allowance": self.allowance,
            "window": -self.window,
            "exceeded": 1 if self.exceeded == "beyond" else 0,
            "charge_unmonitored": 0 if self.charge_unmonitored else 1,
        }
