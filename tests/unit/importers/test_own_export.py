"""What leaves as a table comes back without loss: every value, and the same extremes and excursions."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.cli.main import main
from coldchain.evidence import readings
from coldchain.evidence.readings import COLUMNS, Chosen
from coldchain.facts import Activated, ClockSet, Fact, Reading, Wake, encode
from coldchain.fold import Fold
from coldchain.importers import LoggerFile, ReadAs, Refused, read
from coldchain.importers.replay_plan import replay_plans
from coldchain.journal import Batch, Entry, Journal, Reader
from coldchain.model import Origin, Reason, Side
from coldchain.plan import CalibrationPoint, Plan
from coldchain.sinks import line_protocol
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

RULES = (limit(), limit("cold", -180, side=Side.BELOW, hold_ms=0))
UNSTABLE = Reason.UNSTABLE
#: What is sent is not what is judged: 1 to 2 degrees are added.
PROBE = channel(calibration=(CalibrationPoint(-200_000, 1_000), CalibrationPoint(-100_000, 2_000)))

samples = st.lists(
    st.tuples(
        st.sampled_from([-200_000, -190_500, -181_001, -160_125, -151_499, -151_500, -140_000, None]),
        st.sampled_from([None, None, None, Reason.UNSTABLE]),
        st.sampled_from([1, 1, 1, 7, 45]),  # minutes after the one before; 45 is a gap
        st.sampled_from([0, 0, 0, 90]),  # minutes until it comes in
    ),
    min_size=1,
    max_size=25,
)


def recorded(path: Path, facts: list[tuple[int, Fact]]) -> None:
    """These facts as a journal."""
    with Journal.open(path, reserve_bytes=0) as journal:
        journal.commit(
            Batch(tuple(Entry(number, at, encode(fact)) for number, (at, fact) in enumerate(facts, 1)))
        )


def written(path: Path, form: str, chosen: Chosen = readings.EVERYTHING) -> bytes:
    """The journal's readings as the bytes of a file."""
    with Reader.open(path) as journal:
        if form == "csv":
            return b"".join(readings.as_csv(readings.rows(journal, chosen)))
        if form == "line":
            return b"".join(line_protocol.lines(journal, chosen, line_protocol.LineProtocol()))
        file = path.with_suffix(".parquet")
        readings.write_parquet(readings.rows(journal, chosen), file)
        return file.read_bytes()


def excursions(fold: Fold) -> list[tuple[object, ...]]:
    """Every excursion that a fold knows of its only place: rule, span, when it alarmed, extreme."""
    (place,) = fold.places.values()
    spans = [(each.rule.id, place.standing(each)) for each in place.ledger.all()]
    return sorted(
        (rule, one.start_ms, one.end_ms or 0, one.triggered_ms or 0, one.extreme) for rule, one in spans
    )


def replayed(file: LoggerFile, active: Plan, until_ms: int) -> Fold:
    """The file's only series, folded as `replay --until` does."""
    (one,) = replay_plans(
        file, active.profiles[0], "transport", roles={s.id: s.role for s in file.series}, max_gap_ms=30 * MIN
    )
    fold = Fold()
    for position, (at, fact) in enumerate(one.facts, 1):
        fold.apply(position, at, fact)
    while (due := fold.next_due_ms()) is not None and due <= until_ms:
        fold.apply(position := position + 1, due, Wake())
    return fold


