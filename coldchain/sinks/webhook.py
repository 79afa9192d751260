"""A webhook: each notice as an HTTP POST with a JSON body, at least once.

The same notice has the same `Idempotency-Key` and the same body on every attempt; what changes from attempt
to attempt (age, number, time of sending) stands in headers. So a receiver that compares bodies under one
key, as the IETF draft "The Idempotency-Key HTTP Header Field" allows it to, finds them equal.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

import urllib3
import urllib3.exceptions
from msgspec import json as _json
from msgspec import to_builtins

from coldchain import __version__
from coldchain.announcements import Announcement
from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import WebhookSink
from coldchain.sinks.base import (
    CannotStart,
    Category,
    Message,
    Misconfigured,
    Pulse,
    Rejected,
    SinkError,
    SinkKind,
    Surroundings,
    Unreachable,
    Unwilling,
    calls_people,
)
from coldchain.sinks.wording import iso, sentence, utc_of

_encoder = _json.Encoder(order="sorted")
#: As much of an answer as is read at all, and as is kept.
_ANSWER_MAX = 4096
_WORDS = 200


class Webhook:
    """One address. Not for several threads."""

    def __init__(self, settings: WebhookSink, around: Surroundings) -> None:
        try:
            token = around.secret(settings.token_file, settings.token_env)
            secret = around.secret(settings.secret_file, settings.secret_env)
        except SecretUnavailable as error:
            raise CannotStart(around.name, "read a secret", error.what, mend=error.mend) from error
        self.max_age_ms = settings.max_age
        self.heartbeat_ms = settings.heartbeat
        self._name, self._site = around.name, around.site
        self._clock = around.clock
        self._url = settings.url
        self._secret = secret.encode() if secret else None
        self._headers = {"Content-Type": "application/json", "User-Agent": f"coldchain/{__version__}"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        # One connection at most; nothing is repeated by the library, for it does not know the journal.
        self._pool = urllib3.PoolManager(
            num_pools=1, maxsize=1, retries=False, timeout=urllib3.Timeout(total=settings.timeout / 1000)
        )

    def tell(self, message: Message) -> str:
        """POST one message; the receipt is the status and what the receiver said."""
        headers = {
            "Idempotency-Key": message.key,
            "Coldchain-Position": str(message.position),
            "Coldchain-Age-Ms": str(message.age_ms),
            "Coldchain-Attempt": str(message.attempt),
        }
        return self._post(body(self._site, self._name, message), headers, f"tell {message.key}")

    def beat(self, pulse: Pulse) -> None:
        """POST a heartbeat. It has no key: the newest is the one that counts."""
        content = {
            "event": "heartbeat",
            "site": self._site,
            "sink": self._name,
            "position": pulse.position,
            "journal_ms": pulse.journal_ms,
            "utc": iso(pulse.utc_ms),
        }
        self._post(_encoder.encode(content), {"Coldchain-Position": str(pulse.position)}, "send a heartbeat")

    def close(self) -> None:
        """Let go of the connection."""
        self._pool.clear()

    def _post(self, content: bytes, headers: dict[str, str], what: str) -> str:
        headers = {**self._headers, **headers}
        if self._clock.known():
            headers["Coldchain-Sent"] = iso(self._clock.utc_ms()) or ""
        if self._secret is not None:
            headers["Coldchain-Signature"] = (
                "sha256=" + hmac.new(self._secret, content, hashlib.sha256).hexdigest()
            )
        try:
            answer = self._pool.request(
                "POST", self._url, body=content, headers=headers, redirect=False, preload_content=False
            )
            try:
                said = answer.read(_ANSWER_MAX, decode_content=False)
                answer.drain_conn()
            finally:
                answer.release_conn()
        except urllib3.exceptions.SSLError as error:
            mend = "check the receiver's certificate and this machine's authorities"
            raise Misconfigured(self._name, what, str(error)[:_WORDS], mend=mend) from error
        except (urllib3.exceptions.HTTPError, OSError) as error:
            why = f"{type(error).__name__}: {error}"[:_WORDS]
            raise Unreachable(self._name, what, why) from error
        words = f"HTTP {answer.status} {said.decode('utf-8', 'replace').strip()}"[:_WORDS].strip()
        if 200 <= answer.status < 300:
            return words
        raise self._judged(what, answer.status, words, answer.headers.get("Retry-After", ""))

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
        return Misconfigured(self._name, what, words)


def body(site: str, sink: str, message: Message) -> bytes:
    """The JSON of a message: the same bytes on every attempt (unless the clock is set in between)."""
    said = message.announcement
    content: dict[str, Any] = {
        "event": "notice",
        "key": message.key,
        "site": site,
        "sink": sink,
        "position": message.position,
        "ordinal": message.ordinal,
        "unrecorded": message.unrecorded,
        "simulated": said.simulated,
        "to": said.to,
        "unapproved": said.unapproved,
        "text": ("[NOT RECORDED] " if message.unrecorded else "") + sentence(said),
        "announced_ms": message.announced_ms,
        "announced": iso(message.announced_utc_ms),
        "since": utc_of(said, said.since_ms),
        "due": utc_of(said, said.due_ms),
        "announcement": to_builtins(said),
    }
    return _encoder.encode(content)


def wants(settings: WebhookSink, announcement: Announcement) -> bool:
    """Whether this webhook is to be told: what calls people, in the priorities it was set up for."""
    priority = announcement.priority
    return calls_people(announcement) and (priority is None or priority in settings.priorities)


SINK = SinkKind(
    name="webhook",
    title="Each notice as an HTTP POST with a JSON body",
    category=Category.NOTICE,
    settings=WebhookSink,
    make=Webhook,
    wants=wants,
)
