"""What a daemon is asked for from outside: to end, or to read its configuration again."""

from __future__ import annotations

from queue import Empty, SimpleQueue

#: A signal that comes in the instant before the wait begins, or to another thread, does not wake it: Python
#: runs the handler when this thread next looks. So it looks this often (real seconds).
LOOK_S = 0.5


class Wishes:
    """Kept from the first moment on, also before there is a daemon to fulfil them.

    `stopping`: the end was asked for. `stop` and `reload` may be called from a signal handler at any moment.
    """

    def __init__(self) -> None:
        self.stopping = False
        # Its `put` is reentrant; an Event's `set` is not.
        self._reloads: SimpleQueue[bool] = SimpleQueue()

    def stop(self) -> None:
        """End soon; comes before whatever else is wished."""
        self.stopping = True
        self._reloads.put(False)

    def reload(self) -> None:
        """Read the configuration again soon."""
        self._reloads.put(True)

    def wait(self) -> bool:
        """Wait for the next wish: True to reload, False to end."""
        while not self.stopping:
            try:
                reload = self._reloads.get(timeout=LOOK_S)
            except Empty:
                continue
            return reload and not self.stopping
        return False
