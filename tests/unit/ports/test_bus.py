"""What a bus owes after a request, and what it takes for the reply: a test holds the wire's other end."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator

import pytest

from coldchain.clock import SystemClock
from coldchain.driver import Line, Query
from coldchain.ports.bell import Bell
from coldchain.ports.bus import Bus, Missing
from coldchain.ports.framing import Blob


class Pair:
    """A wire whose other end is `device`."""

    detail = "pair"

    def __init__(self) -> None:
        self.ours, self.device = socket.socketpair()
        self.bell = Bell()

    def fileno(self) -> int:
        return self.ours.fileno()

    def read(self) -> bytes:
        return self.ours.recv(4096)

    def write(self, data: bytes) -> None:
        self.ours.sendall(data)

    def close(self) -> None:
        self.ours.close()
        self.device.close()
        self.bell.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    """A wire, closed in the end."""
    made = Pair()
    yield made
    made.close()


def bus_on(pair: Pair) -> Bus:
    """A bus that nobody stops."""
    return Bus(pair, pair.bell, SystemClock(), lambda: False, lambda: None)


def plain(**more: Callable[..., object]) -> Line:
    """Lines of text with a time-out that is soon over."""
    return Line(b"\n", 40, 20, **more)  # type: ignore[arg-type]


def put_number(request: bytes, number: int) -> bytes:
    return request[:1] + b"%d\n" % number


def repeats_number(request: bytes, frame: bytes) -> bool:
    return frame.partition(b"#")[2] == request[1:].strip()


NUMBERED = plain(numbered=put_number, answers=repeats_number)
strays: list[Blob] = []


def test_a_silence_is_owed_a_reply(pair: Pair) -> None:
    """What names no request may be late: the bus remembers to whom it owes a reply, and until when."""
    bus = bus_on(pair)
    assert bus.ask(b"a\n", plain(), strays.append) is Missing.SILENCE
    assert bus._owed is not None
    assert (bus._owed.request, bus._owed.until_s - bus._sent_s) == (b"a\n", pytest.approx(0.04))


def test_what_names_its_request_is_not_waited_for(pair: Pair) -> None:
    """A late reply is known by its number, so a silent device keeps nobody waiting."""
    bus = bus_on(pair)
    assert (
        bus.ask(bus.numbered(Query("a", b"a\n"), NUMBERED).send, NUMBERED, strays.append) is Missing.SILENCE
    )
    assert bus._owed is None


def test_each_request_has_a_number_of_its_own(pair: Pair) -> None:
    """Two requests of the same text differ, and a protocol without numbers is sent as it is."""
    bus = bus_on(pair)
    query = Query("a", b"a\n")
    assert [bus.numbered(query, NUMBERED).send for _ in range(3)] == [b"a1\n", b"a2\n", b"a3\n"]
    assert bus.numbered(query, plain()) is query


@pytest.mark.parametrize(
    ("comes", "reply", "aside"),
    [
        pytest.param(b"x#1\n", b"x#1", [], id="the reply"),
        pytest.param(b"old#0\nx#1\n", b"x#1", [b"old#0"], id="a late one before it, in one read"),
        pytest.param(b"x#1\nold#0\n", b"x#1", [b"old#0"], id="a late one after it"),
        pytest.param(b"old#0\n", Missing.SILENCE, [b"old#0"], id="a late one alone is no reply"),
    ],
)
def test_replies_to_other_requests_are_put_aside(
    pair: Pair, comes: bytes, reply: bytes | Missing, aside: list[bytes]
) -> None:
    """They are told as unasked for and never taken for the reply."""
    bus = bus_on(pair)
    found: list[Blob] = []
    query = bus.numbered(Query("a", b"a\n"), NUMBERED)
    bus._heard_s = 0.0  # quiet for long: what comes now came after the request
    pair.write = lambda data: pair.device.sendall(comes) or None  # type: ignore[method-assign]
    assert bus.ask(query.send, NUMBERED, found.append) == reply
    assert [blob.head_hex for blob in found] == [frame.hex() for frame in aside]


def test_what_is_owed_ends_with_the_reply_to_it(pair: Pair) -> None:
    """A frame that cannot be the late reply does not end the waiting for it."""
    line = plain(answers=lambda request, frame: frame.startswith(request[:1]))
    bus = bus_on(pair)
    assert bus.ask(b"a\n", line, strays.append) is Missing.SILENCE
    assert bus._owed is not None
    bus._owed.until_s += 3600
    pair.device.sendall(b"other\na late\n")
    found: list[Blob] = []
    pair.write = lambda data: pair.device.sendall(b"b now\n") or None  # type: ignore[method-assign]
    assert bus.ask(b"b\n", line, found.append) == b"b now"
    assert [blob.head_hex for blob in found] == [b"other\na late\n".hex()]


@pytest.mark.parametrize(
    ("comes", "reply"),
    [
        pytest.param(b"V?\r\n-1\n", b"-1", id="echo on a line of its own, with another line end"),
        pytest.param(b"V? -1\n", b" -1", id="echo before the reply on the same line"),
        pytest.param(b"V?\n", Missing.SILENCE, id="echo alone is no reply"),
        pytest.param(b"-1\n", "unexpected_reply", id="a reply without the echo answers something else"),
        pytest.param(b"W?\n-1\n", "unexpected_reply", id="the echo of another request"),
        pytest.param(b"-7\nV?\n-1\n", "unexpected_reply", id="a late reply before the echo: neither counts"),
        pytest.param(b"V?\n-1\n-2\n", "unexpected_reply", id="two replies"),
    ],
)
def test_an_echo_is_taken_away(pair: Pair, comes: bytes, reply: bytes | Missing | str) -> None:
    """Of a device that sends each request back, only what follows the echo of this one answers it."""
    bus = bus_on(pair)
    bus._heard_s = 0.0
    pair.write = lambda data: pair.device.sendall(comes) or None  # type: ignore[method-assign]
    said = bus.ask(b"V?\n", Line(b"\n", 40, 20, echoes=True), strays.append)
    assert (said.reason.value if isinstance(said, Blob) else said) == reply
    assert (bus._owed is None) is isinstance(said, bytes), "without a clean reply one may still come"


@pytest.mark.parametrize(
    ("replies", "answer"),
    [
        pytest.param({b"S?\n": b"0\n", b"V?\n": b"-1\n"}, b"0\n-1\n0", id="all of them, joined"),
        pytest.param({b"S?\n": b"0\n"}, Missing.SILENCE, id="one is silent: there is no answer"),
        pytest.param({b"S?\n": b"0\n", b"V?\n": b"-1\n-2\n"}, "unexpected_reply", id="one is in doubt"),
    ],
)
def test_a_question_of_several_requests(
    pair: Pair, replies: dict[bytes, bytes], answer: bytes | Missing | str
) -> None:
    """A status and the value that it is about are one answer, or none."""
    bus = bus_on(pair)
    bus._heard_s = 0.0
    pair.write = lambda data: pair.device.sendall(replies.get(data, b"")) or None  # type: ignore[method-assign]
    said = bus.question(Query("v", b"S?\n", then=(b"V?\n", b"S?\n")), plain(), strays.append)
    assert (said.reason.value if isinstance(said, Blob) else said) == answer


def test_a_device_gets_the_rest_that_it_wants(pair: Pair) -> None:
    """After a reply nothing is sent before the device's own pause is over, if that is longer than ours."""
    bus = bus_on(pair)
    rested: list[float] = []

    def answer(data: bytes) -> None:
        rested.append(bus._clock.real_s() - bus._heard_s)
        pair.device.sendall(b"1\n")

    pair.write = answer  # type: ignore[method-assign]
    line = Line(b"\n", 40, 500, pause_ms=120)
    for _ in range(2):
        assert bus.ask(b"a\n", line, strays.append) == b"1"
    assert min(rested) >= 0.12
