"""Separated values: what is read from a file, what is listed as unreadable, and what is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from coldchain.importers import LoggerFile, ReadAs, Refused, read
from coldchain.importers.stamps import epoch_ms
from coldchain.model import Reason

START = datetime(2022, 11, 8, 4, 49, tzinfo=UTC)


def at(minutes: int) -> int:
    """An instant after START in ms."""
    return epoch_ms(START + timedelta(minutes=minutes))


def parse(text: str | bytes, **told: object) -> LoggerFile:
    """Read a text as a file."""
    data = text.encode() if isinstance(text, str) else text
    return read("log.csv", data, ReadAs(**told))  # type: ignore[arg-type]


def rows(file: LoggerFile, series: int = 0) -> list[tuple[int, str]]:
    """(minutes after START, raw or reason) of a series."""
    return [
        ((value.at_ms - at(0)) // 60_000, value.raw or str(value.bad)) for value in file.series[series].values
    ]


THREE = [(0, "4.4"), (10, "3.2"), (20, "2.1")]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(
            "time,temp_c\n2022-11-08T04:49:00Z,4.4\n2022-11-08T04:59:00Z,3.2\n2022-11-08T05:09:00Z,2.1\n",
            {},
            id="ISO 8601, UTC",
        ),
        pytest.param(
            "Zeit;Temperatur °C\n08.11.2022 05:49;4,4\n08.11.2022 05:59;3,2\n08.11.2022 06:09;2,1\n",
            {"zone": ZoneInfo("Europe/Zurich"), "dates": "DMY"},
            id="German: semicolons, decimal commas, local time",
        ),
        pytest.param(
            'Date,Time,"Temp, °C"\n11/8/2022,4:49 AM,"4,4"\n11/8/2022,4:59 AM,"3,2"\n'
            '11/8/2022,5:09 AM,"2,1"\n',
            {"zone": UTC, "dates": "MDY"},
            id="date and time of day apart, quoted decimal commas",
        ),
        pytest.param(
            "1667882940,4.4\n1667883540,3.2\n1667884140,2.1\n", {"unit": "degC"}, id="epochs, no heading"
        ),
        pytest.param(
            "No.\tTime (UTC)\tT [°C]\tHumidity (%)\n1\t2022-11-08 04:49\t4.4\t50\n"
            "2\t2022-11-08 04:59\t3.2\t51\n"
            "3\t2022-11-08 05:09\t2.1\t52\n",
            {},
            id="tabs, running number, zone in the heading, another quantity",
        ),
        pytest.param(
            "Device;TX-7\nSerial;12345\nTemp unit;°C\n\nTime;Value\n2022-11-08 04:49Z;4.4\n"
            "2022-11-08 04:59Z;3.2\n"
            "2022-11-08 05:09Z;2.1\n",
            {},
            id="preamble with the unit",
        ),
        pytest.param(
            "Time|Probe\n|°C\n2022-11-08 04:49+00:00|4.4|\n2022-11-08 04:59+00:00|3.2|\n"
            "2022-11-08 05:09+00:00|2.1|\n",
            {},
            id="a line of units, a separator at the end",
        ),
        pytest.param(
            "time,temp,unit\n2022-11-08 04:49Z,4.4,C\n2022-11-08 04:59Z,3.2,C\n2022-11-08 05:09Z,2.1,C\n",
            {},
            id="a column of units",
        ),
        pytest.param(
            "time,temp\n2022-11-08 04:49Z,4.4 °C\n2022-11-08 04:59Z,3.2 °C\n2022-11-08 05:09Z,2.1 °C\n",
            {},
            id="units beside the numbers",
        ),
        pytest.param(
            "time,temp_c\n2022-11-08T05:09:00Z,2.1\n2022-11-08T04:59:00Z,3.2\n2022-11-08T04:49:00Z,4.4\n",
            {},
            id="newest first",
        ),
        pytest.param(
            "time,utc,temp_c\n2022-11-08 05:49,1667882940,4.4\n2022-11-08 05:59,1667883540,3.2\n"
            "2022-11-08 06:09,1667884140,2.1\n",
            {},
            id="an epoch is preferred to a local time",
        ),
        pytest.param(
            "time,temp_c,event\n2022-11-08T04:49:00Z,4.4\n2022-11-08T04:59:00Z,3.2,door\n"
            "2022-11-08T05:09:00Z,2.1\n",
            {},
            id="a last field that is left out where it is blank",
        ),
        pytest.param(
            "# exported by hand\ntime,temp_c\r\n2022-11-08T04:49:00Z,4.4\r\n\r\n"
            "2022-11-08T04:59:00Z,3.2\r\n# lid\r\n"
            "2022-11-08T05:09:00Z,2.1",
            {},
            id="remarks, blank lines, mixed line ends, no last one",
        ),
        pytest.param(
            "time;temp_c\n8.11.22 0449;4,4\n8.11.22 0459;3,2\n8.11.22 0509;2,1\n",
            {"time_format": "%d.%m.%y %H%M", "zone": UTC},
            id="a form of time that was told",
        ),
        pytest.param(
            "﻿time,temp_c\n2022-11-08T04:49:00Z,4.4\n2022-11-08T04:59:00Z,3.2\n2022-11-08T05:09:00Z,2.1\n",
            {},
            id="byte order mark",
        ),
    ],
)
def test_read(text: str, told: dict[str, object]) -> None:
    """The same three values come out of every usual way to write them, and nothing is unread."""
    file = parse(text, **told)
    assert [(value.at_ms, value.raw.replace(",", ".")) for value in file.series[0].values] == [
        (at(minutes), raw) for minutes, raw in THREE
    ]
    assert file.series[0].unit == "degC"
    assert file.unread == ()
    assert len(file.series) == 1


@pytest.mark.parametrize(
    ("text", "told", "problem", "mend"),
    [
        pytest.param("", {}, "empty", "", id="empty"),
        pytest.param("PK\x03\x04...", {}, "Excel", "CSV", id="a workbook"),
        pytest.param(
            "time,temp_c\n", {}, "no line holds a time and a number", "--delimiter", id="a heading alone"
        ),
        pytest.param("hello\nworld\n", {}, "no line holds a time and a number", "", id="prose"),
        pytest.param("time,temp_c\n2022-11-08 04:49,4.4\n", {}, "carry no zone", "--tz", id="no zone"),
        pytest.param(
            "time,temp_c\n08/11/2022 04:49Z,4.4\n", {}, "day first or month first", "--dates", id="no order"
        ),
        pytest.param(
            "time,temp\n2022-11-08 04:49Z,4.4\n", {}, "states no unit", "--unit", id="a unit is never guessed"
        ),
        pytest.param(
            "time,Probe C\n2022-11-08 04:49Z,4.4\n",
            {},
            "states no unit",
            "--unit",
            id="the third probe is no unit",
        ),
        pytest.param(
            "time,temp °C\n2022-11-08 04:49Z,40.1F\n", {}, "two units", "", id="heading and number disagree"
        ),
        pytest.param(
            "time,temp,unit\n2022-11-08 04:49Z,4.4,bar\n",
            {},
            "'bar' is no unit",
            "--column",
            id="another quantity",
        ),
        pytest.param(
            "time,temp °C\n2022-11-08 04:49Z,4.4\n",
            {"unit": "degF"},
            "states degC",
            "--unit",
            id="told otherwise",
        ),
        pytest.param(
            "time,temp_c\n2022-11-08 04:49Z,4,4\n2022-11-08 04:59Z,3,2\n2022-11-08 05:09Z,2\n",
            {},
            "may separate fields or be the decimal sign",
            "another separator",
            id="the comma for both",
        ),
        pytest.param(
            "2022-11-08 04:49Z,4,4\n2022-11-08 04:59Z,3,2\n",
            {"unit": "degC"},
            "may separate fields or be the decimal sign",
            "--delimiter",
            id="the comma for both, no heading",
        ),
        pytest.param(
            "time;temp_c\n2022-11-08 04:49Z;4,4\n2022-11-08 04:59Z;3.2\n",
            {},
            "decimals are written",
            "--decimal",
            id="both decimal signs",
        ),
        pytest.param(
            "start,stop,temp_c\n2022-11-08 04:49Z,2022-11-08 04:50Z,4\n"
            "2022-11-08 04:59Z,2022-11-08 05:00Z,4\n",
            {},
            "several columns hold times",
            "--time-column",
            id="two times that differ",
        ),
        pytest.param(
            "time,a,b\n2022-11-08 04:49Z,4.4,5\n2022-11-08 04:59Z,3.2,5\n",
            {},
            "no column says that it holds temperatures",
            "--column",
            id="which column",
        ),
        pytest.param(
            "time,temp_c\n2022-11-08 04:49Z,4.4\n",
            {"columns": ("Probe",)},
            "no column 'Probe'",
            "'temp_c'",
            id="a column that is not there",
        ),
        pytest.param(
            "time,temp_c\n2022-11-08 11:00,4\n2022-11-08 12:00,4\n2022-11-08 01:00,4\n",
            {"zone": UTC},
            "does not say AM or PM",
            "24 hours",
            id="twelve hours",
        ),
        pytest.param(
            "time,box,temp_c\n"
            + "".join(f"2022-11-08 04:{m}Z,{box},4.4\n" for box in "AB" for m in range(10, 50, 10)),
            {},
            "many lines share a time",
            "--series-column 'box'",
            id="two series below each other",
        ),
        pytest.param(
            "time,temp_c\n2022-11-08 04:49Z,4.4\n\0\0\0", {}, "NUL", "copy", id="damaged in copying"
        ),
    ],
)
def test_refused(text: str, told: dict[str, object], problem: str, mend: str) -> None:
    """A file that leaves a doubt is refused: by name, with what is wrong and the mend."""
    with pytest.raises(Refused) as refused:
        parse(text, **told)
    said = str(refused.value)
    assert said.startswith("log.csv")
    assert problem in said
    assert mend in said


HEAD = "time,temp_c\n2022-11-08T04:49:00Z,4.4\n"
TAIL = "2022-11-08T05:09:00Z,2.1\n2022-11-08T05:19:00Z,2.0\n"


@pytest.mark.parametrize(
    ("line", "middle", "why"),
    [
        pytest.param(
            "2022-11-08T04:59:00Z,OPEN", (10, Reason.SENSOR_OPEN), "sensor_open", id="an open probe"
        ),
        pytest.param("2022-11-08T04:59:00Z,", (10, Reason.NO_VALUE), "no_value", id="a blank"),
        pytest.param("2022-11-08T04:59:00Z,4.x", (10, Reason.NOT_A_NUMBER), "no number", id="damaged number"),
        pytest.param(
            "2022-11-08T04:59:00Z", (10, Reason.CORRUPT_FRAME), "1 of 2 fields", id="cut after the time"
        ),
        pytest.param(
            '2022-11-08T04:59:00Z,"4.4', (0, Reason.BAD_TIME), "separated values", id="a stray quote"
        ),
        pytest.param("2022-11-0xT04:59:00Z,3.2", (0, Reason.BAD_TIME), "no time", id="damaged time"),
        pytest.param("2022-11-08 04:59,3.2", (0, Reason.BAD_TIME), "no time", id="an offset is missing"),
        pytest.param("3.2", (0, Reason.BAD_TIME), "1 of 2 fields", id="the time is missing"),
    ],
)
def test_unreadable_line(line: str, middle: tuple[int, Reason], why: str) -> None:
    """One unreadable line costs one line: it is listed with its number, and stands in the series as BAD."""
    file = parse(HEAD + line + "\n" + TAIL)
    minutes, reason = middle
    assert rows(file) == [(0, "4.4"), (minutes, str(reason)), (20, "2.1"), (30, "2.0")]
    (unread,) = file.unread
    assert unread.line == 3
    assert why in str(unread)


def test_lost_lines_at_both_ends() -> None:
    """Lines without a time at the ends of a log stand one interval beyond it, so that they are missed."""
    file = parse(
        "time,temp_c\n2022-11-0xT04:39:00Z,9.9\n" + HEAD.split("\n", 1)[1] + "2022-11-08T04:59:00Z,3.2\nEnd\n"
    )
    assert rows(file) == [(-10, "bad_time"), (0, "4.4"), (10, "3.2"), (20, "bad_time")]
    assert [unread.line for unread in file.unread] == [2, 5]


def test_damaged_first_line_without_heading_is_not_taken_for_a_preamble() -> None:
    """Whatever has the shape of data above the first good line is listed, not dropped."""
    file = parse("166788x940,4.4\n1667883540,3.2\n1667884140,2.1\n", unit="degC")
    assert [unread.line for unread in file.unread] == [1]


def test_cut_last_number() -> None:
    """A last line without an end whose number lost its decimals is not read as another temperature."""
    file = parse("time,temp_c\n2022-11-08T04:49:00Z,4.4\n2022-11-08T04:59:00Z,23.2\n2022-11-08T05:09:00Z,2")
    assert rows(file)[-1] == (20, "corrupt_frame")
    assert "middle of a number" in str(file.unread[0])


def test_turns() -> None:
    """Where columns take turns, a blank is another one's turn; else it is a missing value."""
    turns = parse(
        "time,A °C,B °C\n2022-11-08T04:49Z,4.4,\n2022-11-08T04:59Z,,5\n2022-11-08T05:09Z,3,\n"
        "2022-11-08T05:19Z,,5\n"
    )
    assert rows(turns, 0) == [(0, "4.4"), (20, "3")]
    assert rows(turns, 1) == [(10, "5"), (30, "5")]
    missing = parse("time,A °C,B °C\n2022-11-08T04:49Z,4,5\n2022-11-08T04:59Z,,5\n2022-11-08T05:09Z,3,5\n")
    assert rows(missing, 0) == [(0, "4"), (10, "no_value"), (20, "3")]


