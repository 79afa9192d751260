"""Serial ports on real pseudo-terminals and TCP sockets: what goes wrong, and what becomes of it."""

from __future__ import annotations

import dataclasses
import math
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import serial

from coldchain.config import Loaded
from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.facts import Reading, SourceDown, SourceUp
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.ports import Ports, start_ports
from coldchain.ports.standing import Count
from coldchain_drivers.lies import LIES
from coldchain_drivers.mve_tec3000 import DRIVER
from coldchain_simulators.ascii_logger import AsciiLogger, Column
from coldchain_simulators.asked import AskedSimulator, Fault
from coldchain_simulators.speaking import SpeakingSimulator
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.tec3000 import Tec3000
from coldchain_simulators.wires import PtyWire, TcpWire, Wire
from tests.unit.ports.support import AnySettings, Desk, nothing, site

# --- A driver of the tests' own: two quantities, quick time-outs, misbehaves on demand ---------------------


class Misbehaviour:
    """What the drivers below do instead of reading; a test sets it and `calm` takes it back."""

    raises: BaseException | None = None
    blocks: threading.Event | None = None


def decode_quick(settings: AnySettings, query: Query | None, frame: bytes) -> Decoded:
    """`KEY=VALUE`; the key must be the one asked for."""
    if Misbehaviour.raises is not None:
        raise Misbehaviour.raises
    if Misbehaviour.blocks is not None:
        Misbehaviour.blocks.wait()
    text = frame.decode("latin-1")
    key = query.key if query is not None else "a"
    if not text.replace(".", "").replace("-", "").isdigit():
        return (Bad(Reason.UNEXPECTED_REPLY, frame, key),)
    return (Measured(key, text, "degC"),)


TIMEOUT_MS = 300


def quick(
    name: str, *, keys: str = "ab", identity: bytes | None = None, each_round: bool = False
) -> SerialDriver:
    """A driver that asks "a?" and "b?"; `identity` is what the right device answers to "who?"."""
    return SerialDriver(
        name=name,
        version="1",
        title="Quick",
        maturity=Maturity.GENERIC,
        settings=AnySettings,
        line=lambda s: Line(b"\n", 40, TIMEOUT_MS, 9600, "8N1"),
        poll=lambda s: tuple(Query(key, f"{key}?\n".encode()) for key in keys),
        decode=decode_quick,
        keys=lambda s: dict.fromkeys("ab", "degC"),
        identity=lambda s: (Query("who", b"who?\n", each_round=each_round),) if identity else (),
        identify=lambda s, query, frame: None if frame == identity else f"says it is {frame.decode()}",
    )


DRIVERS = {
    "quick": quick("quick"),
    "single": quick("single", keys="a"),
    "known": quick("known", keys="a", identity=b"me"),
    "asked anew": quick("asked anew", keys="a", identity=b"me", each_round=True),
}


@pytest.fixture(autouse=True)
def calm() -> Iterator[None]:
    """Drivers behave again after each test."""
    yield
    Misbehaviour.raises = None
    if Misbehaviour.blocks is not None:
        Misbehaviour.blocks.set()
        Misbehaviour.blocks = None


# --- Devices -----------------------------------------------------------------------------------------------

Answer = Callable[[bytes], list[tuple[float, bytes]]]


class Device:
    """The other end of a line: `answer` says what goes out for a request, each piece after a delay."""

    def __init__(self, wire: Wire, answer: Answer) -> None:
        self.wire = wire
        self.answer = answer
        self.requests: list[tuple[float, bytes]] = []
        self.answers: list[tuple[float, float]] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        buffer = b""
        while not self._stop.is_set():
            buffer += self.wire.read(0.05)
            *requests, buffer = buffer.split(b"\n")
            for request in requests:
                self.requests.append((time.monotonic(), request))
                for delay_s, piece in self.answer(request):
                    time.sleep(delay_s)  # the device's own slowness, not the test's
                    self.wire.write(piece)

    def close(self) -> None:
        """Switch it off and unplug it."""
        self._stop.set()
        self._thread.join()
        self.wire.close()


def well(request: bytes) -> list[tuple[float, bytes]]:
    """A device in order: a is -1, b is -2."""
    return [(0, {b"a?": b"-1\n", b"b?": b"-2\n", b"who?": b"me\n"}[request])]


def source(name: str, port: str, driver: str = "single", poll: str = "100 ms", **more: str) -> str:
    """A source in TOML."""
    extra = "".join(f'{key} = "{value}"\n' for key, value in more.items())
    return f'\n[sources.{name}]\ndriver = "{driver}"\nport = "{port}"\npoll = "{poll}"\n{extra}'


@contextmanager
def running(loaded: Loaded, desk: Desk) -> Iterator[Ports]:
    """Ports that end with the block, within 1.5 s."""
    ports = start_ports(loaded, desk.intake, desk.clock)
    try:
        yield ports
    finally:
        before = {thread for thread in threading.enumerate() if thread.name.startswith("port ")}
        started = time.monotonic()
        ports.stop()
        if Misbehaviour.blocks is None:
            assert time.monotonic() - started < 1.5
            assert not [thread for thread in before if thread.is_alive()]


@contextmanager
def device(wire: Wire, answer: Answer = well) -> Iterator[Device]:
    """A device that ends with the block."""
    made = Device(wire, answer)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def pty(tmp_path: Path) -> PtyWire:
    """A pseudo-terminal behind a stable name."""
    return PtyWire(tmp_path / "ttyProbe")


