"""Running checks: the fold that judges live judges here, and its words are held against what was expected."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from coldchain.cli.check_output import show
from coldchain.cli.main import main
from coldchain.reports import Verdict
from coldchain.testing.check_file import read_check
from coldchain.testing.checking import CaseResult, run
from coldchain.testing.record import CheckedBy, record, wrong
from tests.house.tree import ROOT

HEAD = """\
profile = "{profile}"
stage = "{stage}"
[channels.{role}]
interval = "1 min"
max_gap = "5 min"
"""
FRIDGE = HEAD.format(profile="fridge-2-8-buffered", stage="storage", role="product")
SHIPPER = HEAD.format(profile="msc-frozen-135", stage="transport", role="vapour")
BY = CheckedBy("1.2.3", "0123456789abcdef", 1_767_225_600_000)
param = pytest.param


def case(
    tmp_path: Path, head: str, series: str, *expect: str, verdict: str = "inside", more: str = ""
) -> CaseResult:
    """One case as it went."""
    lines = json.dumps(expect, ensure_ascii=False)
    text = f'{head}[[cases]]\nname = "it"\nseries = "{series}"\nexpect = {lines}\n'
    path = tmp_path / "check.toml"
    path.write_text(f'{text}verdict = "{verdict}"\n{more}', encoding="utf-8")
    (result,) = run(read_check(path), "e").cases
    return result


@pytest.mark.parametrize(
    ("series", "verdict"),
    [
        param("5 for 1h", Verdict.INSIDE, id="watched all the time"),
        param("9 for 1h", Verdict.OUTSIDE, id="a rule alarmed"),
        param("5 for 1h, gap 20m, 5 for 1h", Verdict.CANNOT_JUDGE, id="a gap could hide an alarm"),
        param("5 for 1h, bad for 20m, 5 for 1h", Verdict.CANNOT_JUDGE, id="so could a dead probe"),
        param("5 for 1h, ?5 for 20m, 5 for 1h", Verdict.CANNOT_JUDGE, id="UNCERTAIN inside is no evidence"),
        param("gap 1h, 5 for 1h", Verdict.CANNOT_JUDGE, id="nothing came at first"),
        param("5 for 1h, gap 1h", Verdict.CANNOT_JUDGE, id="nothing came at last"),
        param("bad for 1h", Verdict.CANNOT_JUDGE, id="no value at all"),
        param("9 for 1h, gap 1h", Verdict.OUTSIDE, id="no gap undoes an alarm"),
    ],
)
def test_verdict(tmp_path: Path, series: str, verdict: Verdict) -> None:
    """As a replay has it: what nobody watched is tried, not estimated."""
    assert case(tmp_path, FRIDGE, series).verdict is verdict


def test_a_short_gap_hides_nothing(tmp_path: Path) -> None:
    """A gap that no rule's hold fits into leaves the verdict inside: tried with a limit held for hours."""
    profile = (ROOT / "config/profiles/fridge-2-8-buffered.toml").read_text(encoding="utf-8")
    rules = profile.index("[rules.warming]")
    (tmp_path / "ours.toml").write_text(
        profile[:rules] + profile[profile.index("[rules.too-warm]") : profile.index("[rules.too-cold]")]
        .replace('"10 min"', '"10 h"'), encoding="utf-8",
    )  # fmt: skip
    head = FRIDGE.replace("fridge-2-8-buffered", "./ours.toml")
    assert case(tmp_path, head, "5 for 1h, gap 2h, 5 for 1h").verdict is Verdict.INSIDE


@pytest.mark.parametrize(
    ("series", "good_min", "product_min"),
    [
        param("5 for 60m", 60, 60, id="all of it"),
        param("5 for 30m, gap 30m, 5 for 60m", 94, 120, id="a reading counts for max_gap, here 5 min"),
        param("5 for 30m, bad for 30m, 5 for 60m", 90, 120, id="BAD ends what the last reading stood for"),
        param("5 for 30m, ?5 for 30m, 5 for 60m", 90, 120, id="UNCERTAIN is not GOOD"),
        param("gap 30m, 5 for 30m", 30, 60, id="the beginning counts"),
        param("5 for 30m, gap 30m", 34, 60, id="so does the end"),
    ],
)
def test_coverage(tmp_path: Path, series: str, good_min: int, product_min: int) -> None:
    """Minutes with GOOD readings over minutes of product."""
    covered = case(tmp_path, FRIDGE, series).roles["product"].coverage
    assert (covered.good_ms / 60_000, covered.product_ms / 60_000) == (good_min, product_min)
    assert covered.unmonitored_ms == covered.product_ms - covered.good_ms


