"""A limit profile as read: its tables, its rules with figures in place, and what they mean to the fold.

A limit is data with a source: a rule without one is refused, and a delay above zero needs one of its own,
even if it is "our judgement". A site may put its own number where the profile has a figure for it; then the
limit carries the site's source. What a profile builds on is put together by `coldchain.config.composing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from coldchain.config.composed import Composed, figures_in, tables, with_figures
from coldchain.config.composing import compose
from coldchain.config.document import Document
from coldchain.config.library import Shelf
from coldchain.config.overriding import check_overrides
from coldchain.config.positions import Place
from coldchain.config.problems import Problem, listed, nearest
from coldchain.config.profile_tables import ProfileHead
from coldchain.config.rule_tables import RuleTable, kinds, plugged
from coldchain.config.settings import SiteFigure
from coldchain.plan import Cited, ProfilePlan, StagePlan

#: Makes a problem of a figure's name, what is wrong with its value, and the mend.
WhereFigures = Callable[[str, str, str], Problem]


@dataclass(frozen=True)
class Waiting:
    """A rule as written, that judges nothing until the site has given its figures."""

    kind: str
    table: Mapping[str, Any]
    figures: tuple[str, ...]
    stages: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """A profile as read: its head, its rules by id (figures in place), and its plan.

    waiting: the rules without which it was read, because the site has not given their figures.
    waiting_works: its works, likewise.
    bases:   the profiles that it builds on, as they are by themselves.
    """

    head: ProfileHead
    rules: dict[str, RuleTable]
    plan: ProfilePlan
    document: Composed = field(repr=False)
    waiting: dict[str, Waiting] = field(default_factory=dict)
    waiting_works: dict[str, Waiting] = field(default_factory=dict)
    bases: dict[str, Profile] = field(default_factory=dict)

    def holds_in(self, rule: str) -> tuple[str, ...]:
        """The stages in which a rule holds, or will once the site has given its figures."""
        named = self.rules[rule].stages if rule in self.rules else self.waiting[rule].stages
        return named or tuple(self.head.stages)


def missing_figures(document: Document, given: Mapping[str, SiteFigure]) -> dict[str, str]:
    """The figures that the site must give and has not: name and title."""
    return {
        name: str(table.get("title", name))
        for name, table in tables(document, "figures").items()
        if "default" not in table and name not in given
    }


def open_profile(document: Document, shelf: Shelf | None = None) -> Composed:
    """A profile's document with what it builds on; raises ConfigError if a file of that cannot be read.

    shelf: where what it builds on is found; None: among those that came with the program.
    """
    return compose(document, Shelf.of() if shelf is None else shelf)


def read_profile(
    document: Document,
    given: Mapping[str, SiteFigure] | None = None,
    at: WhereFigures | None = None,
    *,
    complete: bool = True,
) -> Profile:
    """The profile in a document, with the site's figures in place; raises ConfigError with all that is wrong.

    at: makes a problem out of a figure's name, what is wrong with its value, and the mend. With it the caller
    has already said which figures are missing (`missing_figures`), and gets a profile without their rules.
    complete: a figure that the site must give and has not is a problem; otherwise its rules are `waiting`.
    """
    composed = document if isinstance(document, Composed) else open_profile(document)
    if composed.lacks:
        composed.raise_problems()
    bases = {name: read_profile(base, complete=False) for name, base in composed.bases.items()}
    reading = _Reading(composed, given or {}, at)
    works, waiting_works = reading.works()
    head = composed.validate(ProfileHead, {**composed.data, "works": works})
    if complete and at is None:
        for name, title in missing_figures(composed, reading.given).items():
            mend = f"write [profiles.figures.{composed.data.get('id', 'ID')}.{name}]"
            composed.refuse(("figures", name), f"the site must give this figure ({title})", mend)
    rules, waiting = {}, {}
    for name, table in tables(composed, "rules").items():
        read = reading.rule(name, table)
        if isinstance(read, Waiting):
            waiting[name] = read
        elif read is not None:
            rules[name] = read
    if head is not None:
        _check_needs(composed, head)
        _check_works(composed, head)
        _check_approval(composed, head, rules)
        check_overrides(composed, rules, {name: base.rules for name, base in bases.items()}, reading.given)
    composed.raise_problems()
    assert head is not None  # else a problem was raised
    plan = _plan(head, rules, reading.given, composed)
    return Profile(head, rules, plan, composed, waiting, waiting_works, bases)


def _unknown_kind(kind: str, known: Iterable[str]) -> tuple[str, str]:
    """What is wrong with a kind that nobody brings, and the mend."""
    broken = plugged.found().broken.get(kind)
    if broken is not None:
        what, _, mend = broken.rpartition("; ")
        return f'"{kind}" cannot be used: {what}', mend
    meant = nearest(kind, known)
    mend = f'write "{meant}"' if meant else 'install the package that brings it, or write "limit"'
    return f'"{kind}" is no kind of rule', mend


@dataclass(frozen=True)
class _Placed:
    """A table with figures in place. given: the places whose value is the site's, and the figure's name."""

    table: dict[str, Any]
    missing: tuple[str, ...]
    given: dict[str, str]


@dataclass(frozen=True)
class _Reading:
    """One document, the site's figures, and who can say where those stand."""

    document: Composed
    given: Mapping[str, SiteFigure]
    at: WhereFigures | None

    def rule(self, name: str, written: dict[str, Any]) -> RuleTable | Waiting | None:
        """A rule with its figures in place; waiting for those that are missing; None if it is wrong."""
        document, place = self.document, ("rules", name)
        kind = str(written.get("kind", "limit"))
        known = kinds()
        if kind not in known:
            document.refuse((*place, "kind"), *_unknown_kind(kind, known))
            return None
        placed = self._place_figures(place, written)
        if placed is None:
            return None
        if placed.missing:
            stages = written.get("stages")
            named = tuple(map(str, stages)) if isinstance(stages, list) else ()
            return Waiting(kind, written, placed.missing, named)
        before = len(document.problems)
        rule = document.validate(known[kind], placed.table, place)
        for index, problem in enumerate(document.problems[before:], before):
            if self.at is not None and problem.place in placed.given:
                document.problems[index] = self.at(placed.given[problem.place], problem.what, problem.mend)
        if rule is not None:
            _check_stages(document, place, rule.stages)
            for where, stage in rule.other_stages().items():
                _check_stage(document, (*place, *where), stage)
        return rule

    def works(self) -> tuple[Any, dict[str, Waiting]]:
        """The works as written, figures in place; and those that wait for theirs."""
        written = self.document.data.get("works", {})
        if not isinstance(written, dict):
            return written, {}  # the model of the whole says so
        whole, waiting = dict(written), {}
        for name, table in tables(self.document, "works").items():
            placed = self._place_figures(("works", name), table)
            if placed is not None and not placed.missing:
                whole[name] = placed.table
                continue
            del whole[name]
            if placed is not None:
                waiting[name] = Waiting("work", table, placed.missing, ())
        return whole, waiting

    def _place_figures(self, place: Place, written: dict[str, Any]) -> _Placed | None:
        """A table with its figures in place; None if it names one that does not exist."""
        known = tables(self.document, "figures")
        missing, given = [], {}
        for there, figure in figures_in(written):
            if figure not in known:
                self._no_such_figure((*place, *there), figure)
                return None
            if figure in self.given:
                given[self.document.problem((*place, *there), "", "").place] = figure
            elif known[figure].get("default") is None:
                missing.append(figure)

        def number(figure: str) -> object:
            return self.given[figure].value if figure in self.given else known[figure].get("default")

        return _Placed(with_figures(written, number), tuple(missing), given)

    def _no_such_figure(self, place: Place, figure: str) -> None:
        known = tables(self.document, "figures")
        meant = nearest(figure, known)
        mend = f'write "{meant}"' if meant else f"figures here: {listed(known)}"
        self.document.refuse(place, f'figure "{figure}" does not exist', mend)


