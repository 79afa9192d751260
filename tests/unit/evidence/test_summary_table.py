"""What stands for removed readings leaves the house as a table; no export is silent about what is gone."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.evidence import readings, summary_table
from coldchain.evidence.keys import Key
from coldchain.evidence.readings import Chosen
from coldchain.journal import Reader
from tests.unit.daemon.retained import DAY, EVERY, HOUR, House


@pytest.fixture(scope="module")
def journals(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A journal of four days, and the same after all but the last day of it went."""
    pytest.importorskip("cryptography")
    folder = tmp_path_factory.mktemp("journals")
    paths = folder / "whole.db", folder / "gapped.db"
    for path, keep_ms in zip(paths, (None, DAY), strict=True):
        house = House(path, key=Key.make(folder / f"{path.stem}.key"), keep_ms=keep_ms)
        house.activate()
        house.days(4)
        house.retain()
        house.end()
    return paths


def table(path: Path, **chosen: Any) -> list[dict[str, str]]:
    """The table of summaries."""
    with Reader.open(path) as journal:
        found = summary_table.rows(journal, Chosen(**chosen))
        text = b"".join(summary_table.as_csv(found)).decode()
    return list(csv.DictReader(io.StringIO(text)))


def read(path: Path) -> list[dict[str, str]]:
    """The table of readings."""
    with Reader.open(path) as journal:
        text = b"".join(readings.as_csv(readings.rows(journal))).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_readings_and_summaries_together_are_all_that_was_measured(journals: tuple[Path, Path]) -> None:
    """Hour by hour: how many, lowest and highest with their moments; once, whether they stayed or went."""
    whole, left, rows = read(journals[0]), read(journals[1]), table(journals[1])
    there = {row["position"] for row in left}
    gone = [row for row in whole if row["position"] not in there]
    assert len(gone) == sum(int(row["good"]) for row in rows) > 200
    assert len({row["begin"] for row in rows}) == len(rows), "an hour that two removals cut is one row"
    for row in rows:
        mine = [one for one in gone if row["begin"] <= one["time"] < row["end"]]
        assert int(row["good"]) == len(mine)
        for name, which in (("low", min), ("high", max)):
            value = which((float(one["value"]) for one in mine), default=None)
            first = next((one["time"] for one in mine if float(one["value"]) == value), "")
            assert (row[name], row[f"{name}_time"]) == ("" if value is None else f"{value:.3f}", first)
        assert 5 <= float(row["mean"]) <= 5.2
        assert (row["unit"], row["asset"], row["role"], row["origin"]) == ("°C", "box", "vapour", "live")
    assert sum(float(row["covered_min"]) for row in rows) * 60_000 == len(gone) * EVERY


def test_a_span_and_an_asset_choose(journals: tuple[Path, Path]) -> None:
    """Every row that the span touches; of another asset none."""
    with Reader.open(journals[1]) as journal:
        every = list(summary_table.rows(journal))
    at_ms = every[3].bucket.at_ms
    assert [row["begin"] for row in table(journals[1], from_ms=at_ms + 1, to_ms=at_ms + HOUR)] == [
        readings.instant(at_ms)
    ]
    assert table(journals[1], asset="another") == []
    assert table(journals[0]) == []


def test_parquet_holds_the_same(journals: tuple[Path, Path], tmp_path: Path) -> None:
    """Times as instants, values as numbers, null where there is none."""
    pl = pytest.importorskip("polars")
    with Reader.open(journals[1]) as journal:
        summary_table.write_parquet(summary_table.rows(journal), tmp_path / "s.parquet")
    frame, rows = pl.read_parquet(tmp_path / "s.parquet"), table(journals[1])
    assert frame.columns == list(summary_table.COLUMNS)
    assert frame["good"].sum() == sum(int(row["good"]) for row in rows)
    assert [f"{value:.3f}" for value in frame["mean"]] == [row["mean"] for row in rows]
    assert frame["doubtful_low"].null_count() == len(rows)
    assert [readings.instant(round(at.timestamp() * 1000)) for at in frame["low_time"]] == [
        row["low_time"] for row in rows
    ]


def export(journal: Path, *words: str) -> Result:
    """`coldchain export`."""
    return CliRunner().invoke(main, ["export", str(journal), *words])


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_an_export_says_what_is_not_in_it(journals: tuple[Path, Path], tmp_path: Path, ending: str) -> None:
    """How many went, before when, and where what stands for them is; without a removal nothing."""
    if ending == "parquet":
        pytest.importorskip("polars")
    file = tmp_path / f"r.{ending}"
    done = export(journals[1], str(file))
    assert done.exit_code == 0, done.output
    assert "were removed by policy and are not in it" in done.stderr
    assert "--summaries" in done.stderr
    assert export(journals[0], str(file)).stderr == ""
    done = export(journals[1], str(file), "--summaries")
    assert (done.exit_code, done.stderr) == (0, "")


def test_an_export_of_what_came_later_says_nothing(journals: tuple[Path, Path], tmp_path: Path) -> None:
    """Who asks for the time behind what went is told of no gap."""
    last = read(journals[1])[-1]["time"]
    assert export(journals[1], str(tmp_path / "r.csv"), "--from", last).stderr == ""


def test_summaries_are_a_table(journals: tuple[Path, Path], tmp_path: Path) -> None:
    """JSON lines hold them as the facts that they are."""
    done = export(journals[1], str(tmp_path / "r.jsonl"), "--summaries")
    assert done.exit_code == 2
    assert "JSON lines hold them anyway" in done.stderr
