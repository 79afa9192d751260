"""What must fit together: channels, assets, profiles, sinks.

Problems refuse the configuration. Warnings are about what may be meant and yet is often a mistake.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from coldchain.config.alarm_checks import check_alarms
from coldchain.config.amounts import amount_text, duration_text, unit_of
from coldchain.config.draft import Draft
from coldchain.config.endpoints import MqttStateSink
from coldchain.config.loaded import Source
from coldchain.config.needs import unmet
from coldchain.config.positions import Place
from coldchain.config.problems import dotted, listed, nearest
from coldchain.config.profile_file import Profile
from coldchain.config.reaching import check_reach
from coldchain.config.rule_tables import LimitTable, RuleTable
from coldchain.config.settings import AssetSettings, ChannelSettings
from coldchain.driver import AS_SENT
from coldchain.units import QUANTITIES

#: A reading counts until the next one, or for this many intervals. Our judgement: one missed reading is
#: ordinary, two in a row are a gap (docs/configuration.md).
GAP_INTERVALS = 3


def interval_ms(channel: ChannelSettings, source: Source) -> int | None:
    """How often the channel is sampled: as stated, or as often as its source is asked."""
    if channel.interval is not None:
        return channel.interval
    return source.settings.poll if source.polled else None


def max_gap_ms(channel: ChannelSettings, interval: int) -> int:
    """After how long without a reading the channel's time is unmonitored."""
    return channel.max_gap if channel.max_gap is not None else GAP_INTERVALS * interval


def stage_of(asset: AssetSettings, profile: Profile) -> str | None:
    """The stage an asset is judged in by default; None if it must be said."""
    if asset.stage is not None:
        return asset.stage
    return next(iter(profile.head.stages)) if len(profile.head.stages) == 1 else None


def check_all(draft: Draft) -> None:
    """Check everything that spans tables."""
    for name, channel in draft.channels.items():
        _check_channel(draft, name, channel)
    _check_unique(draft)
    measured: dict[str, dict[str, str]] = {}  # asset -> role -> channel
    for name, channel in draft.channels.items():
        measured.setdefault(channel.asset, {}).setdefault(channel.role, name)
    # A channel that is wrong, or is lost on an asset that does not exist, may be the one that an asset lacks.
    assets = draft.written("assets")
    whole = len(draft.channels) == len(draft.written("channels")) and measured.keys() <= assets.keys()
    for name, asset in draft.assets.items():
        _check_asset(draft, name, asset, measured.get(name, {}), whole=whole)
    _check_endpoints(draft)
    _check_retention(draft)
    check_alarms(draft)


def _check_retention(draft: Draft) -> None:
    if draft.retention is not None and not (draft.evidence.key_file or draft.evidence.key_env):
        why = "a removal that nobody signed cannot be told from a theft"
        draft.refuse(("retention",), why, "write [evidence] key_file (coldchain key new FILE)")


def _check_channel(draft: Draft, name: str, channel: ChannelSettings) -> None:
    place: Place = ("channels", name)
    draft.must_exist("assets", channel.asset, (*place, "asset"))
    _check_calibration(draft, place, channel)
    if not draft.must_exist("sources", channel.source, (*place, "source")):
        return
    source = draft.resolved.get(channel.source)
    if source is None:
        return
    if channel.key not in source.keys:
        meant = nearest(channel.key, source.keys)
        mend = f'did you mean "{meant}"?' if meant else f"it sends: {listed(source.keys)}"
        draft.refuse((*place, "key"), f'sources.{channel.source} does not send "{channel.key}"', mend)
    else:
        _check_unit(draft, place, channel, source.keys[channel.key])
    _check_times(draft, place, channel, source)


def _check_unit(draft: Draft, place: Place, channel: ChannelSettings, sent: str) -> None:
    quantity = QUANTITIES[channel.quantity]
    at = (*place, "unit") if channel.unit else (*place, "quantity")
    if sent == AS_SENT:
        if channel.unit:
            draft.refuse(at, f'"{channel.key}" comes with its own unit each time', "leave out unit")
        return
    if sent and channel.unit and quantity.units.get(sent) != quantity.units.get(channel.unit):
        draft.refuse(
            at, f'unit "{channel.unit}" contradicts the device, which sends "{sent}"', "leave out unit"
        )
        return
    unit = sent or channel.unit
    if not unit:
        draft.refuse(
            (*place, "unit"),
            f'is missing: no unit is known for "{channel.key}"',
            f'write the unit that the device means, such as unit = "{quantity.display_unit}"',
        )
    elif unit not in quantity.units:
        found = unit_of(unit)
        mend = f'write quantity = "{found[0].name}"' if found else f"write one of {', '.join(quantity.units)}"
        draft.refuse(at, f'unit "{unit}" is no unit of {quantity.name}', mend)


