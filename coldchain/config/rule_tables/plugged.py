"""Kinds of rules from other packages: found by the entry-point group `coldchain.rules`.

Such a package publishes one `RulePlugin`, named like its kind: the table in which a profile states the rule,
and the judge, of which the configuration knows nothing. `coldchain/rules/plugged.py` says how it judges.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_args

from coldchain.config.amounts import Amount
from coldchain.config.rule_tables.base import SOURCE_SUFFIX
from coldchain.config.rule_tables.one_role import OneRole
from coldchain.model import Side
from coldchain.plan import Cited, Plugged

GROUP = "coldchain.rules"


class PluggedTable(OneRole):
    """The table of a kind from another package: state its parameters as fields, and say what they mean.

    A field becomes a parameter of the plan's rule by its name: an `Amount` as quanta, a time as ms, a whole
    number, a truth or a text as it is. A number that has a source of its own is named as in every table.
    """

    def compile(self, name: str, cited: Cited) -> Plugged:
        """As `plan.Plugged`, with the package that judges it."""
        own = package_of(self.kind)
        side, limit = self.line()
        said = self.common(name, cited)
        return Plugged(
            **{**said, "title": said["title"] or self.brief()},
            role=self.role,
            kind=self.kind,
            package=own.package,
            version=own.version,
            parameters=dict(self._parameters()),
            side=side,
            limit=limit,
        )

    def line(self) -> tuple[Side, int | None]:
        """Which side is worse, and the value that is drawn as its limit, in quanta, if there is one."""
        return Side.ABOVE, None

    def _parameters(self) -> Iterator[tuple[str, Any]]:
        for key in type(self).model_fields:
            if key in OneRole.model_fields or key.endswith(SOURCE_SUFFIX):
                continue
            value = getattr(self, key)
            yield key, value.quanta if isinstance(value, Amount) else value


@dataclass(frozen=True)
class RulePlugin:
    """What a package publishes: the table of its kind, and the judge (`coldchain.rules.judge.Judge`)."""

    table: type[PluggedTable]
    judge: object


@dataclass(frozen=True)
class Installed:
    """A kind that can be used, with the package that brings it and the module in which it stands."""

    kind: str
    package: str
    version: str
    module: str
    plugin: RulePlugin


@dataclass(frozen=True)
class Found:
    """Every kind from other packages by its name; and why the others cannot be used."""

    kinds: dict[str, Installed]
    broken: dict[str, str]


@cache
def found() -> Found:
    """What is installed beside us. A process asks once: what judges does not change while it runs."""
    kinds: dict[str, Installed] = {}
    broken: dict[str, str] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda each: (each.name, each.value)):
        if entry.name in kinds:
            other = kinds.pop(entry.name)
            broken[entry.name] = f"{other.package} and {_named(entry)[0]} both bring it; remove one of them"
        if entry.name in broken:
            continue
        try:
            published: object = entry.load()
        except Exception as error:  # noqa: BLE001 - the edge to other people's code
            package, version = _named(entry)
            broken[entry.name] = (
                f"{package} {version} cannot be loaded: {type(error).__name__}: {error}; "
                "install it again, with what it needs"
            )
            continue
        why_not = _why_not(entry.name, published)
        if why_not is None and isinstance(published, RulePlugin):
            kinds[entry.name] = Installed(entry.name, *_named(entry), entry.module, published)
        else:
            broken[entry.name] = f"{why_not}; ask whoever made {_named(entry)[0]}"
    return Found(kinds, broken)


def package_of(kind: str) -> Installed:
    """The package that brings a kind; LookupError if there is none."""
    return found().kinds[kind]


def _why_not(kind: str, published: object) -> str | None:
    """Why a published object is no kind of rule, if it is none."""
    if not isinstance(published, RulePlugin):
        return "it publishes no RulePlugin"
    if not callable(getattr(published.judge, "on_sample", None)):
        return "its judge is no Judge"
    words = get_args(published.table.model_fields["kind"].annotation)
    if words != (kind,):
        own = ", ".join(map(str, words)) or "anything"
        return f'its table is for kind {own}, and it is published as "{kind}"'
    return None


def _named(entry: EntryPoint) -> tuple[str, str]:
    """The package that an entry point stands in, and its version."""
    if entry.dist is None:
        return "a package without a name", "0"
    return str(entry.dist.name), entry.dist.version
