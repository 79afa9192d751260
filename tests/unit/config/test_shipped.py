"""The files that come with the program are right, and say what they are."""

from __future__ import annotations

import re
import typing
from collections.abc import Callable
from pathlib import Path

import pytest
from pydantic import BaseModel

import coldchain.config as configuration
from coldchain.config import load
from coldchain.config.library import shipped_folder
from coldchain.config.settings import Settings
from tests.servers import Mosquitto

CONFIG = Path(__file__).parents[3] / "config"


def test_the_gateway_works_as_it_is() -> None:
    """Without a warning; all of it simulated, so that nobody takes it for evidence."""
    loaded = load(CONFIG / "gateway.toml")
    assert loaded.warnings == ()
    plan = configuration.compile(loaded)
    assert all(source.simulated for source in plan.sources)
    assert {channel.asset for channel in plan.channels} == {asset.id for asset in plan.assets}
    assert all(asset.profile for asset in plan.assets)


def test_its_examples_work_too(tmp_path: Path) -> None:
    """Every line that is an example can be taken into use as it stands."""
    text = (CONFIG / "gateway.toml").read_text(encoding="utf-8")
    used = re.sub(r"(?m)^#(?=[^ \n])", "", text)
    assert used != text
    (tmp_path / "profiles").mkdir()
    (tmp_path / "gateway.toml").write_text(used, encoding="utf-8")
    loaded = load(tmp_path / "gateway.toml")
    assert set(loaded.settings.sinks) == {"state", "series", "on-call"}
    assert loaded.settings.channels["dewar-2.vapour"].calibration is not None
    assert loaded.settings.profiles.figures["msc-fresh-2-8"]


def test_the_program_finds_them_without_the_repository() -> None:
    """They are reached through the package, as an installed program does."""
    assert (shipped_folder() / "gateway.toml").is_file()
    assert (shipped_folder() / "mosquitto.conf").is_file()


def options() -> dict[str, str]:
    """What mosquitto.conf sets."""
    lines = (CONFIG / "mosquitto.conf").read_text(encoding="utf-8").splitlines()
    pairs = [line.split(" ", 1) for line in lines if line and not line.startswith("#")]
    return {name: value for name, value in pairs if name != "log_type"}


def test_the_broker_keeps_its_bounds() -> None:
    """What decides over an outage is stated, never left to a default."""
    stated = options()
    assert stated["persistence"] == "true"
    assert 1 <= int(stated["autosave_interval"]) <= 60
    assert 1_000 < int(stated["max_queued_messages"]) <= 1_000_000
    assert 0 < int(stated["max_queued_bytes"]) <= 2**26
    assert stated["set_tcp_nodelay"] == "true"
    assert stated["listener"].endswith(" 127.0.0.1")
    gateway = load(CONFIG / "gateway.toml")
    assert int(stated["max_inflight_messages"]) == gateway.settings.brokers["local"].inflight


def test_the_broker_starts_with_them(mosquitto_server: Callable[..., Mosquitto]) -> None:
    """A real broker takes every option."""
    ours = {
        name: int(value) if value.isdigit() else value
        for name, value in options().items()
        if name not in {"listener", "persistence_location", "log_dest"}
    }
    assert mosquitto_server(**ours).port


@pytest.mark.parametrize("path", sorted(CONFIG.rglob("*.toml")), ids=lambda path: path.name)
def test_lines_fit_a_screen(path: Path) -> None:
    """Prose is wrapped; only a value may be longer, alone or in a list, since a source is one text."""
    for line in path.read_text(encoding="utf-8").splitlines():
        assert len(line) <= 120 or " = " in line or line.lstrip().startswith('"'), line


def keys(model: type[BaseModel]) -> set[str]:
    """Every key that a table of gateway.toml may have, tables within included."""
    found = set(model.model_fields)
    for field in model.model_fields.values():
        for inner in models(field.annotation):
            found |= keys(inner)
    return found


def models(annotation: object) -> set[type[BaseModel]]:
    """The models that a field's type is made of."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return {annotation}
    return set().union(*(models(part) for part in typing.get_args(annotation)))


def test_every_key_is_in_the_documentation() -> None:
    """A key that nobody can read about is none."""
    text = (CONFIG.parent / "docs" / "configuration.md").read_text(encoding="utf-8")
    words = set(re.findall(r"[a-z_]+", " ".join(re.findall(r"`([^`\n]*)`", text))))
    assert keys(Settings) - words == set()
    assert {"calibration", "points", "at", "doubt", "inflight"} <= keys(Settings)
