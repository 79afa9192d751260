"""The drivers' pages: written from the drivers themselves, whole, and with examples that work."""

from __future__ import annotations

import re
import runpy
import tomllib
from pathlib import Path
from typing import Any

import pytest

from coldchain.config.devices import shipped_device
from coldchain.config.settings import ChannelSettings, SourceSettings
from coldchain.driver import SerialDriver
from coldchain.testing.conformance import Subject, installed
from coldchain_drivers import DATASHEETS
from coldchain_drivers.lies import TABLE

DOCS = Path(__file__).parents[3] / "docs"
OURS = [each for each in installed() if each.driver.datasheet and each.driver.datasheet.parent == DATASHEETS]
PAGES = runpy.run_path(str(DOCS / "write_driver_pages.py"))["pages"]()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_that_of_the_driver(name: str) -> None:
    """What people read is what the driver does (else: python docs/write_driver_pages.py)."""
    assert (DOCS / "drivers" / name).read_text(encoding="utf-8") == PAGES[name]


def test_no_datasheet_and_no_page_is_forgotten() -> None:
    """Each datasheet belongs to a driver that is published, and each page to one of them."""
    names = {each.name for each in OURS}
    assert {path.stem for path in DATASHEETS.glob("*.toml")} == names
    assert {path.stem for path in (DOCS / "drivers").glob("*.md")} == names | {"lies", "modbus_devices"}


@pytest.mark.parametrize("subject", OURS, ids=lambda subject: subject.name)
def test_every_setting_is_on_the_page(subject: Subject) -> None:
    """Whoever reads the page finds each key that the driver takes."""
    schema = subject.driver.settings.model_json_schema()
    page = PAGES[f"{subject.name}.md"]
    for table in (schema, *schema.get("$defs", {}).values()):
        missing = [field for field in table.get("properties", {}) if f"`{field}`" not in page]
        assert table["title"] == "LieSetting" or missing == [], table["title"]


def test_every_lie_is_listed() -> None:
    """Whoever looks for a device finds its lies on the page, with what they mean."""
    listed = PAGES["lies.md"]
    assert [name for name in TABLE if f"\n## {name}\n" not in listed] == []
    assert listed.count("\n| ") >= sum(len(family.rows) for family in TABLE.values())


EXAMPLES = [
    pytest.param(subject, block, id=f"{subject.name} {at}")
    for subject in OURS
    for at, block in enumerate(re.findall(r"```toml\n(.*?)```", PAGES[f"{subject.name}.md"], re.DOTALL), 1)
]


@pytest.mark.parametrize(("subject", "block"), EXAMPLES)
def test_examples_work(subject: Subject, block: str) -> None:
    """A block can be copied: configuration and driver accept it, and its channels find their keys."""
    driver = subject.driver
    example: dict[str, Any] = tomllib.loads(block)
    keys: dict[str, dict[str, str]] = {}
    for source, given in example["sources"].items():
        settings = SourceSettings.model_validate(given)
        assert settings.driver == driver.name
        own = settings.settings
        if isinstance(driver, SerialDriver) and driver.devices is not None:
            own = own | {"device": shipped_device(own["device"], driver.devices)}
        keys[source] = driver.keys(driver.settings.model_validate(own))
    for given in example.get("channels", {}).values():
        channel = ChannelSettings.model_validate(given)
        assert channel.key in keys[channel.source]
