"""`coldchain replay` as it is typed: real files, exit statuses, and what a real device decided itself."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from coldchain.cli.replay_command import replay
from tests.house.tree import ROOT

SAMPLES = ROOT / "tests" / "data" / "berlinger"
RECORDED = ROOT.parent / "shared" / "data" / "berlinger"
CSV = "time,temp_c\n" + "".join(
    f"2022-11-08T{hour:02}:00Z,{value}\n" for hour, value in enumerate([5, 5, 9, 9, 5])
)
COMMAND = [sys.executable, "-c", "from coldchain.cli.replay_command import replay; replay()"]


def run(*arguments: object) -> tuple[int, str, str]:
    """Exit status, standard output and standard error of one command."""
    result = CliRunner().invoke(
        replay, [str(argument) for argument in arguments], prog_name="coldchain replay"
    )
    return result.exit_code, result.stdout, result.stderr


def judged(*arguments: object) -> dict[str, Any]:
    """The report as JSON."""
    status, out, err = run(*arguments, "--format", "json")
    found: dict[str, Any] = json.loads(out)
    assert status == {"inside": 0, "outside": 1, "cannot_judge": 2}[found["verdict"]], err
    return found


def recorded(name: str) -> Path:
    """A file from a real device, or a skip with the reason."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"{name}, recorded by a real logger, is not part of the repository")
    return path


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A small log that lies outside 2 to 8 °C for two hours."""
    path = tmp_path / "log.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


# What the device itself decided, read from its file by other means than the importer


@dataclass(frozen=True)
class Device:
    """A slot's events under `Res` as (start, trigger, end or None, minutes), its clock taken as UTC."""

    events: dict[str, list[tuple[datetime, datetime, datetime | None, int]]]
    mkt: float
    logged: list[float]


def device(path: Path) -> Device:
    """The result and the logged values of a report."""
    text = path.read_text(encoding="utf-8")
    result = text.split("\nRes:\n")[1].split("\nMarker:")[0]
    events: dict[str, list[tuple[datetime, datetime, datetime | None, int]]] = {}
    slot = ""
    for line in result.split("Alarm:")[1].splitlines():
        if line.strip().rstrip(":").isdigit():
            slot = f"slot-{line.strip().rstrip(':')}"
        elif "TS S" in line:
            pairs = {
                key.strip(): value.strip() for key, _, value in (p.partition(":") for p in line.split(","))
            }
            end = pairs.get("TS E", "")
            events.setdefault(slot, []).append(
                (
                    moment(pairs["TS S"]),
                    moment(pairs["TS A"]),
                    moment(end) if end else None,
                    int(pairs["t A"]),
                )
            )
    mkt = next(float(line.split(":")[1]) for line in result.splitlines() if line.startswith(" MKT:"))
    logged = [
        float(line.split("\t")[2]) for line in text.split("Data:")[1].splitlines() if line.startswith("\t20")
    ]
    return Device(events, mkt, logged)


def moment(text: str) -> datetime:
    """A time of the device or of a report, in UTC."""
    at = datetime.fromisoformat(text)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def near(ours: str | None, theirs: datetime) -> bool:
    """Within one logging interval, which is all that a log can know."""
    return ours is not None and abs(moment(ours) - theirs) <= timedelta(minutes=10)


def excursions(found: dict[str, Any], rule: str) -> list[dict[str, Any]]:
    """The intervals of one rule."""
    return [one for one in found["excursions"] if one["rule"] == rule]


BOTH = pytest.mark.parametrize(
    "name",
    [
        pytest.param("RCPJ00010_02_202211090128.txt", id="recorded by a real Q-tag CLm"),
        pytest.param("qtag-clm-sample.txt", id="our own sample"),
    ],
)


def report_of(name: str) -> Path:
    """A report by its name."""
    return SAMPLES / name if name == "qtag-clm-sample.txt" else recorded(name)


@BOTH
def test_triggered_slots_agree_with_the_device(name: str) -> None:
    """Slots 1, 2 and 4 start and trigger within one logging interval of the device's own times."""
    path = report_of(name)
    found, own = judged(path, "--tz", "UTC"), device(path)
    assert found["verdict"] == "outside"
    for slot in ("slot-1", "slot-2", "slot-4"):
        for start, trigger, end, _ in own.events[slot]:
            assert any(
                near(one["start"], start)
                and near(one["triggered"], trigger)
                and (slot != "slot-1" or one["end"] is None if end is None else near(one["end"], end))
                for one in excursions(found, slot)
            ), (slot, start, excursions(found, slot))


