"""`coldchain import` as it is typed: logs of real devices and broken copies, with a daemon and without."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.daemon.keeping import original
from coldchain.facts import Reading
from coldchain.journal import Reader
from coldchain.logged import FileImported, LoggerKnown
from coldchain.model import Origin, Reason
from tests.integration.gateways import Site, assert_equal, read, running
from tests.integration.test_replay import SAMPLES, judged, recorded
from tests.unit.importers.test_own_export import facts as own_facts
from tests.unit.importers.test_own_export import recorded as recorded_facts

pytestmark = pytest.mark.slow

PROFILE = "fridge-2-8-buffered"
TABLES = SAMPLES.parent / "loggers"
SAMPLE = SAMPLES / "qtag-clm-sample.txt"
QTAG, FRIDGE = "RCPJ00010_02_202211090128.txt", "130400191544_202304201514.txt"
_BOXES = """
[assets.box]
kind = "passive_box"
profile = "fridge-2-8-buffered"
logged = ["product"]

[assets.other]
kind = "passive_box"
"""


@dataclass
class Gateway:
    """A site whose box is judged by files alone; a daemon runs there, or none."""

    site: Site

    def type(self, *words: object) -> Result:
        """Type a command."""
        command = [*map(str, words), "--config", str(self.site.config)]
        return CliRunner().invoke(main, command, prog_name="coldchain", catch_exceptions=False)

    def takes(self, file: Path, *words: object, asset: str = "box") -> dict[str, Any]:
        """What an import says of one file, as JSON; the exit status fits."""
        done = self.type("import", file, "--asset", asset, "--format", "json", *words)
        (report,) = json.loads(done.stdout)["files"]
        gaps = {"imported": 0, "already_imported": 0, "imported_with_gaps": 1, "refused": 2}
        assert done.exit_code == gaps[report["status"]], done.output
        found: dict[str, Any] = report
        return found

    def travels(self, since: str) -> None:
        """A consignment was in the box from then on; its log came by post."""
        done = self.type(
            "consignment", "start", "C-1", "--asset", "box", "--profile", PROFILE, "--stage", "storage",
            "--at", since, "--why", "the log came by post",
        )  # fmt: skip
        assert done.exit_code == 0, done.output


@pytest.fixture(params=["with a daemon", "without"])
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    """Such a site. Without a daemon there is the journal that one left."""
    site = Site(tmp_path).part("boxes", _BOXES)
    with ExitStack() as life:
        life.enter_context(running(site))
        if request.param == "without":
            life.close()
        yield Gateway(site)


@pytest.fixture
def at_rest(tmp_path: Path) -> Gateway:
    """The same, and no daemon."""
    site = Site(tmp_path).part("boxes", _BOXES)
    with running(site):
        pass
    return Gateway(site)


# --- Whole files ------------------------------------------------------------------------------------------


def test_a_log_is_judged_as_replay_judges_it(gateway: Gateway) -> None:
    """Every reading is in, marked as imported; excursions are those of `replay`; the file is kept."""
    gateway.travels("2023-03-07T00:00:00Z")
    report = gateway.takes(SAMPLE, "--tz", "Europe/Zurich")
    assert report["status"] == "imported"
    alone = judged(SAMPLE, "--tz", "Europe/Zurich", "--profile", PROFILE)
    assert report["new"] == alone["readings"]
    history = read(gateway.site.journal)
    readings = history.of(Reading, origin=Origin.IMPORTED)
    assert len(readings) == alone["readings"]
    ours = {(one["rule"], one["from_ms"], one["until_ms"]) for one in report["alarms"]["ours"]}
    theirs = {(one["rule"], _utc(one["start"]), _utc(one["end"])) for one in alone["excursions"]}
    assert ours == {one for one in theirs if not one[0].startswith("slot-")}
    assert ours
    (fact,) = history.of(FileImported)
    with Reader.open(gateway.site.journal) as reader:
        document = reader.document(fact.kept)
        assert document is not None
        assert original(fact, document) == SAMPLE.read_bytes()
    said = [alarm["rule"] for alarm in report["alarms"]["logger"]]
    assert said, "the device's own alarms stand beside ours"
    assert [alarm.rule for alarm in fact.alarms] == said


def _utc(text: str | None) -> int | None:
    return None if text is None else round(datetime.fromisoformat(text).timestamp() * 1000)


def test_imported_twice_changes_nothing(gateway: Gateway) -> None:
    """The same file again is said to be there already; no fact and no announcement is added."""
    gateway.travels("2023-03-07T00:00:00Z")
    first = gateway.takes(SAMPLE, "--tz", "UTC")
    before = _logged(gateway)
    second = gateway.takes(SAMPLE)
    assert second["status"] == "already_imported"
    assert (second["new"], second["repeats"]) == (0, first["new"])
    assert second["position"] == first["position"]
    assert second["alarms"] == first["alarms"]
    assert _logged(gateway) == before


def _logged(gateway: Gateway) -> tuple[int, int]:
    """How much of it a journal holds: readings, and announcements about the box."""
    history = read(gateway.site.journal)
    said = [one for one in history.said if one.what.alarm.startswith("box/")]
    return len(history.of(Reading)) + len(history.of(FileImported)), len(said)


@pytest.mark.parametrize("name", [QTAG, FRIDGE])
def test_recorded_files_import_whole(at_rest: Gateway, name: str) -> None:
    """Of each file of a real device nothing stays unread, and the journal can be verified."""
    report = at_rest.takes(recorded(name), "--tz", "Europe/Zurich")
    assert report["status"] == "imported"
    assert report["unread"] == []
    assert_equal(at_rest.site.journal)


def test_daily_figures_are_those_of_the_file(at_rest: Gateway) -> None:
    """A Fridge-tag 2 hands out no log: each day's figures are kept as they stand, and judged by nothing."""
    path = recorded(FRIDGE)
    report = at_rest.takes(path, "--tz", "UTC")
    days = path.read_text(encoding="utf-8").split("\nHist:\n")[1].split("\nCert:")[0]
    printed = [
        (date, low.lstrip("+"), low_at, high.lstrip("+"), high_at, mean.lstrip("+"))
        for date, low, low_at, high, high_at, mean in re.findall(
            r"Date: (\S+)\n\s+Min T: (\S+), TS Min T: (\S+)\n"
            r"\s+Max T: (\S+), TS Max T: (\S+)\n\s+Avrg T: (\S+)",
            days,
        )
    ]
    told = [
        (day["date"], day["least"], day["least_at"], day["greatest"], day["greatest_at"], day["average"])
        for day in report["days"]
    ]
    assert len(printed) == len(re.findall("Date:", days))
    assert told == sorted(printed)
    counted = [int(minutes) for minutes in re.findall(r"t Acc: (\d+)", days)]
    assert sorted(m for day in report["days"] for _, m in day["outside_min"]) == sorted(counted)
    lost = [int(minutes) for minutes in re.findall(r"t AccST: (\d+)", days)]
    assert sum(day["lost_min"] for day in report["days"]) == sum(lost)
    (fact,) = read(at_rest.site.journal).of(FileImported)
    assert [day.date for day in fact.days] == [day["date"] for day in report["days"]]
    assert report["alarms"]["ours"] == []


