"""The report as JSON, whose form is promised, and on a terminal."""

from __future__ import annotations

import io
import json
from fractions import Fraction
from typing import Any

import pytest
from rich.console import Console

from coldchain.reports import ReplayReport, as_json, as_object, refused_report, show
from tests.unit.reports.support import report

KEYS = [
    "file",
    "sha256",
    "profile",
    "from",
    "to",
    "readings",
    "channels",
    "excursions",
    "alarms",
    "verdict",
    "reasons",
]


def text(found: ReplayReport, *, width: int = 120, colour: bool = False) -> str:
    """The report as a terminal or a pipe would get it."""
    out = io.StringIO()
    show(
        found,
        Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None),
    )
    return out.getvalue()


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(report("5 9 9 9 9 5"), id="outside"),
        pytest.param(report("5 5 5"), id="inside"),
        pytest.param(report("bad"), id="nothing read"),
        pytest.param(report("5 5", above=None, below=None), id="no limits"),
        pytest.param(refused_report(report("5").subject, "empty"), id="refused"),
    ],
)
def test_json_keys(found: ReplayReport) -> None:
    """Whatever the verdict, the object has the promised keys in the promised order, and is plain JSON."""
    parsed = json.loads(as_json(found), parse_constant=pytest.fail)
    assert list(parsed) == KEYS
    assert parsed["verdict"] in {"inside", "outside", "cannot_judge"}
    assert isinstance(parsed["readings"], int)


def test_json_of_an_excursion() -> None:
    """An excursion says rule, side and limit, times with offset and ms, length and extreme."""
    found = as_object(report("5 9 9.5 9 9 5 9"))
    first, second = found["excursions"]
    assert first["rule"] == "above"
    assert first["side"] == "above"
    assert first["limit"] == 8.0
    assert first["start"] == "2023-11-14T22:10:00.000+00:00"
    assert first["triggered"] == "2023-11-14T22:40:00.000+00:00"
    assert first["end"] == "2023-11-14T22:50:00.000+00:00"
    assert first["duration_s"] == 2400.0
    assert first["extreme"] == 9.5
    assert (second["triggered"], second["end"], second["duration_s"]) == (None, None, 0.0)
    (alarm,) = found["alarms"]
    assert alarm["raised"] == first["triggered"]
    assert (alarm["unapproved"], alarm["simulated"]) == (True, False)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param(
            {"log": "5 7 7"}, {"min": 5.0, "max": 7.0, "mean": 6.0, "mkt_energy_kj_mol": 83.144}, id="usual"
        ),
        pytest.param(
            {"log": "-5 5 5"}, {"min": -5.0, "mkt_c": None, "mkt_energy_kj_mol": None}, id="below freezing"
        ),
        pytest.param(
            {"log": "-5 -5 5", "energy": Fraction(83)},
            {"mkt_c": -5.0, "mkt_energy_kj_mol": 83.0},
            id="stated",
        ),
        pytest.param(
            {"log": "bad bad"}, {"min": None, "max": None, "mean": None, "mkt_c": None}, id="nothing read"
        ),
    ],
)
def test_json_of_a_channel(given: dict[str, Any], says: dict[str, Any]) -> None:
    """A figure without a meaning is null and never a number."""
    (channel,) = as_object(report(given.pop("log"), **given))["channels"]
    assert {key: channel[key] for key in says} == says


def test_terminal_says_what_matters() -> None:
    """Verdict, doubts about limits and data, each interval and each alarm are there to read."""
    shown = text(report("5 9 9 9 9 5", simulated=True))
    for words in (
        "OUTSIDE",
        "SIMULATED",
        "UNAPPROVED",
        "above 8.0 °C for 30 min",
        "2023-11-14 22:40:00",
        "40 min",
    ):
        assert words in shown
    assert "command line" in shown
    assert "\x1b" not in shown


def test_colour_only_where_there_is_a_terminal() -> None:
    """Colour goes to a terminal and nowhere else."""
    assert "\x1b[" in text(report("5 9 9 9 9 5"), colour=True)


@pytest.mark.parametrize("width", [40, 80, 200])
def test_any_width(width: int) -> None:
    """No line is wider than the terminal, and the plot shows the peak."""
    shown = text(report("5 5 5 5 5 30 5 5 5 5 5"), width=width)
    assert max(map(len, shown.splitlines())) <= width
    assert "30.0 °C" in shown


def test_many_unreadable_lines_are_counted_in_full() -> None:
    """A terminal lists the first ones and counts the rest; JSON lists them all."""
    found = report("5 5 5", unread=tuple(f"line {number}: damaged" for number in range(2, 102)))
    assert "100 lines or fields gave no reading" in text(found)
    assert "line 101" not in text(found)
    assert "line 101: damaged" in as_object(found)["reasons"]


def test_text_of_a_file_is_no_markup_and_no_control() -> None:
    """A column called like a colour, or holding an escape, is shown as text."""
    hostile = refused_report(report("5").subject, "x.csv: [red]\x1b[2Jgone[/red]")
    shown = text(hostile)
    assert "[red]" in shown
    assert "\x1b" not in shown


def test_plot_shows_peak_and_gap() -> None:
    """The plot reaches to the highest value, and nothing is drawn where nobody watched."""
    lines = text(report("5 5 5 12 5 bad bad bad bad bad 5 5", hold="10h", below=None)).splitlines()
    peak = next(line for line in lines if line.startswith("12.0 °C"))
    assert "█" in peak or "▀" in peak or "▄" in peak
    floor = next(line for line in lines if line.startswith(" 5.0 °C"))
    assert "          " in floor.removeprefix(" 5.0 °C").rstrip()