@pytest.mark.parametrize("form", ["csv", "parquet", "line"])
@given(given_=samples)
@settings(max_examples=min(12, settings.default.max_examples))
def test_live_and_replayed_are_one(
    tmp_path_factory: pytest.TempPathFactory,
    form: str,
    given_: list[tuple[int | None, Reason | None, int, int]],
) -> None:
    """Late, BAD and doubtful readings, gaps, a calibration: the file gives the live fold's excursions."""
    active = plan(*RULES, channels=(PROBE,))
    bench = Bench(active)
    at, coming = T0, []
    for number, (value, doubt, step, delay) in enumerate(given_):
        at += step * MIN
        sent = "" if value is None else f"{value / 1000}"
        coming.append(
            (at + delay * MIN, number, Reading(
                "log", "box.vapour", sent, "degC" if sent else "", at,
                bad=None if sent else Reason.SENSOR_OPEN, doubt=doubt if sent else None,
            ))
        )  # fmt: skip
    for arrival, _, reading in sorted(coming, key=lambda one: one[:2]):
        bench.run(arrival - 1)
        bench.add(reading, max(arrival, bench.fold.arrival_ms))
    until_ms = bench.fold.arrival_ms + 90 * MIN
    bench.run(until_ms)
    path = tmp_path_factory.mktemp("own") / "x.journal"
    recorded(path, bench.facts)
    file = read("export", written(path, form), ReadAs())
    (series,) = file.series
    assert (series.title, series.role, series.unit) == ("box/vapour", "vapour", "degC")
    history = bench.fold.channels.histories["box.vapour"]
    there = {value.at_ms: 0 if value.bad else round(float(value.raw) * 1000) for value in series.values}
    assert there == dict(zip(history.at, history.value, strict=True))
    assert excursions(replayed(file, active, until_ms)) == excursions(bench.fold)


def facts() -> list[tuple[int, Fact]]:
    """Two boxes' worth of everything that a row can say."""
    scale = channel(
        "scale", asset="box", role="mass", quantity="mass", unit="kg", valid_low=0, valid_high=10**6
    )
    lid = replace(channel("lid", asset="other", role="vapour"), source="demo")
    active = plan(*RULES, channels=(PROBE, scale, lid))
    active = replace(active, sources=(*active.sources, replace(active.sources[0], id="demo", simulated=True)))
    at = T0 + 123
    return [
        (T0, Reading("log", "early", "1", "K", stamp_ms=T0)),
        (T0, ClockSet(0, "test")),
        (T0, Activated(active, {})),
        (at, Reading("log", "box.vapour", "-160.25", "degC", at)),
        (at, Reading("log", "box.vapour", "", "", at + 1, bad=Reason.SENSOR_OPEN)),
        (at, Reading("log", "box.vapour", "-150", "degC", at + 2, origin=Origin.BACKFILLED, doubt=UNSTABLE)),
        (at, Reading("log", "box.vapour", "-151", "degC", stamp_ms=at + 3, origin=Origin.RETAINED)),
        (at, Reading("log", "box.vapour", 'a"b\n,;=1', "degC", at + 4)),
        (at, Reading("log", "scale", "5.43215", "kg", at)),
        (at, Reading("demo", "lid", "-12.5", "degF", at)),
        (at, Reading("log", "gone", "7", "degC", at)),
    ]  # fmt: skip


GOLDEN = """\
time,asset,role,channel,source,quantity,value,unit,quality,reason,origin,simulated,raw,raw_unit,position
2023-11-14T22:13:20.000Z,,,early,log,,,,bad,unknown_channel,live,false,1,K,1
2023-11-14T22:13:20.123Z,box,vapour,box.vapour,log,temperature,-158.852,°C,good,,live,false,-160.25,degC,4
2023-11-14T22:13:20.124Z,box,vapour,box.vapour,log,temperature,,°C,bad,sensor_open,live,false,,,5
2023-11-14T22:13:20.125Z,box,vapour,box.vapour,log,temperature,-148.500,°C,uncertain,unstable,backfilled,false,-150,degC,6
2023-11-14T22:13:20.126Z,box,vapour,box.vapour,log,temperature,-149.510,°C,uncertain,retained_without_time,retained,false,-151,degC,7
2023-11-14T22:13:20.127Z,box,vapour,box.vapour,log,temperature,,°C,bad,not_a_number,live,false,"a""b\\n,;=1",degC,8
2023-11-14T22:13:20.123Z,box,mass,scale,log,mass,5.4322,kg,good,,live,false,5.43215,kg,9
2023-11-14T22:13:20.123Z,other,vapour,lid,demo,temperature,-24.722,°C,good,,live,true,-12.5,degF,10
2023-11-14T22:13:20.123Z,,,gone,log,,,,bad,unknown_channel,live,false,7,degC,11
"""