# --- The zone ---------------------------------------------------------------------------------------------


def test_the_zone_is_asked_once_for_each_device(gateway: Gateway, tmp_path: Path) -> None:
    """Without it a file is refused; told once it is remembered, and another one needs a word."""
    refused = gateway.takes(SAMPLE)
    assert refused["status"] == "refused"
    assert "--tz" in refused["why"]
    assert gateway.takes(SAMPLE, "--tz", "Europe/Zurich")["status"] == "imported"
    (known,) = read(gateway.site.journal).of(LoggerKnown)
    assert known.zone == "Europe/Zurich"
    later = tmp_path / "later.txt"
    later.write_text(SAMPLE.read_text(encoding="utf-8").replace("2023-03-07", "2023-03-17"), encoding="utf-8")
    assert gateway.takes(later)["status"] == "imported"
    other = tmp_path / "other.txt"
    other.write_text(SAMPLE.read_text(encoding="utf-8").replace("2023-03-07", "2023-04-17"), encoding="utf-8")
    assert "another-tz" in gateway.takes(other, "--tz", "UTC")["why"]
    assert gateway.takes(other, "--tz", "UTC", "--another-tz")["status"] == "imported"


# --- Broken copies ----------------------------------------------------------------------------------------


def _rows(text: str) -> list[int]:
    lines = text.splitlines()
    return [i for i, line in enumerate(lines) if line.startswith("\t20")]


