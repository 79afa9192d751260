"""Rules of other packages: how a rule that came through the entry-point group `coldchain.rules` is judged.

A plan's rule of such a kind is `Plugged`: it names the package that brings the kind. Whoever starts a fold
makes the plug-ins of the process known first (`pipeline/plugins.py`). A new rule whose plug-in is missing is
refused where the configuration is read; a past one stops the fold with `MissingPlugin`: it is never skipped.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from coldchain.plan import Plugged
from coldchain.rules.judge import Judge, Step
from coldchain.rules.judging import Interval, Sample, Seen


class MissingPlugin(LookupError):
    """A rule in force is of a kind that no installed package brings."""

    def __init__(self, rule: Plugged) -> None:
        self.rule = rule
        super().__init__(
            f'rule {rule.id} is of kind "{rule.kind}" of {rule.package} {rule.version}, '
            "which is not installed"
        )


@dataclass(frozen=True)
class Plugin:
    """A kind of rule from another package. module: where its states come from, when they are read back."""

    kind: str
    module: str
    judge: Judge


_KNOWN: dict[str, Plugin] = {}


def use(plugins: Mapping[str, Plugin]) -> None:
    """Make the plug-ins of this process known, all at once, before anything is folded."""
    _KNOWN.clear()
    _KNOWN.update(plugins)


def known() -> dict[str, Plugin]:
    """The plug-ins by kind."""
    return dict(_KNOWN)


def _of(rule: Plugged) -> Judge:
    plugin = _KNOWN.get(rule.kind)
    if plugin is None:
        raise MissingPlugin(rule)
    return plugin.judge


def _start(rule: Plugged, seen: Seen, at_ms: int) -> Step:
    return _tagged(rule, _of(rule).start(rule, seen, at_ms))


def _tagged(rule: Plugged, step: Step) -> Step:
    state, changes = step
    return (rule.kind, state), changes


def _on_sample(rule: Plugged, state: tuple[str, object], seen: Seen, now: Sample) -> Step:
    new, changes = _of(rule).on_sample(rule, state[1], seen, now)
    return (state if new is state[1] else (rule.kind, new)), changes


def _standing(rule: Plugged, state: tuple[str, object], seen: Seen, at_ms: int) -> Interval | None:
    return _of(rule).standing(rule, state[1], seen, at_ms)


def _active(state: tuple[str, object]) -> bool:
    return _KNOWN[state[0]].judge.active(state[1])


def _same(old: Plugged, new: Plugged) -> bool:
    return (old.kind, old.package, old.version) == (new.kind, new.package, new.version) and _of(new).same(
        old, new
    )


JUDGE = Judge(
    start=_start,
    on_sample=_on_sample,
    due_ms=lambda rule, state, seen: _of(rule).due_ms(rule, state[1], seen),
    on_due=lambda rule, state, seen: _tagged(rule, _of(rule).on_due(rule, state[1], seen)),
    same=_same,
    settle=lambda rule, state, seen, at_ms: _tagged(rule, _of(rule).settle(rule, state[1], seen, at_ms)),
    reconfigure=lambda old, new, state, seen, at_ms: _tagged(
        new, _of(new).reconfigure(old, new, state[1], seen, at_ms)
    ),
    end=lambda rule, state, seen, at_ms, why: _tagged(rule, _of(rule).end(rule, state[1], seen, at_ms, why)),
    resume=lambda rule, left, seen, at_ms: _tagged(rule, _of(rule).resume(rule, left[1], seen, at_ms)),
    standing=_standing,
    active=_active,
    shows=lambda rule, state, sample: _of(rule).shows(rule, state[1], sample),
    band=lambda rule, state, seen: _of(rule).band(rule, state[1], seen),
    sync=lambda rule, state, seen: (rule.kind, _of(rule).sync(rule, state[1], seen)),
)