def one(tmp_path: Path, wire: Wire, driver: str = "single", poll: str = "100 ms") -> Loaded:
    """One source "log" on a wire; channels box.a and box.b."""
    return site(
        tmp_path,
        source("log", wire.port, driver, poll),
        {"box.a": ("log", "a"), "box.b": ("log", "b")},
        DRIVERS,
    )


def counts(ports: Ports, name: str = "log") -> dict[str, int]:
    """The counts of a source."""
    return next(status.counts for status in ports.status() if status.id == name)


# --- Plugging in and out -----------------------------------------------------------------------------------


def test_unplugged_and_plugged_in_again(tmp_path: Path, pty: PtyWire) -> None:
    """It heals by itself, each change is one fact, and what the system said stands in it."""
    desk = Desk()
    with device(pty), running(one(tmp_path, pty), desk) as ports:
        desk.wait_for(2, Reading)
        for cycle in (1, 2):
            pty.unplug()
            desk.until(lambda: len(desk.downs) == cycle, "down")  # noqa: B023
            assert ports.status()[0].up is False
            assert str(tmp_path) in desk.downs[-1].why
            pty.replug()
            seen = len(desk.readings)
            desk.until(lambda: len(desk.readings) > seen, "readings again")  # noqa: B023
        assert len(desk.ups) == 3
        assert ports.status()[0].up is True


def test_unplugged_in_the_middle_of_a_reply(tmp_path: Path, pty: PtyWire) -> None:
    """What had come of it, if anything, is written down, and is no reading."""
    desk = Desk()
    whole = [False]

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return well(request) if whole[0] else [(0, b"-18")]

    with device(pty, answer) as probe, running(one(tmp_path, pty), desk):
        desk.until(lambda: bool(probe.requests), "it was asked")
        pty.unplug()
        desk.wait_for(1, SourceDown)
        whole[0] = True
        assert desk.readings == []
        assert {fact.head_hex for fact in desk.unreadable} <= {b"-18".hex()}
        pty.replug()
        desk.wait_for(1, Reading)
        assert desk.readings[0].raw == "-1"


def test_not_there_at_first(tmp_path: Path, pty: PtyWire) -> None:
    """A device that is plugged in after the start is read without anybody's help."""
    desk = Desk()
    pty.unplug()
    with device(pty), running(one(tmp_path, pty), desk):
        desk.wait_for(1, SourceDown)
        assert "No such file" in desk.downs[0].why
        pty.replug()
        desk.wait_for(1, Reading)
        assert [type(fact) for fact in desk.look()[:3]] == [SourceDown, SourceUp, Reading]


def test_held_by_somebody_else(tmp_path: Path, pty: PtyWire) -> None:
    """A port that another program holds is not read beside it, and nobody else gets ours."""
    desk = Desk()
    other = serial.Serial(pty.port, exclusive=True)
    with device(pty), running(one(tmp_path, pty), desk):
        desk.wait_for(1, SourceDown)
        assert "exclusively lock" in desk.downs[0].why
        other.close()
        desk.wait_for(1, Reading)
        with pytest.raises(serial.SerialException, match="exclusively lock"):
            serial.Serial(pty.port, exclusive=True)


@pytest.mark.parametrize("frame", ["7E1", "8O2", "8N1"])
def test_parity_and_seven_bits(tmp_path: Path, pty: PtyWire, frame: str) -> None:
    """A line with parity opens: everything is set in one go, for a later setting fails on many devices."""
    desk = Desk()
    loaded = one(tmp_path, pty)
    log = loaded.sources["log"]
    assert log.line is not None
    line = Line(b"\n", 40, TIMEOUT_MS, 9600, frame)
    loaded = dataclasses.replace(loaded, sources={"log": dataclasses.replace(log, line=line)})
    with device(pty), running(loaded, desk):
        desk.wait_for(1, Reading)
        assert frame in desk.ups[0].detail


def test_a_converter(tmp_path: Path) -> None:
    """A serial line over TCP is read alike, and a converter that hangs up is called again."""
    desk = Desk()
    wire = TcpWire()
    with device(wire), running(one(tmp_path, wire), desk):
        desk.wait_for(2, Reading)
        wire._drop()
        desk.wait_for(1, SourceDown)
        desk.wait_for(2, SourceUp)
        seen = len(desk.readings)
        desk.until(lambda: len(desk.readings) > seen, "readings again")


# --- What comes instead of a reply -------------------------------------------------------------------------

SAYS: list[tuple[str, list[tuple[float, bytes]], tuple[Reason, int] | None, Reason | None]] = [
    ("byte by byte", [(0.005, b"-"), (0.005, b"1"), (0.005, b"\n")], None, None),
    ("a torn line", [(0, b"-1")], (Reason.CORRUPT_FRAME, 2), None),
    (
        "a torn line, its end too late",
        [(0, b"-1"), (1.4 * TIMEOUT_MS / 1000, b"00\n")],
        (Reason.CORRUPT_FRAME, 2),
        None,
    ),
    ("two lines at once", [(0, b"-77\n-1\n")], (Reason.UNEXPECTED_REPLY, 7), None),
    ("echo and reply", [(0, b"a?\n-1\n")], (Reason.UNEXPECTED_REPLY, 6), None),
    ("echo alone", [(0, b"a?\n")], None, Reason.UNEXPECTED_REPLY),
    ("garbage", [(0, b"\xff\x00\x80\n")], None, Reason.UNEXPECTED_REPLY),
    ("garbage without an end", [(0, b"\xff" * 30)], (Reason.CORRUPT_FRAME, 30), None),
    ("endless", [(0, b"9" * 500)], (Reason.OVERSIZED_FRAME, 500), None),
    ("endless with an end", [(0, b"9" * 500 + b"\n")], (Reason.OVERSIZED_FRAME, 500), None),
    ("an empty line", [(0, b"\n")], None, Reason.UNEXPECTED_REPLY),
    ("nothing", [], None, None),
]


