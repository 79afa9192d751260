"""The demonstration's story is honest, quick enough, and the same again from its seed."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import serial

from coldchain.clock import SystemClock
from coldchain.model import Measured
from coldchain_drivers.mqtt_json import DRIVER as MQTT
from coldchain_drivers.mve_tec3000 import DRIVER as TEC
from coldchain_simulators.scenario import CALM, VACUUM_LOSS, DemoBox, Happening, Scenario, What
from tests.servers import Mosquitto, Peer

PATIENCE_S = 20.0


@contextmanager
def unstarted(folder: Path, seed: int = 1, scenario: Scenario = VACUUM_LOSS) -> Iterator[DemoBox]:
    """All devices, moved by the test instead of a clock."""
    folder.mkdir(exist_ok=True)
    demo = DemoBox(seed, SystemClock(), folder=folder, scenario=scenario)
    try:
        yield demo
    finally:
        demo.stop()


def shown(demo: DemoBox) -> float | None:
    """What the controller answers for probe A."""
    reply = demo.tec.device.reply(b"001 TEMPA?")
    return None if reply is None else float(reply)


def messages(demo: DemoBox, name: str) -> list[dict[str, Any]]:
    (logger,) = (logger for logger in demo.loggers if logger.device.device == name)
    return [json.loads(message) for message in logger.publisher.pending()]


def minutes_until(demo: DemoBox, celsius: float) -> float:
    """Simulated minutes until the controller shows as much as that."""
    for step in itertools.count(1):
        demo.process(5)
        if (shown(demo) or -999.0) >= celsius:
            return step * 5 / 60
    raise AssertionError


def test_the_story_fits_its_table(tmp_path: Path) -> None:
    """Vapour passes -165 °C after 51 and -150 °C after 70 minutes: with 10 of hold in 25 s at speed 200."""
    with unstarted(tmp_path) as demo:
        warning = minutes_until(demo, -165)
        critical = warning + minutes_until(demo, -150)
        assert (warning, critical) == pytest.approx((50.7, 69.6), abs=0.3)
        assert (critical + 10) * 60 / 200 < 25
        # The published slope, as a probe with its lag sees it: 15 °C at 47.75 °C/h.
        assert critical - warning == pytest.approx(15 / 47.75 * 60, abs=0.2)


def test_until_then_all_is_calm(tmp_path: Path) -> None:
    """For ten minutes the box is cold and losing little, and the refrigerator never leaves 2 to 8 °C."""
    with unstarted(tmp_path) as demo:
        demo.process(600)
        assert shown(demo) == pytest.approx(-195.0, abs=0.3)
        masses = [message["mass"] for message in messages(demo, "box-7")]
        assert masses == sorted(masses, reverse=True)
        assert masses[-1] == pytest.approx(8.6, abs=0.01)
        demo.process(4 * 3600)
        assert messages(demo, "box-7")[-1]["mass"] == 5.3
        temperatures = [message["temperature"] for message in messages(demo, "fridge-1")]
        assert all(3.5 < celsius < 6.5 for celsius in temperatures)
        assert len(set(temperatures)) > 20


def test_the_two_probes_agree(tmp_path: Path) -> None:
    """Both vapour probes tell the same story, each with its own noise and lag."""
    with unstarted(tmp_path) as demo:
        for _ in range(90):
            demo.process(60)
            b = messages(demo, "box-7")[-1]["vapour"]
            assert shown(demo) == pytest.approx(b, abs=1.0)


@pytest.mark.parametrize("cut_s", [1.0, 7.3, 3600.0])
def test_a_seed_gives_the_same_data_however_time_runs(tmp_path: Path, cut_s: float) -> None:
    """Every message is the same to the byte, whether time came in small cuts or in one."""
    with unstarted(tmp_path / "a") as one, unstarted(tmp_path / "b") as other:
        one.process(7200)
        passed = 0.0
        while passed < 7200:
            other.process(min(cut_s, 7200 - passed))
            passed += cut_s
        for mine, others in zip(one.loggers, other.loggers, strict=True):
            assert mine.publisher.pending() == others.publisher.pending()
        assert shown(one) == shown(other)
    with unstarted(tmp_path / "c", seed=2) as third:
        third.process(7200)
        assert messages(third, "box-7") != messages(one, "box-7")


def test_other_stories(tmp_path: Path) -> None:
    """What happens is data: a probe that is shorted reads cold, a cable that is pulled is gone."""
    story = Scenario(
        "Cable and probe",
        (
            Happening(1, What.PROBE_SHORT),
            Happening(2, What.PROBE_OPEN),
            Happening(3, What.PROBE_BACK),
            Happening(4, What.UNPLUG),
            Happening(5, What.REPLUG),
        ),
    )
    with unstarted(tmp_path, scenario=story) as demo:
        told = []
        for _ in range(5):
            demo.process(60)
            told.append((shown(demo), Path(demo.port).is_symlink()))
        assert told[0] == (-242.02, True)
        assert told[1] == (988.79, True)
        assert told[2] == (pytest.approx(-195.0, abs=0.3), True)
        assert [there for _, there in told] == [True, True, True, False, True]
        demo.happen(What.LAY_ON_SIDE)
        mass = demo.box.shipper.mass_kg
        demo.process(3600)
        assert mass - demo.box.shipper.mass_kg > 0.4


def test_nothing_is_left_behind() -> None:
    """Without a folder of the caller's, the terminal's name goes with the demonstration."""
    demo = DemoBox(1, SystemClock(), scenario=CALM)
    folder = Path(demo.port).parent
    assert folder.is_dir()
    demo.stop()
    assert not folder.exists()


def test_devices_on_one_clock_and_drivers_at_their_ends(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """At speed 600 the drivers read terminal and broker as configured, stamped with the clock's UTC."""
    clock = SystemClock(speed=600)
    started = clock.utc_ms()
    topics = ["coldchain/demo/box-7", "coldchain/demo/fridge-1"]
    with (
        Peer(mosquitto.port, "reader", subscribe=topics) as peer,
        DemoBox(1, clock, broker_port=mosquitto.port, folder=tmp_path) as demo,
    ):
        peer.wait_for(20)
        settings = MQTT.settings.model_validate(demo.mqtt_settings)
        assert set(MQTT.topics(settings)) == set(topics)
        readings = [
            said
            for message in peer.messages
            for said in MQTT.decode(settings, message.topic, message.payload)
        ]
        bad = [said for said in readings if not isinstance(said, Measured)]
        assert bad == []
        assert {said.key for said in readings} == set(MQTT.keys(settings))
        times = [said.at_ms for said in readings if said.key == "box-7/mass"]
        gaps = [after - before for before, after in itertools.pairwise(times) if after and before]
        assert set(gaps) == {60_000}
        assert (times[0] or 0) % 1000 == 0
        assert started - 1000 <= (times[0] or 0) <= clock.utc_ms()
        ready = TEC.settings.model_validate(demo.tec_settings)
        (query,) = TEC.poll(ready)
        with serial.Serial(demo.port, timeout=PATIENCE_S) as line:
            line.write(query.send)
            (said,) = TEC.decode(ready, query, line.read_until(b"\r\n").removesuffix(b"\r\n"))
        assert isinstance(said, Measured)
        assert said.key == "temp_a"
