"""Why an alarm: what was true, what was said and who was told, from a journal and nothing else."""

from __future__ import annotations

import io
import json
import xml.etree.ElementTree as ET
from datetime import UTC
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from coldchain.announcements import Kind, Late
from coldchain.cli.main import main
from coldchain.facts import Acknowledged, ConsignmentStarted, ExcursionResolved, Reading
from coldchain.journal import Reader
from coldchain.model import Quality, Reason, Side
from coldchain.pipeline.verify import verify
from coldchain.plan import CalibrationPoint, Fires, Rule
from coldchain.reports.asking_why import why
from coldchain.reports.picture import draw
from coldchain.reports.why import Answer, Unknown, calibrated
from coldchain.reports.why_json import as_object
from coldchain.reports.why_text import show
from coldchain.reports.why_words import picture_of
from tests.unit.fold.bench import MIN, T0, budget, channel, limit, plan
from tests.unit.reports.recorded import Recorded

ABOVE = "box/vapour/above"
param = pytest.param


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Where the journal of a test lies."""
    return tmp_path / "journal.db"


def record(path: Path, given: str, *rules: Rule, told: str = "200 OK", **more: Any) -> Recorded:
    """A journal of one series judged by these rules, and closed; the room is told a second after the end."""
    made = Recorded(path, plan(*(rules or (limit(),)), channels=(channel(**more),)))
    made.series(given)
    if told:
        made.tell(told, made.fold.arrival_ms + 1000)
    made.close()
    return made


def ask(path: Path, asked: str = ABOVE, occurrence: int | None = None, engine: str = "e1") -> Answer:
    """The answer."""
    with Reader.open(path) as reader:
        return why(reader, engine, asked, UTC, occurrence)


def steps(answer: Answer) -> list[str]:
    """The rule's states as "what@minute"."""
    return [f"{step.what}@{(step.at_ms - T0) / MIN:g}" for step in answer.why.steps]


@pytest.mark.parametrize(
    ("given", "says"),
    [
        param(
            "-160x5 -149x20 -160x5",
            ["opened@5", "extreme@5", "due@15", "triggered@15", "ended@25", "returned@25"],
            id="to its end",
        ),
        param("-160x5 -149x20", ["opened@5", "extreme@5", "due@15", "triggered@15"], id="it lasts"),
        param(
            "-160x5 -149x10 -145 -149x3 -160",
            ["opened@5", "extreme@15", "due@15", "triggered@15", "ended@19", "returned@19"],
            id="its extreme later",
        ),
    ],
)
def test_the_rule_s_state_over_time(journal: Path, given: str, says: list[str]) -> None:
    """Opened, held, certain, furthest, ended, returned, each at its own time."""
    record(journal, given)
    assert steps(ask(journal)) == says


def test_a_hold_that_was_not_fulfilled(journal: Path) -> None:
    """An excursion that never alarmed can be asked for by its name; nothing was announced."""
    record(journal, "-160x5 -149x5 -160x5")
    answer = ask(journal, f"{ABOVE}#1")
    assert steps(answer) == ["opened@5", "extreme@5", "ended@10"]
    assert answer.why.spoken == ()
    assert answer.why.receipts == ()


def test_a_hold_that_runs(journal: Path) -> None:
    """It says when the hold will be over."""
    record(journal, "-160x5 -149x5")
    assert steps(ask(journal, f"{ABOVE}#1")) == ["opened@5", "extreme@5", "pending@15"]


def test_off_delay_and_budget(journal: Path) -> None:
    """The alarm's condition lasts longer than the excursion; a budget says when it was exceeded."""
    record(
        journal,
        "-160 -149x20 -160x10",
        limit(off_delay_ms=5 * MIN),
        budget(allowance_min=3, fires=Fires.ON_READING),
    )
    assert steps(ask(journal))[-2:] == ["ended@21", "returned@26"]
    spent = ask(journal, "box/vapour/budget")
    assert steps(spent) == ["opened@1", "extreme@1", "triggered@5"]
    assert spent.why.interval is not None
    assert spent.why.interval.outside_ms == 20 * MIN


def test_where_the_limit_comes_from(journal: Path) -> None:
    """Rule, source, profile with version and hash, and the product it judged."""
    made = Recorded(journal, plan(limit(title="Too warm")))
    made.add(ConsignmentStarted("C-1", "box", "test", "transport", T0, (), made.text("wang")), T0)
    made.series("-160 -149x20")
    made.close()
    found = ask(journal).why
    assert found.segment is not None
    assert (found.segment.profile, found.segment.version, found.segment.scope) == ("test", "1", "C-1")
    assert found.profile_sha256 == "0" * 64
    assert found.rule is not None
    assert found.rule.cited.source == "test"


