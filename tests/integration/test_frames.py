"""`coldchain frames`: what passed over a real pseudo-terminal, asked of a real daemon."""

from __future__ import annotations

import dataclasses
import json
import time
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from coldchain.cli.main import main
from coldchain.facts import Reading, Unreadable
from coldchain.ports.frames import REMOVED
from coldchain.testing.desk import DEADLINE_S, Desk
from coldchain_drivers.mve_tec3000 import DRIVER
from coldchain_simulators.wires import PtyWire
from tests.integration.gateways import Site
from tests.integration.gateways import running as gateway_running
from tests.integration.test_ports_serial import device, one, running
from tests.unit.ports.support import site

pytestmark = pytest.mark.slow

TEC = """
[sources.tec]
driver = "mve_tec3000"
port = "{port}"
poll = "100 ms"

[sources.tec.settings]
baud = 9600
frame = "8N1"
displayed_unit = "degC"
queries = [{{ key = "temp_a", query = "TEMPA?" }}]
"""


WHO = b"Controller, Software ver. 1.00\r\n"


def test_the_bytes_around_a_fault_are_kept(tmp_path: Path) -> None:
    """A garbled reply is shown with its request and what followed; a request without a reply is a fault."""
    desk, wire, rounds = Desk(), PtyWire(tmp_path / "ttyProbe"), [0]

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        rounds[0] += 1
        return [] if rounds[0] == 6 else [(0, b"\x00\xff\n" if rounds[0] == 3 else b"-1\n")]

    with device(wire, answer), running(one(tmp_path, wire), desk) as ports:
        desk.until(lambda: rounds[0] > 8, "eight rounds")
        view = ports.frames("log")
        assert ports.frames(wire.port) == view
        assert ports.frames("elsewhere").ports == (wire.port,)
    garbled, silent = view.faults
    assert (view.port, garbled.source, garbled.why, silent.why) == (
        wire.port, "log", "unexpected_reply", "no reply",
    )  # fmt: skip
    told = [(piece.sent, bytes.fromhex(piece.hex)) for piece in garbled.pieces]
    assert told[4:8] == [(True, b"a?\n"), (False, b"\x00\xff\n"), (True, b"a?\n"), (False, b"-1\n")]


def test_a_password_on_the_bus_is_kept_nowhere(tmp_path: Path) -> None:
    """Another master asks the controller for its password: neither ring nor facts have it; we read on."""
    desk, wire, rounds = Desk(), PtyWire(tmp_path / "ttyTec"), [0]

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        if request.startswith(b"*IDN?"):
            return [(0, WHO)]
        rounds[0] += 1
        return [(0, b"001 CODE?\r\n4711\r\n" if rounds[0] == 2 else b"-197.10\r\n")]

    hurried = dataclasses.replace(DRIVER, line=lambda s: replace(DRIVER.line(s), timeout_ms=300))
    drivers = {"mve_tec3000": hurried}
    loaded = site(tmp_path, TEC.format(port=wire.port), {"box.a": ("tec", "temp_a")}, drivers)
    with device(wire, answer), running(loaded, desk) as ports:
        desk.until(lambda: len([one for one in desk.readings if one.raw == "-197.10"]) >= 3, "readings")
        view = ports.frames("tec")
    everything = b"".join(bytes.fromhex(piece.hex) for fault in view.faults for piece in fault.pieces)
    assert b"CODE?" in everything
    assert b"4711" not in everything
    heads = [bytes.fromhex(fact.head_hex) for fact in desk.look() if isinstance(fact, Unreadable)]
    assert heads
    assert all(head == REMOVED[:32] for head in heads)
    assert all("4711" not in (fact.raw or "") for fact in desk.look() if isinstance(fact, Reading))


def _typed(site: Site, *words: str) -> Result:
    return CliRunner().invoke(main, ["frames", *words, "--config", str(site.config)])


def test_the_daemon_shows_them(tmp_path: Path) -> None:
    """By the port's name or a source, as text and as JSON; a wrong name says which there are."""
    wire = PtyWire(tmp_path / "ttyTec")
    here = Site(tmp_path).part("tec", TEC.format(port=wire.port))

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return [(0, WHO if request.startswith(b"*IDN?") else b"garbage\r\n")]

    with device(wire, answer):
        with gateway_running(here):
            end_s = time.monotonic() + DEADLINE_S
            while "67 61 72 62 61 67 65" not in (said := _typed(here, "tec", "--format", "json")).output:
                assert said.exit_code == 0, said.output
                assert time.monotonic() < end_s, said.output
            view = json.loads(said.stdout)
            assert (view["port"], {fault["source"] for fault in view["faults"]}) == (wire.port, {"tec"})
            text = _typed(here, wire.port)
            assert text.exit_code == 0
            assert "← 67 61 72 62 61 67 65 0d 0a  garbage.." in text.output
            assert "→ 54 45 4d 50 41 3f 0d 0a  TEMPA?.." in text.output
            wrong = _typed(here, "tek")
            assert wrong.exit_code == 1
            assert f"there are: {wire.port}" in wrong.output or "did you mean" in wrong.output
        gone = _typed(here, "tec")
        assert gone.exit_code == 1
        assert "no daemon runs" in gone.output
