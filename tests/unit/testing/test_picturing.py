"""A case as a picture: its bars, flags and lines are what the fold found and said, at those instants."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.reports.pictured import Panel
from coldchain.testing.check_file import START, read_check
from coldchain.testing.checking import run_case
from coldchain.testing.picturing import picture_of

STORIES = Path(__file__).parents[3] / "docs" / "rules" / "stories"
MIN = 60_000
BEGAN = round(START.timestamp() * 1000)


def panels(kind: str, number: int) -> list[Panel]:
    """The panels of a story of the documentation."""
    file = read_check(STORIES / f"{kind}.toml")
    return list(picture_of(file, run_case(file, file.cases[number], "test")).panels)


def bars(panel: Panel) -> list[tuple[int, int, bool]]:
    """From and to, in minutes after the start, and whether it alarmed."""
    return [
        ((each.from_ms - BEGAN) // MIN, (each.to_ms - BEGAN) // MIN, each.alarmed) for each in panel.stretches
    ]


def flags(panel: Panel) -> list[tuple[int, str]]:
    """When, in minutes after the start, and in what words."""
    return [((each.at_ms - BEGAN) // MIN, each.text) for each in panel.marks]


def test_a_limit() -> None:
    """Outside above 8 °C from 36m, alarmed at 46m, over below the deadband at 53m, returned 5 min later."""
    (panel,) = panels("limit", 0)
    assert bars(panel) == [(36, 53, True)]
    assert flags(panel) == [
        (46, "46m: critical product/too-warm since 36m"),
        (58, "58m: product/too-warm returned"),
    ]
    assert [(line.name, line.value) for line in panel.limits] == [("too-warm", 8000)]


def test_a_time_outside_too_short_to_alarm_is_hollow() -> None:
    """Both are found and none is flagged."""
    (panel,) = panels("limit", 1)
    assert bars(panel) == [(10, 19, False), (29, 38, False)]
    assert flags(panel) == []


def test_only_the_rules_of_the_stages_passed_are_drawn() -> None:
    """The story in stage arrival has the rule that settles, and not the one of storage."""
    (panel,) = panels("limit", 5)
    assert [line.name for line in panel.limits] == ["once-cold"]


def test_a_budget_is_drawn_in_the_pieces_it_was_spent_in() -> None:
    """Not as one bar over the time between them."""
    (panel,) = panels("budget", 0)
    assert [bar[:2] for bar in bars(panel)] == [(10, 18), (28, 36), (46, 54)]


def test_what_is_about_two_probes_stands_at_both_and_is_no_line_of_either() -> None:
    """3 °C apart is no temperature of one of them."""
    one, other = panels("pair", 0)
    assert bars(one) == bars(other) == [(26, 65, True)]
    assert [at for at, _ in flags(one)] == [36, 65]
    assert (list(one.limits), one.notes) == (
        [],
        ["disagree: vapour and vapour-2 more than 3 °C apart for 10 min"],
    )


@pytest.mark.parametrize(
    ("number", "told"),
    [(0, "1d: high lane/too-old"), (1, "2h: high lane/waiting")],
)
def test_what_is_about_the_lane_is_flagged_though_nothing_measured_it(number: int, told: str) -> None:
    """An age needs no reading."""
    (panel,) = panels("age", number)
    assert flags(panel)[0][1] == told