def _cut(text: str) -> str:
    """In the middle of a row."""
    lines = text.splitlines(keepends=True)
    return "".join(lines[: _rows(text)[20]]) + lines[_rows(text)[20]][:9]


def _swapped(text: str) -> str:
    lines = text.splitlines(keepends=True)
    first = _rows(text)[10]
    lines[first], lines[first + 1] = lines[first + 1], lines[first]
    return "".join(lines)


def _doubled(text: str) -> str:
    """Every row stands there twice, as when a day was read out twice."""
    lines = text.splitlines(keepends=True)
    rows = [lines[i] for i in _rows(text)]
    last = _rows(text)[-1]
    return "".join([*lines[: last + 1], *rows, *lines[last + 1 :]])


def _future(text: str) -> str:
    """The last three rows are of a year to come."""
    lines = text.splitlines(keepends=True)
    for i in _rows(text)[-3:]:
        lines[i] = "\t2099" + lines[i][5:]
    return "".join(lines)


@pytest.mark.parametrize("recorded_one", [False, True], ids=["our sample", "recorded"])
@pytest.mark.parametrize(
    ("broken", "readable", "says"),
    [
        pytest.param(_cut, lambda rows: 20, "ends before its signature", id="cut"),
        pytest.param(_swapped, lambda rows: rows, "", id="swapped lines"),
        pytest.param(_doubled, lambda rows: rows, "", id="doubled days"),
        pytest.param(_future, lambda rows: rows - 3, "lies in the future", id="future dates"),
    ],
)
def test_a_broken_copy_loses_no_readable_line(
    at_rest: Gateway,
    tmp_path: Path,
    broken: Callable[[str], str],
    readable: Callable[[int], int],
    says: str,
    recorded_one: bool,
) -> None:
    """What can be read is in, what cannot is named with its line, and the journal stays sound."""
    text = (recorded(QTAG) if recorded_one else SAMPLE).read_text(encoding="utf-8")
    path = tmp_path / "broken.txt"
    path.write_text(broken(text), encoding="utf-8")
    report = at_rest.takes(path, "--tz", "UTC")
    assert report["status"] in ("imported", "imported_with_gaps")
    good = [r for r in read(at_rest.site.journal).of(Reading, origin=Origin.IMPORTED) if r.bad is None]
    assert len({reading.at_ms for reading in good}) == readable(len(_rows(text)))
    said = "\n".join([*report["unread"], *report["doubts"], *report["notes"]])
    assert says in said, said
    for line in report["unread"]:
        assert re.match(r"line \d+: ", line)
    assert_equal(at_rest.site.journal)


def test_a_wrong_encoding_is_refused_or_read_whole(at_rest: Gateway, tmp_path: Path) -> None:
    """UTF-16 with its mark is read; bytes that are no text are refused with the mend, and nothing is in."""
    path = tmp_path / "wide.txt"
    path.write_bytes(SAMPLE.read_text(encoding="utf-8").encode("utf-16"))
    assert at_rest.takes(path, "--tz", "UTC")["status"] == "imported"
    noise = tmp_path / "noise.txt"
    noise.write_bytes(bytes(range(128, 256)) * 20)
    before = len(read(at_rest.site.journal).facts)
    refused = at_rest.takes(noise, "--tz", "UTC")
    assert refused["status"] == "refused"
    assert refused["why"].startswith(str(noise))
    assert len(read(at_rest.site.journal).facts) == before


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        pytest.param(
            lambda text: text.replace("T: +1.5", "T: cold"), "Min T: is no such figure", id="figure"
        ),
        pytest.param(lambda text: text.replace("  Date: 2023-04-19\n", ""), "without a date", id="date"),
        pytest.param(lambda text: text[: text.index(" 4:\n")], "", id="cut"),
    ],
)
def test_broken_daily_figures_are_named(
    at_rest: Gateway, tmp_path: Path, damage: Callable[[str], str], says: str
) -> None:
    """A day's figure that cannot be read is named with its line; the other days are in."""
    path = tmp_path / "fridge.txt"
    path.write_text(damage(recorded(FRIDGE).read_text(encoding="utf-8")), encoding="utf-8")
    report = at_rest.takes(path, "--tz", "UTC")
    assert report["status"] == ("imported_with_gaps" if says else "imported")
    assert len(report["days"]) >= 3
    assert says in "\n".join(report["unread"])


