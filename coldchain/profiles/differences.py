"""What differs between two profiles, rule by rule, and which way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from coldchain.config.amounts import duration_text
from coldchain.config.composed import figure_in, tables
from coldchain.config.overriding import overrides
from coldchain.config.profile_file import Profile, Waiting
from coldchain.config.rule_changes import Change, Way, changes, is_text
from coldchain.config.rule_tables import RuleTable, kinds
from coldchain.config.work_changes import work_changes
from coldchain.config.work_tables import ProfileWorkTable


class Verdict(StrEnum):
    """What became of a rule."""

    WIDER = "wider"
    NARROWER = "narrower"
    BOTH = "wider and narrower"
    TEXT = "said otherwise"
    NEW = "new"
    GONE = "gone"


@dataclass(frozen=True)
class RuleDifference:
    """One rule that differs. `brief`: what it judges, before if it is gone."""

    rule: str
    verdict: Verdict
    brief: str
    changes: tuple[Change, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Difference:
    """Two profiles. `widens`: something may happen under the second that the first would have told."""

    before: str
    after: str
    head: tuple[Change, ...]
    stages_gone: tuple[str, ...]
    stages_new: tuple[str, ...]
    rules: tuple[RuleDifference, ...]

    @property
    def same(self) -> bool:
        """Whether nothing differs but the words."""
        return not self.rules and not self.stages_gone and not self.stages_new

    @property
    def widens(self) -> bool:
        """Whether any rule is wider, or gone."""
        return any(rule.verdict in {Verdict.WIDER, Verdict.BOTH, Verdict.GONE} for rule in self.rules)


_HEAD = ("version", "status", "approved_by", "title", "product_state", "extends", "extends_version")


def compare(before: Profile, after: Profile) -> Difference:
    """What differs from one profile to another; rules are known by their names."""
    head = tuple(
        Change(key, str(old or "none"), str(new or "none"), Way.TEXT)
        for key in _HEAD
        if (old := getattr(before.head, key)) != (new := getattr(after.head, key))
    )
    names = dict.fromkeys([*before.rules, *before.waiting, *after.rules, *after.waiting])
    found = [difference for name in names if (difference := _rule(name, before, after)) is not None]
    found += _works(before.head.works, after.head.works)
    return Difference(
        named(before),
        named(after),
        head,
        tuple(stage for stage in before.head.stages if stage not in after.head.stages),
        tuple(stage for stage in after.head.stages if stage not in before.head.stages),
        tuple(found),
    )


def from_bases(profile: Profile) -> tuple[RuleDifference, ...]:
    """What a profile changed of those that it builds on, and what it adds; nothing if it builds on none."""
    document = profile.document
    if not document.bases:
        return ()
    bases = {name: base.rules for name, base in profile.bases.items()}
    found = [
        RuleDifference(
            name, verdict_of(what), profile.rules[name].brief(), what, _reason(profile, name, what)
        )
        for name, what in overrides(document, profile.rules, bases)
    ]
    for name, removal in document.removed.items():
        if removal.parent is not None:
            base, theirs = removal.parent
            rule = bases[str(base.data["id"])].get(theirs)
            brief = rule.brief() if rule is not None else theirs
            found.append(RuleDifference(name, Verdict.GONE, brief, reason=removal.reason))
    found += [
        RuleDifference(name, Verdict.NEW, rule.brief())
        for name, rule in profile.rules.items()
        if name not in document.parents
    ]
    extended = profile.bases.get(profile.head.extends or "")
    found += _works(extended.head.works if extended is not None else {}, _own_works(profile))
    return tuple(found)


def _own_works(profile: Profile) -> dict[str, ProfileWorkTable]:
    """The works of a profile, without those that came with a set and are as they were there."""
    own = tables(profile.document.own, "works")
    extended = profile.bases.get(profile.head.extends or "")
    theirs = extended.head.works if extended is not None else {}
    return {name: work for name, work in profile.head.works.items() if name in own or name in theirs}


def _works(
    before: Mapping[str, ProfileWorkTable], after: Mapping[str, ProfileWorkTable]
) -> Iterator[RuleDifference]:
    """Kinds of work that differ. One that is new hides alarms that were heard before: it is wider."""
    for name in dict.fromkeys([*before, *after]):
        old, new = before.get(name), after.get(name)
        if new is None:
            assert old is not None
            what: tuple[Change, ...] = (Change("hides", ", ".join(old.hides), "none", Way.NARROWER),)
            yield RuleDifference(f"work {name}", Verdict.NARROWER, "hides nothing any more", what)
            continue
        if old is None:
            what = (Change("hides", "none", ", ".join(new.hides), Way.WIDER),)
        else:
            what = work_changes(old, new)
        if what:
            brief = f"hides {', '.join(new.hides)} for {duration_text(new.longest)} at most"
            yield RuleDifference(f"work {name}", verdict_of(what), brief, what, new.reason)


def named(profile: Profile) -> str:
    """A profile with its version."""
    return f"{profile.head.id} version {profile.head.version}"


def verdict_of(what: Iterable[Change]) -> Verdict:
    """Which way a rule went. What cannot be compared counts as wider."""
    ways = {change.way for change in what}
    wider, narrower = bool(ways & {Way.WIDER, Way.OTHER}), Way.NARROWER in ways
    if wider and narrower:
        return Verdict.BOTH
    return Verdict.WIDER if wider else Verdict.NARROWER if narrower else Verdict.TEXT


def brief_of(rule: RuleTable | Waiting) -> str:
    """What a rule judges, or which figures it waits for."""
    if isinstance(rule, RuleTable):
        return rule.brief()
    return f"{rule.kind}, once the site gives {', '.join(rule.figures)}"


def _rule(name: str, before: Profile, after: Profile) -> RuleDifference | None:
    old: RuleTable | Waiting | None = before.rules.get(name) or before.waiting.get(name)
    new: RuleTable | Waiting | None = after.rules.get(name) or after.waiting.get(name)
    if new is None:
        assert old is not None
        removal = after.document.removed.get(name)
        return RuleDifference(name, Verdict.GONE, brief_of(old), reason=removal.reason if removal else "")
    if old is None:
        return RuleDifference(name, Verdict.NEW, brief_of(new))
    if isinstance(old, RuleTable) and isinstance(new, RuleTable):
        what = changes(old, new, *_stages(name, before, after))
    else:
        what = _as_written(before.head.rules[name], after.head.rules[name], new)
    if not what:
        return None
    return RuleDifference(name, verdict_of(what), brief_of(new), what, _reason(after, name, what))


def _stages(name: str, before: Profile, after: Profile) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The stages in which it held and holds; those that only one profile has are said apart."""
    held, holds = before.holds_in(name), after.holds_in(name)
    both = set(before.head.stages) & set(after.head.stages)
    if not both:
        return (), ()
    return tuple(s for s in held if s in both), tuple(s for s in holds if s in both)


def _as_written(old: dict[str, Any], new: dict[str, Any], rule: RuleTable | Waiting) -> tuple[Change, ...]:
    """What differs in two tables of which one waits for a figure, so that nobody can say which is wider."""
    kind = rule.kind if isinstance(rule, Waiting) else str(new.get("kind", "limit"))
    keys = [key for key in kinds()[kind].model_fields if key in old or key in new]
    return tuple(
        Change(key, _shown(old.get(key)), _shown(new.get(key)), Way.TEXT if is_text(key) else Way.OTHER)
        for key in keys
        if old.get(key) != new.get(key)
    )


def _shown(value: object) -> str:
    figure = figure_in(value)
    if figure is not None:
        return f"figure {figure}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _reason(profile: Profile, name: str, what: Iterable[Change]) -> str:
    if name in profile.rules and profile.rules[name].reason:
        return profile.rules[name].reason
    for change in what:
        figure = figure_in(profile.head.rules[name].get(change.key))
        if figure is not None and profile.head.figures[figure].reason:
            return profile.head.figures[figure].reason
    return ""