def _check_times(draft: Draft, place: Place, channel: ChannelSettings, source: Source) -> None:
    interval = interval_ms(channel, source)
    if interval is None:
        if not source.polled:
            draft.refuse(
                (*place, "interval"), "is missing: the device is not polled", 'write interval = "60 s"'
            )
        return
    poll = source.settings.poll
    if source.polled and poll is not None and interval < poll:
        draft.refuse(
            (*place, "interval"),
            f"{duration_text(interval)} is shorter than the poll of {duration_text(poll)}",
            f"leave it out, or poll sources.{source.id} more often",
        )
    if channel.upload is not None and channel.upload < interval:
        draft.refuse(
            (*place, "upload"), "is shorter than interval", "leave it out, or write the longer of the two"
        )
    a_round = max(interval, channel.upload or 0, poll or 0)
    if channel.fresh_within < a_round:
        draft.refuse(
            (*place, "fresh_within"),
            f"{duration_text(channel.fresh_within)} is shorter than one round of {duration_text(a_round)}: "
            "a device in order would count as silent",
            f'write at least "{duration_text(a_round)}"',
        )
    if channel.max_gap is not None and channel.max_gap < interval:
        draft.refuse(
            (*place, "max_gap"),
            f"{duration_text(channel.max_gap)} is shorter than the interval of {duration_text(interval)}: "
            "the product would count as unmonitored between any two readings",
            f'write at least "{duration_text(interval)}"',
        )


def _check_calibration(draft: Draft, place: Place, channel: ChannelSettings) -> None:
    if channel.calibration is None:
        return
    here = (*place, "calibration")
    amounts = [((*here, "uncertainty"), channel.calibration.uncertainty)]
    for index, point in enumerate(channel.calibration.points):
        amounts.append(((*here, "points", index, "at"), point.at))
        amounts.append(((*here, "points", index, "correction"), point.correction))
    for at, amount in amounts:
        if amount.quantity != channel.quantity:
            unit = QUANTITIES[channel.quantity].display_unit
            draft.refuse(
                at, f'"{amount.text}" is a {amount.quantity}, not a {channel.quantity}', f"write it in {unit}"
            )
    values = [point.at.quanta for point in channel.calibration.points]
    for index in range(1, len(values)):
        if values[index] <= values[index - 1]:
            draft.refuse(
                (*here, "points", index, "at"),
                "is not above the point before it",
                "sort the points, each value once",
            )


def _check_unique(draft: Draft) -> None:
    roles: dict[tuple[str, str], str] = {}
    keys: dict[tuple[str, str], str] = {}
    for name, channel in draft.channels.items():
        first = roles.setdefault((channel.asset, channel.role), name)
        if first != name:
            draft.refuse(
                ("channels", name, "role"),
                f'role "{channel.role}" of assets.{channel.asset} is already measured by '
                f"{dotted(('channels', first))}",
                "give each probe of an asset a role of its own",
            )
        first = keys.setdefault((channel.source, channel.key), name)
        if first != name:
            draft.refuse(
                ("channels", name, "key"),
                f'"{channel.key}" of sources.{channel.source} already is {dotted(("channels", first))}',
                "let each key be one channel",
            )


def _check_asset(
    draft: Draft, name: str, asset: AssetSettings, measured: Mapping[str, str], *, whole: bool
) -> None:
    place: Place = ("assets", name)
    if not measured and not asset.logged and whole:
        draft.warn(place, "no channel measures it", "add a channel with this asset, or remove the asset")
    if asset.profile is None:
        draft.warn(place, "no limit judges it outside of a consignment", "write profile")
        return
    profile = draft.limits.get(asset.profile)
    if profile is None:
        return
    stage = _check_stage(draft, place, asset, profile)
    if stage is None:
        return
    for role, key in measured.items():
        rules = {name: rule for name, rule in profile.rules.items() if role in rule.roles()}
        _check_probe(draft, ("channels", key), draft.channels[key], profile, stage, rules)
        if rules:
            check_reach(draft, ("channels", key), draft.channels[key], asset, profile, rules)
        _doubt_needs(draft, ("channels", key), draft.channels[key], profile)
    if whole:
        _check_roles(draft, place, profile, stage, {*measured, *asset.logged})


def _check_stage(draft: Draft, place: Place, asset: AssetSettings, profile: Profile) -> str | None:
    stage = stage_of(asset, profile)
    if stage is None:
        draft.refuse((*place, "stage"), "is missing", f"write stage, one of {listed(profile.head.stages)}")
        return None
    if stage not in profile.head.stages:
        meant = nearest(stage, profile.head.stages)
        mend = f'did you mean "{meant}"?' if meant else f"there are: {listed(profile.head.stages)}"
        draft.refuse((*place, "stage"), f'profile {asset.profile} has no stage "{stage}"', mend)
        return None
    return stage