def test_raw_and_judged_values_with_the_calibration_between(journal: Path) -> None:
    """What was sent, what the certificate makes of it, what was judged; and the certificate itself."""
    record(journal, "-160 -149x20 bad:sensor_open ?-149.5", calibration=(CalibrationPoint(-150_000, 400),))
    found = ask(journal).why
    assert found.channel is not None
    first, outside = found.readings[0], found.readings[1]
    assert (outside.raw, outside.unit, outside.before, outside.value) == ("-149", "degC", -149_000, -148_600)
    assert calibrated(found.channel, outside) == -148_600
    assert first.value == -159_600
    bad, doubtful = found.readings[-2:]
    assert (bad.raw, bad.value, bad.quality, bad.reason) == ("", None, Quality.BAD, Reason.SENSOR_OPEN)
    assert (doubtful.value, doubtful.quality) == (-149_100, Quality.UNCERTAIN)
    certificate = found.certificate
    assert certificate is not None
    assert (certificate.certificate, certificate.due, certificate.uncertainty) == (
        "2026-0114",
        "2027-01-31",
        "0.3 °C",
    )


def test_what_was_said_and_who_was_told(journal: Path) -> None:
    """The occurrence's announcements with names in plain words, and each receipt with its time."""
    made = Recorded(journal, plan(limit()))
    made.series("-160x5 -149x20")
    made.tell("200 OK", T0 + 30 * MIN)
    made.add(Acknowledged(ABOVE, (1,), made.text("wang"), made.text("refilling now")), T0 + 31 * MIN)
    made.series("-160x2", T0 + 32 * MIN)
    made.close()
    found = ask(journal).why
    assert [one.said.kind for one in found.spoken] == [
        Kind.RAISED,
        Kind.ACKNOWLEDGED,
        Kind.EXCURSION_ENDED,
        Kind.RETURNED,
    ]
    assert (found.spoken[1].who, found.spoken[1].comment) == ("wang", "refilling now")
    (receipt,) = found.receipts
    assert (receipt.sink, receipt.state, receipt.at_ms, receipt.detail) == (
        "room",
        "told",
        T0 + 30 * MIN,
        "200 OK",
    )


def test_nobody_was_told_yet(journal: Path) -> None:
    """A notice that waits is shown as waiting."""
    record(journal, "-160 -149x20", told="")
    (receipt,) = ask(journal).why.receipts
    assert (receipt.state, receipt.at_ms) == ("waiting", None)


def test_given_back(journal: Path) -> None:
    """Of a resolved excursion: by whom and why; of a budget: what that made of it."""
    made = Recorded(journal, plan(limit(hold_ms=0), budget(allowance_min=5, fires=Fires.ON_READING)))
    made.series("-160 -149x8 -160x3")
    who, comment = made.text("wang"), made.text("study 12 covers it")
    made.add(ExcursionResolved(f"{ABOVE}#1", T0 + MIN, T0 + 9 * MIN, who, comment))
    made.close()
    own = ask(journal, f"{ABOVE}#1")
    (given,) = own.why.resolved
    assert (given.who, given.comment, given.to_ms - given.from_ms) == ("wang", "study 12 covers it", 8 * MIN)
    said = " ".join(text(own, 400).split())
    assert 'resolved by wang at 2023-11-14 22:24:20: "study 12 covers it"' in said
    assert "budget: 8 min spent before, 0 s now" in said
    spent = ask(journal, "box/vapour/budget")
    assert [one.said.kind for one in spent.why.spoken][-2:] == [Kind.NOT_CONFIRMED, Kind.RETURNED]
    assert as_object(own)["resolved"][0]["by"] == "wang"
    bars = draw(picture_of(own, "coldchain"))
    assert ">resolved<" in bars


def test_found_late(journal: Path) -> None:
    """A late announcement says why it was late."""
    made = Recorded(journal, plan(limit(fires=Fires.ON_READING)))
    made.series("-160x5 _x35 -160")
    made.series("-149x12", T0 + 10 * MIN, delay_ms=40 * MIN)
    made.close()
    answer = ask(journal)
    raised = next(one for one in answer.why.spoken if one.said.kind is Kind.RAISED)
    assert raised.said.late is Late.FOUND_LATE
    assert "found late" in text(answer)


