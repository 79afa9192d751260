"""Whether a profile may take the place of an approved one of the same name.

What was approved is what stood in the file then. Any change of what it judges is another version, and a limit
that becomes wider than what was approved needs a reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeVar

from msgspec.structs import replace

from coldchain.config.problems import ConfigError, Problem
from coldchain.config.profile_file import Profile
from coldchain.config.rule_changes import widens
from coldchain.plan import Cited, ProfilePlan, Rule, Work
from coldchain.profiles.differences import RuleDifference, Verdict, compare


def succession(before: Profile, after: Profile) -> list[Problem]:
    """What keeps `after` from taking the place of `before`; nothing if that was not approved."""
    if not before.plan.approved or before.head.id != after.head.id:
        return []
    difference = compare(before, after)
    changed = [each for each in difference.rules if each.verdict is not Verdict.TEXT]
    if not changed and not difference.stages_gone and not difference.stages_new:
        return []
    was = f"version {before.head.version}, which {before.head.approved_by} approved"
    found = []
    if after.head.version == before.head.version:
        names = ", ".join(each.rule for each in changed) or "its stages"
        found.append(
            after.document.own.problem(
                ("version",),
                f"is that of what {before.head.approved_by} approved, and {names} differ",
                "write a new version",
            )
        )
    for each in changed:
        found += _unreasoned(before, after, each, was)
    found += [
        after.document.own.problem(
            ("stages",),
            f"have lost {stage}, which is in {was}",
            "keep it, or give the profile an id of its own",
        )
        for stage in difference.stages_gone
    ]
    return found


def check_succession(before: Mapping[str, Profile], after: Mapping[str, Profile]) -> None:
    """Raise ConfigError if profiles of a configuration may not take the place of those in force."""
    problems = [
        problem for name in before.keys() & after.keys() for problem in succession(before[name], after[name])
    ]
    if problems:
        raise ConfigError(problems)


def changed_unversioned(before: Iterable[ProfilePlan], after: Mapping[str, Profile]) -> list[Problem]:
    """Approved profiles that judge otherwise than before under the version that was approved.

    before: as they were in force last. Their texts may be of an older program: only what they mean is known.
    """
    found = []
    for plan in before:
        now = after.get(plan.id)
        if now is None or not plan.approved or plan.version != now.plan.version:
            continue
        # With the same text, only a figure of the site can differ, which has an approval of its own.
        if plan.sha256 != now.plan.sha256 and _judging(plan) != _judging(now.plan):
            what = f"is {plan.version}, as approved, and it judges otherwise than when it was in force last"
            found.append(now.document.own.problem(("version",), what, "write a new version"))
    return found


def _judging(plan: ProfilePlan) -> object:
    """What a compiled profile judges, and what hides it: without words, and without the site's re-alarm."""
    rules = {stage.name: {rule.id: _wordless(rule) for rule in stage.rules} for stage in plan.stages}
    return rules, {work.id: _wordless(work) for work in plan.works}


def _wordless(judges: _Judges) -> _Judges:
    return replace(judges, title="", advice="", cited=_NOBODY, re_alarm_ms=None)


_NOBODY = Cited("", "")
_Judges = TypeVar("_Judges", Rule, Work)


def _unreasoned(before: Profile, after: Profile, each: RuleDifference, was: str) -> Iterator[Problem]:
    if each.verdict is Verdict.GONE and not each.reason:
        what = f"is gone, and is in {was}: {each.brief}"
        mend = f'write it again, or [rules.{each.rule}] with removed = "why"'
        yield after.document.own.problem(("rules", each.rule), what, mend)
    wider = widens(each.changes)
    name = each.rule.removeprefix("work ")
    table = "rules" if name == each.rule else "works"
    old = before.rules.get(name) if table == "rules" else before.head.works.get(name)
    old_reason = old.reason if old is not None else ""
    if wider and (not each.reason or each.reason == old_reason):
        change = wider[0]
        what = f"is {change.after}, which is wider than {change.before} in {was}"
        yield after.document.problem((table, name, change.key), what, "write reason, why that is right now")
