"""How often one may try to log in.

NIST SP 800-63B-4, 3.2.2 wants consecutive failures on one account limited (to at most 100); waiting longer
after each failure does that without a lock that an attacker could use to keep an operator out: failures
count against the name *and* the address they came from, and a looser count against the address alone.
"""

from __future__ import annotations

import threading
from collections import OrderedDict

from coldchain.clock import Clock

#: Free tries, then the wait doubles from the first value up to the last.
_FREE_PER_NAME = 5
_FREE_PER_ADDRESS = 20
_FIRST_WAIT_S = 1.0
_LONGEST_WAIT_S = 900.0
#: Remembered keys; the oldest are forgotten first, so that made-up names cannot fill the memory.
_MOST = 4096


class Throttle:
    """Counts failures per (name, address) and per address; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def wait_s(self, name: str, address: str) -> float:
        """Seconds before this pair may try again; 0 if now. A try counts as failed until `succeeded`."""
        with self._lock:
            now_s = self._clock.real_s()
            keys = {(name, address): _FREE_PER_NAME, ("", address): _FREE_PER_ADDRESS}
            wait_s = max(self._left(key, free, now_s) for key, free in keys.items())
            if wait_s <= 0:
                # Counted before the password is looked at: many tries at once get no more than one.
                for key in keys:
                    count, _ = self._failures.pop(key, (0, 0.0))
                    self._failures[key] = (count + 1, now_s)
                while len(self._failures) > _MOST:
                    self._failures.popitem(last=False)
            return max(0.0, wait_s)

    def _left(self, key: tuple[str, str], free: int, now_s: float) -> float:
        count, last_s = self._failures.get(key, (0, 0.0))
        if count < free:
            return 0.0
        wait_s = min(_LONGEST_WAIT_S, _FIRST_WAIT_S * 2.0 ** min(count - free, 20))
        return last_s + wait_s - now_s

    def succeeded(self, name: str, address: str) -> None:
        """The password was right: forget this name's failures from there, and the address's last one."""
        with self._lock:
            self._failures.pop((name, address), None)
            count, last_s = self._failures.get(("", address), (0, 0.0))
            if count:
                self._failures["", address] = (count - 1, last_s)
