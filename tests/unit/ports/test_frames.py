"""The ring of raw frames: what is kept around a fault, that it is bounded, and that no secret is in it."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from coldchain.clock import SystemClock
from coldchain.facts import Reading, Unreadable
from coldchain.model import Reason
from coldchain.ports.bus import Missing
from coldchain.ports.frames import AFTER, BEFORE, FAULTS, PIECE_BYTES, REMOVED, Frames
from coldchain.ports.framing import Blob
from coldchain.ports.outlet import Made
from coldchain.traffic import Fault

PIN = b"4711"


def ring(*secrets: bytes) -> Frames:
    """An empty ring."""
    return Frames(SystemClock(), secrets)


def passed(fault: Fault) -> list[tuple[str, bytes]]:
    """What passed, as (direction, bytes)."""
    return [("sent" if piece.sent else "came", bytes.fromhex(piece.hex)) for piece in fault.pieces]


def exchange(frames: Frames, number: int) -> None:
    """A request and its reply, which came in two pieces."""
    frames.sent(b"Q%d" % number)
    frames.received(b"A%d" % number)
    frames.received(b".0")


def test_what_passed_before_and_after_is_kept() -> None:
    """Both directions, in order, pieces of one reply together; what is further away is not."""
    frames = ring()
    for number in range(10, 30):
        exchange(frames, number)
    frames.fault("log", "no reply")
    for number in range(30, 50):
        exchange(frames, number)
    (fault,) = frames.view()
    assert (fault.source, fault.why, fault.times) == ("log", "no reply", 1)
    told = passed(fault)
    assert len(told) == BEFORE + AFTER
    assert told[0] == ("sent", b"Q22")
    assert told[BEFORE - 1 : BEFORE + 1] == [("came", b"A29.0"), ("sent", b"Q30")]
    assert told[-1] == ("came", b"A33.0")


def test_a_fault_that_stands_is_counted() -> None:
    """A device that is silent for a week does not push out what came before; after a good frame it is new."""
    frames = ring()
    frames.fault("other", "bad_checksum")
    for _ in range(1000):
        frames.fault("log", "no reply")
        frames.good("other")
    assert [(fault.source, fault.times) for fault in frames.view()] == [("other", 1), ("log", 1000)]
    frames.good("log")
    frames.fault("log", "no reply")
    assert [fault.times for fault in frames.view()] == [1, 1000, 1]


def test_judging_a_frame() -> None:
    """A reading without a value and an unreadable frame are faults; a value that nobody wants is none."""
    frames = ring()
    unwanted = Unreadable("log", Reason.UNEXPECTED_REPLY, "", 1, "", "other key")
    frames.judge("log", Made((Reading("log", "box.a", "4.2", "degC"),), good=True))
    frames.judge("log", Made((unwanted,), good=True))
    assert frames.view() == ()
    frames.judge("log", Made((Reading("log", "box.a", bad=Reason.SENSOR_OPEN),), good=True))
    frames.judge("log", Made((Unreadable("log", Reason.CORRUPT_FRAME, "", 1, ""),), good=False))
    frames.judge("log", Made((unwanted,), good=False))
    assert [fault.why for fault in frames.view()] == ["sensor_open", "corrupt_frame", "not understood"]


@given(st.lists(st.tuples(st.sampled_from("srfg"), st.binary(min_size=1, max_size=2000)), max_size=60))
def test_it_is_bounded(given: list[tuple[str, bytes]]) -> None:
    """Whatever passes: so many faults, so many pieces, so many bytes of each; the true size is told."""
    frames = ring()
    for number, (what, data) in enumerate(given * 5):
        if what == "s":
            frames.sent(data)
        elif what == "r":
            frames.received(data)
        elif what == "f":
            frames.fault("log", f"fault {number}")
        else:
            frames.good("log")
    faults = frames.view()
    assert len(faults) <= FAULTS
    for fault in faults:
        assert len(fault.pieces) <= BEFORE + AFTER
        for piece in fault.pieces:
            assert len(bytes.fromhex(piece.hex)) == min(piece.size, PIECE_BYTES)


@given(st.lists(st.integers(0, 12), max_size=4), st.sampled_from([b"CODE?", b"code?"]), st.booleans())
def test_a_secret_is_in_no_piece(cuts: list[int], request: bytes, asked_between: bool) -> None:
    """Another master asks for the password: however the line cuts it, and however late, it is not kept."""
    frames = ring(b"CODE?")
    frames.sent(b"001 TEMPA?")
    stream = b"001 " + request + b"\r\n" + PIN + b"\r\n"
    edges = sorted({0, len(stream), *cuts})
    for start, end in pairwise(edges):
        frames.received(stream[start:end])
    if asked_between:
        frames.sent(b"001 TEMPA?")
        frames.received(PIN)
    frames.fault("tec", "unexpected_reply")
    (fault,) = frames.view()
    assert not any(PIN in data for _, data in passed(fault))
    assert sum(piece.hidden for piece in fault.pieces) == len(PIN) + 4 + (len(PIN) if asked_between else 0)


def test_what_may_be_a_secret_is_read_by_nobody() -> None:
    """Until we have asked twice, what comes is no frame, with a text in its place; then all is as before."""
    frames = ring(b"CODE?")
    frames.received(b"001 CODE?\r\n" + PIN)
    hidden = [frames.clean(PIN), frames.clean(Blob(Reason.OVERSIZED_FRAME, PIN))]
    assert [(b.reason, b.head_hex) for b in hidden if isinstance(b, Blob)] == [
        (Reason.UNEXPECTED_REPLY, REMOVED[:32].hex()), (Reason.OVERSIZED_FRAME, REMOVED[:32].hex()),
    ]  # fmt: skip
    assert frames.clean(Missing.SILENCE) is Missing.SILENCE
    frames.sent(b"001 TEMPA?")
    assert isinstance(frames.clean(b"-197.10"), Blob)
    frames.sent(b"001 TEMPA?")
    assert frames.clean(b"-197.10") == b"-197.10"