def test_occurrences_are_asked_for_by_number(journal: Path) -> None:
    """The newest by default; another by its number; only its own announcements are shown."""
    record(journal, "-160 -149x12 -160 -149x12 -160")
    first, newest = ask(journal, occurrence=1), ask(journal)
    assert (first.why.excursion, newest.why.excursion) == (f"{ABOVE}#1", f"{ABOVE}#2")
    assert {one.said.excursion for one in newest.why.spoken if one.said.excursion} == {f"{ABOVE}#2"}
    assert ask(journal, f"{ABOVE}#1").why.occurrence == 1


@pytest.mark.parametrize(
    ("asked", "occurrence", "near"),
    [
        param("vapour/above", None, ABOVE, id="a part of the name"),
        param("box-8/vapour/above", None, ABOVE, id="another box"),
        param("nothing", None, ABOVE, id="nothing like it: all there are"),
        param(ABOVE, 7, "-n 1", id="no such occurrence"),
    ],
)
def test_an_unknown_name(journal: Path, asked: str, occurrence: int | None, near: str) -> None:
    """What may have been meant is named."""
    record(journal, "-160 -149x12")
    with pytest.raises(Unknown) as unknown:
        ask(journal, asked, occurrence)
    assert near in unknown.value.near


def test_silence_is_no_limit_and_still_answered(journal: Path) -> None:
    """An alarm without a rule has readings, announcements and receipts, and no limit."""
    made = Recorded(journal, plan(limit(), channels=(channel(fresh_within_ms=10 * MIN),)))
    made.series("-160x5")
    made.run(T0 + 60 * MIN)
    made.close()
    answer = ask(journal, "port:log")
    assert answer.why.rule is None
    assert [one.said.kind for one in answer.why.spoken] == [Kind.RAISED]
    assert answer.why.readings == ()
    assert "port:log" in text(answer)
    assert as_object(answer)["limit"] is None


def test_coverage(journal: Path) -> None:
    """How much of the product's time was watched, up to the newest reading."""
    record(journal, "-160x10 _x40 -149x20", max_gap_ms=5 * MIN)
    covered = ask(journal).why.coverage
    assert covered is not None
    assert (covered.good_ms, covered.product_ms) == (33 * MIN, 69 * MIN)


def test_asking_changes_nothing(journal: Path) -> None:
    """The file is the same to the byte, and its chain is sound."""
    record(journal, "-160 -149x20")
    before = journal.read_bytes()
    ask(journal)
    assert journal.read_bytes() == before
    with Reader.open(journal) as reader:
        assert verify(reader, "e1").sound


def test_beside_a_running_daemon(journal: Path) -> None:
    """A journal that is open for writing is read as far as it is committed."""
    made = Recorded(journal, plan(limit()))
    made.series("-160 -149x20")
    assert ask(journal).why.interval is not None
    made.series("-160x2", T0 + 21 * MIN)
    assert steps(ask(journal))[-1] == "returned@21"
    made.close()


def test_another_engine_is_said(journal: Path) -> None:
    """What was announced is another version's; that is said."""
    record(journal, "-160 -149x20")
    answer = ask(journal, engine="e2")
    assert answer.why.other_engine
    assert "another version of the program" in " ".join(text(answer).split())
    assert [one.said.kind for one in answer.why.spoken] == [Kind.RAISED]


def test_a_source_without_a_clock(journal: Path) -> None:
    """Its times are journal time, told as UTC by our own mapping."""
    made = Recorded(journal, plan(limit(), sends_time=False))
    for minute in range(20):
        at_ms = T0 + minute * MIN
        made.run(at_ms - 1)
        made.add(Reading("log", "box.vapour", "-149", "degC", stamp_ms=at_ms), at_ms)
    made.close()
    answer = ask(journal)
    assert answer.journal_axis
    assert as_object(answer)["interval"]["start"] == "2023-11-14T22:13:20.000+00:00"


# --- How it is shown


def text(answer: Answer, width: int = 140) -> str:
    """As a pipe gets it."""
    out = io.StringIO()
    show(answer, Console(file=out, width=width, highlight=False))
    return out.getvalue()


@pytest.fixture
def answer(journal: Path) -> Answer:
    """A whole story."""
    rules = (limit(title="Too warm"), limit("cold", -190, side=Side.BELOW))
    probe = channel(calibration=(CalibrationPoint(-150_000, 400),))
    made = Recorded(journal, plan(*rules, channels=(probe,)))
    made.series("-160x20 -149x20 bad:sensor_open -149x3 -160x5")
    made.tell("200 OK", T0 + 50 * MIN)
    made.close()
    with Reader.open(journal) as reader:
        return why(reader, "e1", ABOVE, ZoneInfo("Asia/Shanghai"))


