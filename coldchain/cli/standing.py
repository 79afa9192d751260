"""How things stand, for a terminal: vessels with their channels, and the alarms.

Lines are never folded into columns: a narrow terminal wraps them, and a pipe gets them whole.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.text import Text

from coldchain.cli.output import PRIORITY_STYLE, at, console
from coldchain.model import Priority, Side
from coldchain.units import QUANTITIES
from coldchain.web.alarm_views import AlarmView, WorkView
from coldchain.web.views import AssetView, ChannelView, Judgement, LimitView, StateView

_JUDGED = {
    Judgement.INSIDE: "green",
    Judgement.OUTSIDE: "bold red",
    Judgement.NOT_KNOWN: "bold yellow",
    Judgement.UNJUDGED: "dim",
}

_GRAVEST = tuple(Priority)

#: A piece of a line and its style.
_Piece = tuple[str, str]


def print_state(state: StateView) -> None:
    """The whole state on a terminal."""
    head: list[_Piece] = [(state.site, "bold")]
    if state.simulated:
        head += [("  ", ""), (" SIMULATED ", "reverse")]
    if not state.clock.known:
        head += [("  CLOCK NOT KNOWN", "bold yellow")]
    _print(head)
    if not state.gateway.journal_ok:
        _print([(f"JOURNAL CANNOT BE WRITTEN: {state.gateway.why}", "bold red")])
    for source in state.gateway.sources:
        if not source.up:
            _print([(f"source {source.id} is down: {source.detail or 'not reached yet'}", "yellow")])
        elif source.says:
            said = ", ".join(f"{key} {text}" for key, text in source.says.items())
            _print([(f"source {source.id}: {said}", "dim")])
    for sink in state.gateway.sinks:
        if not sink.ok:
            waiting = f", {sink.waiting} waiting" if sink.waiting else ""
            _print([(f"sink {sink.id} is down{waiting}: {sink.detail}", "yellow")])
    for asset in state.assets:
        _print_asset(asset)
    console.print()
    print_alarms(state.alarms)


def print_alarms(found: Sequence[AlarmView]) -> None:
    """The alarms on a terminal, two lines each."""
    if not found:
        console.print("no alarms")
    for alarm in found:
        priority = alarm.priority.value.replace("_", " ")
        state = alarm.state.value.replace("_", " ") + (", latched" if alarm.latched else "")
        marks = (
            ("SIMULATED", alarm.simulated),
            ("UNAPPROVED", alarm.unapproved),
            ("UNRECORDED", alarm.unrecorded),
        )
        _print(
            [
                (f"{priority:<9}", PRIORITY_STYLE[alarm.priority.value]),
                (alarm.id, "bold"),
                (f"  {state}", ""),
                ("".join(f"  {word}" for word, meant in marks if meant), "dim"),
            ]
        )
        words = [f"since {at(alarm.since.ms, known=alarm.since.known)}"]
        if alarm.limit is not None:
            reached = f"{shown(alarm.quantity, alarm.value)}, " if alarm.value is not None else ""
            words.append(f"{reached}limit {shown(alarm.quantity, alarm.limit)}")
        open_ = [str(each.number) for each in alarm.occurrences if not each.acknowledged]
        if open_:
            words.append(f"open {', '.join(open_)}")
        if alarm.shelf is not None and alarm.shelf.until is not None:
            words.append(f"until {at(alarm.shelf.until.ms, known=alarm.shelf.until.known)}")
        _print([(" " * 9 + "  ".join(words), "dim")])


def shown(quantity: str, value: int | None) -> str:
    """A value with its unit, "" for none."""
    known = QUANTITIES.get(quantity)
    return "" if value is None or known is None else f"{known.display(value)} {known.display_unit}"


def _print_asset(asset: AssetView) -> None:
    carried = [f"{asset.consignment.id}:"] if asset.consignment is not None else []
    profile = [] if asset.profile is None else [asset.profile.id]
    if asset.profile is not None and not asset.profile.approved:
        profile.append("UNAPPROVED")
    words = [*carried, *([asset.stage] if asset.stage else []), *profile]
    named = asset.title if asset.title == asset.id else f"{asset.title} ({asset.id})"
    console.print()
    _print([(named, "bold"), ("  " + " ".join(words), "dim")])
    if not asset.channels:
        _print([("  NOT MONITORED", "bold red")])
    rows = [_channel(channel) for channel in asset.channels]
    widths = [max(len(row[i][0]) for row in rows) for i in range(len(rows[0]))] if rows else []
    for row in rows:
        padded = [(f"{text:<{width}}  ", style) for (text, style), width in zip(row, widths, strict=True)]
        _print([("  ", ""), *padded])
    for work in asset.works:
        _print([("  ", ""), *_work(work)])


def _channel(channel: ChannelView) -> list[_Piece]:
    judged = channel.judgement
    last = at(channel.at.ms, known=channel.at.known) if channel.at is not None else "never"
    return [
        (channel.role, ""),
        (_value(channel), "bold"),
        (judged.value.replace("_", " "), _JUDGED[judged]),
        (_limit(channel), "dim"),
        (_watched(channel), "dim"),
        (last, "dim"),
        (_blind(channel), "yellow"),
    ]


def _work(work: WorkView) -> list[_Piece]:
    """One work: whose alarms are hidden until when, by whom and why, or what is missing to its end."""
    words = [work.title or work.work, f"since {at(work.since.ms, known=work.since.known)}"]
    if work.until is not None:
        words.append(f"until {at(work.until.ms, known=work.until.known)}")
    words.append("by readings" if work.by_readings else f"by {work.by}")
    if work.comment:
        words.append(f'"{work.comment}"')
    where = f"{work.scope}: " if "/" in work.scope else ""
    hides = f"hides {', '.join(work.hides)}" if work.hides else "OUT OF SERVICE"
    state = {"awaited": "sign awaited", "unconfirmed": "END NOT CONFIRMED"}.get(work.state, hides)
    return [(f"{where}{state}", "bold yellow"), (f"  {'  '.join(words)}", "dim")]


def _watched(channel: ChannelView) -> str:
    """Coverage: GOOD time over the product's time, rounded down, so that "100 %" is all of it."""
    if channel.good_ms is None or not channel.product_ms:
        return ""
    permille = 1000 * min(channel.good_ms, channel.product_ms) // channel.product_ms
    return f"watched {permille // 10}.{permille % 10} %" if permille < 1000 else "watched 100 %"


