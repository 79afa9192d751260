"""Holds, returns, deadband and off-delay, as minutes of a series (semantics, Holds)."""

from __future__ import annotations

import pytest

from coldchain.model import Side
from coldchain.plan import Crossing, Fires, Limit, Outside
from tests.unit.fold.bench import MIN, announced, limit

TEN = limit()
param = pytest.param


@pytest.mark.parametrize(
    ("rule", "given", "until", "then"),
    [
        param(
            TEN,
            "-160 -149 _x10 -149",
            12,
            ["raised above since 1 due 11"],
            id="at its due time, not the late reading's",
        ),
        param(
            TEN,
            "-149 bad bad",
            60,
            ["raised above since 0 due 10"],
            id="a dead probe does not stop the clock",
        ),
        param(
            TEN,
            "-149 _x9 -151",
            60,
            [
                "raised above since 0 due 10",
                "excursion_ended above since 0 due 10 end 10",
                "returned above end 10",
            ],
            id="tie: deadline before reading",
        ),
        param(TEN, "-149x9 -151", 60, [], id="9 min outside, then evidence of being back"),
        param(TEN, "-149 ?-149x12", 11, ["raised above since 0 due 10"], id="UNCERTAIN outside is judged"),
        param(TEN, "-149 ?-160x12", 11, ["raised above since 0 due 10"], id="UNCERTAIN inside ends nothing"),
        param(TEN, "-150x20", 60, [], id="a value on the limit is not outside by default"),
        param(
            limit(outside=Outside.AT_OR_BEYOND),
            "-150x20",
            19,
            ["raised above since 0 due 10"],
            id="at_or_beyond: on it is outside",
        ),
        param(limit(hold_ms=0), "-160 -149", 1, ["raised above since 1 due 1"], id="no hold: at the reading"),
        param(
            limit(fires=Fires.ON_READING),
            "-149 _x10 -149",
            60,
            ["raised above since 0 due 11"],
            id="on_reading: the completing reading's time",
        ),
        param(
            limit(fires=Fires.ON_READING), "-149 _x10 -151", 60, [], id="on_reading: evidence inside decides"
        ),
        param(
            limit(hold_ms=0, deadband=2000),
            "-149 -151 -151 -152.001",
            3,
            [
                "raised above since 0 due 0",
                "excursion_ended above since 0 due 0 end 3",
                "returned above end 3",
            ],
            id="deadband keeps the excursion open",
        ),
        param(
            limit(hold_ms=0, off_delay_ms=2 * MIN),
            "-149 -160 -160 -160",
            3,
            [
                "raised above since 0 due 0",
                "excursion_ended above since 0 due 0 end 1",
                "returned above end 3",
            ],
            id="off-delay needs evidence for its whole length",
        ),
        param(
            limit(hold_ms=0, off_delay_ms=2 * MIN),
            "-149 -160 bad -160 -160 -160",
            5,
            [
                "raised above since 0 due 0",
                "excursion_ended above since 0 due 0 end 1",
                "returned above end 5",
            ],
            id="BAD restarts the off-delay",
        ),
        param(
            limit("low", value=2, side=Side.BELOW, hold_ms=MIN),
            "5 1 1 1 5",
            4,
            ["raised low since 1 due 2", "excursion_ended low since 1 due 2 end 4", "returned low end 4"],
            id="the low side mirrors the high one",
        ),
        param(
            limit(hold_ms=0, crossing=Crossing.LINEAR, fires=Fires.ON_READING),
            "-160 -140 -160",
            2,
            [
                "raised above since 1/2 due 1",
                "excursion_ended above since 1/2 due 1 end 3/2",
                "returned above end 2",
            ],
            id="linear crossing lies between the readings",
        ),
        param(TEN, "85x20", 30, [], id="85 °C is outside the probe's validity: no temperature"),
    ],
)
def test_one_limit(rule: Limit, given: str, until: int, then: list[str]) -> None:
    """A limit says exactly this to such a series, live and folded again."""
    assert announced((rule,), given, until) == then