@pytest.mark.parametrize("beside", ["", ",40"], ids=["alone", "beside a column that always has a value"])
def test_a_sensor_that_died_half_way_takes_no_turns(beside: str) -> None:
    """Half of its values are blank, and nobody else has a turn there: each blank is a missing value."""
    heading = "time,A °C" + (",rh" if beside else "")
    file = parse(
        f"{heading}\n2022-11-08T04:49Z,4{beside}\n2022-11-08T04:59Z,5{beside}\n"
        f"2022-11-08T05:09Z,{beside}\n2022-11-08T05:19Z,{beside}\n"
    )
    assert rows(file) == [(0, "4"), (10, "5"), (20, "no_value"), (30, "no_value")]


def test_series_column() -> None:
    """Series that lie below each other are told apart by a column, once that is said."""
    text = "time,box,temp_c\n" + "".join(
        f"2022-11-08 {h}:49Z,{box},{t}\n" for box, t in (("A", 4), ("B", 5)) for h in ("04", "05")
    )
    file = parse(text, series_column="box")
    assert [series.title for series in file.series] == ["A temp_c", "B temp_c"]
    assert rows(file, 1) == [(0, "5"), (60, "5")]


@pytest.mark.parametrize(
    ("heading", "judged"),
    [
        pytest.param("Air temp (°C)", True, id="a temperature"),
        pytest.param("Dew point (°C)", False, id="reckoned from two quantities"),
        pytest.param("High limit °C", False, id="a limit"),
        pytest.param("Humidity %", False, id="another quantity"),
        pytest.param("Battery V", False, id="the battery"),
    ],
)
def test_which_columns_are_judged(heading: str, judged: bool) -> None:
    """Temperatures of the product are judged; the other columns of numbers are named as not judged."""
    file = parse(f"time,T °C,{heading}\n2022-11-08T04:49Z,4.4,7\n2022-11-08T04:59Z,3.2,7\n")
    assert (len(file.series) == 2) is judged
    assert any(f"not judged: {heading!r}" in note for note in file.notes) is not judged


