"""HTTP as the sinks speak it: one answer to one request, and what its status says of what we sent."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from typing import NamedTuple

import urllib3
import urllib3.exceptions

from coldchain import __version__
from coldchain.sinks.base import AccessRefused, Misconfigured, Rejected, SinkError, Unreachable, Unwilling

#: As much of an answer as is read at all, and as is kept in words.
_ANSWER_MAX = 65_536
_WORDS = 200
#: What mends a certificate that will not do.
CERTIFICATE = (
    "check the receiver's certificate, the host in url, and ca_file (without it: the system's authorities)"
)


class Answer(NamedTuple):
    """A 2xx: `words` for a receipt, the whole `body` (at most 64 KiB), the headers."""

    words: str
    body: bytes
    headers: Mapping[str, str]


class Http:
    """One receiver, one connection. Not for several threads. `headers` go with every request."""

    def __init__(
        self, name: str, timeout_ms: int, headers: Mapping[str, str], trusted: ssl.SSLContext | None
    ) -> None:
        self._name = name
        self._headers = {"User-Agent": f"coldchain/{__version__}", **headers}
        # One connection at most; nothing is repeated by the library, for it does not know the journal.
        # Redirects are not followed: a token is for the address it was given for.
        self._pool = urllib3.PoolManager(
            num_pools=1,
            maxsize=1,
            retries=False,
            timeout=urllib3.Timeout(total=timeout_ms / 1000),
            ssl_context=trusted,
        )

    def ask(
        self, method: str, url: str, *, what: str, content: bytes = b"", headers: Mapping[str, str] = {}
    ) -> Answer:
        """Send one request and wait for its answer. Raises a SinkError for everything that is no 2xx."""
        try:
            answer = self._pool.request(
                method,
                url,
                body=content or None,
                headers={**self._headers, **headers},
                redirect=False,
                preload_content=False,
            )
            try:
                said = answer.read(_ANSWER_MAX, decode_content=False)
                answer.drain_conn()
            finally:
                answer.release_conn()
        except urllib3.exceptions.SSLError as error:
            raise AccessRefused(self._name, what, str(error)[:_WORDS], mend=CERTIFICATE) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            why = f"{type(error).__name__}: {error}"[:_WORDS]
            raise Unreachable(self._name, what, why) from error
        words = f"HTTP {answer.status} {said.decode('utf-8', 'replace').strip()}"[:_WORDS].strip()
        if 200 <= answer.status < 300:
            return Answer(words, said, answer.headers)
        raise self._judged(what, answer.status, words, answer.headers.get("Retry-After", ""))

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.clear()

    def _judged(self, what: str, status: int, words: str, after: str) -> SinkError:
        """What a status that is no 2xx says of what we sent."""
        # 409: the receiver is still at work on an earlier attempt under the same key.
        if status in (408, 409, 425, 429) or status >= 500:
            return Unwilling(self._name, what, words, retry_after_s=float(after) if after.isdigit() else None)
        # 400, 413, 415 and 422 are about the content, and it will not get better. Everything else is about
        # the address or the right to use it; giving an alarm up because a token ran out would be the worse
        # mistake.
        if status in (400, 413, 415, 422):
            return Rejected(self._name, what, words)
        return (AccessRefused if status in (401, 403) else Misconfigured)(self._name, what, words)
