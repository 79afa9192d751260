"""A journal for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sinks.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """An empty journal, open for writing."""
    world = World(tmp_path)
    yield world
    world.close()
