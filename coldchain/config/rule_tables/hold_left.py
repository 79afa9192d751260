"""`kind = "hold_left"`: the nitrogen left, against the time still to travel."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Difference, Duration, Period, Value, said
from coldchain.config.rule_tables.one_role import OneRole, text_of
from coldchain.plan import Cited, HoldLeft


class HoldLeftTable(OneRole):
    """What is left must last until the expected arrival, and the reserve beyond."""

    kind: Literal["hold_left"]
    reserve: Duration = Field(
        examples=["48 h"], description="how long it must last beyond the expected arrival"
    )
    reserve_source: str = ""
    window: Period = Field(
        examples=["12 h"],
        description="through which weighings the line is laid: those of so long since the last fill",
    )
    window_source: str = ""
    least: Difference = Field(
        examples=["50 g"],
        description=("a rise of this much is a fill; a loss of less within the window just is not seen"),
    )
    least_source: str = ""
    empty: Value | None = Field(
        default=None, description="the reading at which nothing is left; the vessel's tare mass otherwise"
    )
    empty_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> HoldLeftTable:
        if self.least.quanta <= 0 or self.least.quantity not in ("mass", "level"):
            raise said(
                f"least {self.least.text} is no amount of nitrogen", "write a mass or a level above zero"
            )
        if self.empty is not None and self.empty.quantity != self.least.quantity:
            raise said(f"empty {self.empty.text} is no {self.least.quantity}", "write both in one unit")
        if self.empty is None and self.least.quantity == "level":
            raise said("says not at which level nothing is left", 'write empty, such as "0 mm"')
        return self

    def compile(self, name: str, cited: Cited) -> HoldLeft:
        """As `plan.HoldLeft`."""
        return HoldLeft(
            **self.common(name, cited),
            role=self.role,
            reserve_ms=self.reserve,
            window_ms=self.window,
            least=self.least.quanta,
            empty=None if self.empty is None else self.empty.quanta,
        )

    def brief(self) -> str:
        """Role and reserve."""
        return f"{self.role} not lasting until arrival and {duration_text(self.reserve)} more"

    def sentences(self) -> list[str]:
        """How the hold is reckoned, and what it must be enough for."""
        empty = "the vessel's tare mass" if self.empty is None else text_of(self.empty)
        line = (
            f"A straight line is laid through {self.role} over the last {duration_text(self.window)} since "
            f"the last fill (a rise of {text_of(self.least)} or more); where it reaches {empty}, "
            "nothing is left."
        )
        return [
            line,
            f"A loss of less than {text_of(self.least)} in that time is taken for one that just is not seen.",
            self.raised(
                "when the shorter end of the hold that is left, two standard errors down, is less than the "
                f"time until the expected arrival and {duration_text(self.reserve)} more"
            ),
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A shorter reserve is wider, and so is what counts as empty later."""
        empty = 0 if self.empty is None else -self.empty.quanta
        return {**super().leniency(), "reserve": -self.reserve, "empty": empty, "least": self.least.quanta}

    def quantity(self) -> str | None:
        """A mass or a level."""
        return self.least.quantity
