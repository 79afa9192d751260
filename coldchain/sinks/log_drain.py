"""The journal's rows on their way to a time-series database, none left out and none believed too early.

A server that answered "taken" may still lose it: VictoriaMetrics killed seven seconds after a 204 had lost
everything, fifteen seconds after nothing (measured with 1.79.5, docs/sinks.md). So there are two cursors.
`sent` is how far the server said "taken"; `confirmed` follows it when the sink's `doubt` has passed without
a sign that the server was started anew. At such a sign, and whenever we start ourselves, everything since
`confirmed` is sent again, and the receiver drops what it had by series and time.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from itertools import islice

from coldchain import announcements, facts
from coldchain.clock import Clock
from coldchain.evidence.meaning import Learned, TimeUnknown, lessons, teaches
from coldchain.facts import ClockSet
from coldchain.journal import Cursor, Deliveries, Entry
from coldchain.sinks.base import LogSink, Message, Misconfigured, Point, Rejected, Sign, SinkError
from coldchain.sinks.points import Lens
from coldchain.sinks.thread import News, Report, Reporter, Stepped

#: Rows are gathered this long, so that a reading a second is one request and not many; nobody waits for them.
LINGER_S = 1.0
#: How often the server is asked for a sign at most and at least; else a sixth of the doubt.
_SIGN_EVERY_S = (0.5, 10.0)
#: Points further than this from our clock are where servers begin to ignore points, and then we look.
_NEAR_MS = 86_400_000
#: VictoriaMetrics 1.79.5 counts what it ignored when it flushes, a second after its answer.
_COUNTED_AFTER_S = 2.5
#: How long to wait when there is nothing to send; the writer wakes us before.
_IDLE_S = 30.0


class LogDrain:
    """Brings one journal to one log sink."""

    def __init__(
        self, name: str, sink: LogSink, open_journal: Callable[[], Deliveries], clock: Clock, report: Reporter
    ) -> None:
        self._name = name
        self._sink = sink
        self._clock = clock
        self._report = report
        self._journal = open_journal()
        self._cursor = self._journal.cursor(name)
        self._learned = list(lessons(self._journal, 1, self._cursor.confirmed))
        self._lens = Lens(self._learned)
        self._marks: deque[tuple[int, float]] = deque()
        self._sign_every_s = min(max(sink.doubt_ms / 6000, _SIGN_EVERY_S[0]), _SIGN_EVERY_S[1])
        self._asked_s: float | None = None
        self._same_s = 0.0
        self._wrote_s = 0.0
        self._looked_ahead_to = 0
        self._ignored: int | None = None
        self._far_s: float | None = None
        self._reached = False
        self._rewind()

    def step(self) -> Stepped:
        """Look at the server, send what is new, confirm what has stood the test of time."""
        now_s = self._clock.real_s()
        self._reached = False
        first = self._asked_s is None
        to_watch = bool(self._marks) or self._far_s is not None or self._news()
        if first or (to_watch and now_s - (self._asked_s or 0) >= self._sign_every_s):
            self._ask(now_s, first=first)
        self._confirm()
        wait_s = self._send(self._clock.real_s())
        if self._marks or self._far_s is not None:
            wait_s = min(wait_s, self._sign_every_s)
        return Stepped(wait_s, self._reached)

    def urge(self, message: Message) -> None:
        """A log is not for people: it gets the row when the journal can be written again."""
        del message

    def close(self) -> None:
        """Let go of journal and server."""
        self._journal.close()
        self._sink.close()

    # --- Doubt

    def _ask(self, now_s: float, *, first: bool) -> None:
        if self._marks and self._asked_s is not None:
            # So long without a look, this machine slept, and perhaps the server on it: doubt did not pass.
            slept_s = max(0.0, now_s - self._asked_s - 2 * self._sign_every_s)
            self._marks = deque((position, at_s + slept_s) for position, at_s in self._marks)
        sign = self._sink.sign()
        self._asked_s = now_s
        self._reached = sign is not Sign.SILENT
        if sign is Sign.SAME:
            self._same_s = now_s
        elif sign is Sign.RESTARTED:
            in_doubt = self._cursor.sent - self._cursor.confirmed
            if in_doubt and not first:
                why = "the server was started anew and may have lost them; they are sent again"
                self._report(Report(self._name, News.IN_DOUBT, why, count=in_doubt))
            self._rewind()
        if first or sign is Sign.RESTARTED:
            self._ignored = self._sink.ignored()
        elif self._far_s is not None and now_s - self._far_s >= _COUNTED_AFTER_S:
            self._count_ignored()

    def _rewind(self) -> None:
        """Everything since `confirmed` is to be sent again, with what was known there."""
        self._marks.clear()
        confirmed = self._cursor.confirmed
        if self._cursor.sent != confirmed:
            self._cursor = Cursor(confirmed, confirmed)
            self._journal.move(self._name, self._cursor)
        self._unlearn(confirmed)

    def _unlearn(self, position: int) -> None:
        """See facts again as known at `position`: a row sent twice must be the same point twice."""
        if self._learned and self._learned[-1].position > position:
            ahead_ms = self._lens.offset_ahead_ms
            self._learned = [each for each in self._learned if each.position <= position]
            self._lens = Lens(self._learned)
            self._lens.offset_ahead_ms = ahead_ms

    def _confirm(self) -> None:
        """What was sent a whole doubt before the server was last seen to be the same is there to stay."""
        confirmed = self._cursor.confirmed
        while self._marks and self._marks[0][1] + self._sink.doubt_ms / 1000 <= self._same_s:
            confirmed = self._marks.popleft()[0]
        if confirmed != self._cursor.confirmed:
            self._cursor = Cursor(self._cursor.sent, confirmed)
            self._journal.move(self._name, self._cursor)

    def _count_ignored(self) -> None:
        self._far_s = None
        ignored, before = self._sink.ignored(), self._ignored
        self._ignored = ignored
        if ignored is not None and before is not None and ignored > before:
            why = "the server ignores points outside its retention or too far ahead"
            mend = "lengthen the server's retention, then send again from the journal"
            self._report(Report(self._name, News.DROPPED, why, mend, ignored - before))

    # --- Sending

    def _news(self) -> bool:
        return self._journal.tail().position > self._cursor.sent

    def _send(self, now_s: float) -> float:
        """Send a batch; the answer is how long there is nothing more to send."""
        waiting = self._journal.tail().position - self._cursor.sent
        if not waiting:
            return _IDLE_S
        since_s = now_s - self._wrote_s
        if waiting < self._sink.batch and since_s < LINGER_S:
            return LINGER_S - since_s
        first = self._cursor.sent + 1
        points: list[Point] = []
        last = self._cursor.sent
        for entry in islice(self._journal.entries(first), self._sink.batch):
            try:
                points += self._points(entry)
            except TimeUnknown:
                break
            last = entry.position
        self._unlearn(last)
        if last < first:  # no clock yet: what has no time of its own waits for it, in order
            return _IDLE_S
        try:
            self._write(points)
        except SinkError:
            self._unlearn(self._cursor.sent)
            raise
        self._reached = self._reached or bool(points)
        self._wrote_s = self._clock.real_s()
        self._cursor = Cursor(last, self._cursor.confirmed)
        self._journal.move(self._name, self._cursor)
        self._marks.append((last, self._wrote_s))
        return 0.0 if waiting > self._sink.batch else LINGER_S

    def _points(self, entry: Entry) -> list[Point]:
        fact = facts.decode(entry.fact)
        known = self._learned[-1].position if self._learned else 0
        if teaches(entry.fact) and known < entry.position:
            self._learned.append(Learned(entry.position, entry.arrival_ms, fact))
            self._lens.learn(entry.arrival_ms, fact)
        said = [announcements.decode(body) for body in entry.announcements]
        try:
            return self._lens.points(entry.arrival_ms, fact, said)
        except TimeUnknown:
            self._look_ahead(entry.position)
            return self._lens.points(entry.arrival_ms, fact, said)

    def _look_ahead(self, position: int) -> None:
        """Find the first clock fact after `position`: it says what time it was here."""
        if self._lens.offset_ahead_ms is not None:
            return
        first, last = max(position, self._looked_ahead_to) + 1, self._journal.tail().position
        for each in lessons(self._journal, first, last):
            if isinstance(each.fact, ClockSet) and each.fact.offset_ms is not None:
                self._lens.offset_ahead_ms = each.fact.offset_ms
                break
        self._looked_ahead_to = last

    def _write(self, points: Sequence[Point]) -> None:
        """Write; of what is rejected find the very points, so that a bad one does not hold up the rest."""
        if not points:
            return
        if self._clock.known():
            now_ms = self._clock.utc_ms()
            if any(abs(now_ms - point.time_ms) > _NEAR_MS for point in points):
                self._far_s = self._clock.real_s()
        try:
            self._sink.write(points)
        except Rejected as error:
            if error.dropped is not None:
                self._report(Report(self._name, News.DROPPED, error.why, error.mend, error.dropped))
                return
            self._check(error, points[0].time_ms)
            rejected = self._sift(points, error)
            first, error = rejected[0]
            why = f"{error.why} (first: {first.measurement} at {first.time_ms} ms UTC)"
            self._report(Report(self._name, News.DROPPED, why, error.mend, len(rejected)))

    def _check(self, error: Rejected, time_ms: int) -> None:
        """Is it the points? VictoriaMetrics says 400 to a wrong path, too; then nothing must be given up."""
        if self._clock.known():
            time_ms = self._clock.utc_ms()
        try:
            self._sink.write([Point("sink_check", (("sink", self._name),), (("ok", 1.0),), time_ms)])
        except Rejected:
            why = f"it rejects even a harmless point: {error.why}"
            raise Misconfigured(self._name, error.what, why) from error

    def _sift(self, points: Sequence[Point], error: Rejected) -> list[tuple[Point, Rejected]]:
        """Write the halves of what was rejected, and theirs; the answer is what is not even taken alone."""
        if len(points) == 1:
            return [(points[0], error)]
        middle = len(points) // 2
        rejected: list[tuple[Point, Rejected]] = []
        for half in (points[:middle], points[middle:]):
            try:
                self._sink.write(half)
            except Rejected as of_half:
                rejected += self._sift(half, of_half)
        return rejected