@pytest.mark.parametrize(("says", "unread", "bad"), [pytest.param(*row[1:], id=row[0]) for row in SAYS])
def test_instead_of_a_reply(
    tmp_path: Path,
    pty: PtyWire,
    says: list[tuple[float, bytes]],
    unread: tuple[Reason, int] | None,
    bad: Reason | None,
) -> None:
    """Half a line is no value, nor is one of two; the next request gets its own reply and no other."""
    desk = Desk()
    pending = [says]

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return pending.pop() if pending else well(request)

    with device(pty, answer), running(one(tmp_path, pty, "quick"), desk) as ports:
        desk.until(lambda: len([r for r in desk.readings if r.bad is None]) >= 4, "four values")
        assert {(r.channel, r.raw) for r in desk.readings if r.bad is None} == {
            ("box.a", "-1"),
            ("box.b", "-2"),
        }
        assert [r.bad for r in desk.readings if r.bad is not None] == ([bad] if bad else [])
        first = [(fact.reason, fact.size) for fact in desk.unreadable[:1]]
        assert first == ([unread] if unread else [])
        if not says:
            assert counts(ports)[Count.NO_REPLY] == 1
            assert desk.readings[0].channel == "box.b", "a request without a reply is no reading"
        assert len(desk.ups) == 1
        assert desk.downs == []


def test_a_late_reply_is_never_taken_for_the_next(tmp_path: Path, pty: PtyWire) -> None:
    """However late replies come, up to twice the time-out, no quantity ever gets another's value."""
    desk = Desk()
    noise = random.Random(20240611)
    late = 0

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        nonlocal late
        delay_s = noise.choice((0.0, 0.0, 1.1, 1.3, 1.6, 1.9)) * TIMEOUT_MS / 1000
        late += delay_s > 0
        return [(delay_s, well(request)[0][1])]

    with device(pty, answer), running(one(tmp_path, pty, "quick"), desk) as ports:
        desk.until(lambda: len(desk.readings) >= 8 and late >= 6, "many replies, many of them late")
        assert {(r.channel, r.raw) for r in desk.readings} == {("box.a", "-1"), ("box.b", "-2")}
        assert counts(ports)[Count.UNASKED] > 0
        assert {fact.reason for fact in desk.unreadable} == {Reason.UNEXPECTED_REPLY}


def numbered() -> SerialDriver:
    """Requests "a?7" for a number of the port's; replies "-1#7"."""
    line = Line(
        b"\n",
        40,
        TIMEOUT_MS,
        9600,
        "8N1",
        answers=lambda request, frame: request[2:].strip() == frame.partition(b"#")[2],
        numbered=lambda request, number: request[:2] + b"%d\n" % number,
    )
    return dataclasses.replace(
        DRIVERS["quick"],
        line=lambda s: line,
        decode=lambda s, query, frame: (Measured(query.key, frame.partition(b"#")[0].decode(), "degC"),),
    )


def test_a_late_reply_that_names_its_request(tmp_path: Path) -> None:
    """It is put aside, wherever it comes, and costs the request that is under way nothing."""
    desk = Desk()
    wire = TcpWire()  # a device that numbers requests is on the network
    owed: list[bytes] = []
    sent: list[bytes] = []

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        sent.append(request)
        reply = (b"-1" if request[:1] == b"a" else b"-2") + b"#" + request[2:] + b"\n"
        if len(sent) % 3 == 1:  # comes with the reply to the next request, before it
            owed.append(reply)
            return []
        late = owed.pop() if owed else b""
        return [(0, late + reply)]

    loaded = site(
        tmp_path,
        source("log", wire.port, "numbered"),
        {"box.a": ("log", "a"), "box.b": ("log", "b")},
        {"numbered": numbered()},
    )
    with device(wire, answer), running(loaded, desk) as ports:
        desk.until(lambda: len(desk.readings) >= 8, "many values")
        assert {(r.channel, r.raw) for r in desk.readings} == {("box.a", "-1"), ("box.b", "-2")}
        assert counts(ports)[Count.UNASKED] >= 3
        assert {fact.reason for fact in desk.unreadable} == {Reason.UNEXPECTED_REPLY}


def test_speaks_without_being_asked(tmp_path: Path, pty: PtyWire) -> None:
    """What comes between two rounds is written down and answers nothing."""
    desk = Desk()
    with device(pty) as probe, running(one(tmp_path, pty, poll="400 ms"), desk):
        desk.wait_for(1, Reading)
        probe.wire.write(b"-55\n")
        desk.until(lambda: len(desk.unreadable) == 1, "the stray line is a fact")
        desk.wait_for(3, Reading)
        assert {reading.raw for reading in desk.readings} == {"-1"}
        assert desk.unreadable[0].head_hex == b"-55\n".hex()


def test_a_line_that_is_never_quiet(tmp_path: Path, pty: PtyWire) -> None:
    """Into babble nothing is asked: the source is down with the reason, and comes back with quiet."""
    desk = Desk()
    quiet = threading.Event()

    def babble() -> None:
        while not quiet.wait(0.005):
            pty.write(b"x")

    babbler = threading.Thread(target=babble)
    babbler.start()
    try:
        with device(pty), running(one(tmp_path, pty), desk):
            desk.until(lambda: any("never quiet" in down.why for down in desk.downs), "down")
            quiet.set()
            desk.until(lambda: any(reading.raw == "-1" for reading in desk.readings), "read again")
            assert {reading.raw for reading in desk.readings} <= {"-1", ""}
    finally:
        quiet.set()
        babbler.join()


