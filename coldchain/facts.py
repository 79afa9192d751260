"""Facts: everything that ever enters the journal, as frozen types with one canonical form.

A fact's canonical bytes are its JSON, keys sorted, defaults left out. Old facts must stay readable for ever:
fields are only added, with a default. Position (place in the one order) and arrival (journal time, ms) are
given by the writer and stand beside it. Times named `*_ms` are UTC unless they say journal.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec import json as _json

from coldchain.logged import FileImported, LoggerKnown
from coldchain.model import Origin, Priority, Reason
from coldchain.plan import Plan
from coldchain.removed import Removed


class Reading(Struct, frozen=True, tag="reading", tag_field="fact", omit_defaults=True):
    """One value, or one failure to give a value, exactly as it came.

    raw:      the number's text as sent ("" when there is none), unit: the unit token.
    bad:      the driver's reason why there is no value; doubt: why a value is UNCERTAIN.
    at_ms:    the device's own time, None if it sends none (then `stamp_ms`, the port's stamp in
              journal time before it was raised to the journal's order, stands for it).
    dup:      the transport said that this may be a repeat.
    """

    source: str
    channel: str
    raw: str = ""
    unit: str = ""
    at_ms: int | None = None
    stamp_ms: int | None = None
    sequence: int | None = None
    place: int = 0
    origin: Origin = Origin.LIVE
    bad: Reason | None = None
    doubt: Reason | None = None
    dup: bool = False
    simulated: bool = False


class Unreadable(Struct, frozen=True, tag="unreadable", tag_field="fact", omit_defaults=True):
    """A frame that gave no reading: its hash, size, first bytes (hex) and why.

    `key` is set when it was readable but belongs to no configured channel.
    """

    source: str
    reason: Reason
    sha256: str
    size: int
    head_hex: str
    key: str = ""


class Note(Struct, frozen=True, tag="note", tag_field="fact", omit_defaults=True):
    """What a device said that nothing judges, as text: a state in words, a place on earth.

    `at_ms`: the device's own time, None if it sends none.
    """

    source: str
    key: str
    text: str
    at_ms: int | None = None
    simulated: bool = False


class Activated(Struct, frozen=True, tag="activated", tag_field="fact", omit_defaults=True):
    """A configuration came into force: its meaning, and the hash of each file's exact text."""

    plan: Plan
    documents: dict[str, str]  # name -> sha256 of the text, which the journal keeps beside
    actor: str = ""
    at_ms: int | None = None  # back-dated activation; None: now
    why: str = ""


class EngineStarted(Struct, frozen=True, tag="engine", tag_field="fact", omit_defaults=True):
    """Which pure code folds from here on (hash over its sources)."""

    engine: str
    version: str


class ProcessStarted(Struct, frozen=True, tag="process_started", tag_field="fact", omit_defaults=True):
    """The daemon began. `down_ms` is the down time before it, None where it is not known yet.

    boot_id, boot_ms: the kernel's id of this boot and its clock at the start, so that a restart
    within the same boot knows its down time whatever the wall clock says.
    """

    boot_id: str
    utc_ms: int | None  # the wall clock if it is known to be right, else None
    down_ms: int | None
    pid: int = 0
    boot_ms: int = 0


class ProcessEnded(Struct, frozen=True, tag="process_ended", tag_field="fact", omit_defaults=True):
    """The daemon was asked to stop and did."""

    why: str


class ClockSet(Struct, frozen=True, tag="clock", tag_field="fact", omit_defaults=True):
    """UTC minus journal time from here on; `offset_ms` None: the clock is not known.

    `leap_ms`: journal time leaps forward by a down time that became known only now.
    """

    offset_ms: int | None
    source: str
    leap_ms: int = 0
    step_ms: int = 0


class SourceUp(Struct, frozen=True, tag="source_up", tag_field="fact", omit_defaults=True):
    """A port opened its device."""

    source: str
    driver: str
    version: str
    detail: str = ""


class SourceDown(Struct, frozen=True, tag="source_down", tag_field="fact", omit_defaults=True):
    """A port lost its device, and what the system said."""

    source: str
    why: str


class Lost(Struct, frozen=True, tag="lost", tag_field="fact", omit_defaults=True):
    """Messages that could not be taken in (QoS 0 beyond capacity, overflow in memory)."""

    source: str
    count: int
    why: str


class Unrecorded(Struct, frozen=True, tag="unrecorded", tag_field="fact", omit_defaults=True):
    """A span in which the journal could not be written, and how many alarms left unrecorded."""

    from_ms: int  # journal time
    to_ms: int
    announced: int
    why: str


class HealthCrossed(Struct, frozen=True, tag="health", tag_field="fact", omit_defaults=True):
    """Something about the gateway itself went beyond a limit of the site's, or came back.

    what: "disk", "queue", "commit", "log", "clock-error", "memory", "files" or "sink-NAME";
    value, limit: in `unit`, as they were.
    """

    what: str
    beyond: bool
    value: int
    limit: int
    unit: str
    priority: Priority


class Beat(Struct, frozen=True, tag="beat", tag_field="fact", omit_defaults=True):
    """The writer's own heartbeat: no sensor's."""


class Wake(Struct, frozen=True, tag="wake", tag_field="fact", omit_defaults=True):
    """A timer came due and fired something: kept, or a re-fold would tell another story."""


class Bound(Struct, frozen=True, tag="bound", tag_field="fact", omit_defaults=True):
    """From `at_ms` on, this channel measures that role of that asset."""

    channel: str
    asset: str
    role: str
    at_ms: int
    actor: str = ""
    why: str = ""


class Unbound(Struct, frozen=True, tag="unbound", tag_field="fact", omit_defaults=True):
    """From `at_ms` on, this channel measures nothing."""

    channel: str
    at_ms: int
    actor: str = ""
    why: str = ""


