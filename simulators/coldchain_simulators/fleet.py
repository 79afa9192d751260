"""Many boxes on one broker, for load: each a dry shipper whose logger reports its vapour, on one connection.

Nothing dramatic happens in them. They report in turn, spread evenly over the interval, as boxes that were
started at different times do.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from coldchain.clock import Clock
from coldchain_simulators.mqtt_logger import MqttLogger, Publisher
from coldchain_simulators.scenario import Box

#: Topics are TOPIC/BOX.
TOPIC = "coldchain/fleet"


class Fleet:
    """`count` boxes that report every `interval_ms` each. No broker and no clock; time is told."""

    def __init__(self, count: int, seed: int, interval_ms: int) -> None:
        """The seed is of the noise at the probes."""
        self.interval_ms = interval_ms
        self.boxes = [Box(seed + i) for i in range(count)]
        self._loggers = [
            MqttLogger(name, {"vapour": box.logged()["vapour"]})
            for name, box in zip(names(count), self.boxes, strict=True)
        ]

    def due_ms(self, number: int) -> int:
        """After how long the report of that number is due."""
        return number * self.interval_ms // len(self.boxes)

    def report(self, number: int, utc_ms: int) -> tuple[str, bytes]:
        """The report of that number, counted over all boxes in turn: its topic and the message."""
        box = number % len(self.boxes)
        self.boxes[box].process(self.interval_ms / 1000)
        return f"{TOPIC}/{self._loggers[box].device}", self._loggers[box].message(utc_ms)

    def run(
        self, publisher: Publisher, clock: Clock, stop: threading.Event, for_ms: int | None = None
    ) -> int:
        """Report as time passes, until `stop` or for so long; how many reports were made. In real time."""
        began_ms = clock.boot_ms()
        number = 0
        while for_ms is None or self.due_ms(number) < for_ms:
            wait_ms = began_ms + self.due_ms(number) - clock.boot_ms()
            if stop.wait(max(0, wait_ms) / 1000):
                break
            topic, message = self.report(number, clock.utc_ms())
            publisher.put(message, topic)
            number += 1
        return number


def names(count: int) -> list[str]:
    """What the boxes are called: "box-0001" and so on."""
    digits = max(4, len(str(count)))
    return [f"box-{i:0{digits}}" for i in range(1, count + 1)]


def configuration(count: int, interval_ms: int, host: str, port: int) -> str:
    """A gateway.toml that watches such a fleet."""
    return "\n".join(_lines(count, interval_ms, host, port)) + "\n"


def _lines(count: int, interval_ms: int, host: str, port: int) -> Iterator[str]:
    boxes = names(count)
    pace = f"{interval_ms} ms" if interval_ms % 1000 else f"{interval_ms // 1000} s"
    yield f"""\
# A fleet of {count} simulated boxes, each reporting every {pace}: written by `coldchain simulate --fleet`.

[site]
name = "Simulated fleet"

[journal]
path = "fleet.db"

[clock]
trust = "site"

[brokers.local]
host = "{host}"
port = {port}
client_id = "coldchain-fleet"

[sources.fleet]
driver = "mqtt_json"
broker = "local"
clock_tolerance = "1 min"
simulated = true

[sources.fleet.settings]
simulated = true

[[sources.fleet.settings.mappings]]
key = "{{device}}.vapour"
topic = "{TOPIC}/{{device}}"
path = "vapour"
unit = "degC"
time_path = "time"
time_format = "epoch_ms"
sequence_path = "sequence"
devices = [{", ".join(f'"{box}"' for box in boxes)}]
"""
    for box in boxes:
        yield f"""\
[assets.{box}]
kind = "dry_shipper"
profile = "dry-shipper-150"
[channels."{box}.vapour"]
source = "fleet"
key = "{box}.vapour"
asset = "{box}"
role = "vapour"
quantity = "temperature"
probe = "vapour"
interval = "{pace}"
fresh_within = "10 min"
valid_low = "-200 °C"
valid_high = "60 °C"
"""
