"""Lessons about one bad reply after which nobody reads any more."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.driver import Line
from coldchain.ports.ports import Ports
from coldchain.ports.serial_port import SerialPort
from coldchain.testing.desk import Desk
from coldchain_drivers.lakeshore import DRIVER
from coldchain_simulators.wires import PtyWire
from tests.integration.test_ports_serial import device, running
from tests.unit.ports.support import site

SOURCE = """
[sources.bath]
driver = "lakeshore"
port = "{port}"
poll = "200 ms"

[sources.bath.settings]
model = "240"
inputs = ["1"]
baud = 115200
frame = "8N1"
"""


# A Lake Shore sent zeros once, and nothing was recorded for 26 hours (simonsobs/socs 366).


class Bath:
    """A Lake Shore 240 whose second round is answered with zeros and nothing else."""

    def __init__(self) -> None:
        self.rounds = 0

    def answer(self, request: bytes) -> list[tuple[float, bytes]]:
        """What it sends for one request."""
        if request.startswith(b"*IDN?"):
            return [(0, b"LSCI,MODEL240,LSA12AB,1.3\r\n")]
        if request.startswith(b"KRDG?"):
            self.rounds += 1
            return [(0, bytes(24) if self.rounds == 2 else b"+77.350\r\n")]
        return [(0, b"000\r\n")]


def in_a_hurry(settings: Any) -> Line:
    """The instrument's line with a shorter time-out: the port waits for late replies twice as long."""
    return replace(DRIVER.line(settings), timeout_ms=300)


def is_read_again(folder: Path) -> bool:
    """Its second answer is garbage: are there readings after it? A port that has given up is waited for."""
    desk, bath, wire = Desk(), Bath(), PtyWire(folder / "ttyBath")
    drivers = {"lakeshore": dataclasses.replace(DRIVER, line=in_a_hurry)}
    loaded = site(folder, SOURCE.format(port=wire.port), {"box.a": ("bath", "input_1")}, drivers)
    with device(wire, bath.answer), running(loaded, desk) as ports:
        (port,) = ports._running.values()
        desk.until(
            lambda: sum(one.raw == "+77.350" for one in desk.readings) >= 3 or not port.alive,
            "readings after the garbage, or the end of the thread",
        )
        return port.alive and len(desk.unreadable) + sum(one.bad is not None for one in desk.readings) == 1


@pytest.mark.slow
def test_one_garbage_reply_does_not_stop_acquisition(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Garbage is written down and the next round is read; a thread that ends with its first error fails."""
    assert is_read_again(tmp_path)

    def gives_up(self: SerialPort) -> None:
        """The fault: a text that is no number ends the thread, and nobody watches it."""
        try:
            self._serve()
        except ValueError:
            self._stopping.set()

    def strict(self: SerialPort, device: Any, blob: Any) -> None:
        raise ValueError(f"could not convert string to float: {blob.head_hex!r}")

    monkeypatch.setattr(SerialPort, "_try", gives_up)
    monkeypatch.setattr(SerialPort, "_no_frame", strict)
    monkeypatch.setattr(Ports, "_bury", lambda self, key, port: None)
    again = tmp_path / "again"
    again.mkdir()
    assert not is_read_again(again)
