"""One place as the fold keeps it: the truth of its track, the names of its excursions, and the
step from both to what is announced."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from coldchain.announcements import Announcement, Kind, Late
from coldchain.consignments.line import Segment
from coldchain.fold.deadlines import Deadline, DueKind
from coldchain.fold.desk import IN_TIME_MS, About, Desk
from coldchain.fold.excursions import Excursion, Found, Ledger, Revision
from coldchain.fold.history import History
from coldchain.fold.steps import Told
from coldchain.fold.timebase import Timebase
from coldchain.fold.track import Track
from coldchain.plan import Rule
from coldchain.rules.book import judge_of
from coldchain.rules.judging import (
    Ended,
    Interval,
    Opened,
    Returned,
    Sample,
    Triggered,
)


@dataclass(frozen=True, slots=True)
class Moment:
    """Where the folding stands: arrival of the fact, and why something certain earlier is told now."""

    arrival_ms: int
    late: Late
    why: str = ""  # what denies an announced excursion, where it is no reading


class Place:
    """A place's track and ledger. `anchor`: arrival and event time of the newest reading there."""

    def __init__(
        self, name: str, histories: dict[str, History], desk: Desk, timebase: Timebase, *, journal_axis: bool
    ) -> None:
        self.name = name
        self.key = f"t:{name}"
        self.journal_axis = journal_axis
        self.simulated = False
        self.track = Track(name, histories)
        self.ledger = Ledger(name)
        self.anchor: tuple[int, int] | None = None
        self.floor_ms: int | None = None  # where its present time base began, if it had another before
        self.adopted = False  # its alarms have got other parameters; whoever set this looks after it
        self.closed: set[str] = set()  # rules whose alarm a person has closed while its condition lasts
        self._histories = histories
        self._desk = desk
        self._timebase = timebase
        self._adopted: Segment | None = None

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

    # What happens here

    def step(self, moment: Moment) -> list[Announcement]:
        """The next deadline or boundary has come."""
        said: list[Announcement] = []
        self.track.step(lambda told: said.extend(self._tell(told, moment)))
        self._adopt(moment)
        return said

    def judge(self, sample: Sample, moment: Moment) -> list[Announcement]:
        """A sample in order, of the channel that measures here."""
        said: list[Announcement] = []
        self.track.judge(sample, lambda told: said.extend(self._tell(told, moment)))
        self._adopt(moment)
        if self.closed:
            said += self._reopen(sample, moment)
        self.anchor_at(moment.arrival_ms, sample.at_ms)
        return said

    def in_order(self, event_ms: int) -> bool:
        """Whether a reading of this event time comes after everything that was folded here."""
        at_ms, last = self.track.at_ms, self.track.last
        return at_ms is None or (event_ms >= at_ms and (last is None or event_ms > last.at_ms))

    def added(self, from_ms: int, moment: Moment) -> list[Announcement]:
        """A reading came in among those that were folded, or before the place's time."""
        said = self._revise(from_ms, moment, grown=not self.track.derived)
        last = self.track.last
        if last is not None:
            self.anchor_at(moment.arrival_ms, last.at_ms)
        return said

    def moved(self, from_ms: int, anchor: tuple[int, int] | None, moment: Moment) -> list[Announcement]:
        """Readings were found to be from the future and moved back to `from_ms` and later.

        anchor: arrival and event time of the newest of them, if it is the newest reading here.
        """
        if self.track.at_ms is None:
            return []
        if anchor is not None:
            self.anchor = anchor
        return self._revise(from_ms, moment, pull_back=anchor is not None)

    def set_line(self, line: list[Segment], moment: Moment) -> list[Announcement]:
        """A new time line; whatever it changes in the past is folded again."""
        old, line = self.track.line, self.track.joined(line)
        if line == old:
            return []
        same = 0
        while same < len(old) and same < len(line) and old[same] == line[same]:
            same += 1
        first_ms = min(part[same].from_ms for part in (old, line) if same < len(part))
        self.track.line = line
        newest_ms = self.track.newest()
        reached = [at_ms for at_ms in (self.track.at_ms, newest_ms) if at_ms is not None]
        if not reached or first_ms > max(reached):
            return []
        return self._revise(first_ms, moment)

    def anchor_at(self, arrival_ms: int, event_ms: int) -> None:
        """A reading of that time arrived then: if it is the newest, what is due is reckoned from it."""
        if self.anchor is None or event_ms > self.anchor[1]:
            self.anchor = (arrival_ms, event_ms)

    def leap(self, started_ms: int, by_ms: int, moment: Moment) -> list[Announcement]:
        """The readings since the process start, and what was reckoned from them, move by a down time."""
        if self.anchor is not None and self.anchor[0] >= started_ms:
            moved = by_ms if self.journal_axis else 0
            self.anchor = (self.anchor[0] + by_ms, self.anchor[1] + moved)
        if not self.journal_axis:
            return []
        self.track.shift_from(started_ms, by_ms)
        self.ledger.shift_from(started_ms, by_ms)
        return self._revise(started_ms, moment)

    def rebase(self, moment: Moment, *, journal_axis: bool) -> list[Announcement]:
        """The place is measured in another time base from now on: nothing can be reckoned across that."""
        at_ms = self.track.at_ms or 0
        over = self.ledger.rebase(self.track.standing(at_ms), at_ms)
        said = [self._word(Kind.EXCURSION_ENDED, each, moment) for each in over if each.stands]
        for rule_id in sorted(self.track.active()):
            said += self._desk.gone(f"{self.name}/{rule_id}", moment.arrival_ms, end_ms=at_ms)
        self.track = Track(self.name, self._histories)
        self.anchor, self.journal_axis = None, journal_axis
        self.closed.clear()
        return said

    def reconcile(self, moment: Moment) -> list[Announcement]:
        """Announce every difference between what is true and what was announced."""
        found = Revision()
        for excursion in self.ledger.all():
            triggered = excursion.interval.triggered_ms is not None
            if triggered and not excursion.stands:
                found.triggered.append(excursion)
            elif excursion.stands and not triggered:
                found.denied.append(excursion)
        return self._announce(found, moment)

    # What is said

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

    def close(self, rule_id: str) -> None:
        """A person has closed a rule's alarm: it is raised again when a reading shows its condition."""
        if rule_id in self.track.active():
            self.closed.add(rule_id)

    def _revise(
        self, from_ms: int, moment: Moment, *, pull_back: bool = False, grown: bool = False
    ) -> list[Announcement]:
        """Fold again from just before an event time, and announce what that changed."""
        ended: list[Found] = []

        def collect(told: Told) -> None:
            if isinstance(told.change, Ended):
                ended.append(self._found(told.rule, told.segment, told.change.interval, told.at_ms))

        span = self.track.refold(from_ms, collect, pull_back=pull_back, grown=grown)
        standing: list[Found] | None = None
        if span.met_ms is None:
            now = self.track.now
            at_ms = self.track.at_ms or 0
            standing = [
                self._found(rule, now, interval, None)
                for rule, interval in self.track.standing(at_ms)
                if now is not None
            ]
        revision = self.ledger.revise(span.began_ms, span.met_ms, ended, standing)
        for rule_id, old, new in revision.merged:
            self._desk.renamed(f"{self.name}/{rule_id}", old, new)
        said = self._announce(revision, moment)
        self._adopt(moment)
        return said

    def _announce(self, revision: Revision, moment: Moment) -> list[Announcement]:
        said: list[Announcement] = []
        for excursion in revision.triggered:
            said += self._raise(excursion, moment, over=excursion.closed_at_ms is not None)
        for excursion in revision.denied:
            said.append(self._word(Kind.NOT_CONFIRMED, excursion, moment))
            excursion.denied = True
        said += [self._word(Kind.EXCURSION_REVISED, excursion, moment) for excursion in revision.changed]
        return said + self._settle(moment)

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
                return self._raise(excursion, moment)
            case Ended():
                over = self.ledger.ended(rule, change.interval, told.at_ms)
                if over is None or not over.stands:
                    return []
                if change.unconfirmed:
                    over.denied = True
                    return [self._word(Kind.NOT_CONFIRMED, over, moment)]
                return [self._word(Kind.EXCURSION_ENDED, over, moment)]
            case Returned():
                self.closed.discard(rule.id)
                return self._desk.gone(f"{self.name}/{rule.id}", moment.arrival_ms, end_ms=change.at_ms)

    def _settle(self, moment: Moment) -> list[Announcement]:
        """Bring the alarms' conditions in line with the rules that hold now."""
        said: list[Announcement] = []
        active = self.track.active()
        self.closed &= active
        for rule, _ in self.track.running:
            alarm = f"{self.name}/{rule.id}"
            lasts = self._desk.condition(alarm)
            if rule.id in active and not lasts and rule.id not in self.closed:
                excursion = self.ledger.newest(rule.id)
                if excursion is not None:
                    said += self._raise(excursion, moment)
            elif rule.id not in active and lasts:
                said += self._desk.gone(alarm, moment.arrival_ms, end_ms=self.track.at_ms)
        return said

    def _reopen(self, sample: Sample, moment: Moment) -> list[Announcement]:
        """Raise again what was closed by hand and is shown to last by a new reading."""
        said: list[Announcement] = []
        active = self.track.active()
        for rule, state in self.track.running:
            if rule.id in self.closed and rule.id in active and judge_of(rule).shows(rule, state, sample):
                self.closed.discard(rule.id)
                excursion = self.ledger.newest(rule.id)
                if excursion is not None and not self._desk.condition(f"{self.name}/{rule.id}"):
                    said += self._raise(excursion, moment)
        return said

    def _adopt(self, moment: Moment) -> None:
        """Let the alarms of the rules in force know their parameters."""
        now = self.track.now
        if now is None or now is self._adopted:
            return
        self._adopted = now
        self.adopted = True
        for rule in now.rules:
            self._desk.adopt(self.about(rule, now), moment.arrival_ms)

    def _found(self, rule: Rule, segment: Segment, interval: Interval, closed_at_ms: int | None) -> Found:
        """An interval with the limit that was in force when it began: that is what it is held against.

        Where the rule judges alike, a later profile may have other words, another source and approval.
        """
        index = self.track.segment_at(interval.start_ms)
        if index >= 0:
            then = self.track.line[index]
            began_as = next((one for one in then.rules if one.id == rule.id), None)
            if began_as is not None:
                return Found(began_as, then, interval, closed_at_ms)
        return Found(rule, segment, interval, closed_at_ms)

    def _alarm_of(self, excursion: Excursion) -> About:
        """What an excursion's alarm says: in the words of today, where its rule is in force."""
        now = self.track.now
        for rule, _ in self.track.running if now is not None else ():
            if rule.id == excursion.rule.id and excursion.closed_at_ms is None and now is not None:
                return self.about(rule, now)
        return self.about(excursion.rule, excursion.segment)

    def _raise(self, excursion: Excursion, moment: Moment, *, over: bool = False) -> list[Announcement]:
        excursion.announced, excursion.denied = True, False
        self.closed.discard(excursion.rule.id)
        interval = self.standing(excursion)
        due_ms = interval.triggered_ms if interval.triggered_ms is not None else interval.start_ms
        # An occurrence that is over at once leaves its alarm's lasting condition alone.
        return self._desk.raise_(
            self._alarm_of(excursion),
            excursion.id,
            interval.start_ms,
            due_ms,
            moment.arrival_ms,
            over=over and excursion.rule.id not in self.track.active(),
            value=interval.extreme,
            end_ms=interval.end_ms,
            late=self._late(due_ms, moment),
            detail=_links(excursion),
        )

    def _late(self, due_ms: int, moment: Moment) -> Late | None:
        """Why something that was certain at an event time is announced only now; None: it is not late."""
        own_ms = self.journal_ms(due_ms)
        told_ms = due_ms if self.journal_axis else self._timebase.journal(due_ms)
        certain_ms = own_ms if told_ms is None else told_ms
        if certain_ms is None or moment.arrival_ms - certain_ms <= IN_TIME_MS:
            return None
        if moment.late in (Late.FOUND_LATE, Late.UPGRADE):
            return moment.late
        missed = own_ms is not None and moment.arrival_ms - own_ms > IN_TIME_MS
        if moment.late is not Late.TRANSPORT and missed:
            return moment.late
        time = self._timebase
        if time.down_from_ms < certain_ms <= time.started_ms:
            return Late.NOT_RUNNING  # it would have been told, had anybody been there
        return Late.TRANSPORT

    def _word(self, kind: Kind, excursion: Excursion, moment: Moment) -> Announcement:
        about = self.about(excursion.rule, excursion.segment)
        interval = excursion.interval
        why = interval.why_ended or moment.why
        detail = {"why": why} if why else {}
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
            detail=detail | _links(excursion),
            to=self._desk.told(about.alarm, moment.arrival_ms),
            unapproved=about.unapproved,
            simulated=about.simulated,
        )


def _links(excursion: Excursion) -> dict[str, str]:
    """How an excursion hangs together with others."""
    links = {
        "merged": ",".join(excursion.merged),
        "split_from": excursion.split_from,
        "follows": excursion.follows,
    }
    return {word: names for word, names in links.items() if names}
