"""A limit profile's file: its tables, and what they mean to the fold.

A limit is data with a source: a rule without one is refused, and a delay above zero needs one of its own,
even if it is "our judgement". A site may put its own number where the profile has a figure for it; then the
limit carries the site's source.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import Field, model_validator

from coldchain.config.amounts import Amount
from coldchain.config.document import Document
from coldchain.config.fields import Difference, Duration, Name, Period, Table, Text, Value, said
from coldchain.config.positions import Place
from coldchain.config.problems import Problem, dotted, listed, nearest
from coldchain.config.settings import SiteFigure
from coldchain.model import Priority, Side
from coldchain.plan import Budget, Cited, Crossing, Fires, Limit, Outside, ProfilePlan, Rule, StagePlan

#: Makes a problem of a figure's name, what is wrong with its value, and the mend.
WhereFigures = Callable[[str, str, str], Problem]

Confidence = Literal["high", "medium", "low", "none"]


class Stage(Table):
    """A stage of a lane; the rules that hold in it name it, or name no stage at all."""

    title: Text = Field(examples=["In transit"])


class Figure(Table):
    """A number that belongs to the site. Without a `default` the site must give it."""

    title: Text = Field(examples=["Time allowed above 8 °C"])
    default: str | None = None
    source: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Figure:
        if self.default is not None and not self.source:
            raise said("has a default without a source", "write source")
        return self


class _Rule(Table):
    kind: str = "limit"
    title: str = ""
    role: Name = Field(examples=["vapour"])
    side: Literal["above", "below"] = Field(examples=["above"])
    value: Value = Field(examples=["-150 °C"])
    stages: tuple[Name, ...] = Field(default=(), strict=False)
    outside: Literal["beyond", "at_or_beyond"] = "beyond"
    fires: Literal["at_due", "on_reading"] | None = None
    crossing: Literal["step", "linear"] = "step"
    priority: Literal["critical", "high", "low", "to_know"] = Field(examples=["critical"])
    re_alarm: Period | None = None
    advice: str = ""
    source: Text = Field(examples=["label of the product, section 16"])
    confidence: Confidence = Field(examples=["medium"])
    approved_by: str = ""
    version: str = ""

    @model_validator(mode="after")
    def _alarm_asks_for_something(self) -> _Rule:
        # ISA-18.2: an alarm that asks nobody to do anything is none.
        if self.priority != "to_know" and not self.advice:
            raise said("says not what to do", 'write advice, or priority = "to_know"')
        return self

    @property
    def fires_or_default(self) -> Fires:
        """Critical limits fire at their deadline even if nothing more arrives; others wait for a reading."""
        if self.fires is not None:
            return Fires(self.fires)
        return Fires.AT_DUE if self.priority == "critical" else Fires.ON_READING


class LimitRule(_Rule):
    """A limit that was violated without a break for `hold`."""

    kind: Literal["limit"] = "limit"
    hold: Duration = 0
    hold_source: str = ""
    off_delay: Duration = 0
    deadband: Difference | None = None
    latched: bool = False

    @model_validator(mode="after")
    def _fits(self) -> LimitRule:
        if self.hold and not self.hold_source:
            raise said("has a hold without a source", 'write hold_source, if only "judgement"')
        if self.deadband is not None and self.deadband.quantity != self.value.quantity:
            raise said(
                f"deadband {self.deadband.text} is no {self.value.quantity}",
                "write it in the unit of the value",
            )
        if self.deadband is not None and self.deadband.quanta < 0:
            raise said(f"deadband {self.deadband.text} is negative", "write it without a sign")
        return self


class BudgetRule(_Rule):
    """A sum of time beyond a limit."""

    kind: Literal["budget"]
    allowance: Duration = Field(examples=["0 min"])
    exceeded: Literal["beyond", "at_or_beyond"] = "beyond"
    charge_unmonitored: bool = False
    latched: bool = True


RULES: dict[str, type[LimitRule | BudgetRule]] = {"limit": LimitRule, "budget": BudgetRule}


class ProfileHead(Table):
    """A profile's file. Rules are checked one by one, after the site's figures have taken their places."""

    id: Name = Field(examples=["my-product"])
    version: Text = Field(examples=["1"])
    status: Literal["unapproved", "approved"] = Field(examples=["unapproved"])
    title: Text = Field(examples=["My product, frozen"])
    product_state: Text = Field(examples=["frozen"])
    approved_by: str = ""
    guideline: str = ""
    guideline_page: str = ""
    notes: str = ""
    figures: dict[Name, Figure] = Field(default={})
    stages: dict[Name, Stage] = Field(description='[stages.NAME] with title = "…"')
    rules: dict[Name, dict[str, Any]] = Field(default={})


@dataclass(frozen=True)
class Profile:
    """A profile as read: its head, its rules by id (figures in place), and its plan."""

    head: ProfileHead
    rules: dict[str, LimitRule | BudgetRule]
    plan: ProfilePlan
    document: Document = field(repr=False)

    def holds_in(self, rule: str) -> tuple[str, ...]:
        """The stages in which a rule holds."""
        return self.rules[rule].stages or tuple(self.head.stages)


def missing_figures(document: Document, given: Mapping[str, SiteFigure]) -> dict[str, str]:
    """The figures that the site must give and has not: name and title."""
    return {
        name: str(table.get("title", name))
        for name, table in _tables(document, "figures").items()
        if "default" not in table and name not in given
    }


def read_profile(
    document: Document, given: Mapping[str, SiteFigure] | None = None, at: WhereFigures | None = None
) -> Profile:
    """The profile in a document, with the site's figures in place; raises ConfigError with all that is wrong.

    at: makes a problem out of a figure's name, what is wrong with its value, and the mend. With it the caller
    has already said which figures are missing (`missing_figures`), and gets a profile without their rules.
    """
    site = _Site(given or {}, at)
    head = document.validate(ProfileHead, document.data)
    if at is None:
        for name, title in missing_figures(document, site.figures).items():
            mend = f"write it under profiles.figures.{document.data.get('id', 'ID')}"
            document.refuse(("figures", name), f"the site must give this figure ({title})", mend)
    rules = {}
    for name, table in _tables(document, "rules").items():
        rule = _read_rule(document, name, table, site)
        if rule is not None:
            rules[name] = rule
    if head is not None:
        _check_approval(document, head, rules)
    document.raise_problems()
    assert head is not None  # else a problem was raised
    return Profile(head, rules, _plan(head, rules, site.figures, document), document)


@dataclass(frozen=True)
class _Site:
    """The site's figures, and who can say where they stand."""

    figures: Mapping[str, SiteFigure]
    at: WhereFigures | None


