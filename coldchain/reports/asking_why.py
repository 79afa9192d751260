"""Finding out why: all is read from a journal, beside a daemon or without, and nothing is written to it.

What was true is what this program's code folds from the facts; what was announced, and to whom, is as the
journal keeps it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from coldchain import announcements as words
from coldchain import facts
from coldchain.announcements import Announcement, Kind
from coldchain.consignments.line import Segment
from coldchain.facts import Activated
from coldchain.fold import Fold
from coldchain.fold.coverage import coverage
from coldchain.fold.excursions import Excursion
from coldchain.fold.history import History, origin_of, quality_of, reason_of
from coldchain.fold.place import Place
from coldchain.fold.steps import Told
from coldchain.fold.track import Track
from coldchain.journal import Readable
from coldchain.model import Quality, Reason
from coldchain.pipeline.recovery import recover
from coldchain.plan import Bound, Budget, ChannelPlan, Limit
from coldchain.reports.statistics import gaps
from coldchain.reports.why import (
    DUE,
    ENDED,
    EXTREME,
    OPENED,
    PENDING,
    RETURNED,
    TRIGGERED,
    Answer,
    Certificate,
    GivenBack,
    Read,
    Receipt,
    Spoken,
    Step,
    Unknown,
    Why,
    points_of,
)
from coldchain.rules.judging import BAD, Opened, Returned
from coldchain.units import QUANTITIES

#: Around an excursion so many intervals, and at least a fifth of its length, are shown.
_AROUND = 12
#: More readings than this are not listed one by one.
READINGS_MAX = 20_000
_QUALITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)


def why(journal: Readable, engine: str, asked: str, zone: tzinfo, occurrence: int | None = None) -> Answer:
    """Answer why an alarm was raised, or what an excursion was.

    asked: an alarm ("box-7/vapour/too-warm"), or an excursion ("box-7/vapour/too-warm#2"). occurrence: of
    the alarm; None: the newest. Raises Unknown, and JournalError if the journal cannot be read.
    """
    recovered = recover(journal, engine)
    fold = recovered.fold
    texts = {text.commitment: text.text for text in journal.private_texts()}
    heard = [
        Spoken(row.position, row.announced_ms, said, texts.get(said.actor, ""), texts.get(said.comment, ""))
        for row in journal.announcements()
        if (said := words.decode(row.body)).alarm
    ]
    found = _found(fold, heard, asked, occurrence)
    found = replace(found, resolved=tuple(_given_back(fold, texts, found)))
    found = replace(
        found, spoken=tuple(_about(heard, found)), engine=engine, other_engine=recovered.other_engine
    )
    place = fold.places.get(found.subject)
    journal_axis = _journal_axis(found, place)
    if place is not None:
        found = _with_readings(fold, place, found)
        if found.channel is not None:
            found = replace(found, certificate=_certificate(journal, found.channel))
    receipts = [
        Receipt(
            each.position,
            each.sink,
            "waiting" if each.outcome is None else str(each.outcome),
            each.settled_ms,
            each.failure if each.outcome is None else each.receipt,
        )
        for each in journal.receipts(spoken.position for spoken in found.spoken)
    ]
    return Answer(replace(found, receipts=tuple(receipts)), fold, zone, journal_axis)


def _found(fold: Fold, heard: list[Spoken], asked: str, occurrence: int | None) -> Why:
    """Which occurrence and which excursion was meant."""
    raised = [spoken for spoken in heard if spoken.said.kind is Kind.RAISED]
    excursions = {each.id: each for place in fold.places.values() for each in place.ledger.all()}
    for each in tuple(excursions.values()):
        excursions |= dict.fromkeys(
            each.merged, each
        )  # what was merged into another is asked for by both names
    mine = [s for s in raised if asked in (s.said.alarm, s.said.excursion)]
    if asked in excursions:
        excursion = excursions[asked]
        names = {excursion.id, *excursion.merged}
        mine = [s for s in raised if s.said.excursion in names]
    elif occurrence is not None:
        mine = [s for s in mine if s.said.occurrence == occurrence]
        if not mine:
            numbers = [str(s.said.occurrence) for s in raised if s.said.alarm == asked]
            raise Unknown(f"{asked} with occurrence {occurrence}", tuple(f"-n {n}" for n in numbers))
    if mine:
        newest = mine[-1].said
        excursion_of = excursions.get(asked) or excursions.get(newest.excursion)
        return _of_excursion(fold, excursion_of, newest)
    if asked in excursions:
        return _of_excursion(fold, excursions[asked], None)
    known = sorted({s.said.alarm for s in raised} | set(excursions))
    near = [name for name in known if asked in name] or [n for n in known if n.split("/")[-1] in asked]
    raise Unknown(asked, tuple(near or known))


def _of_excursion(fold: Fold, excursion: Excursion | None, said: Announcement | None) -> Why:
    if excursion is None:
        assert said is not None, "an alarm without an excursion was raised"
        return Why(
            alarm=said.alarm,
            excursion=said.excursion,
            occurrence=said.occurrence,
            subject=said.subject,
            rule_id=said.rule,
            priority=said.priority,
            quantity=said.quantity,
            simulated=said.simulated,
            unapproved=said.unapproved,
            late=said.late,
            from_ms=said.since_ms or 0,
            to_ms=said.due_ms or said.since_ms or 0,
        )
    place = fold.places[excursion.place]
    segment = excursion.segment
    channel = segment.channel
    links = {
        "merged": ", ".join(excursion.merged),
        "split_from": excursion.split_from,
        "follows": excursion.follows,
    }
    return Why(
        alarm=f"{excursion.place}/{excursion.rule.id}",
        excursion=excursion.id,
        occurrence=None if said is None else said.occurrence,
        subject=excursion.place,
        rule_id=excursion.rule.id,
        priority=excursion.rule.priority,
        quantity=channel.quantity if channel is not None else (said.quantity if said is not None else ""),
        rule=excursion.rule,
        rules=segment.rules,
        segment=segment,
        profile_sha256=_profile_hash(fold, segment),
        channel=channel,
        interval=place.standing(excursion),
        confirmed=not excursion.denied,
        links={name: text for name, text in links.items() if text},
        simulated=place.simulated,
        unapproved=not segment.approved,
        late=None if said is None else said.late,
    )


def _journal_axis(found: Why, place: Place | None) -> bool:
    newest = next((s.said for s in reversed(found.spoken) if s.said.kind is Kind.RAISED), None)
    if newest is not None:
        return newest.axis == "journal"
    return place is not None and place.journal_axis


def _profile_hash(fold: Fold, segment: Segment) -> str:
    for _, known in reversed(fold.lane.plans):
        profile = known.profiles.get(segment.profile)
        if profile is not None and profile.version == segment.version:
            return profile.sha256
    return ""


def _about(heard: Iterable[Spoken], found: Why) -> Iterable[Spoken]:
    """What was said of this occurrence, or of this excursion."""
    for spoken in heard:
        said = spoken.said
        if said.alarm != found.alarm:
            continue
        same = found.occurrence is not None and found.occurrence in (said.occurrence, *said.occurrences)
        if same or (found.excursion and said.excursion == found.excursion):
            yield spoken


def _given_back(fold: Fold, texts: dict[str, str], found: Why) -> Iterable[GivenBack]:
    """That it was resolved; of a budget, what was given back to it."""
    interval, segment, place = found.interval, found.segment, fold.places.get(found.subject)
    if interval is None or segment is None or place is None:
        return
    product = [each.from_ms for each in place.track.line if each.scope == segment.scope]
    for made in fold.lane.resolutions.at(found.subject):
        counted = isinstance(found.rule, Budget) and made.span.to_ms > min(product, default=made.span.to_ms)
        before_end = interval.end_ms is None or made.span.from_ms < interval.end_ms
        if made.excursion == found.excursion or (counted and before_end):
            who, comment = texts.get(made.actor, ""), texts.get(made.comment, "")
            yield GivenBack(made.excursion, who, comment, made.journal_ms, *made.span.ends)


# What was measured, and what the rule made of it


def _with_readings(fold: Fold, place: Place, found: Why) -> Why:
    channel = found.channel or place.track.channel
    if channel is None:
        return found
    history = fold.channels.histories.get(channel.id, History())
    interval = found.interval
    start_ms = interval.start_ms if interval is not None else found.from_ms
    now_ms = max(place.track.at_ms or start_ms, start_ms)
    end_ms = now_ms if interval is None or interval.end_ms is None else interval.end_ms
    steps = _steps(place, found, fold) if interval is not None else ()
    end_ms = max([end_ms, *(step.at_ms for step in steps if step.what != PENDING)])
    around_ms = max(_AROUND * channel.interval_ms, (end_ms - start_ms) // 5)
    from_ms, to_ms = start_ms - around_ms, end_ms + around_ms
    readings = tuple(_readings(history, channel, from_ms, to_ms))
    points = points_of(readings)
    to_ms = min(to_ms, max([now_ms, end_ms, *(point.at_ms for point in points[-1:])]))
    watched = list(gaps(points, channel.max_gap_ms, to_ms))
    source = fold.channels.sources.get(channel.source)
    return replace(
        found,
        channel=channel,
        quantity=found.quantity or channel.quantity,
        source="" if source is None else f"{source.id} ({source.driver})",
        steps=steps,
        readings=readings,
        gaps=tuple(watched),
        from_ms=max(from_ms, points[0].at_ms) if points else from_ms,
        to_ms=to_ms,
        coverage=coverage(place.track, now_ms),
    )


def _readings(history: History, channel: ChannelPlan, from_ms: int, to_ms: int) -> Iterable[Read]:
    lo, hi = history.span(from_ms, to_ms + 1)
    for i in range(max(lo, hi - READINGS_MAX), hi):
        sent = history.texts[history.sent[i]]
        quality = quality_of(history.code[i])
        before: int | None = None
        if sent.bad is None:
            quanta = QUANTITIES[channel.quantity].quanta(sent.raw, sent.unit or channel.unit)
            before = None if isinstance(quanta, Reason) else quanta
        yield Read(
            at_ms=history.at[i],
            raw=sent.raw,
            unit=sent.unit or channel.unit,
            before=before,
            value=None if quality == BAD else history.value[i],
            quality=_QUALITIES[quality],
            reason=reason_of(history.code[i]),
            origin=origin_of(history.code[i]),
        )


def _steps(place: Place, found: Why, fold: Fold) -> tuple[Step, ...]:
    """The rule's state over time: its place is folded once more, and every change of it is noted."""
    interval, rule = found.interval, found.rule
    assert interval is not None, "asked of an excursion"
    assert rule is not None, "an excursion has a rule"
    told: list[Told] = []
    if place.track.line:
        track = Track(place.name, fold.channels.histories)
        track.line = place.track.line
        track.refold(track.line[0].from_ms, lambda one: told.append(one) if one.rule.id == rule.id else None)
        if place.track.at_ms is not None:
            track.advance(place.track.at_ms, lambda one: told.append(one) if one.rule.id == rule.id else None)
    steps = [Step(interval.start_ms, OPENED)]
    now_ms = place.track.at_ms or interval.start_ms
    due_ms = interval.start_ms + rule.hold_ms if isinstance(rule, Limit) and rule.hold_ms else None
    if due_ms is not None and (interval.end_ms is None or due_ms <= interval.end_ms):
        steps.append(Step(due_ms, DUE if due_ms <= now_ms else PENDING))
    if interval.triggered_ms is not None:
        steps.append(Step(interval.triggered_ms, TRIGGERED))
    if isinstance(rule, Bound):  # of other rules the extreme is no value of the curve
        steps.append(Step(interval.extreme_ms, EXTREME, interval.extreme))
    if interval.end_ms is not None:
        steps.append(Step(interval.end_ms, ENDED))
        after = sorted(
            one.at_ms for one in told if isinstance(one.change, Opened) and one.at_ms > interval.end_ms
        )
        for one in told:
            back = isinstance(one.change, Returned) and one.at_ms >= interval.end_ms
            if back and interval.triggered_ms is not None and not (after and after[0] < one.at_ms):
                steps.append(Step(one.at_ms, RETURNED))
                break
    order = {OPENED: 0, EXTREME: 1, DUE: 2, TRIGGERED: 3, ENDED: 4, RETURNED: 5, PENDING: 6}
    return tuple(sorted(steps, key=lambda step: (step.at_ms, order[step.what])))


def _certificate(journal: Readable, channel: ChannelPlan) -> Certificate | None:
    """What the newest configuration in which the channel was as it was says of its calibration."""
    for row in reversed(list(journal.activations())):
        fact = facts.decode(row.body)
        if not isinstance(fact, Activated) or channel not in fact.plan.channels:
            continue
        for sha256 in fact.documents.values():
            document = journal.document(sha256)
            table = _table(
                document.text if document is not None else "", "channels", channel.id, "calibration"
            )
            if table is not None:
                return Certificate(
                    *(str(table.get(key, "")) for key in ("certificate", "due", "uncertainty"))
                )
        return None
    return None


def _table(text: str, *keys: str) -> dict[str, Any] | None:
    try:
        found: Any = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else None
