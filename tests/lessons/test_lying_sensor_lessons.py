"""Lessons about sensors that send a number when they have none."""

from __future__ import annotations

from typing import Any

from coldchain.announcements import Kind
from coldchain.facts import Reading
from coldchain.model import Bad, Measured, Reason
from coldchain_drivers.ascii_line import DRIVER
from tests.unit.fold.bench import MIN, T0, Bench, channel, limit, plan

LINE: dict[str, Any] = {
    "baud": 9600, "frame": "8N1", "layout": "pairs", "values": [{"key": "t", "at": "T", "unit": "degC"}],
}  # fmt: skip


def reading(minute: int, sent: str, lies: list[str]) -> Reading:
    """A line of a probe as its driver read it, with these families of lies selected."""
    settings = DRIVER.settings.model_validate(LINE | {"lies": lies})
    (item,) = DRIVER.decode(settings, None, f"T={sent}".encode())
    at_ms = T0 + minute * MIN
    if isinstance(item, Bad):
        return Reading("log", "box.vapour", at_ms=at_ms, bad=item.reason)
    assert isinstance(item, Measured)
    return Reading("log", "box.vapour", item.value, item.unit, at_ms=at_ms)


def judged(given: list[str], lies: list[str], value: float, **probe: Any) -> Bench:
    """A bench that has folded one line a minute, judged by "above `value` for 2 min"."""
    bench = Bench(plan(limit(value=value, hold_ms=2 * MIN), channels=(channel(**probe),)))
    for minute, sent in enumerate(given):
        bench.run(T0 + minute * MIN)
        bench.add(reading(minute, sent, lies))
    bench.run(T0 + len(given) * MIN)
    return bench


def raised(bench: Bench) -> bool:
    """Whether the limit alarmed."""
    return any(said.kind is Kind.RAISED and said.rule == "above" for _, said in bench.said)


# 85 °C after each reset of the bus (esphome 6207 and pull request 17877, esp-bsp pull request 733).


def nobody_is_woken_by_85(lies: list[str]) -> bool:
    """A one-wire probe in a refrigerator resets for three minutes: is nobody told of 85 °C?"""
    given = ["4.2", "4.3", "85.00", "85", "85.0", "4.3"]
    bench = judged(given, lies, 8, valid_high=125_000)
    return not raised(bench)


def test_the_power_on_value_is_no_temperature() -> None:
    """With the probe's lies selected it is BAD; who takes every number at its word is woken at night."""
    assert nobody_is_woken_by_85(["ds18b20"])
    assert reading(0, "85", ["ds18b20"]).bad is Reason.POWER_ON_VALUE
    assert not nobody_is_woken_by_85([])


# A probe that is gone reads colder than anything ("85 is valid, the caller must judge": Onewire_DS18X20 8;
# -127 for one that is gone is the same library's).


def a_lost_probe_does_not_look_cold(lies: list[str]) -> bool:
    """The box warms from −60 °C, and the probe is lost on the way: does −127 hide it?"""
    bench = judged(["-76.0", "-59.0", "-127", "-127", "-127"], lies, -60, valid_low=-200_000)
    return raised(bench)


def test_a_probe_that_is_gone_does_not_end_an_excursion() -> None:
    """BAD proves nothing, so the hold goes on and alarms; a reader of −127 sees a cold box."""
    assert a_lost_probe_does_not_look_cold(["ds18b20"])
    assert not a_lost_probe_does_not_look_cold([])


# An open probe is 850 °C, a shorted one −242 °C: where no code is known, the range of the probe is the net
# (qitechgmbh/control 176).


def beyond_its_range_is_bad(**probe: Any) -> bool:
    """A platinum probe opens in a warm box, and one is shorted in another: is neither number believed?"""
    hot = judged(["20.0", "850.0", "850.0", "850.0"], [], 30, **({"valid_high": 60_000} | probe))
    cold = judged(["-149.0", "-242.02", "-242.02", "-242.02"], [], -150, **({"valid_low": -210_000} | probe))
    return not raised(hot) and raised(cold)


def test_what_a_probe_cannot_show_is_bad() -> None:
    """The channel's own range refuses both ends; without one 850 °C wakes people, and a thaw is hidden."""
    assert beyond_its_range_is_bad()
    assert not beyond_its_range_is_bad(valid_low=-300_000, valid_high=1_000_000)