class ConsignmentStarted(
    Struct, frozen=True, tag="consignment_started", tag_field="fact", omit_defaults=True
):
    """Product units travel together in an asset, under a profile, beginning at a stage."""

    consignment: str
    asset: str
    profile: str
    stage: str
    at_ms: int
    units: tuple[str, ...] = ()
    actor: str = ""
    why: str = ""


class StageEntered(Struct, frozen=True, tag="stage", tag_field="fact", omit_defaults=True):
    """The consignment is in this stage of its lane from `at_ms` on."""

    consignment: str
    stage: str
    at_ms: int
    actor: str = ""
    why: str = ""


class EtaSet(Struct, frozen=True, tag="eta", tag_field="fact", omit_defaults=True):
    """When the consignment is expected to arrive."""

    consignment: str
    eta_ms: int
    at_ms: int
    actor: str = ""


class ConsignmentEnded(Struct, frozen=True, tag="consignment_ended", tag_field="fact", omit_defaults=True):
    """The consignment is over; `outcome` is infused, returned, discarded or delivered."""

    consignment: str
    outcome: str
    at_ms: int
    actor: str = ""
    why: str = ""


class Acknowledged(Struct, frozen=True, tag="ack", tag_field="fact", omit_defaults=True):
    """A person took up these occurrences of an alarm, and no others."""

    alarm: str
    occurrences: tuple[int, ...]
    actor: str
    comment: str = ""


class Shelved(Struct, frozen=True, tag="shelve", tag_field="fact", omit_defaults=True):
    """A person silenced an alarm until a stated journal time."""

    alarm: str
    until_ms: int  # UTC
    actor: str
    comment: str = ""


class Unshelved(Struct, frozen=True, tag="unshelve", tag_field="fact", omit_defaults=True):
    """A person took an alarm off the shelf before its end."""

    alarm: str
    actor: str
    comment: str = ""


class LatchReset(Struct, frozen=True, tag="reset", tag_field="fact", omit_defaults=True):
    """A person reset a latched alarm whose condition has gone, with the reason."""

    alarm: str
    actor: str
    comment: str


class AlarmClosed(Struct, frozen=True, tag="close", tag_field="fact", omit_defaults=True):
    """A person closed an alarm whose rule, channel or probe is gone; its excursion stays open."""

    alarm: str
    actor: str
    comment: str


class WorkBegan(Struct, frozen=True, tag="work_began", tag_field="fact", omit_defaults=True):
    """A person works at `scope` (a vessel, a place in it, or one alarm) until a stated time at the latest.

    work: the kind, which says whose alarms call nobody meanwhile; OUT_OF_SERVICE: all of them.
    """

    scope: str
    work: str
    until_ms: int  # UTC
    actor: str
    comment: str = ""


class WorkEnded(Struct, frozen=True, tag="work_ended", tag_field="fact", omit_defaults=True):
    """A person says that a work is done, or, after its time was up, that it has been."""

    scope: str
    work: str
    actor: str
    comment: str = ""


class ExcursionResolved(Struct, frozen=True, tag="excursion_resolved", tag_field="fact", omit_defaults=True):
    """A person looked at an excursion that is over and found it harmless: budgets are given its time back.

    from_ms, to_ms: its ends as the person saw them, on the axis of its place. What late readings may add to
    it afterwards is not given back.
    """

    excursion: str
    from_ms: int
    to_ms: int
    actor: str
    comment: str


class ExcursionReopened(Struct, frozen=True, tag="excursion_reopened", tag_field="fact", omit_defaults=True):
    """A person takes a resolution back: the excursion counts against budgets again."""

    excursion: str
    actor: str
    comment: str


class HeadSigned(Struct, frozen=True, tag="head", tag_field="fact", omit_defaults=True):
    """The gateway's signature under the journal up to a commit, which cannot be remade without its key.

    journal, link, key, signature: hex (16, 32, 32 and 64 bytes); key is the Ed25519 public key. What is
    signed is `coldchain.evidence.heads.statement`. These very bytes, published, are an anchor outside.
    """

    journal: str
    commit: int
    position: int
    link: str
    key: str
    signature: str
    utc_ms: int | None = None  # None: the clock was not known


class HeadPublished(Struct, frozen=True, tag="head_published", tag_field="fact", omit_defaults=True):
    """A receiver outside (the sink `to`) said that it took this head."""

    commit: int
    link: str
    to: str
    utc_ms: int | None = None


Fact = (
    Reading
    | Unreadable
    | Note
    | Activated
    | EngineStarted
    | ProcessStarted
    | ProcessEnded
    | ClockSet
    | SourceUp
    | SourceDown
    | Lost
    | Unrecorded
    | HealthCrossed
    | Beat
    | Wake
    | Bound
    | Unbound
    | ConsignmentStarted
    | StageEntered
    | EtaSet
    | ConsignmentEnded
    | Acknowledged
    | Shelved
    | Unshelved
    | LatchReset
    | AlarmClosed
    | WorkBegan
    | WorkEnded
    | HeadSigned
    | HeadPublished
    | Removed
    | ExcursionResolved
    | ExcursionReopened
    | LoggerKnown
    | FileImported
)

_encoder = _json.Encoder(order="sorted")
_decoder: _json.Decoder[Fact] = _json.Decoder(Fact)


def encode(fact: Fact) -> bytes:
    """The canonical bytes of a fact: JSON, defaults left out, keys sorted."""
    return _encoder.encode(fact)


def decode(data: bytes) -> Fact:
    """The fact of canonical bytes; raises msgspec.ValidationError on anything else."""
    return _decoder.decode(data)
