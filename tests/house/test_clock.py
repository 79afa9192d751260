"""Only `coldchain/clock.py` asks the system for time: whatever is judged can be judged again later."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.house.tree import ROOT, modules

MAY_ASK = Path("coldchain/clock.py")
# datetime and date methods that read the clock, and functions outside `time` that do.
READS_CLOCK = {"now", "utcnow", "today"}
READS_CLOCK_ANYWHERE = {
    "clock_gettime",
    "clock_gettime_ns",
    "localtime",
    "monotonic",
    "monotonic_ns",
    "perf_counter",
    "perf_counter_ns",
    "time_ns",
    "uuid1",
}
OWN_CLOCK = {"clock", "_clock"}


def clock_reads(source: str) -> list[tuple[int, str]]:
    """Line and words of every place in `source` where the system is asked for the time."""
    found = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names) if any(name.name == "time" for name in names):
                found.append((node.lineno, "import time"))
            case ast.ImportFrom(module="time"):
                found.append((node.lineno, "from time import"))
            case ast.Call(func=ast.Attribute(value=owner, attr=attr)) if _asks(owner, attr):
                found.append((node.lineno, ast.unparse(node.func)))
    return sorted(found)


def _asks(owner: ast.expr, attr: str) -> bool:
    name = owner.attr if isinstance(owner, ast.Attribute) else owner.id if isinstance(owner, ast.Name) else ""
    if name in OWN_CLOCK:
        return False
    return attr in READS_CLOCK_ANYWHERE or (attr in READS_CLOCK and name in {"datetime", "date", "dt"})


@pytest.mark.parametrize("module", [m for m in modules("coldchain", "drivers") if m != MAY_ASK], ids=str)
def test_only_the_clock_asks_for_time(module: Path) -> None:
    """A module that needs the time is handed it, or is handed the clock."""
    assert clock_reads((ROOT / module).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "found"),
    [
        pytest.param("import time", [(1, "import time")], id="the module itself"),
        pytest.param("import time as t", [(1, "import time")], id="under another name"),
        pytest.param("from time import monotonic", [(1, "from time import")], id="one name of it"),
        pytest.param(
            "import datetime\ndatetime.datetime.now()", [(2, "datetime.datetime.now")], id="datetime.now"
        ),
        pytest.param("from datetime import date\ndate.today()", [(2, "date.today")], id="date.today"),
        pytest.param("x.now(tz)", [], id="somebody else's now"),
        pytest.param("self._clock.monotonic()", [], id="the clock one was handed"),
    ],
)
def test_the_rule_sees(source: str, found: list[tuple[int, str]]) -> None:
    """The rule is worth what it sees: each way of asking is found, the clock that was handed in is not."""
    assert clock_reads(source) == found
