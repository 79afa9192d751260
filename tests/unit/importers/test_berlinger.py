"""Reports of Berlinger loggers: the log, the alarm slots, what the device decided, and damage."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers import LoggerFile, ReadAs, Refused, read
from coldchain.importers.berlinger_tree import tree
from coldchain.importers.stamps import epoch_ms
from coldchain.model import Side
from coldchain.plan import Budget, Crossing, Fires, Limit, Outside
from tests.data.berlinger.make_sample import report

SAMPLE = Path(__file__).parents[2] / "data" / "berlinger" / "qtag-clm-sample.txt"
TEXT = SAMPLE.read_bytes().decode()
ROW = "\t2023-03-07 06:52\t"


def parse(text: str, zone: object = UTC) -> LoggerFile:
    """Read a report whose clock stood in a zone."""
    return read("log.txt", text.encode(), ReadAs(zone=zone))  # type: ignore[arg-type]


def test_sample_is_what_its_model_writes() -> None:
    """The sample in the repository is the one that its script describes."""
    assert report() == TEXT


def test_log() -> None:
    """Every row is a value at its time; serial, energy and end of recording come from the file."""
    file = parse(TEXT)
    values = file.series[0].values
    assert len(values) == 91
    assert values[0].at_ms == epoch_ms(datetime(2023, 3, 7, 6, 12, tzinfo=UTC))
    assert values[0].raw == TEXT.split("Out of limits\r\n")[1].split("\t")[2]
    assert (file.serial, file.energy) == ("SAMPLE0001", Fraction(83))
    assert file.stopped_ms == epoch_ms(datetime(2023, 3, 7, 21, 20, tzinfo=UTC))
    assert file.unread == ()
    assert file.doubts == ()


def test_slots() -> None:
    """Slots become limits: by type single or cumulative, cold or hot; an empty slot becomes none."""
    rules = {rule.id: rule for rule in parse(TEXT).rules}
    assert list(rules) == ["slot-1", "slot-2", "slot-4", "slot-5"]
    hot, hot_sum, cold_sum, cold = rules.values()
    assert isinstance(hot, Limit)
    assert isinstance(hot_sum, Budget)
    assert isinstance(cold_sum, Budget)
    assert isinstance(cold, Limit)
    assert (hot.side, hot.limit, hot.hold_ms) == (Side.ABOVE, 8000, 30 * 60_000)
    assert (hot_sum.side, hot_sum.limit, hot_sum.allowance_ms) == (Side.ABOVE, 8000, 60 * 60_000)
    assert (cold_sum.side, cold_sum.limit, cold_sum.allowance_ms) == (Side.BELOW, 2000, 60 * 60_000)
    assert (cold.side, cold.limit, cold.hold_ms) == (Side.BELOW, 2000, 30 * 60_000)
    assert {rule.outside for rule in rules.values()} == {Outside.BEYOND}
    assert {hot_sum.exceeded, cold_sum.exceeded} == {Outside.AT_OR_BEYOND}
    assert {rule.fires for rule in rules.values()} == {Fires.ON_READING}
    assert {rule.crossing for rule in rules.values()} == {Crossing.LINEAR}
    assert all("SAMPLE0001" in rule.cited.source and "line" in rule.cited.source for rule in rules.values())


def test_claims() -> None:
    """What the device itself decided is kept beside, by slot."""
    assert [rule for rule, _ in parse(TEXT).claims] == ["slot-1", "slot-2", "slot-4", "slot-5"]


def test_zone_is_shown_not_trusted() -> None:
    """The file's `Zone` is told to the reader and moves no time; without a zone of ours it is refused."""
    file = parse(TEXT, ZoneInfo("Europe/Zurich"))
    assert file.series[0].values[0].at_ms == epoch_ms(datetime(2023, 3, 7, 5, 12, tzinfo=UTC))
    assert any("'Zone: 1.00'" in note for note in file.notes)
    with pytest.raises(Refused, match=r"'Zone: 1.00'.*--tz"):
        parse(TEXT, None)


