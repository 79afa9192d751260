"""From silence to alarms: what is said when somebody has not been heard for too long."""

from __future__ import annotations

from coldchain.announcements import Announcement, Late
from coldchain.fold.deadlines import Deadline, DueKind
from coldchain.fold.desk import About, Desk, late_reason
from coldchain.fold.silence import Silence, Verdict
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
    """A silence fell due: the channel's alarm, or its source's that stands for all its channels.

    Answers the alarm's id and what is said ("" and nothing if another alarm stands for it already).
    """
    watch = silence.channels[channel]
    since_ms, due_ms = watch.since_ms, watch.due_event_ms
    verdict = silence.fell_due(channel, deadline.journal_ms)
    if verdict is Verdict.STOOD_FOR:
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
    """Raise the alarm of a silent channel, or of its source if that is down; its id and what is said."""
    watch = silence.channels[channel]
    plan = watch.plan
    if watch.stood_for:
        subject, alarm = plan.source, f"port:{plan.source}"
        plan = silence.most_urgent(plan.source) or plan
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
    said = desk.raise_(about, f"{alarm}@{since_ms}", since_ms, due_ms, arrival_ms, late=late)
    return alarm, said