@BOTH
def test_single_cold_events_agree_with_the_device(name: str) -> None:
    """Each event that the device lists for slot 5 is an interval of ours, start and end within one step."""
    path = report_of(name)
    found, own = judged(path, "--tz", "UTC"), device(path)
    assert own.events["slot-5"]
    for start, _, end, _ in own.events["slot-5"]:
        assert end is not None
        assert any(
            near(one["start"], start) and near(one["end"], end) for one in excursions(found, "slot-5")
        ), (start, excursions(found, "slot-5"))


@BOTH
def test_minutes_outside_agree_with_the_device(name: str) -> None:
    """The time outside that each cumulative slot sums up is within a tenth of the device's own."""
    path = report_of(name)
    found, own = judged(path, "--tz", "UTC"), device(path)
    for slot in ("slot-2", "slot-4"):
        (sum_,) = excursions(found, slot)
        assert sum_["outside_s"] / 60 == pytest.approx(own.events[slot][0][3], rel=0.1)


@BOTH
def test_figures_agree_with_the_device(name: str) -> None:
    """Extremes are those of the log; the kinetic mean, with the file's energy, is the device's to 0.1 K."""
    path = report_of(name)
    found, own = judged(path, "--tz", "UTC"), device(path)
    (channel,) = found["channels"]
    assert (channel["min"], channel["max"]) == (min(own.logged), max(own.logged))
    assert found["readings"] == channel["readings"] == len(own.logged)
    assert channel["mkt_energy_kj_mol"] == 83.0
    assert channel["mkt_c"] == pytest.approx(own.mkt, abs=0.1)


# Alarms of ours that the device does not list, each with its cause. In the recorded file slot 5 lists three
# events, the last from 15:39, and none after it, though the log shows two more: all values from 16:29 to
# 16:49 and from 19:19 to 19:49 lie below 2.0 °C. By the lines to the inside values around them that is 35 and
# 44 min outside, more than the 30 min allowed. That the device's list ends at three events is our reading of
# it; its report does not say so.
OURS_ALONE = {
    "RCPJ00010_02_202211090128.txt": {("slot-5", "2022-11-08T16:19"), ("slot-5", "2022-11-08T19:10")},
    "qtag-clm-sample.txt": set(),
}


@BOTH
def test_alarms_that_the_device_does_not_list_are_known(name: str) -> None:
    """Every alarm of ours is one of the device's, or is named above with its cause."""
    path = report_of(name)
    found, own = judged(path, "--tz", "UTC"), device(path)
    alone = {
        (one["rule"], one["start"][:16])
        for one in found["excursions"]
        if one["triggered"]
        and not any(near(one["start"], event[0]) for event in own.events.get(one["rule"], []))
    }
    assert alone == OURS_ALONE[name]
    assert len(found["alarms"]) == sum(one["triggered"] is not None for one in found["excursions"])


def test_logged_values_behind_the_alarms_that_are_ours_alone() -> None:
    """The cause named above is in the file: the log itself shows these values below the limit."""
    text = recorded("RCPJ00010_02_202211090128.txt").read_text(encoding="utf-8")
    for stamps in (("16:29", "16:39", "16:49"), ("19:19", "19:29", "19:39", "19:49")):
        for stamp in stamps:
            row = next(line for line in text.splitlines() if line.startswith(f"\t2022-11-08 {stamp}\t"))
            assert float(row.split("\t")[2]) < 2.0
            assert row.endswith("\tx")


def test_recorded_daily_figures_are_refused() -> None:
    """A Fridge-tag 2 report holds no log: nobody can judge it, and the report says why."""
    found = judged(recorded("130400191544_202304201514.txt"), "--tz", "UTC")
    assert found["verdict"] == "cannot_judge"
    assert "daily figures and no log" in found["reasons"][0]


