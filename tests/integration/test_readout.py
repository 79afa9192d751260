"""`coldchain readout`: a simulated logger on a pseudo-terminal, its file imported into a real journal."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.importers import elitech_wire
from coldchain_simulators.elitech import ElitechLogger, ElitechSimulator
from coldchain_simulators.physics.passive_box import PassiveBox
from coldchain_simulators.wires import PtyWire
from tests.integration.gateways import Site, running

pytestmark = pytest.mark.slow

BOX = """
[assets.box]
kind = "passive_box"
profile = "fridge-2-8-buffered"
logged = ["product"]
"""
START, NOW = datetime(2026, 1, 8, 7), datetime(2026, 1, 10, 7)


class Silent(ElitechLogger):
    """One whose battery is empty."""

    def reply(self, request: bytes) -> bytes | None:
        return None


@contextmanager
def plugged(device: ElitechLogger, link: Path) -> Iterator[str]:
    """The logger at the end of a pseudo-terminal."""
    wire = PtyWire(link)
    stop = threading.Event()
    serving = threading.Thread(target=ElitechSimulator(device, wire).serve, args=(stop,))
    serving.start()
    try:
        yield wire.port
    finally:
        stop.set()
        serving.join()
        wire.close()


def type_(*words: object) -> Result:
    """Type a command."""
    return CliRunner().invoke(
        main, [str(word) for word in words], prog_name="coldchain", catch_exceptions=False
    )


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rest that a real logger wants between two questions is not waited for."""
    monkeypatch.setattr(elitech_wire, "REST_S", 0.0)


def test_a_trip_from_the_logger_into_the_journal(tmp_path: Path) -> None:
    """A box's temperatures, some replies cut or changed on the way, come into the journal once."""
    box, device = PassiveBox(), ElitechLogger([], START, NOW, damaged={2, 5}, short={3, 7})
    device.measure(lambda: box.packs_c, box.process, 230)
    out = tmp_path / "trip.txt"
    with plugged(device, tmp_path / "logger") as port:
        done = type_("readout", port, "--output", out, "--timeout", "0.3")
        again = type_("readout", port, "--output", out)
    assert done.exit_code == 0, done.output
    assert (
        "230 measurements of 9900112233, each 300 s from 2026-01-08 07:00:00 on by its own clock"
        in done.output
    )
    assert (again.exit_code, "is not overwritten" in again.output) == (1, True)
    site = Site(tmp_path).part("boxes", BOX)
    with running(site):
        pass
    config = ("--asset", "box", "--config", site.config, "--format", "json")
    zoneless = json.loads(type_("import", out, *config).stdout)["files"][0]
    assert (zoneless["status"], "--tz Europe/Zurich" in zoneless["why"]) == ("refused", True)
    report = json.loads(type_("import", out, *config, "--tz", "Europe/Zurich").stdout)["files"][0]
    assert (report["status"], report["new"], report["device"]) == ("imported", 230, "9900112233")
    assert report["unread"] == []
    # The zone is known of this logger now, and the same file is the same file.
    twice = json.loads(type_("import", out, *config).stdout)["files"][0]
    assert twice["status"] == "already_imported"


def test_what_will_not_do(tmp_path: Path) -> None:
    """No logger, a silent one, a model that nobody knows: where it stopped, the mend, and no file."""
    out = tmp_path / "trip.txt"
    absent = type_("readout", tmp_path / "nothing", "--output", out)
    assert (absent.exit_code, "nothing" in absent.output) == (1, True)
    silent = Silent([41], START, NOW)
    with plugged(silent, tmp_path / "logger") as port:
        said = type_("readout", port, "--output", out, "--timeout", "0.05")
    assert (said.exit_code, "the first question: nothing came, asked 3 times" in said.output) == (1, True)
    with plugged(ElitechLogger([41], START, NOW, model=77), tmp_path / "logger") as port:
        said = type_("readout", port, "--output", out, "--timeout", "0.5")
    assert (said.exit_code, "model 77" in said.output, "--page-values" in said.output) == (1, True, True)
    assert not out.exists()
