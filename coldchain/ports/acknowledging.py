"""Which messages may be acknowledged to a broker, and in which order.

A message id means something on one connection only: on the next one the same number is somebody
else's message. So a window belongs to one connection, a token to one window, and a token that is
settled after its connection ended acknowledges nothing.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from coldchain.pipeline.intake import Folded
from coldchain.ports.bell import Bell


class Token:
    """One message under way on one connection."""

    __slots__ = ("done", "mid")

    def __init__(self, mid: int) -> None:
        self.mid = mid
        self.done = False


class Window:
    """The QoS 1 messages of one connection that are not acknowledged yet, in order of arrival.

    Only the thread of the connection touches it; the writer's thread does no more than mark a token
    and ring the bell. That is why no lock is needed, and why an acknowledgement can never slip onto
    a later connection between a check and the sending.
    """

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._under_way: deque[Token] = deque()

    def __len__(self) -> int:
        return len(self._under_way)

    def arrived(self, mid: int) -> Token:
        """A message came."""
        token = Token(mid)
        self._under_way.append(token)
        return token

    def refuse(self, token: Token) -> None:
        """The message that came last is not taken: it will not be acknowledged."""
        last = self._under_way.pop()
        assert last is token, "only the newest message can be refused"

    def settling(self, token: Token) -> Callable[[Folded], None]:
        """What the writer calls after the commit, from its own thread."""

        def settled(_: Folded) -> None:
            token.done = True
            self._bell.ring()

        return settled

    def ready(self) -> list[int]:
        """The message ids to acknowledge now: those settled, as far as nothing before them is open."""
        mids = []
        while self._under_way and self._under_way[0].done:
            mids.append(self._under_way.popleft().mid)
        return mids
