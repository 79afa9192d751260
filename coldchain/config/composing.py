"""A profile's file put together with those it builds on.

A profile may build on others in two ways, both by id and version. It `extends` one: it has all of its stages,
rules and figures, under their names. And a stage of it may choose rule sets, `sets`: the rules of a stage of
another profile, under its own names behind a prefix. What it writes itself goes over that, key by key; a rule
is taken away only with a reason.

Put together are the tables as written, before anything is checked; each key remembers the file and place it
came from, so that a problem is reported where it stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from coldchain.config.document import Document
from coldchain.config.fields import NAME
from coldchain.config.library import Shelf
from coldchain.config.positions import Place
from coldchain.config.problems import Problem, listed, nearest

#: What a profile has of the one that it extends. Approval and notes are of one file alone.
_INHERITED = ("product_state", "guideline", "guideline_page")
_INHERITED_TABLES = ("stages", "figures", "needs", "rules", "works")

#: What may be written to an inherited rule without changing it: whoever approved it still has.
_LEAVES_AS_IT_IS = {"approved_by", "version", "title", "advice", "reason"}
#: What is said of a rule as it was, and no longer once it is changed.
_SAID_OF_THE_OLD = ("approved_by", "version", "reason")


class Composed(Document):
    """A profile's document with what it builds on in its tables.

    own:     the file itself.
    parents: for each rule that came from elsewhere: the document it came from, and its name there.
    removed: for each rule of theirs that was taken away: the same, and why.
    lacks:   something that it builds on is not to be had; what then is missing only follows from that.
    """

    def __init__(self, own: Document) -> None:
        super().__init__(own.name, own.text, own.shown)
        self.own = own
        self.data = deepcopy(own.data)
        self.bases: dict[str, Composed] = {}
        self.parents: dict[str, tuple[Composed, str]] = {}
        self.removed: dict[str, Removal] = {}
        self.lacks = False
        self._origins: dict[Place, tuple[Document, Place]] = {}

    def problem(self, place: Place, what: str, mend: str) -> Problem:
        """A problem where the place was written, in whichever file."""
        document, there = self.where(place)
        return document.problem(there, what, mend)

    def where(self, place: Place) -> tuple[Document, Place]:
        """The file in which a place was written, and the place there."""
        for length in range(len(place), 0, -1):
            found = self._origins.get(place[:length])
            if found is not None:
                return found[0], (*found[1], *place[length:])
        return self.own, place

    def came_from(self, place: Place, document: Document, there: Place) -> None:
        """Note that a place was written elsewhere."""
        self._origins[place] = (document, there)

    def parts(self) -> Iterator[Document]:
        """Every file that it is made of, its own first."""
        yield self.own
        for base in self.bases.values():
            yield from base.parts()

    def hash(self) -> str:
        """SHA-256 of its text, or over those of all its parts."""
        if not self.bases:
            return self.own.sha256
        parts = sorted({(part.name, part.sha256) for part in self.parts()})
        return hashlib.sha256("\n".join(f"{sha256} {name}" for name, sha256 in parts).encode()).hexdigest()


@dataclass(frozen=True)
class Removal:
    """A rule taken away: whose it was (None: of an earlier version of the same file), and why."""

    parent: tuple[Composed, str] | None
    reason: str


def tables(document: Document, name: str) -> dict[str, dict[str, Any]]:
    """The tables below a table, as written; what is no table is reported by the model of the whole."""
    found = document.data.get(name)
    entries = found.items() if isinstance(found, dict) else ()
    return {key: value for key, value in entries if isinstance(value, dict)}


def figure_in(value: object) -> str | None:
    """The figure that stands in a number's place, `{ figure = "NAME" }`."""
    if isinstance(value, dict) and set(value) == {"figure"} and isinstance(value["figure"], str):
        return value["figure"]
    return None


def compose(document: Document, shelf: Shelf, trail: tuple[str, ...] = ()) -> Composed:
    """A document with what it builds on; problems are noted in it, those of another file are raised."""
    composed = Composed(document)
    trail = (*trail, str(document.data.get("id", document.name)))
    if "extends" in document.data:
        base = _base(composed, (), document.data, ("extends", "extends_version"), shelf, trail)
        if base is not None:
            _inherit(composed, base)
        else:
            composed.lacks = True
    for stage, table in tables(document, "stages").items():
        if stage in tables_of_bases(composed):
            if "sets" in table:
                composed.refuse(
                    ("stages", stage, "sets"),
                    "are chosen in the profile that this one extends",
                    "write over single rules, or choose sets for a stage of its own",
                )
            continue
        sets = table.get("sets")
        for index, chosen in enumerate(sets if isinstance(sets, list) else ()):
            if isinstance(chosen, dict):
                place: Place = ("stages", stage, "sets", index)
                base = _base(composed, place, chosen, ("profile", "version"), shelf, trail)
                if base is not None:
                    _choose(composed, stage, place, chosen, base)
    for name, rule in tables(document, "rules").items():
        if "removed" in rule:
            _remove(composed, name, rule)
    return composed


