"""`kind = "boil_off"`: nitrogen is lost faster than this vessel loses it by itself."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Difference, Period, said
from coldchain.config.rule_tables.one_role import OneRole, text_of
from coldchain.plan import BoilOff, Cited


class BoilOffTable(OneRole):
    """The slope of the mass or level, compared with the vessel's own."""

    kind: Literal["boil_off"]
    percent: Annotated[int, Field(gt=100, le=100_000)] = Field(
        examples=[200], description="how many percent of the vessel's own loss are too many"
    )
    percent_source: str = ""
    window: Period = Field(
        examples=["6 h"],
        description="through which weighings the line is laid: those of so long since the last fill",
    )
    window_source: str = ""
    least: Difference = Field(
        examples=["50 g"],
        description="a rise of this much is a fill; a loss of less within the window is none",
    )
    least_source: str = ""
    baseline_per_day: Difference | None = Field(
        default=None,
        description=(
            "the vessel's own loss in a day; otherwise as the site states it for the vessel, or as weighed "
            "between the fill and the window"
        ),
    )
    baseline_per_day_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> BoilOffTable:
        if self.least.quanta <= 0 or self.least.quantity not in ("mass", "level"):
            raise said(
                f"least {self.least.text} is no amount of nitrogen", "write a mass or a level above zero"
            )
        base = self.baseline_per_day
        if base is not None and (base.quantity != self.least.quantity or base.quanta <= 0):
            raise said(
                f"baseline_per_day {base.text} is no loss of {self.least.quantity}", "write one above zero"
            )
        return self

    def compile(self, name: str, cited: Cited) -> BoilOff:
        """As `plan.BoilOff`."""
        return BoilOff(
            **self.common(name, cited),
            role=self.role,
            percent=self.percent,
            window_ms=self.window,
            least=self.least.quanta,
            baseline_per_day=None if self.baseline_per_day is None else self.baseline_per_day.quanta,
        )

    def brief(self) -> str:
        """Role and how much faster."""
        return f"{self.role} falling faster than {self.percent} % of the vessel's own loss"

    def sentences(self) -> list[str]:
        """Which slope, and what it is compared with."""
        own = (
            "the vessel's own loss: as the site states it, else as weighed since the fill, before that time"
            if self.baseline_per_day is None
            else f"a loss of {text_of(self.baseline_per_day)} a day"
        )
        line = (
            f"A straight line is laid through {self.role} over the last {duration_text(self.window)} since "
            f"the last fill (a rise of {text_of(self.least)} or more)."
        )
        least = text_of(self.least)
        return [
            line,
            self.raised(
                f"when it falls by {least} or more in that time, and faster than {self.percent} % of {own}"
            ),
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A larger part, a larger least loss, or a larger baseline is wider."""
        base = 0 if self.baseline_per_day is None else self.baseline_per_day.quanta
        return {
            **super().leniency(),
            "percent": self.percent,
            "least": self.least.quanta,
            "baseline_per_day": base,
        }

    def quantity(self) -> str | None:
        """A mass or a level."""
        return self.least.quantity
