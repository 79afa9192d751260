"""`coldchain demo` as somebody types it: it tells its story, proves it, and leaves when asked."""

from __future__ import annotations

import re
import signal
from pathlib import Path

import pytest

from coldchain.facts import Activated
from coldchain.model import Priority
from tests.integration.gateways import Child, assert_equal, read, until
from tests.servers.process import http_get

pytestmark = pytest.mark.slow

#: The demonstration's own deadline is shorter; this one is for the machine.
DEADLINE_S = 180


def test_the_story_is_told_and_proved(tmp_path: Path) -> None:
    """Within its own deadline: page, warning, critical alarm, "equal", exit status 0; all of it SIMULATED."""
    kept = tmp_path / "kept"
    with Child("demo", "--once", "--speed", 600, "--port", 0, "--keep", kept, log=tmp_path / "log") as demo:
        assert demo.wait(DEADLINE_S) == 0, demo.said
    said = demo.said
    assert re.search(r"page +http://127\.0\.0\.1:\d+/", said)
    assert "everything here is  SIMULATED" in said
    for word in ("HIGH      box-7/vapour/warming", "CRITICAL  box-7/vapour/too-warm", "UNAPPROVED PROFILE"):
        assert word in said, said
    assert said.count(" SIMULATED ") >= 4
    assert "folded again from nothing: equal" in said
    assert "Traceback" not in said
    assert not re.search(r"^(WARNING|ERROR|CRITICAL):", said, re.MULTILINE), "each alarm is told once"
    history = read(kept / "journal.db")
    assert all(source.simulated for fact in history.of(Activated) for source in fact.plan.sources)
    assert {Priority.HIGH, Priority.CRITICAL} <= {one.priority for one in history.raised()}
    # A machine that is too slow may say so of itself; that is neither simulated nor judged by a profile.
    boxes = [one for one in history.raised() if not one.alarm.startswith("gateway/")]
    assert all(one.simulated and one.unapproved for one in boxes)
    assert_equal(kept / "journal.db")

    with Child("demo", "--once", "--keep", kept, log=tmp_path / "again") as again:
        assert again.wait() == 1
    assert "holds the journal of an earlier demonstration; name another folder" in again.said


def test_it_leaves_when_asked(tmp_path: Path) -> None:
    """Ctrl-C, twice in a hurry: a polite word, exit status 0, and nothing left in the temporary folder."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    with Child("demo", "--port", 0, log=tmp_path / "log", environment={"TMPDIR": str(temporary)}) as demo:
        until(lambda: "box-7  −19" in demo.said or demo.process.poll() is not None, "the first values")
        address = re.search(r"http://127\.0\.0\.1:(\d+)/", demo.said)
        assert address is not None, demo.said
        assert http_get(int(address[1]), "/")[0] == 200
        assert list(temporary.iterdir())
        demo.signal(signal.SIGINT)
        demo.signal(signal.SIGINT)
        assert demo.wait() == 0, demo.said
    assert "ending; everything that came in is committed" in demo.said
    assert "Traceback" not in demo.said
    assert not list(temporary.iterdir())