def tables_of_bases(composed: Composed) -> set[str]:
    """The stages that it has of the profile it extends."""
    base = composed.bases.get(str(composed.own.data.get("extends")))
    return set(tables(base, "stages")) if base is not None else set()


def _base(
    composed: Composed,
    place: Place,
    table: dict[str, Any],
    keys: tuple[str, str],
    shelf: Shelf,
    trail: tuple[str, ...],
) -> Composed | None:
    """The profile that a table names, in the version it names; None if that is not to be had."""
    profile, version = table.get(keys[0]), table.get(keys[1])
    if not isinstance(profile, str) or not NAME.fullmatch(profile):
        return None  # the model of the table says so
    if profile in trail:
        composed.refuse(
            (*place, keys[0]), f'"{profile}" builds on itself', "give the new profile an id of its own"
        )
        return None
    if profile not in shelf.files:
        composed.refuse((*place, keys[0]), *shelf.missing(profile))
        return None
    base = composed.bases.get(profile) or compose(shelf.document(profile), shelf, trail)
    base.raise_problems()
    is_now = base.data.get("version")
    if version is None:
        composed.refuse(
            (*place, keys[1]),
            f"is missing: {profile} is version {is_now} now",
            f'read it, then write {keys[1]} = "{is_now}"',
        )
        return None
    if version != is_now:
        composed.refuse(
            (*place, keys[1]),
            f"{profile} is version {is_now} now, not {version}",
            f'see what that changes, then write {keys[1]} = "{is_now}"',
        )
        return None
    composed.bases[profile] = base
    return base


def _inherit(composed: Composed, base: Composed) -> None:
    """Take all of a profile, and let what the own file says go over it key by key."""
    for key in _INHERITED:
        if key in base.data and key not in composed.own.data:
            composed.data[key] = base.data[key]
            composed.came_from((key,), *base.where((key,)))
    for rule in tables(base, "rules"):
        composed.parents[rule] = (base, rule)
    for table in _INHERITED_TABLES:
        own = composed.data.setdefault(table, {})
        if not isinstance(own, dict):
            continue  # the model of the whole says so
        inherited = tables(base, table)
        for name, each in inherited.items():
            _place_beside(composed, (table, name), deepcopy(each), base, (table, name))
        composed.data[table] = {name: own[name] for name in dict.fromkeys([*inherited, *own]) if name in own}
    _accept(composed, base, {})


def _came_from_base(composed: Composed, place: Place, base: Composed, there: Place) -> None:
    """Note where a whole table was written; a table below may have keys from several files."""
    composed.came_from(place, *base.where(there))
    for key in tables(base, str(there[0])).get(str(there[1]), {}):
        composed.came_from((*place, key), *base.where((*there, key)))


def _choose(composed: Composed, stage: str, place: Place, chosen: dict[str, Any], base: Composed) -> None:
    """Take the rules of a stage of another profile, and the figures and needs of these rules."""
    theirs = tables(base, "stages")
    only = next(iter(theirs)) if len(theirs) == 1 else None
    which, prefix = chosen.get("stage", only), chosen.get("prefix", stage)
    if (which is not None and not isinstance(which, str)) or not isinstance(prefix, str):
        return  # the model of the table says so
    if which not in theirs:
        what = f'has no stage "{which}"' if which is not None else "has several stages"
        composed.refuse(
            (*place, "stage"), f"{chosen['profile']} {what}", f"write stage, one of {listed(theirs)}"
        )
        return
    for table in ("rules", "figures", "needs", "works"):
        if not isinstance(composed.data.setdefault(table, {}), dict):
            return  # the model of the whole says so
    rules = {name: rule for name, rule in tables(base, "rules").items() if _holds_in(rule, which)}
    figures: set[str] = set()
    for name, rule in rules.items():
        copy = deepcopy(rule)
        for key, value in rule.items():
            if (figure := figure_in(value)) is not None:
                figures.add(figure)
                copy[key] = {"figure": f"{prefix}-{figure}"}
        copy["stages"] = [stage]
        own = f"{prefix}-{name}"
        if own in composed.parents:
            composed.refuse(
                place, f'brings a second rule "{own}"', "write prefix, another name before those of its rules"
            )
            return
        composed.parents[own] = (base, name)
        _place_beside(composed, ("rules", own), copy, base, ("rules", name))
        composed.came_from(("rules", own, "stages"), composed.own, place)
    for figure in figures & tables(base, "figures").keys():
        copy = deepcopy(tables(base, "figures")[figure])
        _place_beside(composed, ("figures", f"{prefix}-{figure}"), copy, base, ("figures", figure))
    for name, need in tables(base, "needs").items():
        if _holds_in(need, which):
            copy = {**deepcopy(need), "stages": [stage]}
            _place_beside(composed, ("needs", f"{prefix}-{name}"), copy, base, ("needs", name))
    for name, work in tables(base, "works").items():
        hidden = work.get("hides")
        hides = (
            [f"{prefix}-{rule}" for rule in hidden if rule in [*rules]] if isinstance(hidden, list) else []
        )
        if hides:
            copy = {**deepcopy(work), "hides": hides}
            _place_beside(composed, ("works", f"{prefix}-{name}"), copy, base, ("works", name))
    _accept(composed, base, {name: f"{prefix}-{name}" for name in rules}, stage, which)


