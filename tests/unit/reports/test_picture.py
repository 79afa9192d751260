"""Pictures: nothing that was measured vanishes, nothing is said by colour alone, the same bytes each time."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from coldchain.cli.main import main
from coldchain.fold.coverage import coverage
from coldchain.model import Reason, Side
from coldchain.reports.axes import time_ticks, value_ticks
from coldchain.reports.judging import Judging
from coldchain.reports.picture import draw
from coldchain.reports.pictured import LimitLine, Mark, Panel, Picture, Stretch
from coldchain.reports.png import CannotDraw, png
from coldchain.reports.replay_picture import picture_of
from coldchain.reports.statistics import Gap, Point, statistics
from coldchain.reports.stretches import spent
from tests.unit.fold.bench import MIN, T0, Bench, budget, channel, plan
from tests.unit.reports.support import START, report

GOLDEN = Path(__file__).parent / "golden"
SVG = "{http://www.w3.org/2000/svg}"
param = pytest.param


def panel(points: list[Point], gaps: list[Gap] | None = None, **more: Any) -> Panel:
    """A panel over its points."""
    ends = {"from_ms": points[0].at_ms, "to_ms": points[-1].at_ms}
    return Panel("T", "temperature", points=points, gaps=gaps or [], **(ends | more))


def drawn(*panels: Panel, **more: Any) -> ET.Element:
    """The picture, parsed."""
    return ET.fromstring(draw(Picture("it", UTC, panels, **more)))


def curve(root: ET.Element) -> list[list[tuple[float, float]]]:
    """The strokes of the curve, each as its corners."""
    return [
        [tuple(map(float, corner.split())) for corner in path.attrib["d"].replace("L", "M").split("M")[1:]]  # type: ignore[misc]
        for path in root.iter(f"{SVG}path")
        if path.get("stroke") == "#14385c" and path.get("stroke-linejoin")
    ]


@given(st.lists(st.integers(-200_000, 40_000), min_size=2, max_size=120), st.integers(1, 5_000))
def test_no_peak_vanishes(values: list[int], step_s: int) -> None:
    """The highest and the lowest reading are as far apart in the picture as they were, whatever its width."""
    points = [Point(START + i * step_s * 1000, value) for i, value in enumerate(values)]
    (stroke,) = curve(drawn(panel(points)))
    ys = [y for _, y in stroke]
    low, high = min(values), max(values)
    room = max((high - low) // 12, 500)
    scale = 270 / (high - low + 2 * room)
    assert max(ys) - min(ys) == pytest.approx((high - low) * scale, abs=0.21)


def test_a_spike_of_one_reading_among_100_000() -> None:
    """One reading in a column of a hundred is drawn to its full height."""
    points = [Point(START + i * 1000, 5000) for i in range(100_000)]
    points[50_000] = Point(START + 50_000_000, 21_000)
    (stroke,) = curve(drawn(panel(points)))
    assert min(y for _, y in stroke) == pytest.approx(
        270 / (16_000 + 2 * 1333) * 1333 + _top(panel(points)), abs=1
    )
    assert len(stroke) < 4 * 800


def _top(one: Panel) -> float:
    """Where the plot's frame begins."""
    frame = next(rect for rect in drawn(one).iter(f"{SVG}rect") if rect.get("fill") == "none")
    return float(frame.attrib["y"])


def test_a_gap_breaks_the_curve_and_is_hatched() -> None:
    """Nothing is drawn across time that nobody watched."""
    points = [Point(START + i * MIN, 5000) for i in (0, 1, 2, 30, 31)]
    root = drawn(panel(points, [Gap(START + 5 * MIN, START + 30 * MIN)]))
    assert [len(stroke) for stroke in curve(root)] == [3, 2]
    assert (
        len([rect for rect in root.iter(f"{SVG}rect") if rect.get("fill") == "url(#unwatched)"]) == 2
    )  # + legend


