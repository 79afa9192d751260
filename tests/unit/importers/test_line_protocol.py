"""InfluxDB line protocol as a log: points become series, and what is no point is named with its line."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.evidence.readings import QUALITIES
from coldchain.importers import LoggerFile, ReadAs, Refused, own_points, read
from coldchain.importers.line_protocol import is_line_protocol
from coldchain.model import Reason
from coldchain.sinks.points import QUALITY_NUMBERS

#: 2022-11-08T04:49:00Z, by hand: 1667882940 s.
NS = 1_667_882_940_000_000_000
STEP = 600 * 10**9


def parse(text: str, **told: Any) -> LoggerFile:
    """A file as read."""
    return read("log.lp", text.encode(), ReadAs(**told))


def values(file: LoggerFile, series: int = 0) -> list[tuple[int, str]]:
    """(minutes after the first time, number or reason) of a series."""
    return [((v.at_ms - NS // 10**6) // 60_000, v.raw or str(v.bad)) for v in file.series[series].values]


def test_points_with_tags_are_series_of_their_own() -> None:
    """Two boxes in one file are two series; strings and other quantities are no temperature."""
    file = parse(
        "# exported by hand\n"
        f'climate,box=7 temp_c=4.4,humidity=50i,state="door, open" {NS}\n'
        f"climate,box=8 temp_c=-150.25 {NS}\n"
        f"climate,box=7 temp_c=3 {NS + STEP}\n"
        f"load,host=probe1 cpu=0.5 {NS}\n"
    )
    assert [(series.title, series.unit) for series in file.series] == [
        ("climate,box=7 temp_c", "degC"), ("climate,box=8 temp_c", "degC"),
    ]  # fmt: skip
    assert values(file) == [(0, "4.4"), (10, "3")]
    assert values(file, 1) == [(0, "-150.25")]
    assert "not judged: 'load,host=probe1'" in file.notes
    assert (file.kind, file.unread) == ("InfluxDB line protocol", ())


@pytest.mark.parametrize("divisor", [1, 10**3, 10**6, 10**9], ids=["ns", "us", "ms", "s"])
def test_the_unit_of_its_times_follows_from_their_size(divisor: int) -> None:
    """Nano-, micro-, milliseconds and seconds since 1970 are told apart; no zone is asked."""
    file = parse(f"t temp_c=4.4 {NS // divisor}\nt temp_c=4.5 {(NS + STEP) // divisor}\n")
    assert values(file) == [(0, "4.4"), (10, "4.5")]


@pytest.mark.parametrize(
    ("point", "unit"),
    [
        pytest.param("temperature,unit=degC value=4", "degC", id="a tag"),
        pytest.param("temperature,unit=°F value=40i", "degF", id="a tag with its sign"),
        pytest.param("air,room=a\\ b temp_f=40u", "degF", id="the field's name"),
    ],
)
def test_the_unit_is_read_where_it_stands(point: str, unit: str) -> None:
    """A tag `unit`, or the field's own name."""
    assert parse(f"{point} {NS}\n").series[0].unit == unit


def test_a_unit_that_stands_nowhere_is_asked() -> None:
    """The protocol has none."""
    with pytest.raises(Refused, match="states no unit"):
        parse(f"temperature value=4 {NS}\n")
    assert parse(f"temperature value=4 {NS}\n", unit="K").series[0].unit == "K"


def test_fields_that_speak_of_nothing_are_asked() -> None:
    """A field called `v` may be anything: those that are there are listed, and one is taken if named."""
    text = f"box,n=7 v=4.4,w=2 {NS}\n"
    with pytest.raises(Refused, match="--column; there are 'box,n=7 v', 'box,n=7 w'"):
        parse(text, unit="degC")
    file = parse(text, unit="degC", columns=("n=7 v",))
    assert (file.series[0].title, values(file)) == ("box,n=7 v", [(0, "4.4")])


@pytest.mark.parametrize(
    ("line", "why"),
    [
        pytest.param("t temp_c=4.4", "has no time", id="no time"),
        pytest.param(f"t temp_c=4.4 {NS}"[:-2], "has no time", id="cut in its time"),
        pytest.param("t temp_c=4.4 17", "has no time", id="a time of 1970"),
        pytest.param(f"t temp_c= {NS}", "is no point", id="no value"),
        pytest.param(f't temp_c="4.4 {NS}', "is no point", id="a quotation mark left open"),
        pytest.param("2022-11-08T04:49Z,4.4", "is no point", id="another form"),
    ],
)
def test_a_line_that_is_no_point_is_named(line: str, why: str) -> None:
    """It has its number and its reason, and where it stood nobody watched."""
    file = parse(f"t temp_c=4.4 {NS}\n{line}\nt temp_c=4.5 {NS + 2 * STEP}\n")
    (unread,) = file.unread
    assert unread.line == 2
    assert why in unread.why
    assert [value.bad for value in file.series[0].values] == [None, Reason.BAD_TIME, None] or [
        value.bad for value in file.series[0].values
    ] == [None, Reason.CORRUPT_FRAME, None]


