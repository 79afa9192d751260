"""The simulated TEC 3000: silent where the real one would be, and wrong where it is told to be."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial

from coldchain.clock import SystemClock
from coldchain.model import Bad, Measured, Reason
from coldchain_drivers.mve_tec3000 import DRIVER
from coldchain_simulators.asked import AskedSimulator, Fault
from coldchain_simulators.physics.probe import Failure, Probe, ProbeFigures
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.tec3000 import Tec3000
from coldchain_simulators.wires import PtyWire

PATIENCE_S = 5.0
QUIET = ProbeFigures(noise_k=0.0)


def device(**more: Any) -> Tec3000:
    """A controller whose probe A is at -197.1 °C, with one measurement taken."""
    made = Tec3000({"TEMPA": lambda: -197.1}, **more)
    made.measure()
    return made


@pytest.mark.parametrize(
    ("frame", "address", "reply"),
    [
        pytest.param(b"TEMPA?", None, b"-197.10\r\n", id="bare form"),
        pytest.param(b"001 TEMPA?", 1, b"-197.10\r\n", id="addressed, as seen in use"),
        pytest.param(b"001 *IDN?", 1, b"Controller, Software ver. 0.00\r\n", id="identity"),
        pytest.param(b"002 TEMPA?", 1, None, id="another unit's frame"),
        pytest.param(b"TEMPA?", 1, None, id="no address where one is needed"),
        pytest.param(b"001 TEMPA?", None, None, id="an address where there is none"),
        pytest.param(b"01 TEMPA?", 1, None, id="address of two digits"),
        pytest.param(b"TEMPC?", None, None, id="unknown query"),
        pytest.param(b"TEMPA", None, None, id="no query"),
        pytest.param(b"tempa?", None, None, id="small letters"),
        pytest.param(b"\xff\x00", None, None, id="noise"),
        pytest.param(b"", None, None, id="empty"),
    ],
)
def test_reply(frame: bytes, address: int | None, reply: bytes | None) -> None:
    """It answers known queries addressed to it, and nothing else."""
    assert device(address=address).reply(frame) == reply


@pytest.mark.parametrize(
    ("unit", "shows"), [("degC", b"-197.10\r\n"), ("degF", b"-322.78\r\n"), ("K", b"76.05\r\n")]
)
def test_displayed_unit(unit: Any, shows: bytes) -> None:
    """The reply is what the display shows, and tells nobody in which unit."""
    assert device(unit=unit).reply(b"TEMPA?") == shows


def test_it_shows_the_last_measurement() -> None:
    """Between two measurements every reply is the same; a probe that is gone gives none."""
    probe = Probe(-190.0, 1, QUIET)
    tec = Tec3000({"TEMPA": probe.sample})
    assert tec.reply(b"TEMPA?") is None
    tec.measure()
    probe.felt_c = -100.0
    assert tec.reply(b"TEMPA?") == b"-190.00\r\n"
    tec.measure()
    assert tec.reply(b"TEMPA?") == b"-100.00\r\n"
    probe.failure = Failure.DISCONNECTED
    tec.measure()
    assert tec.reply(b"TEMPA?") is None


@contextmanager
def on_the_line(tec: Tec3000, place: Path) -> Iterator[tuple[AskedSimulator, Any]]:
    """The simulator served on a real pseudo-terminal, and pyserial at the other end."""
    stop = threading.Event()
    with closing(PtyWire(place / "tec")) as wire:
        simulator = AskedSimulator(tec, wire, Stepper())
        thread = threading.Thread(target=simulator.serve, args=(stop,))
        thread.start()
        try:
            with serial.Serial(wire.port, timeout=PATIENCE_S) as line:
                yield simulator, line
        finally:
            stop.set()
            thread.join()


SETTINGS = DRIVER.settings.model_validate(
    {"baud": 9600, "frame": "8N1", "displayed_unit": "degC", "address": 1}
)
QUERY = DRIVER.poll(SETTINGS)[0]
GOOD = Measured("temp_a", "-197.10", "degC")


def ask(line: Any) -> Measured | Bad:
    """One request, and its reply up to the line end, read by the driver."""
    line.write(QUERY.send)
    (said,) = DRIVER.decode(SETTINGS, QUERY, line.read_until(b"\r\n").removesuffix(b"\r\n"))
    return said


def test_the_driver_reads_the_simulator(tmp_path: Path) -> None:
    """What the driver asks over a real terminal, the simulator answers, in pieces too."""
    tec = device(address=1)
    with on_the_line(tec, tmp_path) as (_, line):
        (identity,) = DRIVER.identity(SETTINGS)
        line.write(identity.send)
        name = line.read_until(b"\r\n").removesuffix(b"\r\n")
        assert DRIVER.identify(SETTINGS, identity, name) is None
        assert ask(line) == GOOD
        tec.inject(Fault.SPLIT)
        assert ask(line) == GOOD
        for byte in QUERY.send:  # a request that comes byte by byte
            line.write(bytes([byte]))
        assert line.read_until(b"\r\n") == b"-197.10\r\n"
        line.write(b"002 TEMPA?\r\n" + QUERY.send)  # the first is for another unit
        assert line.read_until(b"\r\n") == b"-197.10\r\n"


def test_faults_reach_the_driver(tmp_path: Path) -> None:
    """An echo and garbage are bad; another unit's answer cannot be told from ours, and is shown as it is."""
    tec = device(address=1)
    with on_the_line(tec, tmp_path) as (_, line):
        tec.inject(Fault.ECHO)
        said = ask(line)
        assert isinstance(said, Bad)
        assert said.reason is Reason.UNEXPECTED_REPLY
        assert line.read_until(b"\r\n") == b"-197.10\r\n"
        tec.inject(Fault.OTHER_UNIT)
        assert ask(line) == Measured("temp_a", "21.50", "degC")
        assert ask(line) == GOOD


