"""`coldchain ports` and `coldchain drivers`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
from click.testing import CliRunner

from coldchain.cli import port_commands
from coldchain.cli.driver_commands import drivers
from coldchain.cli.port_commands import ports
from coldchain.config import sources
from coldchain.driver import Maturity
from coldchain.reports.driver_page import IN_WORDS


def test_drivers_in_words() -> None:
    """Each driver says how sure we are of it, in words that need no explanation."""
    result = CliRunner().invoke(drivers, ["list"])
    assert result.exit_code == 0
    assert "mqtt_json  version 1  JSON messages, described by the site" in result.output
    assert "mve_tec3000" in result.output
    assert "from second-hand description; not checked against anything of the vendor" in result.output


def test_drivers_for_programs() -> None:
    """A program gets the same as JSON, with the maturity's own word."""
    found = json.loads(CliRunner().invoke(drivers, ["list", "--format", "json"]).output)
    by_name = {driver["name"]: driver for driver in found}
    assert set(by_name) >= {"ascii_line", "mqtt_json", "mve_tec3000"}
    assert by_name["mve_tec3000"]["maturity"] == Maturity.SECOND_HAND.value
    assert by_name["mqtt_json"]["read_from"] == "an MQTT broker"


def test_devices_of_a_driver() -> None:
    """A driver of many devices lists each, with how sure we are of that one."""
    said = CliRunner().invoke(drivers, ["list"]).output
    assert "    device cwt_8pt1000: ComWinTop" in said
    assert "        from second-hand description; not checked against anything of the vendor" in said
    found = json.loads(CliRunner().invoke(drivers, ["list", "--format", "json"]).output)
    devices = {
        driver["name"]: {one["name"]: one["maturity"] for one in driver["devices"]} for driver in found
    }
    assert devices["mve_tec3000"] == {}
    assert devices["modbus"]["vaisala_hmp"] == Maturity.VENDOR_VECTORS.value
    assert devices["modbus"]["comet_t"] == Maturity.VENDOR_DOCUMENT.value
    assert devices["modbus"]["mb8art"] == Maturity.SECOND_HAND.value


class _Broken:
    """An entry point whose package lacks something."""

    name = "half_installed"

    def load(self) -> object:
        raise ImportError("No module named gauges")


def test_a_driver_that_cannot_be_loaded_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """The list says which it is, why, and what to do."""
    real = sources.entry_points
    monkeypatch.setattr(sources, "entry_points", lambda **group: [*real(**group), _Broken()])
    said = CliRunner().invoke(drivers, ["list"])
    assert said.exit_code == 0
    assert "half_installed  cannot be loaded: ImportError: No module named gauges; install it" in said.output
    assert "mve_tec3000" in said.output
    found = json.loads(CliRunner().invoke(drivers, ["list", "--format", "json"]).output)
    assert found[-1] == {"name": "half_installed", "broken": "ImportError: No module named gauges"}


def test_all_that_is_known_of_a_device() -> None:
    """The page of the docs can be read on the gateway itself."""
    said = CliRunner().invoke(drivers, ["show", "mt_sics"])
    assert said.exit_code == 0
    for heading in ("# mt_sics: ", "## Wiring", "## Settings", "## Example", "## Sources"):
        assert heading in said.output


@pytest.mark.parametrize(
    ("name", "mend"),
    [
        pytest.param("mt_sisc", "did you mean mt_sics?", id="misspelt"),
        pytest.param("xyzzy", "see: coldchain drivers list", id="nothing like it"),
    ],
)
def test_a_driver_that_is_not_there(name: str, mend: str) -> None:
    """The error says what to do."""
    said = CliRunner().invoke(drivers, ["show", name])
    assert said.exit_code == 1
    assert mend in said.output


@pytest.mark.parametrize("maturity", list(Maturity))
def test_every_maturity_has_words(maturity: Maturity) -> None:
    """A new grade of certainty cannot be listed without being explained."""
    assert IN_WORDS[maturity]


def test_ports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A device with a lasting name is listed by it; a name that may change its device is said to."""
    for name in ("ttyUSB0", "ttyUSB1"):
        (tmp_path / name).touch()
    by_id = tmp_path / "by-id"
    by_id.mkdir()
    (by_id / "usb-FTDI-if00").symlink_to(tmp_path / "ttyUSB0")
    monkeypatch.setattr(port_commands, "_STABLE", (by_id,))
    plugged = [
        SimpleNamespace(
            device=str(tmp_path / "ttyUSB0"), description="RS-485", serial_number="A5", vid=1, pid=1
        ),
        SimpleNamespace(
            device=str(tmp_path / "ttyUSB1"), description="n/a", serial_number=None, vid=1, pid=1
        ),
        SimpleNamespace(
            device=str(tmp_path / "ttyS0"), description="n/a", serial_number=None, vid=None, pid=None
        ),
    ]
    monkeypatch.setattr(port_commands, "_plugged", lambda: plugged)
    result = CliRunner().invoke(ports, [])
    assert result.exit_code == 0, result.output
    lines = result.output.splitlines()
    assert lines[0] == str(by_id / "usb-FTDI-if00")
    assert lines[1:3] == ["    RS-485, A5", f"    now {tmp_path / 'ttyUSB0'}"]
    assert lines[3:] == [
        str(tmp_path / "ttyUSB1"),
        "    this name may be another device's after it is plugged in again",
        str(tmp_path / "ttyS0"),
    ]
    found = json.loads(CliRunner().invoke(ports, ["--format", "json"]).output)
    assert [(port["name"], port["stable"]) for port in found] == [
        (lines[0], True),
        (lines[3], False),
        (lines[5], True),
    ]


@pytest.mark.parametrize(
    ("vendor", "product", "said"),
    [
        pytest.param(0x1FB9, 0x0204, "lakeshore may read it: Lake Shore 224", id="the instrument itself"),
        pytest.param(0x1546, 0x01A7, "nmea0183 may read it: u-blox receiver", id="any product of a maker"),
        pytest.param(
            0x0403, 0x6001, "an adapter by FTDI: try coldchain probe ", id="who knows what is behind"
        ),
        pytest.param(0x1FB9, 0x9999, None, id="a maker's unknown product"),
    ],
)
def test_which_driver_fits(
    vendor: int, product: int, said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What tells by its USB identity what it is, is named with its driver; nothing is guessed of the rest."""
    plugged = [
        SimpleNamespace(device="no-such", description="n/a", serial_number=None, vid=vendor, pid=product)
    ]
    monkeypatch.setattr(port_commands, "_plugged", lambda: plugged)
    lines = CliRunner().invoke(ports, []).output.splitlines()[2:]
    assert [line.strip().startswith(said) for line in lines] == [True] if said else lines == []


def test_no_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing plugged in is said, and is no error."""
    monkeypatch.setattr(port_commands, "_plugged", list)
    result = CliRunner().invoke(ports, [])
    assert (result.exit_code, result.output) == (0, "no serial device is plugged in\n")


def test_the_real_machine() -> None:
    """Whatever this machine has, listing it works."""
    assert CliRunner().invoke(ports, ["--format", "json"]).exit_code == 0
