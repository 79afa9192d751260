"""What must hold between two runs: a looser limit, another asset beside, BAD readings in between."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from coldchain.facts import Reading
from coldchain.model import Side
from coldchain.plan import AssetPlan, Outside
from tests.unit.fold.bench import T0, Bench, channel, limit, plan
from tests.unit.fold.oracle import R
from tests.unit.fold.test_properties import GAP, fact, rules, series, truth

_NEVER = 1 << 62
Span = tuple[int, int]


def fed(bench: Bench, readings: list[R]) -> Bench:
    """Everything in order, with wakes in between."""
    for i, r in enumerate(readings):
        bench.run(r.t - 1)
        bench.add(fact(r, i))
    return bench


def spans(bench: Bench, rule: str) -> list[Span]:
    """From when to when a rule holds the box to have been outside."""
    return [(start, _NEVER if end is None else end) for start, _, end in truth(bench, rule)]


def length_ms(found: list[Span], until_ms: int) -> int:
    """How long in all, up to an instant."""
    return sum(min(end, until_ms) - start for start, end in found)


@given(
    series(), st.sampled_from(list(Side)), st.sampled_from(list(Outside)), st.sampled_from([0, 1000, 2000])
)
def test_a_looser_limit_lies_inside_a_stricter_one(
    readings: list[R], side: Side, outside: Outside, deadband: int
) -> None:
    """The same crossing and deadband: each time outside of it is part of one of the stricter limit."""
    strict, loose = (-151, -150) if side is Side.ABOVE else (-150, -151)
    words: dict[str, Any] = {"side": side, "outside": outside, "deadband": deadband, "hold_ms": 0}
    judged = plan(
        limit("strict", strict, **words), limit("loose", loose, **words), channels=(channel(max_gap_ms=GAP),)
    )
    bench = fed(Bench(judged), readings)
    outer, inner = spans(bench, "strict"), spans(bench, "loose")
    for start, end in inner:
        assert any(before <= start and end <= after for before, after in outer), (inner, outer)
    assert length_ms(inner, readings[-1].t) <= length_ms(outer, readings[-1].t)


@given(series(), series(), rules())
def test_another_asset_beside_changes_nothing_here(
    readings: list[R], others: list[R], words: dict[str, Any]
) -> None:
    """A second box on the same source, whatever happens there: truth and alarms here are as alone."""
    alone = plan(limit(**words), channels=(channel(max_gap_ms=GAP),))
    beside = replace(
        alone,
        channels=(*alone.channels, channel("second.vapour", asset="second", max_gap_ms=GAP)),
        assets=(*alone.assets, AssetPlan("second", "dry_shipper", profile="test", stage="transport")),
    )
    end = max(readings[-1].t, others[-1].t)
    one, two = fed(Bench(alone), readings), Bench(beside)
    one.run(end)
    both = [(r.t, i, "box.vapour", r) for i, r in enumerate(readings)]
    both += [(r.t, i, "second.vapour", r) for i, r in enumerate(others)]
    for at_ms, i, name, r in sorted(both, key=lambda each: (each[0], each[2], each[1])):
        two.run(at_ms - 1)
        reading = fact(r, i)
        assert isinstance(reading, Reading)
        two.add(replace(reading, channel=name))
    two.run(end)
    assert truth(two, "above") == truth(one, "above")
    mine = [[(at, a) for at, a in bench.said if a.alarm == "box/vapour/above"] for bench in (one, two)]
    assert [(at, a.kind, a.since_ms, a.due_ms) for at, a in mine[0]] == [
        (at, a.kind, a.since_ms, a.due_ms) for at, a in mine[1]
    ]


@given(series(), rules(), st.lists(st.integers(0, 10_000), max_size=10))
def test_a_bad_reading_never_ends_an_excursion(
    readings: list[R], words: dict[str, Any], bad: list[int]
) -> None:
    """Wherever BAD readings stand: an excursion ends at a GOOD reading, and BAD ones alone begin none."""
    mixed = sorted([*readings, *(R(T0 + second * 1000, None) for second in bad)], key=lambda r: r.t)
    bench = fed(Bench(plan(limit(**words), channels=(channel(max_gap_ms=GAP),))), mixed)
    good = {r.t for r in mixed if r.v is not None and not r.doubt}
    measured = {r.t for r in mixed if r.v is not None}
    for start, _, end in truth(bench, "above"):
        assert start in measured
        assert end is None or end in good
