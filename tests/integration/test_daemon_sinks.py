"""Sinks that come, change and go with a reload; and what is announced while no daemon runs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from coldchain.cli.main import main
from coldchain.daemon.daemon import Daemon
from coldchain.web.views import SinkView
from tests.integration.gateways import Printer, Site, assert_equal, read, running, until
from tests.servers.receiver import Receiver

pytestmark = pytest.mark.slow

MINUTE = 60_000


@pytest.fixture
def rooms() -> Iterator[tuple[Receiver, Receiver]]:
    """Two places that can be told."""
    one, two = Receiver().start(), Receiver().start()
    yield one, two
    one.stop()
    two.stop()


def told(room: Receiver) -> list[tuple[str, int | None]]:
    """What a room has been told was raised: alarm and occurrence."""
    said = [request.content["announcement"] for request in list(room.requests)]
    return [(each["alarm"], each.get("occurrence")) for each in said if each["kind"] == "raised"]


def threads(daemon: Daemon) -> dict[str, int]:
    """The thread of each sink."""
    return {plan.name: id(thread) for plan, thread in daemon.outgoing._sinks}


def test_sinks_follow_the_configuration(tmp_path: Path, rooms: tuple[Receiver, Receiver]) -> None:
    """A new sink hears of what comes from then on; a changed one is another; what did not change runs on."""
    one, two = rooms
    with Printer(tmp_path / "log") as printer:
        site = Site(tmp_path).profile(hold="0 s", latched=False).ascii("log", printer.port)
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            now_ms = daemon.clock.utc_ms()

            def warm(number: int) -> tuple[str, int]:
                """Raise the alarm for the n-th time."""
                printer.say(-180.0, now_ms + (2 * number - 1) * 1_000)
                printer.say(-140.0, now_ms + 2 * number * 1_000)
                until(lambda: len(read(site.journal).raised()) == number, f"occurrence {number}")
                return "box-log/vapour/above", number

            warm(1)
            site.webhook(one.url, name="one").write()
            assert daemon.reload()
            second = warm(2)
            until(lambda: told(one) == [second], "the first room")
            first_thread = threads(daemon)["one"]

            site.webhook(two.url, name="two").write()
            assert daemon.reload()
            assert threads(daemon)["one"] == first_thread
            third = warm(3)
            until(lambda: told(one) == [second, third] and told(two) == [third], "both rooms")

            site.webhook(two.url, name="one").part("sink two", "").write()
            assert daemon.reload()
            assert threads(daemon).keys() == {"one"}
            assert threads(daemon)["one"] != first_thread
            fourth = warm(4)
            until(lambda: told(two) == [third, fourth], "the room under its new name")
            assert [sink.id for sink in daemon.station.state().gateway.sinks] == ["one"]

            site.part("sink one", "").write()
            assert daemon.reload()
            warm(5)
            assert daemon.station.state().gateway.sinks == ()
    assert (told(one), told(two)) == ([second, third], [third, fourth])
    assert_equal(site.journal)


def test_who_was_told_is_seen(tmp_path: Path, rooms: tuple[Receiver, Receiver]) -> None:
    """An alarm says who was told and when, and whom nobody reached and why; after a restart, too."""
    one, two = rooms
    two.stop()
    with Printer(tmp_path / "log") as printer:
        site = Site(tmp_path).profile(hold="0 s").ascii("log", printer.port)
        site.webhook(one.url, name="one").webhook(two.url, name="two").write()
        for start in range(2):
            with running(site) as daemon:
                if not start:
                    until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
                    printer.say(-140.0, daemon.clock.utc_ms())

                def seen(daemon: Daemon = daemon) -> dict[str, tuple[bool, str]]:
                    found = daemon.station.state().alarms
                    return {
                        t.who: (t.receipt is not None, t.failed) for t in (found[0].told if found else ())
                    }

                def sinks(daemon: Daemon = daemon) -> dict[str, SinkView]:
                    return {sink.id: sink for sink in daemon.station.state().gateway.sinks}

                until(lambda: seen().get("one") == (True, ""), "one has it")
                until(lambda: "refused" in seen().get("two", (False, ""))[1], "two is not reached, and why")
                until(lambda: sinks()["one"].waiting == 0, "nothing waits for one")
                assert not sinks()["two"].ok
                assert sinks()["two"].waiting >= 1
                assert sinks()["two"].oldest is not None


def test_what_a_command_announces_is_told_later(tmp_path: Path, rooms: tuple[Receiver, Receiver]) -> None:
    """A hold runs out while no daemon runs and a command notices: the room hears of it at the next start."""
    one, _ = rooms
    with Printer(tmp_path / "log") as printer:
        site = Site(tmp_path).profile(hold="1 s").ascii("log", printer.port).webhook(one.url)
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            hot_ms = daemon.clock.utc_ms()
            printer.say(-140.0, hot_ms)
            until(lambda: bool(read(site.journal).readings("box-log.vapour")), "the reading")
            assert not read(site.journal).raised(), "the machine was too slow for this test"
        until(lambda: daemon.clock.utc_ms() > hot_ms + 1_500, "the hold has run out")
        command = ["bind", "box-log.vapour", "--asset", "box-log", "--role", "vapour"]
        done = CliRunner().invoke(main, [*command, "--config", str(site.config)])
        assert done.exit_code == 0, done.output
        assert len(read(site.journal).raised("box-log")) == 1
        assert told(one) == []
        with running(site):
            until(lambda: told(one) == [("box-log/vapour/above", 1)], "the room")
    assert_equal(site.journal)
