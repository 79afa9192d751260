"""`kind = "spike"`: one reading that jumps."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from coldchain.config.fields import Difference, said
from coldchain.config.rule_tables.one_role import OneRole, text_of
from coldchain.plan import Cited, Spike


class SpikeTable(OneRole):
    """A jump between two readings that is further than anything here can change so soon."""

    kind: Literal["spike"]
    jump: Difference = Field(examples=["20 °C"], description="how far apart two readings in a row may lie")
    jump_source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> SpikeTable:
        if self.jump.quanta <= 0:
            raise said(f"jump {self.jump.text} is none", "write one above zero")
        return self

    def compile(self, name: str, cited: Cited) -> Spike:
        """As `plan.Spike`."""
        return Spike(**self.common(name, cited), role=self.role, limit=self.jump.quanta)

    def brief(self) -> str:
        """Role and jump."""
        return f"{self.role} jumping by more than {text_of(self.jump)}"

    def sentences(self) -> list[str]:
        """When it is raised."""
        return [
            self.raised(
                f"when two readings of {self.role} in a row differ by more than {text_of(self.jump)}"
            ),
            "It is over with the next reading that does not jump.",
            *self.alarm_sentences(),
        ]

    def leniency(self) -> dict[str, int]:
        """A larger jump is wider."""
        return {**super().leniency(), "jump": self.jump.quanta}

    def quantity(self) -> str | None:
        """That of its jump."""
        return self.jump.quantity
