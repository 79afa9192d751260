"""How things are now, on its way to a board: what changed at once, everything from time to time.

A state sink needs no outbox. What it missed while it was down no longer matters, and what it shows is
refreshed on a period and after each reconnection, since a board may have forgotten everything and not say
so.
"""

from __future__ import annotations

from collections.abc import Callable

from coldchain.clock import Clock
from coldchain.facts import HeadSigned
from coldchain.sinks.base import Message, Present, StateSink
from coldchain.sinks.thread import Stepped

#: Changes are gathered this long: a board is looked at by people.
_GATHER_S = 0.2
#: How often the connection is looked at.
_LOOK_S = 2.0


class StateDrain:
    """Shows the present on one board. `present` gives it, or None while there is nothing to show yet.

    anchored: told of each signed head once the board has said that it took it.
    """

    def __init__(
        self,
        sink: StateSink,
        present: Callable[[], Present | None],
        clock: Clock,
        anchored: Callable[[HeadSigned], None] = lambda head: None,
    ) -> None:
        self._sink = sink
        self._present = present
        self._clock = clock
        self._anchored = anchored
        self._head: HeadSigned | None = None
        self._refreshed_s: float | None = None
        self._shown_s: float | None = None

    def step(self) -> Stepped:
        """Show what changed, or everything if it is time or the board was lost."""
        now_s = self._clock.real_s()
        if self._shown_s is not None and (gather_s := self._shown_s + _GATHER_S - now_s) > 0:
            return Stepped(gather_s, reached=False)
        present = self._present()
        if present is None:
            return Stepped(_LOOK_S, reached=False)
        due = self._refreshed_s is None or now_s - self._refreshed_s >= self._sink.refresh_ms / 1000
        all_of_it = due or self._sink.lost()
        if all_of_it:
            self._refreshed_s = None  # until it has been shown
        self._sink.show(present, all_of_it=all_of_it)
        self._shown_s = now_s
        if present.head is not None and present.head != self._head:
            self._head = present.head
            self._anchored(present.head)
        if all_of_it:
            self._refreshed_s = now_s
        assert self._refreshed_s is not None
        wait_s = max(self._refreshed_s + self._sink.refresh_ms / 1000 - now_s, _GATHER_S)
        return Stepped(min(_LOOK_S, wait_s), reached=True)

    def urge(self, message: Message) -> None:
        """Show what is in no journal."""
        self._sink.tell(message)

    def close(self) -> None:
        """Say that we leave."""
        self._sink.close()
