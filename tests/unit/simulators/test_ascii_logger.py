"""The simulated line logger speaks what the ascii_line driver reads."""

from __future__ import annotations

import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import serial

from coldchain.model import Bad, Measured, Reason
from coldchain_drivers.ascii_line import DRIVER
from coldchain_simulators.ascii_logger import AsciiLogger, Column
from coldchain_simulators.speaking import SpeakingSimulator
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.wires import PtyWire

NOON_MS = 1_767_268_800_250


@pytest.mark.parametrize(
    ("more", "line"),
    [
        pytest.param({}, b"T=-182.40[degC];W=7.850\r\n", id="plain"),
        pytest.param({"numbered": True}, b"seq=1;T=-182.40[degC];W=7.850\r\n", id="numbered"),
        pytest.param({"stamp": "epoch_ms"}, b"time=1767268800250;T=-182.40[degC];W=7.850\r\n", id="ms"),
        pytest.param({"stamp": "epoch_s"}, b"time=1767268800.250;T=-182.40[degC];W=7.850\r\n", id="s"),
        pytest.param(
            {"stamp": "iso8601"}, b"time=2026-01-01T12:00:00.250Z;T=-182.40[degC];W=7.850\r\n", id="ISO 8601"
        ),
        pytest.param({"checksum": "xor8"}, b"T=-182.40[degC];W=7.850*03\r\n", id="exclusive or"),
    ],
)
def test_lines(more: dict[str, Any], line: bytes) -> None:
    """A line has exactly this form."""
    columns = {"T": Column(lambda: -182.4, "degC"), "W": Column(lambda: 7.85, decimals=3)}
    assert AsciiLogger(columns, **more).line(NOON_MS) == line


@pytest.mark.parametrize("checksum", ["none", "xor8", "sum8"])
@pytest.mark.parametrize("stamp", ["none", "epoch_s", "epoch_ms", "iso8601"])
def test_the_driver_reads_every_form(checksum: Any, stamp: Any) -> None:
    """Whatever the logger is set to, the driver can be told, and reads value, time and number."""
    logger = AsciiLogger({"T": Column(lambda: -182.4, "degC")}, stamp=stamp, numbered=True, checksum=checksum)
    settings: dict[str, Any] = {
        "baud": 9600,
        "frame": "8N1",
        "layout": "pairs",
        "values": [{"key": "t", "at": "T"}],
        "sequence": "seq",
        "checksum": checksum,
    }
    if stamp != "none":
        settings["time"] = {"at": "time", "format": stamp}
    ready = DRIVER.settings.model_validate(settings)
    said = DRIVER.decode(ready, None, logger.line(NOON_MS).removesuffix(b"\r\n"))
    at_ms = None if stamp == "none" else NOON_MS
    assert said == (Measured("t", "-182.40", "degC", at_ms, 1),)


def test_a_probe_with_nothing_to_read() -> None:
    """Dashes in the place of a value are no value."""
    logger = AsciiLogger({"T": Column(lambda: None, "degC")})
    settings = {"baud": 9600, "frame": "8N1", "layout": "pairs", "values": [{"key": "t", "at": "T"}]}
    frame = logger.line(0).removesuffix(b"\r\n")
    ready = DRIVER.settings.model_validate(settings)
    assert DRIVER.decode(ready, None, frame) == (Bad(Reason.NOT_A_NUMBER, frame, "t"),)
    told = DRIVER.settings.model_validate(settings | {"lies": [{"value": "----", "reason": "not_connected"}]})
    assert DRIVER.decode(told, None, frame) == (Bad(Reason.NOT_CONNECTED, frame, "t"),)


def test_lines_come_over_a_real_terminal(tmp_path: Path) -> None:
    """A client that listens gets one line for each interval of simulated time."""
    stop = threading.Event()
    with closing(PtyWire(tmp_path / "logger")) as wire:
        simulator = SpeakingSimulator(
            AsciiLogger({"T": Column(lambda: 4.5)}, stamp="epoch_ms"), wire, Stepper(start_ms=1000), 60_000
        )
        listener = threading.Thread(target=simulator.serve, args=(stop,))
        listener.start()
        try:
            with serial.Serial(simulator.port, timeout=5) as line:
                simulator.process(120)
                assert line.read_until(b"\r\n") == b"time=1000;T=4.50\r\n"
                assert line.read_until(b"\r\n") == b"time=61000;T=4.50\r\n"
                assert line.read_until(b"\r\n") == b"time=121000;T=4.50\r\n"
        finally:
            stop.set()
            listener.join()