def _tables(document: Document, name: str) -> dict[str, dict[str, Any]]:
    """The tables below a table, as written; what is no table is reported by the model of the whole."""
    found = document.data.get(name)
    entries = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in entries if isinstance(value, dict)}


def _read_rule(
    document: Document, name: str, written: dict[str, Any], site: _Site
) -> LimitRule | BudgetRule | None:
    place: Place = ("rules", name)
    table = dict(written)
    given: dict[str, str] = {}  # places of this file whose value is the site's, and the figure's name
    for key, value in written.items():
        if isinstance(value, dict) and set(value) == {"figure"}:
            figure = str(value["figure"])
            text = _figure(document, (*place, key), figure, site)
            if text is None:
                return None
            table[key] = text
            if figure in site.figures:
                given[dotted((*place, key))] = figure
    kind = str(table.get("kind", "limit"))
    if kind not in RULES:
        meant = nearest(kind, RULES)
        document.refuse((*place, "kind"), f'"{kind}" is no kind of rule', f'write "{meant or "limit"}"')
        return None
    before = len(document.problems)
    rule = document.validate(RULES[kind], table, place)
    for index, problem in enumerate(document.problems[before:], before):
        if site.at is not None and problem.place in given:
            document.problems[index] = site.at(given[problem.place], problem.what, problem.mend)
    _check_stages(document, place, rule)
    return rule