def test_bad_and_doubtful_readings_have_signs_of_their_own() -> None:
    """A cross at the foot, a ring on the curve; the legend tells both."""
    points = [
        Point(START, 5000),
        Point(START + 10 * MIN, None, Reason.SENSOR_OPEN, good=False),
        Point(START + 20 * MIN, 6000, Reason.UNSTABLE, good=False),
        Point(START + 30 * MIN, 5000),
    ]
    root = drawn(panel(points))
    crosses = [path for path in root.iter(f"{SVG}path") if path.attrib["d"].endswith("l6 6m0 -6l-6 6")]
    rings = [circle for circle in root.iter(f"{SVG}circle") if circle.get("fill") == "#fff"]
    assert (len(crosses), len(rings)) == (2, 2)
    said = " ".join(text.text or "" for text in root.iter(f"{SVG}text"))
    assert "reading without a value" in said
    assert "doubtful reading" in said


def test_nothing_is_said_by_colour_alone() -> None:
    """What alarmed is solid and what did not is hollow; limits on either side differ in their dashes."""
    points = [Point(START + i * MIN, 5000) for i in range(60)]
    root = drawn(
        panel(
            points,
            limits=[
                LimitLine("warm", 8000, Side.ABOVE, "above 8.0 °C"),
                LimitLine("cold", 2000, Side.BELOW, "below 2.0 °C"),
            ],
            stretches=[
                Stretch("warm", START, START + 9 * MIN, alarmed=True),
                Stretch("warm", START + 20 * MIN, START + 29 * MIN, alarmed=False),
            ],
        )
    )
    bars = [
        rect for rect in root.iter(f"{SVG}rect") if rect.get("height") == "9" and rect.get("width") != "22"
    ]
    assert {bar.get("fill") for bar in bars} == {"#8c1d18", "#fff"}
    assert {bar.get("stroke") for bar in bars} == {"#8c1d18"}
    dashes = {
        line.get("stroke-dasharray") for line in root.iter(f"{SVG}line") if line.get("stroke") == "#8c1d18"
    }
    assert dashes == {"9 4", "3 3"}


def test_a_limit_far_away_is_named_at_the_edge() -> None:
    """It presses no curve into a line, and is not left out."""
    points = [Point(START + i * MIN, -190_000 + i) for i in range(60)]
    root = drawn(panel(points, limits=[LimitLine("too-warm", -135_000, Side.ABOVE, "above −135.0 °C")]))
    assert "▲ too-warm: above −135.0 °C" in [text.text for text in root.iter(f"{SVG}text")]


def test_names_of_limits_keep_clear_of_each_other() -> None:
    """Ten limits on one spot are ten lines to read."""
    points = [Point(START + i * MIN, 5000) for i in range(60)]
    limits = [LimitLine(f"rule-{i}", 8000, Side.ABOVE, "above 8.0 °C") for i in range(10)]
    root = drawn(panel(points, limits=limits))
    ys = [
        float(text.attrib["y"]) for text in root.iter(f"{SVG}text") if (text.text or "").startswith("rule-")
    ]
    assert len(ys) == 10
    assert min(after - before for before, after in zip(sorted(ys), sorted(ys)[1:], strict=False)) >= 12


def test_a_crowd_of_alarms_stays_legible() -> None:
    """Neighbouring numbers are drawn together, many are counted."""
    points = [Point(START + i * MIN, 5000) for i in range(600)]
    marks = [Mark(START + (100 + i) * MIN, f"alarm {i}") for i in range(20)]
    said = [text.text for text in drawn(panel(points, marks=marks)).iter(f"{SVG}text")]
    assert "1–20" in said
    assert "and 8 more" in said


def test_hostile_names_are_text() -> None:
    """A column called like markup, or holding control codes, is shown as text."""
    root = drawn(panel([Point(START, 1), Point(START + MIN, 2)]), lines=["</svg><script>\x1b[2J\x00"])
    assert not list(root.iter(f"{SVG}script"))
    assert "</svg><script>" in "".join(text.text or "" for text in root.iter(f"{SVG}text"))


@pytest.mark.parametrize(
    ("points", "title"),
    [
        param([Point(START, None, Reason.SENSOR_OPEN, good=False)], "no value at all", id="no value at all"),
        param([Point(START, 5000)], "one reading", id="one reading"),
        param([Point(START, 5000), Point(START, 5000)], "one instant", id="one instant"),
        param([Point(START + i, -(2**40)) for i in range(3)], "far out", id="far out"),
    ],
)
def test_little_to_draw(points: list[Point], title: str) -> None:
    """Whatever there is, the picture is whole."""
    assert drawn(panel(points, [Gap(START, START, closed=False)])).tag == f"{SVG}svg", title