def test_stages_have_rules_of_their_own(tmp_path: Path) -> None:
    """From the event on the next stage judges; the reading of that instant is judged by it already."""
    head = HEAD.format(profile="msc-beijing-2021", stage="transport", role="vapour")
    series = "-185 for 1h, -149 for 4m, -185 for 1h"
    head += "".join(
        f'\n[figures.{name}]\nvalue = "30 min"\nsource = "an example"\napproved_by = "nobody"\n'
        for name in ("fresh-longest", "thaw-longest")
    )
    inside = case(tmp_path, head, series, "any transport-time-too-warm", verdict="outside")
    assert inside.passed
    stored = case(
        tmp_path,
        head,
        series,
        "critical storage-too-warm at 1h2m",
        "any storage-time-too-warm",
        verdict="outside",
        more='events = ["at 1h stage storage"]\n',
    )
    assert stored.passed, list(wrong(stored))


def test_people_are_part_of_the_story(tmp_path: Path) -> None:
    """Alarms are acknowledged and reset as at a gateway; an acknowledgement covers what stands by then."""
    events = ["at 90m acknowledge vapour/too-warm", "at 3h reset vapour/too-warm"]
    result = case(
        tmp_path,
        SHIPPER,
        "-190 for 1h, -130 for 1h, -190 for 2h",
        "critical too-warm at 1h",
        "too-warm acknowledged at 1h30m",
        "too-warm returned at 2h",
        "too-warm reset at 3h",
        "any warming",
        "any time-too-warm",
        verdict="outside",
        more=f"events = {json.dumps(events)}\n",
    )
    assert result.passed, list(wrong(result))


def test_what_a_gateway_refuses_fails_the_case(tmp_path: Path) -> None:
    """A reset while the condition lasts is refused aloud there, and is no passing story here."""
    result = case(
        tmp_path,
        SHIPPER,
        "-190 for 1h, -130 for 1h",
        "any too-warm",
        "any warming",
        "any time-too-warm",
        verdict="outside",
        more='events = ["at 90m reset vapour/too-warm"]\n',
    )
    assert not result.passed
    assert [each.said.text for each in result.refused] == ["condition_lasts"]


def test_silence_is_watched_where_asked(tmp_path: Path) -> None:
    """With fresh_within a channel that falls silent alarms; without, it does not."""
    watched = FRIDGE + 'fresh_within = "10 min"\n'
    series = "5 for 1h, gap 1h, 5 for 10m"
    loud = case(
        tmp_path, watched, series, "high silence at 1h9m1ms", "silence returned at 2h", verdict="cannot_judge"
    )
    assert loud.passed, list(wrong(loud))
    assert case(tmp_path, FRIDGE, series, "nothing", verdict="cannot_judge").passed


def test_holds_run_on(tmp_path: Path) -> None:
    """`until` lets deadlines pass after the last reading."""
    head, series = SHIPPER.replace('"5 min"', '"1 h"'), "-190 for 1h, -130"
    figure = '[figures.critical_hold]\nvalue = "10 min"\nsource = "x"\napproved_by = "y"\n'
    assert (
        case(tmp_path, head + figure, series, "nothing", verdict="cannot_judge").verdict
        is not Verdict.OUTSIDE
    )
    later = case(
        tmp_path,
        head + figure,
        series,
        "critical too-warm at 1h10m",
        verdict="outside",
        more='until = "2 h"\n',
    )
    assert later.passed, list(wrong(later))


