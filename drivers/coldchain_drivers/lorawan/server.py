"""What both network servers have in common: a payload to decode, a copy to recognise, a second opinion.

The network server's own reading (`object`, `decoded_payload`) is never the value. It is compared, and a
disagreement is noted: one of the two codecs is wrong, and a person should look.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from fractions import Fraction

from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain.units import exact
from coldchain_drivers.lorawan.codec import Uplink
from coldchain_drivers.lorawan.models import LoraDevice
from coldchain_drivers.strict_json import Number, Object

#: Copies of an uplink come within seconds; so many identities are remembered of each device.
REMEMBERED = 32
#: What is noted of a server whose codec says something else.
DISAGREES = "the network server's own codec reads a temperature otherwise: one of the two is wrong"
#: A server's codec may round to one decimal.
_ROUNDED = Fraction("0.051")
#: Longer payloads no LoRaWAN region allows (242 bytes; RP002, regional parameters).
PAYLOAD_BYTES_MAX = 242

Seen = dict[str, tuple[str, ...]]  # by device; never changed in place


def payload_of(sent: object) -> bytes | None:
    """The bytes of a base64 text; None if it is none, or more than a radio frame carries."""
    if not isinstance(sent, str):
        return None
    try:
        data = base64.b64decode(sent, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if len(data) <= PAYLOAD_BYTES_MAX else None


def values(device: LoraDevice, uplink: Uplink, message: bytes, opinion: object) -> Decoded:
    """What a payload says, and one note more if the server's own reading says something else."""
    said: list[Measured | Bad | Noted] = []
    for each in device.codec.read(uplink):
        key = f"{device.name}/{each.name}" if each.name else None
        history = each.at_ms is not None
        at_ms = each.at_ms if history else uplink.at_ms
        if isinstance(each.value, Reason):
            said.append(Bad(each.value, message, key, at_ms, history=history))
        elif key is not None:
            unit = device.codec.units[each.name]
            said.append(Measured(key, each.value, unit, at_ms, history=history))
    if not _agrees(said, opinion):
        said.append(Noted(f"{device.name}/second_opinion", DISAGREES))
    return tuple(said)


def refused(device: LoraDevice, reason: Reason, message: bytes) -> Decoded:
    """Nothing of a message counts: each quantity says why."""
    return tuple(Bad(reason, message, key) for key in device.keys)


def again(seen: Seen, device: str, identity: str) -> tuple[bool, Seen]:
    """Whether an uplink came before, and what is remembered from now on. "" is no identity: it is new."""
    known = seen.get(device, ())
    if not identity:
        return False, seen
    if identity in known:
        return True, seen
    return False, seen | {device: (identity, *known[: REMEMBERED - 1])}


def _agrees(said: list[Measured | Bad | Noted], opinion: object) -> bool:
    """Whether each temperature measured now is somewhere in the server's own reading, if it has numbers."""
    numbers = list(_numbers(opinion))
    ours = [
        number
        for each in said
        if isinstance(each, Measured) and each.unit == "degC" and not each.history
        if (number := exact(each.value)) is not None
    ]
    return not numbers or all(any(abs(one - other) <= _ROUNDED for other in numbers) for one in ours)


def _numbers(value: object) -> Iterator[Fraction]:
    if isinstance(value, Number):
        number = exact(value)
        if number is not None:
            yield number
    elif isinstance(value, Object):
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, list):
        for each in value:
            yield from _numbers(each)
