"""One thread per sink: it waits, works, backs off, and says how the sink is doing.

Whatever happens to a sink stays in its thread. Nobody waits for it: the writer only calls `wake`, which
sets a flag, and an alarm that the journal could not take is handed over with `urge`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, Protocol

from msgspec import Struct, structs

from coldchain.clock import Clock
from coldchain.journal import JournalError
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import AccessRefused, Message, SinkError

#: Unrecorded messages that may wait; beyond it the oldest is given up, counted and reported.
URGENT_MAX = 1_000


class News(StrEnum):
    """What a sink's thread reports."""

    UP = "up"
    DOWN = "down"
    REFUSED = "refused"
    FOLDED = "folded"
    IN_DOUBT = "in_doubt"
    DROPPED = "dropped"
    FAULT = "fault"


class Report(Struct, frozen=True):
    """One thing that happened to a sink: which, what, why, the mend, and how many it concerns."""

    sink: str
    news: News
    why: str = ""
    mend: str = ""
    count: int = 0


class Status(Struct, frozen=True):
    """How a sink is doing. `up` None: nothing was tried yet. `since_ms`: journal time of the last change."""

    sink: str
    up: bool | None = None
    since_ms: int = 0
    why: str = ""
    mend: str = ""


class Stepped(NamedTuple):
    """What came of a step: how many real seconds may pass before the next, and whether the other side
    answered.

    Having had nothing to do proves nothing: a sink is up when it was reached, not when nobody tried.
    """

    wait_s: float
    reached: bool


class Drain(Protocol):
    """What a sink's thread does again and again."""

    def step(self) -> Stepped:
        """Do what there is to do."""
        ...

    def urge(self, message: Message) -> None:
        """Send what is in no journal, now."""
        ...

    def close(self) -> None:
        """Let go of journal and sink."""
        ...


Reporter = Callable[[Report], None]


class SinkThread:
    """The thread of one sink. `make` is called in it, again after a fault: journal and sink are its own."""

    def __init__(
        self,
        name: str,
        make: Callable[[Reporter], Drain],
        *,
        clock: Clock,
        backoff: Backoff,
        report: Reporter = lambda report: None,
    ) -> None:
        self.name = name
        self._make = make
        self._clock = clock
        self._backoff = backoff
        self._report = report
        self._status = Status(name)
        self._changed = threading.Condition()
        self._woken = False
        self._hurry = False
        self._stopping = False
        self._urgent: deque[Message] = deque()
        self._thread = threading.Thread(target=self._run, name=f"sink-{name}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def wake(self) -> None:
        """There may be something new. Never blocks; does not cut a back-off short."""
        with self._changed:
            self._woken = True
            self._changed.notify()

    def urge(self, message: Message) -> None:
        """Send this at once, back-off or not: an alarm that the journal could not take. Never blocks."""
        with self._changed:
            self._urgent.append(message)
            given_up = len(self._urgent) > URGENT_MAX
            if given_up:
                self._urgent.popleft()
            self._hurry = True
            self._changed.notify()
        if given_up:
            self._report(Report(self.name, News.DROPPED, "too many unrecorded messages wait", count=1))

    def ask_to_stop(self) -> None:
        """End after what is being done now. Never blocks."""
        with self._changed:
            self._stopping = True
            self._changed.notify()

    def stop(self, deadline_s: float = 10.0) -> bool:
        """End after what is being done now; False if it is still at it after the deadline."""
        self.ask_to_stop()
        if self._thread.ident is not None:
            self._thread.join(deadline_s)
        return not self._thread.is_alive()

    @property
    def status(self) -> Status:
        """How it is doing, as last seen."""
        return self._status

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    # --- In the thread

    def _run(self) -> None:
        drain: Drain | None = None
        while not self._stopping:
            try:
                if drain is None:
                    drain = self._make(self._report)
                urged = self._send_urgent(drain)
                wait_s, reached = drain.step()
            except (SinkError, JournalError) as error:
                wait_s = self._down(error)
                if isinstance(error, AccessRefused):  # secrets and certificates are read when it is made
                    self._close(drain)
                    drain = None
                self._rest(wait_s, backing_off=True)
            except Exception as error:  # noqa: BLE001 - the thread's outer edge: a defect must not end alarms
                wait_s = self._fault(error)
                self._close(drain)
                drain = None
                self._rest(wait_s, backing_off=True)
            else:
                if reached or urged:
                    self._up()
                self._rest(wait_s, backing_off=False)
        self._close(drain)

    def _send_urgent(self, drain: Drain) -> bool:
        """Send what is urgent; whether there was anything."""
        sent = False
        while True:
            with self._changed:
                self._hurry = False
                if not self._urgent:
                    return sent
                message = self._urgent[0]
            now_ms = self._clock.journal_ms()
            drain.urge(structs.replace(message, age_ms=max(0, now_ms - message.announced_ms)))
            sent = True
            with self._changed:
                if self._urgent and self._urgent[0] is message:
                    self._urgent.popleft()

    def _rest(self, wait_s: float, *, backing_off: bool) -> None:
        """Sleep that long, or until there is something to do; in a back-off only until something urgent."""
        end_s = self._clock.real_s() + wait_s
        with self._changed:
            while not self._stopping and not self._hurry and (backing_off or not self._woken):
                left_s = end_s - self._clock.real_s()
                if left_s <= 0:
                    break
                self._changed.wait(left_s)
            self._woken = False

    def _up(self) -> None:
        self._backoff.reset()
        if self._status.up is not True:
            self._status = Status(self.name, up=True, since_ms=self._clock.journal_ms())
            self._report(Report(self.name, News.UP))

    def _down(self, error: SinkError | JournalError) -> float:
        asked_s = error.retry_after_s if isinstance(error, SinkError) else None
        why = (
            f"{error.what}: {error.why}"
            if isinstance(error, SinkError)
            else f"{error.operation}: {error.why}"
        )
        if self._status.up is not False:
            self._status = Status(self.name, False, self._clock.journal_ms(), why, error.mend)
            self._report(Report(self.name, News.DOWN, why, error.mend))
        elif self._status.why != why:
            self._status = structs.replace(self._status, why=why, mend=error.mend)
        if isinstance(error, JournalError):
            # Our own disk is no receiver to be spared, and when it heals somebody waits to be called.
            return self._backoff.after(1)
        return self._backoff.wait_s(asked_s)

    def _fault(self, error: Exception) -> float:
        why = f"{type(error).__name__}: {error}"
        mend = "report this as a defect; it is tried again meanwhile"
        self._status = Status(self.name, False, self._clock.journal_ms(), why, mend)
        self._report(Report(self.name, News.FAULT, why, mend))
        return self._backoff.wait_s()

    def _close(self, drain: Drain | None) -> None:
        if drain is not None:
            try:
                drain.close()
            except Exception as error:  # noqa: BLE001 - the thread's outer edge, again
                self._report(Report(self.name, News.FAULT, f"while closing: {error}"))
