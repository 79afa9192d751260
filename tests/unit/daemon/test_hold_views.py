"""The remaining hold as the page is shown it: what the rule reckons, its uncertainty, and what is needed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coldchain.daemon.lens import Lens
from coldchain.daemon.views import assets
from coldchain.testing.check_file import read_check
from coldchain.testing.checking import CaseRun
from coldchain.testing.events import event
from coldchain.web.views import HoldView

HOUR = 3_600_000

CHECK = """
profile = "profile.toml"
stage = "transport"
{vessel}

[channels.mass]
interval = "30 min"
max_gap = "90 min"
quantity = "mass"
unit = "kg"

[[cases]]
name = "one"
series = "{series}"
expect = []
verdict = "inside"
"""
TARE = '[vessel]\ntare_mass = "5.3 kg"'
PROFILE = """
id = "profile"
version = "1"
status = "unapproved"
title = "a dry shipper"
product_state = "frozen"

[stages.transport]
title = "In transport"

[rules.hold-short]
kind = "hold_left"
role = "mass"
reserve = "24 h"
window = "12 h"
least = "50 g"
priority = "high"
advice = "Recharge it."
source = "an example"
confidence = "none"
"""


def shown(folder: Path, series: str, *events: str, vessel: str = TARE) -> HoldView | None:
    """The hold of the vessel as the page has it at the end of a story."""
    (folder / "profile.toml").write_text(PROFILE, encoding="utf-8")
    check = folder / "check.toml"
    check.write_text(CHECK.format(series=series, vessel=vessel), encoding="utf-8")
    file = read_check(check)
    (case,) = file.cases
    run = CaseRun(file, case, "test")
    for text in events:
        run.enter(case.start_ms, event(text))
    (channel,) = run.plan.channels
    for reading in case.series["mass"].readings(
        source=channel.source, channel=channel.id, unit=channel.unit, start_ms=case.start_ms
    ):
        assert reading.at_ms is not None
        run.feed(reading.at_ms, reading)
    lens = Lens(run._judging.fold, {}, {}, told=lambda alarm: (), text=lambda commitment: "")
    (asset,) = assets(lens)
    return asset.hold


def near(ms: int | None, hours: float) -> bool:
    """Within a minute."""
    return ms is not None and abs(ms - hours * HOUR) < 60_000


def test_a_steady_loss_against_the_way_and_the_reserve(tmp_path: Path) -> None:
    """8.6 kg less 50 g an hour for 12 h: 8.0 kg, 2.7 kg above empty, 54 h; 36 h to go and 24 h reserve."""
    view = shown(tmp_path, "ramp from 8.6 to 8.0 over 12h", "at 0 eta 48h")
    assert view is not None
    assert near(view.low_ms, 54)
    assert near(view.high_ms, 54)
    assert (view.needed_ms, view.reserve_ms) == (36 * HOUR, 24 * HOUR)
    assert (view.basis, view.channel, view.why) == ("mass", "mass", "")
    assert not view.enough


def test_it_is_reckoned_from_the_newest_reading(tmp_path: Path) -> None:
    """BAD readings move nothing: the last good one, at 11h30, says as much as the one at 12h would have."""
    view = shown(tmp_path, "ramp from 8.6 to 8.0 over 12h, bad for 3h")
    whole = shown(tmp_path, "ramp from 8.6 to 8.0 over 12h")
    assert view is not None
    assert whole is not None
    assert view.reckoned_at_journal_ms is not None
    assert whole.reckoned_at_journal_ms is not None
    assert view.low_ms is not None
    assert near(whole.low_ms, 54)
    assert whole.reckoned_at_journal_ms - view.reckoned_at_journal_ms == HOUR // 2
    assert near(view.low_ms, 54.5)


def test_its_uncertainty_is_shown(tmp_path: Path) -> None:
    """Scattered readings leave the ends apart; the truth, 54 h, lies between them."""
    scattered = " ".join(f"{8.6 - 0.025 * i + (0.02 if i % 2 else -0.02):.3f}" for i in range(25))
    view = shown(tmp_path, scattered, "at 0 eta 48h")
    assert view is not None
    assert view.low_ms is not None
    assert view.high_ms is not None
    assert view.low_ms < 54 * HOUR < view.high_ms
    assert view.high_ms - view.low_ms > HOUR


def test_where_nobody_said_when_it_arrives_only_the_reserve_counts(tmp_path: Path) -> None:
    """The time still to travel is not known, and never nought."""
    view = shown(tmp_path, "ramp from 8.6 to 8.0 over 12h")
    assert view is not None
    assert view.needed_ms is None
    assert view.enough


def test_a_loss_too_slow_to_be_seen_has_no_far_end(tmp_path: Path) -> None:
    """At the most 50 g in 12 h are lost: 3.3 kg last 792 h at the least, and nobody knows how much longer."""
    view = shown(tmp_path, "8.6 for 12h")
    assert view is not None
    assert near(view.low_ms, 792)
    assert view.high_ms is None


@pytest.mark.parametrize(
    ("series", "given", "why"),
    [
        pytest.param("ramp from 8.6 to 8.4 over 4h", {}, "too_few_readings", id="less than half the window"),
        pytest.param(
            "ramp from 6 to 5.8 over 12h, 8.6 for 2h", {}, "too_few_readings", id="it was just filled"
        ),
        pytest.param(
            "ramp from 8.6 to 8.0 over 12h", {"vessel": ""}, "nothing_says_empty", id="no tare mass"
        ),
    ],
)
def test_what_cannot_be_told_says_why(tmp_path: Path, series: str, given: dict[str, Any], why: str) -> None:
    """Not an old interval, and not none: the vessel has a hold that is not known."""
    view = shown(tmp_path, series, **given)
    assert view is not None
    assert (view.low_ms, view.high_ms, view.reckoned_at_journal_ms) == (None, None, None)
    assert view.why == why
    assert view.reserve_ms == 24 * HOUR


def test_at_empty_nothing_is_left(tmp_path: Path) -> None:
    """Below the tare there is no hold, whatever the slope."""
    view = shown(tmp_path, "ramp from 5.4 to 5.2 over 12h", "at 0 eta 12h")
    assert view is not None
    assert (view.low_ms, view.high_ms, view.needed_ms, view.enough) == (0, 0, 0, False)