def test_golden_json(monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole report on our sample is the one kept beside it, byte for byte.

    Where a change is meant, write it anew with: coldchain replay qtag-clm-sample.txt --tz UTC --format json
    """
    monkeypatch.chdir(SAMPLES)
    _, out, _ = run("qtag-clm-sample.txt", "--tz", "UTC", "--format", "json")
    assert out == (SAMPLES / "qtag-clm-sample.json").read_text(encoding="utf-8")


# As it is typed


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        pytest.param(["--above", "8", "--for", "3h"], 0, "INSIDE", id="inside"),
        pytest.param(["--above", "8", "--below", "2", "--for", "30m"], 1, "OUTSIDE", id="outside"),
        pytest.param(["--above", "46.4°F", "--for", "30 min"], 1, "above 8.0 °C", id="limit in another unit"),
        pytest.param(["--profile", "fridge-2-8-buffered"], 1, "UNAPPROVED", id="a shipped profile"),
        pytest.param([], 2, "no limits", id="no limits"),
        pytest.param(["--above", "8", "--unit", "F"], 2, "states degC", id="contradiction"),
        pytest.param(["--above", "8", "--column", "Probe"], 2, "no column 'Probe'", id="no such column"),
        pytest.param(["--above", "8", "--max-gap", "30m"], 1, "OUTSIDE", id="gaps do not undo an alarm"),
        pytest.param(["--above", "10", "--max-gap", "30m"], 2, "could be hidden", id="gaps that hide"),
        pytest.param(
            ["--above", "8", "--tz", "+05:30"], 1, "2022-11-08 05:30:00", id="shown by another clock"
        ),
        pytest.param(["--above", "8", "--role", "air"], 2, "no rule for role 'air'", id="another role"),
        pytest.param(
            ["--above", "8", "--column", "temp_c=air"], 2, "no rule for role 'air'", id="of a column"
        ),
        pytest.param(["--above", "8", "--delimiter", "comma"], 1, "OUTSIDE", id="separator by name"),
        pytest.param(
            ["--above", "10", "--until", "2022-11-08T05:00Z"], 0, "INSIDE", id="until after the end"
        ),
        pytest.param(["--above", "8", "--for", "30m", "--simulated"], 1, "SIMULATED", id="simulated"),
    ],
)
def test_exit_status(log: Path, arguments: Sequence[str], status: int, says: str) -> None:
    """0 inside, 1 outside, 2 nobody can judge; the report says why."""
    found, out, err = run(log, *arguments)
    assert found == status, out + err
    assert says in " ".join(out.split())


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        pytest.param(["--colour"], "No such option", id="unknown option"),
        pytest.param(["--tz", "Mars/Olympus"], "no zone known here", id="unknown zone"),
        pytest.param(["--tz", "../../etc/passwd"], "no zone known here", id="a path is no zone"),
        pytest.param(["--above", "warm"], "warm", id="limit without a number"),
        pytest.param(["--above", "2", "--below", "8"], "nothing lies between", id="nothing left inside"),
        pytest.param(["--for", "30m"], "--for needs a limit", id="hold without a limit"),
        pytest.param(["--above", "8", "--for", "soon"], "soon", id="no duration"),
        pytest.param(["--profile", "no-such-profile"], "no-such-profile", id="unknown profile"),
        pytest.param(
            ["--profile", "fridge-2-8-buffered", "--above", "8"], "cannot judge together", id="both"
        ),
        pytest.param(["--profile", "fridge-2-8-buffered", "--stage", "moon"], "no stage 'moon'", id="stage"),
        pytest.param(["--stage", "storage"], "--stage needs --profile", id="stage without a profile"),
        pytest.param(["--above", "8", "--until", "2022-11-09T00:00"], "no offset", id="until without a zone"),
        pytest.param(
            ["--above", "8", "--until", "2022-11-08T01:00Z"], "before the end", id="until within the log"
        ),
        pytest.param(["--mkt-energy", "0"], "kJ/mol", id="no energy"),
        pytest.param(["--max-gap", "0s"], "longer than nothing", id="no time"),
        pytest.param(["--valid", "60"], "write LOW..HIGH", id="one end of a range"),
        pytest.param(["--valid", "-40..warm"], "warm", id="a range without a number"),
        pytest.param(["--valid", "60..-40"], "nothing lies between", id="an empty range"),
        pytest.param(["--delimiter", "ab"], "single character", id="separator of two characters"),
        pytest.param(["--encoding", "klingon"], "encoding", id="unknown encoding"),
        pytest.param(["--unit", "R"], "no unit of temperature", id="unit of another time"),
        pytest.param(["--format", "yaml"], "yaml", id="unknown format"),
    ],
)
def test_usage(log: Path, arguments: Sequence[str], says: str) -> None:
    """A wrong command is 64 and never looks like a verdict; nothing is printed as a report."""
    status, out, err = run(log, *arguments)
    assert status == 64, out + err
    assert says in err
    assert out == ""


@pytest.mark.parametrize("path", ["no-such-file.csv", "."], ids=["missing", "a folder"])
def test_no_file(path: str, tmp_path: Path) -> None:
    """A file that is not there is a wrong command."""
    assert run(tmp_path / path)[0] == 64
    assert run()[0] == 64


def test_internal_error(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error of ours is 70 with its trace on standard error: 1 would say "outside"."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("of ours")

    monkeypatch.setattr("coldchain.cli.replay_command.replay_report", broken)
    status, out, err = run(log, "--above", "8")
    assert (status, out) == (70, "")
    assert "ZeroDivisionError" in err
    assert "nothing was judged" in err


def test_help() -> None:
    """Help shows lines that can be typed and what the exit statuses mean."""
    status, out, _ = run("--help")
    assert status == 0
    assert "coldchain replay shipment.csv --above 8 --below 2 --for 30m" in out
    assert "exit status" in out


def test_refusal_names_file_and_mend(tmp_path: Path) -> None:
    """A file that leaves its zone open is answered with the option that settles it, in text and in JSON."""
    path = tmp_path / "local.csv"
    path.write_text("time,temp °C\n2022-11-08 04:49,4.4\n2022-11-08 04:59,4.4\n", encoding="utf-8")
    status, out, _ = run(path, "--above", "8")
    assert status == 2
    assert "--tz" in out
    found = judged(path, "--above", "8")
    assert (found["from"], found["readings"], found["channels"]) == (None, 0, [])
    assert judged(path, "--above", "8", "--tz", "America/St_Johns")["from"] == "2022-11-08T04:49:00.000-03:30"


def test_profile_from_a_file(log: Path, tmp_path: Path) -> None:
    """A profile may be a site's own file."""
    shipped = (ROOT / "config" / "profiles" / "fridge-2-8-buffered.toml").read_text(encoding="utf-8")
    path = tmp_path / "own.toml"
    path.write_text(shipped.replace('"fridge-2-8-buffered"', '"own"'), encoding="utf-8")
    found = judged(log, "--profile", path)
    assert found["profile"]["id"] == "own"
    assert found["profile"]["approved"] is False
    assert all(alarm["unapproved"] for alarm in found["alarms"])


STAGES = """
id = "lane"
version = "1"
status = "unapproved"
title = "Two stages"
product_state = "refrigerated"

[stages.packed]
title = "Packed"

[stages.transit]
title = "In transit"

[rules.too-warm]
title = "Above 8 °C"
role = "air"
side = "above"
value = "8 °C"
hold = "10 min"
hold_source = "a test"
priority = "high"
fires = "on_reading"
advice = "Close the lid."
source = "a test"
confidence = "low"
"""


def test_profile_with_stages(log: Path, tmp_path: Path) -> None:
    """A profile with several stages needs one to be named; the only role of a stage needs no naming."""
    path = tmp_path / "lane.toml"
    path.write_text(STAGES, encoding="utf-8")
    status, _, err = run(log, "--profile", path)
    assert status == 64, err
    assert "packed, transit" in err
    found = judged(log, "--profile", path, "--stage", "transit")
    assert found["profile"]["stage"] == "transit"
    assert found["channels"][0]["role"] == "air"
    assert found["verdict"] == "outside"


BROKEN = "time,temp_c\n" + "".join(
    f"2022-11-08T{hour:02}:00Z,{value}\n" for hour, value in enumerate([5, 5, "OPEN", 120, 850, -300, 5])
)


@pytest.mark.parametrize(
    ("words", "bad", "extreme"),
    [
        pytest.param([], 3, 120.0, id="what platinum can show"),
        pytest.param(["--valid", "-40..60"], 4, None, id="what this probe can show"),
        pytest.param(["--valid", "-40 °F..140 °F"], 4, None, id="in another unit"),
        pytest.param(["--valid", "-200..1000"], 2, 850.0, id="a thermocouple"),
    ],
)
def test_what_the_probe_cannot_show_is_no_temperature(
    tmp_path: Path, words: list[str], bad: int, extreme: float | None
) -> None:
    """Beyond the range it is BAD, and makes and ends no excursion; a told range is in the report."""
    path = tmp_path / "broken.csv"
    path.write_text(BROKEN, encoding="utf-8")
    found = judged(path, "--above", "8", *words)
    (channel,) = found["channels"]
    assert (channel["bad"], channel["readings"]) == (bad, 7 - bad)
    assert [one["extreme"] for one in found["excursions"]] == ([] if extreme is None else [extreme])
    assert found["verdict"] == ("cannot_judge" if extreme is None else "outside")
    assert any("are believed from" in note for note in channel["notes"]) == bool(words)


def test_pipes(log: Path) -> None:
    """A log comes in by a pipe and a report leaves by one, closed early or not; the status is the verdict."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), LC_ALL="C.UTF-8")
    whole = subprocess.run(
        [*COMMAND, "-", "--above", "8"],
        input=log.read_bytes(),
        capture_output=True,
        env=environment,
        check=False,
    )
    assert whole.returncode == 1, whole.stderr
    assert b"standard input" in whole.stdout
    assert b"\x1b" not in whole.stdout
    reader, writer = os.pipe()
    os.close(reader)
    closed = subprocess.run(
        [*COMMAND, str(log), "--above", "8"],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment,
        check=False,
    )
    os.close(writer)
    assert (closed.returncode, closed.stderr) == (1, b"")


def test_plain_ascii_terminal(log: Path) -> None:
    """Where only ASCII can be written, the report still comes and the verdict stands."""
    environment = dict(os.environ, PYTHONPATH=str(ROOT), PYTHONIOENCODING="ascii")
    found = subprocess.run(
        [*COMMAND, str(log), "--above", "8"], capture_output=True, env=environment, check=False
    )
    assert found.returncode == 1, found.stderr
    assert b"OUTSIDE" in found.stdout
