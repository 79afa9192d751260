"""A gateway signs its journal, a broker takes the head, and somebody who kept it sees a cut tail."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from coldchain import facts
from coldchain.evidence import heads
from coldchain.evidence.keys import Key
from coldchain.facts import HeadPublished, HeadSigned
from coldchain.journal import Reader
from tests.integration.gateways import Printer, Site, assert_equal, read, running, until
from tests.integration.test_sink_mqtt import PREFIX, Board
from tests.servers import Mosquitto

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SINK = f'[sinks.board]\nkind = "mqtt_state"\nbroker = "local"\ntopic_prefix = "{PREFIX}"\n'


def test_the_head_leaves_the_house(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """The retained message under PREFIX/head is an anchor as it is; that the broker took it is a fact."""
    key = Key.make(tmp_path / "evidence.key")
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port).broker(mosquitto.port)
        site.part("board", SINK).part("evidence", '[evidence]\nkey_file = "evidence.key"\n')
        with running(site):
            until(lambda: "head" in Board(mosquitto.port).read(), "the head is on the board")
            until(lambda: bool(read(site.journal).of(HeadPublished)), "and the journal knows it")
            kept = Board(mosquitto.port).read()["head"]
    history = read(site.journal)
    (head,) = history.of(HeadSigned)
    assert facts.decode(json.dumps(kept).encode()) == head
    (published,) = history.of(HeadPublished)
    assert (published.commit, published.to) == (head.commit, "board")
    with Reader.open(site.journal) as journal:
        found = heads.audit(journal, key.public, [head])
        assert (found.heads, found.covered, found.problems) == (1, head.commit, ())
    assert_equal(site.journal)


def test_without_its_key_it_watches_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A key that cannot be read is said aloud, with the mend; readings and alarms go on."""
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port)
        site.part("evidence", '[evidence]\nkey_file = "no.key"\n')
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            printer.say(-180.0, daemon.clock.utc_ms())
            until(lambda: bool(read(site.journal).readings("box-one.vapour")), "the reading")
    assert "the journal is not signed" in caplog.text
    assert read(site.journal).of(HeadSigned) == []
