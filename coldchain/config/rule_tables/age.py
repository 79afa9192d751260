"""`kind = "age"`: at most so long since a stage began."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from coldchain.config.amounts import duration_text
from coldchain.config.fields import Duration, Name, Period
from coldchain.config.positions import Place
from coldchain.config.rule_tables.base import RuleTable
from coldchain.plan import LANE, Age, Cited


class AgeTable(RuleTable):
    """Hours since release, charge or thaw; or, without `since`, the dwell in each stage that it holds in."""

    kind: Literal["age"]
    since: Name | None = Field(
        default=None,
        description=("the stage whose first beginning counts; the beginning of the stage in force otherwise"),
    )
    max: Period = Field(examples=["6 h"], description="how long is allowed")
    max_source: str = ""
    hold_less: Duration | None = Field(
        default=None,
        description=(
            "where the site has stated how long its vessel holds by qualification, that time less "
            "this counts instead of `max`"
        ),
    )
    hold_less_source: str = ""

    def compile(self, name: str, cited: Cited) -> Age:
        """As `plan.Age`."""
        return Age(
            **self.common(name, cited),
            role=LANE,
            max_ms=self.max,
            since=self.since or "",
            hold_less_ms=self.hold_less,
        )

    def _begin(self) -> str:
        return f"stage {self.since} began" if self.since else "the stage in force began"

    def brief(self) -> str:
        """Time, and since when."""
        return f"more than {duration_text(self.max)} since {self._begin()}"

    def sentences(self) -> list[str]:
        """Which time is allowed."""
        told = [self.raised_at()]
        if self.hold_less is not None:
            less = f" less {duration_text(self.hold_less)}" if self.hold_less else ""
            told.append(
                f"Where the site has stated a qualified hold of the vessel, that hold{less} counts instead."
            )
        return [*told, *self.alarm_sentences()]

    def raised_at(self) -> str:
        """The sentence that says when its alarm is raised."""
        return f"A {self.priority} alarm is raised {duration_text(self.max)} after {self._begin()}."

    def other_stages(self) -> dict[Place, str]:
        """The stage since which it counts."""
        return {("since",): self.since} if self.since else {}

    def leniency(self) -> dict[str, int]:
        """More time is wider, and so is less of a reserve."""
        less = -(2**62) if self.hold_less is None else -self.hold_less
        return {**super().leniency(), "max": self.max, "hold_less": less}
