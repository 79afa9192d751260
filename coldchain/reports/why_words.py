"""Why an alarm, in sentences and rows that terminal, JSON and picture share."""

from __future__ import annotations

from coldchain.announcements import Kind, Late
from coldchain.plan import Bound, Budget, Limit, Rolling, Rule, bounds
from coldchain.reports import words
from coldchain.reports.judging import Found
from coldchain.reports.pictured import LimitLine, Mark, Panel, Picture, Stretch
from coldchain.reports.statistics import Gap, Point
from coldchain.reports.stretches import stretches
from coldchain.reports.why import (
    DUE,
    ENDED,
    EXTREME,
    OPENED,
    PENDING,
    RETURNED,
    TRIGGERED,
    Answer,
    Spoken,
    Step,
)

_LATE = {
    Late.NOT_RUNNING: "late: the program was not running",
    Late.STALLED: "late: the machine was suspended or stalled",
    Late.TRANSPORT: "late: the reading was long under way",
    Late.FOUND_LATE: "found late: an older reading, or an entry for the past, showed it",
    Late.UPGRADE: "found by an upgrade: an older version said otherwise",
}


def step(answer: Answer, one: Step) -> str:
    """What a change of the rule's state means."""
    rule, why_ended = answer.why.rule, _why_ended(answer)
    budget = isinstance(rule, Budget | Rolling)
    hold = words.duration(rule.hold_ms) if isinstance(rule, Limit) else ""
    return {
        OPENED: "the first of it was spent" if budget else "outside begins",
        DUE: f"the hold of {hold} is over",
        PENDING: f"the hold of {hold} will be over, unless a reading shows it inside before",
        TRIGGERED: "the budget is exceeded" if budget else "certain: the alarm's condition holds",
        EXTREME: "the furthest outside",
        ENDED: f"closed: {why_ended}" if why_ended else "inside again, by evidence",
        RETURNED: "the alarm's condition is gone",
    }[one.what]


def spoken(one: Spoken) -> str:
    """What was announced, without its times: "raised, occurrence 2, unacknowledged"."""
    said = one.said
    parts = [said.kind.value.replace("_", " ")]
    if said.occurrence is not None:
        parts.append(f"occurrence {said.occurrence}")
    elif said.occurrences:
        parts.append("occurrences " + ", ".join(map(str, said.occurrences)))
    if said.state:
        parts.append(said.state.replace("_", " "))
    if one.who:
        parts.append(f"by {one.who}")
    if one.comment:
        parts.append(f'"{one.comment}"')
    for key, text in said.detail.items():
        budget = key.removeprefix("spent.")
        if budget != key:
            was, now = (words.duration(int(ms)) for ms in text.split())
            parts.append(f"{budget}: {was} spent before, {now} now")
    return ", ".join(parts)


def late(one: Late | None) -> str:
    """Why something was announced more than a second after it was certain."""
    return "" if one is None else _LATE[one]


def sums(answer: Answer) -> list[str]:
    """What the interval amounts to, in sentences."""
    interval, rule = answer.why.interval, answer.why.rule
    if interval is None or rule is None:
        return []
    end_ms = answer.why.to_ms if interval.end_ms is None else interval.end_ms
    lasted = words.duration(max(0, end_ms - interval.start_ms))
    said = [f"{'lasts for' if interval.end_ms is None else 'lasted'} {lasted}"]
    if isinstance(rule, Budget):
        said = [f"{words.duration(interval.outside_ms)} spent of {words.duration(rule.allowance_ms)}"]
        charged = "charged" if rule.charge_unmonitored else "not charged"
        if interval.unmonitored_ms:
            said.append(f"{words.duration(interval.unmonitored_ms)} unmonitored, {charged}")
    else:
        said.append(f"{words.duration(interval.outside_ms)} outside by readings")
        if interval.unmonitored_ms:
            said.append(f"{words.duration(interval.unmonitored_ms)} of it unmonitored")
    if isinstance(rule, Bound):
        said.append(f"furthest at {words.value(answer.why.quantity, interval.extreme)}")
    return said


