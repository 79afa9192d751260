"""Which column is the time, and what a heading says about the unit."""

from __future__ import annotations

import pytest

from coldchain.importers import columns, stamps
from coldchain.importers.refusal import Refused
from coldchain.importers.table import Table, table


def of(*lines: str) -> Table:
    """The table in some lines."""
    return table(list(lines))


BOTH = of("local;utc;T °C", "2022-11-08 05:49;2022-11-08 04:49Z;4", "2022-11-08 05:59;2022-11-08 04:59Z;4")


@pytest.mark.parametrize(
    ("told", "name", "explicit"),
    [
        pytest.param(None, "utc", True, id="the one that needs no zone"),
        pytest.param("local", "local", False, id="as told"),
        pytest.param("1", "local", False, id="by its number"),
        pytest.param("UT", "utc", True, id="by a part of its name"),
    ],
)
def test_time_column(told: str | None, name: str, explicit: bool) -> None:
    """A column whose times need no zone is preferred; what is told comes first."""
    found = columns.time_column(BOTH, told, stamps.read)
    assert (found.name, found.explicit) == (name, explicit)


def test_date_and_time_of_day() -> None:
    """A date and a time of day in two columns are one time, found or told."""
    found = of("day;clock;T °C", "08.11.2022;04:49;4", "08.11.2022;04:59;4")
    assert columns.time_column(found, None, stamps.read).columns == (0, 1)
    assert columns.time_column(found, "day+clock", stamps.read).columns == (0, 1)


@pytest.mark.parametrize(
    ("second", "agree"),
    [
        pytest.param("1667882940", True, id="the same instant"),
        pytest.param("1667882999", False, id="another instant"),
        pytest.param("08/11/2022 04:49Z", False, id="not to be compared without an order of the date"),
    ],
)
def test_two_columns_that_need_no_zone(second: str, agree: bool) -> None:
    """Two such columns may both stand there if they tell the same instants; else one must be named."""
    later = second.replace("1667882940", "1667883540").replace("04:49", "04:59").replace("882999", "883599")
    found = of("a,b,T °C", f"2022-11-08 04:49Z,{second},4", f"2022-11-08 04:59Z,{later},4")
    if agree:
        assert columns.time_column(found, None, stamps.read).name == "a"
        return
    with pytest.raises(Refused, match="--time-column"):
        columns.time_column(found, None, stamps.read)


def test_names_that_do_not_decide() -> None:
    """A name that fits two columns is refused with both; one that fits none, with all there are."""
    found = of("time,T 1 °C,T 2 °C", "2022-11-08 04:49Z,4,4")
    with pytest.raises(Refused, match=r"'T 1 °C', 'T 2 °C'"):
        columns.find(found, "T ")
    with pytest.raises(Refused, match="'time'"):
        columns.find(found, "Probe")


@pytest.mark.parametrize(
    ("heading", "unit"),
    [
        pytest.param("Temperature (°C)", "degC", id="in brackets"),
        pytest.param("Temp [F]", "degF", id="a letter in brackets"),
        pytest.param("temp_c", "degC", id="snake case"),
        pytest.param("T_degF", "degF", id="deg"),
        pytest.param("Temp, K", "K", id="after a comma"),
        pytest.param("温度(℃)", "degC", id="one sign"),
        pytest.param("Celsius", "degC", id="a word"),
        pytest.param("probe_degC", "degC", id="deg at the end"),
        pytest.param("Probe C", "", id="the third probe"),
        pytest.param("Sensor (K)", "", id="a thermocouple of type K"),
        pytest.param("Temperature", "", id="none"),
        pytest.param("Temp °C / °F", "", id="two"),
        pytest.param("Track", "", id="a word that ends in K"),
    ],
)
def test_unit_in_heading(heading: str, unit: str) -> None:
    """A unit is one only where nothing else can be meant."""
    found = of(f"time;{heading}", "2022-11-08 04:49Z;4", "2022-11-08 04:59Z;4")
    time = columns.time_column(found, None, stamps.read)
    (column,), _ = columns.value_columns(found, time, ["2"])
    assert column.unit == unit
