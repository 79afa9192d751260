"""`kind = "budget"`: a sum of time outside, over all events of a stage."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Duration, said
from coldchain.config.rule_tables.threshold import ThresholdTable
from coldchain.model import Priority, Side
from coldchain.plan import Budget, Cited, Crossing, Outside, Per

#: An offset from UTC: none on earth is further than 14 hours.
_OFFSET = r"^[+-](0[0-9]:[0-5][0-9]|1[0-3]:[0-5][0-9]|14:00)$"
_SUM = {"product": "in sum", "stage": "in sum in a stage", "day": "in sum in a day"}


class BudgetTable(ThresholdTable):
    """A sum of time beyond a limit."""

    kind: Literal["budget"]
    allowance: Duration = Field(examples=["0 min"], description="how much time outside is allowed in sum")
    allowance_source: str = ""
    exceeded: Literal["beyond", "at_or_beyond"] = Field(
        default="beyond", description="whether just that much is already too much"
    )
    charge_unmonitored: bool = Field(default=False, description="time without readings counts as outside")
    per: Literal["product", "stage", "day"] = Field(
        default="product", description="what the sum is of: the product's whole time, each stage, or each day"
    )
    day_zone: Annotated[str, Field(pattern=_OFFSET)] | None = Field(
        default=None,
        examples=["+08:00"],
        description="where its day begins, as an offset from UTC; for a sum of each day alone",
    )
    latched: bool = Field(default=True, description="its alarm stays until somebody resets it with a reason")

    @model_validator(mode="after")
    def _fits(self) -> BudgetTable:
        if (self.per == "day") is not (self.day_zone is not None):
            if self.per == "day":
                raise said("says not where its day begins", 'write day_zone = "+08:00"')
            raise said("has a day_zone and no day", 'write per = "day", or leave it out')
        return self

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
            per=Per(self.per),
            day_offset_ms=self._day_offset_ms,
            latched=self.latched,
            re_alarm_ms=self.re_alarm,
            advice=self.advice,
            guarded=self.guarded,
            settle=self.settle,
        )

    @property
    def _day_offset_ms(self) -> int:
        if self.day_zone is None:
            return 0
        minutes = int(self.day_zone[1:3]) * 60 + int(self.day_zone[4:6])
        return (-minutes if self.day_zone[0] == "-" else minutes) * 60_000

    def _spent(self) -> str:
        allowance = duration_text(self.allowance)
        return f"more than {allowance}" if self.exceeded == "beyond" else f"{allowance} or more"

    def _whole(self) -> str:
        if self.per == "day":
            return f", each day anew, from midnight at {self.day_zone} from UTC"
        return ", each stage anew" if self.per == "stage" else ""

    def brief(self) -> str:
        """Role, value and allowance."""
        return f"{self.role} {self.outside_text} {self._spent()} {_SUM[self.per]}"

    def sentences(self) -> list[str]:
        """What is summed, and when the sum is too much."""
        told = [
            f"All time in which {self.role} was {self.outside_text} is added up{self._whole()}.",
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
            "per": ("product", "stage", "day").index(self.per),
        }
