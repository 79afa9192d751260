"""`kind = "kinetic_mean"`: the mean kinetic temperature of a rolling window."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import Amount, duration_text
from coldchain.config.fields import Period, Value, said
from coldchain.config.rule_tables.one_role import OneRole, text_of
from coldchain.plan import Cited, KineticMean, Outside

_ENERGY = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,6})?) kJ/mol")


class KineticMeanTable(OneRole):
    """A mean kinetic temperature above a value; there is no low side, or cold would excuse heat."""

    kind: Literal["kinetic_mean"]
    value: Value = Field(examples=["8 °C"], description="the mean that is too high; never below freezing")
    window: Period = Field(examples=["24 h"], description="over how long the mean is taken")
    window_source: str = ""
    energy: str = Field(
        examples=["83.144 kJ/mol"], description="the activation energy of what warmth does to the product"
    )
    energy_source: str = ""
    outside: Literal["beyond", "at_or_beyond"] = Field(
        default="beyond", description="whether just that value is outside, too"
    )

    @model_validator(mode="after")
    def _fits(self) -> KineticMeanTable:
        match = _ENERGY.fullmatch(self.energy)
        if match is None or not 0 < Fraction(match[1]) <= 1000:
            raise said(f'"{self.energy}" is no activation energy', 'write one such as "83.144 kJ/mol"')
        if self.value.quantity != "temperature":
            raise said(f"value {self.value.text} is no temperature", "write it in °C")
        if self.value.quanta < 0:
            raise said(
                f"value {self.value.text} is below freezing, where a kinetic mean means nothing",
                'use kind = "limit" or "budget"',
            )
        return self

    def compile(self, name: str, cited: Cited) -> KineticMean:
        """As `plan.KineticMean`."""
        return KineticMean(
            **self.common(name, cited),
            role=self.role,
            limit=self.value.quanta,
            window_ms=self.window,
            energy_kj_mol=self.energy.removesuffix(" kJ/mol"),
            outside=Outside(self.outside),
        )

    def _above(self) -> str:
        return f"{'at or ' if self.outside == 'at_or_beyond' else ''}above {text_of(self.value)}"

    def brief(self) -> str:
        """Role, value and window."""
        return f"{self.role} mean kinetic temperature {self._above()} over {duration_text(self.window)}"

    def sentences(self) -> list[str]:
        """Which mean, over which time, and when it is too high."""
        mean = (
            f"The mean kinetic temperature of {self.role} over the last {duration_text(self.window)} is "
            f"kept, with an activation energy of {self.energy}; time without good readings is not in it."
        )
        return [
            mean,
            self.raised(f"when it is {self._above()}, once the window is full"),
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A higher value is wider. Another window or energy is another rule."""
        return {
            **super().leniency(),
            "value": self.value.quanta,
            "outside": 1 if self.outside == "beyond" else 0,
        }

    def quantity(self) -> str | None:
        """Only temperatures have one."""
        return "temperature"

    def values(self) -> tuple[Amount, ...]:
        """The value."""
        return (self.value,)
