"""How things stand, on a terminal: one line stays one line, and every stamp is there."""

from __future__ import annotations

from io import StringIO

import pytest
from msgspec.structs import replace
from rich.console import Console

from coldchain.cli import standing
from coldchain.cli.output import whole
from coldchain.model import Priority
from coldchain.web.alarm_views import WorkView
from coldchain.web.plain_views import Instant
from coldchain.web.views import Judgement
from tests.unit.web.room import ABOVE_150, Room


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch) -> StringIO:
    """A terminal of eighty columns that keeps what it shows."""
    screen = StringIO()
    monkeypatch.setattr(standing, "console", Console(file=screen, width=80, highlight=False, soft_wrap=True))
    return screen


def test_a_whole_state(said: StringIO) -> None:
    """Site, vessels, values, limits, alarms: all there, no line folded into a column, no trailing blanks."""
    room = Room()
    room.put_alarm(room.critical())
    standing.print_state(room.state())
    lines = said.getvalue().splitlines()
    assert all(line == line.rstrip() for line in lines)
    state = room.state()
    for asset in state.assets:
        assert any(asset.title in line for line in lines)
        for channel in asset.channels:
            assert any(line.startswith(f"  {channel.role} ") for line in lines), channel.role
    for alarm in state.alarms:
        (line,) = [line for line in lines if alarm.id in line and line.startswith(alarm.priority.value)]
        assert alarm.state.value.replace("_", " ") in line


def test_the_gravest_limit_that_is_violated_is_named(said: StringIO) -> None:
    """Outside of −165 °C and of −150 °C: the line names the critical one; inside, the nearest."""
    room = Room()
    channel = room.channel("box-7-vapour")
    assert channel is not None
    warning = replace(ABOVE_150, id="above-165", limit=-165_000, priority=Priority.HIGH)
    both = replace(channel, limits=(warning, ABOVE_150), nearest="above-165", value=-146_000)
    for judgement, limit in ((Judgement.OUTSIDE, "above −150.0 °C"), (Judgement.INSIDE, "above −165.0 °C")):
        room.put_channel(replace(both, judgement=judgement))
        standing.print_state(room.state())
        line = [line for line in said.getvalue().splitlines() if "−146.0 °C" in line][-1]
        assert judgement.value in line
        assert limit in line


@pytest.mark.parametrize(
    ("ms", "says"),
    [
        pytest.param(90_061_000, "1 day, 1:01:01 after the journal began", id="journal time, not 1970"),
        pytest.param(1_795_905_852_510, "2026-11-28 22:44:12", id="as a logger said it"),
    ],
)
def test_a_time_while_nobody_vouches_for_the_clock(said: StringIO, ms: int, says: str) -> None:
    """It is marked; and what counts from the journal's beginning is no date."""
    room = Room()
    room.put_alarm(replace(room.critical(), since=Instant(ms, known=False)))
    standing.print_alarms(room.state().alarms)
    assert f"since {says} (clock not known)" in said.getvalue()


def test_no_alarms(said: StringIO) -> None:
    """Nothing is said to be nothing."""
    standing.print_alarms(())
    assert said.getvalue() == "no alarms\n"


def test_json_leaves_nothing_out() -> None:
    """A program that reads the JSON need not know our defaults."""
    state = whole(Room().state())
    assert {"site", "clock", "gateway", "assets", "alarms", "simulated"} <= state.keys()
    channel = state["assets"][0]["channels"][0]
    assert {"id", "role", "value", "quality", "reason", "judgement", "simulated", "limits"} <= channel.keys()


def test_works_are_shown_with_their_end(said: StringIO) -> None:
    """Whose alarms are hidden until when, by whom and why; and an end that nothing confirms is loud."""
    room = Room()
    state = room.state()
    hidden = WorkView(
        "box-7", "filling", "under_way", Instant(0), Instant(1), hides=("low",), by="anna", comment="weekly"
    )
    out = WorkView("box-7/vapour", "out-of-service", "unconfirmed", Instant(0), None, by="ben")
    works = replace(state.assets[0], works=(hidden, out))
    standing.print_state(replace(state, assets=(works,)))
    text = said.getvalue()
    assert "hides low" in text
    assert "1970-01-01 00:00:00 UTC" in text
    assert 'by anna  "weekly"' in text
    assert "box-7/vapour: END NOT CONFIRMED" in text


@pytest.mark.parametrize(
    ("good_ms", "product_ms", "says"),
    [
        pytest.param(60_000, 60_000, "watched 100 %", id="all of it"),
        pytest.param(59_999, 60_000, "watched 99.9 %", id="never rounded up to all of it"),
        pytest.param(0, 60_000, "watched 0.0 %", id="nothing"),
        pytest.param(None, None, "", id="no product yet"),
        pytest.param(0, 0, "", id="no time at all"),
    ],
)
def test_how_much_was_watched(said: StringIO, good_ms: int | None, product_ms: int | None, says: str) -> None:
    """Coverage stands in the channel's line, rounded down."""
    room = Room()
    channel = room.channel("box-7-vapour")
    assert channel is not None
    room.put_channel(replace(channel, good_ms=good_ms, product_ms=product_ms, value=-146_000))
    standing.print_state(room.state())
    (line,) = [line for line in said.getvalue().splitlines() if "−146.0 °C" in line]
    assert says in line
    assert ("watched" in line) is bool(says)