def _figure(document: Document, place: Place, name: str, site: _Site) -> object:
    figures = _tables(document, "figures")
    if name not in figures:
        meant = nearest(name, figures)
        mend = f'write "{meant}"' if meant else f"figures here: {listed(figures)}"
        document.refuse(place, f'figure "{name}" does not exist', mend)
        return None
    return site.figures[name].value if name in site.figures else figures[name].get("default")


def _check_stages(document: Document, place: Place, rule: LimitRule | BudgetRule | None) -> None:
    known = _tables(document, "stages")
    for index, stage in enumerate(rule.stages if rule else ()):
        if stage not in known:
            meant = nearest(stage, known)
            mend = f'write "{meant}"' if meant else f"stages here: {listed(known)}"
            document.refuse((*place, "stages", index), f'stage "{stage}" does not exist', mend)


def _check_approval(
    document: Document,
    head: ProfileHead,
    rules: Mapping[str, LimitRule | BudgetRule],
) -> None:
    if head.status != "approved":
        return
    if not head.approved_by:
        document.refuse(
            ("approved_by",),
            "is missing in an approved profile",
            'write who approved it, or status = "unapproved"',
        )
    for name, rule in rules.items():
        if not rule.approved_by:
            document.refuse(
                ("rules", name, "approved_by"),
                "is missing in an approved profile",
                'write who approved it, or status = "unapproved"',
            )


def _plan(
    head: ProfileHead,
    rules: Mapping[str, LimitRule | BudgetRule],
    given: Mapping[str, SiteFigure],
    document: Document,
) -> ProfilePlan:
    compiled = {name: _rule(name, rule, _cited(head, name, rule, given)) for name, rule in rules.items()}
    stages = tuple(
        StagePlan(
            name=stage,
            title=head.stages[stage].title,
            rules=tuple(
                compiled[name] for name, rule in rules.items() if not rule.stages or stage in rule.stages
            ),
        )
        for stage in head.stages
    )
    return ProfilePlan(
        id=head.id,
        version=head.version,
        approved=head.status == "approved",
        stages=stages,
        sha256=document.sha256,
        title=head.title,
    )


def _cited(
    head: ProfileHead, name: str, rule: LimitRule | BudgetRule, given: Mapping[str, SiteFigure]
) -> Cited:
    """The rule's source, its hold's, and that of each figure in it."""
    said = [rule.source]
    if isinstance(rule, LimitRule) and rule.hold_source:
        said.append(f"hold: {rule.hold_source}")
    for key, value in head.rules[name].items():
        if isinstance(value, dict) and (figure := str(value.get("figure", ""))) in head.figures:
            if figure in given:
                site = given[figure]
                said.append(f"{key} {site.value}: {site.source}, approved by {site.approved_by}")
            else:
                said.append(f"{key} {head.figures[figure].default}: {head.figures[figure].source}")
    return Cited(source="; ".join(said), confidence=rule.confidence, approved_by=rule.approved_by)


def _rule(name: str, rule: LimitRule | BudgetRule, cited: Cited) -> Rule:
    if isinstance(rule, LimitRule):
        return Limit(
            id=name,
            role=rule.role,
            side=Side(rule.side),
            limit=rule.value.quanta,
            hold_ms=rule.hold,
            priority=Priority(rule.priority),
            cited=cited,
            title=rule.title,
            outside=Outside(rule.outside),
            fires=rule.fires_or_default,
            crossing=Crossing(rule.crossing),
            deadband=_quanta(rule.deadband),
            off_delay_ms=rule.off_delay,
            latched=rule.latched,
            re_alarm_ms=rule.re_alarm,
            advice=rule.advice,
        )
    return Budget(
        id=name,
        role=rule.role,
        side=Side(rule.side),
        limit=rule.value.quanta,
        allowance_ms=rule.allowance,
        priority=Priority(rule.priority),
        cited=cited,
        title=rule.title,
        outside=Outside(rule.outside),
        exceeded=Outside(rule.exceeded),
        fires=rule.fires_or_default,
        crossing=Crossing(rule.crossing),
        charge_unmonitored=rule.charge_unmonitored,
        latched=rule.latched,
        re_alarm_ms=rule.re_alarm,
        advice=rule.advice,
    )


def _quanta(amount: Amount | None) -> int:
    return amount.quanta if amount else 0
