"""From silence to alarms: what is said when somebody has not been heard for too long."""

from __future__ import annotations

from coldchain.announcements import Announcement, Late
from coldchain.fold.deadlines import Deadline, DueKind
from coldchain.fold.desk import About, Desk, late_reason
from coldchain.fold.silence import NOTHING_HEARD, Silence
from coldchain.plan import SourcePlan


def deadline_of(silence: Silence, channel: str) -> Deadline | None:
    """When a channel's silence falls due, if it is watched and not silent."""
    watch = silence.channels.get(channel)
    if watch is None or watch.due_ms is None:
        return None
    return Deadline(watch.due_ms, watch.place, "silence", DueKind.SILENCE)


def alarm_of(silence: Silence, channel: str) -> str:
    """The id of a watched channel's own alarm."""
    return f"{silence.channels[channel].place}/silence"


def fell_silent(
    silence: Silence,
    desk: Desk,
    channel: str,
    deadline: Deadline,
    arrival_ms: int,
    late: Late,
    source: SourcePlan,
) -> tuple[str, list[Announcement]]:
    """A silence fell due: the channel's alarm, or one that stands for those of many channels.

    Answers the alarm's id and what is said ("" and nothing if another alarm stands for it already).
    """
    watch = silence.channels[channel]
    since_ms, due_ms = watch.since_ms, watch.due_event_ms
    if not silence.fell_due(channel, deadline.journal_ms):
        return "", []
    reason = late_reason(deadline.journal_ms, arrival_ms, late)
    return raised(silence, desk, channel, since_ms, due_ms, arrival_ms, reason, source)


def raised(
    silence: Silence,
    desk: Desk,
    channel: str,
    since_ms: int,
    due_ms: int,
    arrival_ms: int,
    late: Late | None,
    source: SourcePlan,
) -> tuple[str, list[Announcement]]:
    """Raise the alarm of a silent channel, or the one that stands for it; its id and what is said."""
    watch = silence.channels[channel]
    plan, detail = watch.plan, {}
    if watch.stands:
        alarm = watch.stands
        covered = silence.covered(alarm)
        subject = "gateway" if alarm == NOTHING_HEARD else alarm.split(":", 1)[1]
        plan = silence.most_urgent(alarm) or plan
        if not alarm.startswith("port:"):
            detail = {"sources": ",".join(sorted(covered))}
    else:
        subject, alarm = watch.place, f"{watch.place}/silence"
    about = About(
        alarm=alarm,
        rule="silence",
        subject=subject,
        priority=plan.silence_priority,
        re_alarm_ms=plan.re_alarm_ms,
        axis="" if source.sends_time else "journal",
        simulated=source.simulated,
    )
    excursion = f"{alarm}@{since_ms}"
    said = desk.raise_(about, excursion, since_ms, due_ms, arrival_ms, late=late, detail=detail)
    return alarm, said
