"""The page of a running daemon: in a real browser from end to end, and what stands against serving it."""

from __future__ import annotations

import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from coldchain.clock import SystemClock
from coldchain.config.load import load
from coldchain.daemon.daemon import Daemon
from coldchain.daemon.errors import DaemonError
from coldchain.facts import Acknowledged
from coldchain.journal import Reader
from coldchain.web.settings import PageSettings
from tests.integration.gateways import Printer, Site, assert_equal, read, running, until
from tests.servers import free_port
from tests.servers.process import http_get

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.slow

ALARM = "box-one/vapour/above"


def test_an_alarm_is_acknowledged_on_the_page(page: Page, tmp_path: Path) -> None:
    """A warm probe, an alarm on the open page, a key and a word; the word stands in the journal."""
    from playwright.sync_api import expect

    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile(hold="1 s").ascii("one", printer.port)
        settings = PageSettings(port=0, users_file=tmp_path / "users.json", heartbeat_ms=500)
        with running(site, page=settings) as daemon:
            assert daemon.page is not None
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            printer.say(-180.0, time.time_ns() // 1_000_000)
            page.goto(daemon.page.url)
            expect(page.locator("[data-link=live]")).to_be_visible()
            expect(page.get_by_text("−180.0").first).to_be_visible()
            expect(page.get_by_text(re.compile("SIMULATED", re.IGNORECASE)).first).to_be_visible()
            printer.say(-140.0, time.time_ns() // 1_000_000)
            row = page.locator(f'[data-alarm="{ALARM}"]')
            expect(row).to_have_attribute("data-state", "unacknowledged")
            expect(row).to_contain_text("−140.0")
            page.keyboard.press("a")
            expect(page.get_by_role("dialog")).to_be_visible()
            page.keyboard.type("spare shipper is on its way")
            page.keyboard.press("Enter")
            expect(row).to_have_attribute("data-state", "acknowledged")
            expect(row).to_contain_text("spare shipper is on its way")
    (fact,) = read(site.journal).of(Acknowledged)
    with Reader.open(site.journal) as reader:
        texts = {text.commitment: text.text for text in reader.private_texts()}
    assert (fact.alarm, fact.occurrences) == (ALARM, (1,))
    assert texts[fact.comment] == "spare shipper is on its way"
    assert texts[fact.actor] == "unauthenticated"
    assert_equal(site.journal)


def test_a_page_that_cannot_be_served_stops_no_monitoring(tmp_path: Path) -> None:
    """Its port is taken: readings are judged all the same, it is said, and it is served once that is free."""
    port = free_port()
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port).part("page", f"[page]\nport = {port}\n")
        with socket.create_server(("127.0.0.1", port)), running(site) as daemon:
            assert daemon.page is None
            daemon.watch(lambda batch: [][batch.first_position])  # an onlooker with a defect
            assert f"no page: page: cannot listen on 127.0.0.1 port {port}" in daemon._summary()
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            printer.say(-180.0, time.time_ns() // 1_000_000)
            until(lambda: bool(read(site.journal).readings("box-one.vapour")), "a reading")
        with socket.create_server(("127.0.0.1", port)) as somebody, running(site) as daemon:
            somebody.close()
            daemon._look_at_page()  # as housekeeping does from time to time
            assert daemon.page is not None
            assert http_get(port, "/")[0] == 200
            assert "no page" not in daemon._summary()
            # A reload moves it to another address, and takes it away.
            moved = free_port()
            site.part("page", f"[page]\nport = {moved}\n").write()
            assert daemon.reload()
            assert http_get(moved, "/")[0] == 200
            site.part("page", "").write()
            assert daemon.reload()
            assert daemon.page is None
            with pytest.raises(OSError, match="refused"):
                http_get(moved, "/")


def test_a_page_open_to_the_world_is_refused(tmp_path: Path) -> None:
    """Without users the daemon does not start, and a running one does not take such a file."""
    site = Site(tmp_path)
    exposed = (
        '[page]\nhost = "192.0.2.1"\nusers_file = "users.json"\nbehind_proxy = true\nnames = ["x.test"]\n'
    )
    site.part("page", exposed).write()
    with pytest.raises(DaemonError, match="needs logins; add the first with: coldchain user add"):
        Daemon(load(site.config), SystemClock(trusted=True)).start()
    assert not site.journal.exists()
    site.part("page", "").write()
    with running(site) as daemon:
        site.part("page", exposed).write()
        assert not daemon.reload()
        assert daemon.page is None