# --- Silence, doubt, the wrong device ----------------------------------------------------------------------


def test_a_device_that_stops_answering(tmp_path: Path, pty: PtyWire) -> None:
    """It is no reading; after three rounds the source is down, once; with the first reply it is up."""
    desk = Desk()
    probe_on = threading.Event()
    probe_on.set()

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return well(request) if probe_on.is_set() else []

    with device(pty, answer), running(one(tmp_path, pty), desk) as ports:
        desk.wait_for(1, Reading)
        probe_on.clear()
        desk.wait_for(1, SourceDown)
        seen = len(desk.readings)
        asked = counts(ports)[Count.NO_REPLY]
        assert asked >= 3
        desk.until(lambda: counts(ports)[Count.NO_REPLY] >= asked + 4, "asked again and again")
        assert (len(desk.downs), len(desk.ups), len(desk.readings)) == (1, 1, seen)
        probe_on.set()
        desk.wait_for(2, SourceUp)
        desk.until(lambda: len(desk.readings) > seen, "readings again")


def test_the_wrong_device(tmp_path: Path, pty: PtyWire) -> None:
    """No reading is taken from it; its answer is a fact, once; the right one is read when it is there."""
    desk = Desk()
    name = [b"somebody else\n"]

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return [(0, name[0])] if request == b"who?" else well(request)

    with device(pty, answer) as probe, running(one(tmp_path, pty, "known"), desk):
        desk.until(lambda: len(probe.requests) >= 2, "asked twice who it is")
        assert desk.downs[0].why == "says it is somebody else"
        assert [fact.reason for fact in desk.unreadable] == [Reason.WRONG_DEVICE]
        assert desk.readings == []
        assert {request for _, request in probe.requests} == {b"who?"}
        name[0] = b"me\n"
        desk.wait_for(1, Reading)
        assert len(desk.ups) == 1


def test_a_device_exchanged_while_running(tmp_path: Path, pty: PtyWire) -> None:
    """After a silence it is asked anew who it is: another device in its place is not read."""
    desk = Desk()
    replies = {b"who?": b"me\n", b"a?": b"-1\n"}

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return [(0, replies[request])] if request in replies else []

    with device(pty, answer), running(one(tmp_path, pty, "known"), desk):
        desk.wait_for(1, Reading)
        del replies[b"a?"]
        replies[b"who?"] = b"a stranger\n"
        desk.until(lambda: any(fact.reason is Reason.WRONG_DEVICE for fact in desk.unreadable), "found out")
        seen = len(desk.readings)
        replies[b"a?"] = b"-500\n"
        desk.pause(0.5)
        assert len(desk.readings) == seen
        assert desk.downs != []


def test_what_is_asked_before_each_round(tmp_path: Path, pty: PtyWire) -> None:
    """A setting by which numbers mean something else is changed while all answers: no value is taken then."""
    desk = Desk()
    replies = {b"who?": b"me\n", b"a?": b"-182.4\n"}

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return [(0, replies[request])]

    with device(pty, answer) as probe, running(one(tmp_path, pty, "asked anew"), desk):
        desk.wait_for(3, Reading)
        replies |= {b"who?": b"me, in tenths\n", b"a?": b"-18.24\n"}
        desk.wait_for(1, SourceDown)
        assert desk.downs[0].why == "says it is me, in tenths"
        since = len(probe.requests)
        desk.until(lambda: len(probe.requests) > since + 1, "asked again who it is")
        assert {request for _, request in probe.requests[since:]} == {b"who?"}
        replies |= {b"who?": b"me\n", b"a?": b"-182.4\n"}
        desk.wait_for(2, SourceUp)
        seen = len(desk.readings)
        desk.until(lambda: len(desk.readings) > seen, "readings again")
        assert {reading.raw for reading in desk.readings} == {"-182.4"}


def test_silent_before_a_round(tmp_path: Path, pty: PtyWire) -> None:
    """One request a round goes to a device that does not even say who it is, and after three it is down."""
    desk = Desk()
    on = threading.Event()
    on.set()

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return well(request) if on.is_set() else []

    with device(pty, answer) as probe, running(one(tmp_path, pty, "asked anew"), desk):
        desk.wait_for(1, Reading)
        on.clear()
        since = len(probe.requests)
        desk.wait_for(1, SourceDown)
        assert {request for _, request in probe.requests[since + 1 :]} == {b"who?"}
        on.set()
        desk.wait_for(2, SourceUp)


# --- Rounds ------------------------------------------------------------------------------------------------


def test_rounds_at_multiples_of_the_interval(tmp_path: Path, pty: PtyWire) -> None:
    """Never before its multiple, never two in one interval; rounds that a slow reply covers are left out."""
    interval_ms = 400
    desk = Desk()
    slots: list[float] = []
    slow = [0.0, 0.0, 0.0, 0.0]

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        slots.append((desk.clock.boot_ms() - start_ms) / interval_ms)
        return [(slow.pop() if slow else 0.0, b"-1\n")]

    start_ms = desk.clock.boot_ms()
    with device(pty, answer), running(one(tmp_path, pty, poll=f"{interval_ms} ms"), desk):
        desk.until(lambda: len(slots) >= 7, "seven rounds")
    # The first comes with the opening. The port began a little after start_ms: a round is never early.
    numbers = [math.floor(slot) for slot in slots[1:]]
    assert numbers == sorted(set(numbers))
    assert numbers[0] >= 1


