"""One idea a module: past 400 lines there is usually a second one in it."""

from __future__ import annotations

from pathlib import Path

from tests.house.tree import ROOT, modules

LINES_MAX = 400

# A module may be longer if somebody can say why it is still one idea; the reason stands here.
LONGER: dict[str, str] = {}


def lines(module: Path) -> int:
    """Length of a module in lines."""
    return len((ROOT / module).read_text(encoding="utf-8").splitlines())


def test_modules_hold_one_idea() -> None:
    """A module over the limit is split, or listed with its reason."""
    looked_at = modules("coldchain", "drivers", "simulators", "build_support", "benchmarks")
    assert looked_at
    long = {str(module): lines(module) for module in looked_at if lines(module) > LINES_MAX}
    assert {name: count for name, count in long.items() if not LONGER.get(name)} == {}


def test_no_reason_outlives_its_module() -> None:
    """A module that has become short again loses its exemption."""
    assert [name for name in LONGER if not (ROOT / name).exists() or lines(Path(name)) <= LINES_MAX] == []
