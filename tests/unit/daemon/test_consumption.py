"""What the process takes of its machine, as the system itself tells it."""

from __future__ import annotations

import os
import resource
from contextlib import ExitStack
from pathlib import Path

import pytest

from coldchain.daemon import consumption

MIB = 1 << 20


def test_memory_is_what_is_resident_of_what_the_machine_has() -> None:
    """A block that is taken is seen, and there is less of it than the machine has."""
    before = consumption.memory()
    block = b"\1" * (64 * MIB)
    after = consumption.memory()
    assert before is not None
    assert after is not None
    assert after.used - before.used > 60 * MIB, len(block)
    assert before.at_most == after.at_most > after.used


def test_each_open_file_counts() -> None:
    """Of as many as the process may open without asking for more (the soft limit)."""
    with ExitStack() as ends:
        before = consumption.files()
        for _ in range(3):
            ends.enter_context(Path(os.devnull).open("rb"))
        after = consumption.files()
    assert before is not None
    assert after is not None
    assert after.used == before.used + 3
    assert after.at_most == resource.getrlimit(resource.RLIMIT_NOFILE)[0]


@pytest.mark.parametrize(
    ("limits", "at_most"),
    [
        pytest.param({"a/b/memory.max": "1000", "a/memory.max": "max"}, 1000, id="its own group's"),
        pytest.param(
            {"a/b/memory.max": "1000", "a/memory.max": "700"}, 700, id="a group around it allows less"
        ),
        pytest.param({"a/b/memory.max": "max", "a/b/memory.high": "600"}, 600, id="where it is slowed down"),
        pytest.param({"other/memory.max": "1"}, None, id="another's is nothing to it"),
        pytest.param({"a/b/memory.max": "max"}, None, id="no limit"),
        pytest.param({"a/b/memory.max": ""}, None, id="unreadable"),
    ],
)
def test_a_control_group_allows_less_than_the_machine_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limits: dict[str, str], at_most: int | None
) -> None:
    """The least of what the groups around a process allow counts (systemd: MemoryMax, MemoryHigh)."""
    process, groups = tmp_path / "process", tmp_path / "groups"
    process.mkdir()
    (process / "statm").write_text("900 5 3 1 0 1 0\n", encoding="ascii")
    (process / "cgroup").write_text("1:name=old:/a\n0::/a/b\n", encoding="ascii")
    for name, text in limits.items():
        (groups / name).parent.mkdir(parents=True, exist_ok=True)
        (groups / name).write_text(f"{text}\n", encoding="ascii")
    monkeypatch.setattr(consumption, "_PROCESS", process)
    monkeypatch.setattr(consumption, "_GROUPS", groups)
    page = os.sysconf("SC_PAGE_SIZE")
    whole = os.sysconf("SC_PHYS_PAGES") * page
    assert consumption.memory() == consumption.Taken(5 * page, whole if at_most is None else at_most)


def test_what_cannot_be_asked_is_not_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No `/proc`, or no limit at all: nothing is measured, and nothing raises."""
    monkeypatch.setattr(resource, "getrlimit", lambda what: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert consumption.files() is None
    monkeypatch.setattr(consumption, "_PROCESS", tmp_path)
    assert consumption.memory() is None
    assert consumption.files() is None