def test_other_quantities(tmp_path: Path) -> None:
    """A check of a mass is written in its unit and judged in its quantum."""
    (tmp_path / "mass.toml").write_text(
        """id = "mass"
version = "1"
status = "unapproved"
title = "A dewar by its mass"
product_state = "frozen"
[stages.storage]
title = "Storage"
[rules.empty]
title = "Nearly empty"
role = "mass"
side = "below"
value = "2.5 kg"
priority = "critical"
advice = "Refill."
source = "a test"
confidence = "none"
""",
        encoding="utf-8",
    )
    head = (
        HEAD.format(profile="./mass.toml", stage="storage", role="mass") + 'quantity = "mass"\nunit = "g"\n'
    )
    result = case(
        tmp_path, head, "5000 for 1h, ramp to 2000 over 100m", "critical empty at 2h24m", verdict="outside"
    )
    assert result.passed, list(wrong(result))


def test_equal_judgement_has_an_equal_hash(tmp_path: Path) -> None:
    """The hash of a time line depends on what was said and when after the start, and on nothing else."""
    first = case(tmp_path, FRIDGE, "5 for 1h, 9 for 1h")
    again = case(tmp_path, FRIDGE, "5 for 1h, 9 for 1h", "nothing", verdict="outside")
    other = case(tmp_path, FRIDGE, "5 for 1h, 9 for 61m")
    assert first.timeline_sha256 == again.timeline_sha256
    assert other.timeline_sha256 == first.timeline_sha256  # one more reading outside says nothing new
    assert case(tmp_path, FRIDGE, "5 for 2h, 9 for 1h").timeline_sha256 != first.timeline_sha256


# --- What is printed ----------------------------------------------------------------------------------------

FAILS = """\
profile = "fridge-2-8-buffered"
[channels.product]
interval = "1 min"
[[cases]]
name = "a warm hour"
series = "5 for 1h, 9 for 1h"
expect = ["nothing before 62m", "critical too-warm at 1h5m", "low warming at 1h5m"]
verdict = "inside"
[[cases]]
name = "a calm one"
series = "5 for 1h"
expect = ["nothing"]
verdict = "inside"
"""


def printed(path: Path, *, width: int = 120, colour: bool = False) -> str:
    """What a terminal, or a pipe, gets."""
    out = io.StringIO()
    colours: Any = "standard" if colour else None
    console = Console(file=out, width=width, force_terminal=colour, color_system=colours, highlight=False)
    show([run(read_check(path), "e")], BY, console)
    return out.getvalue()