def given_back(answer: Answer) -> list[str]:
    """Who gave what back, in sentences."""
    said = []
    for one in answer.why.resolved:
        own = one.excursion == answer.why.excursion
        span = words.duration(one.to_ms - one.from_ms)
        at = words.clock(answer.journal_utc(one.at_ms), answer.zone)
        what = f"resolved by {one.who}" if own else f"{one.excursion} ({span}) was resolved by {one.who}"
        said.append(f'{what} at {at}: "{one.comment}"; that time does not count against budgets')
    return said


def links(answer: Answer) -> list[str]:
    """How the excursion hangs together with others, in sentences."""
    spell = {
        "merged": "late readings joined it with {}",
        "split_from": "late readings split it from {}",
        "follows": "goes on from {}, whose limits were changed",
    }
    return [spell[name].format(text) for name, text in answer.why.links.items()]


def condition(answer: Answer) -> str:
    """What the rule calls outside, "" where no rule judged."""
    rule = answer.why.rule
    return "" if rule is None else words.limit(rule, answer.why.quantity)


def picture_of(answer: Answer, made_by: str) -> Picture:
    """The readings around it with the limits in force, the rule's own excursion, and who said what when."""
    why = answer.why
    rule = why.rule
    lines = []
    if rule is not None and why.segment is not None:
        lines.append(f"{condition(answer)}; source: {rule.cited.source}")
        approved = f", approved by {rule.cited.approved_by}" if rule.cited.approved_by else ""
        profile = f"profile {why.segment.profile}, version {why.segment.version}"
        lines.append(f"{profile}, stage {why.segment.stage}{approved}")
    points = [Point(answer.utc(p.at_ms), p.value, p.reason, p.good) for p in why.points]
    gaps = [Gap(answer.utc(gap.start_ms), answer.utc(gap.end_ms), gap.closed) for gap in why.gaps]
    found = [] if rule is None or why.interval is None else [Found(rule, why.interval)]
    max_gap_ms = why.channel.max_gap_ms if why.channel is not None else 0
    note = "resolved" if any(one.excursion == why.excursion for one in why.resolved) else ""
    drawn = stretches(found, why.points, max_gap_ms, why.to_ms)
    panel = Panel(
        title=_title(answer),
        quantity=why.quantity,
        from_ms=answer.utc(why.from_ms),
        to_ms=max(answer.utc(why.to_ms), answer.utc(why.from_ms) + 1),
        points=points,
        gaps=gaps,
        limits=_limit_lines(why.rules, why.quantity),
        stretches=[
            Stretch(each.rule, answer.utc(each.from_ms), answer.utc(each.to_ms), each.alarmed, note)
            for each in drawn
        ],
        marks=[
            Mark(answer.journal_utc(one.announced_ms), _mark(answer, one))
            for one in why.spoken
            if one.said.kind is not Kind.REFUSED
        ],
        notes=[text for text in ("; ".join(sums(answer)), *links(answer), *given_back(answer)) if text],
    )
    stamps = (["SIMULATED"] if why.simulated else []) + (["UNAPPROVED LIMITS"] if why.unapproved else [])
    return Picture(
        headline=why.excursion or why.alarm,
        zone=answer.zone,
        panels=[panel] if why.quantity else [],
        lines=lines,
        stamps=stamps,
        footer=f"{made_by}; profile sha256 {why.profile_sha256}" if why.profile_sha256 else made_by,
    )


def _limit_lines(rules: tuple[Rule, ...], quantity: str) -> list[LimitLine]:
    return [LimitLine(rule.id, rule.limit, rule.side, words.limit(rule, quantity)) for rule in bounds(rules)]


def _title(answer: Answer) -> str:
    why = answer.why
    covered = why.coverage
    watched = (
        "" if covered is None else f": watched {words.share(covered.good_ms, covered.product_ms)} of the time"
    )
    return f"{why.channel.id if why.channel is not None else why.subject}{watched}"


def _mark(answer: Answer, one: Spoken) -> str:
    at = words.clock(answer.journal_utc(one.announced_ms), answer.zone)
    reason = late(one.said.late)
    return f"{at}  {spoken(one)}" + (f"; {reason}" if reason else "")


def _why_ended(answer: Answer) -> str:
    interval = answer.why.interval
    return "" if interval is None else interval.why_ended.replace("_", " ")
