"""Logins that outlive a restart: a wall board must come back by itself at three in the morning.

A session is a random token in a cookie; the file keeps only its SHA-256, so who reads the file cannot use
it. A session ends at log-out, when its user's password changes or the user goes, or at its end.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import threading
from pathlib import Path

import msgspec
from msgspec import Struct

from coldchain.clock import Clock
from coldchain.web.users import User, Users, write_private

_log = logging.getLogger(__name__)

#: More than anybody needs; the oldest go first.
_MOST = 500


class Session(Struct, frozen=True, forbid_unknown_fields=True):
    """Who logged in, under which password, and when (UTC ms by this machine's clock)."""

    user: str
    credential: str
    made_ms: int


_SESSIONS: msgspec.json.Decoder[dict[str, Session]] = msgspec.json.Decoder(dict[str, Session])


def _key(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """All sessions; thread-safe. `path` is written at log-in and log-out only."""

    def __init__(self, path: Path, users: Users, clock: Clock, last_ms: int) -> None:
        self._path = path
        self._users = users
        self._clock = clock
        self._last_ms = last_ms
        self._lock = threading.Lock()
        self._sessions = self._read()

    def _read(self) -> dict[str, Session]:
        try:
            return _SESSIONS.decode(self._path.read_bytes())
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            # Losing sessions costs a log-in; it must not cost the page.
            _log.warning("%s cannot be read (%s): everybody logs in anew", self._path, error)
            return {}

    def open(self, user: User) -> str:
        """A new session for a user who has just proved the password; returns the cookie's token."""
        token = secrets.token_urlsafe(32)
        with self._lock:
            self._sessions[_key(token)] = Session(user.name, user.credential, self._clock.utc_ms())
            while len(self._sessions) > _MOST:
                del self._sessions[next(iter(self._sessions))]
            self._write()
        return token

    def user_of(self, token: str) -> User | None:
        """Who holds this token, if it is still worth something."""
        with self._lock:
            session = self._sessions.get(_key(token))
        if session is None:
            return None
        user = self._users.all().get(session.user)
        if user is None or user.credential != session.credential or self._over(session):
            return None
        return user

    def _over(self, session: Session) -> bool:
        # A clock that booted in 1970 makes sessions look as if made in the future: they stay good.
        return self._clock.utc_ms() - session.made_ms > self._last_ms

    def close(self, token: str) -> None:
        """Log out; an unknown token is nothing to do."""
        with self._lock:
            if self._sessions.pop(_key(token), None) is not None:
                self._write()

    def _write(self) -> None:
        self._sessions = {key: session for key, session in self._sessions.items() if not self._over(session)}
        try:
            write_private(self._path, msgspec.json.encode(self._sessions))
        except OSError as error:
            # The disk may be full just when somebody must log in to acknowledge: the session holds in memory.
            _log.warning("%s cannot be written (%s): sessions end with this process", self._path, error)
