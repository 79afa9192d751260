"""Past shipments under another profile: what would have been said differently."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.facts import ConsignmentEnded, ConsignmentStarted, Reading
from coldchain.importers.columnar import read_parquet
from coldchain.importers.refusal import Refused
from coldchain.plan import ProfilePlan, StagePlan
from coldchain.removed import Bucket, Extreme, ReadingsSummarised
from coldchain.reports.requalifying import compare, judge_facts
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan
from tests.unit.importers.test_own_export import recorded, written

HOUR = 60 * MIN
MINUTES = np.arange(600, dtype=np.int64)


def parquet(path: Path, celsius: np.ndarray, **more: np.ndarray) -> None:
    """Ten hours, a reading a minute."""
    values = (celsius * 1000).astype(np.int64)
    pl.DataFrame({"at_ms": T0 + MINUTES * MIN, "value": values} | more).write_parquet(path)


@pytest.fixture
def trips(tmp_path: Path) -> Path:
    """Three shipments: one always cold, one at −160 °C for two hours, one at −120 °C for an hour."""
    folder = tmp_path / "trips"
    folder.mkdir()
    calm = np.full(600, -190.0) + (MINUTES % 7) / 10
    parquet(folder / "calm.parquet", calm)
    parquet(folder / "warming.parquet", np.where((MINUTES >= 200) & (MINUTES < 320), -160.0, calm))
    rows = ["time,vapour [°C]"]
    rows += [
        f"2023-11-14T{22 + m // 60:02d}:{m % 60:02d}:00Z,{-120.0 if 30 <= m < 90 else -190.0 + m % 5 / 10}"
        for m in range(100)
        if 22 + m // 60 < 24
    ]
    (folder / "warm.csv").write_text("\n".join(rows), encoding="utf-8")
    return folder


def requalify(*arguments: str) -> tuple[int, list[dict[str, object]]]:
    """The command's exit status and its shipments."""
    done = CliRunner().invoke(main, ["requalify", *arguments, "--format", "json"])
    return done.exit_code, json.loads(done.stdout)["shipments"] if done.stdout else []


@pytest.mark.slow
def test_what_would_be_judged_differently_is_named(trips: Path) -> None:
    """At −135 °C instead of −150 °C: each shipment with what both say, and what only one says."""
    status, found = requalify(
        str(trips), "--profile", "msc-frozen-135", "--against", "dry-shipper-150", "--stage", "transport",
        "--jobs", "2",
    )  # fmt: skip
    by_name = {Path(str(one["shipment"])).name: one for one in found}
    assert status == 1
    assert by_name["calm.parquet"]["readings"] == 600
    assert not by_name["calm.parquet"]["differs"]
    # −160 °C is above the warning of one profile (−165) and below that of the other (−150).
    gone = by_name["warming.parquet"]["only_before"]
    assert [(one["rule"], (one["start_ms"] - T0) / MIN) for one in gone] == [("warming", 200)]  # type: ignore[attr-defined]
    assert {one["rule"] for one in by_name["warm.csv"]["both"]} >= {"too-warm"}  # type: ignore[attr-defined]


@pytest.mark.slow
def test_what_a_probe_cannot_show_is_judged_by_neither(trips: Path) -> None:
    """Where −130 °C is the most that the probe shows, a shipment at −120 °C was never seen to be warm."""
    wide = ["--profile", "msc-frozen-135", "--against", "dry-shipper-150", "--stage", "transport"]
    for path in (trips / "calm.parquet", trips / "warming.parquet"):
        path.unlink()
    _, (found,) = requalify(str(trips), *wide, "--jobs", "1", "--valid", "-200..-130")
    assert not found["both"]
    journal = trips / "journal.db"
    journal.touch()
    done = CliRunner().invoke(
        main, ["requalify", str(journal), "--profile", "dry-shipper-150", "--valid", "0..1"]
    )
    assert done.exit_code == 64
    assert "leave out --valid" in done.output


@pytest.mark.slow
def test_the_same_profile_changes_nothing(trips: Path) -> None:
    """Compared with itself nothing differs, and the exit status says so."""
    same = ("--profile", "dry-shipper-150", "--against", "dry-shipper-150")
    status, found = requalify(str(trips), *same)
    assert status == 0
    assert len(found) == 3


