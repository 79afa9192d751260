"""Pytest's side of the servers: started for a test, ended with it, whatever happened in between."""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.servers.alertmanager import Alertmanager
from tests.servers.browser import chromium
from tests.servers.certificates import Authority
from tests.servers.mosquitto import Mosquitto
from tests.servers.programs import Program, find
from tests.servers.receiver import Receiver
from tests.servers.relay import MqttRelay
from tests.servers.victoria import VictoriaMetrics

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page


_SERVERS = frozenset(
    {"mosquitto", "mosquitto_server", "relay", "victoria_metrics", "alertmanager", "promtool"}
)
_BROWSERS = frozenset({"browser", "page"})


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a server or a browser, so that a quick run can leave it out."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & _SERVERS:
            item.add_marker("servers")
        if fixtures & _BROWSERS:
            item.add_marker("browser")


@pytest.fixture
def mosquitto_server(tmp_path: Path) -> Iterator[Callable[..., Mosquitto]]:
    """Start brokers by `mosquitto_server(**settings)`; each in a folder of its own, ended with the test."""
    with contextlib.ExitStack() as ends:
        count = 0

        def start(**settings: Any) -> Mosquitto:
            nonlocal count
            count += 1
            return ends.enter_context(Mosquitto(tmp_path / f"mosquitto-{count}", **settings))

        yield start


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    """A running broker: anonymous, persistent, saved every second."""
    with Mosquitto(tmp_path / "mosquitto") as broker:
        yield broker


@pytest.fixture
def relay(mosquitto: Mosquitto) -> Iterator[MqttRelay]:
    """A recording relay in front of `mosquitto`."""
    with MqttRelay(mosquitto.port) as between:
        yield between


@pytest.fixture
def victoria_metrics(tmp_path: Path) -> Iterator[VictoriaMetrics]:
    """A running, empty time-series database."""
    with VictoriaMetrics(tmp_path / "victoria-metrics") as store:
        yield store


@pytest.fixture
def alertmanager(tmp_path: Path) -> Iterator[Callable[..., Alertmanager]]:
    """Start an Alertmanager by `alertmanager(webhook=url)`; ended with the test."""
    with contextlib.ExitStack() as ends:
        yield lambda *, webhook: ends.enter_context(Alertmanager(tmp_path / "alertmanager", webhook=webhook))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A receiver of notices that answers 200 until it is told otherwise."""
    started = Receiver().start()
    yield started
    started.stop()


@pytest.fixture(scope="session")
def promtool() -> Program:
    """Prometheus's own judge of its rules."""
    return find("promtool")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """A throw-away certificate authority."""
    return Authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="module")
def browser() -> Iterator["Browser"]:
    """A headless Chromium; ended with the module: while it runs, no `asyncio.run` works in this thread."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: "Browser") -> Iterator["Page"]:
    """A fresh page with cookies and storage of its own. An error its scripts did not catch fails the test."""
    with browser.new_context() as context:
        opened = context.new_page()
        errors: list[str] = []
        opened.on("pageerror", lambda error: errors.append(str(error)))
        yield opened
    assert not errors, f"uncaught on the page: {errors}"
