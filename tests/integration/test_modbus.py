"""Modbus on real lines: simulated devices with all their faults, and pymodbus's own server as a peer."""

from __future__ import annotations

import dataclasses
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest

from coldchain.clock import SystemClock
from coldchain.config import Loaded, load
from coldchain.facts import Reading, SourceDown, SourceUp
from coldchain.model import Reason
from coldchain.ports import Ports, start_ports
from coldchain.ports.standing import Count
from coldchain.testing.desk import Desk
from coldchain_simulators import modbus_devices as made
from coldchain_simulators.modbus_slave import Fault, Framing, ModbusBus, ModbusSimulator, ModbusSlave
from coldchain_simulators.physics.dry_shipper import DryShipper, Vacuum
from coldchain_simulators.physics.probe import Failure, Probe
from coldchain_simulators.stepping import Stepper
from coldchain_simulators.wires import PtyWire, TcpWire, Wire
from tests.servers.modbus_server import ModbusServer, Way, holding

TIMEOUT_MS = 300
HEAD = """\
[site]
name = "Test"
[journal]
path = "journal.db"
[assets.box]
kind = "freezer"
"""
SOURCE = """
[sources.{name}]
driver = "modbus"
port = "{port}"
poll = "100 ms"
[sources.{name}.settings]
device = "{device}"
read = {read}
timeout_ms = {timeout_ms}
{more}
"""
CHANNEL = """
[channels."{source}.{key}"]
source = "{source}"
key = "{key}"
asset = "box"
role = "{source}-{key}"
quantity = "{quantity}"
probe = "vapour"
fresh_within = "10 min"
valid_low = "{low}"
valid_high = "{high}"
"""


def source(
    name: str, port: str, device: str, read: Sequence[str], more: str = ""
) -> tuple[str, Sequence[str], str]:
    """A source in TOML, with the keys it reads."""
    words = "[" + ", ".join(f'"{key}"' for key in read) + "]"
    text = SOURCE.format(name=name, port=port, device=device, read=words, timeout_ms=TIMEOUT_MS, more=more)
    return name, read, text


def site(folder: Path, *sources: tuple[str, Sequence[str], str]) -> Loaded:
    """A configuration with a channel for each key."""
    text = HEAD + "".join(each for _, _, each in sources)
    for name, read, _ in sources:
        for key in read:
            wet = key == "humidity"
            text += CHANNEL.format(
                source=name,
                key=key,
                quantity="fraction" if wet else "temperature",
                low="-1 %" if wet else "-250 °C",
                high="101 %" if wet else "900 °C",
            )
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return load(path)


@contextmanager
def running(loaded: Loaded, desk: Desk) -> Iterator[Ports]:
    """Ports that end with the block."""
    ports = start_ports(loaded, desk.intake, desk.clock)
    try:
        yield ports
    finally:
        ports.stop()


@contextmanager
def playing(framing: Framing, wire: Wire, *slaves: ModbusSlave) -> Iterator[ModbusBus]:
    """Simulated devices on a line."""
    bus = ModbusBus(framing, slaves, seed=7)
    bus.late_s = 1.5 * TIMEOUT_MS / 1000
    stop = threading.Event()
    speaker = threading.Thread(target=ModbusSimulator(bus, wire, Stepper()).serve, args=(stop,))
    speaker.start()
    try:
        yield bus
    finally:
        stop.set()
        speaker.join()
        wire.close()


def good(desk: Desk, channel: str) -> list[str]:
    """The values of a channel so far."""
    return [reading.raw for reading in desk.readings if reading.channel == channel and reading.bad is None]


def counts(ports: Ports, name: str) -> dict[str, int]:
    """The counts of a source."""
    return next(status.counts for status in ports.status() if status.id == name)


def at(value: float | None) -> made.Sample:
    """A probe that reads this."""
    return lambda: value


# --- Faults of one reply, on each kind of line ------------------------------------------------------------

LINES: dict[Framing, tuple[str, str, ModbusSlave, str]] = {
    "rtu": ("xy_md02", "temperature", made.xy_md02(at(-20.5), at(45.2)), "-20.5"),
    "ascii": ("thermo_ult", "thermocouple_3", made.thermo_ult({3: at(-70.5)}), "-70.5"),
    "tcp": ("comet_p", "channel_1", made.comet_p([at(4.2)]), "4.2"),
}
MORE = {"rtu": "", "ascii": "unit_id = 1\nbaud = 9600", "tcp": 'unit = "degC"\nserial = "11960456"'}