def test_a_text_in_place_of_a_number_is_bad() -> None:
    """A field that is a text for once is no reading, and says so."""
    file = parse(f't temp_c=4.4 {NS}\nt temp_c="open" {NS + STEP}\n')
    assert values(file) == [(0, "4.4"), (10, "sensor_open")]


def test_what_our_own_series_marks_as_simulated_stays_so() -> None:
    """A tag says that nobody measured it."""
    assert parse(f"t,simulated=yes temp_c=4 {NS}\n").simulated
    assert not parse(f"t,simulated=no temp_c=4 {NS}\n").simulated


def test_a_csv_is_no_line_protocol() -> None:
    """Separated values keep their own reader."""
    assert not is_line_protocol(["time,temp_c", "2022-11-08T04:49:00Z,4.4"])
    assert not is_line_protocol(["1667882940,4.4"])


_TEXT = st.text("ab ,=é7", min_size=1, max_size=6)


@given(_TEXT, _TEXT, st.decimals(-200, 50, places=3))
def test_what_the_client_library_writes_is_read(measurement: str, tag: str, number: Any) -> None:
    """Names with blanks, commas and equal signs come back as they were, whatever their escapes."""
    influxdb_client = pytest.importorskip("influxdb_client")
    point = influxdb_client.Point(measurement).tag("box", tag).field("temp_c", float(number)).time(NS)
    line = point.to_line_protocol()
    (series,) = parse(line + "\n").series
    assert series.title == f"{measurement},box={tag} temp_c"
    assert float(series.values[0].raw) == float(number)


# --- Our own points -----------------------------------------------------------------------------------------

OURS = "asset=box,channel=b.v,origin=device,role=vapour,simulated=false,site=Bank\\ 3,source=log"
POINTS = f"""\
process,site=Bank\\ 3 started=1 1667882939000
temperature,{OURS} quality=2,value=-158.85 1667882940000
temperature,{OURS} quality=0 1667883540000
not_good,{OURS},reason=sensor_open count=1 1667883540000
temperature,{OURS} quality=1,value=-149 1667884140000
not_good,{OURS},reason=unstable count=1 1667884140000
alarm,alarm=box/vapour/above,priority=critical,simulated=false,site=Bank\\ 3 state=1 1667884140000
"""
SAID = [("-158.850", None, None), ("", Reason.SENSOR_OPEN, None), ("-149.000", None, Reason.UNSTABLE)]


def said(file: LoggerFile) -> list[tuple[str, Reason | None, Reason | None]]:
    """Value, why there is none, why it is doubtful, of the only series."""
    (series,) = file.series
    assert (series.title, series.role, series.unit) == ("box/vapour", "vapour", "degC")
    return [(value.raw, value.bad, value.doubt) for value in series.values]


def test_our_own_points_need_nothing_told() -> None:
    """Place, unit, quality and reason stand in them; what is no reading is named and left out."""
    file = parse(POINTS)
    assert said(file) == SAID
    assert [value.at_ms for value in file.series[0].values] == [NS // 10**6 + n * 600_000 for n in range(3)]
    assert file.notes == ("no readings: 1 points of alarm", "no readings: 1 points of process")
    assert not file.simulated
    assert parse(POINTS.replace("simulated=false", "simulated=true")).simulated


def test_as_a_database_writes_them() -> None:
    """Sorted by series and field, each field a line, in nanoseconds: the same readings, a repeat once."""
    lines = []
    for line in POINTS.splitlines():
        series, fields, at = line.replace("Bank\\ 3", "Bank-3").split(" ")
        lines += [f"{series} {field} {at}000000" for field in fields.split(",")]
    assert said(parse("\n".join([*sorted(lines), lines[1], ""]))) == SAID


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        pytest.param("quality=0", "quality=7", "quality '7' is not known", id="no such quality"),
        pytest.param("quality=0", 'quality="bad"', "holds what is no number", id="a text"),
        pytest.param("quality=0", "value=-3", "quality '' is not known", id="no quality"),
        pytest.param("quality=0", "quality=0,value=-3", "does not go with", id="BAD and a value"),
        pytest.param("quality=0 ", "quality= ", "is no point", id="cut"),
    ],
)
def test_a_damaged_point_of_ours_is_missing(old: str, new: str, why: str) -> None:
    """It is named with its line, and the reading that it may have been is BAD, not left out."""
    file = parse(POINTS.replace(old, new))
    assert [(one.line, why in one.why) for one in file.unread if not one.known] == [(3, True)]
    assert [bad for _, bad, _ in said(file)] == [None, Reason.BAD_TIME, None]


def test_qualities_are_numbered_as_the_sink_numbers_them() -> None:
    """What is read is what is written."""
    assert set(own_points._QUALITIES) == set(QUALITY_NUMBERS.values())
    assert {QUALITIES[code]: number for code, number in QUALITY_NUMBERS.items()} == {
        quality.value: number for number, quality in own_points._QUALITIES.items()
    }
