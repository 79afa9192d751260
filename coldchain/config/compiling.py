"""From tables to the plan: the one place where a configuration turns into what the fold judges by."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from coldchain.config.checks import interval_ms, max_gap_ms, stage_of
from coldchain.config.loaded import Loaded, Source
from coldchain.config.profile_file import Profile
from coldchain.config.settings import SHELF_MAX_MS, ChannelSettings, Settings
from coldchain.config.zone import offsets
from coldchain.model import Priority
from coldchain.plan import (
    OUT_OF_SERVICE,
    AssetPlan,
    CalibrationPoint,
    ChannelPlan,
    Cited,
    FloodPlan,
    Plan,
    ProfilePlan,
    Rule,
    SourcePlan,
    Work,
)


def plan_of(loaded: Loaded) -> Plan:
    """What a configuration means to the fold: a pure function of what was loaded."""
    settings = loaded.settings
    again = settings.alarms.re_alarm
    contacts = tuple(contact.compile(name) for name, contact in settings.contacts.items())
    return Plan(
        site=settings.site.name,
        sources=tuple(_source(source) for source in loaded.sources.values()),
        channels=tuple(
            _channel(name, channel, loaded.sources[channel.source], again)
            for name, channel in settings.channels.items()
        ),
        assets=tuple(
            AssetPlan(
                id=name,
                kind=asset.kind,
                title=asset.title,
                profile=asset.profile or "",
                stage=(stage_of(asset, loaded.profiles[asset.profile]) or "") if asset.profile else "",
                empty_mass=asset.tare_mass.quanta if asset.tare_mass else None,
                loss_per_day=asset.loss_per_day.quanta if asset.loss_per_day else None,
                qualified_hold_ms=asset.qualified_hold,
                reserves=tuple(asset.reserve.items()),
            )
            for name, asset in settings.assets.items()
        ),
        profiles=tuple(_profile(profile, again) for profile in loaded.profiles.values()),
        works=tuple(_said_again(work, again) for work in _works(settings)),
        shelf_max_ms={
            priority: settings.alarms.shelve_max.get(priority, SHELF_MAX_MS) for priority in Priority
        },
        contacts=contacts,
        flood=FloodPlan(
            settings.alarms.flood.within,
            settings.alarms.flood.begins_above,
            settings.alarms.flood.ends_below,
        ),
        escalation=settings.escalation.compile(),
        zone=offsets(settings.site.time_zone) if any(each.quiet for each in contacts) else (),
    )


def _works(settings: Settings) -> Iterator[Work]:
    """The site's kinds of work, and how long alarms may be out of service without one."""
    longest = settings.alarms.out_of_service_max
    if longest is not None:
        cited = Cited("alarms.out_of_service_max of the site", "high")
        advice = "Ask who took it out of service whether the work is done, and see that everything works."
        yield Work(OUT_OF_SERVICE, longest, cited, advice=advice)
    for name, work in settings.works.items():
        yield work.compile(name)


def _said_again(work: Work, again: Mapping[Priority, int]) -> Work:
    return replace(work, re_alarm_ms=again.get(work.priority))


def _source(source: Source) -> SourcePlan:
    return SourcePlan(
        id=source.id,
        driver=source.driver.name,
        round_ms=source.round_ms,
        clock_tolerance_ms=source.settings.clock_tolerance,
        sends_time=source.driver.sends_time(source.driver_settings),
        numbered=source.driver.numbers_readings(source.driver_settings),
        simulated=source.settings.simulated,
        link=source.settings.broker or (source.settings.port or "").rsplit("/", 1)[-1],
    )


def _channel(
    name: str, channel: ChannelSettings, source: Source, again: Mapping[Priority, int]
) -> ChannelPlan:
    interval = interval_ms(channel, source)
    assert interval is not None  # else a problem was raised
    points = channel.calibration.points if channel.calibration else ()
    return ChannelPlan(
        id=name,
        source=channel.source,
        quantity=channel.quantity,
        asset=channel.asset,
        role=channel.role,
        interval_ms=interval,
        fresh_within_ms=channel.fresh_within,
        max_gap_ms=max_gap_ms(channel, interval),
        valid_low=channel.valid_low.quanta,
        valid_high=channel.valid_high.quanta,
        unit=channel.unit,
        probe=channel.probe or "",
        calibration=tuple(CalibrationPoint(point.at.quanta, point.correction.quanta) for point in points),
        silence_priority=channel.silence_priority,
        re_alarm_ms=again.get(channel.silence_priority),
        touch=channel.touch.quanta if channel.touch is not None else None,
        uncertainty=channel.calibration.uncertainty.quanta if channel.calibration else 0,
        certificate=channel.calibration.certificate if channel.calibration else "",
        calibration_ahead_ms=channel.calibration.announce_ahead if channel.calibration else None,
        calibration_due_ms=_due_ms(channel.calibration.due) if channel.calibration else None,
    )


def _due_ms(due: dt.date) -> int:
    """The end of the day to which a certificate holds, UTC."""
    return int(dt.datetime.combine(due, dt.time(), dt.UTC).timestamp() + 86_400) * 1000


def _profile(profile: Profile, again: Mapping[Priority, int]) -> ProfilePlan:
    """The profile with the site's re-alarm times where a rule has none of its own, and the roles judged."""
    plan = profile.plan

    def whole(rule: Rule) -> Rule:
        stated = rule.re_alarm_ms
        return replace(rule, re_alarm_ms=again.get(rule.priority) if stated is None else stated)

    def roles(stage: str) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, table in profile.rules.items():
            if stage in profile.holds_in(name):
                for role in table.roles():
                    found[role] = table.quantity() or found.get(role, "")
        return found

    stages = tuple(
        replace(stage, rules=tuple(whole(rule) for rule in stage.rules), roles=roles(stage.name))
        for stage in plan.stages
    )
    works = tuple(_said_again(work, again) for work in plan.works)
    return replace(plan, stages=stages, works=works)
