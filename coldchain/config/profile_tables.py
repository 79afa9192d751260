"""The tables of a profile's file, apart from its rules (`coldchain.config.rule_tables`)."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, model_validator

from coldchain.config.fields import Difference, Name, Period, Table, Text, said
from coldchain.config.rule_tables.base import Confidence
from coldchain.config.work_tables import ProfileWorkTable


class RuleSet(Table):
    """The rules of a stage of another profile, chosen by a stage of this one."""

    profile: Name = Field(examples=["dry-shipper-150"])
    version: Text | None = None  # a profile that does not say which is told which there is
    stage: Name | None = None
    prefix: Name | None = None


class Stage(Table):
    """A stage of a lane; the rules that hold in it name it, or name no stage at all."""

    title: Text = Field(examples=["In transit"])
    sets: tuple[RuleSet, ...] = Field(default=(), strict=False)


class Figure(Table):
    """A number that belongs to the site. Without a `default` the site must give it."""

    title: Text = Field(examples=["Time allowed above 8 °C"])
    default: str | None = None
    source: str = ""
    reason: str = ""  # why the default is wider than that of the profile it is taken from

    @model_validator(mode="after")
    def _fits(self) -> Figure:
        if self.default is not None and not self.source:
            raise said("has a default without a source", "write source")
        return self


class Need(Table):
    """What a role must be measured with for these limits to mean anything."""

    role: Name = Field(examples=["product"])
    stages: tuple[Name, ...] = Field(default=(), strict=False)
    probe: tuple[Literal["air", "buffered", "vapour", "liquid"], ...] = Field(default=(), strict=False)
    interval: Period | None = None  # at most
    uncertainty: Difference | None = None  # at most, expanded, as the certificate states it
    source: Text = Field(examples=["GSP Annex 3"])
    confidence: Confidence = Field(examples=["medium"])

    @model_validator(mode="after")
    def _asks_for_something(self) -> Need:
        if not self.probe and self.interval is None and self.uncertainty is None:
            raise said("asks for nothing", "write probe, interval or uncertainty")
        return self


class Accepted(Table):
    """A doubt of `coldchain profiles lint` that this profile answers, in some stages or for some rules."""

    doubt: Name = Field(examples=["low-side-missing"])
    stages: tuple[Name, ...] = Field(default=(), strict=False)
    rules: tuple[Name, ...] = Field(default=(), strict=False)
    reason: Text = Field(examples=["freezing does not harm this product: SP-3, section 4"])
    by: str = ""


class ProfileHead(Table):
    """A profile's file. Rules are checked one by one, after the site's figures have taken their places."""

    id: Name = Field(examples=["my-product"])
    version: Text = Field(examples=["1"])
    status: Literal["unapproved", "approved"] = Field(examples=["unapproved"])
    title: Text = Field(examples=["My product, frozen"])
    product_state: Text = Field(examples=["frozen"])
    extends: Name | None = None
    extends_version: Text | None = None
    approved_by: str = ""
    guideline: str = ""
    guideline_page: str = ""
    notes: str = ""
    figures: dict[Name, Figure] = Field(default={})
    stages: dict[Name, Stage] = Field(description='[stages.NAME] with title = "…"')
    needs: dict[Name, Need] = Field(default={})
    accepted: tuple[Accepted, ...] = Field(default=(), strict=False)
    rules: dict[Name, dict[str, Any]] = Field(default={})
    works: dict[Name, ProfileWorkTable] = Field(default={})

    @model_validator(mode="after")
    def _versions(self) -> ProfileHead:
        if self.extends_version is not None and self.extends is None:
            raise said("has extends_version without extends", "write extends, or remove it")
        return self