def test_a_failure_shows_expected_beside_happened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A time line in order: what was to be said, what was said, and what is wrong with it."""
    monkeypatch.chdir(tmp_path)
    Path("check.toml").write_text(FAILS, encoding="utf-8")
    rows = [
        re.sub(r"\s{2,}", "  ", line).strip() for line in printed(Path("check.toml"), width=160).splitlines()
    ]
    assert rows[0] == "coldchain 1.2.3, engine 0123456789abcdef, checked at 2026-01-01 00:00:00 UTC"
    for row in (
        "✗  1h5m  critical too-warm at 1h5m  –  did not happen; it did at 1h10m",
        "✓  1h5m  low warming at 1h5m  low product/warming since 1h",
        "✗  1h10m  –  critical product/too-warm since 1h  not expected",
        "✗  verdict  inside  outside  warming, too-warm alarmed",
        "ok  a calm one  inside; 1h; watched: product 100 %",
        "2 cases in 1 file: 1 not as expected",
    ):
        assert row in rows, rows
    times = [row.split("  ")[1] for row in rows if row[:1] in ("✗", "✓") and "verdict" not in row]
    assert times == ["1h5m", "1h5m", "1h10m"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_s_width_is_kept(tmp_path: Path, width: int) -> None:
    """No line of a time line is wider than the terminal; the peak of the curve is there."""
    path = tmp_path / "check.toml"
    path.write_text(FAILS, encoding="utf-8")
    shown = printed(path, width=width)
    table = shown[shown.index("a warm hour") :].splitlines()[1:-4]
    assert max(map(len, table)) <= width
    assert "9.0 °C" in shown


def test_the_record(tmp_path: Path) -> None:
    """Versions, hashes and results; each thing that went wrong as a sentence."""
    path = tmp_path / "check.toml"
    path.write_text(FAILS, encoding="utf-8")
    made = json.loads(json.dumps(record([run(read_check(path), "e")], BY)))
    assert (made["coldchain"], made["engine"], made["passed"]) == ("1.2.3", "0123456789abcdef", False)
    assert made["checked_at"] == "2026-01-01T00:00:00.000+00:00"
    (file,) = made["files"]
    assert (file["profile"]["id"], file["profile"]["approved"]) == ("fridge-2-8-buffered", False)
    assert re.fullmatch(r"[0-9a-f]{64}", file["sha256"])
    failed, calm = file["cases"]
    assert calm["passed"] is True
    assert failed["wrong"] == [
        "at 1h5m: critical too-warm at 1h5m: did not happen; it did at 1h10m",
        "at 1h10m: critical product/too-warm since 1h: not expected",
        "verdict outside (warming, too-warm alarmed), expected inside",
    ]
    assert [each["rule"] for each in failed["announcements"]] == ["warming", "too-warm"]
    assert failed["channels"]["product"]["good_s"] == 7200.0


# --- The command, the shipped files, the paper --------------------------------------------------------------


def typed(*words: str) -> Result:
    """The command as it is typed."""
    return CliRunner().invoke(main, ["check", *words], prog_name="coldchain")


@pytest.mark.parametrize("path", sorted((ROOT / "config/checks").glob("*.toml")), ids=lambda path: path.stem)
def test_the_shipped_checks_pass(path: Path) -> None:
    """A shipped profile does what its check file says of it."""
    done = typed(str(path))
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize(
    ("text", "status"),
    [
        param(FAILS, 1, id="a case fails"),
        param(FAILS.replace('"inside"', '"insid"'), 2, id="a mistake in the file"),
        param(FAILS.replace("fridge-2", "frigde-2"), 2, id="no such profile"),
    ],
)
def test_exit_status(tmp_path: Path, text: str, status: int) -> None:
    """1: not as expected; 2: cannot be read, nothing validated."""
    path = tmp_path / "check.toml"
    path.write_text(text, encoding="utf-8")
    assert typed(str(path)).exit_code == status


def test_wrong_commands() -> None:
    """64 is for what was typed, as in a replay."""
    assert typed("no-such-file.toml").exit_code == 64
    assert typed().exit_code == 64
    fridge = str(ROOT / "config/checks/fridge-2-8-buffered.toml")
    assert typed(fridge, "--case", "no such case").exit_code == 64
    assert typed(fridge, "--case", "door", "--format", "json").exit_code == 0


def test_one_broken_file_validates_nothing(tmp_path: Path) -> None:
    """A record is of all files or of none."""
    path = tmp_path / "broken.toml"
    path.write_text("profile = 1\n", encoding="utf-8")
    done = typed(str(ROOT / "config/checks/fridge-2-8-buffered.toml"), str(path))
    assert done.exit_code == 2
    assert "nothing is validated" in done.stderr
    assert done.stdout == ""


def paper() -> list[tuple[str, str, str]]:
    """The examples of docs/check.md: what becomes of each, in which language, its text."""
    text = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    return re.findall(r"<!-- example: (\w+) -->\n```(toml|yaml)\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize(("becomes", "language", "text"), paper())
def test_the_paper_s_examples(tmp_path: Path, becomes: str, language: str, text: str) -> None:
    """What the paper shows can be typed, and does what it says."""
    path = tmp_path / f"check.{language}"
    path.write_text(text, encoding="utf-8")
    assert typed(str(path)).exit_code == {"passes": 0, "fails": 1}[becomes]


def test_the_paper_shows_what_is_printed(tmp_path: Path) -> None:
    """The failure in the paper is the one that is printed."""
    text = (ROOT / "docs/check.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- said of the example above -->\n```\n(.*?)```", text, re.DOTALL)
    assert shown is not None
    path = tmp_path / "check.toml"
    path.write_text(next(each for becomes, _, each in paper() if becomes == "fails"), encoding="utf-8")
    lines = [line.rstrip() for line in printed(path).splitlines()]
    begin = next(index for index, line in enumerate(lines) if "FAIL" in line)
    assert "\n".join(lines[begin:-2]).rstrip() == shown[1].rstrip()
