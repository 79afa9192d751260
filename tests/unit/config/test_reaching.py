# ruff: noqa: E501 - a message stands on one line, as it is printed
"""A device that cannot say what a limit is about is refused, with the reason."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from coldchain.config import ConfigError, load
from coldchain.driver import Reach
from tests.unit.config.small_site import CONFIG, PROFILE, TRACKER, changed, write

WHY = "its format ends there"


def said(tmp_path: Path, low: str, high: str, *, unit: str = "degC", config: str = CONFIG) -> list[str]:
    """What `load` refuses when the tracker's "vapour" reaches from low to high."""
    tracker = dataclasses.replace(TRACKER, reach=lambda s: {"vapour": Reach(low, high, unit, WHY)})
    path = write(tmp_path, changed(config, 'driver = "probe"', 'driver = "tracker"'))
    text = path.read_text().replace(
        'port = "/dev/ttyUSB0"\npoll = "10 s"', 'broker = "local"\nsettings = { topic = "t" }'
    )
    text = text.replace('key = "temp_a"', 'key = "vapour"\ninterval = "1 min"')
    path.write_text(text.replace('"dewar-2.vapour"]', '"dewar-2.vapour"] # untouched'))
    try:
        load(path, drivers={"tracker": tracker})
    except ConfigError as error:
        return [str(problem).partition(": ")[2] for problem in error.problems]
    return []


def test_a_device_that_ends_above_the_limit(tmp_path: Path) -> None:
    """It could never say on which side of the limit the product is."""
    told = said(tmp_path, "-127", "85")
    assert told == [
        f'channels."{name}".key: "vapour" of sources.{source} says nothing beyond -127 °C and 85 °C ({WHY}), '
        "and frozen has a limit at -150 °C (too-warm); use a device that can"
        for name, source in (("dewar-2.vapour", "freezer"), ("shipper-7.vapour", "shipper"))
    ]


def test_a_device_that_ends_above_liquid_nitrogen(tmp_path: Path) -> None:
    """It sees the limit, and would be at its end on every good day: nothing would be watched."""
    told = said(tmp_path, "-163.835", "163.835")
    assert told == [
        f'channels."{name}".key: "vapour" of sources.{source} says nothing beyond -163.835 °C and 163.835 °C ({WHY}), '
        f"and liquid nitrogen boils at -195.8 °C: {rules} of frozen would watch nothing; use a device that can"
        for name, source, rules in (
            ("dewar-2.vapour", "freezer", "time-too-warm, too-warm"),
            ("shipper-7.vapour", "shipper", "time-too-warm, too-warm"),
        )
    ]


@pytest.mark.parametrize(
    ("low", "high", "unit"),
    [
        pytest.param("-200", "850", "degC", id="a platinum probe"),
        pytest.param("70", "500", "K", id="in kelvin"),
        pytest.param("0", "1", "%", id="of another quantity: says nothing of this one"),
    ],
)
def test_a_device_that_reaches_far_enough(tmp_path: Path, low: str, high: str, unit: str) -> None:
    """It is taken."""
    assert said(tmp_path, low, high, unit=unit) == []


def test_a_probe_beside_the_nitrogen_may_end_where_it_likes(tmp_path: Path) -> None:
    """The air around a dry shipper, which no limit is about, may be read by a cheap sensor."""
    config = CONFIG.replace('role = "vapour"', 'role = "vapour"', 1)
    config += """
[channels."shipper-7.room"]
source = "room"
key = "vapour"
asset = "shipper-7"
role = "room"
quantity = "temperature"
probe = "air"
interval = "1 min"
fresh_within = "10 min"
valid_low = "-40 °C"
valid_high = "85 °C"

[sources.room]
driver = "short"
broker = "local"
settings = { topic = "room" }
"""
    short = dataclasses.replace(TRACKER, reach=lambda s: {"vapour": Reach("-41", "86", "degC", WHY)})
    path = write(tmp_path, config)
    from tests.unit.config.small_site import DRIVERS

    assert load(path, drivers=DRIVERS | {"short": short}).sources["room"].driver is short


def test_the_profile_is_what_refuses(tmp_path: Path) -> None:
    """Without a profile that judges the role there is nothing to refuse."""
    config = CONFIG.replace('profile = "frozen"\nstage = "storage"\n', "").replace(
        'profile = "frozen"\nstage = "transport"\n', ""
    )
    assert PROFILE
    assert said(tmp_path, "-127", "85", config=config) == []