# --- What it does not touch -------------------------------------------------------------------------------


def test_before_any_limit_it_stands_beside(gateway: Gateway) -> None:
    """Nobody said what was in the box then: the readings are in, and no alarm is made of them."""
    report = gateway.takes(SAMPLE, "--tz", "UTC")
    (taken,) = report["channels"]
    assert taken["judged"] == ""
    assert taken["beside"] != ""
    assert report["alarms"]["ours"] == []
    assert not read(gateway.site.journal).raised("box")


def test_a_log_overrides_nothing_that_was_watched(tmp_path: Path) -> None:
    """Where a probe of the gateway measured that place then, the log is kept and judges nothing."""
    site = Site(tmp_path).profile(hold="1 s").ascii("log", str(tmp_path / "ttyNone"))
    with running(site):
        time.sleep(0.01)  # its activation lies before the log
        began = datetime.now(UTC)
    path = tmp_path / "late.csv"
    rows = "".join(f"{(began + timedelta(seconds=i)).isoformat()},-20.0\n" for i in range(5))
    path.write_text("time,vapour (°C)\n" + rows, encoding="utf-8")
    report = Gateway(site).takes(path, "--role", "vapour", asset="box-log")
    (taken,) = report["channels"]
    assert (taken["judged"], taken["readings"]) == ("", 5)
    assert "another probe measured there" in taken["beside"]
    assert report["alarms"]["ours"] == []
    assert "box-log/vapour/above" not in [one.alarm for one in read(site.journal).raised()]
    assert_equal(site.journal)


@pytest.mark.parametrize(
    ("words", "asset", "says"),
    [
        pytest.param(["--tz", "UTC"], "bx", "there is no asset 'bx'", id="asset"),
        pytest.param(["--tz", "UTC"], "other", "say what", id="role"),
        pytest.param(["--tz", "UTC", "--role", "product"], "other", "", id="role said"),
    ],
)
def test_what_cannot_be_placed_is_refused(at_rest: Gateway, words: list[str], asset: str, says: str) -> None:
    """A vessel that is not there, or a place that nobody named: refused with the mend."""
    report = at_rest.takes(SAMPLE, *words, asset=asset)
    assert (report["status"] == "refused") is bool(says)
    assert says in report["why"]


def test_a_file_of_another_box_is_not_taken_again(at_rest: Gateway) -> None:
    """One log is of one vessel."""
    at_rest.takes(SAMPLE, "--tz", "UTC")
    refused = at_rest.takes(SAMPLE, "--tz", "UTC", "--role", "product", asset="other")
    assert refused["status"] == "refused"
    assert "imported for box already" in refused["why"]


def test_people_read_it(at_rest: Gateway) -> None:
    """The report names file, hash, place, both sides' alarms, and where a file is refused its mend."""
    at_rest.travels("2023-03-07T00:00:00Z")
    said = at_rest.type("import", SAMPLE, "--asset", "box", "--tz", "UTC")
    assert said.exit_code == 0
    for word in (
        "SHA-256",
        "imported for box",
        "box/product",
        f"judged by {PROFILE}/storage",
        "logger",
        "ours",
    ):
        assert word in said.stdout, word
    refused = at_rest.type("import", SAMPLE, "--asset", "nowhere", "--tz", "UTC")
    assert refused.exit_code == 2
    assert "there are:" in refused.stdout


def test_a_csv_without_a_name_is_a_logger_of_its_own(at_rest: Gateway, tmp_path: Path) -> None:
    """Two columns are two places; one of them nobody named is refused with the mend."""
    path = tmp_path / "log.csv"
    rows = "\n".join(f"2026-03-07T{hour:02}:00Z,{hour / 4 + 3},{-hour}" for hour in range(24))
    path.write_text("time,product_c,air_c\n" + rows + "\n", encoding="utf-8")
    assert "--column" in at_rest.takes(path)["why"]
    report = at_rest.takes(path, "--column", "product_c=product", "--column", "air_c=air", "--unit", "C")
    assert {one["place"] for one in report["channels"]} == {"box/product", "box/air"}
    assert report["new"] == 48
    assert_equal(at_rest.site.journal)


