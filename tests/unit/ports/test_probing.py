"""`coldchain probe` on real lines: it finds the device, proposes what is accepted, and disturbs nobody."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.probe_command import probe
from coldchain.config import load
from coldchain.config.example import HEAD
from coldchain.config.problems import ConfigError
from coldchain.config.sources import installed_drivers
from coldchain.datasheet import read_datasheet
from coldchain.driver import SerialDriver
from coldchain.ports.holders import holder_of
from coldchain.ports.probing import tries
from coldchain_simulators.asked import Asked, AskedSimulator
from coldchain_simulators.instruments import AndBalance, Cryocon, LakeShore, MtSicsBalance
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.tec3000 import Tec3000
from coldchain_simulators.wires import TcpWire, Wire

DRIVERS = installed_drivers()


@contextmanager
def served(device: Asked, wire: Wire) -> Iterator[str]:
    """The device on its line; the port to be probed."""
    device.measure()
    stop = threading.Event()
    with closing(wire):
        thread = threading.Thread(target=AskedSimulator(device, wire, Stepper()).serve, args=(stop,))
        thread.start()
        try:
            yield wire.port
        finally:
            stop.set()
            thread.join()


def probed(port: str, *more: str) -> Result:
    """The command as typed."""
    return CliRunner().invoke(probe, [port, *more])


def check(folder: Path, block: str) -> dict[str, str]:
    """What `config check` makes of the proposal: channel to key. Raises ConfigError."""
    path = folder / "gateway.toml"
    path.write_text(HEAD + block, encoding="utf-8")
    return {name: channel.key for name, channel in load(path).settings.channels.items()}


@pytest.mark.parametrize(
    ("device", "driver", "channels"),
    [
        pytest.param(MtSicsBalance(lambda: 14.6), "mt_sics", {"vessel-1.mass": "mass"}, id="balance"),
        pytest.param(AndBalance(lambda: 14.6), "and_balance", {"vessel-1.mass": "mass"}, id="other balance"),
        pytest.param(
            Cryocon({"A": lambda: -195.8, "B": lambda: None, "C": lambda: 20.0, "D": lambda: None}),
            "cryocon",
            {"vessel-1.input-a": "input_A", "vessel-1.input-c": "input_C"},
            id="only inputs with a probe",
        ),
        pytest.param(
            LakeShore({"2": lambda: -195.8}),
            "lakeshore",
            {"vessel-1.input-2": "input_2"},
            id="by its identity",
        ),
    ],
)
def test_what_is_proposed_is_accepted(
    device: Asked, driver: str, channels: dict[str, str], tmp_path: Path
) -> None:
    """The device is found and its block, as printed, passes `config check` with a channel for each value."""
    with served(device, TcpWire()) as port:
        said = probed(port, "--driver", driver)
    assert said.exit_code == 0, said.output
    assert check(tmp_path, said.stdout) == channels
    assert getattr(device, "wrote", []) == [], "something was sent that is no question"


def test_what_the_device_does_not_tell_is_asked_for(tmp_path: Path) -> None:
    """A TEC 3000 sends no unit: the proposal holds none, the check asks for it, and --set answers."""
    with served(Tec3000({"TEMPA": lambda: -197.1, "TEMPB": lambda: -190.0}), TcpWire()) as port:
        said = probed(port, "--driver", "mve_tec3000")
        told = probed(port, "--driver", "mve_tec3000", "--set", "displayed_unit=degF")
    assert "degC" not in said.stdout
    with pytest.raises(ConfigError, match="displayed_unit"):
        check(tmp_path, said.stdout)
    assert sorted(check(tmp_path, told.stdout).values()) == ["temp_a", "temp_b"]
    assert 'displayed_unit = "degF"' in told.stdout


@pytest.mark.slow
def test_another_device_is_not_taken_for_ours() -> None:
    """A balance is no thermometer: the drivers that do not fit are refused, and the error says what to do."""
    with served(MtSicsBalance(lambda: 14.6), TcpWire()) as port:
        said = probed(port, "--driver", "cryocon")
    assert said.exit_code == 1
    assert "nothing that a driver here knows answers" in said.output


HOLD = """
import os, sys
os.open(sys.argv[1], os.O_RDWR | os.O_NOCTTY)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_port_that_another_program_has_open_is_left_alone() -> None:
    """Not one byte is sent into a line of which another program has an end."""
    master, slave = os.openpty()
    os.set_blocking(master, False)
    port = os.ttyname(slave)
    other = subprocess.Popen(
        [sys.executable, "-c", HOLD, port], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert other.stdout is not None
        assert other.stdout.readline() == "held\n"
        said = probed(port, "--driver", "mt_sics")
        assert said.exit_code == 1
        assert f"(process {other.pid}) has {port} open" in said.output
        with pytest.raises(BlockingIOError):
            os.read(master, 1)
    finally:
        other.communicate()
        os.close(master)
        os.close(slave)
    assert holder_of(port) is None


def test_a_converter_in_use_by_this_computer_is_left_alone(tmp_path: Path) -> None:
    """A connection of another program to the converter counts as holding it; one that ended does not."""
    net = tmp_path / "net"
    net.mkdir()
    head = "  sl  local_address rem_address   st\n"
    for state, held in (("01", True), ("06", False)):
        (net / "tcp").write_text(f"{head}   0: 0100007F:D431 0100007F:2711 {state} 0\n")
        assert (holder_of("socket://127.0.0.1:10001", proc=tmp_path) is not None) is held


def test_a_terminal_program_that_left_its_lock_is_heard(tmp_path: Path) -> None:
    """The lock file of a running program counts, that of one which is gone does not."""
    (tmp_path / "4711").mkdir()
    (tmp_path / "4711" / "comm").write_text("minicom\n")
    for number, held in ((4711, True), (4712, False)):
        (tmp_path / "LCK..ttyUSB9").write_text(f"{number:>10}\n")
        said = holder_of("/dev/ttyUSB9", proc=tmp_path, locks=(tmp_path,))
        assert (said is not None and "minicom (process 4711" in said) is held


@pytest.mark.parametrize(
    "name", sorted(name for name, each in DRIVERS.items() if isinstance(each, SerialDriver))
)
def test_each_attempt_is_one_that_the_driver_takes(name: str) -> None:
    """What a datasheet lets `probe` try are settings of its driver, and what it narrows is a list."""
    driver = DRIVERS[name]
    assert isinstance(driver, SerialDriver)
    attempts = read_datasheet(driver).probe
    assert len(list(tries(driver, attempts, {}, network=True))) == len(attempts)
    assert all(isinstance(each.settings[each.each], list) for each in attempts if each.each)


def test_a_dry_run_opens_nothing() -> None:
    """One sees first what would be sent: no request but a driver's own."""
    said = probed("no-such-port", "--dry-run", "--driver", "mt_sics")
    assert (said.exit_code, said.output) == (0, "mt_sics, 9600 baud 8N1: 'I4\\r\\n', 'SI\\r\\n'\n")
