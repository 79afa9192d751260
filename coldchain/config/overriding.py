"""What a profile may do to the rules of another that it builds on.

A number that it changes needs a source of its own: the old one does not say the new number. A rule that
becomes wider needs a reason; so does one that is taken away (`coldchain.config.composing`).
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from coldchain.config.composed import Composed, figure_in, tables
from coldchain.config.positions import Place
from coldchain.config.rule_changes import Change, changes, widens
from coldchain.config.rule_tables import RuleTable

#: The rules of each profile that is built on, by its id.
BaseRules = Mapping[str, Mapping[str, RuleTable]]


def check_overrides(
    document: Composed, rules: Mapping[str, RuleTable], bases: BaseRules, given: Container[str] = ()
) -> None:
    """Refuse what is changed without saying where it comes from, or widened without saying why.

    given: the figures that the site has given; those have a source of their own, and widen no profile.
    """
    for name, differing in overrides(document, rules, bases):
        table = tables(document, "rules")[name]
        found = [change for change in differing if figure_in(table.get(change.key)) not in given]
        base, theirs = document.parents[name]
        whose = f"{base.data.get('id')} ({theirs})"
        for change in found:
            _check_source(document, name, rules[name], change, whose)
        unsaid = [change for change in widens(found) if not _reason(document, name, rules[name], change)]
        if unsaid:
            change = unsaid[0]
            document.problems.append(
                document.own.problem(
                    _written_at(document, name, change.key),
                    f"is {change.after}, which is wider than {change.before} in {whose}",
                    "write reason, why that is right here",
                )
            )


def overrides(
    document: Composed, rules: Mapping[str, RuleTable], bases: BaseRules
) -> Iterator[tuple[str, tuple[Change, ...]]]:
    """Each rule that differs from the one it came from, and what differs."""
    for name, (base, theirs) in document.parents.items():
        # A rule that waited for a figure allowed nothing yet, so nothing can be wider than it.
        before = bases.get(str(base.data.get("id")), {}).get(theirs)
        if before is None or name not in rules:
            continue
        found = _changes(document, base, before, rules[name])
        if found:
            yield name, found


def _changes(document: Composed, base: Composed, before: RuleTable, rule: RuleTable) -> tuple[Change, ...]:
    """What differs. Stages count where the whole profile is extended: a set is chosen for one stage."""
    if document.own.data.get("extends") != base.data.get("id"):
        return changes(before, rule)
    theirs = set(tables(base, "stages"))
    held = set(before.stages) or theirs
    # A stage that the new profile adds changes nothing about those that were there.
    holds = (set(rule.stages) or set(tables(document, "stages"))) & theirs
    return changes(before, rule, tuple(sorted(held)), tuple(sorted(holds)))


def _figure(document: Composed, name: str, key: str) -> str | None:
    """The figure that this file gives another default, if a parameter is made of it."""
    figure = figure_in(tables(document, "rules")[name].get(key))
    return figure if figure in tables(document.own, "figures") else None


def _written_at(document: Composed, name: str, key: str) -> Place:
    figure = _figure(document, name, key)
    return ("rules", name, key) if figure is None else ("figures", figure, "default")


def _reason(document: Composed, name: str, rule: RuleTable, change: Change) -> str:
    figure = _figure(document, name, change.key)
    if figure is None:
        return rule.reason
    return str(tables(document.own, "figures")[figure].get("reason", "")) or rule.reason


def _check_source(document: Composed, name: str, rule: RuleTable, change: Change, whose: str) -> None:
    if change.key not in rule.numbers():
        return
    figure = _figure(document, name, change.key)
    if figure is not None:
        wanted, written = "source", tables(document.own, "figures")[figure]
    else:
        wanted = rule.source_key(change.key)
        written = tables(document.own, "rules").get(name, {})
    if wanted not in written:
        document.problems.append(
            document.own.problem(
                _written_at(document, name, change.key),
                f"is {change.after}, and its source still is that of {change.before} in {whose}",
                f"write {wanted}",
            )
        )
