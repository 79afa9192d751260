"""The rule sets that a stage chooses: the rules of a stage of another profile, behind a prefix."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from coldchain.config.composed import Composed, figures_in, place_beside, tables, with_figures
from coldchain.config.positions import Place
from coldchain.config.problems import listed


def choose(composed: Composed, stage: str, place: Place, chosen: dict[str, Any], base: Composed) -> None:
    """Take the rules of a stage of another profile, with their figures, needs, works and answers.

    place: where the set is chosen; chosen: its table, whose `profile` is `base`.
    """
    theirs = tables(base, "stages")
    only = next(iter(theirs)) if len(theirs) == 1 else None
    which, prefix = chosen.get("stage", only), chosen.get("prefix", stage)
    if not isinstance(which, str | None) or not isinstance(prefix, str):
        return  # the model of the table says so
    if which not in theirs:
        what = f'has no stage "{which}"' if which is not None else "has several stages"
        mend = f"write stage, one of {listed(theirs)}"
        composed.refuse((*place, "stage"), f"{chosen['profile']} {what}", mend)
        return
    for table in ("rules", "figures", "needs", "works"):
        if not isinstance(composed.data.setdefault(table, {}), dict):
            return  # the model of the whole says so
    _Set(composed, base, stage, which, prefix, place).take()


@dataclass
class _Set:
    """One set on its way: from a stage of a base to a stage of the profile."""

    composed: Composed
    base: Composed
    stage: str
    theirs: str
    prefix: str
    place: Place
    figures: set[str] = field(default_factory=set)

    def take(self) -> None:
        """Take everything over, under names of its own."""
        rules = [name for name, rule in tables(self.base, "rules").items() if holds_in(rule, self.theirs)]
        for name in rules:
            if self._named(name) in self.composed.parents:
                what = f'brings a second rule "{self._named(name)}"'
                mend = "write prefix, another name before those of its rules"
                self.composed.refuse(self.place, what, mend)
                return
            self._take_rule(name)
        for name, need in tables(self.base, "needs").items():
            if holds_in(need, self.theirs):
                self._put("needs", name, {**deepcopy(need), "stages": [self.stage]})
        for name, work in tables(self.base, "works").items():
            self._take_work(name, work, rules)
        known = tables(self.base, "figures")
        for figure in sorted(self.figures & known.keys()):
            self._put("figures", figure, deepcopy(known[figure]))
        names = {name: self._named(name) for name in rules}
        accept(self.composed, self.base, names, self.stage, self.theirs)

    def _named(self, name: str) -> str:
        return f"{self.prefix}-{name}"

    def _put(self, table: str, name: str, content: dict[str, Any]) -> None:
        place_beside(self.composed, (table, self._named(name)), content, self.base, (table, name))

    def _take_rule(self, name: str) -> None:
        copy = self._with_figures(tables(self.base, "rules")[name])
        copy["stages"] = [self.stage]
        if copy.get("since") == self.theirs:  # an age counts since a stage: theirs is ours here
            copy["since"] = self.stage
        self.composed.parents[self._named(name)] = (self.base, name)
        self._put("rules", name, copy)
        self.composed.came_from(("rules", self._named(name), "stages"), self.composed.own, self.place)

    def _take_work(self, name: str, work: dict[str, Any], rules: list[str]) -> None:
        hidden = work.get("hides")
        hides = [self._named(rule) for rule in hidden if rule in rules] if isinstance(hidden, list) else []
        if hides:
            self._put("works", name, {**self._with_figures(work), "hides": hides})

    def _with_figures(self, table: dict[str, Any]) -> dict[str, Any]:
        """A copy that names its figures by their names here."""
        self.figures |= {figure for _, figure in figures_in(table)}
        return with_figures(table, lambda figure: {"figure": self._named(figure)})


def holds_in(table: dict[str, Any], stage: str) -> bool:
    """Whether a rule or need holds in a stage; one that names no stage holds in all."""
    stages = table.get("stages")
    return not isinstance(stages, list) or not stages or stage in stages


def accept(
    composed: Composed, base: Composed, names: dict[str, str], stage: str = "", theirs: str = ""
) -> None:
    """Take over what a profile has answered to doubts; of a set: as far as it is about that set."""
    own, inherited = composed.data.setdefault("accepted", []), base.data.get("accepted", [])
    if not isinstance(own, list) or not isinstance(inherited, list):
        return  # the model of the whole says so
    for index, accepted in enumerate(inherited):
        if not isinstance(accepted, dict) or (stage and not holds_in(accepted, theirs)):
            continue
        copy, rules = deepcopy(accepted), accepted.get("rules")
        if stage:
            copy["stages"] = [stage]
            if isinstance(rules, list):
                copy["rules"] = [names.get(rule, rule) for rule in rules if isinstance(rule, str)]
        composed.came_from(("accepted", len(own)), *base.where(("accepted", index)))
        own.append(copy)
