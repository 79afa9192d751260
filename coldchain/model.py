"""The plain words of the product: quality, reasons, origins, and what a driver may say.

Everything above this module speaks in these types. They hold no behaviour beyond their own
meaning, so that a journal written today can be read by any later version.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class Quality(StrEnum):
    """The three qualities of OPC UA (IEC 62541-8): what a value is worth as evidence."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Reason(StrEnum):
    """Why a reading is not GOOD. Page, log, journal and test show the same word."""

    # Said by a driver: the device itself, or its bytes, give no value.
    SENSOR_OPEN = "sensor_open"
    SENSOR_SHORT = "sensor_short"
    SENSOR_FAULT = "sensor_fault"
    NOT_CONNECTED = "not_connected"
    OVER_RANGE = "over_range"
    UNDER_RANGE = "under_range"
    NOT_READY = "not_ready"
    POWER_ON_VALUE = "power_on_value"
    NO_VALUE = "no_value"
    REFUSED = "refused"  # the device understood the request and says that it cannot or will not
    NOT_A_NUMBER = "not_a_number"
    NO_UNIT = "no_unit"
    UNKNOWN_UNIT = "unknown_unit"
    BAD_TIME = "bad_time"
    CORRUPT_FRAME = "corrupt_frame"
    BAD_CHECKSUM = "bad_checksum"
    OVERSIZED_FRAME = "oversized_frame"
    UNEXPECTED_REPLY = "unexpected_reply"
    WRONG_DEVICE = "wrong_device"
    SIMULATED = "simulated"  # says so of itself, and the source's settings do not
    OFFLINE = "offline"  # who relays the device says that it is gone, or its value out of date
    ENCRYPTED = "encrypted"  # for somebody else's key
    # Said by a driver about a value that is there but in doubt (UNCERTAIN).
    UNSTABLE = "unstable"
    # Said by the fold.
    OUTSIDE_VALIDITY = "outside_validity"
    DUPLICATE_IN_DOUBT = "duplicate_in_doubt"
    RETAINED_WITHOUT_TIME = "retained_without_time"
    ABOVE_QUANTUM_RANGE = "above_quantum_range"


class Origin(StrEnum):
    """How a reading reached us. Order of strength: live > retained > backfilled > imported.

    Whether a reading is simulated is a property of its source and stands beside the origin, so
    that a simulated reading can never merge with a real one.
    """

    LIVE = "live"
    RETAINED = "retained"
    BACKFILLED = "backfilled"
    IMPORTED = "imported"


#: Strength for merging repeats; the larger wins.
ORIGIN_STRENGTH: dict[Origin, int] = {
    Origin.IMPORTED: 0,
    Origin.BACKFILLED: 1,
    Origin.RETAINED: 2,
    Origin.LIVE: 3,
}


class Priority(StrEnum):
    """Alarm priorities, most urgent first; `to_know` asks for no action at once."""

    CRITICAL = "critical"
    HIGH = "high"
    LOW = "low"
    TO_KNOW = "to_know"


class Side(StrEnum):
    """Which side of a limit is outside."""

    ABOVE = "above"
    BELOW = "below"


class Ending(StrEnum):
    """What became of a consignment."""

    DELIVERED = "delivered"
    INFUSED = "infused"
    RETURNED = "returned"
    DISCARDED = "discarded"


class Measured(Struct, frozen=True):
    """One value as a device sent it: nothing converted, nothing guessed.

    `key` names the quantity within the source ("temp_a"); `value` is the number's own text;
    `unit` the unit token as sent, or as the configuration states for devices that send none.
    `at_ms` is the device's own time (UTC, ms) or None; `sequence` its counter or None; `doubt`
    marks a value that is there but not to be relied on (UNCERTAIN). `history`: out of the device's
    memory, measured before what it measures now; it must have a time of its own.
    """

    key: str
    value: str
    unit: str
    at_ms: int | None = None
    sequence: int | None = None
    doubt: Reason | None = None
    history: bool = False


class Bad(Struct, frozen=True):
    """A reply, or a part of one, that is no value, with the reason.

    `key` is the quantity it would have been, or None when the whole frame is unreadable; `frame`
    the bytes as received (the journal keeps their hash and first bytes). `history`: as of a value.
    """

    reason: Reason
    frame: bytes
    key: str | None = None
    at_ms: int | None = None
    sequence: int | None = None
    history: bool = False


class Noted(Struct, frozen=True):
    """Something that a device says and nothing judges, as text: a state in words, a place on earth.

    `key` names what it is about ("position", "fill_1"). The port records a change of it, and no more
    often than once a minute; nothing is measured by it, and no limit can stand on it.
    """

    key: str
    text: str
    at_ms: int | None = None


Decoded = tuple[Measured | Bad | Noted, ...]