def test_each_column_says_what_it_should(tmp_path: Path) -> None:
    """Unit, quality, reason, origin and simulated mark of each kind of row, and the number as it was sent."""
    recorded(tmp_path / "x.journal", facts())
    assert written(tmp_path / "x.journal", "csv").decode() == GOLDEN


def test_parquet_holds_the_same(tmp_path: Path) -> None:
    """Column by column, with types: times in UTC, values as doubles that are exact, BAD as null."""
    recorded(tmp_path / "x.journal", facts())
    frame = pl.read_parquet(io.BytesIO(written(tmp_path / "x.journal", "parquet")))
    assert frame.schema["time"] == pl.Datetime("ms", "UTC")
    assert frame.schema["value"] == pl.Float64()
    told = list(csv.DictReader(io.StringIO(GOLDEN)))
    assert tuple(frame.columns) == tuple(told[0]) == COLUMNS
    for row, cells in zip(frame.iter_rows(named=True), told, strict=True):
        assert row["time"].isoformat(timespec="milliseconds").replace("+00:00", "Z") == cells["time"]
        assert row["value"] == (float(cells["value"]) if cells["value"] else None)
        assert (row["simulated"], row["position"]) == (cells["simulated"] == "true", int(cells["position"]))
        assert row["raw"].replace("\n", "\\n") == cells["raw"]
        for name in (
            "asset",
            "role",
            "channel",
            "quantity",
            "unit",
            "quality",
            "reason",
            "origin",
            "raw_unit",
        ):
            assert row[name] == cells[name]


@pytest.mark.parametrize("form", ["csv", "parquet", "line"])
def test_what_is_judged_again(tmp_path: Path, form: str) -> None:
    """Temperatures by their place; what is left out is named, and so is simulated."""
    recorded(tmp_path / "x.journal", facts())
    file = read("export", written(tmp_path / "x.journal", form), ReadAs())
    assert [(series.id, series.role, len(series.values)) for series in file.series] == [
        ("box/vapour/box.vapour", "vapour", 4),
        ("other/vapour/lid", "vapour", 1),
    ]
    first = file.series[0].values
    assert [(value.bad, value.doubt) for value in first] == [
        (None, None), (Reason.SENSOR_OPEN, None), (None, Reason.UNSTABLE), (Reason.NOT_A_NUMBER, None),
    ]  # fmt: skip
    assert file.simulated
    assert file.notes[:3] == (
        "not judged: 1 readings of early (unknown)",
        "not judged: 1 readings of gone (unknown)",
        "not judged: 1 readings of scale (mass)",
    )
    assert any("of unknown age" in note for note in file.notes)
    assert any("1 of 9 readings are simulated" in note for note in file.notes)
    alone = read("export", written(tmp_path / "x.journal", form, Chosen(asset="box")), ReadAs())
    assert not alone.simulated
    with pytest.raises(Refused, match="there are box/vapour, other/vapour"):
        read("export", written(tmp_path / "x.journal", form), ReadAs(columns=("fridge",)))


def test_a_damaged_line_is_missing_from_each_series(tmp_path: Path) -> None:
    """Nobody knows whose it was: listed with its number, and BAD wherever it may have belonged."""
    lines = GOLDEN.splitlines()
    for damaged, why in [
        (lines[2].replace("°C", "°F"), "in '°F' is not known"),
        (lines[2].replace("good", "fine"), "quality 'fine' is not known"),
        (lines[2].replace("2023", "soon"), "is no time like the others"),
        (lines[2].replace("-158.852", "nan"), "value 'nan' does not go with"),
        (lines[2].replace("-158.852", ""), "value '' does not go with"),
        (lines[2][:-12], "of 15 fields"),
        (lines[2] + '"', "not what an export writes"),
    ]:
        file = read("x", "\n".join([*lines[:2], damaged, *lines[3:]]).encode() + b"\n", ReadAs())
        assert [str(one) for one in file.unread if not one.known and why in str(one)], damaged
        assert all(any(value.bad is Reason.BAD_TIME for value in one.values) for one in file.series)


