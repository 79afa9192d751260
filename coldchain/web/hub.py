"""From the writer's thread to every open page: differences only, numbered, and a heartbeat.

The station says "something changed" from whatever thread it likes; one task in the server's event loop then
looks at the whole state, finds which parts of it differ (an asset, an alarm, the head), and hands those to
every listener. A page that was away says the last number it saw and gets what changed since.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator, Callable

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

from coldchain.web.alarm_views import AlarmView
from coldchain.web.station import Station
from coldchain.web.views import (
    AssetView,
    ChannelChoice,
    ClockView,
    GatewayView,
    ProfileChoice,
    Pulse,
    StateView,
)

_log = logging.getLogger(__name__)
_encode = msgspec.json.Encoder().encode

#: Changes that come faster are shown together: an eye sees no more, a phone's line bears no more.
_SETTLE_S = 0.15
#: After the station failed, how long to wait before asking it again.
_AFTER_FAILURE_S = 2.0


class Head(Struct, frozen=True, omit_defaults=True):
    """All of the state but assets and alarms, and the order in which those are shown."""

    site: str
    clock: ClockView
    gateway: GatewayView
    asset_order: tuple[str, ...]
    alarm_order: tuple[str, ...]
    profiles: tuple[ProfileChoice, ...] = ()
    channels: tuple[ChannelChoice, ...] = ()
    simulated: bool = False


class Change(Struct):
    """What a page is sent: parts that are new or differ, keys of those that are gone."""

    assets: list[Raw]
    alarms: list[Raw]
    gone: list[str]
    head: Raw | UnsetType = UNSET


class Event(Struct, frozen=True):
    """One server-sent event, ready to be written."""

    name: str
    data: bytes
    id: str = ""

    def wire(self) -> bytes:
        """Its bytes; JSON as msgspec writes it holds no line break."""
        first = f"id: {self.id}\n" if self.id else ""
        return f"{first}event: {self.name}\ndata: ".encode() + self.data + b"\n\n"


class _Part:
    __slots__ = ("data", "version")

    def __init__(self, version: int, data: bytes | None) -> None:
        self.version = version
        self.data = data  # None: it is gone


class Parts:
    """The state cut into named parts, each with the number of the change that made it so. Not thread-safe."""

    def __init__(self) -> None:
        self.epoch = secrets.token_hex(4)
        self.version = 0
        self._parts: dict[str, _Part] = {}

    def take(self, state: StateView) -> bool:
        """Compare with what was; True if anything differs."""
        version = self.version + 1
        fresh = _cut(state)
        changed = False
        for key, data in fresh.items():
            part = self._parts.get(key)
            if part is None or part.data != data:
                self._parts[key] = _Part(version, data)
                changed = True
        for key, part in self._parts.items():
            if part.data is not None and key not in fresh:
                self._parts[key] = _Part(version, None)
                changed = True
        if changed:
            self.version = version
        return changed

    def all(self) -> Event:
        """Everything, for a page that knows nothing."""
        return self._event("state", -1)

    def since(self, event_id: str) -> Event | None:
        """What changed since an event; everything if that event was another process's; None if nothing."""
        epoch, _, number = event_id.partition("-")
        if epoch != self.epoch or not number.isdigit():
            return self.all()
        version = int(number)
        if version == self.version:
            return None
        return self._event("change", version) if version < self.version else self.all()

    def _event(self, name: str, version: int) -> Event:
        body = Change([], [], [])
        for key, part in self._parts.items():
            if part.version <= version:
                continue
            kind = key.partition(":")[0]
            if part.data is None:
                if version >= 0:
                    body.gone.append(key)
            elif kind == "head":
                body.head = Raw(part.data)
            else:
                (body.assets if kind == "asset" else body.alarms).append(Raw(part.data))
        return Event(name, _encode(body), f"{self.epoch}-{self.version}")


def _cut(state: StateView) -> dict[str, bytes]:
    """The parts of a state by key: "head", "asset:ID", "alarm:ID"."""
    assets: dict[str, AssetView] = {f"asset:{asset.id}": asset for asset in state.assets}
    alarms: dict[str, AlarmView] = {f"alarm:{alarm.id}": alarm for alarm in state.alarms}
    head = Head(
        site=state.site,
        clock=state.clock,
        gateway=state.gateway,
        asset_order=tuple(asset.id for asset in state.assets),
        alarm_order=tuple(alarm.id for alarm in state.alarms),
        profiles=state.profiles,
        channels=state.channels,
        simulated=state.simulated,
    )
    return {"head": _encode(head)} | {key: _encode(view) for key, view in (assets | alarms).items()}