@pytest.mark.parametrize(
    ("text", "simulated"),
    [
        pytest.param("# simulated by a test\n" + HEAD + TAIL, True, id="a remark says so"),
        pytest.param(
            HEAD.replace("\n", ",simulated\n", 1).replace("4.4\n", "4.4,true\n")
            + "2022-11-08T05:09Z,2.1,true\n",
            True,
            id="a column",
        ),
        pytest.param(HEAD + TAIL, False, id="nothing says so"),
    ],
)
def test_simulated(text: str, simulated: bool) -> None:
    """A file that says that it was simulated is never taken for evidence."""
    assert parse(text).simulated is simulated


@pytest.mark.parametrize(
    ("encoded", "note"),
    [
        pytest.param("utf-16", "", id="UTF-16 with its mark"),
        pytest.param("latin-1", "Latin-1", id="Latin-1"),
        pytest.param("gb18030", "GB 18030", id="GB 18030, by its ℃"),
    ],
)
def test_encodings(encoded: str, note: str) -> None:
    """The degree sign is found in the encodings that loggers' software writes; a doubt is noted."""
    sign = "℃" if encoded == "gb18030" else "°C"
    file = parse(f"time,temp {sign}\n2022-11-08T04:49Z,4.4\n2022-11-08T04:59Z,4.4\n".encode(encoded))
    assert file.series[0].unit == "degC"
    assert any(note in said for said in file.notes)


