"""How things are now, for boards that show state: made of the fold, without the page."""

from __future__ import annotations

from coldchain.alarms.alarm import Alarm, unacknowledged
from coldchain.daemon.alarm_views import newest_excursion
from coldchain.daemon.views import QUALITIES
from coldchain.facts import HeadSigned
from coldchain.fold import Fold
from coldchain.model import Quality
from coldchain.pipeline.writer import Writer
from coldchain.plan import ChannelPlan
from coldchain.rules.judging import BAD
from coldchain.sinks.base import AlarmNow, AssetNow, ChannelNow, Present


def present(writer: Writer, head: HeadSigned | None = None) -> Present | None:
    """Everything a state sink shows; None before the first fact. `head`: the newest that was signed."""
    with writer.lock:
        fold = writer.fold
        if not fold.position:
            return None
        return Present(
            position=fold.position,
            arrival_ms=fold.arrival_ms,
            utc_ms=fold.timebase.utc(fold.arrival_ms),
            assets=_assets(fold),
            channels=_channels(fold),
            alarms=tuple(
                _alarm(fold, alarm, writer.failing.since_ms) for _, alarm in sorted(fold.desk.alarms.items())
            ),
            head=head,
        )


def _assets(fold: Fold) -> tuple[AssetNow, ...]:
    found = []
    profiles = {profile.id: profile for profile in fold.lane.plan.profiles}
    for asset in fold.lane.plan.assets:
        carried = fold.lane.consignment_in(asset.id)
        profile = carried.profile if carried is not None else asset.profile
        sources = {c.source for c in _bound(fold, asset.id)}
        found.append(
            AssetNow(
                asset.id,
                asset.title,
                asset.kind,
                monitored=bool(sources),
                why="" if sources else "no_channel_bound",
                consignment=carried.id if carried is not None else "",
                stage=carried.stages[-1][1] if carried is not None else asset.stage,
                profile=profile,
                unapproved=profile in profiles and not profiles[profile].approved,
                simulated=any(fold.channels.sources[source].simulated for source in sources),
            )
        )
    return tuple(found)


def _bound(fold: Fold, asset: str) -> list[ChannelPlan]:
    return [
        channel
        for channel in fold.lane.plan.channels
        if (place := fold.lane.place_of(channel.id)) is not None and place.rsplit("/", 1)[0] == asset
    ]


def _channels(fold: Fold) -> tuple[ChannelNow, ...]:
    found = []
    for channel in fold.lane.plan.channels:
        asset, _, role = (fold.lane.place_of(channel.id) or "/").rpartition("/")
        shown = fold.channels.now.get(channel.id)
        watch = fold.silence.channels.get(channel.id)
        source = fold.channels.sources[channel.source]
        at_ms = None
        if shown is not None:
            at_ms = shown.at_ms if source.sends_time else fold.timebase.printed(shown.at_ms)
        found.append(
            ChannelNow(
                channel.id,
                asset,
                role,
                channel.quantity,
                value=None if shown is None or shown.quality == BAD else shown.value,
                quality=Quality(QUALITIES[shown.quality]) if shown is not None else None,
                reason=shown.reason if shown is not None else None,
                at_ms=at_ms,
                heard_ms=shown.arrival_ms if shown is not None else None,
                stale=watch is not None and watch.silent,
                simulated=source.simulated,
            )
        )
    return tuple(found)


def _alarm(fold: Fold, alarm: Alarm, unwritten_since_ms: int | None) -> AlarmNow:
    about = fold.desk.about[alarm.id]
    newest = alarm.occurrences[-1] if alarm.occurrences else None
    excursion = newest_excursion(fold, about)
    return AlarmNow(
        alarm.id,
        alarm.priority,
        alarm.state.value,
        alarm.condition,
        since_ms=newest.since_ms if newest is not None else None,
        axis=about.axis,
        open=unacknowledged(alarm),
        latched=alarm.latched,
        shelved_until_ms=alarm.shelved_until_ms,
        value=fold.places[about.subject].standing(excursion).extreme if excursion is not None else None,
        limit=about.limit,
        quantity=about.quantity,
        unapproved=about.unapproved,
        simulated=about.simulated,
        unrecorded=(
            newest is not None
            and unwritten_since_ms is not None
            and newest.announced_ms >= unwritten_since_ms
        ),
    )
