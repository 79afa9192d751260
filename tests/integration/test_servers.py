"""The tests' own servers do what the other tests believe of them."""

import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typing_extensions import override

from tests.servers import (
    Alertmanager,
    Authority,
    Mosquitto,
    Pair,
    Peer,
    VictoriaMetrics,
    free_port,
    wait_until,
)
from tests.servers.process import HOST, http_request
from tests.servers.programs import ProgramMissingError, unpacked

if TYPE_CHECKING:
    from playwright.sync_api import Page

MINUTE_MS = 60_000
A_NOON_MS = 1_767_268_800_000  # 2026-01-01 12:00 UTC


def write_lines(store: VictoriaMetrics, *lines: str) -> None:
    """Write InfluxDB line protocol with times in ms, as the sink does."""
    path = "/api/v2/write?bucket=b&org=o&precision=ms"
    assert http_request(store.port, "POST", path, "\n".join(lines)) == (204, "")


# --- The broker ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mqtt5", [False, True], ids=["3.1.1", "5"])
def test_a_message_goes_through_the_broker(mosquitto: Mosquitto, mqtt5: bool) -> None:
    """What one client publishes the other gets, as it was."""
    with (
        Peer(mosquitto.port, subscribe=["probe/#"], mqtt5=mqtt5) as listener,
        Peer(mosquitto.port, mqtt5=mqtt5) as device,
    ):
        device.publish("probe/1", b"-151.2")
        assert listener.wait_for(1) == [b"-151.2"]
        assert listener.messages[0].topic == "probe/1"


def test_a_session_survives_the_brokers_kill(mosquitto: Mosquitto) -> None:
    """What was queued for an absent client and saved is there after SIGKILL, on the same port, in order."""
    Peer(mosquitto.port, "gateway", subscribe=["probe/1"]).connect().disconnect()
    payloads = [f"reading {number}".encode() for number in range(50)]
    with Peer(mosquitto.port) as device:
        device.publish("probe/1", *payloads)
    database = mosquitto.data / "mosquitto.db"
    wait_until(lambda: database.exists() and payloads[-1] in database.read_bytes(), what="all is on disk")
    port, pid = mosquitto.port, mosquitto.pid
    mosquitto.kill()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection((HOST, port))
    mosquitto.restart()
    assert (mosquitto.port, mosquitto.pid != pid) == (port, True)
    with Peer(mosquitto.port, "gateway", subscribe=["probe/1"]) as gateway:
        assert gateway.wait_for(50) == payloads


def test_a_stop_in_order_saves_everything(mosquitto_server: Callable[..., Mosquitto]) -> None:
    """SIGTERM saves what a kill would lose, so a test can have either."""
    broker = mosquitto_server(autosave_interval=0)
    Peer(broker.port, "gateway", subscribe=["x"]).connect().disconnect()
    with Peer(broker.port) as device:
        device.publish("x", b"before the stop")
    broker.restart()
    with Peer(broker.port) as device:
        device.publish("x", b"before the kill")
    broker.kill()
    broker.start()
    with Peer(broker.port, "gateway", subscribe=["x"]) as gateway, Peer(broker.port) as device:
        device.publish("x", b"after the kill")
        assert gateway.wait_for(2) == [b"before the stop", b"after the kill"]


def test_settings_reach_the_broker(mosquitto_server: Callable[..., Mosquitto]) -> None:
    """An option given by its name holds: no more unacknowledged messages than it says are sent."""
    broker = mosquitto_server(max_inflight_messages=3, set_tcp_nodelay=True)
    with Peer(broker.port, "gateway", subscribe=["x"], acknowledge=False, mqtt5=False) as gateway:
        with Peer(broker.port) as device:
            device.publish("x", *[b"%d" % number for number in range(10)])
            # The echo of a later message proves that nothing else was under way.
            device.client.subscribe("echo")
            device.publish("echo", b"")
            device.wait_for(1)
        assert gateway.wait_for(3) == [b"0", b"1", b"2"]
        gateway.acknowledge(gateway.messages[0])
        # At least one more: this broker overruns the window once it was full (eclipse-mosquitto #2301).
        assert gateway.wait_for(4)[:4] == [b"0", b"1", b"2", b"3"]