@pytest.mark.slow
def test_what_we_exported_is_judged_in_either_form(trips: Path) -> None:
    """By the roles that it says itself: the air beside the product is not judged by limits of the vapour."""
    for path in trips.iterdir():
        path.unlink()
    air = channel("box.air", role="air")
    bench = Bench(plan(channels=(channel(), air)))
    bench.series("-190x30 -140x60 -190x30")
    for minute in range(120):
        at_ms = T0 + minute * MIN
        bench.add(Reading("log", "box.air", "-20", "degC", at_ms=at_ms), bench.fold.arrival_ms)
    recorded(trips / "j.db", bench.facts)
    for form in ("csv", "parquet"):
        (trips / f"box.{form}").write_bytes(written(trips / "j.db", form))
    (trips / "j.db").rename(trips / ".j.db")
    for path in trips.glob("j.*"):
        path.unlink()
    status, found = requalify(
        str(trips), "--profile", "msc-frozen-135", "--against", "dry-shipper-150", "--stage", "transport",
        "--jobs", "1",
    )  # fmt: skip
    assert status == 1
    assert [Path(str(one["shipment"])).name for one in found] == ["box.csv", "box.parquet"]
    for one in found:
        assert one["readings"] == 120
        gone = [(each["rule"], (each["start_ms"] - T0) / MIN) for each in one["only_before"]]  # type: ignore[attr-defined]
        assert gone == [("time-too-warm", 30), ("too-warm", 30)]


@pytest.mark.slow
def test_what_cannot_be_judged_is_said(trips: Path) -> None:
    """A file that is no log is named with the reason; the others are judged."""
    (trips / "notes.parquet").write_bytes(b"PAR1 no")
    status, found = requalify(str(trips), "--profile", "dry-shipper-150", "--against", "dry-shipper-150")
    assert status == 2
    (failed,) = [one for one in found if "cannot_judge" in one]
    assert "no Parquet file" in str(failed["cannot_judge"])


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        pytest.param({"at_ms": [1], "celsius": [2]}, "column value is missing", id="no value"),
        pytest.param({"at_ms": [1], "value": [2.5]}, "write whole numbers", id="degrees"),
        pytest.param({"at_ms": [1, 2], "value": [2, None]}, "has empty places", id="empty"),
        pytest.param({"at_ms": [1], "value": [2], "quality": [192]}, "another number", id="OPC codes"),
    ],
)
def test_a_columnar_file_is_never_guessed_at(
    tmp_path: Path, columns: dict[str, list[int]], says: str
) -> None:
    """What is not what it must be is refused with the mend."""
    path = tmp_path / "a.parquet"
    pl.DataFrame(columns).write_parquet(path)
    with pytest.raises(Refused, match=says):
        read_parquet(path)


def test_a_journal_s_consignments_are_judged_again() -> None:
    """The recorded facts, with another profile of the same id in force: what it would have said."""
    bench = Bench(plan(limit()))
    bench.add(ConsignmentStarted("c1", "box", "test", "transport", T0))
    bench.series("-190x10 -145x30 -190x10")
    bench.add(ConsignmentEnded("c1", "delivered", T0 + 50 * MIN), T0 + 50 * MIN)
    facts = [(i + 1, at, fact) for i, (at, fact) in enumerate(bench.facts)]
    looser = ProfilePlan("test", "2", True, (StagePlan("transport", (limit(value=-135),)),), "1" * 64)
    before, after = judge_facts(facts, None), judge_facts(facts, looser)
    found = compare("c1", before.readings["c1"], before.seen["c1"], after.seen["c1"])
    assert (found.readings, len(found.only_before), len(found.only_after)) == (50, 1, 0)


@pytest.mark.parametrize(
    ("at_min", "place", "gone"),
    [
        pytest.param(20, "box/vapour", True, id="of its time and vessel"),
        pytest.param(60, "box/vapour", False, id="of a later time"),
        pytest.param(20, "other/vapour", False, id="of another vessel"),
    ],
)
def test_a_consignment_whose_readings_were_removed_is_named(at_min: int, place: str, gone: bool) -> None:
    """What is not there cannot be judged again; nobody is told that it was inside."""
    bench = Bench(plan(limit()))
    bench.add(ConsignmentStarted("c1", "box", "test", "transport", T0))
    bench.series("-190x50")
    bench.add(ConsignmentEnded("c1", "delivered", T0 + 50 * MIN), T0 + 50 * MIN)
    low = Extreme(-190_000, T0 + at_min * MIN)
    row = Bucket(T0 - T0 % (60 * MIN), good=1, low=low, high=low)
    bench.add(ReadingsSummarised("box.vapour", "log", 60 * MIN, (row,), place, "temperature"))
    found = judge_facts([(i + 1, at, fact) for i, (at, fact) in enumerate(bench.facts)], None)
    assert found.gone == ({"c1"} if gone else frozenset())
