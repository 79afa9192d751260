"""What lint knows of the world, read from `config/lint.toml`: each number with its source."""

from __future__ import annotations

from functools import cache

from coldchain.config.document import Document
from coldchain.config.fields import Difference, Period, Table, Text, Value
from coldchain.config.library import shipped_folder
from coldchain.config.rule_tables.base import Confidence


class _Known(Table):
    title: Text
    source: Text
    confidence: Confidence


class Temperature(_Known):
    """A temperature at which something changes."""

    value: Value


class Span(_Known):
    """How soon something happens."""

    within: Period


class Warming(_Known):
    """How fast something warms."""

    rise: Difference
    within: Period

    def rise_in(self, ms: int) -> int:
        """By how many quanta it has warmed after a time, rounded up."""
        return -(-self.rise.quanta * ms // self.within)

    def time_for(self, quanta: int) -> int:
        """How long it takes to warm by so much, in ms, rounded down."""
        return quanta * self.within // self.rise.quanta


class Knowledge(Table):
    """The whole file."""

    catastrophic_warming: Warming
    cryogenic: Temperature
    damage: Temperature
    nitrogen_boils: Temperature
    shorted_probe: Temperature
    refrigerator_ajar: Span


@cache
def knowledge() -> Knowledge:
    """What came with the program; raises ConfigError if that was damaged."""
    document = Document.read(shipped_folder() / "lint.toml")
    found = document.validate(Knowledge, document.data)
    document.raise_problems()
    assert found is not None  # else a problem was raised
    return found
