"""The daemon's side of the page and of the control socket: what can be seen, what can be asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from coldchain import announcements as words
from coldchain.announcements import Announcement, Kind
from coldchain.clock import Clock
from coldchain.consignments.judged import roles_of
from coldchain.daemon import alarm_views, views
from coldchain.daemon.doubts import doubt_of
from coldchain.daemon.entering import fact_of
from coldchain.daemon.importing import Importing
from coldchain.daemon.lens import Label, Lens, Notes
from coldchain.daemon.logs import Imported, Log, LoggerView
from coldchain.daemon.older import Older, band
from coldchain.daemon.older import samples as measured
from coldchain.daemon.refusals import in_words, wrong_time
from coldchain.daemon.taking import Folding, NotRecorded, hand_in
from coldchain.fold.history import quality_of, reason_of
from coldchain.journal import PrivateText, Readable
from coldchain.pipeline.intake import Intake
from coldchain.pipeline.writer import Committed
from coldchain.rules.judging import BAD
from coldchain.traffic import FramesView
from coldchain.web.alarm_views import ToldView
from coldchain.web.plain_views import Instant
from coldchain.web.series import ExcursionView, LimitSpan, MarkView, Sample, SeriesView, draw, without
from coldchain.web.station import Action, Actor, EraseNames, Outcome
from coldchain.web.views import (
    ChannelChoice,
    ClockView,
    GatewayView,
    ProfileChoice,
    Pulse,
    SinkView,
    SourceView,
    StateView,
)
from coldchain.web.workings import Workings


@dataclass
class Surroundings:
    """What the station is told about the daemon's other rooms, each asked when a view is made.

    trouble: why the journal cannot be written, "" if it can. look: take notice of what was delivered;
    told: who was told of what was announced at these positions. older: what is left of a channel's span
    (UTC ms) of which readings were removed. beat_s: how often the writer's
    heartbeat comes (real seconds).
    """

    site: str = ""
    zone: str = "UTC"
    version: str = ""
    labels: Mapping[str, Label] = field(default_factory=dict)
    beat_s: float = 5.0
    trouble: Callable[[], str] = str
    sources: Callable[[], tuple[SourceView, ...]] = tuple
    sinks: Callable[[], tuple[SinkView, ...]] = tuple
    look: Callable[[], None] = lambda: None
    told: Callable[[list[int]], tuple[ToldView, ...]] = lambda positions: ()
    workings: Callable[[], Workings] = Workings
    frames: Callable[[str], FramesView] = lambda port: FramesView("", ())
    older: Callable[[str, int, int], Older] = lambda channel, from_ms, to_ms: Older()


#: Nobody who looks waits longer than this for a batch to be on disk (real seconds).
LOOK_S = 1.0
_HANGS = "a commit does not come to its end; look at the disk"


class LiveStation:
    """Implements `coldchain.web.station.Station` over a fold and the way into it."""

    def __init__(self, folding: Folding, intake: Intake, clock: Clock, around: Surroundings) -> None:
        self.around = around
        self._folding, self._intake, self._clock = folding, intake, clock
        self._importing = Importing(folding, intake, clock)
        self._started_ms = clock.journal_ms()
        self._changed: list[Callable[[], None]] = []
        self._notes: dict[str, Notes] = {}
        self._texts: dict[str, str] = {}
        self._last: StateView | None = None

    def remember(self, journal: Readable) -> None:
        """Read back who did what, as the journal tells it."""
        self._texts |= {text.commitment: text.text for text in journal.private_texts()}
        for row in journal.announcements():
            self._note(row.position, row.announced_ms, words.decode(row.body))

    def positions(self) -> list[int]:
        """Where in the journal the alarms that anybody may still ask about were raised."""
        return sorted({position for notes in tuple(self._notes.values()) for position in notes.positions})

    def committed(self, batch: Committed) -> None:
        """The writer has committed a batch (called in its thread)."""
        for told in batch.told:
            self._note(told.position, told.arrival_ms, told.said, recorded=batch.recorded)
        for changed in tuple(self._changed):
            changed()

    # What is seen

    def state(self) -> StateView:
        """The whole current view; while a disk hangs in mid-commit, the last one, and that it hangs."""
        self.around.look()
        trouble, sources, sinks = self.around.trouble(), self.around.sources(), self.around.sinks()
        with self._looking(self._last is not None) as free:
            if not free and self._last is not None:
                hangs = replace(self._last.gateway, journal_ok=False, why=_HANGS)
                return replace(self._last, gateway=hangs)
            fold = self._folding.fold
            lens = self._lens()
            plan = fold.lane.plan
            assets = views.assets(lens)
            alarms = alarm_views.alarms(lens)
            self._last = StateView(
                site=self.around.site,
                clock=ClockView(fold.timebase.known, self.around.zone),
                gateway=GatewayView(
                    version=self.around.version,
                    started=lens.instant(self._started_ms, journal=True),
                    journal_ok=not trouble,
                    why=trouble,
                    sources=sources,
                    sinks=sinks,
                    flood=None
                    if fold.flood.since_ms is None
                    else lens.instant(fold.flood.since_ms, journal=True),
                ),
                assets=assets,
                alarms=alarms,
                profiles=tuple(
                    ProfileChoice(
                        p.id,
                        p.version,
                        p.approved,
                        tuple(s.name for s in p.stages),
                        p.title,
                        tuple(sorted(roles_of(p.stages))),
                    )
                    for p in plan.profiles
                ),
                channels=tuple(
                    self._choice(c.id, c.quantity) for c in fold.lane.loggers.taken_from(plan).channels
                ),
                simulated=any(source.simulated for source in plan.sources),
            )
            return self._last

    def pulse(self) -> Pulse:
        """Proof that the writer lives."""
        fold = self._folding.fold
        beat_ms = fold.beat_ms
        return Pulse(
            journal_ms=self._clock.journal_ms(),
            utc_ms=self._clock.utc_ms(),
            clock_known=fold.timebase.known,
            beat_journal_ms=self._started_ms if beat_ms is None else beat_ms,
            # Three beats may be missed: one that is late on a busy gateway is no failure.
            beat_within_ms=round(3 * self.around.beat_s * 1000) * self._clock.speed,
            speed=self._clock.speed,
        )

    def workings(self) -> Workings:
        """How the program itself is doing."""
        return self.around.workings()

    def series(self, channel: str, from_ms: int, to_ms: int, columns: int) -> SeriesView | None:
        """One channel over a span of event time; none for now while a disk hangs in mid-commit."""
        settled = channel in self._folding.fold.channels.settled
        older = self.around.older(channel, from_ms, to_ms) if settled else Older()
        with self._looking(True) as free:
            if not free:
                return None
            fold = self._folding.fold
            plan = fold.channels.plans.get(channel)
            if plan is None:
                return None
            lens = self._lens()
            journal = lens.journal_axis(plan)
            history = fold.channels.histories[channel]

            def utc(at_ms: int) -> int:
                return lens.instant(at_ms, journal=journal).ms

            # Event time on the channel's axis is monotone in UTC but for a step of our own clock.
            shift = utc(history.at[-1]) - history.at[-1] if len(history) else 0
            lo, hi = history.span(from_ms - shift, to_ms - shift)
            begins_ms = history.at[0] + shift if len(history) else to_ms
            stayed = measured(fold, lens, older.stayed, min(begins_ms, to_ms))
            samples = stayed + [
                Sample(
                    history.at[i] + shift,
                    None if quality_of(history.code[i]) == BAD else history.value[i],
                    views.QUALITIES[quality_of(history.code[i])],
                    reason_of(history.code[i]),
                )
                for i in range(max(0, lo - 1), hi)
            ]
            now_ms = fold.timebase.printed(self._clock.journal_ms()) or self._clock.utc_ms()
            drawn = draw(samples, from_ms, to_ms, columns, plan.max_gap_ms, now_ms)
            summed = ((row.bucket.at_ms, row.to_ms) for row in older.rows)
            drawn = replace(drawn, gaps=without(drawn.gaps, summed))
            limits: list[LimitSpan] = []
            excursions: list[ExcursionView] = []
            marks: list[MarkView] = []
            packed = None
            name = fold.lane.place_of(channel)
            place = fold.places.get(name) if name is not None else None
            if place is not None:
                current = place.track.now
                if current is not None:
                    packed = lens.instant(place.track.meter.since_ms, journal=journal)
                    limits = [
                        LimitSpan(max(from_ms, utc(current.from_ms)), to_ms, limit)
                        for limit in views.limits(place)
                    ]
                excursions = [
                    ExcursionView(
                        e.id,
                        e.rule.id,
                        utc(e.interval.start_ms),
                        None if e.interval.end_ms is None else utc(e.interval.end_ms),
                        place.standing(e).extreme,
                        e.interval.triggered_ms is not None,
                    )
                    for e in place.ledger.all()
                    if utc(e.interval.start_ms) < to_ms
                    and (e.interval.end_ms is None or utc(e.interval.end_ms) >= from_ms)
                ]
                marks = [
                    MarkView(utc(segment.from_ms), "stage", segment.stage)
                    for segment in place.track.line
                    if from_ms <= utc(segment.from_ms) < to_ms
                ]
            return SeriesView(
                channel=channel,
                quantity=plan.quantity,
                from_ms=from_ms,
                to_ms=to_ms,
                drawn=drawn,
                readings=hi - lo + sum(from_ms <= one.at_ms for one in stayed),
                limits=tuple(limits),
                excursions=tuple(excursions),
                marks=tuple(marks),
                packed=packed,
                clock_known=fold.timebase.known,
                simulated=fold.channels.sources[plan.source].simulated,
                band=band(older.rows, columns),
            )

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Call `changed` after each commit."""
        self._changed.append(changed)
        return lambda: self._changed.remove(changed)

    # What is asked

    def act(self, action: Action, actor: Actor) -> Outcome:
        """Carry out what a person asked for, and wait until it is on disk or refused."""
        private: list[PrivateText] = []

        def commit_to(text: str) -> str:
            if not text:
                return ""
            made = PrivateText.of(text)
            private.append(made)
            self._texts[made.commitment] = text
            return made.commitment

        now_ms, known = self._now()
        refused = wrong_time(action, now_ms, known=known)
        if refused:
            return Outcome(done=False, message=refused)
        with self._folding.lock:
            doubt = doubt_of(self._folding.fold.lane, action)
        if doubt is not None and doubt.asks and not getattr(action, "confirmed", False):
            return Outcome(done=False, message=doubt.message, confirm=True)
        fact = fact_of(action, actor, commit_to, now_ms)
        erased = action.commitments if isinstance(action, EraseNames) else ()
        try:
            folded = hand_in(self._intake, (fact,), private_texts=tuple(private), erased=erased)
        except NotRecorded as late:
            why = self.around.trouble() or str(late)
            return Outcome(done=False, message=f"taken in, not yet recorded: {why}")
        for said in folded.announcements:
            if said.kind is Kind.REFUSED:
                return Outcome(done=False, message=in_words(said.text, said.detail))
        for commitment in erased:
            self._texts.pop(commitment, None)
        return Outcome(
            done=True, message=doubt.message if doubt is not None else "", position=folded.position
        )

    def logger(self, device: str) -> LoggerView | None:
        """What is known of a logger whose files were imported."""
        return self._importing.logger(device)

    def frames(self, port: str) -> FramesView:
        """What passed over a serial port around its faults."""
        return self.around.frames(port)

    def take_log(self, log: Log, actor: Actor) -> Imported:
        """Take a logger's file in, and wait until it is on disk or refused."""
        return self._importing.take(log, actor)

    def _now(self) -> tuple[int, bool]:
        """Now in UTC for what people enter, and whether anybody vouches for it.

        A wall clock that nobody vouches for may stand in 1970: an entry of "now" would rewrite what was. The
        last known mapping errs by the down time alone.
        """
        with self._folding.lock:
            timebase = self._folding.fold.timebase
            utc_ms = timebase.printed(self._clock.journal_ms())
            return (self._clock.utc_ms() if utc_ms is None else utc_ms), timebase.known

    # What is remembered

    @contextmanager
    def _looking(self, hurried: bool) -> Iterator[bool]:
        """The fold between two batches; False if it is not to be had soon and the caller is `hurried`."""
        free = self._folding.lock.acquire(timeout=LOOK_S if hurried else -1)
        try:
            yield free
        finally:
            if free:
                self._folding.lock.release()

    def _lens(self) -> Lens:
        return Lens(
            self._folding.fold,
            self.around.labels,
            self._notes,
            lambda alarm: self.around.told(self._notes[alarm].positions) if alarm in self._notes else (),
            lambda commitment: self._texts.get(commitment, ""),
        )

    def _choice(self, channel: str, quantity: str) -> ChannelChoice:
        place = self._folding.fold.lane.place_of(channel)
        asset, _, role = place.rpartition("/") if place is not None else ("", "", "")
        return ChannelChoice(channel, quantity, asset, role)

    def _note(self, position: int, arrival_ms: int, said: Announcement, *, recorded: bool = True) -> None:
        if not said.alarm:
            return
        utc_ms = self._folding.fold.timebase.printed(arrival_ms)
        at = Instant(arrival_ms if utc_ms is None else utc_ms, utc_ms is not None)
        notes = self._notes.setdefault(said.alarm, Notes())
        notes.add(position, at, said, recorded=recorded)
