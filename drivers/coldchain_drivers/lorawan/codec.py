"""What a payload codec is: bytes of one uplink in, values as sent out.

A codec is ours, never the network server's: published decoders read −182.40 °C of a Dragino LTC2 as
+472.96 °C. What a codec does not know ends its reading and is flagged; it never skips.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msgspec import Struct

from coldchain.driver import Reach
from coldchain.model import Reason
from coldchain_drivers.scaled import scaled

#: 2015-01-01: a clock that shows less was never set. Judgement: all of these sensors are younger.
_OLDEST_MS = 1_420_070_400_000
#: How far a record in a sensor's memory may lie after the uplink that brings it: clocks differ. Judgement.
_AHEAD_MS = 600_000
#: Absolute zero in hundredths of a degree Celsius: what is below is no temperature (general physics).
_ZERO_HUNDREDTHS = -27_315


class Said(Struct, frozen=True):
    """One quantity of a payload: a number as text, or the reason why there is none.

    name:  of the quantity; "": a part of the payload that could not be read, or not placed in time.
    at_ms: of a record out of the sensor's memory; None: measured now.
    """

    name: str
    value: str | Reason
    at_ms: int | None = None


class Uplink(Struct, frozen=True):
    """One payload. `at_ms`: when the network received it, if it says so; `port`: None if it was left out."""

    data: bytes
    port: int | None = None
    at_ms: int | None = None


@dataclass(frozen=True, kw_only=True)
class Codec:
    """A model's payload.

    units: each quantity with the unit in which it is sent; "" where the site must say what a 1 means.
    read:  never raises.
    reach: for quantities whose sensor ends somewhere.
    """

    name: str
    title: str
    units: Mapping[str, str]
    read: Callable[[Uplink], tuple[Said, ...]]
    reach: Mapping[str, Reach] = field(default_factory=dict)
    source: str = ""


#: The rest of a payload cannot be read: it is flagged, and nothing of it is guessed.
STOP = Said("", Reason.UNEXPECTED_REPLY)


def celsius(raw: int, decimals: int) -> str | Reason:
    """A temperature in steps of a tenth or a hundredth; below absolute zero it is a fault of the sensor."""
    if raw * 10 ** (2 - decimals) < _ZERO_HUNDREDTHS:
        return Reason.SENSOR_FAULT
    return scaled(raw, 1, decimals)


def remembered(at_s: int, uplink: Uplink) -> int | None:
    """The time of a record in the sensor's memory, in ms; None: its clock was never set, or runs ahead."""
    at_ms = at_s * 1000
    if at_ms < _OLDEST_MS or (uplink.at_ms is not None and at_ms > uplink.at_ms + _AHEAD_MS):
        return None
    return at_ms


def record(at_s: int, uplink: Uplink, *values: Said) -> tuple[Said, ...]:
    """The values of one record of the sensor's memory; one flag if nobody can say when they were true."""
    at_ms = remembered(at_s, uplink)
    if at_ms is None:
        return (Said("", Reason.BAD_TIME),)
    return tuple(Said(value.name, value.value, at_ms) for value in values)