class _Listener:
    __slots__ = ("over", "seen", "woken")

    def __init__(self, seen: str) -> None:
        self.seen = seen
        self.woken = asyncio.Event()
        self.over = ""


class Hub:
    """Lives in the server's event loop; only `changed` may be called from elsewhere."""

    #: More open pages than any room has; beyond it a new one is refused, so that none starves the rest.
    MOST_LISTENERS = 100

    def __init__(self, station: Station, heartbeat_ms: int) -> None:
        self._station = station
        self._heartbeat_s = heartbeat_ms / 1000
        self._parts = Parts()
        self._listeners: set[_Listener] = set()
        self._dirty = asyncio.Event()
        self._taken = asyncio.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._unsubscribe: Callable[[], None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def full(self) -> bool:
        """Whether another listener would be one too many."""
        return len(self._listeners) >= self.MOST_LISTENERS

    def start(self) -> None:
        """Begin to listen to the station; called in the loop."""
        self._loop = asyncio.get_running_loop()
        self._unsubscribe = self._station.subscribe(self.changed)
        self._task = self._loop.create_task(self._run())

    async def stop(self) -> None:
        """End every listener's stream and the task."""
        if self._unsubscribe is not None:
            self._unsubscribe()
        for listener in self._listeners:
            listener.over = "stopping"
            listener.woken.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def changed(self) -> None:
        """The station's call, from any thread, at any moment, even after the end."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has just closed: nobody listens any more
                self._loop.call_soon_threadsafe(self._dirty.set)

    async def snapshot(self) -> Event:
        """The whole state, as of now."""
        await self._take()
        return self._parts.all()

    async def at_once(self, wait_s: float) -> tuple[Event, Pulse] | None:
        """The whole state and the pulse of the same moment; None if the station fails or takes longer."""
        try:
            return await asyncio.wait_for(self.snapshot(), wait_s), self._station.pulse()
        except TimeoutError:
            return None
        except Exception:  # noqa: BLE001 (said in the next line)
            # A page without a state says that it knows nothing; no page at all would say nothing.
            _log.exception("the state cannot be had; the page comes without it")
            return None

    async def _take(self) -> bool:
        async with self._taken:
            self._dirty.clear()
            return self._parts.take(await asyncio.to_thread(self._station.state))

    async def _run(self) -> None:
        while True:
            try:
                # Without a word for two heartbeats look all the same: a missed call must not freeze a page.
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._dirty.wait(), 2 * self._heartbeat_s)
                if not self._listeners:
                    self._dirty.clear()
                    continue
                if await self._take():
                    for listener in self._listeners:
                        listener.woken.set()
                await asyncio.sleep(_SETTLE_S)
            except Exception:  # noqa: BLE001 (said in the next line)
                # The outer edge of this task. A page that shows an old state must not look alive: every
                # stream ends, and pages say that they have no live data until the station answers again.
                _log.exception("the state cannot be had; every page is disconnected")
                for listener in self._listeners:
                    listener.over = "failed"
                    listener.woken.set()
                await asyncio.sleep(_AFTER_FAILURE_S)

    async def listen(
        self, last_id: str, greeting: Event, still_welcome: Callable[[], bool]
    ) -> AsyncIterator[bytes]:
        """The stream of one page: a greeting, what it missed, then changes as they come, and heartbeats.

        `still_welcome` is asked with every heartbeat; when it says no the stream ends.
        """
        listener = _Listener(last_id)
        self._listeners.add(listener)
        try:
            await self._take()
            yield b"retry: 1000\n\n" + greeting.wire()
            yield self._beat().wire()  # first: the page reckons ages by it
            loop = asyncio.get_running_loop()
            beat_due_s = loop.time() + self._heartbeat_s
            while not listener.over:
                listener.woken.clear()
                if (left_s := beat_due_s - loop.time()) <= 0:
                    if not await asyncio.to_thread(still_welcome):
                        listener.over = "logged_out"
                        break
                    yield self._beat().wire()
                    beat_due_s = loop.time() + self._heartbeat_s
                    continue
                event = self._parts.since(listener.seen)
                if event is not None:
                    listener.seen = event.id
                    yield event.wire()
                    continue
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(listener.woken.wait(), left_s)
            yield Event("bye", _encode({"why": listener.over})).wire()
        finally:
            self._listeners.discard(listener)

    def _beat(self) -> Event:
        return Event("beat", _encode(self._station.pulse()))
