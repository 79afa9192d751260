"""How things stand, for a terminal: assets with their channels, and the alarms."""

from __future__ import annotations

from rich.markup import escape
from rich.table import Table

from coldchain.cli.output import PRIORITY_STYLE, at, console
from coldchain.units import QUANTITIES
from coldchain.web.views import AlarmView, AssetView, ChannelView, Judgement, StateView

_JUDGED = {
    Judgement.INSIDE: "green",
    Judgement.OUTSIDE: "bold red",
    Judgement.NOT_KNOWN: "bold yellow",
    Judgement.UNJUDGED: "dim",
}


def print_state(state: StateView) -> None:
    """The whole state on a terminal."""
    stamp = "  [reverse] SIMULATED [/]" if state.simulated else ""
    clock = "" if state.clock.known else "  [bold yellow]CLOCK NOT KNOWN[/]"
    console.print(f"[bold]{escape(state.site)}[/]{stamp}{clock}")
    if not state.gateway.journal_ok:
        console.print(f"JOURNAL CANNOT BE WRITTEN: {escape(state.gateway.why)}", style="bold red")
    _print_assets(state.assets)
    for source in state.gateway.sources:
        if not source.up:
            console.print(
                f"source {source.id} is down: {escape(source.detail)}", style="yellow", soft_wrap=True
            )
    for sink in state.gateway.sinks:
        if not sink.ok:
            waiting = f", {sink.waiting} wait" if sink.waiting else ""
            console.print(
                f"sink {sink.id} is down{waiting}: {escape(sink.detail)}", style="yellow", soft_wrap=True
            )
    console.print()
    print_alarms(state.alarms)


def print_alarms(found: tuple[AlarmView, ...]) -> None:
    """The alarms on a terminal."""
    if not found:
        console.print("no alarms")
        return
    table = _table("priority", "alarm", "state", "since", "extreme", "limit", "open", "")
    for alarm in found:
        stamps = (
            ("UNAPPROVED", alarm.unapproved),
            ("SIMULATED", alarm.simulated),
            ("UNRECORDED", alarm.unrecorded),
        )
        table.add_row(
            f"[{PRIORITY_STYLE[alarm.priority.value]}]{alarm.priority.value.replace('_', ' ')}[/]",
            alarm.id,
            alarm.state.value.replace("_", " ") + (", latched" if alarm.latched else ""),
            at(alarm.since.ms, known=alarm.since.known),
            shown(alarm.quantity, alarm.value),
            shown(alarm.quantity, alarm.limit),
            ", ".join(str(o.number) for o in alarm.occurrences if not o.acknowledged),
            " ".join(word for word, meant in stamps if meant),
        )
    console.print(table)


def shown(quantity: str, value: int | None) -> str:
    """A value with its unit, "" for none."""
    known = QUANTITIES.get(quantity)
    return "" if value is None or known is None else f"{known.display(value)} {known.display_unit}"


def _print_assets(assets: tuple[AssetView, ...]) -> None:
    table = _table("asset", "channel", "value", "", "nearest limit", "last reading", "stage", "profile")
    for asset in assets:
        profile = asset.profile
        stamp = "" if profile is None else profile.id + ("" if profile.approved else " UNAPPROVED")
        carried = asset.consignment.id + ": " if asset.consignment is not None else ""
        for channel in asset.channels:
            table.add_row(
                escape(asset.title),
                channel.role,
                _value(channel),
                f"[{_JUDGED[channel.judgement]}]{channel.judgement.value.replace('_', ' ')}[/]",
                _nearest(channel),
                at(channel.at.ms, known=channel.at.known) if channel.at is not None else "never",
                escape(carried + asset.stage),
                stamp,
            )
        if not asset.channels:
            table.add_row(
                escape(asset.title), "—", "—", "[bold red]NOT MONITORED[/]", "", "", asset.stage, stamp
            )
    console.print(table)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _value(channel: ChannelView) -> str:
    if channel.value is None:
        return f"{channel.quality or 'nothing yet'}" + (f": {channel.reason}" if channel.reason else "")
    return shown(channel.quantity, channel.value)


def _nearest(channel: ChannelView) -> str:
    limit = next((one for one in channel.limits if one.id == channel.nearest), None)
    return "" if limit is None else f"{limit.side} {shown(channel.quantity, limit.limit)}"
