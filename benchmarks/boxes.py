"""Simulated boxes that report to a broker, and a paho client that only counts: nothing here is the program.

Broker and boxes are processes of their own and the same for both sides; what is told is this process alone.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.bare import Options
from benchmarks.measure import Figures, Usage, peak_bytes
from tests.servers.mosquitto import Mosquitto

COLDCHAIN = Path(sys.executable).with_name("coldchain")
#: How long the last messages may take (real seconds).
_PATIENCE_S = 300.0


def consume(options: Options) -> Figures:
    """A paho client that subscribes at QoS 1 and counts."""
    seen = [0]

    def take(*_: Any) -> None:
        seen[0] += 1

    with Broker(options) as broker:
        client = paho.Client(CallbackAPIVersion.VERSION2, "bare")
        client.on_message = take
        client.connect("127.0.0.1", broker.port)
        client.subscribe("coldchain/fleet/#", qos=1)
        client.loop_start()
        figures = measured(options, broker, lambda: seen[0])
        client.disconnect()
        client.loop_stop()
    return figures | {"doubled": 0.0}


class Broker:
    """A broker that keeps all that waits, in a folder of its own."""

    def __init__(self, options: Options) -> None:
        self.folder = Path(options["folder"]).resolve()
        place = self.folder / "broker"
        place.mkdir()
        self._server = Mosquitto(place, max_queued_messages=0, max_inflight_messages=0)

    def __enter__(self) -> Self:
        self._server.start()
        self.port = self._server.port
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()


def count(options: Options) -> int:
    """How many reports the boxes make in that time."""
    boxes, every_ms, span_ms = options["boxes"], options["every_ms"], options["span_ms"]
    return int(
        next(n for n in range(boxes * span_ms // every_ms, 1 << 40) if n * every_ms // boxes >= span_ms)
    )


def measured(options: Options, broker: Broker, done: Callable[[], int]) -> Figures:
    """Let the boxes report, and wait until all of it is taken."""
    expected = count(options)
    words = ["simulate", "--fleet", options["boxes"], "--every", f"{options['every_ms']}ms"]
    words += ["--for", f"{options['span_ms']}ms", "--broker", f"127.0.0.1:{broker.port}"]
    with Usage() as used:
        boxes = subprocess.Popen([str(COLDCHAIN), *map(str, words)], stdout=subprocess.DEVNULL)
        try:
            took_s = _all_taken(expected, options["span_ms"], done)
        except BaseException:
            boxes.kill()
            raise
        finally:
            boxes.wait()
    return {
        "messages": float(expected),
        "cpu_us_per_message": used.cpu_s / expected * 1e6,
        "messages_per_s": expected / took_s if took_s else 0.0,
        "peak_bytes": float(peak_bytes()),
    }


def _all_taken(expected: int, span_ms: int, done: Callable[[], int]) -> float:
    """Wait until all of it is taken; how long it took from the first on (s)."""
    began_s: float | None = None
    patience_s = time.monotonic() + span_ms / 1000 + _PATIENCE_S
    while (taken := done()) < expected:
        if taken and began_s is None:
            began_s = time.monotonic()
        if time.monotonic() > patience_s:
            raise RuntimeError(f"{taken} of {expected} reports were taken")
        time.sleep(0.05)
    return time.monotonic() - (began_s or time.monotonic())
