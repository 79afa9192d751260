"""What a daemon is asked for from outside: to end, or to read its configuration again."""

from __future__ import annotations

from queue import SimpleQueue


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
        return not self.stopping and self._reloads.get() and not self.stopping
