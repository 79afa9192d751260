"""Receivers whose certificate or token will not do, whose name nobody knows, who are cut off in the middle.

The sink says which of them it is and how to mend it; when a person has mended it, everything that waited is
told, without a restart.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from coldchain.clock import SystemClock
from coldchain.config.credentials import read_secret
from coldchain.config.endpoints import AlertmanagerSink, InfluxSink, WebhookSink
from coldchain.facts import Beat
from coldchain.sinks.alertmanager import Alertmanager as AlertmanagerClient
from coldchain.sinks.backoff import Backoff
from coldchain.sinks.base import AccessRefused, CannotStart, Point, Sign, Surroundings, Unreachable
from coldchain.sinks.influx import Influx
from coldchain.sinks.log_drain import LogDrain
from coldchain.sinks.notice_drain import NoticeDrain
from coldchain.sinks.thread import Report, SinkThread
from coldchain.sinks.webhook import Webhook
from tests.integration.test_sink_alertmanager import alarm, present
from tests.integration.test_sink_influx import held, rows
from tests.integration.test_sink_webhook import message
from tests.servers import Alertmanager, Authority, VictoriaMetrics, wait_until
from tests.servers.receiver import Receiver
from tests.servers.tls_front import TlsFront
from tests.unit.sinks.world import NOON, World, raised, reports

NAME = "room"
POINT = Point("temperature", (), (("value", -150.5),), NOON)


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    (tmp_path / "elsewhere").mkdir()
    return Authority(tmp_path / "elsewhere")


def around() -> Surroundings:
    return Surroundings(
        name=NAME,
        site="cell-bank",
        clock=SystemClock(trusted=True),
        secret=lambda file, variable: read_secret(file, variable, base=Path("/"), environ={}),
    )


def webhook(url: str, **more: object) -> Webhook:
    given = {"kind": "webhook", "url": url, "timeout": "5 s"}
    return Webhook(WebhookSink.model_validate(given | more), around())


def influx(url: str, **more: object) -> Influx:
    given = {"kind": "influx", "url": url, "bucket": "coldchain", "timeout": "5 s", "doubt": "60 s"}
    return Influx(InfluxSink.model_validate(given | more), around())


@pytest.fixture
def telling(world: World) -> Iterator[Callable[..., SinkThread]]:
    """Start the thread of a webhook; it is ended with the test."""
    started: list[SinkThread] = []

    def start(url: str, **more: object) -> SinkThread:
        clock = SystemClock(trusted=True)

        def backoff() -> Backoff:
            return Backoff(Random(1), first_s=0.02, longest_s=0.1)

        def make(report: Callable[[Report], None]) -> NoticeDrain:
            return NoticeDrain(NAME, webhook(url, **more), world.deliveries, clock, backoff(), report)

        started.append(SinkThread(NAME, make, clock=clock, backoff=backoff(), report=reports()[1]))
        started[-1].start()
        return started[-1]

    yield start
    assert all(thread.stop() for thread in started)


def told(world: World) -> bool:
    with world.deliveries() as journal:
        return journal.backlog(NAME).count == 0


def test_an_expired_certificate_is_replaced(
    world: World, receiver: Receiver, authority: Authority, telling: Callable[..., SinkThread]
) -> None:
    """It is said that it has expired; when the receiver shows another one, what waited arrives."""
    world.add(Beat(), said=[raised(1), raised(2)], sinks=[NAME])
    with TlsFront(receiver.port, authority.server(expired=True), url="/hook") as front:
        thread = telling(front.url, ca_file=str(authority.certificate))
        wait_until(lambda: thread.status.up is False, what="the sink is down")
        assert "certificate has expired" in thread.status.why
        assert "check the receiver's certificate" in thread.status.mend
        assert receiver.keys() == []
        front.renew(authority.server())
        wait_until(lambda: told(world), what="all is told")
        assert receiver.keys() == ["n3-0", "n3-1"]
        world.add(Beat(), said=[raised(3)], sinks=[NAME])
        front.renew(authority.server())  # while it works: a renewal costs nothing
        thread.wake()
        wait_until(lambda: told(world), what="all is told over the new certificate")
    assert set(receiver.keys()) == {"n3-0", "n3-1", "n4-0"}


def test_another_authority_in_the_file_counts_without_a_restart(
    world: World,
    receiver: Receiver,
    authority: Authority,
    stranger: Authority,
    telling: Callable[..., SinkThread],
    tmp_path: Path,
) -> None:
    """The site's authority is renewed in its file while the sink is refused."""
    file = tmp_path / "ca.pem"
    shutil.copy(stranger.certificate, file)
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    with TlsFront(receiver.port, authority.server(), url="/hook") as front:
        thread = telling(front.url, ca_file=str(file))
        wait_until(lambda: thread.status.up is False, what="the sink is down")
        assert "CERTIFICATE_VERIFY_FAILED" in thread.status.why
        shutil.copy(authority.certificate, file)
        wait_until(lambda: told(world), what="all is told")
    assert receiver.keys() == ["n3-0"]