def test_users_and_their_topics(mosquitto_server: Callable[..., Mosquitto]) -> None:
    """With users nobody is anonymous, a wrong password is refused, and the ACL is obeyed."""
    broker = mosquitto_server(
        users={"gateway": "s3cret", "device": "other"},
        acl="user gateway\ntopic read #\nuser device\ntopic write probe/#\n",
    )
    for user, password in ((None, None), ("gateway", "wrong")):
        with pytest.raises(AssertionError, match="refused: Not authorized"):
            Peer(broker.port, user=user, password=password).connect()
    with (
        Peer(broker.port, subscribe=["#"], user="gateway", password="s3cret") as gateway,
        Peer(broker.port, user="device", password="other") as device,
    ):
        device.publish("elsewhere", b"not allowed")
        device.publish("probe/1", b"allowed")
        assert gateway.wait_for(1) == [b"allowed"]


def client_context(authority: Authority, pair: Pair | None = None) -> ssl.SSLContext:
    """What a client that trusts only this authority uses, with its own certificate if it has one."""
    context = ssl.create_default_context(cafile=str(authority.certificate))
    if pair is not None:
        context.load_cert_chain(pair.certificate, pair.key)
    return context


def handshake(broker: Mosquitto, context: ssl.SSLContext) -> None:
    """Open a TLS connection and close it; without paho, which leaves its socket behind when this fails."""
    with (
        socket.create_connection((HOST, broker.port)) as plain,
        context.wrap_socket(plain, server_hostname=HOST),
    ):
        pass


def test_tls_needs_the_right_authority(
    mosquitto_server: Callable[..., Mosquitto], authority: Authority, tmp_path: Path
) -> None:
    """A client connects to the broker it can verify, and to no other."""
    broker = mosquitto_server(tls=authority.server())
    with Peer(broker.port, tls=client_context(authority), subscribe=["x"]) as peer:
        peer.publish("x", b"sealed")
        assert peer.wait_for(1) == [b"sealed"]
    handshake(broker, client_context(authority))
    stranger = Authority(tmp_path)  # of the same name, with another key
    with pytest.raises(ssl.SSLCertVerificationError):
        handshake(broker, client_context(stranger))


@pytest.mark.parametrize(
    ("names", "expired", "why"),
    [
        pytest.param(("elsewhere.test",), False, "IP address mismatch", id="for another host"),
        pytest.param(("127.0.0.1",), True, "certificate has expired", id="expired"),
    ],
)
def test_tls_refuses_bad_certificates(
    mosquitto_server: Callable[..., Mosquitto],
    authority: Authority,
    names: tuple[str, ...],
    expired: bool,
    why: str,
) -> None:
    """Certificates can be made wrong on purpose, each in the way the test names."""
    broker = mosquitto_server(tls=authority.server(names, expired=expired))
    with pytest.raises(ssl.SSLCertVerificationError, match=why):
        handshake(broker, client_context(authority))


def test_client_certificates_name_the_user(
    mosquitto_server: Callable[..., Mosquitto], authority: Authority
) -> None:
    """A client without a certificate gets nowhere; with one, its common name is the user of the ACL."""
    broker = mosquitto_server(
        tls=authority.server(),
        client_authority=authority,
        use_identity_as_username=True,
        acl="user gateway 7/a\ntopic readwrite x\n",
    )
    with pytest.raises(AssertionError, match="refused"):
        Peer(broker.port, tls=client_context(authority)).connect()
    mine = client_context(authority, authority.client("gateway 7/a"))
    with Peer(broker.port, tls=mine, subscribe=["x"]) as peer:
        peer.publish("x", b"known")
        assert peer.wait_for(1) == [b"known"]


def test_a_frozen_broker_answers_again(mosquitto: Mosquitto) -> None:
    """Frozen, it takes connections and says nothing; thawed, it goes on with what had come in."""
    with Peer(mosquitto.port, subscribe=["x"]) as peer:
        mosquitto.freeze()
        assert mosquitto.running
        under_way = peer.client.publish("x", b"patience", qos=1)
        socket.create_connection((HOST, mosquitto.port)).close()
        assert not under_way.is_published()
        mosquitto.thaw()
        assert peer.wait_for(1) == [b"patience"]


def test_a_broken_configuration_shows_the_brokers_words(tmp_path: Path) -> None:
    """A server that ends instead of serving fails the test at once, with what it said."""
    with pytest.raises(AssertionError, match="no_such_option"):
        Mosquitto(tmp_path, no_such_option=True).start()


