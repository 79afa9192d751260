"""What passed over a line around a fault, kept for evidence: bounded, in memory, and without secrets.

The journal has why a frame gave no reading, its hash and its first bytes. Whoever asks afterwards what
was on the line (an echo, a second master, a reply to somebody else) wants the bytes before and after, in both
directions. They are kept here for the newest faults of each port; a fault that stands is counted, not
kept again, so that a device which is silent for a week does not push out what came before.

What answers a request that a driver calls a secret (`SerialDriver.secrets`) is never kept, whoever asked:
it is taken out before anything is stored.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import TypeVar

from coldchain.clock import Clock
from coldchain.facts import Reading, Unreadable
from coldchain.model import Reason
from coldchain.ports.framing import Blob
from coldchain.ports.lines import Wire
from coldchain.ports.outlet import Made, PortFact
from coldchain.traffic import Fault, Piece

#: Pieces kept before and after a fault, and faults of a port. A piece is what went one way in one go.
BEFORE, AFTER, FAULTS = 16, 8, 16
#: Of one piece so many bytes are kept; with the figures above at most 100 KiB a port.
PIECE_BYTES = 256
#: A secret may still be answered after our next request, as any late reply (see `bus`): what comes is hidden
#: until we have asked so many times.
_HIDDEN_REQUESTS = 2
#: Stands in the journal for bytes among which a secret was.
REMOVED = b"[removed: a secret was on the line]"


_Reply = TypeVar("_Reply")


@dataclass(slots=True)
class _Piece:
    utc_ms: int
    sent: bool
    data: bytes = b""
    size: int = 0
    hidden: int = 0

    def add(self, shown: bytes, hidden: int) -> None:
        self.data = (self.data + shown)[:PIECE_BYTES]
        self.size += len(shown) + hidden
        self.hidden += hidden

    def view(self) -> Piece:
        return Piece(self.utc_ms, self.sent, self.data.hex(" "), self.size, self.hidden)


@dataclass(slots=True)
class _Fault:
    source: str
    why: str
    utc_ms: int
    last_ms: int
    pieces: list[_Piece]
    times: int = 1


@dataclass
class Frames:
    """The ring of one port. Written by the port's thread, read by any."""

    clock: Clock
    secrets: tuple[bytes, ...] = ()
    _recent: deque[_Piece] = field(default_factory=lambda: deque(maxlen=BEFORE))
    _faults: deque[_Fault] = field(default_factory=lambda: deque(maxlen=FAULTS))
    _standing: dict[str, _Fault] = field(default_factory=dict)
    _following: int = 0
    _hiding: int = 0
    _tail: bytes = b""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def clean(self, reply: _Reply) -> _Reply | Blob:
        """What was heard; what may be a secret is neither read nor kept: no frame stands in its place."""
        if not self._hiding or not isinstance(reply, bytes | Blob):
            return reply
        return Blob(reply.reason if isinstance(reply, Blob) else Reason.UNEXPECTED_REPLY, REMOVED)

    def sent(self, data: bytes) -> None:
        """This was written to the line."""
        with self._lock:
            if self._secret_ends(data):
                self._hiding = _HIDDEN_REQUESTS
            else:
                self._hiding = max(0, self._hiding - 1)
            self._tail = b""
            self._add(sent=True, shown=data, hidden=0)

    def received(self, data: bytes) -> None:
        """This came from the line."""
        with self._lock:
            shown = len(data)
            if self._hiding:
                shown = 0
            elif end := self._secret_ends(self._tail + data):
                shown, self._hiding = max(0, end - len(self._tail)), _HIDDEN_REQUESTS
            longest = max(map(len, self.secrets), default=1)
            self._tail = (self._tail + data)[-(longest - 1) :] if longest > 1 else b""
            self._add(sent=False, shown=data[:shown], hidden=len(data) - shown)

    def fault(self, source: str, why: str) -> None:
        """Something was wrong with a source, or with the line ("")."""
        now_ms = self.clock.utc_ms()
        with self._lock:
            standing = self._standing.get(source)
            if standing is not None and standing.why == why:
                standing.times, standing.last_ms = standing.times + 1, now_ms
                return
            made = _Fault(source, why, now_ms, now_ms, list(self._recent))
            self._standing[source] = made
            self._faults.append(made)
            self._following = AFTER

    def good(self, source: str) -> None:
        """A source (or the line, "") is in order: the next fault is a new one."""
        self._standing.pop(source, None)

    def judge(self, source: str, made: Made) -> None:
        """What one frame of a source gave: a fault if anything is BAD or could not be read, else in order."""
        why = next(filter(None, map(_trouble, made.facts)), "" if made.good else "not understood")
        if why:
            self.fault(source, why)
        else:
            self.good(source)

    def view(self) -> tuple[Fault, ...]:
        """What is kept, the oldest fault first."""
        with self._lock:
            return tuple(
                Fault(
                    each.source, each.why, each.utc_ms, each.times, each.last_ms,
                    tuple(piece.view() for piece in each.pieces),
                )
                for each in self._faults
            )  # fmt: skip

    def _add(self, *, sent: bool, shown: bytes, hidden: int) -> None:
        last = self._recent[-1] if self._recent else None
        if last is None or sent or last.sent:
            last = _Piece(self.clock.utc_ms(), sent)
            self._recent.append(last)
            if self._following and self._faults:
                self._faults[-1].pieces.append(last)
                self._following -= 1
        last.add(shown, hidden)

    def _secret_ends(self, data: bytes) -> int:
        """Where the first secret request in these bytes ends, 0 if there is none."""
        upper = data.upper()
        ends = [upper.find(secret) + len(secret) for secret in self.secrets if secret in upper]
        return min(ends, default=0)


def _trouble(fact: PortFact) -> str:
    if isinstance(fact, Reading):
        return "" if fact.bad is None else fact.bad.value
    # One with a key is a value that nobody configured: the frame itself could be read.
    return fact.reason.value if isinstance(fact, Unreadable) and not fact.key else ""


class Tapped:
    """A wire of which everything that passes is noted."""

    def __init__(self, wire: Wire, frames: Frames) -> None:
        self._wire, self._frames = wire, frames
        self.detail = wire.detail

    def fileno(self) -> int:
        """For `select`."""
        return self._wire.fileno()

    def read(self) -> bytes:
        """What has come, at once. Raises LineLost."""
        data = self._wire.read()
        if data:
            self._frames.received(data)
        return data

    def write(self, data: bytes) -> None:
        """Send all of it. Raises LineLost."""
        self._frames.sent(data)
        self._wire.write(data)

    def close(self) -> None:
        """Give it back; never raises."""
        self._wire.close()
