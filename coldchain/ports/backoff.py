"""How long a port waits before it tries again."""

from __future__ import annotations

FIRST_S = 1.0
LONGEST_S = 10.0


class Backoff:
    """Doubling waits in real seconds, from 1 to 10.

    Without jitter: the other end is this gateway's own adapter or broker, not a service that a
    thousand gateways share. Ten seconds is the longest that a probe plugged in again stays unread.
    """

    def __init__(self, first_s: float = FIRST_S, longest_s: float = LONGEST_S) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._next_s = first_s

    def wait_s(self) -> float:
        """The next wait; each is twice the one before, up to the longest."""
        wait_s, self._next_s = self._next_s, min(self._next_s * 2, self._longest_s)
        return wait_s

    def reset(self) -> None:
        """It worked: begin again with the first wait."""
        self._next_s = self._first_s
