"""`kind = "budget"`: a sum of time outside, over all events of a stage."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Duration
from coldchain.config.rule_tables.threshold import ThresholdTable
from coldchain.model import Priority, Side
from coldchain.plan import Budget, Cited, Crossing, Outside


class BudgetTable(ThresholdTable):
    """A sum of time beyond a limit."""

    kind: Literal["budget"]
    allowance: Duration = Field(examples=["0 min"])
    allowance_source: str = ""
    exceeded: Literal["beyond", "at_or_beyond"] = "beyond"
    charge_unmonitored: bool = False
    latched: bool = True

    def compile(self, name: str, cited: Cited) -> Budget:
        """As `plan.Budget`."""
        return Budget(
            id=name,
            role=self.role,
            side=Side(self.side),
            limit=self.value.quanta,
            allowance_ms=self.allowance,
            priority=Priority(self.priority),
            cited=cited,
            title=self.title,
            outside=Outside(self.outside),
            exceeded=Outside(self.exceeded),
            fires=self.fires_or_default,
            crossing=Crossing(self.crossing),
            charge_unmonitored=self.charge_unmonitored,
            latched=self.latched,
            re_alarm_ms=self.re_alarm,
            advice=self.advice,
        )

    def _spent(self) -> str:
        allowance = duration_text(self.allowance)
        return f"more than {allowance}" if self.exceeded == "beyond" else f"{allowance} or more"

    def brief(self) -> str:
        """Role, value and allowance."""
        return f"{self.role} {self.outside_text} {self._spent()} in sum"

    def sentences(self) -> list[str]:
        """What is summed, and when the sum is too much."""
        told = [
            f"All time in which {self.role} was {self.outside_text} is added up.",
            f"A {self.priority} alarm is raised when the sum is {self._spent()}.",
            self.fires_sentence(),
            *self.crossing_sentences(),
            "Time without readings is charged as if it had been outside."
            if self.charge_unmonitored
            else "Time without readings is not charged; it is stated apart.",
        ]
        return told + self.alarm_sentences()

    def leniency(self) -> dict[str, int]:
        """A larger allowance is wider, and so is what charges less to it."""
        return {
            **super().leniency(),
            "allowance": self.allowance,
            "exceeded": 1 if self.exceeded == "beyond" else 0,
            "charge_unmonitored": 0 if self.charge_unmonitored else 1,
        }
