"""One request at a time on a line whose replies, mostly, name neither sender nor request.

A reply that comes too late looks exactly like the reply to the next request. So after a request
that was not answered cleanly nothing is sent before twice its time-out has passed or the late
reply has come; and nothing is ever sent into a line that is not quiet. (That a late reply comes
within twice the time-out is a judgement: a device that is slower needs a longer time-out.)

Where requests carry a number that replies repeat, a late reply is known by it: it is put aside, and
nobody waits for it.
"""

from __future__ import annotations

import select
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from msgspec.structs import replace

from coldchain.clock import Clock
from coldchain.driver import Line, Query
from coldchain.model import Reason
from coldchain.ports.bell import Bell
from coldchain.ports.framing import Blob, Cutter, Echoed, cutter
from coldchain.ports.lines import LineLost, Wire

#: Nothing is sent before nothing has come for so long. At 1200 baud a character takes 8 ms (10 bits), so no
#: pause inside a frame is as long unless the device makes it. (Some devices want as much rest between a reply
#: and the next request, or more: `Line.pause_ms`.)
QUIET_S = 0.05
#: So long may somebody babble before a request is given up.
BABBLE_S = 2.0
#: The longest that a thread sleeps without a sign of life for the watchdog.
_SLICE_S = 1.0


class _Numbered(Protocol):
    def fileno(self) -> int: ...


class Missing(Enum):
    """Why there is no reply."""

    SILENCE = "silence"
    STOPPED = "stopped"


Reply = bytes | Blob | Missing


@dataclass(slots=True)
class _Owed:
    """A reply that may still come: until when (real seconds), to what, and how it will end."""

    until_s: float
    request: bytes
    line: Line


