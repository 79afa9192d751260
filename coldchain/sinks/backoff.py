"""How long to wait before trying again."""

from __future__ import annotations

from random import Random


class Backoff:
    """Doubling waits with jitter, so that a hundred gateways do not come back in the same second.

    The n-th wait lies between half of and the whole of `first_s` times 2^(n-1), at most `longest_s`.
    """

    def __init__(self, random: Random, *, first_s: float = 1.0, longest_s: float = 300.0) -> None:
        self._random = random
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def wait_s(self, asked_s: float | None = None) -> float:
        """The next wait; `asked_s` is what the receiver asked for, believed up to the longest wait."""
        self._failures += 1
        wait = self.after(self._failures)
        return wait if asked_s is None else min(max(wait, asked_s), self._longest_s)

    def after(self, failures: int) -> float:
        """The wait after that many failures in a row, for callers that keep count themselves."""
        whole = min(self._first_s * 2.0 ** min(failures - 1, 40), self._longest_s)
        return whole * (0.5 + self._random.random() / 2)

    def reset(self) -> None:
        """It worked: begin again with the first wait."""
        self._failures = 0
