"""From the fold's state to what people are shown. Reads only; the caller holds the writer's lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from coldchain.alarms.alarm import Alarm
from coldchain.alarms.table import AlarmState
from coldchain.fold import Fold
from coldchain.fold.desk import About
from coldchain.fold.excursions import Excursion
from coldchain.fold.history import quality_of
from coldchain.fold.place import Place
from coldchain.model import Quality
from coldchain.plan import AssetPlan, Budget, ChannelPlan, Limit, Rule
from coldchain.ports import SourceStatus
from coldchain.rules.book import JUDGES
from coldchain.rules.judging import BAD, evidence_outside
from coldchain.web.views import (
    AlarmView,
    AssetView,
    ChannelView,
    CitedView,
    ConsignmentView,
    Extreme,
    Instant,
    Judgement,
    LimitView,
    OccurrenceView,
    ProfileView,
    ShelfView,
    SourceView,
    TakenView,
    ToldView,
)

#: The trend is told over this span of the recent past.
TREND_MS = 10 * 60_000

#: UTC of an instant of journal time, None where the clock was never known.
Printed = Callable[[int], int | None]

QUALITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)


@dataclass
class Notes:
    """What the journal knows of an alarm beside the fold: who did what, who was told."""

    taken: list[TakenView] = field(default_factory=list)
    shelved_by: str = ""
    shelved_why: str = ""
    detail: dict[str, str] = field(default_factory=dict)
    positions: list[int] = field(default_factory=list)
    unrecorded: bool = False


@dataclass(frozen=True)
class Lens:
    """Everything a view needs beside the fold."""

    fold: Fold
    titles: Mapping[str, str]
    notes: Mapping[str, Notes]
    told: Callable[[str], tuple[ToldView, ...]]
    probes: Mapping[str, str]

    def instant(self, at_ms: int, *, journal: bool) -> Instant:
        """An event time for people."""
        if not journal:
            return Instant(at_ms, self.fold.timebase.known)
        utc_ms = self.fold.timebase.printed(at_ms)
        return Instant(at_ms if utc_ms is None else utc_ms, utc_ms is not None)

    def journal_axis(self, channel: ChannelPlan) -> bool:
        """Whether a channel's event times are journal time."""
        return not self.fold.channels.sources[channel.source].sends_time


def assets(lens: Lens) -> tuple[AssetView, ...]:
    """Every asset of the plan, in its order."""
    return tuple(_asset(lens, asset) for asset in lens.fold.lane.plan.assets)


def _asset(lens: Lens, asset: AssetPlan) -> AssetView:
    fold = lens.fold
    plan = fold.lane.plan
    here = [
        (place, channel)
        for channel in plan.channels
        if (name := fold.lane.place_of(channel.id)) is not None
        and name.rsplit("/", 1)[0] == asset.id
        and (place := fold.places.get(name)) is not None
    ]
    channels = tuple(_channel(lens, place, channel) for place, channel in here)
    carried = fold.lane.consignment_in(asset.id)
    profile_id = carried.profile if carried is not None else asset.profile
    profile = next((p for p in plan.profiles if p.id == profile_id), None)
    stage = carried.stages[-1][1] if carried is not None else asset.stage
    if not stage and profile is not None and len(profile.stages) == 1:
        stage = profile.stages[0].name
    titles = {s.name: s.title for s in profile.stages} if profile is not None else {}
    judgements = {channel.judgement for channel in channels}
    worst = next(
        (j for j in (Judgement.OUTSIDE, Judgement.NOT_KNOWN, Judgement.INSIDE) if j in judgements),
        Judgement.UNJUDGED,
    )
    consignment = None
    if carried is not None:
        since = carried.stages[-1][0]
        consignment = ConsignmentView(
            id=carried.id,
            stage=stage,
            started=_when(lens, carried.started.journal_ms, carried.started.utc_ms),
            stage_title=titles.get(stage, ""),
            stage_since=_when(lens, since.journal_ms, since.utc_ms),
            eta=None if carried.eta_ms is None else Instant(carried.eta_ms),
            units=len(carried.units),
        )
    return AssetView(
        id=asset.id,
        title=asset.title or asset.id,
        kind=asset.kind,
        judgement=worst,
        channels=channels,
        stage=stage,
        stage_title=titles.get(stage, ""),
        stages=tuple(s.name for s in profile.stages) if profile is not None else (),
        consignment=consignment,
        profile=ProfileView(profile.id, profile.version, profile.approved, profile.title)
        if profile
        else None,
        monitored=bool(channels),
        why="" if channels else "no_channel_bound",
        simulated=any(channel.simulated for channel in channels),
    )