def wire_for(framing: Framing, folder: Path) -> Wire:
    """A pseudo-terminal, or a TCP port."""
    return TcpWire() if framing == "tcp" else PtyWire(folder / "ttyBus")


#: What a fault must be called. Over TCP nothing sums a frame up.
CALLED = {
    Fault.WRONG_SUM: Reason.BAD_CHECKSUM,
    Fault.OTHER_UNIT: Reason.WRONG_DEVICE,
    Fault.BUSY: Reason.NOT_READY,
    Fault.REFUSES: Reason.REFUSED,
}
#: On a busy machine a wrong reply may come after our patience, and is none then: it is played again.
TRIES = 5


@pytest.mark.parametrize("framing", LINES)
def test_faults_of_a_reply(tmp_path: Path, framing: Framing) -> None:
    """After each fault the next reading is right, no wrong value came between, and what was wrong is told."""
    device, key, slave, value = LINES[framing]
    wire, desk = wire_for(framing, tmp_path), Desk()
    loaded = site(tmp_path, source("one", wire.port, device, [key], MORE[framing]))
    with playing(framing, wire, slave), running(loaded, desk) as ports:
        desk.wait_for(1, Reading)

        def play(fault: Fault) -> list[Reason | None]:
            """Let one reply go wrong and the line recover; what was said meanwhile."""
            asked, before = slave.requests, len(desk.readings)
            slave.inject(fault)
            desk.until(lambda: slave.requests > asked, f"{fault.value} happens")
            seen = len(good(desk, f"one.{key}"))
            desk.until(lambda: len(good(desk, f"one.{key}")) >= seen + 2, f"right after {fault.value}")
            return [reading.bad for reading in desk.readings[before:]]

        for fault in Fault:
            called = None if (framing, fault) == ("tcp", Fault.WRONG_SUM) else CALLED.get(fault)
            said_of_it = play(fault)
            for _ in range(TRIES):
                if called is None or called in said_of_it:
                    break
                said_of_it = play(fault)
            assert called is None or called in said_of_it, fault
        assert set(good(desk, f"one.{key}")) == {value}
        said = {reading.bad for reading in desk.readings if reading.bad is not None}
        assert {Reason.WRONG_DEVICE, Reason.REFUSED, Reason.NOT_READY, Reason.UNEXPECTED_REPLY} <= said
        assert (Reason.BAD_CHECKSUM in said) is (framing != "tcp")
        assert counts(ports, "one")[Count.NO_REPLY] >= 1
        assert slave.writes == 0
        assert len(desk.ups) == 1


def test_unplugged_in_mid_reply(tmp_path: Path) -> None:
    """Half a reply is no value; the device is read again after plugging in."""
    wire, desk = PtyWire(tmp_path / "ttyBus"), Desk()
    slave = made.xy_md02(at(-20.5), at(45.2))
    loaded = site(tmp_path, source("one", wire.port, "xy_md02", ["temperature"]))
    with playing("rtu", wire, slave), running(loaded, desk):
        desk.wait_for(1, Reading)
        slave.keep(Fault.TORN)
        asked = slave.requests
        desk.until(lambda: slave.requests > asked, "half a reply")
        wire.unplug()
        desk.wait_for(1, SourceDown)
        slave.keep(None)
        wire.replug()
        desk.wait_for(2, SourceUp)
        seen = len(desk.readings)
        desk.until(lambda: len(desk.readings) > seen, "read again")
        assert set(good(desk, "one.temperature")) == {"-20.5"}


# --- Several devices on one line --------------------------------------------------------------------------


