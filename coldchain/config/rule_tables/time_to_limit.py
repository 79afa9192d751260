"""`kind = "time_to_limit"`: the straight line through the last readings reaches a value soon."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import Amount, duration_text
from coldchain.config.fields import Difference, Period, Value, said
from coldchain.config.rule_tables.one_role import OneRole, text_of
from coldchain.model import Side
from coldchain.plan import Cited, TimeToLimit


class TimeToLimitTable(OneRole):
    """A forecast: a warning ahead of a limit, never in its place."""

    kind: Literal["time_to_limit"]
    side: Literal["above", "below"] = Field(
        examples=["above"], description="which side of the value is outside"
    )
    value: Value = Field(examples=["-150 °C"], description="the value that the line must not reach")
    horizon: Period = Field(examples=["2 h"], description="how soon is too soon")
    horizon_source: str = ""
    window: Period = Field(
        examples=["1 h"], description="through which readings the line is laid: those of so long"
    )
    window_source: str = ""
    least: Difference = Field(
        examples=["2 °C"], description="how far the line must move within its window to be taken for one"
    )
    least_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> TimeToLimitTable:
        if self.least.quantity != self.value.quantity or self.least.quanta <= 0:
            raise said(f"least {self.least.text} is no move of {self.value.quantity}", "write one above zero")
        return self

    def compile(self, name: str, cited: Cited) -> TimeToLimit:
        """As `plan.TimeToLimit`."""
        return TimeToLimit(
            **self.common(name, cited),
            role=self.role,
            side=Side(self.side),
            limit=self.value.quanta,
            horizon_ms=self.horizon,
            window_ms=self.window,
            least=self.least.quanta,
        )

    def brief(self) -> str:
        """Role, value and horizon."""
        return f"{self.role} on the way to {text_of(self.value)} within {duration_text(self.horizon)}"

    def sentences(self) -> list[str]:
        """Which line, and when it is too steep."""
        window, least = duration_text(self.window), text_of(self.least)
        line = (
            f"A straight line is laid through the readings of {self.role} of the last {window}; "
            f"a line that moves by less than {least} in that time is none."
        )
        return [
            line,
            self.raised(
                f"when the line goes {self.side} {text_of(self.value)} within {duration_text(self.horizon)}"
            ),
            "It is over when the line needs half as long again, or there is none.",
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A nearer horizon, a value further out, or a larger least move is wider."""
        value = self.value.quanta if self.side == "above" else -self.value.quanta
        return {**super().leniency(), "value": value, "horizon": -self.horizon, "least": self.least.quanta}

    def quantity(self) -> str | None:
        """That of its value."""
        return self.value.quantity

    def values(self) -> tuple[Amount, ...]:
        """The value."""
        return (self.value,)