def _when(lens: Lens, journal_ms: int, utc_ms: int | None) -> Instant:
    return Instant(utc_ms) if utc_ms is not None else lens.instant(journal_ms, journal=True)


def _channel(lens: Lens, place: Place, channel: ChannelPlan) -> ChannelView:
    fold = lens.fold
    shown = fold.channels.now.get(channel.id)
    watch = fold.silence.channels.get(channel.id)
    journal = lens.journal_axis(channel)
    rules = [rule for rule, _ in place.track.running]
    open_ = {rule.id: interval for rule, interval in place.track.standing(place.track.at_ms or 0)}
    known = shown is not None and shown.quality != BAD and not (watch is not None and watch.silent)
    if not known:
        judgement = Judgement.NOT_KNOWN
    elif not rules:
        judgement = Judgement.UNJUDGED
    else:
        out = any(rule.id in open_ for rule in rules if isinstance(rule, Limit))
        judgement = Judgement.OUTSIDE if out else Judgement.INSIDE
    meter = place.track.meter
    limits = [rule for rule in rules if isinstance(rule, Limit)]
    value = shown.value if shown is not None and shown.quality != BAD else None
    nearest = (
        min(((_distance(rule, value), rule.id) for rule in limits), default=None)
        if value is not None
        else None
    )
    starts = [open_[rule.id].start_ms for rule in limits if rule.id in open_]
    return ChannelView(
        id=channel.id,
        role=place.name.rsplit("/", 1)[1],
        quantity=channel.quantity,
        judgement=judgement,
        fresh_within_ms=channel.fresh_within_ms,
        title=lens.titles.get(channel.id, ""),
        quality=QUALITIES[shown.quality] if shown is not None else None,
        reason=shown.reason if shown is not None else None,
        value=value,
        at=lens.instant(shown.at_ms, journal=journal) if shown is not None else None,
        heard_at_journal_ms=_heard(lens, shown.at_ms, shown.arrival_ms, journal=journal) if shown else None,
        limits=tuple(_limit(place, rule) for rule in rules),
        nearest=nearest[1] if nearest is not None else "",
        distance=nearest[0] if nearest is not None else None,
        outside_since=lens.instant(min(starts), journal=journal) if starts else None,
        per_minute=_trend(lens, channel, shown.at_ms) if known and shown is not None else None,
        since=lens.instant(meter.since_ms, journal=journal) if meter.since_ms else None,
        least=_extreme(lens, meter.low, meter.low_ms, journal=journal),
        greatest=_extreme(lens, meter.high, meter.high_ms, journal=journal),
        good_ms=meter.good_ms if meter.since_ms else None,
        product_ms=(place.track.at_ms or meter.since_ms) - meter.since_ms if meter.since_ms else None,
        probe=lens.probes.get(channel.id, channel.probe),
        simulated=fold.channels.sources[channel.source].simulated,
    )


def _heard(lens: Lens, at_ms: int, arrival_ms: int, *, journal: bool) -> int:
    reckoned = at_ms if journal else lens.fold.timebase.journal(at_ms)
    return arrival_ms if reckoned is None else min(reckoned, arrival_ms)


def _distance(rule: Rule, value: int) -> int:
    return rule.limit - value if rule.side.value == "above" else value - rule.limit


def _extreme(lens: Lens, value: int | None, at_ms: int, *, journal: bool) -> Extreme | None:
    return None if value is None else Extreme(value, lens.instant(at_ms, journal=journal))


def _trend(lens: Lens, channel: ChannelPlan, at_ms: int) -> int | None:
    history = lens.fold.channels.histories[channel.id]
    i = len(history) - 1
    last = first = None
    while i >= 0 and history.at[i] >= at_ms - TREND_MS:
        if quality_of(history.code[i]) != BAD:
            first = (history.at[i], history.value[i])
            last = last or first
        i -= 1
    if last is None or first is None or last[0] == first[0]:
        return None
    return round((last[1] - first[1]) * 60_000 / (last[0] - first[0]))


def _limit(place: Place, rule: Rule) -> LimitView:
    budget = isinstance(rule, Budget)
    spent = None
    spending = False
    if isinstance(rule, Budget):
        state = next(s for r, s in place.track.running if r is rule)
        at_ms = place.track.at_ms or 0
        interval = JUDGES[Budget].standing(rule, state, place.track.last, at_ms, place.track.max_gap_ms)
        spent = interval.outside_ms if interval is not None else 0
        spending = place.track.last is not None and evidence_outside(rule, place.track.last)
    return LimitView(
        id=rule.id,
        side=rule.side,
        limit=rule.limit,
        cited=CitedView(rule.cited.source, rule.cited.confidence, rule.cited.approved_by),
        title=rule.title,
        outside=rule.outside,
        priority=rule.priority,
        hold_ms=rule.hold_ms if isinstance(rule, Limit) else 0,
        allowance_ms=rule.allowance_ms if isinstance(rule, Budget) else None,
        spent_ms=spent,
        spending=spending,
        spent_at_journal_ms=place.journal_ms(place.track.at_ms or 0) if budget and spending else None,
    )


