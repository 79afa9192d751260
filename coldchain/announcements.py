"""Announcements: what the program said, appended and never rewritten.

Each is made by folding one fact; the journal stores it with that fact's position and arrival
(`announced`). `since_ms` and `due_ms` are event times on the channel's own axis: UTC for sources
that send their time, journal time (`axis = "journal"`) for sources that send none.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec import json as _json

from coldchain.model import Priority


class Kind(StrEnum):
    """What is being said."""

    # About an alarm (ISA-18.2): each changes its state or adds an occurrence.
    RAISED = "raised"
    RETURNED = "returned"
    ACKNOWLEDGED = "acknowledged"
    SHELVED = "shelved"
    UNSHELVED = "unshelved"
    RESET = "reset"
    CLOSED = "closed"
    RE_ALARMED = "re_alarmed"
    SUPPRESSED = "suppressed"
    UNSUPPRESSED = "unsuppressed"
    OUT_OF_SERVICE = "taken_out_of_service"
    IN_SERVICE = "returned_to_service"
    ESCALATED = "escalated"
    REFUSED = "refused"
    # About an excursion: what was true, and what late evidence made of it.
    EXCURSION_ENDED = "excursion_ended"
    EXCURSION_REVISED = "excursion_revised"
    NOT_CONFIRMED = "not_confirmed"
    EXCURSION_RESOLVED = "excursion_resolved"
    EXCURSION_REOPENED = "excursion_reopened"
    # About a work at a vessel, during which alarms call nobody; and whether a place is without alarms for it.
    WORK_BEGAN = "work_began"
    WORK_ENDED = "work_ended"
    WORK_CONFIRMED = "work_confirmed"
    BLIND_BEGAN = "blind_began"
    BLIND_ENDED = "blind_ended"
    FLOOD_BEGAN = "flood_began"
    FLOOD_ENDED = "flood_ended"
    # To know: about ourselves.
    NOTE = "note"


class Late(StrEnum):
    """Why an announcement came more than 1 s after it was certain."""

    NOT_RUNNING = "not_running"
    STALLED = "suspended_or_stalled"
    TRANSPORT = "transport_delay"
    FOUND_LATE = "found_late"
    UPGRADE = "found_by_upgrade"


class Announcement(Struct, frozen=True, omit_defaults=True):
    """One thing said.

    alarm:      "asset/role/rule", or "port:SOURCE" for a whole source, or "gateway/..." of our own.
    occurrence: number of the occurrence within the alarm, from 1; state: the ISA-18.2 state after it.
    since_ms:   event time at which it began; due_ms: event time at which it became certain.
    value:      the value that matters (extreme so far), limit: the limit, in the channel's quantum.
    text:       for NOTE: the words' key; detail: its parameters.
    to:         the contacts called by it; none: whoever listens.
    folded:     told to people in one notice when the flood that it came in is over.
    group:      the alarms of a vessel that came up together; first_in_group: it was the first of them.
    """

    kind: Kind
    alarm: str = ""
    rule: str = ""
    subject: str = ""
    priority: Priority | None = None
    state: str = ""
    occurrence: int | None = None
    occurrences: tuple[int, ...] = ()
    excursion: str = ""
    since_ms: int | None = None
    due_ms: int | None = None
    end_ms: int | None = None
    axis: str = ""
    value: int | None = None
    limit: int | None = None
    quantity: str = ""
    late: Late | None = None
    text: str = ""
    detail: dict[str, str] = {}
    actor: str = ""
    comment: str = ""
    to: tuple[str, ...] = ()
    folded: bool = False
    group: str = ""
    first_in_group: bool = False
    unapproved: bool = False
    simulated: bool = False


_encoder = _json.Encoder(order="sorted")
_decoder = _json.Decoder(Announcement)


def encode(announcement: Announcement) -> bytes:
    """Canonical bytes: JSON, defaults left out, keys sorted."""
    return _encoder.encode(announcement)


def decode(data: bytes) -> Announcement:
    """The announcement of canonical bytes; raises msgspec.ValidationError on anything else."""
    return _decoder.decode(data)
