"""A gateway that runs speaks of its own health, and its journal says the same when it is folded again."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.announcements import Kind
from coldchain.daemon.health import HealthWatch
from tests.integration.gateways import Printer, Site, assert_equal, running, standing, until
from tests.integration.gateways import read as recorded

#: Nobody listens there: the discard service needs root, and no machine of ours runs it.
NOWHERE = "http://127.0.0.1:9/"


def at_once(watch: HealthWatch) -> None:
    """Two looks of a watch that waits for nothing: one sees it, one finds that it has lasted."""
    watch.wait_s = watch.calm_s = 0.0
    watch.look()
    watch.look()


def test_its_own_alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk half full and a receiver that is not there are said; another limit ends the first."""
    monkeypatch.setattr("coldchain.daemon.health.shutil.disk_usage", lambda folder: (1_000, 500, 500))
    health = '[health]\ndisk_free = "{}"\nsink = "1 ms"\n'
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port).webhook(NOWHERE)
        site.part("health", health.format("60 %")).write()
        with running(site) as daemon:

            def said() -> bool:
                at_once(daemon.health)
                return {"gateway/disk", "gateway/sink-room"} <= set(standing(daemon))

            until(said, "the disk and the sink are said")
            site.part("health", health.format("0.01 %")).write()
            assert daemon.reload()

            def over() -> bool:
                at_once(daemon.health)
                return not daemon.writer.fold.desk.condition("gateway/disk")

            until(over, "the disk is well again")
    said_of_it = [one.what.kind for one in recorded(site.journal).said if one.what.alarm == "gateway/disk"]
    assert said_of_it == [Kind.RAISED, Kind.RETURNED], "once each, however often it is measured"
    assert_equal(site.journal)
