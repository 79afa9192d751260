"""A start that folds a long past: it says how far it is, asks for patience, and keeps what it has folded.

The first start after an upgrade folds all facts anew; that takes minutes where there are millions
(docs/performance.md, "A start"). systemd ends a start that takes longer than TimeoutStartSec= unless it is
told to wait (EXTEND_TIMEOUT_USEC=, sd_notify(3)), and would end the next one at the same point, for ever. A
power cut on the way must not cost all of it either: what is folded is kept now and then, except where
readings were removed by policy; such a journal is short.
"""

from __future__ import annotations

import logging

from coldchain.clock import Clock
from coldchain.daemon.systemd import Notifier
from coldchain.daemon.wishes import Wishes
from coldchain.fold import Fold
from coldchain.journal import Journal, JournalError
from coldchain.pipeline.recovery import GivenUp
from coldchain.pipeline.states import freeze

_log = logging.getLogger(__name__)

#: How often it is said how far it is, and how long systemd is then to wait for more (real seconds).
SAY_S, PATIENCE_S = 5, 120
#: The state is kept this often (real seconds), and never for more than one part in so many of the time.
KEEP_S, KEEP_PART = 60, 20


class CatchingUp:
    """Looks on while a journal is folded."""

    def __init__(
        self, journal: Journal, engine: str, clock: Clock, notifier: Notifier, wishes: Wishes
    ) -> None:
        self._journal, self._engine, self._clock = journal, engine, clock
        self._notifier, self._wishes = notifier, wishes
        self._end = journal.tail().position
        self._say_at_s = clock.real_s() + SAY_S
        self._keep_at_s = clock.real_s() + KEEP_S
        #: Whether it took so long that the state is worth keeping as soon as there is one.
        self.long = False

    def look(self, fold: Fold, *, resumable: bool) -> None:
        """Called between facts, often; raises GivenUp when the daemon is asked to end."""
        if self._wishes.stopping:
            raise GivenUp
        now_s = self._clock.real_s()
        if now_s >= self._say_at_s:
            self._say(fold.position)
            self._say_at_s = now_s + SAY_S
        if resumable and now_s >= self._keep_at_s:
            self._keep(fold)
            took_s = self._clock.real_s() - now_s
            self._keep_at_s = now_s + took_s + max(KEEP_S, KEEP_PART * took_s)

    def _say(self, position: int) -> None:
        how_far = f"catching up with the journal: {position:,} of {self._end:,} facts"
        if not self.long:
            _log.info("%s; readings are taken in when that is done", how_far)
        self.long = True
        self._notifier.starting(how_far, PATIENCE_S)

    def _keep(self, fold: Fold) -> None:
        try:
            self._journal.save_checkpoint(fold.position, self._engine, freeze(fold))
        except JournalError as error:
            _log.warning("a start that is cut off now begins anew: %s", error)
        else:
            _log.info("caught up with %s of %s facts", f"{fold.position:,}", f"{self._end:,}")
