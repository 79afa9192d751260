"""The states of stateful protocols on one broker: kept, moved on, and what they want published.

Used by the broker's thread alone. A driver is other people's code: one whose session raises outside
of a message goes down like one that raises in `decode`, with its state as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from coldchain.clock import Clock
from coldchain.driver import MqttDriver
from coldchain.ports.outlet import Outlet
from coldchain.session import Now, Publication, Received, Session, Turn


class Sessions:
    """One state for each source whose driver has a session."""

    def __init__(self, outlets: tuple[Outlet, ...], clock: Clock) -> None:
        self._clock = clock
        self._own = [(outlet, session) for outlet in outlets if (session := _session(outlet)) is not None]
        self._states: dict[str, Any] = {
            outlet.source.id: session.start(outlet.source.driver_settings) for outlet, session in self._own
        }
        self._wanted: list[Publication] = []
        self._connecting = self._now()

    def connecting(self) -> Publication | None:
        """A connection is about to be asked for: the will that goes with it, or None."""
        self._wanted.clear()  # meant for a connection that is gone
        self._connecting = self._now()
        for outlet, session in self._own:
            will = session.will(outlet.source.driver_settings, self._connecting)
            if will is not None:
                return will
        return None

    def take(self, outlet: Outlet, received: Received) -> Turn:
        """What a message means to a source; its state moves on by `adopt` only. Raises as the driver does."""
        session = _session(outlet)
        assert session is not None
        source = outlet.source
        return session.take(source.driver_settings, self._states[source.id], received, self._now())

    def opened(self) -> list[tuple[Outlet, Turn]]:
        """What follows for each from a connection that stands."""
        return self._turns(lambda session: session.opened, self._connecting, self._own)

    def fire(self) -> list[tuple[Outlet, Turn]]:
        """What follows for those whose time has come."""
        now = self._now()
        due = [(o, s) for o, s in self._own if (at := self._due(o, s)) is not None and at <= now.boot_ms]
        return self._turns(lambda session: session.fire, now, due) if due else []

    def wait_s(self, at_most: float) -> float:
        """Real seconds until something falls due, and no longer than `at_most`."""
        dues = [at for outlet, session in self._own if (at := self._due(outlet, session)) is not None]
        if not dues:
            return at_most
        left_ms = min(dues) - self._clock.boot_ms()
        return max(0.0, min(at_most, left_ms / 1000 / self._clock.speed))

    def closing(self) -> list[Publication]:
        """What is to be said before leaving in order."""
        now, said = self._now(), list[Publication]()
        for outlet, session in self._own:
            state = self._states[outlet.source.id]
            try:
                said += session.closing(outlet.source.driver_settings, state, now)
            except Exception as error:  # noqa: BLE001 - the edge to other people's code
                outlet.driver_raised(error)
        return said

    def adopt(self, turns: list[tuple[Outlet, Turn]]) -> None:
        """Let states move on: what came of them was taken."""
        for outlet, turn in turns:
            self._states[outlet.source.id] = turn.state
            self._wanted += turn.publish

    def wanted(self) -> list[Publication]:
        """What is to be published now; asked once."""
        wanted, self._wanted = self._wanted, []
        return wanted

    def _turns(
        self,
        which: Callable[[Session], Callable[[Any, Any, Now], Turn]],
        now: Now,
        own: list[tuple[Outlet, Session]],
    ) -> list[tuple[Outlet, Turn]]:
        turns = []
        for outlet, session in own:
            state = self._states[outlet.source.id]
            try:
                turns.append((outlet, which(session)(outlet.source.driver_settings, state, now)))
            except Exception as error:  # noqa: BLE001 - the edge to other people's code
                outlet.driver_raised(error)
        return turns

    def _due(self, outlet: Outlet, session: Session) -> int | None:
        try:
            return session.due_ms(self._states[outlet.source.id])
        except Exception as error:  # noqa: BLE001 - the edge to other people's code
            outlet.driver_raised(error)
            return None

    def _now(self) -> Now:
        return Now(self._clock.utc_ms(), self._clock.boot_ms())


def _session(outlet: Outlet) -> Session | None:
    driver = outlet.source.driver
    return driver.session if isinstance(driver, MqttDriver) else None
