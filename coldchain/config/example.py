"""The example of a driver's datasheet as a whole configuration, for its page, its tests and its checks."""

from __future__ import annotations

import tempfile
from pathlib import Path

from coldchain.config.load import load
from coldchain.config.loaded import Loaded
from coldchain.datasheet import Datasheet
from coldchain.driver import Driver

#: What every gateway.toml has; the example brings the rest.
HEAD = '[site]\nname = "Example"\n\n[journal]\npath = "journal.db"\n\n'


def load_example(driver: Driver, sheet: Datasheet) -> Loaded:
    """The example, read as `config check` reads it. Raises ConfigError with all that is wrong in it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "gateway.toml"
        path.write_text(HEAD + sheet.example, encoding="utf-8")
        return load(path, drivers={driver.name: driver})