def test_a_dead_device_starves_nobody(tmp_path: Path) -> None:
    """One of three on a bus never answers: it is down, the line stays open, and the others are read on."""
    wire, desk = PtyWire(tmp_path / "ttyBus"), Desk()
    left, right = made.xy_md02(at(-20.5), at(45.2), unit=1), made.cwt_8pt1000([at(5.0)], unit=3)
    loaded = site(
        tmp_path,
        source("left", wire.port, "xy_md02", ["temperature"]),
        source("dead", wire.port, "xy_md02", ["temperature"], "unit_id = 2"),
        source("right", wire.port, "cwt_8pt1000", ["channel_1"], "unit_id = 3"),
    )
    with playing("rtu", wire, left, right), running(loaded, desk) as ports:
        desk.until(lambda: any(down.source == "dead" for down in desk.downs), "the dead one is down")
        seen = len(good(desk, "left.temperature")), len(good(desk, "right.channel_1"))
        desk.until(lambda: len(good(desk, "left.temperature")) >= seen[0] + 5, "the left one is read on")
        desk.until(lambda: len(good(desk, "right.channel_1")) >= seen[1] + 5, "the right one is read on")
        assert {down.source for down in desk.downs} == {"dead"}
        assert set(good(desk, "left.temperature")) == {"-20.5"}
        assert set(good(desk, "right.channel_1")) == {"5.0"}
        assert [status.up for status in ports.status()] == [True, False, True]


def test_another_device_s_late_reply_is_never_ours(tmp_path: Path) -> None:
    """Two alike on a bus, one of them slow: neither ever gets the other's number."""
    wire, desk = PtyWire(tmp_path / "ttyBus"), Desk()
    slow, quick = made.xy_md02(at(-20.5), at(45.2), unit=1), made.xy_md02(at(5.5), at(30.0), unit=2)
    loaded = site(
        tmp_path,
        source("slow", wire.port, "xy_md02", ["temperature"]),
        source("quick", wire.port, "xy_md02", ["temperature"], "unit_id = 2"),
    )
    with playing("rtu", wire, slow, quick), running(loaded, desk) as ports:
        desk.wait_for(2, SourceUp)
        for _ in range(4):
            slow.inject(Fault.LATE)
            seen = len(good(desk, "slow.temperature")), len(good(desk, "quick.temperature"))
            desk.until(lambda: len(good(desk, "slow.temperature")) > seen[0], "slow again")  # noqa: B023
            desk.until(lambda: len(good(desk, "quick.temperature")) > seen[1], "quick again")  # noqa: B023
        assert set(good(desk, "slow.temperature")) == {"-20.5"}
        assert set(good(desk, "quick.temperature")) == {"5.5"}
        assert sum(counts(ports, name)[Count.UNASKED] for name in ("slow", "quick")) >= 1


def test_late_replies_over_tcp_cost_nobody_time(tmp_path: Path) -> None:
    """They name their transaction: they are put aside, and the next request is not kept waiting for them."""
    wire, desk = TcpWire(), Desk()
    slave = made.comet_p([at(4.2), at(-18.0)])
    keys = ["channel_1", "channel_2"]
    loaded = site(
        tmp_path,
        source("one", wire.port, "comet_p", keys, 'unit = "degC"\nserial = "11960456"\nregisters_max = 1'),
    )
    with playing("tcp", wire, slave), running(loaded, desk) as ports:
        desk.wait_for(2, Reading)
        for _ in range(3):
            slave.inject(Fault.LATE)
            seen = len(desk.readings)
            desk.until(lambda: len(desk.readings) >= seen + 4, "read on")  # noqa: B023
        assert set(good(desk, "one.channel_1")) == {"4.2"}
        assert set(good(desk, "one.channel_2")) == {"-18.0"}
        assert counts(ports, "one")[Count.UNASKED] >= 1


# --- What makes a number mean something else --------------------------------------------------------------


def test_a_resolution_changed_while_it_runs(tmp_path: Path) -> None:
    """No number is taken that would be off by ten: BAD at once, and a sentence that mends it."""
    wire, desk = PtyWire(tmp_path / "ttyBus"), Desk()
    slave = made.Mb8art([at(-18.4)])
    loaded = site(
        tmp_path, source("one", wire.port, "mb8art", ["channel_1"], 'choices = { resolution = "0.1" }')
    )
    with playing("rtu", wire, slave), running(loaded, desk):
        desk.until(lambda: len(good(desk, "one.channel_1")) >= 2, "read")
        slave.hundredths = True
        slave.measure()
        desk.wait_for(1, SourceDown)
        assert 'that is choices.resolution = "0.01"' in desk.downs[0].why
        assert [reading.bad for reading in desk.readings if reading.bad is not None] == [Reason.WRONG_DEVICE]
        slave.hundredths = False
        slave.measure()
        desk.wait_for(2, SourceUp)
        seen = len(desk.readings)
        desk.until(lambda: len(desk.readings) > seen, "read again")
        assert set(good(desk, "one.channel_1")) == {"-18.4"}


