"""A gateway that runs speaks of its own health, and its journal says the same when it is folded again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import apsw
import pytest

from coldchain.announcements import Kind
from coldchain.daemon.health import HealthWatch
from tests.integration.gateways import Printer, Site, assert_equal, running, standing, until
from tests.integration.gateways import read as recorded

#: Nobody listens there: the discard service needs root, and no machine of ours runs it.
NOWHERE = "http://127.0.0.1:9/"


@contextmanager
def stranger_reading(journal: Path) -> Iterator[None]:
    """Another program whose transaction does not end: the log cannot be copied back."""
    connection = apsw.Connection(str(journal), flags=apsw.SQLITE_OPEN_READONLY)
    connection.execute("BEGIN")
    assert list(connection.execute("SELECT count(*) > 0 FROM facts")) == [(1,)]
    try:
        yield
    finally:
        connection.close()


def at_once(watch: HealthWatch) -> None:
    """Two looks of a watch that waits for nothing: one sees it, one finds that it has lasted."""
    watch.wait_s = watch.calm_s = 0.0
    watch.look()
    watch.look()


def test_its_own_alarms(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk half full, a receiver that is not there, a log that only grows; another limit ends the first."""
    monkeypatch.setattr("coldchain.daemon.health.shutil.disk_usage", lambda folder: (1_000, 500, 500))
    health = '[health]\ndisk_free = "{}"\nsink = "1 ms"\nlog = "16 MiB"\n'
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port).webhook(NOWHERE)
        site.part("health", health.format("60 %")).write()
        with running(site) as daemon, stranger_reading(site.journal):
            large = bytes(17 << 20)
            daemon.writer.later(lambda: daemon.journal.save_checkpoint(1, "another", large))

            def said() -> bool:
                at_once(daemon.health)
                return {"gateway/disk", "gateway/sink-room", "gateway/log"} <= set(standing(daemon))

            until(said, "the disk, the sink and the log are said")
            site.part("health", health.format("0.01 %")).write()
            assert daemon.reload()

            def over() -> bool:
                at_once(daemon.health)
                return not daemon.writer.fold.desk.condition("gateway/disk")

            until(over, "the disk is well again")
    said_of_it = [one.what.kind for one in recorded(site.journal).said if one.what.alarm == "gateway/disk"]
    assert said_of_it == [Kind.RAISED, Kind.RETURNED], "once each, however often it is measured"
    assert_equal(site.journal)