def alarms(lens: Lens) -> tuple[AlarmView, ...]:
    """Every alarm that is not Normal, most urgent first, then newest."""
    found = [
        _alarm(lens, alarm, lens.fold.desk.about[name])
        for name, alarm in lens.fold.desk.alarms.items()
        if alarm.state is not AlarmState.NORMAL
    ]
    order = {"critical": 0, "high": 1, "low": 2, "to_know": 3}
    return tuple(sorted(found, key=lambda a: (order[a.priority.value], -a.since.ms, a.id)))


def newest_excursion(fold: Fold, about: About) -> Excursion | None:
    """The newest excursion behind an alarm that was announced; None if its rule knows none."""
    place = fold.places.get(about.subject)
    if place is None:
        return None
    mine = [each for each in place.ledger.all() if each.rule.id == about.rule and each.announced]
    return mine[-1] if mine else None


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
    asset = about.subject.rsplit("/", 1)[0] if "/" in about.subject else ""
    kind = {"silence": "silence", "clock": "gateway"}.get(about.rule, "limit")
    if about.subject == "gateway":
        kind = "gateway"
    elif alarm.id.startswith("port:"):
        kind = "port"
    elif isinstance(rule, Budget):
        kind = "budget"
    channel = place.track.channel if place is not None else None
    shelf = None
    if alarm.shelved_until_ms is not None:
        until = lens.instant(alarm.shelved_until_ms, journal=True)
        shelf = ShelfView(until, notes.shelved_by, notes.shelved_why)
    started = lens.instant(newest.since_ms, journal=journal) if newest else Instant(0, known=False)
    return AlarmView(
        id=alarm.id,
        kind=kind,
        title=(rule.title if rule is not None else "") or about.rule,
        priority=alarm.priority,
        state=alarm.state,
        since=started,
        announced=lens.instant(newest.announced_ms, journal=True) if newest else started,
        occurrences=tuple(
            OccurrenceView(
                number=each.number,
                since=lens.instant(each.since_ms, journal=journal),
                announced=lens.instant(each.announced_ms, journal=True),
                due=lens.instant(each.due_ms, journal=journal),
                ended=None if each.returned_ms is None else lens.instant(each.returned_ms, journal=True),
                acknowledged=each.acknowledged_ms is not None,
            )
            for each in alarm.occurrences
        ),
        asset=asset,
        channel=channel.id if channel is not None else "",
        active=alarm.condition,
        latched=alarm.latched,
        due=lens.instant(newest.due_ms, journal=journal) if newest else None,
        value=place.standing(excursion).extreme if place is not None and excursion is not None else None,
        limit=about.limit,
        side=rule.side if rule is not None else None,
        quantity=about.quantity,
        hold_ms=rule.hold_ms if isinstance(rule, Limit) else 0,
        cited=CitedView(rule.cited.source, rule.cited.confidence, rule.cited.approved_by) if rule else None,
        advice=rule.advice if rule is not None else "",
        detail=notes.detail,
        told=lens.told(alarm.id),
        taken=tuple(notes.taken),
        shelf=shelf,
        re_alarm=None
        if alarm.next_re_alarm_ms is None
        else lens.instant(alarm.next_re_alarm_ms, journal=True),
        can_reset=alarm.latched and not alarm.condition and alarm.state is AlarmState.ACKNOWLEDGED,
        can_close=not fold.judged(alarm.id),
        unrecorded=notes.unrecorded,
        unapproved=about.unapproved,
        simulated=about.simulated,
    )


def source(status: SourceStatus, printed: Printed) -> SourceView:
    """How a source is doing; one that was not tried yet is not up."""
    since = None
    if status.since_ms is not None:
        utc_ms = printed(status.since_ms)
        since = Instant(status.since_ms if utc_ms is None else utc_ms, utc_ms is not None)
    return SourceView(
        status.id, status.driver, status.up is True, since, status.detail, simulated=status.simulated
    )


def limits(place: Place) -> tuple[LimitView, ...]:
    """The limits in force at a place."""
    return tuple(_limit(place, rule) for rule, _ in place.track.running)