def _check_stages(document: Document, place: Place, stages: tuple[str, ...]) -> None:
    for index, stage in enumerate(stages):
        _check_stage(document, (*place, "stages", index), stage)


def _check_stage(document: Document, place: Place, stage: str) -> None:
    known = tables(document, "stages")
    if stage not in known:
        meant = nearest(stage, known)
        mend = f'write "{meant}"' if meant else f"stages here: {listed(known)}"
        document.refuse(place, f'stage "{stage}" does not exist', mend)


def _check_needs(document: Document, head: ProfileHead) -> None:
    for name, need in head.needs.items():
        _check_stages(document, ("needs", name), need.stages)


def _check_works(document: Document, head: ProfileHead) -> None:
    known = tables(document, "rules")
    for name, work in head.works.items():
        for index, rule in enumerate(work.hides):
            if rule not in known:
                meant = nearest(rule, known)
                mend = f'write "{meant}"' if meant else f"rules here: {listed(known)}"
                document.refuse(("works", name, "hides", index), f'rule "{rule}" does not exist', mend)


def _check_approval(document: Composed, head: ProfileHead, rules: Mapping[str, RuleTable]) -> None:
    """An approval is of this file: what it has of another must be approved in it too, or in the other."""
    if head.status != "approved":
        return
    places: list[Place] = [] if head.approved_by else [("approved_by",)]
    places += [("rules", name, "approved_by") for name, rule in rules.items() if not rule.approved_by]
    for place in places:
        document.problems.append(
            document.own.problem(
                place,
                "is missing in an approved profile",
                'write who approved it, or status = "unapproved"',
            )
        )


def _plan(
    head: ProfileHead, rules: Mapping[str, RuleTable], given: Mapping[str, SiteFigure], document: Composed
) -> ProfilePlan:
    written = head.rules
    compiled = {
        name: rule.compile(name, _cited(head, written[name], rule, given)) for name, rule in rules.items()
    }
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
    works = []
    for name, work in head.works.items():
        figures = _of_figures(head, tables(document, "works")[name], given)
        plan = work.compile(name)
        cited = replace(plan.cited, source="; ".join((plan.cited.source, *figures)))
        works.append(replace(plan, cited=cited))
    return ProfilePlan(
        id=head.id,
        version=head.version,
        approved=head.status == "approved",
        stages=stages,
        sha256=document.hash(),
        title=head.title,
        works=tuple(works),
    )


def _cited(
    head: ProfileHead, written: Mapping[str, Any], rule: RuleTable, given: Mapping[str, SiteFigure]
) -> Cited:
    """The rule's source, those of its parameters, and that of each figure in it."""
    said = [rule.source, *(f"{key}: {source}" for key, source in rule.sources().items())]
    said += _of_figures(head, written, given)
    return Cited(source="; ".join(said), confidence=rule.confidence, approved_by=rule.approved_by)


def _of_figures(
    head: ProfileHead, written: Mapping[str, Any], given: Mapping[str, SiteFigure]
) -> Iterator[str]:
    """Where each figure in a table comes from: from the site, with who approved it, or from the file."""
    for place, figure in figures_in(written):
        key = " ".join(map(str, place))
        if figure in given:
            site = given[figure]
            yield f"{key} {site.value}: {site.source}, approved by {site.approved_by}"
        else:
            yield f"{key} {head.figures[figure].default}: {head.figures[figure].source}"