def test_servers_are_ended_even_if_the_test_fails(tmp_path: Path) -> None:
    """Whatever happens inside, leaving the context leaves no process behind, frozen or not."""
    pids = []

    def fail() -> None:
        with Mosquitto(tmp_path) as broker:
            pids.append(broker.pid)
            broker.freeze()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], signal.SIGCONT)


# --- The time series ----------------------------------------------------------------------------------------


def test_points_are_read_back(victoria_metrics: VictoriaMetrics) -> None:
    """Points written are read back to the millisecond, whatever their age, as soon as they are written.

    From 1 ms after 1970 on: a time of 0 is stored as the time of writing.
    """
    assert victoria_metrics.export() == []
    times = [1, 2, A_NOON_MS, A_NOON_MS + 1]
    write_lines(victoria_metrics, *(f"temp,asset=a value={number} {at}" for number, at in enumerate(times)))
    write_lines(victoria_metrics, f"temp,asset=b value=-151.25 {A_NOON_MS}")
    found = victoria_metrics.export("temp_value")
    assert [series.labels["asset"] for series in found] == ["a", "b"]
    assert found[0].points == tuple((at, number) for number, at in enumerate(times))
    assert victoria_metrics.export('{asset="b"}')[0].points == ((A_NOON_MS, -151.25),)


def test_sending_again_leaves_one_point_a_moment(victoria_metrics: VictoriaMetrics) -> None:
    """What was sent twice is there once. Of two values for one moment either may stay: we never send two."""
    points = (f"temp value=2 {A_NOON_MS}", f"temp value=5 {A_NOON_MS + MINUTE_MS}")
    for _ in range(2):
        write_lines(victoria_metrics, *points)
    (series,) = victoria_metrics.export()
    assert series.points == ((A_NOON_MS, 2.0), (A_NOON_MS + MINUTE_MS, 5.0))


def test_long_series_come_whole(victoria_metrics: VictoriaMetrics) -> None:
    """A series longer than one block of the export is one series here, in order, none missing."""
    count = 20_000
    write_lines(victoria_metrics, *(f"temp value={number} {A_NOON_MS + number}" for number in range(count)))
    (series,) = victoria_metrics.export()
    assert series.points == tuple((A_NOON_MS + number, number) for number in range(count))


def test_the_store_comes_back(victoria_metrics: VictoriaMetrics) -> None:
    """A stop in order keeps all points; after a kill it serves again on the same port."""
    write_lines(victoria_metrics, f"temp value=1 {A_NOON_MS}")
    url = victoria_metrics.url
    victoria_metrics.restart()
    (series,) = victoria_metrics.export()
    assert series.points == ((A_NOON_MS, 1.0),)
    victoria_metrics.kill()
    with pytest.raises(ConnectionRefusedError):
        victoria_metrics.export()
    victoria_metrics.start()
    assert victoria_metrics.url == url
    assert [series.points for series in victoria_metrics.export()] == [((A_NOON_MS, 1.0),)]


# --- Alerts -------------------------------------------------------------------------------------------------


@contextmanager
def webhook() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Take POSTs on loopback; yield the address and the list their JSON bodies go to."""
    taken: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            taken.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        @override
        def log_message(self, format: str, *args: object) -> None:
            """Say nothing: the test's own output is for people."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/", taken
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_alert_reaches_the_webhook(alertmanager: Callable[..., Alertmanager]) -> None:
    """A posted alert is held and handed on; with its end in the past it is handed on as resolved."""
    with webhook() as (url, taken):
        manager = alertmanager(webhook=url)
        alert: dict[str, Any] = {"labels": {"alertname": "too_warm", "asset": "shipper_7"}}
        post = "/api/v2/alerts"
        alert["endsAt"] = "2090-01-01T00:00:00Z"
        assert http_request(manager.port, "POST", post, json.dumps([alert]))[0] == 200
        wait_until(lambda: len(taken) >= 1, what="the alert is handed on")
        assert [each["labels"]["asset"] for each in manager.alerts()] == ["shipper_7"]
        alert |= {"startsAt": "2020-01-01T00:00:00Z", "endsAt": "2020-01-02T00:00:00Z"}
        assert http_request(manager.port, "POST", post, json.dumps([alert]))[0] == 200
        wait_until(lambda: len(taken) >= 2, what="its end is handed on")
    assert [each["status"] for each in taken] == ["firing", "resolved"]


# --- The browser --------------------------------------------------------------------------------------------


