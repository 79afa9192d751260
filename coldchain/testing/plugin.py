"""The pytest plugin: shipments whose time jumps, scenarios, and real lines and brokers where one is wanted.

Found by pytest itself (`pytest11`) wherever coldchain is installed. Nothing is imported before a test asks.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from coldchain.testing.broker import EmbeddedBroker
    from coldchain.testing.scenario_run import ScenarioResult
    from coldchain.testing.shipment import Shipment
    from coldchain_simulators.wires import PtyWire


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--coldchain-seed`: the noise of every shipment and scenario that names none itself."""
    group = parser.getgroup("coldchain")
    group.addoption(
        "--coldchain-seed",
        type=int,
        default=7,
        help="Seed of the noise of simulated shipments and scenarios (7).",
    )


@pytest.fixture
def coldchain_seed(request: pytest.FixtureRequest) -> int:
    """The seed that this run was asked for."""
    seed: int = request.config.getoption("--coldchain-seed")
    return seed


@pytest.fixture
def shipment(request: pytest.FixtureRequest, coldchain_seed: int) -> Callable[..., Shipment]:
    """Build a shipment: `shipment("dry-shipper-150", scene="dry_shipper", channels={"vapour": "5 min"})`.

    A profile's id is looked for in the folder `profiles` beside the test, too. For the rest see
    `coldchain.testing.shipment.Shipment`.
    """
    from coldchain.pipeline.engine_id import engine
    from coldchain.testing.shipment import Shipment

    def build(profile: str | Path, **settings: Any) -> Shipment:
        settings.setdefault("folders", _profiles_beside(request.path))
        settings.setdefault("seed", coldchain_seed)
        return Shipment(profile, engine=engine(), **settings)

    return build


@pytest.fixture
def play_scenario(request: pytest.FixtureRequest, coldchain_seed: int) -> Callable[..., ScenarioResult]:
    """Play a scenario by its name, or a file beside the test; AssertionError if it does not go as it says.

    `play_scenario("vacuum-lost")`, `play_scenario("lanes/to-clinic.toml", seed=3)`
    """
    from coldchain.pipeline.engine_id import engine
    from coldchain.testing.scenario_file import find_scenario
    from coldchain.testing.scenario_run import run_scenario

    def play(named: str | Path, *, seed: int | None = None) -> ScenarioResult:
        beside = request.path.parent / named
        scenario = find_scenario(
            str(beside) if beside.is_file() else str(named), _profiles_beside(request.path)
        )
        result = run_scenario(scenario, coldchain_seed if seed is None else seed, engine())
        wrong = "\n".join(result.complaints())
        assert result.passed, f"{scenario.name}, seed {result.seed}\n{wrong}"
        return result

    return play


@pytest.fixture
def serial_line(tmp_path: Path) -> Iterator[Callable[..., PtyWire]]:
    """Real pseudo-terminals: `line = serial_line()`; a driver opens `line.port`, a simulator holds `line`."""
    from coldchain_simulators.wires import PtyWire

    wires: list[PtyWire] = []

    def plug_in(name: str = "tty") -> PtyWire:
        wires.append(PtyWire(tmp_path / f"{name}{len(wires)}"))
        return wires[-1]

    yield plug_in
    for wire in wires:
        wire.close()


@pytest.fixture
def mqtt_broker() -> Iterator[EmbeddedBroker]:
    """A broker in this process, at `mqtt_broker.port` on 127.0.0.1; skipped where amqtt is not installed."""
    pytest.importorskip("amqtt", reason="an embedded broker needs coldchain[demo]")
    from coldchain.testing.broker import EmbeddedBroker

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = EmbeddedBroker(port)
    broker.start()
    yield broker
    broker.stop()


def _profiles_beside(test: Path) -> list[Path]:
    folder = test.parent / "profiles"
    return [folder] if folder.is_dir() else []
