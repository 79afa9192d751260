"""A gateway's configuration in a few lines, and the other end of the intake."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from coldchain.config import Loaded, load
from coldchain.config.sources import installed_drivers
from coldchain.driver import Driver
from coldchain.model import Decoded
from coldchain.testing.desk import DEADLINE_S, Desk

__all__ = ["DEADLINE_S", "AnySettings", "Desk", "nothing", "site"]

_HEAD = """\
[site]
name = "Test"

[journal]
path = "journal.db"

[assets.box]
kind = "passive_box"
"""

_CHANNEL = """
[channels."{name}"]
source = "{source}"
key = "{key}"
asset = "box"
role = "{role}"
quantity = "temperature"
probe = "vapour"
interval = "1 min"
fresh_within = "10 min"
valid_low = "-250 °C"
valid_high = "1000 °C"
"""


def site(
    folder: Path,
    sources: str,
    channels: Mapping[str, tuple[str, str]],
    drivers: Mapping[str, Driver] | None = None,
) -> Loaded:
    """A configuration with these sources; `channels`: name to (source, key)."""
    text = _HEAD + sources
    for number, (name, (source, key)) in enumerate(channels.items()):
        text += _CHANNEL.format(name=name, source=source, key=key, role=f"role-{number}")
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, drivers=installed_drivers() | dict(drivers or {}))


class AnySettings(BaseModel):
    """Settings of a driver that a test makes up."""

    model_config = ConfigDict(strict=True, extra="allow")

    topic: str = "t"


def nothing(*_: object) -> Decoded:
    """A driver that finds nothing."""
    return ()
