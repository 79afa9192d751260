"""The outbox on its way to people: at least once each, and nothing stale poured over them.

A notice leaves the outbox when the receiver has taken it, when the receiver says it will never take it, or
when it has grown older than the sink's `max_age`: then it is folded, with all others as old, into one that
says "while you were unreachable", how many there were and how each alarm stood last.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs

from coldchain.announcements import Announcement, Kind, decode, encode
from coldchain.clock import Clock
from coldchain.journal import Deliveries, Notice, Pending
from coldchain.model import Priority
from coldchain.sinks.announced import Announced
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import Message, Misconfigured, NoticeSink, Pulse, Rejected, Unreachable, Unwilling
from coldchain.sinks.thread import News, Report, Reporter, Stepped
from coldchain.sinks.wording import ALARM_OF_MANY, WHILE_UNREACHABLE

#: Notices read, and folded, at a time.
BATCH = 200
#: So many refusals in a row to take anything now, and the receiver is left alone for a while.
_UNWILLING_MAX = 3
#: The longest time without a look: a notice put off before we started is not known until then.
_LOOK_S = 30.0
#: Alarms that a folded notice names; more are counted.
_ALARMS_MAX = 50
#: Receipts kept in memory that the journal does not have yet.
_TOLD_MAX = 2_000

_URGENCY = list(Priority)


class NoticeDrain:
    """Brings one journal's outbox to one notice sink."""

    def __init__(
        self,
        name: str,
        sink: NoticeSink,
        open_journal: Callable[[], Deliveries],
        clock: Clock,
        backoff: Backoff,
        report: Reporter,
    ) -> None:
        self._name = name
        self._sink = sink
        self._clock = clock
        self._backoff = backoff
        self._report = report
        self._journal = open_journal()
        self._announced = Announced(self._journal)
        self._told: dict[str, str] = {}
        self._reached = False
        self._beat_due_s = clock.real_s()
        self._put_off_ms: dict[str, int] = {}

    def step(self) -> Stepped:
        """Fold what is too old, tell what is due, beat."""
        now_ms = self._clock.journal_ms()
        self._reached = False
        while self._fold(now_ms):
            pass
        more = self._tell(now_ms)
        self._beat()
        return Stepped(0.0 if more else self._wait_s(), self._reached)

    def urge(self, message: Message) -> None:
        """Tell what is in no journal; its notice, when it is recorded after all, is not told again.

        Its key is nobody else's: if we die before it is recorded, another announcement takes its place in the
        journal, and a receiver that knows the key would take that one for a repeat.
        """
        own = f"{message.key}-unrecorded-{message.announced_ms}"
        try:
            receipt = self._sink.tell(structs.replace(message, key=own))
        except Rejected as error:
            self._report(Report(self._name, News.REFUSED, error.why, error.mend, 1))
            return
        self._remember(message.key, f"told unrecorded: {receipt}")

    def close(self) -> None:
        """Let go of journal and receiver."""
        self._journal.close()
        self._sink.close()

    # --- Telling

    def _tell(self, now_ms: int) -> bool:
        """Tell what is due, oldest first; whether there is more."""
        due = self._journal.pending(self._name, now_ms, BATCH)
        unwilling: Unwilling | None = None
        in_a_row = 0
        for pending in due:
            notice = pending.notice
            if (receipt := self._told.get(notice.id)) is not None:
                self._journal.done(self._name, {notice.id: receipt}, now_ms)
                del self._told[notice.id]
                continue
            try:
                receipt = self._sink.tell(self._message(pending, now_ms))
            except Rejected as error:
                self._journal.refused(self._name, notice.id, error.why, self._clock.journal_ms())
                self._report(Report(self._name, News.REFUSED, error.why, error.mend, 1))
                self._reached = True
            except Unwilling as error:
                # One notice that the receiver stumbles over must not stop those behind it.
                self._put_off(pending, error)
                unwilling, in_a_row = error, in_a_row + 1
                if in_a_row >= _UNWILLING_MAX:
                    raise
            except (Unreachable, Misconfigured) as error:
                # Nothing to do with this notice: the whole sink waits, and this one is first again.
                self._journal.failed(self._name, notice.id, error.why, self._clock.journal_ms())
                raise
            else:
                # Kept until it is written: with the disk full nobody is called again for want of a receipt.
                self._remember(notice.id, receipt)
                self._journal.done(self._name, {notice.id: receipt}, self._clock.journal_ms())
                del self._told[notice.id]
                self._put_off_ms.pop(notice.id, None)
                in_a_row = 0
                self._reached = True
                # Also where the next one fails: one that takes some each time is not left alone for minutes.
                self._backoff.reset()
        if unwilling is not None and in_a_row == len(due):
            raise unwilling
        return len(due) == BATCH

    def _put_off(self, pending: Pending, error: Unwilling) -> None:
        wait_s = max(self._backoff.after(pending.attempts + 1), error.retry_after_s or 0)
        next_ms = self._clock.journal_ms() + int(wait_s * 1000)
        self._put_off_ms[pending.notice.id] = next_ms
        self._journal.failed(self._name, pending.notice.id, error.why, next_ms)

    def _message(self, pending: Pending, now_ms: int) -> Message:
        notice = pending.notice
        announced_ms, announced_utc_ms = self._announced.at(notice.position)
        return Message(
            key=notice.id,
            position=notice.position,
            ordinal=notice.ordinal,
            announcement=decode(notice.body),
            announced_ms=announced_ms,
            announced_utc_ms=announced_utc_ms,
            age_ms=max(0, now_ms - announced_ms),
            attempt=pending.attempts + 1,
        )

    def _remember(self, key: str, receipt: str) -> None:
        self._told[key] = receipt
        while len(self._told) > _TOLD_MAX:
            del self._told[next(iter(self._told))]

    # --- Folding

    def _fold(self, now_ms: int) -> bool:
        """Fold a batch of what is too old; whether there may be more."""
        oldest = self._journal.pending(self._name, now_ms, BATCH)
        folded = [each for each in oldest if each.notice.kind == WHILE_UNREACHABLE]
        aged = [
            each
            for each in oldest
            if each.notice.kind != WHILE_UNREACHABLE
            and now_ms - self._announced.at(each.notice.position)[0] > self._sink.max_age_ms
        ]
        if not aged:
            return False
        into = self._one_for_all([*folded, *aged])
        self._journal.fold(self._name, [each.notice.id for each in (*folded, *aged)], into, now_ms)
        self._report(Report(self._name, News.FOLDED, "older than max_age", count=len(aged)))
        return len(oldest) == BATCH

    def _one_for_all(self, group: list[Pending]) -> Notice:
        group = sorted(group, key=lambda each: (each.notice.position, each.notice.ordinal))
        said = [decode(each.notice.body) for each in group]
        first, last = group[0].notice, group[-1].notice
        since_ms = [
            each.since_ms
            if each.text == WHILE_UNREACHABLE and each.since_ms is not None
            else self._announced.at(of.notice.position)[0]
            for of, each in zip(group, said, strict=True)
        ]
        summary = Announcement(
            Kind.NOTE,
            text=WHILE_UNREACHABLE,
            priority=min((p for each in said if (p := each.priority)), key=_URGENCY.index, default=None),
            since_ms=min(since_ms),
            end_ms=self._announced.at(last.position)[0],
            axis="journal",
            detail=_summed_up(said),
            unapproved=any(each.unapproved for each in said),
            simulated=all(each.simulated for each in said),
        )
        key = f"{WHILE_UNREACHABLE}-{first.position}.{first.ordinal}-{last.position}.{last.ordinal}"
        return Notice(self._name, key, last.position, last.ordinal, WHILE_UNREACHABLE, encode(summary))

    # --- Waiting

    def _beat(self) -> None:
        if self._sink.heartbeat_ms is None or self._clock.real_s() < self._beat_due_s:
            return
        utc_ms = self._clock.utc_ms() if self._clock.known() else None
        self._sink.beat(Pulse(self._clock.journal_ms(), utc_ms, self._journal.tail().position))
        self._reached = True
        self._beat_due_s = self._clock.real_s() + self._sink.heartbeat_ms / 1000

    def _wait_s(self) -> float:
        waits = [_LOOK_S]
        if self._put_off_ms:
            soonest_ms = min(self._put_off_ms.values()) - self._clock.journal_ms()
            waits.append(max(soonest_ms / 1000, 0.05))
        if self._sink.heartbeat_ms is not None:
            waits.append(max(self._beat_due_s - self._clock.real_s(), 0.0))
        return min(waits)


def _summed_up(said: list[Announcement]) -> dict[str, str]:
    """How many, of what kind, and how each alarm stood last. What was summed up before is added in."""
    counts: dict[str, int] = {"count": 0}
    alarms: dict[str, str] = {}
    for each in said:
        if each.text == WHILE_UNREACHABLE:
            for key, value in each.detail.items():
                if key.startswith(ALARM_OF_MANY):
                    alarms[key] = value
                else:
                    counts[key] = counts.get(key, 0) + int(value)
            continue
        counts["count"] += 1
        counts[each.kind.value] = counts.get(each.kind.value, 0) + 1
        if each.alarm:
            alarms.pop(ALARM_OF_MANY + each.alarm, None)
            alarms[ALARM_OF_MANY + each.alarm] = each.state
    if len(alarms) > _ALARMS_MAX:
        counts["more_alarms"] = counts.get("more_alarms", 0) + len(alarms) - _ALARMS_MAX
        alarms = dict(list(alarms.items())[-_ALARMS_MAX:])
    return {**{key: str(value) for key, value in counts.items()}, **alarms}
