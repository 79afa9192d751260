"""Simulated small devices at a broker: Zigbee2MQTT, Shelly and Tasmota, with their ways of saying it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from coldchain_simulators.mqtt_device import Out

Sample = Callable[[], float | None]


@dataclass(slots=True)
class ZigbeeSensor:
    """A sensor behind Zigbee2MQTT. `contact` None: it has none; True: closed."""

    friendly_name: str
    temperature: Sample
    contact: bool | None = None

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """Its state, as the bridge sends it."""
        value = self.temperature()
        state: dict[str, Any] = {"last_seen": utc_ms, "linkquality": 120}
        if value is not None:
            state["temperature"] = round(value, 2)
        if self.contact is not None:
            state["contact"] = self.contact
        return (Out(f"zigbee2mqtt/{self.friendly_name}", json.dumps(state).encode()),)


@dataclass(slots=True)
class ShellyHt:
    """A Shelly with one temperature. What it cannot read is null, with an error."""

    id: str
    temperature: Sample
    _failed: bool = False

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """A change of status."""
        value = self.temperature()
        said: dict[str, Any] = {"id": 0, "tC": None if value is None else round(value, 1)}
        if value is None or self._failed:
            said["errors"] = ["read"] if value is None else []
        self._failed = value is None
        whole = {
            "src": self.id,
            "dst": f"{self.id}/events",
            "method": "NotifyStatus",
            "params": {"ts": utc_ms / 1000, "temperature:0": said},
        }
        return (Out(f"{self.id}/events/rpc", json.dumps(whole).encode()),)


@dataclass(slots=True)
class TasmotaBoard:
    """A board with one-wire probes by their Id. One that does not answer is left out; the others move up."""

    topic: str
    probes: Mapping[str, Sample]

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """What the board reports each period; its clock runs on UTC."""
        values = [(own, value) for own, sample in self.probes.items() if (value := sample()) is not None]
        numbered = len(values) > 1
        now = datetime.fromtimestamp(utc_ms // 1000, UTC)
        said: dict[str, Any] = {"Time": now.strftime("%Y-%m-%dT%H:%M:%S")}
        for number, (own, value) in enumerate(values, 1):
            name = f"DS18B20-{number}" if numbered else "DS18B20"
            said[name] = {"Id": own, "Temperature": round(value, 1)}
        return (Out(f"tele/{self.topic}/SENSOR", json.dumps(said | {"TempUnit": "C"}).encode()),)
