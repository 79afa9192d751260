"""Simulated LoRaWAN sensors behind a network server: ChirpStack v4 or The Things Stack v3.

Payloads are put together here byte by byte from the manuals, without the drivers' codecs: so one checks the
other. Uplinks of The Things Stack say `"simulated": true` of themselves, as those of its own console do.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

from coldchain_simulators.mqtt_device import Out

Sample = Callable[[], float | None]


class Payload(Protocol):
    """What a sensor puts into one radio frame."""

    port: int

    def frame(self, utc_ms: int) -> bytes:
        """The bytes of a measurement now."""
        ...


@dataclass(slots=True)
class Ltc2:
    """Dragino LTC2: two platinum probes in hundredths; a probe with nothing to read is 0x8001."""

    first: Sample
    second: Sample
    battery_mv: int = 3600
    port: int = 2

    def frame(self, utc_ms: int) -> bytes:
        """Battery, form 1, both channels, clock."""
        values = [self._raw(sample()) for sample in (self.first, self.second)]
        return struct.pack(">HBHHI", self.battery_mv, 1, *values, utc_ms // 1000)

    @staticmethod
    def _raw(value: float | None) -> int:
        return 0x8001 if value is None else round(value * 100) & 0xFFFF


@dataclass(slots=True)
class Em500:
    """Milesight EM500-PT100: charge and temperature; `memory` holds what could not be sent in time."""

    temperature: Sample
    battery: int = 90
    port: int = 85
    memory: list[tuple[int, float]] = field(default_factory=list)

    def frame(self, utc_ms: int) -> bytes:
        """What is in memory, then what is measured now."""
        out = b""
        for at_ms, value in self.memory:
            out += b"\x20\xce" + struct.pack("<Ih", at_ms // 1000, round(value * 10))
        self.memory.clear()
        now = self.temperature()
        if now is not None:
            out += b"\x03\x67" + struct.pack("<h", round(now * 10))
        return out + b"\x01\x75" + bytes([self.battery])


@dataclass(slots=True)
class ChirpstackNode:
    """A sensor behind ChirpStack. `copies`: how often the server publishes one uplink."""

    application: str
    dev_eui: str
    payload: Payload
    copies: int = 1
    counter: int = 0

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """One uplink; zeros are left out, as protobuf does."""
        whole: dict[str, Any] = {
            "deduplicationId": f"{self.dev_eui}-{self.counter}",
            "time": _iso(utc_ms) + "+00:00",
            "deviceInfo": {"deviceName": "simulated", "devEui": self.dev_eui, "tags": {"simulated": "true"}},
            "fPort": self.payload.port,
            "data": base64.b64encode(self.payload.frame(utc_ms)).decode(),
        }
        if self.counter:
            whole["fCnt"] = self.counter
        self.counter += 1
        topic = f"application/{self.application}/device/{self.dev_eui}/event/up"
        return (Out(topic, json.dumps(whole).encode()),) * self.copies


@dataclass(slots=True)
class TtnNode:
    """A sensor behind The Things Stack."""

    application: str
    device_id: str
    dev_eui: str
    payload: Payload
    counter: int = 0

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """One uplink, which says that it is simulated."""
        uplink: dict[str, Any] = {
            "session_key_id": "simulated",
            "f_port": self.payload.port,
            "frm_payload": base64.b64encode(self.payload.frame(utc_ms)).decode(),
            "received_at": _iso(utc_ms) + "Z",
        }
        if self.counter:
            uplink["f_cnt"] = self.counter
        self.counter += 1
        whole = {
            "end_device_ids": {"device_id": self.device_id, "dev_eui": self.dev_eui.upper()},
            "uplink_message": uplink,
            "simulated": True,
        }
        topic = f"v3/{self.application}/devices/{self.device_id}/up"
        return (Out(topic, json.dumps(whole).encode()),)


def _iso(utc_ms: int) -> str:
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
