"""A webhook: each notice as an HTTP POST with a JSON body, at least once.

The same notice has the same `Idempotency-Key` and the same body on every attempt; what changes from attempt
to attempt (age, number, time of sending) stands in headers. So a receiver that compares bodies under one
key, as the IETF draft "The Idempotency-Key HTTP Header Field" allows it to, finds them equal.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Any

from msgspec import json as _json
from msgspec import to_builtins

from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import WebhookSink
from coldchain.sinks.base import (
    CannotStart,
    Category,
    Message,
    Pulse,
    SinkKind,
    Surroundings,
    wants,
)
from coldchain.sinks.http import Http
from coldchain.sinks.trust import trusted_at
from coldchain.sinks.wording import iso, sentence, utc_of

_encoder = _json.Encoder(order="sorted")


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
        about = {"Content-Type": "application/json"}
        if token:
            about["Authorization"] = f"Bearer {token}"
        self._http = Http(
            around.name, settings.timeout, about, trusted_at(settings.url, around, settings.ca_file)
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
        self._http.close()

    def _post(self, content: bytes, headers: dict[str, str], what: str) -> str:
        if self._clock.known():
            headers["Coldchain-Sent"] = iso(self._clock.utc_ms()) or ""
        if self._secret is not None:
            headers["Coldchain-Signature"] = (
                "sha256=" + hmac.new(self._secret, content, hashlib.sha256).hexdigest()
            )
        return self._http.ask("POST", self._url, what=what, content=content, headers=headers).words


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


SINK = SinkKind(
    name="webhook",
    title="Each notice as an HTTP POST with a JSON body",
    category=Category.NOTICE,
    settings=WebhookSink,
    make=Webhook,
    wants=wants,
)