def test_what_its_probe_cannot_show_is_no_temperature(at_rest: Gateway, tmp_path: Path) -> None:
    """Beyond `--valid` a reading of a log is BAD: it is kept, and makes no excursion."""
    at_rest.travels("2026-03-01T00:00:00Z")
    path = tmp_path / "log.csv"
    rows = "\n".join(f"2026-03-07T{hour:02}:00Z,{120 if hour == 9 else 5}" for hour in range(24))
    path.write_text("time,product [°C]\n" + rows + "\n", encoding="utf-8")
    report = at_rest.takes(path, "--valid", "-40..60")
    assert report["new"] == 24
    assert not report["alarms"]["ours"]
    (known,) = read(at_rest.site.journal).of(LoggerKnown)
    (probe,) = known.channels
    assert (probe.valid_low, probe.valid_high) == (-40_000, 60_000)
    assert_equal(at_rest.site.journal)


# --- Layouts ----------------------------------------------------------------------------------------------


def test_a_layout_names_the_logger_so_its_zone_is_asked_once(at_rest: Gateway, tmp_path: Path) -> None:
    """By the serial number in its lines a table is of a known logger, whose alarm stands beside ours."""
    table = TABLES / "elitech-log.txt"
    assert "no proof" in at_rest.takes(table)["why"]
    first = at_rest.takes(table, "--tz", "+02:00")
    assert (first["status"], first["device"]) == ("imported_with_gaps", "EF7216103439")
    assert [alarm["rule"] for alarm in first["alarms"]["logger"]] == ["first alarm, temperature"]
    later = tmp_path / "later.txt"
    later.write_bytes(table.read_bytes().replace(b"2026-05-01", b"2026-05-03"))
    assert at_rest.takes(later)["new"] == first["new"]
    typed = at_rest.type("import", table, "--asset", "box", "--layout", "elitech")
    assert typed.exit_code == 64
    assert "elitech-log" in typed.output


def test_our_own_points_are_a_log_too(at_rest: Gateway, tmp_path: Path) -> None:
    """What one gateway exported as line protocol another imports; only the place is told."""
    recorded_facts(tmp_path / "other.db", own_facts())
    points = tmp_path / "box.lp"
    words = ["export", str(tmp_path / "other.db"), str(points), "--asset", "box"]
    assert CliRunner().invoke(main, words).exit_code == 0
    report = at_rest.takes(points, "--column", "box/vapour=product")
    assert report["status"] == "imported_with_gaps", "two had no value"
    found = read(at_rest.site.journal).of(Reading, origin=Origin.IMPORTED)
    assert [(each.raw, each.bad, each.doubt) for each in found] == [
        ("-158.852", None, None),
        ("", Reason.SENSOR_OPEN, None),
        ("-148.500", None, Reason.UNSTABLE),
        ("", Reason.NOT_A_NUMBER, None),
    ]
    assert_equal(at_rest.site.journal)


def test_points_and_columns_are_logs_too(at_rest: Gateway, tmp_path: Path) -> None:
    """InfluxDB line protocol and Parquet come in whole, and the file itself is kept bit for bit."""
    pl = pytest.importorskip("polars")
    times = [1_772_863_920_000 + 600_000 * step for step in range(6)]
    points = tmp_path / "box.lp"
    points.write_text("".join(f"box,n=7 temp_c=4.{step} {at}000000\n" for step, at in enumerate(times)))
    columns = tmp_path / "box.parquet"
    later = [at + 86_400_000 for at in times]
    pl.DataFrame({"time": later, "temp_c": [4.4, None, *[5.0] * 4]}).write_parquet(columns)
    assert (at_rest.takes(points)["status"], at_rest.takes(columns)["status"]) == (
        "imported", "imported_with_gaps",
    )  # fmt: skip
    history = read(at_rest.site.journal)
    assert len(history.of(Reading, origin=Origin.IMPORTED)) == 12
    _, fact = history.of(FileImported)
    with Reader.open(at_rest.site.journal) as reader:
        document = reader.document(fact.kept)
        assert document is not None
        assert original(fact, document) == columns.read_bytes()
    assert_equal(at_rest.site.journal)
