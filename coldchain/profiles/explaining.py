"""A profile in plain sentences, with every number, unit and source: what somebody in QA reads and signs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from coldchain.config.amounts import duration_text
from coldchain.config.composed import figure_in, figures_in, tables
from coldchain.config.profile_file import Profile, Waiting
from coldchain.config.profile_tables import Need
from coldchain.config.rule_changes import Way, is_text, written
from coldchain.config.rule_tables.base import SOURCE_SUFFIX
from coldchain.config.settings import SiteFigure
from coldchain.config.work_tables import ProfileWorkTable
from coldchain.profiles.differences import RuleDifference, Verdict, from_bases

#: What a rule says that has a line of its own, or is judged elsewhere.
_TOLD_APART = {"kind", "stages", "priority", "role"}

#: Keys that are no nouns, as a sentence calls them.
_CALLED = {
    "max": "longest time",
    "within": "time within which",
    "least": "least move",
    "hold_less": "reserve of the hold",
    "percent": "percentage",
    "unchanged": "time unchanged",
    "apart": "distance",
}


@dataclass(frozen=True)
class Told:
    """A rule, a figure or a need in sentences: `sentences`, and from where it has its numbers."""

    name: str
    title: str
    sentences: tuple[str, ...]
    sources: tuple[str, ...]


@dataclass(frozen=True)
class Explanation:
    """A whole profile in sentences."""

    title: str
    head: tuple[str, ...]
    stages: dict[str, tuple[str, tuple[Told, ...]]]
    needs: tuple[Told, ...]
    works: tuple[Told, ...]
    figures: tuple[Told, ...]
    answers: tuple[str, ...]
    differences: tuple[str, ...]


def explain(profile: Profile, given: Mapping[str, SiteFigure] | None = None) -> Explanation:
    """A profile in sentences. given: the site's figures, as the profile was read with them."""
    given = given or {}
    return Explanation(
        title=f"{profile.head.id}, version {profile.head.version}: {profile.head.title}",
        head=tuple(_head(profile)),
        stages={
            stage: (
                about.title,
                tuple(
                    _rule(profile, name, given)
                    for name in (*profile.rules, *profile.waiting)
                    if stage in profile.holds_in(name)
                ),
            )
            for stage, about in profile.head.stages.items()
        },
        needs=tuple(_need(name, need) for name, need in profile.head.needs.items()),
        works=(
            *(_work(profile, name, work, given) for name, work in profile.head.works.items()),
            *(_waiting(profile, name, work) for name, work in profile.waiting_works.items()),
        ),
        figures=tuple(_figure(profile, name, given) for name in profile.head.figures),
        answers=tuple(
            f"{each.doubt}{_where(each.stages, each.rules)}: {each.reason}"
            + (f" ({each.by})" if each.by else "")
            for each in profile.head.accepted
        ),
        differences=tuple(difference_lines(from_bases(profile))),
    )


def _where(stages: tuple[str, ...], rules: tuple[str, ...]) -> str:
    parts = [f"in {', '.join(stages)}"] if stages else []
    parts += [f"for {', '.join(rules)}"] if rules else []
    return f" {' '.join(parts)}" if parts else ""


def _head(profile: Profile) -> Iterator[str]:
    head = profile.head
    if profile.plan.approved:
        yield f"Approved by {head.approved_by}."
    else:
        yield "NOT APPROVED: nobody has approved these limits. They are a start, not validated figures."
    yield f"It is for a product that is: {head.product_state}."
    for name, base in profile.bases.items():
        how = "It has all of" if head.extends == name else "It has rules of"
        yield f"{how} {name} version {base.head.version}."
    if head.guideline:
        yield (
            f"Guideline: {head.guideline}, page {head.guideline_page}."
            if head.guideline_page
            else f"Guideline: {head.guideline}. No number in here is known to be from it."
        )
    if head.notes:
        yield " ".join(head.notes.split())
    yield f"SHA-256 {profile.plan.sha256}."


def _rule(profile: Profile, name: str, given: Mapping[str, SiteFigure]) -> Told:
    rule = profile.rules.get(name)
    if rule is None:
        return _waiting(profile, name, profile.waiting[name])
    sentences = [*rule.sentences()]
    if rule.advice:
        sentences.append(f"What to do: {rule.advice}")
    sources = [f"Source: {rule.source}. Confidence: {rule.confidence}."]
    for key, source in rule.sources().items():
        known = key in type(rule).model_fields  # "settle" stands for two numbers
        value = f" of {written(type(rule), key, getattr(rule, key))}" if known else ""
        sources.append(f"Source of the {_words(key)}{value}: {source}.")
    for key, figure in _figures(profile.head.rules[name]):
        sources.append(f"The {_words(key)} is the figure {figure}{_from(profile, figure, given)}.")
    sources.append(f"Approved by {rule.approved_by}." if rule.approved_by else "Approved by nobody.")
    if rule.version:
        sources.append(f"Since version {rule.version}.")
    if rule.reason:
        sources.append(f"Why it is wider than before: {rule.reason}.")
    return Told(name, rule.title or rule.brief(), tuple(sentences), tuple(sources))


