"""A story whose measurements go over a real wire at the time at which they arrive.

The story decides what arrives and when (a logger's memory, a network that is down, a clock that is wrong);
here it only gets a form: a JSON message at a broker, or a line of text at the end of a serial line or a TCP
connection. Each carries the logger's own time and a running number, so what comes late or twice can be told.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from functools import reduce
from operator import xor

from coldchain.clock import Clock
from coldchain_simulators.carrier import Measured
from coldchain_simulators.story import Story

#: How long simulated time may pass between two looks at the end (simulated ms).
_LOOK_MS = 60_000


def as_message(one: Measured, start_ms: int) -> bytes:
    """A measurement as JSON; nothing to read is null."""
    value = "null" if one.digits is None else one.digits  # the digits as shown, zeros at the end too
    head = {"simulated": True, "role": one.role, "time": start_ms + one.stamp_ms, "sequence": one.number}
    return f'{json.dumps(head)[:-1]}, "value": {value}}}'.encode("ascii")


def as_line(one: Measured, start_ms: int) -> bytes:
    """A measurement as a line with a checksum; nothing to read is an empty cell."""
    text = f"time={start_ms + one.stamp_ms};seq={one.number};{one.role}={one.digits or ''}".encode("ascii")
    return text + b"*%02X\r\n" % reduce(xor, text, 0)


class ToldLive:
    """One play of a story along a clock. `say` gets each measurement when it arrives, as often as it does."""

    def __init__(self, story: Story, until_ms: int, say: Callable[[Measured], None]) -> None:
        """`until_ms`: how long the story lasts (simulated)."""
        self.story, self._until_ms, self._say = story, until_ms, say
        self._told = 0

    def run(self, clock: Clock, start_ms: int, stop: threading.Event) -> bool:
        """Follow the clock from `start_ms` (UTC) on; whether the story was told to its end."""
        while not stop.is_set():
            now_ms = clock.utc_ms() - start_ms
            self.pass_until(now_ms)
            if now_ms >= self._until_ms:
                return True
            due_ms = self.story.stepper.next_ms()
            until_ms = min(self._until_ms, now_ms + _LOOK_MS if due_ms is None else due_ms)
            clock.wait(stop, max(1, until_ms - now_ms))
        return False

    def pass_until(self, at_ms: int) -> None:
        """Let the story happen up to an instant, and say what has arrived by then."""
        arrived = self.story.play(min(at_ms, self._until_ms))
        for _, what in arrived[self._told :]:
            if isinstance(what, Measured):
                self._say(what)
        self._told = len(arrived)