def _check_roles(draft: Draft, place: Place, profile: Profile, default: str, present: set[str]) -> None:
    """Whether the asset has what each stage judges.

    Must be so in the stage it is in by default. Another stage is for other assets if this one has nothing of
    it; if it has a part, the rest was probably forgotten.
    """
    for stage in profile.head.stages:
        judged = {
            role
            for name, rule in profile.rules.items()
            if stage in profile.holds_in(name)
            for role in rule.roles()
        }
        missing = judged - present
        if not missing or (stage != default and not judged & present):
            continue
        say = draft.refuse if stage == default else draft.warn
        say(
            (*place, "profile"),
            f"{profile.head.id} judges {listed(missing)} in stage {stage}, "
            "and no channel of this asset has that role",
            f"roles here: {listed(present)}; add a channel, choose another profile, or write "
            f"logged = {json.dumps(sorted(missing))} if loggers' files tell it after a trip",
        )


def _check_probe(
    draft: Draft,
    place: Place,
    channel: ChannelSettings,
    profile: Profile,
    stage: str,
    rules: Mapping[str, RuleTable],
) -> None:
    """Whether a channel can serve the rules of its role: its quantity, its range, its pace.

    What only another stage asks for is doubtful, not wrong: the asset may never be in it.
    """
    wanted = {named for rule in rules.values() if (named := rule.quantity()) is not None}
    if unlike := sorted(wanted - {channel.quantity}):
        draft.refuse(
            (*place, "quantity"),
            f'{profile.head.id} judges a {unlike[0]} as "{channel.role}", not a {channel.quantity}',
            "correct the channel's role or its quantity",
        )
        return
    quantity = QUANTITIES[channel.quantity]
    unseen: dict[int, list[str]] = {}
    for name, rule in rules.items():
        for value in rule.values():
            if not channel.valid_low.quanta < value.quanta < channel.valid_high.quanta:
                unseen.setdefault(value.quanta, []).append(name)
    for limit, names in unseen.items():
        end = "valid_low" if limit <= channel.valid_low.quanta else "valid_high"
        say = draft.refuse if any(stage in profile.holds_in(name) for name in names) else draft.warn
        say(
            (*place, end),
            f"a probe valid from {channel.valid_low.text} to {channel.valid_high.text} cannot see both sides "
            f"of {amount_text(quantity, limit)}, a limit of {profile.head.id} ({listed(names)})",
            "use a probe that can, or correct its range",
        )
    _doubt_pace(draft, place, channel, profile, rules)


def _doubt_needs(draft: Draft, place: Place, channel: ChannelSettings, profile: Profile) -> None:
    source = draft.resolved.get(channel.source)
    interval = interval_ms(channel, source) if source else None
    uncertainty = channel.calibration.uncertainty if channel.calibration else None
    for need in profile.head.needs.values():
        if need.role != channel.role:
            continue
        for key, what, mend in unmet(need, channel.probe, interval, uncertainty):
            draft.warn((*place, key), f"{what}, and {profile.head.id} needs it so ({need.source})", mend)


def _doubt_pace(
    draft: Draft,
    place: Place,
    channel: ChannelSettings,
    profile: Profile,
    rules: Mapping[str, RuleTable],
) -> None:
    source = draft.resolved.get(channel.source)
    interval = interval_ms(channel, source) if source else None
    if interval is None:
        return
    pace = max(interval, channel.upload or 0)
    for name, rule in rules.items():
        if isinstance(rule, LimitTable) and rule.fires is None and 0 < rule.hold < 3 * pace:
            draft.warn(
                place,
                f"readings {duration_text(pace)} apart are few for {duration_text(rule.hold)}, the hold of "
                f"{profile.head.id} ({name})",
                f'state in the profile that it fires "at_due" or "on_reading" (now: {rule.fires_or_default})',
            )


def _check_endpoints(draft: Draft) -> None:
    for name, sink in draft.sinks.items():
        if isinstance(sink, MqttStateSink):
            draft.must_exist("brokers", sink.broker, ("sinks", name, "broker"))
    clients: dict[tuple[str, int, str], str] = {}
    for name, broker in draft.brokers.items():
        first = clients.setdefault((broker.host, broker.port_number, broker.client_id), name)
        if first != name:
            draft.refuse(
                ("brokers", name, "client_id"),
                f'"{broker.client_id}" is also used by brokers.{first}: '
                "the broker would close one for the other",
                "give each connection a client_id of its own",
            )
