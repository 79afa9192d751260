"""A profile's file put together with those it builds on.

A profile may build on others in two ways, both by id and version. It `extends` one: it has all of its stages,
rules and figures, under their names. And a stage of it may choose rule sets, `sets`: the rules of a stage of
another profile, under its own names behind a prefix. What it writes itself goes over that, key by key; a rule
is taken away only with a reason.

Put together are the tables as written, before anything is checked; each key remembers the file and place it
came from, so that a problem is reported where it stands.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from coldchain.config.composed import Composed, Removal, place_beside, tables
from coldchain.config.document import Document
from coldchain.config.fields import NAME
from coldchain.config.library import Shelf
from coldchain.config.positions import Place
from coldchain.config.problems import nearest
from coldchain.config.rule_sets import accept, choose

#: What a profile has of the one that it extends. Approval and notes are of one file alone.
_INHERITED = ("product_state", "guideline", "guideline_page")
_INHERITED_TABLES = ("stages", "figures", "needs", "rules", "works")


def compose(document: Document, shelf: Shelf, trail: tuple[str, ...] = ()) -> Composed:
    """A document with what it builds on; problems are noted in it, those of another file are raised.

    trail: under which names one came here from the first; a file's own `id` may be wrong, or no text at all.
    """
    composed = Composed(document)
    trail = trail or (str(document.data.get("id", document.name)),)
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
                    choose(composed, stage, place, chosen, base)
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
    base = composed.bases.get(profile) or compose(shelf.document(profile), shelf, (*trail, profile))
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
            place_beside(composed, (table, name), deepcopy(each), base, (table, name))
        composed.data[table] = {name: own[name] for name in dict.fromkeys([*inherited, *own]) if name in own}
    accept(composed, base, {})


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