@pytest.mark.parametrize("ending", ["csv", "parquet", "lp", "jsonl"])
def test_the_command(tmp_path: Path, ending: str) -> None:
    """The ending chooses the form; --from, --to and --asset choose readings; replay reads what comes out."""
    path, out = tmp_path / "x.journal", tmp_path / f"out.{ending}"
    recorded(path, facts())
    chosen = ["--asset", "box", "--from", "2023-11-14T22:13:20.123Z", "--to", "2023-11-15T06:13:20.125+08:00"]
    done = CliRunner().invoke(main, ["export", str(path), str(out), *chosen])
    if ending == "jsonl":
        assert done.exit_code == 2
        assert "JSON lines hold a whole journal" in done.output
        return
    assert done.exit_code == 0, done.output
    if ending == "lp":
        at = T0 + 123
        tags = "asset=box,channel=box.vapour,origin=device,role=vapour,simulated=false,"
        assert out.read_text() == (
            f"temperature,{tags}site=test,source=log quality=2,value=-158.852 {at}\n"
            f"temperature,{tags}site=test,source=log quality=0 {at + 1}\n"
            f"not_good,{tags.replace('role', 'reason=sensor_open,role')}"
            f"site=test,source=log count=1 {at + 1}\n"
            f"mass,{tags.replace('box.vapour', 'scale').replace('=vapour', '=mass')}"
            f"site=test,source=log quality=2,value=5.4322 {at}\n"
        )
    said = CliRunner().invoke(main, ["replay", str(out), "--above", "-155", "--format", "json"])
    told = json.loads(said.stdout)
    assert [(one["title"], one["readings"], one["max"]) for one in told["channels"]] == [
        ("box/vapour", 1, -158.852)
    ]
    assert told["verdict"] == "cannot_judge", "a dead probe proves nothing"
    assert not list(tmp_path.glob("*.partial"))


def test_without_a_clock(tmp_path: Path) -> None:
    """Where no date is known none is made up: refused, with the form that needs none."""
    path = tmp_path / "x.journal"
    recorded(path, [facts()[0]])
    (tmp_path / "out.csv").write_text("older")
    done = CliRunner().invoke(main, ["export", str(path), str(tmp_path / "out.csv")])
    assert done.exit_code == 2
    assert "position 1 has no date" in done.output
    assert ".jsonl" in done.output
    assert (tmp_path / "out.csv").read_text() == "older"
    done = CliRunner().invoke(main, ["export", str(path), str(tmp_path / "out.parquet")])
    assert done.exit_code == 2
    assert "position 1 has no date" in done.output


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        pytest.param(["out.csv", "--names"], "belong to JSON lines", id="names stand in no table"),
        pytest.param(["out.csv", "--from", "2026-01-01T00:00"], "no offset", id="a zone is never guessed"),
        pytest.param(["-", "--format", "parquet"], "into a file", id="parquet needs a file"),
    ],
)
def test_typed_wrongly(tmp_path: Path, typed: list[str], why: str) -> None:
    """Each with its mend, and nothing written."""
    recorded(tmp_path / "x.journal", facts())
    done = CliRunner().invoke(main, ["export", str(tmp_path / "x.journal"), *typed])
    assert done.exit_code == 2
    assert why in done.output


def test_another_parquet_file(tmp_path: Path) -> None:
    """A table of the same headings and other types is refused; of other headings it is no export of ours."""
    frame = pl.DataFrame({key: ["1"] for key in COLUMNS})
    frame.write_parquet(tmp_path / "x.parquet")
    with pytest.raises(Refused, match="column time holds String"):
        read("x", (tmp_path / "x.parquet").read_bytes(), ReadAs())
    frame.drop("origin").write_parquet(tmp_path / "x.parquet")
    with pytest.raises(Refused, match=r"^(?!.*export)"):
        read("x", (tmp_path / "x.parquet").read_bytes(), ReadAs())