def test_a_token_renewed_in_its_file_counts_without_a_restart(
    world: World, receiver: Receiver, telling: Callable[..., SinkThread], tmp_path: Path
) -> None:
    """The old one is refused (401); with the new one in the file everything is told."""
    file = tmp_path / "token"
    file.write_text("old\n")
    receiver.answers = [401] * 3
    world.add(Beat(), said=[raised(1)], sinks=[NAME])
    thread = telling(receiver.url, token_file=str(file))
    wait_until(lambda: thread.status.up is False, what="the sink is down")
    assert "HTTP 401" in thread.status.why
    file.write_text("new\n")
    wait_until(lambda: told(world), what="all is told")
    assert [receiver.requests[at].headers["authorization"] for at in (0, -1)] == ["Bearer old", "Bearer new"]


def test_a_file_of_authorities_that_is_none(tmp_path: Path) -> None:
    """The sink does not start, and names the file and the mend."""
    file = tmp_path / "ca.pem"
    with pytest.raises(CannotStart, match=r"ca\.pem cannot be used: .*PEM files"):
        webhook("https://127.0.0.1:9/hook", ca_file=str(file))
    file.write_text("no certificate\n")
    with pytest.raises(CannotStart, match=r"ca\.pem cannot be used: .*PEM files"):
        influx("https://127.0.0.1:9", ca_file=str(file))


@pytest.mark.parametrize(
    ("attempt", "words"),
    [
        pytest.param(lambda url: webhook(url).tell(message()), "NameResolutionError", id="webhook"),
        pytest.param(lambda url: influx(url).write([POINT]), "NameResolutionError", id="influx"),
    ],
)
def test_a_name_that_nobody_knows(attempt: Callable[[str], object], words: str) -> None:
    """Unreachable by that name, and tried again: names come and go with a mobile line."""
    with pytest.raises(Unreachable, match=words) as told_of:
        attempt("http://receiver.invalid/hook")
    assert "receiver.invalid" in told_of.value.why


def test_a_certificate_for_another_host(receiver: Receiver, authority: Authority) -> None:
    """Whoever answers at our address must be who it is meant to be."""
    with TlsFront(receiver.port, authority.server(["elsewhere.test"]), url="/hook") as front:
        sink = webhook(front.url, ca_file=str(authority.certificate))
        with pytest.raises(AccessRefused, match=r"not valid for '127\.0\.0\.1'"):
            sink.tell(message())
        sink.close()
    assert receiver.requests == []


@pytest.mark.servers
def test_a_time_series_behind_tls(
    world: World, victoria_metrics: VictoriaMetrics, authority: Authority, stranger: Authority
) -> None:
    """Rows arrive with the right authority, with another none; the witness looks through the same one."""
    with TlsFront(victoria_metrics.port, authority.server()) as front:
        refused = influx(front.url, ca_file=str(stranger.certificate))
        with pytest.raises(AccessRefused, match="CERTIFICATE_VERIFY_FAILED"):
            refused.write([POINT])
        assert refused.sign() is Sign.SILENT
        refused.close()
        sink = influx(front.url, ca_file=str(authority.certificate))
        assert sink.sign() is not Sign.SILENT
        assert sink.sign() is Sign.SAME
        sink.write([POINT])
        sink.close()
    (series,) = victoria_metrics.export('{__name__="temperature_value"}')
    assert series.points == ((NOON, -150.5),)


@pytest.mark.servers
def test_a_batch_that_is_cut_in_the_middle(world: World, victoria_metrics: VictoriaMetrics) -> None:
    """Of a request of 300 rows the server sees a part; all rows are there in the end, each once."""
    expected = rows(world, 0, 300)
    clock = SystemClock(trusted=True)
    with TlsFront(victoria_metrics.port, None) as front:
        cuts = iter([6_000, 1_000, 10])

        def make(report: Callable[[Report], None]) -> LogDrain:
            return LogDrain(NAME, influx(front.url), world.deliveries, clock, report)

        front.cut_after = next(cuts)
        thread = SinkThread(NAME, make, clock=clock, backoff=Backoff(Random(1), first_s=0.02, longest_s=0.1))
        thread.start()
        for cut in cuts:
            wait_until(lambda: front.cut_after is None, what="a connection is under way")
            front.cut_after = cut

        def sent() -> bool:
            with world.deliveries() as journal:
                return journal.cursor(NAME).sent == world.position

        wait_until(sent, what="everything is sent")
        assert thread.stop()
    assert held(victoria_metrics) == expected


@pytest.mark.servers
def test_an_alertmanager_behind_tls(
    receiver: Receiver,
    alertmanager: Callable[..., Alertmanager],
    authority: Authority,
    stranger: Authority,
) -> None:
    """What stands is posted through the site's own authority, and through no other."""
    manager = alertmanager(webhook=receiver.url)

    def sink(trusted: Authority, url: str) -> AlertmanagerClient:
        given = {"kind": "alertmanager", "url": url, "ca_file": str(trusted.certificate)}
        return AlertmanagerClient(AlertmanagerSink.model_validate(given), around())

    with TlsFront(manager.port, authority.server()) as front:
        refused, taken = sink(stranger, front.url), sink(authority, front.url)
        with pytest.raises(AccessRefused, match="CERTIFICATE_VERIFY_FAILED"):
            refused.show(present(alarm()), all_of_it=True)
        assert manager.alerts() == []
        taken.show(present(alarm()), all_of_it=True)
        assert len(manager.alerts()) == 1
        refused.close()
        taken.close()
