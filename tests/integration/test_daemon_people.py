"""Mail and text messages out of the whole daemon: an alarm in time, and what waited while nobody was reached.

A real SMTP server and a modem on a pseudo-terminal; a test's clock lets a day pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from coldchain.clock import SystemClock
from coldchain.sinks.base import calls_people
from coldchain_simulators.gsm_modem import GsmModem
from coldchain_simulators.wires import PtyWire
from tests.integration.gateways import Printer, Site, assert_equal, read, running, until
from tests.integration.test_daemon_failing import disk_of_a_test
from tests.integration.test_sink_mail import NIGHT, Post, Server
from tests.integration.test_sink_sms import read as telephone
from tests.servers import free_port

pytestmark = pytest.mark.slow

ALARM = "box-log/vapour/above"
HOUR = 3_600_000


class Later(SystemClock):
    """A clock that a test sets on, as it is after a machine was suspended: both clocks, by the same."""

    later_ms = 0

    def on(self, by_ms: int) -> None:
        """So much later from now on."""
        self.later_ms += by_ms
        self.leap(by_ms)

    def utc_ms(self) -> int:
        return super().utc_ms() + self.later_ms

    def boot_ms(self) -> int:
        return super().boot_ms() + self.later_ms


class People:
    """Somebody who reads mail and somebody who has a telephone, and the way to both."""

    def __init__(self, folder: Path) -> None:
        self._post, self._port = Post(), free_port()
        self._server: Server | None = None
        self._wire = PtyWire(folder / "modem")
        self._modem = GsmModem(self._wire).start()
        self.come_back()

    def come_back(self) -> None:
        """The mail server answers, the modem has its network."""
        self._modem.registration = 1
        self._server = Server(self._post, hostname="127.0.0.1", port=self._port)
        self._server.start()

    def go(self) -> None:
        """Neither does."""
        self._modem.registration = 0
        if self._server is not None:
            self._server.stop()
            self._server = None

    def told(self, site: Site) -> Site:
        """The same site with both as its sinks, and no more said than must be."""
        site.part(
            "letters",
            f'[sinks.letters]\nkind = "mail"\nhost = "127.0.0.1"\nport = {self._port}\nsecurity = "none"\n'
            f'sender = "coldchain@example.org"\nrecipients = ["{NIGHT}"]\n',
        )
        return site.part(
            "phone",
            f'[sinks.phone]\nkind = "sms"\ndevice = "{self._wire.port}"\nnumbers = ["+8613800138000"]\n',
        )

    def letters(self) -> list[str]:
        """The subjects of the mails so far."""
        return [str(letter["Subject"]) for _, letter in list(self._post.taken)]

    def texts(self) -> list[str]:
        """What the telephone has shown so far."""
        return telephone(self._modem)

    def close(self) -> None:
        """Gone for good."""
        self.go()
        self._modem.stop()
        self._wire.close()


@pytest.fixture
def people(tmp_path: Path) -> Iterator[People]:
    """Both, in reach."""
    people = People(tmp_path)
    yield people
    people.close()


def test_an_alarm_reaches_both_and_what_waited_comes_as_one(tmp_path: Path, people: People) -> None:
    """At once while both can be reached; after a day without them one message for all, with its age."""
    clock = Later(trusted=True)
    with Printer(tmp_path / "log") as printer:
        site = Site(tmp_path).profile(hold="0 s", latched=False).ascii("log", printer.port, fresh="2 d")
        with running(people.told(site), clock=clock) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")

            def waiting() -> set[tuple[bool, int]]:
                return {(each.ok, each.waiting) for each in daemon.station.state().gateway.sinks}

            begun_ms = clock.utc_ms()
            printer.say(-140.0, begun_ms)
            until(lambda: len(people.letters()) == len(people.texts()) == 1, "the alarm reaches both")
            (letter,), (text,) = people.letters(), people.texts()
            assert f"[CRITICAL] {ALARM} raised, −140.0 °C, limit −150.0 °C" in letter
            assert f"[CRITICAL] {ALARM} raised, -140.0 C, limit -150.0 C" in text
            assert "LATE]" not in letter
            assert "late" not in text

            people.go()
            for second, celsius in enumerate((-180.0, -140.0, -180.0), 1):
                printer.say(celsius, begun_ms + 1_000 * second)
            until(lambda: waiting() == {(False, 3)}, "both are down, and what three readings said waits")
            missed = sum(calls_people(one.what) for one in read(site.journal).said) - 1
            assert missed >= 3
            clock.on(26 * HOUR)
            people.come_back()
            until(lambda: waiting() == {(True, 0)}, "both have what waited")
            told = people.letters()[1:], people.texts()[1:]
    what = f"while you were unreachable: {missed} messages"
    for sentences, mark in zip(told, ("[1 day, 2:00:00 LATE]", "1560 min late"), strict=True):
        (one,) = [each for each in sentences if what in each]
        assert f"[CRITICAL] {what}; {ALARM} return to normal unacknowledged" in one
        assert mark in one
        assert not [each for each in sentences if f"{ALARM} r" in each and each != one], "none by itself"
    assert len(read(site.journal).raised("box-log")) == 2
    assert_equal(site.journal)


def test_a_full_disk_is_told_to_both(tmp_path: Path, people: People) -> None:
    """A gateway that has these two alone, and says nothing of it: the journal's alarm and the product's."""
    with disk_of_a_test() as disk, Printer(tmp_path / "log") as printer:
        site = people.told(Site(tmp_path).profile(hold="0 s").ascii("log", printer.port))
        with running(site) as daemon:
            until(lambda: daemon.station.state().gateway.sources[0].up, "the port")
            disk.full = True
            printer.say(-140.0, daemon.clock.utc_ms())
            until(lambda: len(people.letters()) == len(people.texts()) == 2, "both alarms reach both")
            told = [*zip(people.letters(), people.texts(), strict=True)]
            disk.full = False
            until(lambda: daemon.station.state().gateway.journal_ok, "the journal is written")
    for alarm, (letter, text) in zip(("gateway/journal", ALARM), told, strict=True):
        assert "[NOT RECORDED]" in letter
        assert text.startswith("NOT RECORDED: ")
        assert f"[CRITICAL] {alarm}" in letter
        assert f"[CRITICAL] {alarm}" in text
    assert_equal(site.journal)
