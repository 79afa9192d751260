"""A small journal for those that test what leaves it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.sinks.world import World


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A journal with its configuration in force and its clock known."""
    world = World(tmp_path)
    world.begin()
    yield world
    world.close()
