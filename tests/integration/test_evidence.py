"""A gateway signs its journal, a broker takes the head, and somebody who kept it sees a cut tail."""

from __future__ import annotations

import itertools
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
from tests.servers import Mosquitto, Peer

pytestmark = [pytest.mark.servers, pytest.mark.slow]

SINK = f'[sinks.board]\nkind = "mqtt_state"\nbroker = "local"\ntopic_prefix = "{PREFIX}"\n'


def test_heads_leave_the_house_on_a_schedule(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """Not one for each start: a newer one follows, which covers more. Each message under PREFIX/head is an
    anchor as it is, the newest is retained, and that the broker took it is a fact."""
    key = Key.make(tmp_path / "evidence.key")
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port).broker(mosquitto.port)
        evidence = '[evidence]\nkey_file = "evidence.key"\nevery = "1 s"\n'
        site.part("board", SINK).part("evidence", evidence)
        with Peer(mosquitto.port, subscribe=[f"{PREFIX}/head"]) as outside:
            with running(site):
                until(lambda: len(read(site.journal).of(HeadPublished)) >= 2, "two heads were taken")
            kept = facts.decode(json.dumps(Board(mosquitto.port).read()["head"]).encode())
            until(lambda: facts.decode(outside.messages[-1].payload) == kept, "who listens has it, too")
            anchors = [facts.decode(message.payload) for message in outside.messages]
    history = read(site.journal)
    signed = history.of(HeadSigned)
    published = history.of(HeadPublished)
    assert len(anchors) >= 2
    assert set(anchors) <= set(signed)
    assert {one.to for one in published} == {"board"}
    assert {(one.commit, one.link) for one in published} <= {(head.commit, head.link) for head in anchors}
    assert all(
        before.commit < after.commit and before.position < after.position
        for before, after in itertools.pairwise(anchors)
    ), "each covers more than the one before"
    with Reader.open(site.journal) as journal:
        found = heads.audit(journal, key.public, anchors)
        assert (found.heads, found.covered, found.problems) == (len(signed), signed[-1].commit, ())
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