def _waiting(profile: Profile, name: str, rule: Waiting) -> Told:
    table = rule.table
    figures = " and ".join(f"{figure} ({profile.head.figures[figure].title})" for figure in rule.figures)
    nothing = "IT HIDES NOTHING" if rule.kind == "work" else "IT JUDGES NOTHING"
    said = [f"{nothing} until the site gives {figures}."]
    stated = [
        f"{_words(key)} {_shown(value)}"
        for key, value in table.items()
        if key not in _TOLD_APART and not is_text(key) and key != "hides"
    ]
    role = f" of {table['role']}" if "role" in table else ""
    then = f"Then it is a rule of the kind {rule.kind}{role}, with a {table.get('priority')} alarm"
    if rule.kind == "work":
        then = f"Then it hides the alarms of {_shown(table.get('hides'))} while it goes on"
    said.append(then + (f"; {'; '.join(stated)}." if stated else "."))
    if table.get("advice"):
        said.append(f"What to do: {table['advice']}")
    sources = [f"Source: {table.get('source')}. Confidence: {table.get('confidence')}."]
    sources += [
        f"Source of the {_words(key.removesuffix(SOURCE_SUFFIX))}: {text}."
        for key, text in table.items()
        if key.endswith(SOURCE_SUFFIX) and text
    ]
    for key, figure in _figures(table):
        sources.append(f"The {_words(key)} is the figure {figure}{_from(profile, figure, {})}.")
    return Told(name, str(table.get("title") or name), tuple(said), tuple(sources))


def _figures(table: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for place, figure in figures_in(table):
        yield " ".join(map(str, place)), figure


def _from(profile: Profile, figure: str, given: Mapping[str, SiteFigure]) -> str:
    if figure in given:
        site = given[figure]
        return f", which the site gives: {site.value} ({site.source}; approved by {site.approved_by})"
    default = profile.head.figures[figure].default
    return (
        f", {default} unless the site gives another" if default is not None else ", which the site must give"
    )


def _figure(profile: Profile, name: str, given: Mapping[str, SiteFigure]) -> Told:
    figure = profile.head.figures[name]
    says = f"{figure.title}{_from(profile, name, given)}."
    sources = (f"Source: {figure.source}.",) if figure.source else ()
    reason = (f"Why it is wider than before: {figure.reason}.",) if figure.reason else ()
    return Told(name, figure.title, (says,), (*sources, *reason))


def _need(name: str, need: Need) -> Told:
    said = []
    if need.probe:
        said.append(f"The probe of {need.role} is {' or '.join(need.probe)}.")
    if need.interval is not None:
        said.append(f"{need.role} is measured at least every {duration_text(need.interval)}.")
    if need.uncertainty is not None:
        said.append(
            f"The probe of {need.role} is calibrated, and uncertain by {need.uncertainty.text} at most."
        )
    if need.stages:
        said.append(f"This holds in {', '.join(need.stages)}.")
    return Told(name, name, tuple(said), (f"Source: {need.source}. Confidence: {need.confidence}.",))


def _work(profile: Profile, name: str, work: ProfileWorkTable, given: Mapping[str, SiteFigure]) -> Told:
    sources = [f"Source: {work.source}. Confidence: {work.confidence}."]
    for key, figure in _figures(tables(profile.document, "works")[name]):
        sources.append(f"The {_words(key)} is the figure {figure}{_from(profile, figure, given)}.")
    if work.reason:
        sources.append(f"Why it is wider than before: {work.reason}.")
    return Told(
        name, work.title or name, (*work.sentences(), f"What to do then: {work.advice}"), tuple(sources)
    )


def _words(key: str) -> str:
    return _CALLED.get(key, key.replace("_", " "))


def _shown(value: object) -> str:
    figure = figure_in(value)
    if figure is not None:
        return f"to be given ({figure})"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{_words(key)} {_shown(inner)}" for key, inner in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def difference_lines(found: Iterable[RuleDifference]) -> Iterator[str]:
    """Differences, one line a rule: what it is now, and what was changed."""
    for each in found:
        said = f"{each.rule}: {each.verdict.upper() if _loud(each.verdict) else each.verdict}, {each.brief}"
        told = [
            f"{_words(change.key)} {change.before} → {change.after}"
            + (" (cannot be compared)" if change.way is Way.OTHER else "")
            for change in each.changes
            if change.way is not Way.TEXT or each.verdict is Verdict.TEXT
        ]
        said += f" ({'; '.join(told)})" if told else ""
        yield said + (f". Reason: {each.reason}" if each.reason else "")


def _loud(verdict: Verdict) -> bool:
    return verdict in {Verdict.WIDER, Verdict.BOTH, Verdict.GONE}


def lines(told: Explanation) -> Iterator[str]:
    """An explanation as text, with room to sign at its end."""
    yield told.title
    yield from told.head
    before: dict[str, str] = {}  # rules told already, and in which stage
    for stage, (title, rules) in told.stages.items():
        yield from ("", f"Stage {stage}: {title}")
        if not rules:
            yield "  Nothing is judged in it."
        for number, rule in enumerate(rules, 1):
            heading = f"{number}. {rule.title} ({rule.name})"
            if rule.name in before:
                yield f"  {heading}: as in stage {before[rule.name]}"
            else:
                before[rule.name] = stage
                yield from _told(heading, rule)
    for heading, parts in (
        ("What the roles must be measured with", told.needs),
        ("Works that explain alarms", told.works),
        ("Figures of the site", told.figures),
    ):
        if parts:
            yield from ("", heading)
            for part in parts:
                yield from _told(part.name, part)
    for heading, texts in (
        ("Doubts that this profile answers", told.answers),
        ("What differs from the profiles that it builds on", told.differences),
    ):
        if texts:
            yield from ("", heading, *(f"  {text}" for text in texts))
    yield from ("", "Read and approved (name, date, meaning, signature): ________________________________")


def _told(heading: str, part: Told) -> Iterator[str]:
    yield f"  {heading}"
    yield from (f"     {sentence}" for sentence in (*part.sentences, *part.sources))