# --- Axes -------------------------------------------------------------------------------------

ZURICH = ZoneInfo("Europe/Zurich")


def ms(text: str) -> int:
    """An instant."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(
    ("begin", "end", "zone", "says"),
    [
        param(
            "2026-03-01T06:00Z",
            "2026-03-01T08:00Z",
            UTC,
            ["06:00/2026-03-01", "06:15", "06:30", "06:45", "07:00", "07:15", "07:30", "07:45", "08:00"],
            id="quarters of an hour",
        ),
        param(
            "2026-03-28T20:00+01:00",
            "2026-03-29T05:00+02:00",
            ZURICH,
            [
                "20:00/2026-03-28",
                "21:00",
                "22:00",
                "23:00",
                "00:00/2026-03-29",
                "01:00",
                "03:00",
                "04:00",
                "05:00",
            ],
            id="the hour that a change of the clock leaves out",
        ),
        param(
            "2026-10-24T22:00+02:00",
            "2026-10-25T05:00+01:00",
            ZURICH,
            ["22:00/2026-10-24", "23:00", "00:00/2026-10-25", "01:00", "02:00", "03:00", "04:00", "05:00"],
            id="the hour that it repeats",
        ),
        param(
            "2026-03-01T00:00Z",
            "2026-03-08T00:00Z",
            UTC,
            [f"2026-03-0{day}" for day in range(1, 9)],
            id="days",
        ),
        param(
            "2026-03-01T00:00:00Z",
            "2026-03-01T00:00:10Z",
            UTC,
            ["00:00:00/2026-03-01", *(f"00:00:0{second}" for second in range(1, 10)), "00:00:10"],
            id="seconds",
        ),
    ],
)
def test_time_ticks(begin: str, end: str, zone: Any, says: list[str]) -> None:
    """Round times of the clock on the wall there."""
    ticks = time_ticks(ms(begin), ms(end), zone, 10)
    assert [tick.text + (f"/{tick.day}" if tick.day else "") for tick in ticks] == says


@given(
    st.integers(0, 2**42),
    st.integers(1, 2**37),
    st.sampled_from([UTC, ZURICH, ZoneInfo("Australia/Lord_Howe")]),
)
def test_time_ticks_of_any_span(begin: int, span: int, zone: Any) -> None:
    """In order, within the span, and never too many."""
    ticks = [tick.at_ms for tick in time_ticks(begin, begin + span, zone, 10)]
    assert ticks == sorted(set(ticks))
    assert all(begin <= at <= begin + span for at in ticks)
    assert len(ticks) <= 26


@given(st.integers(-(2**39), 2**39), st.integers(1, 2**39), st.sampled_from([10, 100, 1000, 10_000]))
def test_value_ticks_of_any_span(low: int, span: int, per_display: int) -> None:
    """In order, within the span, and never too many."""
    ticks = value_ticks(low, low + span, per_display, 7)
    assert ticks == sorted(set(ticks))
    assert all(low <= value <= low + span for value in ticks)
    assert len(ticks) <= 8


# --- Of a replay ------------------------------------------------------------------------------


def golden() -> str:
    """A small replay with everything in it."""
    found = report("5 9 9 9 9 bad bad 5 _ _ _ _ 5 1.5 5", simulated=True)
    return draw(picture_of(found, "coldchain 1.2.3, engine 0123"))


def test_the_golden_picture() -> None:
    """The picture of a small replay, to the byte. After a change that is meant: look at it, then keep it."""
    assert golden() == (GOLDEN / "replay.svg").read_text(encoding="utf-8")


def test_stamps_go_on_the_picture() -> None:
    """Who sees only the picture sees that nothing was measured, and that nobody approved the limits."""
    said = golden()
    assert ">SIMULATED<" in said
    assert ">UNAPPROVED LIMITS<" in said
    assert ">OUTSIDE: log.csv<" in said


@pytest.mark.parametrize(
    ("given", "pieces"),
    [
        param("-160 -149 -149 -160 -149 -160", [(1, 3), (4, 5)], id="two pieces"),
        param("-160 -149 -149", [(1, 2)], id="one that is open"),
        param("-160 -149 bad -149 -160", [(1, 4)], id="BAD ends nothing"),
        param("-160 -160", [], id="nothing"),
    ],
)
def test_a_budget_is_drawn_where_it_was_spent(given: str, pieces: list[tuple[int, int]]) -> None:
    """Its interval is one, from the first time outside; its bars are the time outside."""
    bench = Bench(plan(budget()))
    bench.series(given)
    found = statistics(channel(), bench.facts)
    end_ms = found.points[-1].at_ms
    cut = [(a - T0, b - T0) for a, b in spent(budget(), found.points, 30 * MIN, end_ms)]
    assert cut == [(a * MIN, b * MIN) for a, b in pieces]


@pytest.mark.parametrize(
    "given", ["-160x60", "-160x10 _x40 -160x10", "-160x10 bad -160x10", "-160 ?-160x9 -160", "bad -160x3"]
)
def test_a_replay_s_coverage_is_the_fold_s(given: str) -> None:
    """Two ways to the same number: GOOD time over product time, from the readings and from the fold."""
    bench = Bench(plan())
    bench.series(given)
    judging = Judging()
    for at_ms, fact in bench.facts:
        judging.feed(at_ms, fact)
    found = statistics(channel(), bench.facts)
    covered = coverage(judging.fold.places["box/vapour"].track, found.points[-1].at_ms)
    assert (covered.good_ms, covered.product_ms) == (found.good_ms, found.product_ms)


# --- Files ------------------------------------------------------------------------------------

LOG = "time (UTC),Temperature (°C)\n" + "".join(
    f"2026-03-01T06:{minute:02}:00Z,5.0\n" for minute in range(60)
)


def replay(folder: Path, out: str) -> Any:
    """`coldchain replay --plot OUT`."""
    log = folder / "log.csv"
    log.write_text(LOG, encoding="utf-8")
    command = ["replay", str(log), "--above", "8", "--plot", str(folder / out)]
    return CliRunner().invoke(main, command, prog_name="coldchain")


#: Whether this machine has a font at all: a bare Debian has none.
HAS_FONT = any(
    path.suffix.lower() in {".ttf", ".ttc", ".otf"}
    for folder in ("/usr/share/fonts", "/usr/local/share/fonts", Path.home() / ".fonts")
    for path in Path(folder).rglob("*")
)


def test_svg_and_png_are_written(tmp_path: Path) -> None:
    """The ending says which; a PNG is twice as fine, for paper. Where no font is, it says what to install."""
    assert replay(tmp_path, "out.svg").exit_code == 0
    drawn = replay(tmp_path, "out.png")
    if not HAS_FONT:
        assert drawn.exit_code == 64
        assert "apt-get install fonts-dejavu-core" in drawn.output
        return
    assert drawn.exit_code == 0
    root = ET.fromstring((tmp_path / "out.svg").read_text(encoding="utf-8"))
    data = (tmp_path / "out.png").read_bytes()
    assert data.startswith(b"\x89PNG\r\n\x1a\n")
    assert int.from_bytes(data[16:20], "big") == 2 * int(root.attrib["width"])


@pytest.mark.parametrize(
    ("out", "says"),
    [
        param("out.pdf", "ends neither in .svg nor in .png", id="another ending"),
        param("no-such-folder/out.svg", "cannot be written", id="no such folder"),
    ],
)
def test_what_cannot_be_written(tmp_path: Path, out: str, says: str) -> None:
    """An error of usage, not a verdict."""
    done = replay(tmp_path, out)
    assert done.exit_code == 64
    assert says in " ".join(done.stderr.split())


def test_without_what_draws_png(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error says what to install, and that SVG needs nothing."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    done = replay(tmp_path, "out.png")
    assert done.exit_code == 64
    assert "install coldchain[png], or write a .svg" in " ".join(done.stderr.split())
    assert replay(tmp_path, "out.svg").exit_code == 0


def test_without_a_font(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture without words is not made in silence."""
    import resvg_py

    real = resvg_py.svg_to_bytes

    def no_fonts(**given: Any) -> bytes:
        return bytes(real(**given, skip_system_fonts=True))

    monkeypatch.setattr(resvg_py, "svg_to_bytes", no_fonts)
    with pytest.raises(CannotDraw, match="fonts-dejavu-core"):
        png(golden())
