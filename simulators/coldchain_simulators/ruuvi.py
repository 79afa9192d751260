"""Simulated Ruuvi tags and the gateways that hear them (data format 5).

A tag transmits one measurement several times, and each gateway relays what it hears with its own time: so the
same measurement reaches the broker in copies, as it does in the field.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from coldchain_simulators.mqtt_device import Out

Sample = Callable[[], float | None]
_NOT_AVAILABLE, _END = -0x8000, 0x7FFF


@dataclass(slots=True)
class RuuviTag:
    """One tag. What its sensor cannot say is clipped to the end of the field, as the real one does."""

    mac: str
    temperature: Sample
    humidity: float = 40.0
    battery_mv: int = 2900
    sequence: int = field(default=0, init=False)

    def advertisement(self) -> str:
        """The next measurement as the gateway passes it on, in hex."""
        self.sequence = (self.sequence + 1) % 0xFFFF
        value = self.temperature()
        steps = _NOT_AVAILABLE if value is None else max(-_END, min(_END, round(value / 0.005)))
        power = (self.battery_mv - 1600) << 5 | 22
        data = struct.pack(
            ">BhHHhhhHBH",
            5,
            steps,
            round(self.humidity / 0.0025),
            50_000,
            4,
            -4,
            1036,
            power,
            0,
            self.sequence,
        )
        body = b"\xff\x99\x04" + data + bytes.fromhex(self.mac.replace(":", ""))
        return (b"\x02\x01\x06" + bytes([len(body)]) + body).hex().upper()


@dataclass(frozen=True, slots=True)
class RuuviGateways:
    """Gateways that all hear the same tags; `copies`: how often each relays one measurement."""

    gateways: Sequence[str]
    tags: Sequence[RuuviTag]
    copies: int = 1
    retain: bool = True

    def messages(self, utc_ms: int) -> tuple[Out, ...]:
        """One measurement of each tag, as often as it is heard."""
        said = []
        for tag in self.tags:
            data = tag.advertisement()
            for number, gateway in enumerate(list(self.gateways) * self.copies):
                stamp = str(utc_ms // 1000 + number)  # each heard it a little later
                whole = {
                    "gw_mac": gateway,
                    "rssi": -60,
                    "gwts": stamp,
                    "ts": stamp,
                    "data": data,
                    "coords": "",
                }
                said.append(Out(f"ruuvi/{gateway}/{tag.mac}", json.dumps(whole).encode(), self.retain))
        return tuple(said)
