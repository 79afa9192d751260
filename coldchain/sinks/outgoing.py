"""A row of the outbox: an announcement with the times at which it was made.

Both times are written once, with the announcement, so that a message is the same on every attempt, however
the clock is set in between.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec import json as _json

from coldchain.announcements import Announcement


class Outgoing(Struct, frozen=True, omit_defaults=True):
    """What a notice holds. `announced_ms`: journal time; `announced_utc_ms`: None if it was not known."""

    announcement: Announcement
    announced_ms: int
    announced_utc_ms: int | None = None


_encoder = _json.Encoder(order="sorted")
_decoder = _json.Decoder(Outgoing)


def encode(outgoing: Outgoing) -> bytes:
    """The body of a notice."""
    return _encoder.encode(outgoing)


def decode(body: bytes) -> Outgoing:
    """The row that a notice's body holds; raises msgspec.ValidationError on anything else."""
    return _decoder.decode(body)