def test_daily_figures_are_refused() -> None:
    """A Fridge-tag 2 holds no log, so its report is recognised and refused with the reason."""
    text = "Device: Q-tag Fridge-tag 2\nVers: 0.5\nConf:\n Serial: 1\nHist:\n 1:\n  Min T: +2.0\nSig: 0\n"
    with pytest.raises(Refused, match="daily figures and no log"):
        parse(text)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("Data:", "Dada:", "no section 'Data'", id="no log"),
        pytest.param("Conf:", "Konf:", "no section 'Conf'", id="no configuration"),
        pytest.param(
            "Type: 2, T AL: 8.0, t AL: 30", "Type: 2, T AL: 8.x, t AL: 30", "'T AL': '8.x'", id="limit"
        ),
        pytest.param("Type: 2, T AL: 8.0, t AL: 30", "Type: 2, T AL: 8.0", "'t AL'", id="minutes missing"),
        pytest.param("\tT\tOut of limits", "\tT1\tT2", "only yyyy-MM-dd", id="other columns"),
    ],
)
def test_refused(old: str, new: str, problem: str) -> None:
    """A report whose log or limits cannot be read for certain is refused with the place."""
    assert old in TEXT
    with pytest.raises(Refused) as refused:
        parse(TEXT.replace(old, new))
    assert problem in str(refused.value)


@pytest.mark.parametrize(
    ("old", "new", "doubt"),
    [
        pytest.param("Type: 2,", "Type: 7,", "unknown type '7'", id="an unknown type of slot"),
        pytest.param(
            "\r\n  2:\r\n", "\r\n  2\r\n", "could not be read and may", id="a damaged heading of a slot"
        ),
        pytest.param("\r\n  2:\r\n", "\r\n", "has two types", id="a lost heading of a slot"),
        pytest.param("\r\n  2:\r\n", "\r\n 2:\r\n", "outside an alarm slot", id="a slot beside the alarms"),
        pytest.param("Sig: 00\r\n", "", "before its signature", id="the end is missing"),
        pytest.param(
            "T AL: 8.0, t AL: 30", "T AL: 5.0, t AL: 30", "marked otherwise", id="marks of other limits"
        ),
    ],
)
def test_doubts(old: str, new: str, doubt: str) -> None:
    """What could hide an alarm is a doubt that stands against "inside"."""
    assert any(doubt in said for said in parse(TEXT.replace(old, new, 1)).doubts)


@pytest.mark.parametrize(
    "damaged",
    [
        pytest.param("\t2023-03-07 06:52\t4", id="cut"),
        pytest.param("\t2023-03-07 06:52\t4.x\t\t", id="damaged number"),
        pytest.param("\t2023-03-0x 06:52\t4.9\t\t", id="damaged time"),
        pytest.param("2023-03-07 06:52 4.9", id="tabs lost"),
        pytest.param("Sig: 06:52 4.9", id="resembling another section"),
        pytest.param(" deep: 4.9", id="resembling a value"),
    ],
)
def test_damaged_row(damaged: str) -> None:
    """A damaged row is listed and missed; the rows behind it are read."""
    start = TEXT.index(ROW)
    end = TEXT.index("\r\n", start)
    file = parse(TEXT[:start] + damaged + TEXT[end:])
    assert len(file.series[0].values) == 91
    assert [value.line for value in file.series[0].values if value.bad] == [
        unread.line for unread in file.unread
    ]
    (unread,) = file.unread
    assert unread.line == TEXT[:start].count("\n") + 1


def test_free_text_with_commas_and_colons() -> None:
    """What people type is no key of ours."""
    root, odd = tree(["Conf:", " User String 1: a, T AL: 9.0, b: c", " Serial: 1"])
    conf = root.section("Conf")
    assert conf is not None
    assert (conf.get("User String 1"), conf.get("T AL"), conf.get("Serial")) == (
        "a, T AL: 9.0, b: c",
        None,
        "1",
    )
    assert odd == []


@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    """Whatever is overwritten, every line of the log that is intact is read or the file is refused."""
    start = data.draw(st.integers(0, len(TEXT) - 1))
    end = data.draw(st.integers(start, min(len(TEXT), start + 60)))
    damaged = TEXT[:start] + data.draw(st.text(st.characters(codec="ascii"), max_size=40)) + TEXT[end:]
    try:
        file = parse(damaged)
    except Refused:
        return
    log = TEXT.split("Out of limits\r\n")[1].split("Cert:")[0]
    lines = set(damaged.split("\r\n"))
    intact = [row.split("\t")[1:3] for row in log.split("\r\n") if row and row in lines]
    found = {(value.at_ms, value.raw) for series in file.series for value in series.values}
    if file.kind.startswith("Q-tag"):
        for stamp, raw in intact:
            assert (epoch_ms(datetime.fromisoformat(stamp).replace(tzinfo=UTC)), raw) in found