def _blind(channel: ChannelView) -> str:
    """How long it was without some of its alarms, in whole minutes; while it lasts only that it is."""
    if channel.blind_at_journal_ms is not None:
        return "BLIND NOW"
    return f"blind {channel.blind_ms // 60_000} min" if channel.blind_ms >= 60_000 else ""


def _print(pieces: Sequence[_Piece]) -> None:
    line = Text()
    for text, style in pieces:
        line.append(text, style=style)
    line.rstrip()
    console.print(line)


def _value(channel: ChannelView) -> str:
    if channel.value is None:
        return f"{channel.quality or 'nothing yet'}" + (f": {channel.reason}" if channel.reason else "")
    return shown(channel.quantity, channel.value)


def _limit(channel: ChannelView) -> str:
    """The limit that says most: of those it is outside of the gravest, as on the page, else the nearest."""
    limit = next((one for one in channel.limits if one.id == channel.nearest), None)
    if channel.judgement is Judgement.OUTSIDE and channel.value is not None:
        violated = [one for one in channel.limits if one.allowance_ms is None and _over(one, channel.value)]
        limit = min(violated, key=lambda one: _GRAVEST.index(one.priority), default=limit)
    return "" if limit is None else f"{limit.side} {shown(channel.quantity, limit.limit)}"


def _over(limit: LimitView, value: int) -> bool:
    return value > limit.limit if limit.side is Side.ABOVE else value < limit.limit
