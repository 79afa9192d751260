"""The page of Modbus devices: as the data files are, complete, and with examples that work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from coldchain.config import load
from coldchain.config.devices import device_files
from coldchain_drivers.modbus_device import DeviceFile
from coldchain_drivers.modbus_pages import example, page
from tests.unit.drivers.modbus_bench import device

PAGE = Path(__file__).parents[3] / "docs" / "drivers" / "modbus_devices.md"
DEVICES: dict[str, DeviceFile] = {name: device(name) for name in device_files()}


def test_the_page_is_that_of_the_files() -> None:
    """What people read is what the driver does (else: python docs/write_devices.py)."""
    assert PAGE.read_text(encoding="utf-8") == page(DEVICES)


@pytest.mark.parametrize("name", DEVICES)
def test_an_example_of_each_device_works(name: str, tmp_path: Path) -> None:
    """It can be copied into a gateway.toml, and `config check` accepts it."""
    shown = re.search(
        rf"^## {name}$.*?```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )
    assert shown is not None
    assert shown[1] == example(name, DEVICES[name])
    path = tmp_path / "gateway.toml"
    head = '[site]\nname = "Test"\n\n[journal]\npath = "journal.db"\n\n'
    path.write_text(head + shown[1], encoding="utf-8")
    (source,) = load(path).sources.values()
    assert list(source.keys.values()) == ["degC"]


@pytest.mark.parametrize("name", DEVICES)
def test_everything_that_is_known_is_on_the_page(name: str) -> None:
    """Each point, check, choice, note and source of a device, and what is not known of it."""
    of, text = DEVICES[name], page({name: DEVICES[name]})
    listed = [f"`{key}`" for key in of.points if of.points[key].repeat == 1]
    listed += [f"`{key}_{point.first}`" for key, point in of.points.items() if point.repeat > 1]
    listed += [f"`{key}`" for key in of.checks] + [f"`choices.{key}`" for key in of.choices]
    listed += [source.title for source in of.sources.values()] + [*of.notes, *of.unknown, of.how_sure.value]
    assert [one for one in listed if one not in text] == []


@pytest.mark.parametrize("name", DEVICES)
def test_no_source_is_there_for_nothing(name: str) -> None:
    """A source that no fact names is one that was forgotten."""
    text = device_files()[name].read_text(encoding="utf-8")
    assert [key for key in DEVICES[name].sources if f'source = "{key}"' not in text] == []


@pytest.mark.parametrize("name", DEVICES)
def test_how_sure_we_are_is_true(name: str) -> None:
    """Vectors and documents of a vendor are claimed only where a source is one; second-hand has none."""
    of = DEVICES[name]
    seen = {source.confidence for source in of.sources.values()}
    if of.maturity == "vendor_document":
        assert "seen" in seen
    if of.maturity == "second_hand":
        assert "seen" not in seen