def test_a_probe_that_says_it_is_ill(tmp_path: Path) -> None:
    """Its values are BAD as long as it says so."""
    wire, desk = PtyWire(tmp_path / "ttyBus"), Desk()
    slave = made.Vaisala(at(-20.0), at(40.0))
    loaded = site(tmp_path, source("one", wire.port, "vaisala_hmp", ["temperature", "humidity"]))
    with playing("rtu", wire, slave), running(loaded, desk):
        desk.until(lambda: len(good(desk, "one.humidity")) >= 2, "read")
        slave.fault_shown = True
        slave.measure()
        desk.until(
            lambda: (
                {r.channel for r in desk.readings if r.bad is Reason.SENSOR_FAULT}
                == {"one.temperature", "one.humidity"}
            ),
            "both are BAD",
        )
        assert desk.downs[0].why.startswith("error status (register 513): the device holds 0 instead of 1; ")


# --- Simulated devices follow the physics ------------------------------------------------------------------


def test_a_dry_shipper_that_loses_its_vacuum(tmp_path: Path) -> None:
    """The module's registers follow the probe in the vapour by simulated time, and so do its failures."""
    shipper = DryShipper()
    probe = Probe(shipper.vapour_c, "vapour")

    class Body:
        def process(self, dt_s: float) -> None:
            probe.feel(shipper.process(dt_s))

    slave = made.Mb8art([probe.sample])
    stepper = Stepper([Body()])
    simulator = ModbusSimulator(ModbusBus("rtu", [slave]), PtyWire(tmp_path / "ttyBus"), stepper)

    def shown() -> int:
        (word,) = struct.unpack(">h", slave.reply(bytes([4, 0, 0, 0, 1]))[2:])
        return int(word)

    simulator.process(60)
    assert shown() == pytest.approx(-1950, abs=3), "−195 °C in tenths"
    shipper.vacuum = Vacuum.LOST
    simulator.process(3600)
    assert -1700 < shown() < -1400, "after an hour it is warming by about 48 K"
    probe.failure = Failure.OPEN
    simulator.process(1)
    assert shown() == 30_000
    probe.failure = Failure.SHORT
    simulator.process(1)
    assert shown() == -30_000
    simulator.wire.close()


def test_a_simulator_follows_the_clock(tmp_path: Path) -> None:
    """Run beside a port at a hundred times the speed, its numbers move as the world does."""
    desk = Desk()
    shipper = DryShipper(vacuum=Vacuum.LOST)
    shipper.ln2_kg = 0.0
    probe = Probe(shipper.vapour_c, "vapour")

    class Body:
        def process(self, dt_s: float) -> None:
            probe.feel(shipper.process(dt_s))

    wire, stop = PtyWire(tmp_path / "ttyBus"), threading.Event()
    slave = made.Mb8art([probe.sample])
    simulator = ModbusSimulator(ModbusBus("rtu", [slave]), wire, Stepper([Body()]))
    world = threading.Thread(target=simulator.run, args=(SystemClock(speed=600, trusted=True), stop))
    world.start()
    loaded = site(
        tmp_path, source("one", simulator.port, "mb8art", ["channel_1"], 'choices = { resolution = "0.1" }')
    )
    try:
        with running(loaded, desk):
            desk.until(lambda: len(good(desk, "one.channel_1")) >= 6, "read")
            numbers = [float(value) for value in good(desk, "one.channel_1")]
            assert numbers[-1] > numbers[0] + 1, "it warms by 47.75 K in an hour"
    finally:
        stop.set()
        world.join()
        wire.close()


# --- A real peer -------------------------------------------------------------------------------------------


def words(value: float) -> list[int]:
    """A float in two registers, the more significant first."""
    return list(struct.unpack(">HH", struct.pack(">f", value)))


