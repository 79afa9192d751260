"""An announcement as one English sentence, for receivers that show people a line of text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from coldchain.alarms.table import AlarmState
from coldchain.announcements import Announcement, Kind
from coldchain.units import QUANTITIES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_KINDS = {
    Kind.RAISED: "raised",
    Kind.RETURNED: "returned to normal",
    Kind.ACKNOWLEDGED: "acknowledged",
    Kind.SHELVED: "shelved",
    Kind.UNSHELVED: "taken off the shelf",
    Kind.RESET: "reset",
    Kind.CLOSED: "closed",
    Kind.RE_ALARMED: "still not normal",
    Kind.SUPPRESSED: "suppressed by design",
    Kind.UNSUPPRESSED: "no longer suppressed",
    Kind.OUT_OF_SERVICE: "taken out of service",
    Kind.IN_SERVICE: "back in service",
    Kind.WORK_BEGAN: "work began",
    Kind.WORK_ENDED: "work ended",
    Kind.WORK_CONFIRMED: "end of work confirmed",
    Kind.BLIND_BEGAN: "without some of its alarms",
    Kind.BLIND_ENDED: "with all its alarms again",
    Kind.ESCALATED: "taken up by nobody yet",
    Kind.REFUSED: "request refused",
    Kind.EXCURSION_ENDED: "excursion ended",
    Kind.EXCURSION_REVISED: "excursion revised by late evidence",
    Kind.NOT_CONFIRMED: "not confirmed by late evidence",
    Kind.EXCURSION_RESOLVED: "excursion resolved, its time given back to budgets",
    Kind.EXCURSION_REOPENED: "excursion no longer resolved, its time counts again",
    Kind.FLOOD_BEGAN: "more alarms than a person can take in; low ones are told together at the end",
    Kind.FLOOD_ENDED: "flood of alarms over",
    Kind.NOTE: "note",
}

#: The text of the one announcement that stands for many (`notice_drain.py`), and how its detail names alarms.
WHILE_UNREACHABLE, ALARM_OF_MANY = "while_unreachable", "alarm "
#: Alarms that a sentence names; a telephone shows no more.
_NAMED_MAX = 5


def iso(utc_ms: int | None) -> str | None:
    """A UTC time in ms as RFC 3339 text; None for None and for what no calendar holds."""
    at = at_utc(utc_ms) if utc_ms is not None else None
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z") if at is not None else None


def at_utc(utc_ms: int) -> datetime | None:
    """A UTC time in ms; None for what no calendar holds."""
    try:
        return _EPOCH + timedelta(milliseconds=utc_ms)
    except OverflowError:
        return None


def quantity_of(quantity: str, value: int) -> str:
    """A value in the unit people read, with the unit; "" for a quantity that is not known."""
    known = QUANTITIES.get(quantity)
    return f"{known.display(value)} {known.display_unit}" if known is not None else ""


def utc_of(announcement: Announcement, event_ms: int | None) -> str | None:
    """One of an announcement's event times as text, None where its axis is not UTC."""
    return None if announcement.axis == "journal" else iso(event_ms)


def sentence(announcement: Announcement) -> str:
    """What happened, to what, how far, since when; simulated and unapproved first, where nobody misses it."""
    marks = [
        word
        for word, is_so in (
            ("SIMULATED", announcement.simulated),
            ("UNAPPROVED LIMIT", announcement.unapproved),
        )
        if is_so
    ]
    if announcement.priority is not None:
        marks.append(announcement.priority.value.replace("_", " ").upper())
    what = announcement.alarm or announcement.subject or "gateway"
    words = _KINDS[announcement.kind]
    if announcement.kind is Kind.NOT_CONFIRMED and announcement.detail.get("why") == "given_back":
        words = "within its budget again: an excursion was resolved"
    if announcement.text and (announcement.kind is Kind.NOTE or not announcement.alarm):
        words = announcement.text.replace("_", " ")
    parts = [_of_many(announcement) if announcement.text == WHILE_UNREACHABLE else f"{what} {words}"]
    quantity = announcement.quantity
    if announcement.value is not None and (value := quantity_of(quantity, announcement.value)):
        parts.append(value)
    if announcement.limit is not None and (limit := quantity_of(quantity, announcement.limit)):
        parts.append(f"limit {limit}")
    if since := utc_of(announcement, announcement.since_ms):
        parts.append(f"since {since}")
    if announcement.late is not None:
        parts.append(announcement.late.value.replace("_", " "))
    if announcement.actor:
        parts.append(f"by {announcement.actor}")
    if announcement.comment:
        parts.append(f"“{announcement.comment}”")
    return f"{' '.join(f'[{mark}]' for mark in marks)} {', '.join(parts)}".strip()


def _of_many(announcement: Announcement) -> str:
    """What there is to know at night: how many messages were missed, and how each alarm stands."""
    count = announcement.detail.get("count", "")
    said = f"while you were unreachable: {count} message{'' if count == '1' else 's'}"
    alarms = [
        (key.removeprefix(ALARM_OF_MANY), state.replace("_", " "))
        for key, state in reversed(announcement.detail.items())
        if key.startswith(ALARM_OF_MANY)
    ]
    alarms.sort(key=lambda alarm: alarm[1] == AlarmState.NORMAL)  # what still asks for somebody comes first
    stands = [f"{alarm} {state}" for alarm, state in alarms[:_NAMED_MAX]]
    more = len(alarms) - len(stands) + int(announcement.detail.get("more_alarms", 0))
    if more:
        stands.append(f"{more} more alarm{'' if more == 1 else 's'}")
    return "; ".join([said, *stands])


def details(announcement: Announcement) -> list[tuple[str, str]]:
    """The announcement, a line a thing, for a letter; what it does not say is left out."""
    quantity = announcement.quantity
    lines = [
        ("alarm", announcement.alarm),
        ("state", announcement.state.replace("_", " ")),
        ("priority", announcement.priority.value.replace("_", " ") if announcement.priority else ""),
        ("occurrence", str(announcement.occurrence or "")),
        ("value", quantity_of(quantity, announcement.value) if announcement.value is not None else ""),
        ("limit", quantity_of(quantity, announcement.limit) if announcement.limit is not None else ""),
        ("since", utc_of(announcement, announcement.since_ms) or ""),
        ("certain at", utc_of(announcement, announcement.due_ms) or ""),
        ("ended", utc_of(announcement, announcement.end_ms) or ""),
        ("late", announcement.late.value.replace("_", " ") if announcement.late else ""),
        ("by", announcement.actor),
        ("comment", announcement.comment),
        ("called", ", ".join(announcement.to)),
        *((key.replace("_", " "), value) for key, value in announcement.detail.items()),
    ]
    return [(key, value) for key, value in lines if value]
