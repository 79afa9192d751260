"""From the fold's state to what people are shown. Reads only; the caller holds the writer's lock."""

from __future__ import annotations

from coldchain.daemon import work_views
from coldchain.daemon.hold_views import hold
from coldchain.daemon.lens import Label, Lens, Printed
from coldchain.fold.history import quality_of
from coldchain.fold.place import Place
from coldchain.model import Quality
from coldchain.plan import AssetPlan, Bound, ChannelPlan, Limit, bounds
from coldchain.ports import SourceStatus
from coldchain.rules.judging import BAD, GOOD, evidence_outside
from coldchain.web.plain_views import CitedView, Instant
from coldchain.web.views import (
    AssetView,
    ChannelView,
    ConsignmentView,
    Extreme,
    Judgement,
    LimitView,
    ProfileView,
    SourceView,
)

#: The trend is told over this span of the recent past.
TREND_MS = 10 * 60_000

QUALITIES = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD)


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
        hold=hold(here),
        monitored=bool(channels),
        why="" if channels else "no_channel_bound",
        simulated=any(channel.simulated for channel in channels),
        works=work_views.works(lens, asset.id),
        work_choices=work_views.choices(lens, asset.id),
    )


def _when(lens: Lens, journal_ms: int, utc_ms: int | None) -> Instant:
    return Instant(utc_ms) if utc_ms is not None else lens.instant(journal_ms, journal=True)


def _channel(lens: Lens, place: Place, channel: ChannelPlan) -> ChannelView:
    fold = lens.fold
    label = lens.labels.get(channel.id, Label())
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
    last = place.track.last
    counted_ms = meter.since_ms if last is None else max(last.at_ms, meter.since_ms)
    counts_at_ms = place.journal_ms(counted_ms) if meter.since_ms else None
    counts_for_ms = place.track.max_gap_ms if last is not None and last.quality == GOOD else 0
    blind_ms, blind_at_ms = work_views.blind_ms(lens, place)
    starts = [open_[rule.id].start_ms for rule in limits if rule.id in open_]
    return ChannelView(
        id=channel.id,
        role=place.name.rsplit("/", 1)[1],
        quantity=channel.quantity,
        judgement=judgement,
        fresh_within_ms=channel.fresh_within_ms,
        title=label.title,
        quality=QUALITIES[shown.quality] if shown is not None else None,
        reason=shown.reason if shown is not None else None,
        value=value,
        at=lens.instant(shown.at_ms, journal=journal) if shown is not None else None,
        heard_at_journal_ms=_heard(lens, shown.at_ms, shown.arrival_ms, journal=journal) if shown else None,
        limits=tuple(_limit(place, rule) for rule in bounds(rules)),
        nearest=nearest[1] if nearest is not None else "",
        distance=nearest[0] if nearest is not None else None,
        outside_since=lens.instant(min(starts), journal=journal) if starts else None,
        per_minute=_trend(lens, channel, shown.at_ms) if known and shown is not None else None,
        since=lens.instant(meter.since_ms, journal=journal) if meter.since_ms else None,
        least=_extreme(lens, meter.low, meter.low_ms, journal=journal),
        greatest=_extreme(lens, meter.high, meter.high_ms, journal=journal),
        good_ms=meter.good_ms if meter.since_ms else None,
        product_ms=counted_ms - meter.since_ms if meter.since_ms else None,
        counts_at_journal_ms=counts_at_ms,
        good_until_journal_ms=None if counts_at_ms is None else counts_at_ms + counts_for_ms,
        probe=" ".join(filter(None, (channel.probe, label.serial))),
        calibration_due=label.calibration_due,
        simulated=fold.channels.sources[channel.source].simulated,
        blind_ms=blind_ms,
        blind_at_journal_ms=blind_at_ms,
    )


def _heard(lens: Lens, at_ms: int, arrival_ms: int, *, journal: bool) -> int:
    reckoned = at_ms if journal else lens.fold.timebase.journal(at_ms)
    return arrival_ms if reckoned is None else min(reckoned, arrival_ms)


def _distance(rule: Limit, value: int) -> int:
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


def _limit(place: Place, rule: Bound) -> LimitView:
    last, at_ms = place.track.last, place.track.at_ms or 0
    spent = None
    if not isinstance(rule, Limit):
        spent = place.track.spent_ms(rule)
    spending = spent is not None and last is not None and evidence_outside(rule, last)
    return LimitView(
        id=rule.id,
        side=rule.side,
        limit=rule.limit,
        cited=CitedView(rule.cited.source, rule.cited.confidence, rule.cited.approved_by),
        title=rule.title,
        outside=rule.outside,
        priority=rule.priority,
        hold_ms=rule.hold_ms if isinstance(rule, Limit) else 0,
        allowance_ms=None if isinstance(rule, Limit) else rule.allowance_ms,
        spent_ms=spent,
        spending=spending,
        spent_at_journal_ms=place.journal_ms(at_ms) if spending else None,
    )


def source(status: SourceStatus, printed: Printed) -> SourceView:
    """How a source is doing; one that was not tried yet is not up."""
    since = None
    if status.since_ms is not None:
        utc_ms = printed(status.since_ms)
        since = Instant(status.since_ms if utc_ms is None else utc_ms, utc_ms is not None)
    return SourceView(
        status.id,
        status.driver,
        status.up is True,
        since,
        status.detail,
        simulated=status.simulated,
        says=status.says,
    )


def limits(place: Place) -> tuple[LimitView, ...]:
    """The limits in force at a place."""
    return tuple(_limit(place, rule) for rule in bounds(rule for rule, _ in place.track.running))