def _holds_in(table: dict[str, Any], stage: str) -> bool:
    """Whether a rule or need holds in a stage; one that names no stage holds in all."""
    stages = table.get("stages")
    return not isinstance(stages, list) or not stages or stage in stages


def _accept(
    composed: Composed, base: Composed, names: dict[str, str], stage: str = "", theirs: str = ""
) -> None:
    """Take over what a profile has answered to doubts; of a set: as far as it is about that set."""
    own, inherited = composed.data.setdefault("accepted", []), base.data.get("accepted", [])
    if not isinstance(own, list) or not isinstance(inherited, list):
        return  # the model of the whole says so
    for index, accepted in enumerate(inherited):
        if not isinstance(accepted, dict) or (stage and not _holds_in(accepted, theirs)):
            continue
        copy, rules = deepcopy(accepted), accepted.get("rules")
        if stage:
            copy["stages"] = [stage]
            if isinstance(rules, list):
                copy["rules"] = [names.get(rule, rule) for rule in rules if isinstance(rule, str)]
        composed.came_from(("accepted", len(own)), *base.where(("accepted", index)))
        own.append(copy)


def _place_beside(
    composed: Composed, place: tuple[str, str], table: dict[str, Any], base: Composed, there: Place
) -> None:
    """Put a table of another file in place, unless the profile has one of that name: that goes over it."""
    tables_here = composed.data[place[0]]
    own = tables_here.get(place[1])
    if own is None:
        tables_here[place[1]] = table
        _came_from_base(composed, place, base, there)
    elif not isinstance(own, dict):
        return  # the model of the whole says so
    elif "removed" not in own and own.get("kind", table.get("kind")) != table.get("kind"):
        composed.refuse(
            (*place, "kind"),
            f"is not {table.get('kind', 'limit')}, as it is in {base.data.get('id')} ({there[1]})",
            'take that rule away (removed = "why"), and write this one under another name',
        )
        del tables_here[place[1]]
    else:
        _inherited_below(composed, place, own, table, base, there)


def _inherited_below(
    composed: Composed,
    place: tuple[str, str],
    own: dict[str, Any],
    table: dict[str, Any],
    base: Composed,
    there: Place,
) -> None:
    """Put what an own table does not say itself below it."""
    if place[0] == "rules" and own.keys() - _LEAVES_AS_IT_IS:
        table = {key: value for key, value in table.items() if key not in _SAID_OF_THE_OLD}
    for key, value in table.items():
        if key not in own:
            own[key] = value
            composed.came_from((*place, key), *base.where((*there, key)))


def _remove(composed: Composed, name: str, rule: dict[str, Any]) -> None:
    place: Place = ("rules", name)
    reason = rule["removed"]
    others = [*composed.parents, *(set(tables(composed.own, "rules")) - {name})]
    meant = nearest(name, others) if name not in composed.parents else None
    if not isinstance(reason, str) or not reason.strip():
        composed.refuse((*place, "removed"), "gives no reason", 'write why, such as removed = "SOP-12, 4.1"')
    elif further := rule.keys() - {"removed"}:
        composed.refuse(
            (*place, min(further)), "stands at a rule that is removed", "remove it, or the line removed"
        )
    elif meant is not None:
        composed.refuse(place, "is removed, and there is no such rule", f'did you mean "{meant}"?')
    composed.removed[name] = Removal(composed.parents.pop(name, None), str(reason))
    composed.data["rules"].pop(name, None)
    _hide_no_more(composed, name)


def _hide_no_more(composed: Composed, rule: str) -> None:
    """Take a rule that is gone out of the works of other files that hid its alarms."""
    for name, work in tables(composed, "works").items():
        hides = work.get("hides")
        if name not in tables(composed.own, "works") and isinstance(hides, list) and rule in hides:
            work["hides"] = [each for each in hides if each != rule]
            if not work["hides"]:
                del composed.data["works"][name]