def test_simulated_runs_scale_the_interval_and_not_the_time_out(tmp_path: Path, pty: PtyWire) -> None:
    """At speed 100 a round of 10 s comes each 0.1 s, and a reply after 0.1 real seconds is still in time."""
    desk = Desk(speed=100)
    loaded = one(tmp_path, pty, poll="10 s")
    log = loaded.sources["log"]
    patient = dataclasses.replace(log, line=Line(b"\n", 40, 2000, 9600, "8N1"))
    loaded = dataclasses.replace(loaded, sources={"log": patient})
    with device(pty, lambda request: [(0.1, b"-1\n")]), running(loaded, desk) as ports:
        desk.wait_for(4, Reading)
        assert counts(ports)[Count.NO_REPLY] == 0


# --- Drivers that misbehave, lines that are shared ---------------------------------------------------------


def test_a_driver_that_blocks_stops_its_own_port_alone(
    tmp_path: Path, pty: PtyWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other port goes on, the watchdog says who is stuck, stopping waits for nobody; it may heal."""
    monkeypatch.setattr("coldchain.ports.ports.STUCK_S", 0.3)
    desk = Desk()
    tec = Tec3000({"TEMPA": lambda: -182.4})
    tec.measure()
    stop = threading.Event()
    wire = PtyWire(tmp_path / "ttyFreezer")
    freezer = threading.Thread(target=AskedSimulator(tec, wire, Stepper()).serve, args=(stop,))
    freezer.start()
    loaded = site(
        tmp_path,
        source("log", pty.port)
        + source("freezer", wire.port, "mve_tec3000")
        + '[sources.freezer.settings]\nbaud = 9600\nframe = "8N1"\ndisplayed_unit = "degC"\n'
        + 'queries = [{ key = "temp_a", query = "TEMPA?" }]\n',
        {"box.a": ("log", "a"), "box.v": ("freezer", "temp_a")},
        DRIVERS,
    )
    try:
        with device(pty), running(loaded, desk) as ports:
            desk.wait_for(2, SourceUp)
            Misbehaviour.blocks = threading.Event()
            desk.until(lambda: any(down.source == "log" for down in desk.downs), "the watchdog says so")
            assert "a driver may be stuck" in desk.downs[0].why
            seen = len([r for r in desk.readings if r.source == "freezer"])
            desk.until(
                lambda: len([r for r in desk.readings if r.source == "freezer"]) >= seen + 3,
                "freezer goes on",
            )
            Misbehaviour.blocks.set()
            Misbehaviour.blocks = None
            desk.wait_for(3, SourceUp)
            assert ports.status()[0].up is True
            Misbehaviour.blocks = threading.Event()
            desk.pause(0.3)
            started = time.monotonic()
            ports.stop()
            assert time.monotonic() - started < 3
            told = len(desk.look())
            Misbehaviour.blocks.set()
            desk.pause(0.3)
            assert len(desk.look()) == told, "what comes back after the stop says nothing"
    finally:
        stop.set()
        freezer.join()
        wire.close()


def shared(tmp_path: Path, wire: Wire, drivers: tuple[str, str]) -> Loaded:
    """Two sources on one line, which a configuration file may not have (yet)."""
    loaded = site(
        tmp_path,
        source("left", wire.port, drivers[0]) + source("right", wire.port + "x", drivers[1]),
        {"box.a": ("left", "a"), "box.b": ("right", "b")},
        DRIVERS,
    )
    right = loaded.sources["right"]
    settings = right.settings.model_copy(update={"port": wire.port})
    moved = dataclasses.replace(right, settings=settings)
    return dataclasses.replace(loaded, sources={"left": loaded.sources["left"], "right": moved})


def test_a_shared_line_is_asked_one_at_a_time(tmp_path: Path, pty: PtyWire) -> None:
    """Two devices on one bus: each request waits for the reply before it, and both have their turn."""
    desk = Desk()
    under_way: list[bytes] = []
    overlaps: list[bytes] = []

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        under_way.append(request)
        time.sleep(0.03)
        if pty.read(0):
            overlaps.append(request)
        return well(request)

    with device(pty, answer), running(shared(tmp_path, pty, ("single", "quick")), desk):
        desk.until(
            lambda: min(len([r for r in desk.readings if r.source == s]) for s in ("left", "right")) >= 3,
            "both are read",
        )
    assert overlaps == []
    assert {r.raw for r in desk.readings if r.source == "left"} == {"-1"}
    assert {r.raw for r in desk.readings if r.channel == "box.b"} == {"-2"}


def test_a_dead_device_does_not_starve_the_other_on_its_line(tmp_path: Path, pty: PtyWire) -> None:
    """One that never answers is down; the line stays open, and the other is read on."""
    desk = Desk()

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        return [] if request == b"who?" else well(request)

    with device(pty, answer), running(shared(tmp_path, pty, ("known", "quick")), desk):
        desk.wait_for(1, SourceDown)
        desk.until(lambda: len([r for r in desk.readings if r.channel == "box.b"]) >= 5, "the other goes on")
        assert {down.source for down in desk.downs} == {"left"}


@pytest.mark.parametrize("raised", [ValueError("no"), SystemExit(2)])
def test_a_driver_that_raises(tmp_path: Path, pty: PtyWire, raised: BaseException) -> None:
    """It is a fact with what was raised; the thread goes on."""
    desk = Desk()
    with device(pty), running(one(tmp_path, pty), desk):
        desk.wait_for(1, Reading)
        Misbehaviour.raises = raised
        desk.wait_for(1, SourceDown)
        assert f"driver single 1 raised {type(raised).__name__}" in desk.downs[0].why
        assert desk.unreadable[0].reason is Reason.CORRUPT_FRAME
        Misbehaviour.raises = None
        seen = len(desk.readings)
        desk.until(lambda: len(desk.readings) > seen, "readings again")


class Killed(BaseException):
    """Nothing that a thread survives."""


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_thread_that_died_is_begun_anew(tmp_path: Path, pty: PtyWire) -> None:
    """The watchdog finds it, says so and starts another."""
    desk = Desk()
    with device(pty), running(one(tmp_path, pty), desk):
        desk.wait_for(1, Reading)
        Misbehaviour.raises = Killed()
        desk.wait_for(1, SourceDown)
        assert "has died" in desk.downs[0].why
        Misbehaviour.raises = None
        seen = len(desk.readings)
        desk.until(lambda: len(desk.readings) > seen, "readings again")
        assert len(desk.ups) == 2


# --- No room -----------------------------------------------------------------------------------------------


def test_no_room_for_what_a_device_says(tmp_path: Path, pty: PtyWire) -> None:
    """The newest value waits with its time, the others are counted; nothing is missing in the sum."""
    desk = Desk(capacity=2)
    replies = 0

    def answer(request: bytes) -> list[tuple[float, bytes]]:
        nonlocal replies
        replies += 1
        return [(0, b"%d\n" % replies)]

    desk.takes = False
    with device(pty, answer), running(one(tmp_path, pty, poll="50 ms"), desk) as ports:
        desk.until(lambda: replies >= 8, "eight replies")
        desk.takes = True
        desk.until(lambda: bool(desk.lost), "the loss is told")
        ports.stop()
    values = [int(reading.raw) for reading in desk.readings]
    assert values[0] == 1
    assert values == sorted(values)
    assert values[1] - values[0] == 1 + desk.lost[0].count
    assert desk.readings[1].stamp_ms is not None, "the one that waited has the time at which it came"
    under_way = replies - len(values) - sum(fact.count for fact in desk.lost)
    assert under_way in (0, 1), "at the end"


# --- Devices that speak by themselves ----------------------------------------------------------------------

LISTENING = """
[sources.log]
driver = "ascii_line"
port = "{port}"
[sources.log.settings]
baud = 9600
frame = "8N1"
layout = "pairs"
timeout_ms = 200
values = [{{ key = "a", at = "t", unit = "degC" }}]
{more}
"""


@contextmanager
def listening(tmp_path: Path, pty: PtyWire, desk: Desk, more: str = "") -> Iterator[Ports]:
    """A port on a line whose device speaks by itself, open and past the first half second."""
    loaded = site(tmp_path, LISTENING.format(port=pty.port, more=more), {"box.a": ("log", "a")})
    with running(loaded, desk) as ports:
        desk.wait_for(1, SourceUp)
        desk.pause(0.6)
        yield ports


@pytest.mark.parametrize(
    ("pieces", "values", "unread"),
    [
        pytest.param([b"t=-1\r\nt=-2\r\n"], ["-1", "-2"], [], id="two lines at once"),
        pytest.param([b"t=", b"-18", b"2.4\r", b"\n"], ["-182.4"], [], id="in pieces"),
        pytest.param([b"\r\n\r\nt=-1\r\n"], ["-1"], [], id="empty lines between"),
        pytest.param([b"x" * 600 + b"t=-5\r\nt=-1\r\n"], ["-1"], [Reason.OVERSIZED_FRAME], id="too long"),
        pytest.param([b"t=-1", b"PAUSE", b"82.4\r\nt=-2\r\n"], ["-2"], [Reason.CORRUPT_FRAME] * 2, id="torn"),
        pytest.param([b"\x00\xff\r\nt=-1\r\n"], ["-1"], [Reason.CORRUPT_FRAME], id="garbage"),
        pytest.param([b"hello\r\nt=-1\r\n"], ["-1"], [Reason.UNEXPECTED_REPLY], id="something else"),
    ],
)
def test_lines_as_they_come(
    tmp_path: Path, pty: PtyWire, pieces: list[bytes], values: list[str], unread: list[Reason]
) -> None:
    """Each whole line is read once, whatever the pieces; half a line never, nor its end if that is late."""
    desk = Desk()
    with listening(tmp_path, pty, desk) as ports:
        for piece in pieces:
            if piece == b"PAUSE":
                desk.until(lambda: bool(desk.unreadable), "half a line is given up")
            else:
                pty.write(piece)
        desk.wait_for(len(values), Reading)
        desk.until(lambda: len(desk.unreadable) >= len(unread), "what could not be read is told")
        assert [reading.raw for reading in desk.readings] == values
        assert [fact.reason for fact in desk.unreadable] == unread
        assert counts(ports)[Count.READINGS] == len(values)
    pty.close()


def test_joined_in_the_middle_of_a_line(tmp_path: Path, pty: PtyWire) -> None:
    """A device that is speaking while the port opens: the rest of a line would be another number."""
    over = threading.Event()

    def speak() -> None:
        while not over.is_set():
            for sign in b"-182.4\r\n":
                over.wait(0.002)
                pty.write(bytes([sign]))

    text = LISTENING.replace('layout = "pairs"', 'layout = "columns"\ncolumn_count = 1').replace(
        'at = "t"', "at = 1"
    )
    loaded = site(tmp_path, text.format(port=pty.port, more=""), {"box.a": ("log", "a")})
    speaker = threading.Thread(target=speak)
    speaker.start()
    try:
        for _ in range(8):
            desk = Desk()
            with running(loaded, desk):
                desk.wait_for(2, Reading)
                assert {reading.raw for reading in desk.readings} == {"-182.4"}
    finally:
        over.set()
        speaker.join()
        pty.close()


def test_a_simulated_logger(tmp_path: Path, pty: PtyWire) -> None:
    """Time, number and checksum of a logger arrive as it sent them; a probe without a value is BAD."""
    desk = Desk()
    shown: list[float | None] = [-182.4, None, -182.5]
    logger = AsciiLogger(
        {"t": Column(lambda: shown[logger.printed - 1], "degC")},
        stamp="iso8601",
        numbered=True,
        checksum="xor8",
    )
    stepper = Stepper(start_ms=1_700_000_000_000)
    simulator = SpeakingSimulator(logger, pty, stepper, interval_ms=60_000)
    more = 'sequence = "seq"\ntime = { at = "time", format = "iso8601" }\nchecksum = "xor8"'
    with listening(tmp_path, pty, desk, more):
        simulator.process(120.0)
        desk.wait_for(3, Reading)
    assert [(r.raw, r.unit, r.sequence, r.at_ms, r.bad) for r in desk.readings] == [
        ("-182.40", "degC", 1, 1_700_000_000_000, None),
        ("", "", 2, 1_700_000_060_000, Reason.NOT_A_NUMBER),
        ("-182.50", "degC", 3, 1_700_000_120_000, None),
    ]
    pty.close()


def test_a_listening_device_that_fell_silent(
    tmp_path: Path, pty: PtyWire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line is opened anew, for adapters hang; the source is up with its first line, not before."""
    monkeypatch.setattr("coldchain.ports.serial_port.SILENT_S_MIN", 0.0)
    monkeypatch.setattr("coldchain.ports.serial_port.ROUNDS_IN_DOUBT", 0.02)  # of the channel's minute: 1.2 s
    desk = Desk()
    with listening(tmp_path, pty, desk):
        pty.write(b"t=-1\r\n")
        desk.wait_for(1, SourceDown)
        assert "nothing readable for 1.2 s" in desk.downs[0].why
        desk.pause(2.5)
        assert (len(desk.ups), len(desk.downs)) == (1, 1)
        pty.write(b"t=-2\r\n")
        desk.pause(0.6)
        pty.write(b"t=-3\r\nt=-4\r\n")
        desk.wait_for(2, SourceUp)
    pty.close()


# --- Readings that lie -------------------------------------------------------------------------------------


def lies() -> Iterator[tuple[str, str, Reason]]:
    """Every known lie: its family, what the device shows, and what it means."""
    for family, about in LIES.items():
        for lie in about.lies:
            for bound in (lie.value, lie.at_or_above, lie.at_or_below):
                if bound:
                    yield family, bound, lie.reason


def test_every_known_lie_arrives_as_bad(tmp_path: Path, pty: PtyWire) -> None:
    """A failed probe that reads cold is never a number: each lie of the table reaches the intake as BAD."""
    table = list(lies())
    values = ",".join(
        f'{{ key = "v{i}", at = "v{i}", unit = "degC", lies = ["{family}"] }}'
        for i, (family, _, _) in enumerate(table)
    )
    values += ', { key = "plain", at = "plain", unit = "degC" }'
    text = LISTENING.replace('[{{ key = "a", at = "t", unit = "degC" }}]', f"[{values}]").replace("{{", "{")
    text = text.replace("{port}", pty.port).replace("{more}", "every_value = false")
    desk = Desk()
    channels = {f"box.v{i}": ("log", f"v{i}") for i in range(len(table))} | {"box.plain": ("log", "plain")}
    with running(site(tmp_path, text, channels), desk):
        desk.wait_for(1, SourceUp)
        desk.pause(0.6)
        for i, (_, shown, _) in enumerate(table):
            pty.write(f"v{i}={shown}[degC]\r\n".encode())
        words = ("nan", "NaN", "inf", "----", "......", "T_ERR", "OPEN", "", "1e", "-18 2", "0x8000")
        for word in words:
            pty.write(f"plain={word}\r\n".encode())
        pty.write(b"plain=-182.4[furlong]\r\n")
        desk.wait_for(len(table) + len(words) + 1, Reading)
    found = {reading.channel: reading for reading in desk.readings[: len(table)]}
    for i, (family, shown, reason) in enumerate(table):
        reading = found[f"box.v{i}"]
        assert (reading.bad, reading.raw) == (reason, ""), f"{family} {shown}"
    rest = desk.readings[len(table) :]
    assert all(reading.bad is not None and reading.raw == "" for reading in rest)
    assert rest[-1].bad is Reason.UNKNOWN_UNIT
    pty.close()


@pytest.mark.parametrize(
    ("shows", "bad"),
    [
        pytest.param(b"-127.0", Reason.NOT_CONNECTED, id="thermocouple not fitted"),
        pytest.param(b"-242.02", Reason.SENSOR_SHORT, id="shorted, reads colder than liquid nitrogen"),
        pytest.param(b"----", Reason.UNEXPECTED_REPLY, id="dashes"),
        pytest.param(b"OPEN", Reason.SENSOR_OPEN, id="a word of the site's own"),
        pytest.param(b"-19", Reason.UNEXPECTED_REPLY, id="torn before the point"),
        pytest.param(b"-197.10", None, id="the truth"),
    ],
)
def test_a_controller_that_lies(tmp_path: Path, pty: PtyWire, shows: bytes, bad: Reason | None) -> None:
    """What a freezer controller shows instead of a temperature is BAD with the reason."""
    desk = Desk()
    loaded = site(
        tmp_path,
        source("log", pty.port, "mve_tec3000", "10 s")
        + '[sources.log.settings]\nbaud = 9600\nframe = "8N1"\ndisplayed_unit = "degC"\n'
        + 'ask_identity = false\nqueries = [{ key = "a", query = "TEMPA?" }]\n'
        + 'lies = ["thermo_tde", "max31865", { value = "OPEN", reason = "sensor_open" }]\n',
        {"box.a": ("log", "a")},
    )
    with device(pty, lambda request: [(0, shows + b"\r\n")]), running(loaded, desk):
        desk.wait_for(1, Reading)
    (reading,) = desk.readings
    assert (reading.bad, reading.raw) == (bad, shows.decode() if bad is None else "")


@pytest.mark.parametrize(
    "fault", [Fault.GARBAGE, Fault.PARTIAL, Fault.ECHO, Fault.SPLIT, Fault.SILENT, Fault.DELAYED]
)
def test_faults_of_the_simulated_controller(tmp_path: Path, pty: PtyWire, fault: Fault) -> None:
    """After any one fault on the line the next reading is right, and no wrong value was taken between."""
    desk = Desk()
    tec = Tec3000({"TEMPA": lambda: -182.4}, address=7)
    tec.measure()
    stop = threading.Event()
    speaker = threading.Thread(target=AskedSimulator(tec, pty, Stepper()).serve, args=(stop,))
    speaker.start()
    impatient = dataclasses.replace(DRIVER, line=lambda s: Line(b"\r\n", 80, TIMEOUT_MS, s.baud, s.frame))
    loaded = site(
        tmp_path,
        source("log", pty.port, "mve_tec3000", "200 ms")
        + '[sources.log.settings]\nbaud = 9600\nframe = "8N1"\ndisplayed_unit = "degC"\naddress = 7\n'
        + 'queries = [{ key = "a", query = "TEMPA?" }]\n',
        {"box.a": ("log", "a")},
        {"mve_tec3000": impatient},
    )
    try:
        with running(loaded, desk):
            desk.wait_for(1, Reading)
            tec.delay_s = 1.6 * TIMEOUT_MS / 1000
            tec.inject(fault)
            asked = tec.requests
            desk.until(lambda: tec.requests > asked, "the fault happened")
            seen = len([r for r in desk.readings if r.bad is None])
            desk.until(lambda: len([r for r in desk.readings if r.bad is None]) >= seen + 2, "right again")
            assert {reading.raw for reading in desk.readings if reading.bad is None} == {"-182.40"}
    finally:
        stop.set()
        speaker.join()
        pty.close()


# --- A new configuration -----------------------------------------------------------------------------------


def test_reload_touches_only_what_changed(tmp_path: Path, pty: PtyWire) -> None:
    """A port whose settings stay keeps its thread and its line; one that left is told as down."""
    other = PtyWire(tmp_path / "ttyOther")
    desk = Desk()
    channels = {"box.a": ("left", "a"), "box.b": ("right", "a")}
    both = source("left", pty.port) + source("right", other.port)

    def threads() -> dict[str, threading.Thread]:
        return {t.name: t for t in threading.enumerate() if t.name.startswith("port ")}

    with (
        device(pty),
        device(other),
        running(site(tmp_path, both, channels, DRIVERS), desk) as ports,
    ):
        desk.wait_for(2, SourceUp)
        before = threads()
        ports.reload(site(tmp_path, both, channels, DRIVERS))
        assert threads() == before
        changed = source("left", pty.port) + source("right", other.port, poll="200 ms")
        ports.reload(site(tmp_path, changed, channels, DRIVERS))
        assert threads()[f"port {pty.port}"] == before[f"port {pty.port}"]
        assert threads()[f"port {other.port}"] != before[f"port {other.port}"]
        seen = len([r for r in desk.readings if r.source == "right"])
        desk.until(lambda: len([r for r in desk.readings if r.source == "right"]) >= seen + 2, "goes on")
        assert (len(desk.ups), desk.downs) == (2, []), "nothing went up or down for those who watch"
        ports.reload(site(tmp_path, source("left", pty.port), {"box.a": ("left", "a")}, DRIVERS))
        assert list(threads()) == [f"port {pty.port}"]
        assert [(down.source, down.why) for down in desk.downs] == [
            ("right", "taken out of the configuration")
        ]
        assert [status.id for status in ports.status()] == ["left"]
        renamed = {"box.renamed": ("left", "a")}
        ports.reload(site(tmp_path, source("left", pty.port), renamed, DRIVERS))
        desk.until(lambda: desk.readings[-1].channel == "box.renamed", "the new channel is used")


def test_a_driver_finds_nothing_of_ours(tmp_path: Path, pty: PtyWire) -> None:
    """A frame without any configured value is no reading and no fault."""
    desk = Desk()
    empty = dataclasses.replace(DRIVERS["single"], decode=nothing)
    loaded = site(tmp_path, source("log", pty.port, "empty"), {"box.a": ("log", "a")}, {"empty": empty})
    with device(pty), running(loaded, desk) as ports:
        desk.until(lambda: counts(ports)[Count.FRAMES] >= 2, "frames came")
        assert [type(fact) for fact in desk.look()] == [SourceUp]
