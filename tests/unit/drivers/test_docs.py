"""The drivers' pages: every setting is explained, every lie listed, and the examples work."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

from coldchain.config.devices import shipped_device
from coldchain.config.settings import ChannelSettings, SourceSettings
from coldchain_drivers.ascii_line import DRIVER as ASCII_LINE
from coldchain_drivers.lies import LIES
from coldchain_drivers.modbus import DRIVER as MODBUS
from coldchain_drivers.modbus_device import DeviceFile
from coldchain_drivers.mqtt_json import DRIVER as MQTT_JSON
from coldchain_drivers.mve_tec3000 import DRIVER as MVE_TEC3000

DRIVERS = {driver.name: driver for driver in (ASCII_LINE, MODBUS, MQTT_JSON, MVE_TEC3000)}
PAGES = Path(__file__).parents[3] / "docs" / "drivers"


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def test_every_driver_is_published_and_has_its_page() -> None:
    """What is installed under the entry point is what is documented."""
    published = {entry.name: entry.load() for entry in entry_points(group="coldchain.drivers")}
    ours = {name: driver for name, driver in published.items() if name in DRIVERS}
    assert ours == DRIVERS
    assert {path.stem for path in PAGES.glob("*.md")} >= set(DRIVERS)


@pytest.mark.parametrize("name", DRIVERS)
def test_every_setting_is_described_and_on_the_page(name: str) -> None:
    """The JSON schema explains each field in words, and so does the page."""
    schema = DRIVERS[name].settings.model_json_schema()
    tables = [schema, *schema.get("$defs", {}).values()]
    for table in tables:
        for field, said in table.get("properties", {}).items():
            assert said.get("description"), f"{table['title']}.{field}"
            assert f"`{field}`" in page(name) or table["title"] == "LieSetting", f"{table['title']}.{field}"


@pytest.mark.parametrize("name", DRIVERS)
def test_every_table_of_settings_refuses_what_it_does_not_know(name: str) -> None:
    """A misspelt key is an error at every depth."""
    schema = DRIVERS[name].settings.model_json_schema()
    tables = [schema, *(table for table in schema.get("$defs", {}).values() if "properties" in table)]
    assert all(table["additionalProperties"] is False for table in tables)


def test_every_family_of_lies_is_listed() -> None:
    """Whoever looks for a device finds its lies on the page."""
    listed = page("mqtt_json")
    assert [name for name in LIES if f"`{name}`" not in listed] == []


EXAMPLES = [
    pytest.param(name, block, id=f"{name} {at}")
    for name in DRIVERS
    for at, block in enumerate(re.findall(r"```toml\n(.*?)```", page(name), re.DOTALL), 1)
]


@pytest.mark.parametrize(("name", "block"), EXAMPLES)
def test_examples_work(name: str, block: str) -> None:
    """An example can be copied: configuration and driver accept it, and its channels find their keys."""
    example: dict[str, Any] = tomllib.loads(block)
    keys: dict[str, dict[str, str]] = {}
    for source, given in example["sources"].items():
        settings = SourceSettings.model_validate(given)
        assert settings.driver == name
        driver = DRIVERS[name]
        own = settings.settings
        if driver is MODBUS:
            own = own | {"device": shipped_device(own["device"], DeviceFile)}
        keys[source] = driver.keys(driver.settings.model_validate(own))
    for given in example.get("channels", {}).values():
        channel = ChannelSettings.model_validate(given)
        assert channel.key in keys[channel.source]
