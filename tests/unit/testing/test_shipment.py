"""Shipments for other people's tests: time jumps, and what was said can be asked and fails legibly."""

from __future__ import annotations

from collections.abc import Callable

import paho.mqtt.client as mqtt
import pytest
import serial

from coldchain.config.problems import ConfigError
from coldchain.testing.broker import EmbeddedBroker
from coldchain.testing.shipment import Shipment
from coldchain_simulators.scenes import Unknown
from coldchain_simulators.wires import PtyWire
from tests.house.tree import ROOT

Build = Callable[..., Shipment]
VAPOUR = {"vapour": {"interval": "5 min", "max_gap": "15 min", "fresh_within": "30 min"}}


@pytest.fixture
def box(shipment: Build) -> Shipment:
    return shipment("dry-shipper-150", scene="dry_shipper", channels=VAPOUR)


def test_time_that_jumps_says_what_small_steps_say(shipment: Build) -> None:
    """One jump of six hours and seventy-two of five minutes: the same announcements to the millisecond."""
    once, often = (shipment("dry-shipper-150", scene="dry_shipper", channels=VAPOUR) for _ in range(2))
    for one in (once, often):
        one.passes("3h").happens("vacuum lost")
    once.passes("6h")
    for _ in range(72):
        often.passes("5m")
    assert once.result.timeline_sha256 == often.result.timeline_sha256
    assert once.verdict == often.verdict == "outside"


def test_what_was_said_is_found_in_its_time(box: Shipment) -> None:
    """The first alarm after what happened, and nothing before it."""
    box.passes("3h").happens("vacuum lost").passes("3h")
    box.said_nothing(of="vacuum lost")
    told = box.said("critical too-warm", within="75 min", of="vacuum lost")
    assert told.said.rule == "too-warm"
    box.expects(
        "high warming after 3h", "critical too-warm between 4h and 4h15m", "low time-too-warm after 4h"
    )


def test_a_failure_tells_the_time_line_and_the_seed(box: Shipment) -> None:
    """What somebody needs who was not there: what happened, what was said, and how to have it again."""
    box.passes("3h").happens("vacuum lost").passes("3h")
    with pytest.raises(AssertionError, match="no alarm") as late:
        box.said("critical", within="10 min", of="vacuum lost")
    for part in ("between 3h and 3h10m", "seed 7, 6h long", "· vacuum lost", "critical vapour/too-warm"):
        assert part in str(late.value)
    with pytest.raises(AssertionError, match="said before 6h: "):
        box.said_nothing(before="6h")
    with pytest.raises(AssertionError, match="expected and not said: low too-cold at 1h"):
        box.expects("low too-cold at 1h", "any warming", "any too-warm", "any time-too-warm")


def test_people_are_part_of_it(box: Shipment) -> None:
    """What is entered stands in the time line and does what it does at a gateway."""
    box.passes("1h").happens("vacuum lost").passes("2h")
    box.enters("shelve vapour/too-warm for 30m").passes("1h")
    box.expects(
        "any warming", "any time-too-warm", "critical too-warm after 2h", "too-warm un-shelved at 3h30m"
    )
    assert "> shelve vapour/too-warm for 30m" in box.timeline()


def test_readings_can_be_written_down(shipment: Build) -> None:
    """Without a scene, series are measured one after the other; nothing can then happen to a vessel."""
    fridge = shipment("fridge-2-8-buffered", channels={"product": "1 min"})
    fridge.reads("product", "5 for 1h").reads("product", "9 for 20m")
    assert fridge.now == "1h20m"
    fridge.said("critical too-warm", after="1h", within="10 min")
    with pytest.raises(ValueError, match="without a scene"):
        fridge.happens("door open")


def test_what_is_wrong_is_refused(shipment: Build, box: Shipment) -> None:
    """A misspelt profile, role, happening or moment is an error, not a test that says nothing."""
    with pytest.raises(ConfigError, match="dry-shipper-150"):
        shipment("dry-shipper-151", channels=VAPOUR)
    with pytest.raises(ConfigError, match="vapour"):
        shipment("dry-shipper-150", channels={"vapor": "5 min"})
    with pytest.raises(Unknown, match="vacuum lost"):
        box.happens("vacuum lots")
    with pytest.raises(ValueError, match="has not happened"):
        box.said_nothing(of="lid off")


def test_the_example_of_the_documentation_runs(shipment: Build) -> None:
    """What people copy out of docs/testing.md passes."""
    text = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")
    example = text.partition("<!-- example: test -->\n```python\n")[2].partition("```")[0]
    names: dict[str, Callable[[Build], None]] = {}
    exec(example, names)
    names["test_a_lost_vacuum"](shipment)


def test_a_scenario_is_a_line(play_scenario: Callable[..., object]) -> None:
    """A shipped scenario by its name; one that is not there is refused with the nearest."""
    play_scenario("room-spill")
    with pytest.raises(ConfigError, match="did you mean"):
        play_scenario("room-spil")


def test_lines_and_brokers_are_real(serial_line: Callable[..., PtyWire], mqtt_broker: EmbeddedBroker) -> None:
    """A terminal that pyserial opens, and a broker that a client of its own reaches."""
    line = serial_line()
    with serial.Serial(line.port, timeout=5) as client:
        client.write(b"T?\r\n")
        assert line.read(5.0) == b"T?\r\n"
    client_id = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, "a test")
    assert client_id.connect("127.0.0.1", mqtt_broker.port) == mqtt.MQTT_ERR_SUCCESS
    client_id.disconnect()
