"""Impossible and dangerous profiles: what is wrong with limits that are well written.

`lint` looks at a profile by itself, and with the channels that measure for it if it is told them. A warning
may be meant so: the profile then answers it in `[[accepted]]`, with a reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from coldchain.config.problems import nearest
from coldchain.config.profile_file import Profile
from coldchain.profiles.linting import delays, limits, measuring
from coldchain.profiles.linting.finding import CODES, Finding, Severity
from coldchain.profiles.linting.limits import Judged, judged
from coldchain.profiles.linting.watch import Probe, Watch, of_command_line, of_configuration

__all__ = ["CODES", "Finding", "Probe", "Severity", "lint", "of_command_line", "of_configuration", "passes"]

_GRAVEST_FIRST = list(Severity)


def lint(profile: Profile, watched: Sequence[Watch] | None = None) -> list[Finding]:
    """Everything found, the gravest first. watched: how each role is measured; None: nobody said."""
    found: list[tuple[Finding, str, str]] = []  # with the stage and rule that it is about, to be accepted
    watched = watched or None
    measured = {watch.role for watch in watched or ()}
    places = list(judged(profile))
    # A stage none of whose roles is measured belongs to other assets; one measured in part is forgotten.
    partly = {here.stage for here in places if here.role in measured}
    for here in places:
        found += [(each, here.stage, _rule(each)) for each in _of(here, watched, here.stage in partly)]
    for stage in profile.head.stages:
        found += [(each, stage, "") for each in _of_stage(profile, stage)]
    found += [(each, "", "") for each in _of_profile(profile, watched)]
    answered = _answered(profile, found)
    unique = dict.fromkeys(answered)
    return sorted(unique, key=lambda each: (_GRAVEST_FIRST.index(each.severity), each.problem, each.code))


def passes(found: Sequence[Finding]) -> bool:
    """Whether nothing is left to mend or to answer."""
    return all(each.severity is Severity.NOTE for each in found)


def _rule(finding: Finding) -> str:
    parts = finding.problem.place.split(".")
    return parts[1] if parts[0] == "rules" else ""


def _of(here: Judged, watched: Sequence[Watch] | None, partly: bool) -> Iterator[Finding]:
    yield from limits.doubts(here)
    yield from delays.doubts(here)
    if watched is None:
        return
    mine = [watch for watch in watched if watch.role == here.role]
    for watch in mine:
        yield from measuring.doubts(here, watch)
    if partly and not mine:
        name = next(iter(here.rules))
        values = ", ".join(measuring.values_of(here))
        yield here.finding(
            "not-measured",
            Severity.WARNING,
            name,
            "role",
            f"is {here.role}, judged in stage {here.stage} ({values}), and no channel measures it",
            "add a channel of this role",
        )


def _of_stage(profile: Profile, stage: str) -> Iterator[Finding]:
    rules = [profile.rules[name] for name in profile.rules if stage in profile.holds_in(name)]
    waiting = [name for name in profile.waiting if stage in profile.holds_in(name)]
    at = profile.document.problem
    place = ("stages", stage)
    if not rules and not waiting:
        what = "judges nothing"
        yield Finding(
            "nothing-judged", Severity.NOTE, at(place, what, "add rules, if something can go wrong")
        )
    elif not any(rule.priority == "critical" for rule in rules) and not waiting:
        what = "has no critical rule: nothing in it makes anybody run"
        mend = "make one critical, or say in [[accepted]] why nothing is"
        yield Finding("no-critical", Severity.WARNING, at(place, what, mend))


def _of_profile(profile: Profile, watched: Sequence[Watch] | None) -> Iterator[Finding]:
    at = profile.document.problem
    for table, all_waiting in (("rules", profile.waiting), ("works", profile.waiting_works)):
        for name, waiting in all_waiting.items():
            for figure in waiting.figures:
                title = profile.head.figures[figure].title
                what = f"does nothing until the site gives {figure} ({title})"
                mend = f"write [profiles.figures.{profile.head.id}.{figure}] in the configuration"
                yield Finding("figure-missing", Severity.NOTE, at((table, name), what, mend))
    if watched is None:
        what = "silence, range, error and pace of probes were not looked at"
        yield Finding("not-looked-at", Severity.NOTE, at((), what, "give --config or --channel"))


def _answered(profile: Profile, found: list[tuple[Finding, str, str]]) -> Iterator[Finding]:
    used: set[int] = set()
    for finding, stage, rule in found:
        reason = ""
        for index, accepted in enumerate(profile.head.accepted):
            fits = (
                accepted.doubt == finding.code
                and finding.severity is Severity.WARNING
                and (not accepted.stages or stage in accepted.stages)
                and (not accepted.rules or rule in accepted.rules)
            )
            if fits:
                used.add(index)
                reason = accepted.reason + (f" ({accepted.by})" if accepted.by else "")
        yield finding.accept(reason) if reason else finding
    for index, accepted in enumerate(profile.head.accepted):
        if index in used:
            continue
        place = ("accepted", index, "doubt")
        if accepted.doubt not in CODES:
            meant = nearest(accepted.doubt, CODES)
            what = f'"{accepted.doubt}" is no doubt of lint'
            mend = f'did you mean "{meant}"?' if meant else "see the list in docs/profiles.md"
            yield Finding("accepted-nothing", Severity.WARNING, profile.document.problem(place, what, mend))
        elif accepted.doubt not in _NEED_CHANNELS:
            what = f'"{accepted.doubt}" does not arise here'
            problem = profile.document.problem(place, what, "remove the answer")
            yield Finding("accepted-nothing", Severity.WARNING, problem)


#: Doubts that arise only where channels are known: their answers may wait.
_NEED_CHANNELS = {
    "inside-probe-error", "uncalibrated", "window-too-wide", "fresh-too-long", "silence-unheard",
    "fires-unstated", "no-re-alarm", "not-as-needed", "not-measured", "delay-too-long", "warning-too-late",
}  # fmt: skip
