"""JSON messages of loggers and LoRaWAN servers: the site says which value stands where.

A number keeps its text as sent. What the settings do not describe is no value: a missing key, a
number in quotes, NaN, a key that came twice, a status nobody listed, a message that says of
itself that it is simulated. One message may carry several quantities.
Sources: docs/drivers/mqtt_json.md.
"""

from __future__ import annotations

import re

from coldchain.driver import Maturity, MqttDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.lies import refusal
from coldchain_drivers.mqtt_settings import Mapping, MqttSettings, same
from coldchain_drivers.strict_json import Hole, NotJson, Number, Path, load, walk
from coldchain_drivers.times import event_time_ms

_SEQUENCE = re.compile(r"\d{1,18}", re.ASCII)
_UNIT = re.compile(r"[!-~°µ]{1,16}")


def decode(settings: MqttSettings, topic: str, payload: bytes) -> Decoded:
    """Read one message as the values that the settings find in it; never raises.

    An empty tuple means that the message carries none of its optional values.
    """
    mappings = settings.mapped(topic)
    if not mappings:
        return (Bad(Reason.UNEXPECTED_REPLY, payload),)
    if len(payload) > settings.payload_bytes_max:
        return (Bad(Reason.OVERSIZED_FRAME, payload),)
    try:
        message = load(payload)
    except NotJson:
        return (Bad(Reason.CORRUPT_FRAME if payload else Reason.NO_VALUE, payload),)
    fault = _not_ours(settings, message)
    if fault is not None:
        return tuple(Bad(fault, payload, mapping.key) for mapping in mappings)
    found = (_read(mapping, message, payload) for mapping in mappings)
    return tuple(reading for reading in found if reading is not None)


def _not_ours(settings: MqttSettings, message: object) -> Reason | None:
    """Why a message is no evidence of this source, whatever it holds."""
    simulated = walk(message, ("simulated",))
    if not settings.simulated and simulated is not Hole.MISSING and simulated is not False:
        return Reason.SIMULATED
    if all(same(walk(message, check_path), value) for check_path, value in settings.checks):
        return None
    return Reason.WRONG_DEVICE


def _read(mapping: Mapping, message: object, payload: bytes) -> Measured | Bad | None:
    sent = walk(message, mapping.path)
    if sent is Hole.MISSING and mapping.optional:
        return None
    at_ms = sequence = None
    if mapping.sequence_path is not None:
        counter = walk(message, mapping.sequence_path)
        if not isinstance(counter, Number) or not _SEQUENCE.fullmatch(counter):
            return Bad(Reason.CORRUPT_FRAME, payload, mapping.key)
        sequence = int(counter)
    if mapping.time_path is not None:
        stamp = walk(message, mapping.time_path)
        if isinstance(stamp, str):  # a Number is one too: clocks are sent as numbers and as texts
            at_ms = event_time_ms(stamp, mapping.time_format, mapping.zone)
        if at_ms is None:
            return Bad(Reason.BAD_TIME, payload, mapping.key, None, sequence)
    unit = mapping.unit or _unit(message, mapping.unit_path)
    reason, doubt = _worth(mapping, message)
    reason = reason or _no_number(mapping, sent) or refusal(str(sent), unit, mapping.lies)
    if reason is not None:
        return Bad(reason, payload, mapping.key, at_ms, sequence)
    return Measured(mapping.key, str(sent), unit, at_ms, sequence, doubt)


def _no_number(mapping: Mapping, sent: object) -> Reason | None:
    """Why what stands there cannot be a number, or None if it may be one."""
    if sent is Hole.TWICE:
        return Reason.CORRUPT_FRAME
    if sent is None or sent is Hole.MISSING:
        return Reason.NO_VALUE
    for value, reason in mapping.bad_when:
        if same(sent, value):
            return reason
    if isinstance(sent, Number) or (isinstance(sent, str) and mapping.text_numbers):
        return None
    return Reason.NOT_A_NUMBER


def _worth(mapping: Mapping, message: object) -> tuple[Reason | None, Reason | None]:
    """What the device's own status makes of the value: bad, in doubt, or neither."""
    if mapping.quality_path is None:
        return None, None
    status = walk(message, mapping.quality_path)
    if any(same(status, good) for good in mapping.quality_good):
        return None, None
    if any(same(status, doubt) for doubt in mapping.quality_doubt):
        return None, Reason.UNSTABLE
    return Reason.SENSOR_FAULT, None


def _unit(message: object, path: Path | None) -> str:
    unit = walk(message, path) if path is not None else None
    return (
        str(unit) if isinstance(unit, str) and not isinstance(unit, Number) and _UNIT.fullmatch(unit) else ""
    )


def _topics(settings: MqttSettings) -> tuple[str, ...]:
    return tuple(dict.fromkeys(mapping.topic for mapping in settings.ready))


DRIVER = MqttDriver(
    name="mqtt_json",
    version="1",
    title="JSON messages, described by the site",
    maturity=Maturity.GENERIC,
    settings=MqttSettings,
    topics=_topics,
    decode=decode,
    keys=lambda s: {mapping.key: mapping.unit for mapping in s.ready},
    sends_time=lambda s: all(mapping.time_path is not None for mapping in s.ready),
    numbers_readings=lambda s: all(mapping.sequence_path is not None for mapping in s.ready),
    datasheet=DATASHEETS / "mqtt_json.toml",
    sources=("generic; the site describes what its devices send",),
)
