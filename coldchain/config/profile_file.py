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

from coldchain.config.document import Document
from coldchain.config.fields import Name, Table, Text, said
from coldchain.config.positions import Place
from coldchain.config.problems import Problem, dotted, listed, nearest
from coldchain.config.rule_tables import RULES, RuleTable
from coldchain.config.settings import SiteFigure
from coldchain.plan import Cited, ProfilePlan, StagePlan

#: Makes a problem of a figure's name, what is wrong with its value, and the mend.
WhereFigures = Callable[[str, str, str], Problem]


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
    rules: dict[str, RuleTable]
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


def _read_rule(document: Document, name: str, written: dict[str, Any], site: _Site) -> RuleTable | None:
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


def _check_stages(document: Document, place: Place, rule: RuleTable | None) -> None:
    known = _tables(document, "stages")
    for index, stage in enumerate(rule.stages if rule else ()):
        if stage not in known:
            meant = nearest(stage, known)
            mend = f'write "{meant}"' if meant else f"stages here: {listed(known)}"
            document.refuse((*place, "stages", index), f'stage "{stage}" does not exist', mend)


def _check_approval(
    document: Document,
    head: ProfileHead,
    rules: Mapping[str, RuleTable],
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
    rules: Mapping[str, RuleTable],
    given: Mapping[str, SiteFigure],
    document: Document,
) -> ProfilePlan:
    compiled = {name: rule.compile(name, _cited(head, name, rule, given)) for name, rule in rules.items()}
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


def _cited(head: ProfileHead, name: str, rule: RuleTable, given: Mapping[str, SiteFigure]) -> Cited:
    """The rule's source, those of its parameters, and that of each figure in it."""
    said = [rule.source, *(f"{key}: {source}" for key, source in rule.sources().items())]
    for key, value in head.rules[name].items():
        if isinstance(value, dict) and (figure := str(value.get("figure", ""))) in head.figures:
            if figure in given:
                site = given[figure]
                said.append(f"{key} {site.value}: {site.source}, approved by {site.approved_by}")
            else:
                said.append(f"{key} {head.figures[figure].default}: {head.figures[figure].source}")
    return Cited(source="; ".join(said), confidence=rule.confidence, approved_by=rule.approved_by)
