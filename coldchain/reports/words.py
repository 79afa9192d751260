"""Times, durations and limits in words, for reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from coldchain.model import Side
from coldchain.plan import (
    Age,
    BoilOff,
    Bound,
    Budget,
    HoldLeft,
    KineticMean,
    Limit,
    Outside,
    Per,
    Plugged,
    Rate,
    Rolling,
    Rule,
    Spike,
    Stuck,
    TimeToLimit,
)
from coldchain.units import QUANTITIES

_STEPS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s"))


def iso(at_ms: int, zone: tzinfo) -> str:
    """An instant as ISO 8601 with offset and milliseconds."""
    return _at(at_ms, zone).isoformat(timespec="milliseconds")


def clock(at_ms: int, zone: tzinfo) -> str:
    """An instant for a table: to the second, without its offset (which the head of a report says once)."""
    return f"{_at(at_ms, zone):%Y-%m-%d %H:%M:%S}"


def offset(at_ms: int, zone: tzinfo) -> str:
    """The offset from UTC in force at an instant, such as "+01:00"."""
    return _at(at_ms, zone).isoformat()[-6:]


def _at(at_ms: int, zone: tzinfo) -> datetime:
    return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)).astimezone(zone)


def duration(span_ms: int) -> str:
    """A duration in its two largest units: "20 h 30 min", "9 min 12 s", "0 s"."""
    if 0 < span_ms < 1000:
        return f"{span_ms} ms"
    parts = []
    rest = span_ms
    for size, name in _STEPS:
        count, rest = divmod(rest, size)
        if count:
            parts.append(f"{count} {name}")
    return " ".join(parts[:2]) or "0 s"


def value(quantity: str, quanta: int) -> str:
    """A value with its unit, with as many decimals as it needs and at least those that people are shown."""
    kind = QUANTITIES[quantity]
    whole, rest = divmod(abs(quanta), kind.per_display)
    digits = f"{rest:0{len(str(kind.per_display)) - 1}d}".rstrip("0").ljust(kind.decimals, "0")
    return f"{'−' if quanta < 0 else ''}{whole}{'.' + digits if digits else ''} {kind.display_unit}"


def celsius(value_mc: int) -> str:
    """A temperature with its unit, with as many decimals as it needs and at least one."""
    return value("temperature", value_mc)


def limit(rule: Rule, quantity: str = "temperature") -> str:
    """What a rule calls outside, and for how long: "above 8.0 °C for 30 min"."""
    match rule:
        case Limit():
            held = f" for {duration(rule.hold_ms)}" if rule.hold_ms else ""
            return f"{_beyond(rule, quantity)}{held}"
        case Budget() | Rolling():
            reached = "" if rule.exceeded is Outside.AT_OR_BEYOND else "more than "
            within = f"within {duration(rule.window_ms)}" if isinstance(rule, Rolling) else _TOTAL[rule.per]
            return f"{_beyond(rule, quantity)} for {reached}{duration(rule.allowance_ms)} {within}"
        case KineticMean():
            return (
                f"mean kinetic temperature of {duration(rule.window_ms)} above {value(quantity, rule.limit)}"
            )
        case Rate():
            way = "rise" if rule.side is Side.ABOVE else "fall"
            return f"{way} of {value(quantity, rule.limit)} within {duration(rule.within_ms)}"
        case TimeToLimit():
            return f"less than {duration(rule.horizon_ms)} left until {value(quantity, rule.limit)}"
        case HoldLeft():
            return f"nitrogen not lasting until arrival and {duration(rule.reserve_ms)} more"
        case BoilOff():
            return f"loss of nitrogen above {rule.percent} % of the vessel's own"
        case Age():
            return f"more than {duration(rule.max_ms)} since {rule.since or 'this stage began'}"
        case Stuck():
            return f"the same value for {duration(rule.for_ms)}"
        case Spike():
            return f"jump of more than {value(quantity, rule.limit)} between two readings"
        case Plugged():
            return rule.title or f"{rule.kind} of another package"


def _beyond(rule: Bound, quantity: str) -> str:
    side = "above" if rule.side is Side.ABOVE else "below"
    on = "at or " if rule.outside is Outside.AT_OR_BEYOND else ""
    return f"{on}{side} {value(quantity, rule.limit)}"


_TOTAL = {Per.PRODUCT: "in total", Per.STAGE: "in this stage", Per.DAY: "in a day"}


def share(part_ms: int, whole_ms: int) -> str:
    """A part of a time in per cent: rounded down, so that "100 %" means all of it; "–" of no time at all."""
    if whole_ms <= 0:
        return "–"
    permille = 1000 * min(part_ms, whole_ms) // whole_ms
    return f"{permille // 10}.{permille % 10} %" if permille < 1000 else "100 %"
