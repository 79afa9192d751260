"""From silence to alarms: what is said when somebody has not been heard for too long."""

from __future__ import annotations

from coldchain.announcements import Announcement, Kind, Late
from coldchain.fold.deadlines import Deadline, DueKind
from coldchain.fold.desk import About, Desk, late_reason
from coldchain.fold.silence import Silence, Verdict
from coldchain.model import Priority
from coldchain.plan import SourcePlan


def deadline_of(silence: Silence, channel: str, place: str | None) -> Deadline | None:
    """When a channel's silence falls due, if it is watched and not silent."""
    watch = silence.channels.get(channel)
    if watch is None or watch.due_ms is None:
        return None
    return Deadline(watch.due_ms, place or channel, "silence", DueKind.SILENCE)


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
    newest_ms, plan = watch.newest_ms, watch.plan
    verdict = silence.fell_due(channel, deadline.journal_ms)
    if verdict is Verdict.STOOD_FOR:
        return "", []
    own = verdict is Verdict.CHANNEL
    subject = deadline.subject if own else plan.source
    alarm = f"{subject}/silence" if own else f"port:{subject}"
    about = About(
        alarm=alarm,
        rule="silence",
        subject=subject,
        priority=plan.silence_priority,
        re_alarm_ms=plan.re_alarm_ms,
        axis="" if source.sends_time else "journal",
        simulated=source.simulated,
    )
    said = desk.raise_(
        about,
        f"{alarm}@{newest_ms}",
        newest_ms,
        newest_ms + plan.fresh_within_ms + 1,
        arrival_ms,
        late=late_reason(deadline.journal_ms, arrival_ms, late),
    )
    return alarm, said


def was_not_running(from_ms: int, to_ms: int, down_ms: int | None) -> Announcement:
    """The note about a span in which nobody watched; `down_ms` None: its length is not known."""
    return Announcement(
        Kind.NOTE,
        subject="gateway",
        priority=Priority.TO_KNOW,
        text="not_running",
        since_ms=from_ms,
        end_ms=to_ms,
        axis="journal",
        detail={"length": "unknown"} if down_ms is None else {"down_ms": str(down_ms)},
    )
