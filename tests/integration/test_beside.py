"""Copies and exports of a journal while its daemon takes readings in and lets old ones go."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from coldchain.clock import SystemClock
from coldchain.daemon import retention
from coldchain.evidence import check_export
from coldchain.evidence.keys import Key
from coldchain.journal import Reader, verify_chain
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import verify
from tests.integration.gateways import COLDCHAIN, Printer, Site, read, running, until
from tests.unit.daemon.retained import DAY, HOUR, House
from tests.unit.pipeline.fake_clock import HandClock

pytestmark = [pytest.mark.slow]


def coldchain(*words: object) -> subprocess.Popen[bytes]:
    """A command in a process of its own, as a person gives it."""
    command = [str(COLDCHAIN), *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL)


def test_backup_and_export_beside_a_daemon_that_removes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each copy is whole, each export checks, whatever is committed or removed meanwhile."""
    monkeypatch.setattr(retention, "PIECE_FACTS", 200)
    key = Key.make(tmp_path / "evidence.key")
    site = Site(tmp_path)
    old = House(site.journal, key=None, clock=HandClock(SystemClock().utc_ms() - 8 * DAY - HOUR))
    old.activate()
    old.days(8)
    old.end()
    with Printer(tmp_path / "one") as printer:
        site.profile().ascii("one", printer.port)
        site.part("evidence", '[evidence]\nkey_file = "evidence.key"\n')
        site.part("retention", '[retention]\nreadings = "2 d"\n')
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            gone: list[int] = []
            for turn in range(2):
                jobs = {
                    name: coldchain(word, site.journal, tmp_path / name)
                    for word, name in (("backup", f"{turn}.backup"), ("export", f"{turn}.jsonl"))
                }
                while any(job.poll() is None for job in jobs.values()):
                    printer.say(-180.0 - turn, daemon.clock.utc_ms())
                    daemon._retention.look()  # as housekeeping does, more often
                    daemon._retention.wait(10)
                for name, job in jobs.items():
                    assert job.wait() == 0, name
                with Reader.open(tmp_path / f"{turn}.backup") as copy:
                    chain = verify_chain(copy)
                assert chain.intact, chain.first
                gone.append(chain.removed)
                export = check_export.Export(key.public)
                with (tmp_path / f"{turn}.jsonl").open("rb") as lines:
                    for line in lines:
                        export.line(json.loads(line))
                export.finish()
            until(lambda: len(read(site.journal).readings("box-one.vapour")) > 3, "readings came in")
    with Reader.open(site.journal) as journal:
        found = verify(journal, engine())
    assert found.sound, found
    assert found.chain.removed > 500
    assert gone == sorted(gone)
