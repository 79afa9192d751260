"""Alarms as people are shown them. Reads only; the caller holds the writer's lock."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from coldchain.alarms.alarm import Alarm, Occurrence, next_step_ms
from coldchain.alarms.table import HIDDEN_STATES, AlarmState
from coldchain.announcements import Announcement
from coldchain.daemon.lens import Lens, Notes
from coldchain.daemon.work_views import veil_over
from coldchain.fold import Fold
from coldchain.fold.desk import About
from coldchain.fold.excursions import Excursion
from coldchain.fold.place import Place
from coldchain.fold.silence import NOTHING_HEARD
from coldchain.plan import Budget, Limit, Rule
from coldchain.rules.book import judge_of
from coldchain.web.alarm_views import AlarmView, CalledView, OccurrenceView, ShelfView, TakenView
from coldchain.web.plain_views import CitedView, Instant

#: Of occurrences whose details are forgotten so many are shown at a time.
_OLDER = 200


def alarms(lens: Lens) -> tuple[AlarmView, ...]:
    """Every alarm that is not Normal, most urgent first, then newest."""
    found = [
        _alarm(lens, alarm, lens.fold.desk.about[name])
        for name, alarm in lens.fold.desk.alarms.items()
        if alarm.state is not AlarmState.NORMAL
    ]
    order = {"critical": 0, "high": 1, "low": 2, "to_know": 3}
    return tuple(sorted(found, key=lambda a: (order[a.priority.value], -a.since.ms, a.id)))


def _occurrence(
    lens: Lens, each: Occurrence, place: Place | None, notes: Notes, *, journal: bool
) -> OccurrenceView:
    behind = None
    if place is not None:
        behind = next((one for one in place.ledger.all() if one.id == each.excursion), None)
    return OccurrenceView(
        number=each.number,
        since=lens.instant(each.since_ms, journal=journal),
        announced=lens.instant(each.announced_ms, journal=True),
        due=lens.instant(each.due_ms, journal=journal),
        ended=None if each.returned_ms is None else lens.instant(each.returned_ms, journal=True),
        late=notes.late.get(each.number),
        value=place.standing(behind).extreme if place is not None and behind is not None else None,
        acknowledged=each.acknowledged_ms is not None,
        confirmed=each.excursion not in notes.denied,
    )


def _without_details(alarm: Alarm) -> list[OccurrenceView]:
    """Older occurrences, over and unacknowledged, of which only the numbers are known; some at a time."""
    numbers = (number for first, last in alarm.backlog for number in range(first, last + 1))
    gone = Instant(0, known=False)
    return [OccurrenceView(number, gone, gone, ended=gone) for number in islice(numbers, _OLDER)]


def _last_confirmed(
    lens: Lens, alarm: Alarm, place: Place | None, rule: Rule | None, *, journal: bool
) -> Instant | None:
    """The last reading that showed the condition, while it lasts; None where none is at hand."""
    if not alarm.condition or place is None or rule is None or place.track.last is None:
        return None
    last = place.track.last
    state = next((state for mine, state in place.track.running if mine.id == rule.id), None)
    shows = state is not None and judge_of(rule).shows(rule, state, last)
    return lens.instant(last.at_ms, journal=journal) if shows else None


def newest_excursion(fold: Fold, about: About) -> Excursion | None:
    """The newest excursion behind an alarm that was announced; None if its rule knows none."""
    place = fold.places.get(about.subject)
    if place is None:
        return None
    mine = [each for each in place.ledger.all() if each.rule.id == about.rule and each.announced]
    return mine[-1] if mine else None


def _called(lens: Lens, alarm: Alarm, notes: Notes) -> Iterator[CalledView]:
    """Who was called, who is held back, and who is next."""
    for who in alarm.told:
        yield CalledView(who, notes.called.get(who))
    for who in alarm.held:
        yield CalledView(who, held=True)
    steps = lens.fold.desk.steps(alarm.priority)
    next_ms = next_step_ms(alarm, steps)
    if next_ms is not None:
        due = lens.instant(next_ms, journal=True)
        known = (*alarm.told, *alarm.held)
        yield from (CalledView(who, due=due) for who in steps[alarm.called].to if who not in known)


def _shelf(lens: Lens, until: Instant, said: Announcement | None) -> ShelfView:
    return (
        ShelfView(until) if said is None else ShelfView(until, lens.text(said.actor), lens.text(said.comment))
    )


def _taken(lens: Lens, at: Instant, said: Announcement) -> TakenView:
    return TakenView(lens.text(said.actor), at, said.occurrences, lens.text(said.comment))


def _alarm(lens: Lens, alarm: Alarm, about: About) -> AlarmView:
    fold = lens.fold
    place = fold.places.get(about.subject)
    rule, excursion = None, newest_excursion(fold, about)
    if place is not None:
        rule = next((r for r, _ in place.track.running if r.id == about.rule), None)
        rule = rule or (excursion.rule if excursion is not None else None)
    journal = about.axis == "journal"
    notes = lens.notes.get(alarm.id, Notes())
    newest = alarm.occurrences[-1] if alarm.occurrences else None
    asset = about.subject.rsplit("/", 1)[0] if "/" in about.subject or about.rule == "work" else ""
    kind = {"silence": "silence", "clock": "gateway"}.get(about.rule, "limit")
    if about.subject == "gateway":
        kind = "nothing_heard" if alarm.id == NOTHING_HEARD else "gateway"
    elif alarm.id.startswith(("port:", "link:", "work:")):
        kind = alarm.id.split(":", 1)[0]
    elif isinstance(rule, Budget):
        kind = "budget"
    channel = place.track.channel if place is not None else None
    shelf = None
    if alarm.shelved_until_ms is not None:
        until = lens.instant(alarm.shelved_until_ms, journal=True)
        shelf = _shelf(lens, until, notes.shelved)
    elif alarm.state in HIDDEN_STATES:
        shelf = veil_over(lens, about)
    title, advice = (rule.title, rule.advice) if rule is not None else ("", "")
    if kind == "work" and (done := fold.lane.works_at(asset).get(notes.detail.get("work", ""))) is not None:
        title, advice = done.title or done.id, done.advice
    group, first = fold.desk.groups.of(about.subject, alarm.id)
    started = lens.instant(newest.since_ms, journal=journal) if newest else Instant(0, known=False)
    return AlarmView(
        id=alarm.id,
        kind=kind,
        title=title or about.rule,
        priority=alarm.priority,
        state=alarm.state,
        since=started,
        announced=lens.instant(newest.announced_ms, journal=True) if newest else started,
        occurrences=(
            *_without_details(alarm),
            *(_occurrence(lens, each, place, notes, journal=journal) for each in alarm.occurrences),
        ),
        asset=asset,
        channel=channel.id if channel is not None else "",
        active=alarm.condition,
        latched=alarm.latched,
        due=lens.instant(newest.due_ms, journal=journal) if newest else None,
        late=notes.late.get(newest.number) if newest else None,
        last_confirmed=_last_confirmed(lens, alarm, place, rule, journal=journal),
        value=place.standing(excursion).extreme if place is not None and excursion is not None else None,
        limit=about.limit,
        side=rule.side if rule is not None else None,
        quantity=about.quantity,
        hold_ms=rule.hold_ms if isinstance(rule, Limit) else 0,
        cited=CitedView(rule.cited.source, rule.cited.confidence, rule.cited.approved_by) if rule else None,
        advice=advice,
        detail={word: value for word, value in notes.detail.items() if word != "held"},
        told=lens.told(alarm.id),
        taken=tuple(_taken(lens, at, said) for at, said in notes.taken),
        called=tuple(_called(lens, alarm, notes)),
        group=group,
        first_in_group=first,
        shelf=shelf,
        shelf_max_ms=fold.lane.plan.shelf_max_ms.get(alarm.priority),
        re_alarm=None
        if alarm.next_re_alarm_ms is None
        else lens.instant(alarm.next_re_alarm_ms, journal=True),
        can_reset=alarm.latched and not alarm.condition and alarm.state is AlarmState.ACKNOWLEDGED,
        can_close=not fold.judged(alarm.id),
        unrecorded=notes.unrecorded,
        unapproved=about.unapproved,
        simulated=about.simulated,
    )