GOLDEN = Path(__file__).parent / "golden"


def test_the_golden_answer(answer: Answer) -> None:
    """What a terminal shows, to the letter. After a change that is meant: read it, then keep it."""
    lines = [line.rstrip() for line in text(answer).splitlines()]
    assert "\n".join(lines) + "\n" == (GOLDEN / "why.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_terminal_s_width_is_kept(answer: Answer, width: int) -> None:
    """No line is wider than the terminal."""
    assert max(map(len, text(answer, width).splitlines())) <= width


def test_json(answer: Answer) -> None:
    """One object with the promised keys; times with their offset, values in the quantity's unit."""
    made = json.loads(json.dumps(as_object(answer)))
    assert list(made) == [
        "alarm", "excursion", "occurrence", "place", "priority", "confirmed", "simulated", "unapproved",
        "limit", "channel", "interval", "resolved", "steps", "announcements", "told", "coverage", "readings",
        "engine", "other_engine", "clock_known",
    ]  # fmt: skip
    assert made["limit"]["condition"] == "above −150.0 °C for 10 min"
    assert made["interval"]["start"] == "2023-11-15T06:33:20.000+08:00"
    assert made["steps"][0] == {"at": "2023-11-15T06:33:20.000+08:00", "what": "opened", "value": None}
    assert made["told"][0]["state"] == "told"
    bad = next(read for read in made["readings"] if read["quality"] == "bad")
    assert (bad["judged"], bad["raw"], bad["reason"]) == (None, None, "sensor_open")


def test_the_picture(answer: Answer) -> None:
    """The excursion, both limits, the alarm and the missing value are in it."""
    root = ET.fromstring(draw(picture_of(answer, "coldchain 1.2.3")))
    said = " ".join(node.text or "" for node in root.iter("{http://www.w3.org/2000/svg}text"))
    for words in (ABOVE, "above −150.0 °C for 10 min", "below −190.0 °C", "raised, occurrence 1"):
        assert words in said, words
    assert "reading without a value" in said


def typed(*words: str) -> Result:
    """The command as it is typed."""
    return CliRunner().invoke(main, ["why", *words], prog_name="coldchain")


def test_the_command(tmp_path: Path, journal: Path, answer: Answer) -> None:
    """By configuration or by journal; zone of the site, or as told; a picture into a file."""
    config = tmp_path / "gateway.toml"
    site = '[site]\nname = "x"\ntime_zone = "Europe/Zurich"\n'
    config.write_text(f'{site}[journal]\npath = "{journal.name}"\n[rubbish]\n', encoding="utf-8")
    by_config = typed(ABOVE, "--config", str(config))
    assert by_config.exit_code == 0, by_config.output
    assert "Europe/Zurich" in by_config.stdout
    assert "2023-11-14 23:33:20" in by_config.stdout
    by_journal = typed(
        ABOVE, "--journal", str(journal), "--tz", "Asia/Shanghai", "--svg", str(tmp_path / "w.svg")
    )
    assert by_journal.exit_code == 0, by_journal.output
    assert "2023-11-15 06:33:20" in by_journal.stdout
    assert (tmp_path / "w.svg").read_text(encoding="utf-8").startswith("<svg")
    made = json.loads(typed(ABOVE, "--journal", str(journal), "--format", "json").stdout)
    assert made["alarm"] == ABOVE


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        param(["nothing", "--journal", "JOURNAL"], 1, f"there are: {ABOVE}", id="no such alarm"),
        param([ABOVE, "-n", "9", "--journal", "JOURNAL"], 1, "there are: -n 1", id="no such occurrence"),
        param(
            [ABOVE, "--config", "no-such.toml"], 1, "name the gateway's configuration", id="no configuration"
        ),
        param([ABOVE, "--journal", "TEXT"], 1, "not an SQLite database", id="no journal"),
        param(
            [ABOVE, "--journal", "JOURNAL", "--svg", "w.pdf"], 2, "neither in .svg nor in .png", id="a PDF"
        ),
    ],
)
def test_what_goes_wrong(
    tmp_path: Path, journal: Path, answer: Answer, words: list[str], status: int, says: str
) -> None:
    """Each mistake is said with what to do."""
    other = tmp_path / "text"
    other.write_text("no database " * 100, encoding="utf-8")
    named = {"JOURNAL": str(journal), "TEXT": str(other)}
    done = typed(*(named.get(word, word) for word in words))
    assert done.exit_code == status
    assert says in " ".join(done.stderr.split())
