"""What every kind of rule has in a profile's file, and what every kind can say of itself.

A kind is one module with one table below `RuleTable`: its parameters, what they mean to the fold (`compile`),
and how a person reads them (`brief`, `sentences`). A parameter `x` whose number has a source of its own names
it in `x_source`; every other number of the rule has the rule's `source`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import Amount, duration_text
from coldchain.config.fields import Name, Period, Table, Text, is_duration, said
from coldchain.config.positions import Place
from coldchain.model import Priority
from coldchain.plan import Cited, Rule

Confidence = Literal["high", "medium", "low", "none"]

#: What a key that names a parameter's own source ends in.
SOURCE_SUFFIX = "_source"

#: Longer than any time in a file: what is never said again.
_NEVER_MS = 2**62

# As the words stand in a file; the last asks for least.
_URGENT_FIRST = tuple(str(priority) for priority in Priority)


class RuleTable(Table, ABC):
    """One rule: `[rules.NAME]` of a profile. Times are ms, values are `Amount`s."""

    kind: str
    title: str = Field(default="", description="how people call the rule; its name otherwise")
    stages: tuple[Name, ...] = Field(
        default=(),
        strict=False,
        description="the stages in which it holds; every stage of the profile otherwise",
    )
    priority: Literal["critical", "high", "low", "to_know"] = Field(
        examples=["critical"], description="how urgent its alarm is; `to_know` asks nobody to do anything"
    )
    latched: bool = Field(default=False, description="its alarm stays until somebody resets it with a reason")
    re_alarm: Period | None = Field(
        default=None,
        description=(
            "how often it is said again until somebody acknowledges it; the site's own time by "
            "priority otherwise"
        ),
    )
    re_alarm_source: str = ""
    advice: str = Field(default="", description="what to do when it is raised; needed unless it is `to_know`")
    source: Text = Field(
        examples=["label of the product, section 16"], description="where the rule and its numbers come from"
    )
    confidence: Confidence = Field(examples=["medium"], description="how sure we are of that")
    approved_by: str = Field(default="", description="who approved it; needed in an approved profile")
    version: str = Field(default="", description="the version of this rule, for the record")
    reason: str = Field(default="", description="why it is wider than the one it replaces")

    @model_validator(mode="after")
    def _alarm_asks_for_something(self) -> RuleTable:
        # ISA-18.2: an alarm that asks nobody to do anything is none.
        if self.priority != "to_know" and not self.advice:
            raise said("says not what to do", 'write advice, or priority = "to_know"')
        if self.re_alarm is not None and not self.re_alarm_source:
            raise said("has a re_alarm without a source", 'write re_alarm_source, if only "judgement"')
        return self

    @abstractmethod
    def compile(self, name: str, cited: Cited) -> Rule:
        """What the rule means to the fold; `cited` is its source with those of its figures."""

    @abstractmethod
    def brief(self) -> str:
        """What it judges, in one short line: "vapour above -165 °C for 10 min"."""

    @abstractmethod
    def sentences(self) -> list[str]:
        """What it means, in whole sentences with every number and unit of it, as QA would sign it.

        `alarm_sentences` has those that are the same for every kind.
        """

    @abstractmethod
    def leniency(self) -> dict[str, int]:
        """Each parameter as a number that grows as the rule speaks later, less or more softly.

        Two rules of one kind are compared by it: a larger number is a wider rule. A parameter that is missing
        here and is no mere text cannot be compared, and its change counts as wider. Begin with that of
        `RuleTable`.
        """
        return {
            "priority": _URGENT_FIRST.index(self.priority),
            "latched": 0 if self.latched else 1,
            "re_alarm": _NEVER_MS if self.re_alarm is None else self.re_alarm,
        }

    def common(self, name: str, cited: Cited) -> dict[str, Any]:
        """What every rule of a plan says of itself and its alarm."""
        return {
            "id": name,
            "cited": cited,
            "title": self.title,
            "priority": Priority(self.priority),
            "latched": self.latched,
            "re_alarm_ms": self.re_alarm,
            "advice": self.advice,
        }

    def roles(self) -> tuple[str, ...]:
        """The roles whose readings it judges; none for a rule about a consignment's clock."""
        return ()

    def other_stages(self) -> dict[Place, str]:
        """Stages that it names elsewhere than in `stages`, by where."""
        return {}

    def quantity(self) -> str | None:
        """What those roles must measure; None: anything."""
        return None

    def values(self) -> tuple[Amount, ...]:
        """The values of which a probe must be able to see both sides."""
        return ()

    @classmethod
    def source_key(cls, key: str) -> str:
        """The key that names a parameter's source: `hold_source` of hold, `settle_source` of settle_to."""
        words = key.split("_")
        for length in range(len(words), 0, -1):
            own = "_".join(words[:length]) + SOURCE_SUFFIX
            if own in cls.model_fields:
                return own
        return "source"

    def sources(self) -> dict[str, str]:
        """The parameters that have a source of their own, and that source."""
        return {
            key.removesuffix(SOURCE_SUFFIX): text
            for key in type(self).model_fields
            if key.endswith(SOURCE_SUFFIX) and (text := getattr(self, key))
        }

    def numbers(self) -> tuple[str, ...]:
        """The parameters that are numbers, each of which has a source."""
        model = type(self)
        return tuple(
            key
            for key in model.model_fields
            if isinstance(getattr(self, key), Amount)
            or is_duration(model, key)
            or f"{key}{SOURCE_SUFFIX}" in model.model_fields
        )

    def alarm_sentences(self) -> list[str]:
        """How the alarm ends and repeats: the same for every kind."""
        told = []
        if self.latched:
            told.append("The alarm stays until somebody resets it with a reason.")
        if self.re_alarm is not None:
            told.append(f"Until it is acknowledged it is said again every {duration_text(self.re_alarm)}.")
        return told


def quanta(amount: Amount | None) -> int:
    """The quanta of an amount that may be missing: none are 0."""
    return amount.quanta if amount else 0
