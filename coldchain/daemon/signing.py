"""The gateway signs the head of its journal now and then, and notes who took it.

A gateway whose key cannot be read watches all the same: it says so aloud, once for each configuration.
"""

from __future__ import annotations

import logging
import os

from coldchain.clock import Clock
from coldchain.config.credentials import SecretUnavailable, read_secret
from coldchain.config.loaded import Loaded
from coldchain.evidence import heads
from coldchain.evidence.keys import EvidenceError, Key
from coldchain.facts import HeadPublished, HeadSigned
from coldchain.journal import Journal
from coldchain.pipeline.intake import Queue

_log = logging.getLogger("coldchain")


class Signer:
    """Signs in the writer's thread; `head` may be asked for by any."""

    def __init__(self, journal: Journal, queue: Queue, clock: Clock) -> None:
        self._journal, self._queue, self._clock = journal, queue, clock
        #: The gateway's key; None: it has none that can be read.
        self.key: Key | None = None
        self._every_s = 0.0
        self._signed_s: float | None = None
        #: The newest head; None until one is signed.
        self.head: HeadSigned | None = None
        #: The last commit of which a receiver outside has taken a head, since we run; 0: none yet.
        self.outside = 0

    def reload(self, loaded: Loaded) -> None:
        """Take the key and the interval of a configuration."""
        settings = loaded.settings.evidence
        self._every_s = settings.every / 1000
        self.key = None
        try:
            text = read_secret(
                settings.key_file, settings.key_env, base=loaded.path.parent, environ=os.environ
            )
            if text is not None:
                self.key = Key.read(text, settings.key_file or f"${settings.key_env}")
        except (SecretUnavailable, EvidenceError) as error:
            _log.error("the journal is not signed: %s", error)

    def look(self) -> None:
        """Sign if it is time. For the writer's thread, between two commits.

        Also where only the last head came since: how old the newest one is says how long a cut tail can be.
        """
        now_s = self._clock.real_s()
        if self.key is None or (self._signed_s is not None and now_s - self._signed_s < self._every_s):
            return
        tail = self._journal.tail()
        if not tail.commit:
            return
        self.head = heads.sign(self.key, self._journal.journal_id, tail, self._utc_ms())
        self._signed_s = now_s
        self._queue.submit((self.head,))

    def published(self, to: str, head: HeadSigned) -> None:
        """The sink `to` has taken this head."""
        self.outside = max(self.outside, head.commit)
        self._queue.submit((HeadPublished(head.commit, head.link, to, self._utc_ms()),))

    def _utc_ms(self) -> int | None:
        return self._clock.utc_ms() if self._clock.known() else None