def test_the_browser_opens_a_page(page: "Page") -> None:
    """Chromium runs a page's script and draws its text with a font."""
    page.goto("data:text/html,<title>before</title><p>−151 °C</p><script>document.title='cold'</script>")
    assert page.title() == "cold"
    box = page.locator("p").bounding_box()
    assert box is not None
    assert box["height"] > 0
    drawn = page.evaluate(
        "() => { const c = document.createElement('canvas').getContext('2d'); c.font = '40px sans-serif';"
        " return c.measureText('−151 °C').width }"
    )
    assert drawn > 40


def test_the_browser_stays_on_loopback(page: "Page") -> None:
    """No host name resolves: a page that loads from elsewhere is caught, with or without a network."""
    with pytest.raises(Exception, match="ERR_NAME_NOT_RESOLVED"):
        page.goto("http://example.org/")


# --- Ports and programs -------------------------------------------------------------------------------------


def test_ports_are_given_once() -> None:
    """Neither this process nor another is given a port twice, while nobody listens on it yet."""
    mine = [free_port() for _ in range(20)]
    code = "from tests.servers import free_port; print(*[free_port() for _ in range(20)])"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    ports = [*mine, *map(int, said.split())]
    assert len(set(ports)) == 40
    for port in mine:
        with socket.socket() as listener:
            listener.bind((HOST, port))


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A source of packages with one in it, `openssl`, whose program says 99; apt is told of no other."""
    tree, source = tmp_path / "tree", tmp_path / "source"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr" / "bin").mkdir(parents=True)
    source.mkdir()
    control = "Package: openssl\nVersion: 99\nArchitecture: all\nMaintainer: Tests <tests@example.org>\n"
    (tree / "DEBIAN" / "control").write_text(f"{control}Description: for tests\n")
    program = tree / "usr" / "bin" / "openssl"
    program.write_text("#!/bin/sh\necho 99\n")
    program.chmod(0o755)
    deb = source / "openssl_99_all.deb"
    subprocess.run(["dpkg-deb", "--build", tree, deb], check=True, stdout=subprocess.DEVNULL)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    where = f"Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\n"
    (source / "Packages").write_text(f"{control}{where}Description: for tests\n")
    (tmp_path / "sources.list").write_text(f"deb [trusted=yes] copy:{source} ./\n")
    only_this = f'Dir::Etc::sourcelist "{tmp_path}/sources.list"; Dir::Etc::sourceparts "/dev/null";\n'
    (tmp_path / "apt.conf").write_text(only_this)
    monkeypatch.setenv("APT_CONFIG", str(tmp_path / "apt.conf"))
    return source


def test_a_program_is_unpacked_once(packages: Path, tmp_path: Path) -> None:
    """The first call unpacks, the next ones find its work, even when no package can be had any more."""
    first = unpacked("openssl", tmp_path / "cache")
    assert first.run() == "99\n"
    assert first.root is not None
    assert first.path.is_relative_to(first.root)
    for path in packages.iterdir():
        path.unlink()
    assert unpacked("openssl", tmp_path / "cache") == first
    assert first.run() == "99\n"


def test_a_broken_copy_is_unpacked_anew(packages: Path, tmp_path: Path) -> None:
    """What was cut off on the disk, or was left by a run that was killed, is no reason to fail."""
    cache = tmp_path / "cache"
    first = unpacked("openssl", cache)
    first.path.write_bytes(b"\x7fELF, cut off")
    (cache / ".new-killed").mkdir()
    assert unpacked("openssl", cache).run() == "99\n"
    assert not list(cache.glob(".new-*"))


def test_two_processes_unpack_at_once(packages: Path, tmp_path: Path) -> None:
    """Workers of one run may ask at the same moment; each gets a program that runs."""
    code = (
        "import pathlib, sys; from tests.servers.programs import unpacked;"
        "print(unpacked('openssl', pathlib.Path(sys.argv[1])).run())"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "cache")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [each.communicate()[0].strip() for each in both] == ["99", "99"]


def test_what_cannot_be_had_names_the_mend(packages: Path, tmp_path: Path) -> None:
    """A package nobody offers fails the test; the message holds apt's reason and the line to type."""
    with pytest.raises(ProgramMissingError) as caught:
        unpacked("prometheus-alertmanager", tmp_path / "cache")
    assert "apt-get install -y --no-install-recommends prometheus-alertmanager" in str(caught.value)
    assert "Unable to locate package" in str(caught.value)
    assert not list((tmp_path / "cache").glob("prometheus*"))
