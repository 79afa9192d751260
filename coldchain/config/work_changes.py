"""What differs between two kinds of work of one name: what hides more alarms, or for longer, is wider."""

from __future__ import annotations

from coldchain.config.amounts import duration_text
from coldchain.config.rule_changes import Change, Way
from coldchain.config.work_tables import ProfileWorkTable
from coldchain.model import Priority

_URGENT_FIRST = [str(priority) for priority in Priority]


def work_changes(before: ProfileWorkTable, after: ProfileWorkTable) -> tuple[Change, ...]:
    """Each key that differs. How work begins and how it shows that it is done cannot be compared."""
    found = []
    if before.longest != after.longest:
        way = Way.WIDER if after.longest > before.longest else Way.NARROWER
        found.append(Change("longest", duration_text(before.longest), duration_text(after.longest), way))
    old, new = set(before.hides), set(after.hides)
    if old != new:
        way = Way.NARROWER if new < old else Way.WIDER
        found.append(Change("hides", ", ".join(before.hides), ", ".join(after.hides), way))
    if before.priority != after.priority:
        calmer = _URGENT_FIRST.index(after.priority) > _URGENT_FIRST.index(before.priority)
        way = Way.WIDER if calmer else Way.NARROWER
        found.append(Change("priority", before.priority, after.priority, way))
    if before.going_on_when != after.going_on_when:
        found.append(Change("going_on_when", _cause(before), _cause(after), Way.OTHER))
    if before.done_when != after.done_when:
        found.append(Change("done_when", _sign(before), _sign(after), Way.OTHER))
    found += [
        Change(key, str(getattr(before, key)), str(getattr(after, key)), Way.TEXT)
        for key in ("title", "advice", "source", "confidence")
        if getattr(before, key) != getattr(after, key)
    ]
    return tuple(found)


def _cause(work: ProfileWorkTable) -> str:
    cause = work.going_on_when
    return f"{cause.role} {cause.side} {cause.value.text}" if cause is not None else "none"


def _sign(work: ProfileWorkTable) -> str:
    sign = work.done_when
    if sign is None:
        return "none"
    after = " after its end" if sign.after_end else ""
    waits = f" within {duration_text(sign.within)}" if sign.within else ""
    return f"{sign.role} {sign.moves} by {sign.by.text}{after}{waits}"