class Bus:
    """Asks on one open wire. `alive` is called whenever the thread comes by."""

    def __init__(
        self,
        wire: Wire,
        bell: Bell,
        clock: Clock,
        stopping: Callable[[], bool],
        alive: Callable[[], None],
    ) -> None:
        self._wire = wire
        self._bell = bell
        self._clock = clock
        self._stopping = stopping
        self._alive = alive
        self._owed: _Owed | None = None
        self._sent = b""
        self._sent_s = 0.0
        self._number = 0
        self._heard_s = clock.real_s()  # when the last byte came; a line just opened is not known to be quiet

    def numbered(self, query: Query, line: Line) -> Query:
        """The query as it is sent next, with a fresh number if its protocol has one."""
        if line.numbered is None:
            return query
        self._number += 1
        return replace(query, send=line.numbered(query.send, self._number))

    def question(self, query: Query, line: Line, unasked: Callable[[Blob], None]) -> Reply:
        """Ask all that belongs to a question: the replies in one piece, or what came instead of one."""
        replies = []
        for send in (query.send, *query.then):
            reply = self.ask(send, line, unasked)
            if not isinstance(reply, bytes):
                return reply
            replies.append(reply)
        return line.terminator.join(replies)

    def ask(self, send: bytes, line: Line, unasked: Callable[[Blob], None]) -> Reply:
        """Send one request and wait for its reply: a frame, or what came instead.

        `unasked` gets what had come before the request was sent, and what answers another. Raises LineLost.
        """
        self._settle(unasked, max(QUIET_S, line.pause_ms / 1000))
        if self._stopping():
            return Missing.STOPPED
        self._wire.write(send)
        self._sent, self._sent_s = send, self._clock.real_s()
        frames = Echoed(cutter(line), send) if line.echoes else cutter(line)
        try:
            reply = self._reply(frames, self._sent_s + line.timeout_ms / 1000, line, unasked)
        except LineLost:
            torn = frames.give_up()
            if torn is not None:
                unasked(torn)
            raise
        return reply

    def _reply(self, frames: Cutter, deadline_s: float, line: Line, unasked: Callable[[Blob], None]) -> Reply:
        whole = Blob(Reason.UNEXPECTED_REPLY)
        while (left_s := deadline_s - self._clock.real_s()) > 0:
            data = self.receive(left_s)
            if self._stopping():
                return Missing.STOPPED
            found = frames.feed(data) if data else []
            if line.numbered is not None:
                found = self._without_others(found, line, unasked)
            whole.add(data)
            if found and (len(found) > 1 or frames.waiting):
                # Two frames after one request: one is an echo, or late. Nothing tells which: neither counts.
                self.doubt(line)
                return whole
            if found:
                if isinstance(found[0], Blob):
                    self.doubt(line)
                return found[0]
        self.doubt(line)
        return frames.give_up() or Missing.SILENCE

    def _without_others(
        self, found: list[bytes | Blob], line: Line, unasked: Callable[[Blob], None]
    ) -> list[bytes | Blob]:
        """What may be the reply to what was sent last; replies that name another request are put aside."""
        ours: list[bytes | Blob] = []
        for frame in found:
            if isinstance(frame, Blob) or _answers(line, self._sent, frame):
                ours.append(frame)
            else:
                unasked(Blob(Reason.UNEXPECTED_REPLY, frame))
        return ours

    def doubt(self, line: Line) -> None:
        """The last request was not answered as it should be: its true reply may still come."""
        if line.numbered is None:  # a late reply says by itself what it answers
            self._owed = _Owed(self._sent_s + 2 * line.timeout_ms / 1000, self._sent, line)

    def receive(self, wait_s: float) -> bytes:
        """What comes next; b"" after the time-out, or when the bell rings. Raises LineLost."""
        self._alive()
        both: list[_Numbered] = [self._wire, self._bell]
        try:
            ready, _, _ = select.select(both, [], [], min(max(0.0, wait_s), _SLICE_S))
        except (OSError, ValueError) as error:  # the number of a wire that has gone
            raise LineLost(str(error)) from error
        self._alive()
        if self._bell in ready:
            self._bell.hear()
        data = self._wire.read() if self._wire in ready else b""
        if data:
            self._heard_s = self._clock.real_s()
        return data

    def rest(self, until_s: Callable[[], float], unasked: Callable[[Blob], None]) -> None:
        """Send nothing until a real instant, asked for anew each second; nobody was asked for what comes."""
        stray: Blob | None = None
        try:
            while not self._stopping() and (left_s := until_s() - self._clock.real_s()) > 0:
                stray = _more(stray, self.receive(left_s))
                if stray is not None and self._quiet():
                    unasked(stray)
                    stray = None
        finally:
            if stray is not None:
                unasked(stray)

    def _settle(self, unasked: Callable[[Blob], None], quiet_s: float) -> None:
        """Wait for what is owed, then until nothing has come for so long."""
        if self._owed is not None:
            self._collect(self._owed, unasked)
            self._owed = None
        stray: Blob | None = None
        give_up_s = self._clock.real_s() + BABBLE_S
        while not self._stopping():
            data = self.receive(self._heard_s + quiet_s - self._clock.real_s())
            now_s = self._clock.real_s()
            if not data and now_s - self._heard_s >= quiet_s:
                break
            stray = _more(stray, data)
            if stray is not None and now_s > give_up_s:
                unasked(stray)
                raise LineLost("the line is never quiet: somebody speaks who was not asked")
        if stray is not None:
            unasked(stray)

    def _collect(self, owed: _Owed, unasked: Callable[[Blob], None]) -> None:
        """Let a late reply come, at most until it is no more expected."""
        frames = cutter(owed.line)
        stray: Blob | None = None
        while not self._stopping() and (left_s := owed.until_s - self._clock.real_s()) > 0:
            data = self.receive(left_s)
            stray = _more(stray, data)
            found = frames.feed(data) if data else []
            if any(isinstance(each, Blob) or _answers(owed.line, owed.request, each) for each in found):
                break
        if stray is not None:
            unasked(stray)

    def _quiet(self) -> bool:
        """Whether a run of bytes is over: nothing more within QUIET_S."""
        try:
            ready, _, _ = select.select([self._wire], [], [], QUIET_S)
        except (OSError, ValueError) as error:
            raise LineLost(str(error)) from error
        return not ready


def _answers(line: Line, request: bytes, frame: bytes) -> bool:
    """Whether a frame can be the reply to a request, as far as its protocol tells."""
    return line.answers is None or line.answers(request, frame)


def _more(stray: Blob | None, data: bytes) -> Blob | None:
    if not data:
        return stray
    if stray is None:
        return Blob(Reason.UNEXPECTED_REPLY, data)
    stray.add(data)
    return stray
