"""A fleet: who reports when, what, and that a gateway can watch it as printed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.config import load
from coldchain_simulators.fleet import TOPIC, Fleet, configuration, names


def test_boxes_report_in_turn_evenly_over_the_interval() -> None:
    """Each box once an interval, the next one an even step later, its own running number."""
    fleet = Fleet(4, 7, 10_000)
    assert [fleet.due_ms(number) for number in range(9)] == [2500 * number for number in range(9)]
    topics, sequences = [], []
    for number in range(8):
        topic, message = fleet.report(number, 1_700_000_000_000 + fleet.due_ms(number))
        found = msgspec.json.decode(message)
        assert found["simulated"] is True
        assert found["units"] == {"vapour": "degC"}
        assert -197 < found["vapour"] < -190
        topics.append(topic)
        sequences.append(found["sequence"])
    assert topics == [f"{TOPIC}/{name}" for name in names(4)] * 2
    assert sequences == [1] * 4 + [2] * 4


def test_the_seed_is_the_noise() -> None:
    """The same seed says the same; another says something else."""

    def said(seed: int) -> list[bytes]:
        fleet = Fleet(3, seed, 1000)
        return [fleet.report(number, 0)[1] for number in range(6)]

    assert said(1) == said(1)
    assert said(1) != said(11)


@pytest.mark.parametrize("count", [1, 12, 10_000])
def test_names_are_of_one_length(count: int) -> None:
    """So they sort as they count."""
    found = names(count)
    assert found == sorted(found)
    assert len({len(name) for name in found}) == 1
    assert len(set(found)) == count


def test_the_printed_configuration_watches_the_fleet(tmp_path: Path) -> None:
    """As printed it is accepted, every box with its channel and its limits; one doubt: it tells nobody."""
    said = CliRunner().invoke(main, ["simulate", "--fleet", "12", "--every", "2500ms", "--print-config"])
    assert said.exit_code == 0
    assert said.stdout == configuration(12, 2500, "127.0.0.1", 1883)
    path = tmp_path / "fleet.toml"
    path.write_text(said.stdout, encoding="utf-8")
    loaded = load(path)
    settings = loaded.settings
    assert list(settings.assets) == names(12)
    assert {channel.interval for channel in settings.channels.values()} == {2500}
    assert {asset.profile for asset in settings.assets.values()} == {"dry-shipper-150"}
    assert [doubt.place for doubt in loaded.warnings] == ["sinks"]


@pytest.mark.parametrize("words", [["--print-config"], ["--for", "1min"]])
def test_what_is_about_a_fleet_needs_one(words: list[str]) -> None:
    """Without --fleet it is refused with the mend."""
    said = CliRunner().invoke(main, ["simulate", *words])
    assert said.exit_code == 2
    assert "say --fleet COUNT" in said.output
