"""All ports of a gateway: started, watched, started anew where a configuration changes them, stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from coldchain.clock import Clock
from coldchain.config.endpoints import BrokerSettings
from coldchain.config.loaded import Loaded, Source
from coldchain.driver import SerialDriver
from coldchain.pipeline.intake import Intake
from coldchain.ports.backoff import Backoff
from coldchain.ports.frames import Frames
from coldchain.ports.mqtt_port import MqttPort
from coldchain.ports.outlet import Outlet, channels_of
from coldchain.ports.serial_port import SerialPort
from coldchain.ports.standing import SourceStatus, Standing
from coldchain.traffic import FramesView

_log = logging.getLogger(__name__)

#: A thread that gave no sign of life for so long is stuck in somebody's driver, or in the system.
STUCK_S = 30.0
#: How long stopping may take; what is stuck by then is left behind, mute.
STOP_S = 1.5
_LOOK_S = 1.0


class Port(Protocol):
    """What a serial port and a broker have in common."""

    name: str
    outlets: tuple[Outlet, ...]
    beat_s: float

    @property
    def alive(self) -> bool: ...
    def start(self) -> None: ...
    def ask_to_stop(self) -> None: ...
    def join(self, wait_s: float) -> bool: ...
    def hurry(self, sources: frozenset[str]) -> None: ...


@dataclass(frozen=True)
class _Plan:
    """Everything a port depends on: if two are equal, the port need not be started anew."""

    name: str
    sources: tuple[Source, ...]
    channels: tuple[Mapping[str, str], ...]  # of each source: key to channel
    base: Path
    broker: BrokerSettings | None = None


def _plans(loaded: Loaded) -> dict[tuple[str, str], _Plan]:
    """The ports of a configuration."""
    shared: dict[tuple[str, str], list[Source]] = {}
    for source in loaded.sources.values():
        settings = source.settings
        if settings.port is not None:
            shared.setdefault(("serial", settings.port), []).append(source)
        elif settings.broker is not None:
            shared.setdefault(("broker", settings.broker), []).append(source)
    return {
        (kind, name): _Plan(
            name,
            tuple(sources),
            tuple(channels_of(loaded, source.id) for source in sources),
            loaded.path.parent.absolute(),
            loaded.settings.brokers[name] if kind == "broker" else None,
        )
        for (kind, name), sources in shared.items()
    }


def _secrets(sources: tuple[Source, ...]) -> tuple[bytes, ...]:
    """Requests on a line whose answers must not be kept, as the drivers of its sources say."""
    drivers = [source.driver for source in sources]
    told = [driver.secrets for driver in drivers if isinstance(driver, SerialDriver)]
    return tuple(sorted({request.upper() for secrets in told for request in secrets}))


class Ports:
    """The ports of a gateway. All methods may be called from any thread."""

    def __init__(self, loaded: Loaded, intake: Intake, clock: Clock) -> None:
        self._intake = intake
        self._clock = clock
        self._lock = threading.RLock()
        self._plans: dict[tuple[str, str], _Plan] = {}
        self._running: dict[tuple[str, str], Port] = {}
        self._standings: dict[str, Standing] = {}
        self._forget: dict[tuple[str, str], frozenset[str]] = {}
        self._frames: dict[str, Frames] = {}  # of a serial port by its name; outlives the thread
        self._dead: dict[tuple[str, str], tuple[Backoff, float | None]] = {}  # and when it is begun anew
        self._order: tuple[str, ...] = ()
        self._hurried: frozenset[str] = frozenset()
        self._stopping = threading.Event()
        self._watchdog = threading.Thread(target=self._watch, name="ports watchdog", daemon=True)
        self.reload(loaded)
        self._watchdog.start()

    def reload(self, loaded: Loaded) -> None:
        """Bring a configuration into force: only ports that it changes are started anew."""
        plans = _plans(loaded)
        with self._lock:
            changed = [key for key, plan in self._plans.items() if plans.get(key) != plan]
            self._end([self._running.pop(key) for key in changed])
            for name in self._standings.keys() - loaded.sources.keys():
                self._standings.pop(name).down("taken out of the configuration")
            for name, source in loaded.sources.items():
                if name in self._standings:
                    self._standings[name].source = source
                else:
                    self._standings[name] = Standing(source, self._intake, self._clock)
            self._plans, self._order = plans, tuple(loaded.sources)
            self._dead.clear()
            for key in plans.keys() - self._running.keys():
                self._begin(key)

    def stop(self) -> None:
        """End all threads within 1.5 s; what is stuck in a driver is left behind and says nothing more."""
        self._stopping.set()
        with self._lock:
            self._end(list(self._running.values()))
            self._running.clear()
        self._watchdog.join(_LOOK_S)

    def hurry(self, sources: frozenset[str]) -> None:
        """Ask these sources as often as they may be asked while something is outside, the others as ever."""
        with self._lock:
            if sources != self._hurried:
                self._hurried = sources
                for port in self._running.values():
                    port.hurry(sources)

    @property
    def hurried(self) -> frozenset[str]:
        """The sources that are asked more often now."""
        return self._hurried

    def status(self) -> tuple[SourceStatus, ...]:
        """How each source is doing, in the order of the configuration."""
        with self._lock:
            return tuple(self._standings[name].status() for name in self._order)

    def frames(self, port: str) -> FramesView:
        """What passed over a serial port around its faults; `port`: its name, or a source that it serves."""
        with self._lock:
            serial = {name: plan for (kind, name), plan in self._plans.items() if kind == "serial"}
            by_source = {source.id: name for name, plan in serial.items() for source in plan.sources}
            name = by_source.get(port, port)
            kept = self._frames.get(name) if name in serial else None
            return FramesView(name if kept else "", kept.view() if kept else (), tuple(serial))

    def _begin(self, key: tuple[str, str]) -> None:
        plan = self._plans[key]
        outlets = tuple(
            Outlet(source, channels, self._standings[source.id], self._clock)
            for source, channels in zip(plan.sources, plan.channels, strict=True)
        )
        port: Port
        if plan.broker is None:
            kept = self._frames.setdefault(plan.name, Frames(self._clock))
            kept.secrets = _secrets(plan.sources)
            port = SerialPort(plan.name, outlets, self._intake, self._clock, kept)
        else:
            made = MqttPort(
                plan.name,
                plan.broker,
                outlets,
                self._intake,
                self._clock,
                base=plan.base,
                forget=self._forget.get(key, frozenset()),
            )
            # What the broker was ever asked for: an unsubscription may have to wait for a connection.
            self._forget[key] = self._forget.get(key, frozenset()) | frozenset(made.inbox.filters)
            port = made
        self._running[key] = port
        port.hurry(self._hurried)
        port.start()

    def _end(self, ports: list[Port]) -> None:
        for port in ports:
            port.ask_to_stop()
        until_s = self._clock.real_s() + STOP_S
        for port in ports:
            if not port.join(until_s - self._clock.real_s()):
                _log.warning("%s does not end; it is left behind", port.name)
            for outlet in port.outlets:
                outlet.close()

    # The watchdog

    def _watch(self) -> None:
        while not self._stopping.wait(_LOOK_S):
            try:
                self._look()
            except Exception:  # noqa: BLE001 - the thread's outer edge: who watches must not stop watching
                _log.exception("watchdog of the ports")

    def _look(self) -> None:
        """Begin again what has died, and say what is stuck."""
        with self._lock:
            for key, port in tuple(self._running.items()):
                if self._stopping.is_set():
                    return
                if not port.alive:
                    self._bury(key, port)
                    continue
                stuck_s = self._clock.real_s() - port.beat_s
                if stuck_s >= STUCK_S:
                    for outlet in port.outlets:
                        outlet.fails(
                            f"no sign of life from its thread for {int(stuck_s)} s: a driver may be stuck"
                        )

    def _bury(self, key: tuple[str, str], port: Port) -> None:
        """Say that a thread has died, and begin it anew after a while."""
        now_s = self._clock.real_s()
        backoff, due_s = self._dead.get(key, (Backoff(), None))
        if due_s is None:
            _log.error("the thread of %s has died; it is started anew", port.name)
            for outlet in port.outlets:
                outlet.lost("its thread has died; it is started anew")
            self._dead[key] = (backoff, now_s + backoff.wait_s())
        elif now_s >= due_s:
            self._end([port])
            self._dead[key] = (backoff, None)
            self._begin(key)


def start_ports(loaded: Loaded, intake: Intake, clock: Clock) -> Ports:
    """Open every port of a configuration; returns at once, devices come up by themselves."""
    return Ports(loaded, intake, clock)