def test_zone_to_show() -> None:
    """Times are shown with the file's own offset, in UTC where it has several, and as told otherwise."""
    one = "time,temp_c\n2022-11-08T05:49+01:00,4.4\n2022-11-08T05:59+01:00,4.4\n"
    assert parse(one).zone == timezone(timedelta(hours=1))
    assert parse(one.replace("05:59+01:00", "06:59+02:00")).zone == UTC
    zurich = ZoneInfo("Europe/Zurich")
    assert parse(one, zone=zurich).zone is zurich
    assert rows(parse(one, zone=zurich)) == [(0, "4.4"), (10, "4.4")]


def test_columns_of_one_name_are_told_apart() -> None:
    """Two columns with the same heading are two series, and two channels."""
    file = parse("time,T °C,T °C\n2022-11-08T04:49Z,4.4,7\n2022-11-08T04:59Z,3.2,7\n")
    assert [(series.id, series.title) for series in file.series] == [("t-c", "T °C"), ("t-c-2", "T °C (2)")]


def test_hash_is_of_the_bytes() -> None:
    """The report names the very bytes that were judged."""
    assert (
        parse("time,temp_c\n2022-11-08T04:49Z,4.4\n").sha256
        != parse("time,temp_c\r\n2022-11-08T04:49Z,4.4\n").sha256
    )
