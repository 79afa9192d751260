"""One place as the fold keeps it: the truth of its track, the names of its excursions, and the
step from both to what is announced."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind, Late
from coldchain.consignments.lane import Segment
from coldchain.fold.deadlines import Deadline, DueKind
from coldchain.fold.desk import About, Desk, late_reason
from coldchain.fold.excursions import Excursion, Ledger
from coldchain.fold.history import History
from coldchain.fold.track import Told, Track
from coldchain.plan import Rule
from coldchain.rules.judging import GOOD, Ended, Interval, Opened, Returned, Sample, Triggered


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the folding stands: arrival of the fact, and why something certain earlier is told now."""

    arrival_ms: int
    late: Late


class Place:
    """A place's track and ledger. `anchor`: arrival and event time of the newest reading there."""

    def __init__(self, name: str, histories: dict[str, History], desk: Desk, journal_axis: bool) -> None:
        self.name = name
        self.journal_axis = journal_axis
        self.simulated = False
        self._histories = histories
        self._since_ms: int | None = None
        self.track = Track(name, histories)
        self.ledger = Ledger(name)
        self.anchor: tuple[int, int] | None = None
        self._desk = desk
        self._looked_at: Segment | None = None
        self._outlived: set[str] = set()

    def deadline(self) -> Deadline | None:
        """When something happens here by itself, in journal time.

        A hold runs in the channel's own time: what is due some time after the newest reading's
        event is due as long after that reading's arrival.
        """
        due = self.track.next()
        if due is None or self.anchor is None:
            return None
        arrival_ms, event_ms = self.anchor
        return Deadline(arrival_ms + due[0] - event_ms, self.name, due[1], DueKind.RULE)

    def journal_ms(self, event_ms: int) -> int | None:
        """An event time here as journal time, reckoned from the newest reading."""
        if self.journal_axis:
            return event_ms
        return None if self.anchor is None else self.anchor[0] + event_ms - self.anchor[1]

    def advance(self, to_ms: int, moment: Moment) -> list[Announcement]:
        """The place's own time moves on."""
        said: list[Announcement] = []
        self.track.advance(to_ms, lambda told: said.extend(self._tell(told, moment)))
        return said

    def judge(self, channel: str, sample: Sample, moment: Moment) -> list[Announcement]:
        """A sample in order."""
        said: list[Announcement] = []
        self.track.judge(channel, sample, lambda told: said.extend(self._tell(told, moment)))
        if self.track.now is not self._looked_at:
            self._looked_at = self.track.now
            self._outlived = self._standing_alarms() - self.track.active()
        if self._outlived and sample.quality == GOOD:
            said += self._end_outlived(moment)
        return said

    def in_order(self, event_ms: int) -> bool:
        """Whether a reading of this event time comes after everything that was folded here."""
        if self.track.at_ms is None:
            return True
        last = self.track.last
        return event_ms >= self.track.at_ms and (last is None or event_ms > last.at_ms)

    def set_line(self, line: list[Segment], moment: Moment) -> list[Announcement]:
        """A new time line; whatever it changes in the past is folded again."""
        line, old = _from(line, self._since_ms), self.track.line
        if line == old:
            return []
        same = 0
        while same < len(old) and same < len(line) and old[same] == line[same]:
            same += 1
        first = min(part[same].from_ms for part in (old, line) if same < len(part))
        self.track.line = line
        if self.track.at_ms is None or first > self.track.at_ms:
            # Nothing was judged since; but the line may bring readings that were taken for another place.
            newest_ms = self.track.newest_ms()
            if newest_ms is None or newest_ms < first:
                return []
        return self.revise(first, moment)

    def anchor_at(self, arrival_ms: int, event_ms: int) -> None:
        """A reading of that time arrived then: if it is the newest, what is due is reckoned from it."""
        if self.anchor is None or event_ms > self.anchor[1]:
            self.anchor = (arrival_ms, event_ms)

    def leap(self, started_ms: int, by_ms: int, moment: Moment) -> list[Announcement]:
        """The readings since the process start, and what was reckoned from them, move by a down time."""
        if self.anchor is not None and self.anchor[0] >= started_ms:
            moved_ms = by_ms if self.journal_axis else 0
            self.anchor = (self.anchor[0] + by_ms, self.anchor[1] + moved_ms)
        channel = self.track.channel
        if not self.journal_axis or channel is None or channel.id not in self._histories:
            return []
        self._histories[channel.id].shift_from(started_ms, by_ms)
        self.track.shift_from(started_ms, by_ms)
        return self.revise(started_ms, moment)

    def turn(self, journal_axis: bool, since_ms: int, moment: Moment) -> list[Announcement]:
        """From now on the place is measured on the other axis, where it has a time line from `since_ms` on.

        What was true so far stays as it is, sealed: two axes have no order between them, so nothing that
        comes later can revise it.
        """
        said: list[Announcement] = []
        self.track.leave(lambda told: said.extend(self._tell(told, moment)))
        self.ledger.seal()
        self.journal_axis, self.anchor, self._since_ms = journal_axis, None, since_ms
        self.track = Track(self.name, self._histories)
        return said

    def revise(self, from_ms: int, moment: Moment) -> list[Announcement]:
        """Fold again from just before an event time, and announce what that changed."""
        ended: list[tuple[Rule, Segment, Interval, int]] = []

        def collect(told: Told) -> None:
            if isinstance(told.change, Ended):
                ended.append((told.rule, told.segment, told.change.interval, self.track.at_ms or 0))

        began_from = self.track.refold(from_ms, collect)
        now = self.track.now
        standing = [
            (rule, now, interval) for rule, interval in self.track.standing(self.track.at_ms or 0) if now
        ]
        revision = self.ledger.revise(began_from, ended, standing)
        said: list[Announcement] = []
        for excursion in revision.triggered:
            said += self._raise(excursion, moment, over=excursion.closed_at_ms is not None)
        for excursion in revision.denied:
            said.append(self._word(Kind.NOT_CONFIRMED, excursion, moment))
            excursion.denied = True
        said += [self._word(Kind.EXCURSION_REVISED, excursion, moment) for excursion in revision.changed]
        return said + self._settle(moment)

    def reconcile(self, moment: Moment) -> list[Announcement]:
        """Announce every difference between what is true and what was announced."""
        said: list[Announcement] = []
        for excursion in self.ledger.all():
            triggered = excursion.interval.triggered_ms is not None
            if triggered and not excursion.announced:
                said += self._raise(excursion, moment, over=excursion.closed_at_ms is not None)
            elif excursion.announced and not triggered and not excursion.denied:
                excursion.denied = True
                said.append(self._word(Kind.NOT_CONFIRMED, excursion, moment))
        return said + self._settle(moment)

    def about(self, rule: Rule, segment: Segment) -> About:
        """What a rule's alarm repeats in each announcement."""
        return About(
            alarm=f"{self.name}/{rule.id}",
            rule=rule.id,
            subject=self.name,
            priority=rule.priority,
            latches=rule.latched,
            re_alarm_ms=rule.re_alarm_ms,
            quantity=segment.channel.quantity if segment.channel is not None else "",
            limit=rule.limit,
            axis="journal" if self.journal_axis else "",
            unapproved=not segment.approved,
            simulated=self.simulated,
        )

    def standing(self, excursion: Excursion) -> Interval:
        """An excursion's interval, brought up to the place's time if it is open."""
        if excursion.closed_at_ms is None and self.track.at_ms is not None:
            for rule, interval in self.track.standing(self.track.at_ms):
                if rule.id == excursion.rule.id:
                    return interval
        return excursion.interval

    def _tell(self, told: Told, moment: Moment) -> list[Announcement]:
        rule, change = told.rule, told.change
        match change:
            case Opened():
                self.ledger.opened(rule, told.segment, Interval(rule.id, change.at_ms))
                return []
            case Triggered():
                excursion = self.ledger.open[rule.id]
                excursion.interval = replace(
                    excursion.interval, start_ms=change.since_ms, triggered_ms=change.due_ms
                )
                alarm = f"{self.name}/{rule.id}"
                if excursion.announced and self._desk.condition(alarm):
                    return []
                return self._raise(excursion, moment)
            case Ended():
                over = self.ledger.ended(rule, change.interval, self.track.at_ms or 0)
                if over is None or not over.announced:
                    return []
                if change.unconfirmed:
                    over.denied = True
                    return [self._word(Kind.NOT_CONFIRMED, over, moment)]
                said = [self._word(Kind.EXCURSION_ENDED, over, moment)]
                if change.interval.why_ended == "product_changed":
                    said += self._gone(rule, moment, change.interval.end_ms)
                return said
            case Returned():
                return self._gone(rule, moment, change.at_ms)

    def _gone(self, rule: Rule, moment: Moment, at_ms: int | None) -> list[Announcement]:
        return self._desk.gone(f"{self.name}/{rule.id}", moment.arrival_ms, end_ms=at_ms)

    def _settle(self, moment: Moment) -> list[Announcement]:
        """Bring the alarms' conditions in line with the rules that hold now."""
        said: list[Announcement] = []
        active = self.track.active()
        for rule, _ in self.track.running:
            alarm = f"{self.name}/{rule.id}"
            if rule.id in active and not self._desk.condition(alarm):
                excursion = self.ledger.open.get(rule.id) or self._newest(rule.id)
                if excursion is not None:
                    said += self._raise(excursion, moment)
            elif rule.id not in active and self._desk.condition(alarm):
                said += self._gone(rule, moment, self.track.at_ms)
        return said

    def _standing_alarms(self) -> set[str]:
        running = (rule.id for rule, _ in self.track.running)
        return {rule for rule in running if self._desk.condition(f"{self.name}/{rule}")}

    def _end_outlived(self, moment: Moment) -> list[Announcement]:
        """Alarms of rules that were out of force for a while: evidence of being inside ends them, too."""
        said: list[Announcement] = []
        active = self.track.active()
        for rule, _ in self.track.running:
            if rule.id in self._outlived and (rule.id in active or rule.id not in self.ledger.open):
                self._outlived.discard(rule.id)
                if rule.id not in active:
                    said += self._gone(rule, moment, self.track.at_ms)
        return said

    def _newest(self, rule_id: str) -> Excursion | None:
        mine = [e for e in self.ledger.closed if e.rule.id == rule_id and e.interval.triggered_ms is not None]
        return mine[-1] if mine else None

    def _raise(self, excursion: Excursion, moment: Moment, *, over: bool = False) -> list[Announcement]:
        excursion.announced, excursion.denied = True, False
        interval = self.standing(excursion)
        due_ms = interval.triggered_ms if interval.triggered_ms is not None else interval.start_ms
        # An occurrence that is over at once leaves its alarm's lasting condition alone.
        return self._desk.raise_(
            self.about(excursion.rule, excursion.segment),
            excursion.id,
            interval.start_ms,
            due_ms,
            moment.arrival_ms,
            over=over and excursion.rule.id not in self.track.active(),
            value=interval.extreme,
            end_ms=interval.end_ms,
            late=late_reason(self.journal_ms(due_ms), moment.arrival_ms, moment.late),
        )

    def _word(self, kind: Kind, excursion: Excursion, moment: Moment) -> Announcement:
        about = self.about(excursion.rule, excursion.segment)
        interval = excursion.interval
        detail = {"why": interval.why_ended} if interval.why_ended else {}
        if excursion.merged:
            detail["merged"] = ",".join(excursion.merged)
        if excursion.split_from:
            detail["split_from"] = excursion.split_from
        return Announcement(
            kind=kind,
            alarm=about.alarm,
            rule=about.rule,
            subject=about.subject,
            priority=about.priority,
            excursion=excursion.id,
            since_ms=interval.start_ms,
            due_ms=interval.triggered_ms,
            end_ms=interval.end_ms,
            value=interval.extreme,
            limit=about.limit,
            quantity=about.quantity,
            axis=about.axis,
            late=Late.UPGRADE if moment.late is Late.UPGRADE else None,
            detail=detail,
            unapproved=about.unapproved,
            simulated=about.simulated,
        )


def _from(line: list[Segment], since_ms: int | None) -> list[Segment]:
    """The time line without what lies before an instant."""
    if since_ms is None:
        return line
    before = [segment for segment in line if segment.from_ms <= since_ms]
    return [replace(s, from_ms=since_ms) for s in before[-1:]] + line[len(before) :]
