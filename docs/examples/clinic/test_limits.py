"""What the clinic wants to be told, and when. Fixtures come from coldchain's pytest plugin."""

import pytest

VAPOUR = {
    "vapour": {
        "interval": "5 min",
        "max_gap": "15 min",
        "fresh_within": "30 min",
        "probe": "vapour",
        "valid_low": "-200 °C",
        "valid_high": "60 °C",
    }
}


@pytest.fixture
def box(shipment):
    """A charged dry shipper, judged by the clinic's own profile."""
    return shipment("clinic-shipper", scene="dry_shipper", channels=VAPOUR)


def test_a_lost_vacuum_is_critical_in_time(box):
    """Critical within 10 minutes of the breach of −150 °C, a warning an hour earlier, and nothing before."""
    box.passes("3h").happens("vacuum lost").passes("3h")
    box.said_nothing(of="vacuum lost")
    warned = box.said("high warming", within="40 min", of="vacuum lost")
    critical = box.said("critical too-warm", within="75 min", of="vacuum lost")
    assert critical.at_ms - critical.said.since_ms <= 10 * 60_000
    assert critical.at_ms - warned.at_ms >= 30 * 60_000
    assert box.verdict == "outside"


def test_a_broken_probe_is_silence_and_no_temperature(box):
    """A shorted probe reads far too cold: the product is unmonitored, which is said, and nothing else is."""
    box.passes("2h").happens("vapour short").passes("2h")
    box.expects("nothing before 2h", "high silence between 2h15m and 2h45m")
    assert box.verdict == "cannot_judge"


def test_a_late_shipment_asks_before_its_hold_is_over(box):
    """Five days before anybody is called; then a question, and on the seventh a call."""
    box.passes("8d")
    box.said_nothing(before="5d")
    box.said("high hold-ends", after="5d", within="1h")
    box.said("critical hold-over", after="7d", within="1h")


def test_readings_of_a_real_logger_can_be_written_down(shipment):
    """The clinic's refrigerator: a door left open for 20 minutes is a warning and a critical alarm."""
    fridge = shipment("fridge-2-8-buffered", channels={"product": "1 min"})
    fridge.reads("product", "5 for 3h, ramp to 9 over 10m, 9 for 20m, ramp to 5 over 15m, 5 for 1h")
    fridge.said("low warming", within="20 min", after="3h")
    fridge.said("critical too-warm", within="20 min", after="3h")


def test_our_lane(play_scenario):
    """The lane to the clinic as a document: nothing is said of a calm day."""
    play_scenario("lanes/to-the-clinic.toml")


def test_what_happened_elsewhere(play_scenario):
    """A shipper on its side: the scale tells on the first day."""
    assert play_scenario("on-its-side").result.verdict == "outside"
