"""From what a device sent to a judged value: a bad reading is never a number.

What a shorted Pt100 reads (−242.02 °C) has its sources in coldchain_drivers/lies.py; 850 °C is where the
range of platinum thermometers ends (IEC 60751).
"""

from __future__ import annotations

from typing import Any

import pytest

from coldchain.announcements import Kind
from coldchain.facts import Reading
from coldchain.fold.conditioning import condition
from coldchain.model import Quality, Reason
from coldchain.plan import CalibrationPoint
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

#: In the order of the engine's codes.
GOOD, UNCERTAIN, BAD = list(Quality)

Taken = tuple[int, Quality, Reason | None]


def taken(
    raw: str, unit: str = "degC", *, probe: dict[str, Any] | None = None, **more: Any
) -> tuple[Any, ...]:
    """Value, quality and reason of one reading of a probe that is valid from −210 to 60 °C."""
    reading = Reading("log", "box.vapour", raw, unit, at_ms=T0, **more)
    value, quality, reason = condition(channel(**(probe or {})), reading)
    return value, list(Quality)[quality], reason


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("-210", (-210_000, GOOD, None), id="on the lower end"),
        pytest.param("-210.001", (0, BAD, Reason.OUTSIDE_VALIDITY), id="below it, as a shorted probe"),
        pytest.param("-242.02", (0, BAD, Reason.OUTSIDE_VALIDITY), id="what a shorted Pt100 reads"),
        pytest.param("60", (60_000, GOOD, None), id="on the upper end"),
        pytest.param("60.001", (0, BAD, Reason.OUTSIDE_VALIDITY), id="above it, as an open probe"),
        pytest.param("850", (0, BAD, Reason.OUTSIDE_VALIDITY), id="what an open Pt100 reads"),
        pytest.param("nan", (0, BAD, Reason.NOT_A_NUMBER), id="no number"),
    ],
)
def test_outside_its_validity_a_value_is_a_fault_and_no_temperature(raw: str, expected: Taken) -> None:
    """The ends of the window are valid; beyond them nothing is left of the number."""
    assert taken(raw) == expected


def test_validity_is_judged_after_the_correction() -> None:
    """A value that only the calibration carries over the edge is a fault, and one it brings back is none."""
    probe = {"calibration": (CalibrationPoint(-196_000, -500), CalibrationPoint(0, 500))}
    assert taken("-209.6", probe=probe) == (0, BAD, Reason.OUTSIDE_VALIDITY)
    assert taken("-209.4", probe=probe) == (-209_900, GOOD, None)
    assert taken("-98", probe=probe) == (-98_000, GOOD, None)
    assert taken("59.6", probe=probe) == (0, BAD, Reason.OUTSIDE_VALIDITY)


@pytest.mark.parametrize(
    ("raw", "unit", "expected"),
    [
        pytest.param("-320.8", "degF", (-196_000, GOOD, None), id="said to be °F"),
        pytest.param("-320.8", "degC", (0, BAD, Reason.OUTSIDE_VALIDITY), id="°F from a device set to °C"),
        pytest.param("77.15", "K", (-196_000, GOOD, None), id="kelvin"),
        pytest.param("-196", "", (0, BAD, Reason.NO_UNIT), id="no unit at all"),
        pytest.param("-196", "furlong", (0, BAD, Reason.UNKNOWN_UNIT), id="a unit of something else"),
    ],
)
def test_no_unit_is_guessed(raw: str, unit: str, expected: Taken) -> None:
    """What was sent counts with the unit that was sent."""
    assert taken(raw, unit) == expected


def test_doubt_keeps_the_value_and_a_fault_of_the_device_keeps_none() -> None:
    """UNCERTAIN has a value; BAD has a reason, whatever stands beside it."""
    assert taken("-196", doubt=Reason.UNSTABLE) == (-196_000, UNCERTAIN, Reason.UNSTABLE)
    assert taken("-242", doubt=Reason.UNSTABLE) == (0, BAD, Reason.OUTSIDE_VALIDITY)
    assert taken("-196", bad=Reason.SENSOR_SHORT) == (0, BAD, Reason.SENSOR_SHORT)


def test_a_probe_that_shorts_while_warm_ends_no_excursion_and_falls_silent() -> None:
    """−242 °C is no return to the cold: the hold runs out, and the alarm stands."""
    bench = Bench(plan(limit(), channels=(channel(fresh_within_ms=30 * MIN),)))
    bench.add(Reading("log", "box.vapour", "-140", "degC", at_ms=T0 + MIN))
    for minute in range(2, 60):
        bench.run(T0 + minute * MIN - 1)
        bench.add(Reading("log", "box.vapour", "-242.02", "degC", at_ms=T0 + minute * MIN))
    said = [(at, one.kind, one.rule) for at, one in bench.said]
    assert said == [
        (T0 + 11 * MIN, Kind.RAISED, "above"),
        (T0 + 31 * MIN + 1, Kind.RAISED, "silence"),
    ]
