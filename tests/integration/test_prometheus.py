"""A limit held for a time, judged by Prometheus itself: `promtool test rules` on random series.

Where the two semantics coincide (docs/semantics.md, section 10) they must say the same at every minute:
readings at each evaluation, none missing, none BAD, `fires = on_reading`, no deadband. The rest of the file
shows the differences that the document names, each as Prometheus has it and as we have it.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import replace

from coldchain.announcements import Kind
from coldchain.model import Side
from coldchain.plan import Fires, Limit, Outside
from tests.servers.programs import Program
from tests.unit.fold.bench import MIN, T0, Bench, limit, plan

COMPARED = {
    (Side.ABOVE, Outside.BEYOND): ">",
    (Side.ABOVE, Outside.AT_OR_BEYOND): ">=",
    (Side.BELOW, Outside.BEYOND): "<",
    (Side.BELOW, Outside.AT_OR_BEYOND): "<=",
}


class Case(Struct, frozen=True):
    """One limit and one series, a value a minute; None: nothing came."""

    side: Side
    outside: Outside
    hold_min: int
    off_delay_min: int
    values: tuple[float | None, ...]

    def rule(self, **more: Any) -> Limit:
        """As we judge it."""
        words: dict[str, Any] = {
            "side": self.side,
            "outside": self.outside,
            "hold_ms": self.hold_min * MIN,
            "off_delay_ms": self.off_delay_min * MIN,
            "fires": Fires.ON_READING,
        }
        return limit("r", value=8, **(words | more))

    def alert(self, name: str) -> dict[str, Any]:
        """As Prometheus judges it."""
        rule = {
            "alert": name,
            "expr": f"{name} {COMPARED[self.side, self.outside]} 8",
            "for": f"{self.hold_min}m",
        }
        return rule | ({"keep_firing_for": f"{self.off_delay_min}m"} if self.off_delay_min else {})


def ours(case: Case, **more: Any) -> list[int]:
    """The minutes at whose end the alarm stands raised."""
    bench = Bench(plan(case.rule(**more)))
    bench.series(" ".join("_" if value is None else f"{value:.1f}" for value in case.values))
    changes = [((at - T0) / MIN, one.kind) for at, one in bench.said if one.rule == "r"]
    raised, minutes = False, []
    for minute in range(len(case.values)):
        for at, kind in changes:
            if minute - 1 < at <= minute and kind in (Kind.RAISED, Kind.RETURNED):
                raised = kind is Kind.RAISED
        if raised:
            minutes.append(minute)
    return minutes


def prometheus_says(promtool: Program, folder: Path, cases: list[Case], firing: list[list[int]]) -> str:
    """What promtool objects to in these minutes of firing; nothing: they are Prometheus's own."""
    rules = [case.alert(f"r{i}") for i, case in enumerate(cases)]
    tests = [
        {
            "interval": "1m",
            "input_series": [
                {"series": f"r{i}", "values": " ".join("_" if v is None else str(v) for v in case.values)}
            ],
            "alert_rule_test": [
                {
                    "eval_time": f"{minute}m",
                    "alertname": f"r{i}",
                    "exp_alerts": [{"exp_labels": {}}] if minute in fires else [],
                }
                for minute in range(len(case.values))
            ],
        }
        for i, (case, fires) in enumerate(zip(cases, firing, strict=True))
    ]
    # JSON is YAML.
    (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "g", "rules": rules}]}))
    suite = {"rule_files": ["rules.yml"], "evaluation_interval": "1m", "tests": tests}
    (folder / "tests.yml").write_text(json.dumps(suite))
    done = subprocess.run(
        [promtool.path, "test", "rules", "tests.yml"],
        check=False,
        cwd=folder,
        env=promtool.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    said = done.stdout + done.stderr
    assert (done.returncode == 0) is ("SUCCESS" in said), said
    return "" if done.returncode == 0 else said


# Values around the limit and on it, in stretches, so that holds are reached and missed by one reading.
VALUE = st.sampled_from([2.0, 7.9, 8.0, 8.1, 20.0])
STRETCH = st.tuples(VALUE, st.integers(1, 7))
SERIES = st.lists(STRETCH, min_size=1, max_size=12).map(
    lambda stretches: tuple(value for value, count in stretches for _ in range(count))
)
CASE = st.builds(
    Case,
    side=st.sampled_from(list(Side)),
    outside=st.sampled_from(list(Outside)),
    hold_min=st.sampled_from([0, 1, 3, 5]),
    off_delay_min=st.sampled_from([0, 0, 1, 3]),
    values=SERIES,
)


# One start of promtool takes longer than judging a hundred series, so each example is many of them.
@settings(max_examples=max(2, settings.default.max_examples // 100), suppress_health_check=list(HealthCheck))
@given(cases=st.lists(CASE, min_size=40, max_size=40))
def test_a_held_limit_is_what_prometheus_calls_for(
    cases: list[Case], promtool: Program, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """At every minute of every series the alarm stands raised exactly where Prometheus fires."""
    said = prometheus_says(promtool, tmp_path_factory.mktemp("rules"), cases, [ours(case) for case in cases])
    assert not said, said


def test_promtool_would_object(promtool: Program, tmp_path: Path) -> None:
    """One minute more or less than Prometheus fires is noticed: the comparison can fail."""
    case = Case(Side.ABOVE, Outside.BEYOND, 3, 0, (2.0, 9.0, 9.0, 9.0, 9.0, 9.0, 2.0))
    assert ours(case) == [4, 5]
    for wrong in ([4], [3, 4, 5], [4, 5, 6], []):
        assert "FAILED" in prometheus_says(promtool, tmp_path, [case], [wrong])


# Where they differ (docs/semantics.md, section 10)


def firing(promtool: Program, folder: Path, case: Case) -> list[int]:
    """The minutes at which Prometheus fires: those at which it objects to "nothing fires"."""
    said = prometheus_says(promtool, folder, [case], [[]])
    return [int(minute) for minute in re.findall(r"time: (\d+)m", said)]


HOT = Case(Side.ABOVE, Outside.BEYOND, 3, 0, ())


def test_silence_ends_an_alert_of_prometheus_and_none_of_ours(promtool: Program, tmp_path: Path) -> None:
    """Five minutes after the last sample the alert is gone; ours stands until a reading shows it is over."""
    case = replace(HOT, values=(2, 9, 9, 9, 9, *[None] * 10))
    assert firing(promtool, tmp_path, case) == [4, 5, 6, 7, 8, 9]
    assert ours(case) == list(range(4, 15))


def test_prometheus_counts_a_gap_as_the_value_before_it(promtool: Program, tmp_path: Path) -> None:
    """A hold may end in a gap by the last value; `on_reading` says nothing before the next one."""
    case = replace(HOT, values=(2, 9, 9, None, None, None, 2, 2))
    assert firing(promtool, tmp_path, case) == [4, 5]
    assert ours(case) == []
    assert ours(case, fires=Fires.AT_DUE) == [4, 5]


def test_a_hold_that_ends_with_the_reading_that_shows_it_is_over(promtool: Program, tmp_path: Path) -> None:
    """Three minutes outside, inside again at the fourth: only `at_due` calls that three minutes outside."""
    case = replace(HOT, values=(2, 9, 9, 9, 2, 2))
    assert firing(promtool, tmp_path, case) == []
    assert ours(case) == []
    announced = Bench(plan(case.rule(fires=Fires.AT_DUE)))
    announced.series("2 9 9 9 2 2")
    assert announced.told(Kind.RAISED) == ["raised r since 1 due 4"]


def test_prometheus_knows_no_deadband(promtool: Program, tmp_path: Path) -> None:
    """A value that swings about the limit fulfils no hold there; a deadband holds it together."""
    case = replace(HOT, values=(2, 9, 7.9, 9, 7.9, 9, 7.9, 9))
    assert firing(promtool, tmp_path, case) == []
    assert ours(case) == []
    assert ours(case, deadband=500) == [4, 5, 6, 7]