PEERS = {
    "rtu": (
        ("xy_md02", ["temperature", "humidity"], ""),
        holding(1, {1: [0xFF33, 0x01C4]}, functions=[4]),
        {"one.temperature": "-20.5", "one.humidity": "45.2"},
    ),
    "ascii": (
        ("thermo_ult", ["thermocouple_3", "setpoint"], "unit_id = 1\nbaud = 9600"),
        holding(1, {0x04D0: words(-70.5), 0x0530: [0xFFFF, 0xFCE0]}),
        {"one.thermocouple_3": "-70.5", "one.setpoint": "-80.0"},
    ),
    "tcp": (
        ("comet_p", ["channel_1", "channel_2"], 'unit = "degC"\nserial = "11960456"'),
        holding(1, {0x9C22: [0x11, 0x96, 0x04, 0x56, 4, 42, 0xFFB0]}),
        {"one.channel_1": "4.2", "one.channel_2": "-8.0"},
    ),
}


@pytest.mark.parametrize(
    ("way", "over_network"),
    [
        pytest.param("rtu", False, id="RTU on a serial line"),
        pytest.param("rtu", True, id="RTU through a converter"),
        pytest.param("ascii", False, id="ASCII on a serial line"),
        pytest.param("ascii", True, id="ASCII through a converter"),
        pytest.param("tcp", True, id="Modbus TCP"),
    ],
)
def test_pymodbus_s_own_server(tmp_path: Path, way: Way, over_network: bool) -> None:
    """Somebody else's device is read as it means, round after round, and nothing that it says is refused."""
    (device, read, more), peer, want = PEERS[way]
    desk = Desk()
    folder = tmp_path / "cable"
    folder.mkdir()
    with ModbusServer(way, [peer], folder, over_network=over_network) as server:
        if way == "ascii":  # a pseudo-terminal has neither parity nor 7 bits, and pymodbus asks for neither
            more += '\nframe = "8N1"'
        loaded = site(tmp_path, source("one", server.port, device, read, more))
        with running(loaded, desk):
            desk.until(lambda: all(len(good(desk, channel)) >= 5 for channel in want), "five rounds")
    assert {r.channel: r.raw for r in desk.readings} == want
    assert [reading.bad for reading in desk.readings if reading.bad is not None] == []
    assert desk.unreadable == []
    assert [down.why for down in desk.downs] == []


@pytest.mark.parametrize("way", ["rtu", "tcp"])
def test_what_pymodbus_s_server_refuses(tmp_path: Path, way: Way) -> None:
    """A register that it does not have is BAD for that value alone, and the device counts as alive."""
    desk = Desk()
    folder = tmp_path / "cable"
    folder.mkdir()
    own = """transport = "{way}"
unit_id = 1
baud = 9600
frame = "8N1"
choices = {{ word_order = "big" }}
points = {{ there = {{ function = 3, address = 16, type = "int16", scale = "0.1", unit = "degC" }}, \
nowhere = {{ function = 3, address = 99, type = "int16", unit = "degC" }} }}"""
    peer = holding(1, {0x10: [42], 774: words(123456.125)})
    with ModbusServer(way, [peer], folder) as server:
        loaded = site(
            tmp_path,
            source("one", server.port, "novus_fieldlogger", ["there", "nowhere"], own.format(way=way)),
        )
        with running(loaded, desk):
            desk.until(lambda: len(good(desk, "one.there")) >= 3, "three rounds")
    assert set(good(desk, "one.there")) == {"4.2"}
    assert {r.bad for r in desk.readings if r.channel == "one.nowhere"} == {Reason.REFUSED}
    assert desk.downs == []


def test_a_line_with_parity_opens(tmp_path: Path) -> None:
    """Modbus ASCII wants 7E1: all is set in one go, for a pseudo-terminal refuses a later setting."""
    wire, desk = PtyWire(tmp_path / "ttyBus"), Desk()
    loaded = site(
        tmp_path, source("one", wire.port, "thermo_ult", ["thermocouple_3"], "unit_id = 1\nbaud = 9600")
    )
    one = loaded.sources["one"]
    assert one.line is not None
    assert one.line.frame == "7E1"
    patient = dataclasses.replace(one, line=msgspec.structs.replace(one.line, timeout_ms=1000))
    loaded = dataclasses.replace(loaded, sources={"one": patient})
    with playing("ascii", wire, made.thermo_ult({3: at(-70.5)})), running(loaded, desk):
        desk.wait_for(1, Reading)
        assert "9600 7E1" in desk.ups[0].detail