@pytest.mark.parametrize(
    ("fault", "pieces"),
    [
        pytest.param(Fault.SILENT, [], id="silent"),
        pytest.param(Fault.PARTIAL, [(0.0, b"-197")], id="partial: no line end"),
        pytest.param(Fault.ECHO, [(0.0, b"TEMPA?\r\n"), (0.0, b"-197.10\r\n")], id="echo"),
        pytest.param(Fault.SPLIT, [(0.002, bytes([b])) for b in b"-197.10\r\n"], id="split"),
        pytest.param(Fault.DELAYED, [(5.0, b"-197.10\r\n")], id="delayed beyond the time-out"),
        pytest.param(Fault.OTHER_UNIT, [(0.0, b"21.50\r\n")], id="another unit's answer"),
    ],
)
def test_pieces(fault: Fault, pieces: list[tuple[float, bytes]]) -> None:
    """Each fault spoils one reply as named; the next is whole again; a standing one stays."""
    tec = device()
    tec.inject(fault)
    assert tec.pieces(b"TEMPA?") == pieces
    assert tec.pieces(b"TEMPA?") == [(0.0, b"-197.10\r\n")]
    tec.keep(fault)
    assert tec.pieces(b"TEMPA?") == tec.pieces(b"TEMPA?") == pieces
    tec.keep(None)
    assert tec.pieces(b"TEMPA?") == [(0.0, b"-197.10\r\n")]


def test_garbage_comes_from_the_seed() -> None:
    """Garbage differs from reply to reply and is the same in a run of the same seed."""
    runs = []
    for _ in range(2):
        tec = device(seed=3)
        tec.keep(Fault.GARBAGE)
        runs.append([tec.pieces(b"TEMPA?") for _ in range(5)])
    assert runs[0] == runs[1]
    assert len({piece for (piece,) in runs[0]}) == 5


def test_unplugged_and_back(tmp_path: Path) -> None:
    """After a replug the same name answers again without a restart of the simulator."""
    with on_the_line(device(address=1), tmp_path) as (simulator, line):
        assert ask(line) == GOOD
        simulator.wire.unplug()  # type: ignore[attr-defined]
        simulator.wire.replug()  # type: ignore[attr-defined]
        with serial.Serial(simulator.port, timeout=PATIENCE_S) as again:
            assert ask(again) == GOOD


def test_run_moves_and_answers(tmp_path: Path) -> None:
    """`run` moves simulated time with the clock and answers meanwhile."""
    stop = threading.Event()
    with closing(PtyWire(tmp_path / "tec")) as wire:
        simulator = AskedSimulator(Tec3000({"TEMPA": lambda: -197.1}, address=1), wire, Stepper())
        thread = threading.Thread(target=simulator.run, args=(SystemClock(speed=100), stop))
        thread.start()
        try:
            with serial.Serial(wire.port, timeout=0.2) as line:
                said: Measured | Bad = Bad(Reason.NO_VALUE, b"")
                for _ in range(50):  # until the first measurement is on the display
                    if (said := ask(line)) == GOOD:
                        break
                assert said == GOOD
        finally:
            stop.set()
            thread.join()
