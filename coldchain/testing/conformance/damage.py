"""Checks with frames that went wrong on the way, and with bytes that never were a frame."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from coldchain.datasheet import Vector
from coldchain.driver import SerialDriver
from coldchain.model import Decoded, Measured, Noted
from coldchain.testing.conformance.subject import Subject, claims, promptly, values
from coldchain.units import CONTACT, exact

#: Examples of one search, unless the profile in force wants more.
EXAMPLES = 300
#: A cache with an end is full after so many different frames; after that, so many more may leave no more than
#: a few bytes each (judgements: kept frames would leave some hundred).
CACHE_MAX, GROWTH_FRAMES, GROWTH_BYTES_MAX = 1200, 300, 30_000
_FLIPS = (0x01, 0x02, 0x04, 0x08, 0x10, 0x40, 0x80, 0xFF)
_FRAME_BYTES_MAX = 1 << 20
#: A state that a device says in words is 0 or 1 of a contact.
_STATES = CONTACT.units.keys()
#: So many vectors are merged with each other one.
_PARTNERS = 12


def a_part_of_a_frame_invents_nothing(subject: Subject) -> None:
    """A frame that lost its end, its beginning or its middle gives no number that was not in it."""
    for vector in subject.datasheet.vectors:
        frame = subject.frame(vector)
        for cut in range(len(frame)):
            for part in (frame[:cut], frame[cut:], frame[:cut] + frame[cut + 1 :]):
                if part != frame:
                    holds(subject, vector, part, damaged=True)


def a_changed_byte_invents_nothing(subject: Subject) -> None:
    """One changed byte: with a checksum no other value, without one no number that was not sent."""
    for vector in subject.datasheet.vectors:
        frame = subject.frame(vector)
        for at in range(len(frame)):
            for flip in _FLIPS:
                changed = frame[:at] + bytes([frame[at] ^ flip]) + frame[at + 1 :]
                holds(subject, vector, changed, damaged=True)


def two_frames_in_one_are_no_other_value(subject: Subject) -> None:
    """A frame that ran into another, or into the request's echo, gives no value but its own; of two, none."""
    for vector in subject.datasheet.vectors:
        frame = subject.frame(vector)
        own = claims(subject.read(vector))
        for merged in (frame * 2, frame + b" " + frame, *_echoed(subject, vector, frame)):
            found = holds(subject, vector, merged)
            assert found <= own, f"{vector.name}: {merged!r} gives {found - own}"
        for other in subject.datasheet.vectors[:_PARTNERS]:
            if (other.asked, other.topic, other.changes) != (vector.asked, vector.topic, vector.changes):
                continue
            if other.says != vector.says:  # two that contradict each other: neither counts
                found = holds(subject, vector, frame + subject.frame(other))
                assert not found, f"{vector.name}, then {other.name}: {found}"


def _echoed(subject: Subject, vector: Vector, frame: bytes) -> Iterator[bytes]:
    driver = subject.driver
    if isinstance(driver, SerialDriver) and vector.asked is not None:
        query = subject.query(subject.settings(vector.changes), vector.asked)
        yield query.send + frame
        yield query.send.strip() + frame
        yield query.send.strip()


def an_endless_frame_is_no_value(subject: Subject) -> None:
    """A megabyte, of whatever looks most like a frame of this device, is refused, and at once."""
    for vector in subject.datasheet.vectors[:3]:
        frame = subject.frame(vector) or b"0"
        own = claims(subject.read(vector))
        for piece in (frame, frame + b"\n", b"0", b"-", b" ", b"[", b"\x00"):
            endless = (piece * (_FRAME_BYTES_MAX // len(piece) + 1))[:_FRAME_BYTES_MAX]
            for each in (endless, frame + endless, endless + frame):
                assert holds(subject, vector, each) <= own, f"{vector.name} among {piece!r}"


def no_bytes_at_all_raise_or_invent(subject: Subject) -> None:
    """Any bytes, near a frame or far from one: no exception, no number that was not sent, no hang."""
    sheet, driver, ready = subject.datasheet, subject.driver, subject.settings()
    frames = [subject.frame(vector) for vector in sheet.vectors]
    signs = sorted({bytes([byte]) for frame in frames for byte in frame} | {b"\x00", b"\xff", b"\n", b"."})
    likely = st.lists(st.sampled_from(signs), max_size=80).map(b"".join)
    pieces = st.lists(st.sampled_from(frames) | st.binary(max_size=4) | likely, max_size=6).map(b"".join)

    @settings(
        max_examples=max(EXAMPLES, settings().max_examples),
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(st.sampled_from(sheet.vectors), st.binary(max_size=400) | likely | pieces)
    def search(vector: Vector, frame: bytes) -> None:
        holds(subject, vector, frame)
        if isinstance(driver, SerialDriver):
            for request in driver.identity(ready):
                with promptly(f"{subject.name}: identify {frame[:40]!r}"):
                    said = driver.identify(ready, request, frame)
                assert said is None or isinstance(said, str)

    search()


def nothing_is_kept_of_frames(subject: Subject) -> None:
    """A driver that reads for weeks does not grow: some hundred more frames leave nothing behind."""
    vectors = subject.datasheet.vectors[:2]

    def read(first: int, count: int) -> None:
        for number in range(first, first + count):
            for vector in vectors:
                subject.read(vector, subject.frame(vector) + b"%d" % number)
                subject.read(vector, b"%d" % number)

    read(0, CACHE_MAX)
    tracemalloc.start()
    try:
        read(100_000, GROWTH_FRAMES)
        before, _ = tracemalloc.get_traced_memory()
        read(200_000, GROWTH_FRAMES)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < GROWTH_BYTES_MAX


def holds(subject: Subject, vector: Vector, frame: bytes, *, damaged: bool = False) -> set[Measured | Noted]:
    """What every result must hold, or AssertionError; all in it that is no refusal."""
    sheet = subject.datasheet
    said: Decoded = subject.read(vector, frame)
    assert isinstance(said, tuple)
    found = claims(said)
    for value in values(said):
        assert exact(value.value) is not None, f"{value.value!r} is no plain number"
        if sheet.numbers == "as_sent" and value.unit not in _STATES:
            assert value.value.encode("ascii") in frame, f"{value.value} was not sent: {frame[:80]!r}"
    if damaged and sheet.checked and _checked(vector):
        own = claims(subject.read(vector))
        assert found <= own, f"{vector.name}: {frame!r} passed the checksum as {found}"
    return found


def _checked(vector: Vector) -> bool:
    """Whether the frame of this vector carries the checksum (a vector may switch it off)."""
    return vector.checked and vector.about != "damage" and vector.changes.get("checksum") != "none"


CHECKS = (
    a_part_of_a_frame_invents_nothing,
    a_changed_byte_invents_nothing,
    two_frames_in_one_are_no_other_value,
    an_endless_frame_is_no_value,
    no_bytes_at_all_raise_or_invent,
    nothing_is_kept_of_frames,
)
