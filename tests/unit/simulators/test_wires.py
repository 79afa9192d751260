"""The device's ends of a line, with a real client at the other end."""

from __future__ import annotations

import termios
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import serial

from coldchain_simulators.wires import PtyWire, TcpWire, Wire

PATIENCE_S = 5.0


@pytest.fixture
def pty_wire(tmp_path: Path) -> Iterator[PtyWire]:
    """A pseudo-terminal with a stable name."""
    with closing(PtyWire(tmp_path / "probe")) as wire:
        yield wire


def client(wire: Wire) -> Any:
    return serial.serial_for_url(wire.port, timeout=PATIENCE_S)


def read(wire: Wire, count: int) -> bytes:
    """What came in, until it is as much as expected; a line that says nothing ends it."""
    got = b""
    while len(got) < count and (more := wire.read(PATIENCE_S)):
        got += more
    return got


def connected(wire: Wire) -> Any:
    """A client that the device's end knows of."""
    at_other_end = client(wire)
    if isinstance(wire, TcpWire):
        wire.read(PATIENCE_S)  # lets it in
    return at_other_end


def pty_in(place: Path) -> Wire:
    return PtyWire(place / "probe")


def tcp_in(_place: Path) -> Wire:
    return TcpWire()


@pytest.mark.parametrize("make", [pty_in, tcp_in])
def test_bytes_go_both_ways_unchanged(make: Callable[[Path], Wire], tmp_path: Path) -> None:
    """No byte is changed, echoed or swallowed, control characters included."""
    every = bytes(range(256))
    with closing(make(tmp_path)) as wire, connected(wire) as line:
        line.write(every)
        assert read(wire, 256) == every
        wire.write(every)
        assert line.read(256) == every
        assert wire.read(0.0) == b""


def test_what_is_sent_before_a_client_opens_does_not_come_back(pty_wire: PtyWire) -> None:
    """A terminal that is not raw would echo the device's own words to it."""
    pty_wire.write(b"boot\r\n")
    assert pty_wire.read(0.0) == b""


def test_unplug_and_replug(pty_wire: PtyWire) -> None:
    """The client sees the device vanish; it comes back as another terminal behind the same name."""
    with client(pty_wire) as line:
        pty_wire.unplug()
        assert not Path(pty_wire.port).is_symlink()
        with pytest.raises((OSError, termios.error)):
            line.read(1)
    pty_wire.write(b"lost")
    assert pty_wire.read(0.0) == b""
    pty_wire.replug()
    with client(pty_wire) as line:
        line.write(b"hello")
        assert read(pty_wire, 5) == b"hello"


def test_a_client_that_takes_nothing_stops_nobody(pty_wire: PtyWire) -> None:
    """A full buffer loses bytes, as a real line does; the device goes on."""
    for _ in range(200):
        pty_wire.write(b"x" * 1000)
    pty_wire.unplug()


def test_a_new_tcp_client_takes_over() -> None:
    """A converter serves one client at a time, the last one."""
    with closing(TcpWire()) as wire, connected(wire) as old, connected(wire) as new:
        wire.write(b"for you")
        assert new.read(7) == b"for you"
        with pytest.raises(serial.SerialException):
            old.read(1)
        new.close()
        assert wire.read(PATIENCE_S) == b""
        wire.write(b"nobody")
