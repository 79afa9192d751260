"""Mail and text messages out of the whole daemon: an alarm in time, and what waited while nobody was reached.

A real SMTP server and a modem on a pseudo-terminal; a test's clock lets a day pass.
"""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from coldchain.clock import SystemClock
from coldchain.sinks.base import calls_people
from coldchain_simulators.gsm_modem import GsmModem
from coldchain_simulators.wires import PtyWire
from tests.integration.gateways import Printer, Site, assert_equal, read, running, until
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


def test_an_alarm_reaches_mail_and_telephone_and_what_waited_comes_as_one(tmp_path: Path) -> None:
    """At once while both can be reached; after a day without them one message for all, with its age."""
    post, port, clock = Post(), free_port(), Later(trusted=True)
    with ExitStack() as ends, ExitStack() as in_reach:

        def serve() -> None:
            server = Server(post, hostname="127.0.0.1", port=port)
            server.start()
            in_reach.callback(server.stop)

        serve()
        wire = PtyWire(tmp_path / "modem")
        ends.callback(wire.close)
        modem = GsmModem(wire).start()
        ends.callback(modem.stop)
        with Printer(tmp_path / "log") as printer:
            site = Site(tmp_path).profile(hold="0 s", latched=False).ascii("log", printer.port, fresh="2 d")
            site.part(
                "letters",
                '[sinks.letters]\nkind = "mail"\nhost = "127.0.0.1"\nsecurity = "none"\n'
                f'port = {port}\nsender = "coldchain@example.org"\nrecipients = ["{NIGHT}"]\n',
            )
            site.part(
                "phone",
                f'[sinks.phone]\nkind = "sms"\ndevice = "{wire.port}"\nnumbers = ["+8613800138000"]\n',
            )
            with running(site, clock=clock) as daemon:
                until(lambda: daemon.station.state().gateway.sources[0].up, "the port")

                def waiting() -> dict[str, tuple[bool, int]]:
                    return {each.id: (each.ok, each.waiting) for each in daemon.station.state().gateway.sinks}

                def letters() -> list[str]:
                    return [str(letter["Subject"]) for _, letter in list(post.taken)]

                begun_ms = clock.utc_ms()
                printer.say(-140.0, begun_ms)
                until(lambda: len(letters()) == len(telephone(modem)) == 1, "the alarm reaches both")
                assert f"[CRITICAL] {ALARM} raised, −140.0 °C, limit −150.0 °C" in letters()[0]
                assert f"[CRITICAL] {ALARM} raised, -140.0 C, limit -150.0 C" in telephone(modem)[0]
                assert "LATE]" not in letters()[0]
                assert "late" not in telephone(modem)[0]

                in_reach.close()
                modem.registration = 0
                for second, celsius in enumerate((-180.0, -140.0, -180.0), 1):
                    printer.say(celsius, begun_ms + 1_000 * second)
                until(
                    lambda: set(waiting().values()) == {(False, 3)},
                    "both are down, and what three readings said waits",
                )

                missed = sum(calls_people(one.what) for one in read(site.journal).said) - len(letters())
                assert missed >= 3
                clock.on(26 * HOUR)
                serve()
                modem.registration = 1
                until(lambda: set(waiting().values()) == {(True, 0)}, "both have what waited")
                told = letters()[1:], telephone(modem)[1:]
    what = f"while you were unreachable: {missed} messages"
    for subjects, mark in zip(told, ("[1 day, 2:00:00 LATE]", "1560 min late"), strict=True):
        (one,) = [each for each in subjects if what in each]
        assert f"[CRITICAL] {what}; {ALARM} return to normal unacknowledged" in one
        assert mark in one
        assert not [each for each in subjects if f"{ALARM} r" in each and what not in each], "none by itself"
    assert len(read(site.journal).raised("box-log")) == 2
    assert_equal(site.journal)
