"""One serial port: its thread, its line, and the devices that share it.

The thread opens the line, asks each device who it is, then asks in rounds or listens. Whatever goes
wrong closes the line and opens it again after 1 to 10 s. Sources on one line are asked one after
the other, never two at a time.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from coldchain.clock import Clock
from coldchain.driver import Query
from coldchain.facts import Reading
from coldchain.model import Reason
from coldchain.pipeline.intake import Intake
from coldchain.ports.backoff import Backoff
from coldchain.ports.bell import Bell
from coldchain.ports.bus import Bus, Missing, Reply
from coldchain.ports.device import Device
from coldchain.ports.frames import Frames, Tapped
from coldchain.ports.framing import Blob, Cutter, cutter
from coldchain.ports.lines import LineLost, open_wire
from coldchain.ports.outlet import Made, Outlet, unreadable
from coldchain.ports.standing import Count

_log = logging.getLogger(__name__)

#: After so many rounds without a readable reply a device is in doubt: it is asked anew who it is. When all
#: devices of a line are, the line is opened anew: adapters and converters hang.
ROUNDS_IN_DOUBT = 3
#: A device that speaks by itself is in doubt after so many of its intervals, but not before a minute.
SILENT_S_MIN = 60.0
#: Bytes that come sooner after opening may be the rest of a line that began before: they are not read.
MIDDLE_OF_LINE_S = 0.5


class SerialPort:
    """A thread for the sources of one port. `start` once; `ask_to_stop` and `join` end it."""

    def __init__(
        self, port: str, outlets: tuple[Outlet, ...], intake: Intake, clock: Clock, frames: Frames
    ) -> None:
        self.name = port
        self._frames = frames
        self.outlets = outlets
        self.beat_s = clock.real_s()
        self._intake = intake
        self._clock = clock
        self._bell = Bell()
        self._stopping = threading.Event()
        self._backoff = Backoff()
        start_ms = clock.boot_ms()
        self._devices = [Device.of(outlet, intake, clock, start_ms) for outlet in outlets]
        self._thread = threading.Thread(target=self._run, name=f"port {port}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End soon."""
        self._stopping.set()
        self._bell.ring()

    def hurry(self, sources: frozenset[str]) -> None:
        """Ask these more often, as their settings say, and every other as ever; from any thread.

        The bell is not rung: it would end the opening of a line. A rest looks again within a second.
        """
        for device in self._devices:
            device.rounds.hurried = device.outlet.source.id in sources

    def join(self, wait_s: float) -> bool:
        """Whether the thread has ended, after waiting at most so long."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, wait_s))
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    # The thread

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self._try()
        finally:
            for device in self._devices:
                device.hands.finish()
            self._bell.close()

    def _try(self) -> None:
        """Serve until the line is lost, or to the end."""
        try:
            self._serve()
        except LineLost as lost:
            self._fell(str(lost))
        except Exception as error:  # noqa: BLE001 - the thread's outer edge: a defect must not end a port
            _log.exception("port %s", self.name)
            self._fell(f"{type(error).__name__}: {error}")

    def _fell(self, why: str) -> None:
        """The line is gone: say so, and wait before it is opened again."""
        if self._stopping.is_set():
            return
        self._frames.fault("", why)
        for device in self._devices:
            device.outlet.lost(why)
        self._pause(self._backoff.wait_s())

    def _pause(self, wait_s: float) -> None:
        until_s = self._clock.real_s() + wait_s
        while (left_s := until_s - self._clock.real_s()) > 0 and not self._stopping.wait(min(left_s, 1.0)):
            self._alive()
            self._tick()

    def _alive(self) -> None:
        self.beat_s = self._clock.real_s()

    def _tick(self) -> None:
        for device in self._devices:
            device.hands.tick()

    def _serve(self) -> None:
        """Open the line and work on it until told to stop; raises LineLost."""
        self._alive()
        first = self._devices[0]
        listening = [device for device in self._devices if not device.queries]
        if listening and len(self._devices) > 1:
            raise LineLost(f"{self.name}: a device that speaks by itself needs a port of its own")
        with open_wire(self.name, first.line.baud, first.line.frame, self._bell) as wire:
            self._frames.good("")
            bus = Bus(Tapped(wire, self._frames), self._bell, self._clock, self._stopping.is_set, self._alive)
            now_ms = self._clock.boot_ms()
            for device in self._devices:
                device.known, device.misses, device.mute = False, 0, False
                device.identity_due_s = 0.0
                device.rounds.at_once(now_ms)
            if listening:
                self._listen(bus, first, wire.detail)
            else:
                self._ask(bus, wire.detail)

    # Devices that are asked

    def _ask(self, bus: Bus, detail: str) -> None:
        while not self._stopping.is_set():
            self._tick()
            device = min(self._devices, key=self._due_s)
            bus.rest(lambda: min(map(self._due_s, self._devices)), self._unasked(device))
            if self._stopping.is_set() or not self._is_due(device):
                continue
            if not device.known:
                self._introduce(bus, device, detail)
            else:
                self._round(bus, device)
                device.rounds.done(self._clock.boot_ms())
            if device.misses >= ROUNDS_IN_DOUBT:
                self._put_in_doubt(device)

    def _due_s(self, device: Device) -> float:
        """The real instant at which a device is next asked; the longest overdue comes first."""
        if not device.known:
            return device.identity_due_s
        away_ms = device.rounds.due_ms - self._clock.boot_ms()
        return self._clock.real_s() + away_ms / 1000 / self._clock.speed

    def _is_due(self, device: Device) -> bool:
        if not device.known:
            return device.identity_due_s <= self._clock.real_s()
        return device.rounds.due_ms <= self._clock.boot_ms()

    def _introduce(self, bus: Bus, device: Device, detail: str) -> None:
        """Ask a device who it is, if it can be asked; from then on it is read."""
        why = self._first_objection(bus, device, device.identity)
        if self._stopping.is_set():
            return
        if why is not None:
            self._turn_away(device, why)
            return
        device.known, device.misses, device.objection = True, 0, None
        device.backoff.reset()
        if not device.doubted:
            device.rounds.at_once(self._clock.boot_ms())
        device.outlet.connected(detail, wait_for_frame=device.doubted)

    def _turn_away(self, device: Device, why: str) -> None:
        """It is not read until it says rightly who it is."""
        device.known = False
        device.identity_due_s = self._clock.real_s() + device.backoff.wait_s()
        device.outlet.fails(why)

    def _first_objection(self, bus: Bus, device: Device, queries: tuple[Query, ...]) -> str | None:
        """None if it is the right device, else a sentence why not."""
        for query in queries:
            why = self._who(bus, device, query)
            if why is not None:
                return why
        return None

    def _who(self, bus: Bus, device: Device, query: Query) -> str | None:
        query = bus.numbered(query, device.line)
        reply = self._frames.clean(bus.ask(query.send, device.line, self._unasked(device)))
        if isinstance(reply, Missing):
            device.misses += 1
            if reply is Missing.SILENCE:
                self._no_reply(device)
            return "does not say who it is: no reply to the identity request"
        if isinstance(reply, Blob):
            device.misses += 1
            self._no_frame(device, reply)
            return f"does not say who it is: {reply.reason.value}"
        try:
            why = device.driver.identify(device.outlet.source.driver_settings, query, reply)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge to other people's code
            device.outlet.driver_raised(error)
            return f"driver {device.driver.name} raised {type(error).__name__}: {error}"
        if why is not None:
            bus.doubt(device.line)
            if why != device.objection:  # once, not every ten seconds for as long as it stands there
                self._not_it(device, query, reply)
            device.objection = why
        return why

    def _not_it(self, device: Device, query: Query, reply: bytes) -> None:
        """Hand in what a wrong answer makes of the source's values if its driver says it, else the frame."""
        made = device.outlet.read(device.decoding(query, reply), reply)
        if any(isinstance(fact, Reading) for fact in made.facts):
            device.hands.give(made)
        else:
            self._no_frame(device, Blob(Reason.WRONG_DEVICE, reply))

    def _round(self, bus: Bus, device: Device) -> None:
        """Ask for everything once; a mute device is asked for one thing a round, in turn."""
        again = tuple(query for query in device.identity if query.each_round)
        if again:
            heard = device.misses
            why = self._first_objection(bus, device, again)
            if self._stopping.is_set():
                return
            if why is not None:
                device.mute = device.misses > heard
                if not device.mute:
                    self._turn_away(device, why)
                return
        queries = device.queries
        if device.mute:
            device.turn = (device.turn + 1) % len(queries)
            queries = queries[device.turn :] + queries[: device.turn]
        answered = good = False
        for asked, query in enumerate(queries):
            if asked and device.mute:
                break
            query = bus.numbered(query, device.line)
            reply = self._frames.clean(bus.question(query, device.line, self._unasked(device)))
            if reply is Missing.STOPPED:
                return
            if reply is Missing.SILENCE:
                self._no_reply(device)
                continue
            answered, device.mute = True, False
            good = self._take(bus, device, query, reply) or good
        device.mute = not answered
        if good:
            device.misses, device.doubted = 0, False
            self._backoff.reset()
        else:
            device.misses += 1

    def _take(self, bus: Bus, device: Device, query: Query, reply: Reply) -> bool:
        """Hand in what one reply says; whether it could be read."""
        if isinstance(reply, Blob):
            self._no_frame(device, reply)
            return False
        assert isinstance(reply, bytes)
        made = self._made(device, query, reply)
        if not made.good:
            bus.doubt(device.line)
        device.hands.give(made)
        return made.good

    def _put_in_doubt(self, device: Device) -> None:
        if device.known:
            device.outlet.fails(f"nothing readable in {ROUNDS_IN_DOUBT} rounds")
        device.known, device.doubted, device.misses = False, True, 0
        device.identity_due_s = self._clock.real_s() + device.backoff.wait_s()
        if all(each.doubted for each in self._devices):
            raise LineLost(f"{self.name}: no device has answered {ROUNDS_IN_DOUBT} times; it is opened anew")

    # A device that speaks by itself

    def _listen(self, bus: Bus, device: Device, detail: str) -> None:
        device.outlet.connected(detail, wait_for_frame=device.doubted)
        frames = cutter(device.line)
        try:
            self._hear(bus, device, frames)
        finally:
            torn = frames.give_up()
            if torn is not None:
                self._no_frame(device, torn)

    def _hear(self, bus: Bus, device: Device, frames: Cutter) -> None:
        opened_s = heard_s = good_s = self._clock.real_s()
        intervals_s = ROUNDS_IN_DOUBT * device.outlet.source.round_ms / 1000 / self._clock.speed
        silent_s = max(SILENT_S_MIN, intervals_s)
        while not self._stopping.is_set():
            data = bus.receive(1.0)
            now_s = self._clock.real_s()
            if data:
                if heard_s == opened_s and now_s - opened_s < MIDDLE_OF_LINE_S:
                    frames.skip_line()
                heard_s = now_s
                for each in frames.feed(data):
                    if self._heard(device, each):
                        good_s, device.doubted = now_s, False
                        self._backoff.reset()
            elif frames.waiting and now_s - heard_s >= device.line.timeout_ms / 1000:
                torn = frames.give_up()
                if torn is not None:
                    self._no_frame(device, torn)
            if now_s - good_s >= silent_s:
                device.doubted = True
                raise LineLost(f"{self.name}: nothing readable for {silent_s:g} s; opened anew")
            self._tick()

    def _heard(self, device: Device, frame: bytes | Blob) -> bool:
        """Hand in one frame of a device that speaks by itself; whether it could be read."""
        frame = self._frames.clean(frame)
        if isinstance(frame, Blob):
            self._no_frame(device, frame)
            return False
        if not frame:
            return False  # an empty line between two lines is no frame
        made = self._made(device, None, frame)
        device.hands.give(made)
        return made.good

    def _made(self, device: Device, query: Query | None, frame: bytes) -> Made:
        made = device.outlet.read(device.decoding(query, frame), frame)
        self._frames.judge(device.outlet.source.id, made)
        return made

    # What is no frame

    def _no_reply(self, device: Device) -> None:
        device.outlet.count(Count.NO_REPLY)
        self._frames.fault(device.outlet.source.id, "no reply")

    def _no_frame(self, device: Device, blob: Blob) -> None:
        self._frames.fault(device.outlet.source.id, blob.reason.value)
        fact = unreadable(device.outlet.source.id, self._frames.clean(blob))
        device.hands.give(Made((fact,), good=False))

    def _unasked(self, device: Device) -> Callable[[Blob], None]:
        def came(blob: Blob) -> None:
            device.outlet.count(Count.UNASKED)
            self._no_frame(device, blob)

        return came
