"""Bytes to frames: cut where the protocol says and nowhere else, in bounded memory."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.driver import Line
from coldchain.model import Reason
from coldchain.ports.framing import HEAD_BYTES, Blob, Measurer, Splitter, cutter

OVER, CORRUPT = Reason.OVERSIZED_FRAME, Reason.CORRUPT_FRAME


def said(found: list[bytes | Blob]) -> list[bytes | tuple[Reason, int]]:
    """Frames as they are; what is none as its reason and size."""
    return [(each.reason, each.size) if isinstance(each, Blob) else each for each in found]


@pytest.mark.parametrize(
    ("terminator", "chunks", "frames"),
    [
        pytest.param(b"\r\n", [b"-182.4\r\n"], [b"-182.4"], id="one line"),
        pytest.param(b"\r\n", [b"a\r\nb\r\n"], [b"a", b"b"], id="two lines in one read"),
        pytest.param(b"\r\n", [b"-1", b"82", b".4\r", b"\n"], [b"-182.4"], id="one line in four reads"),
        pytest.param(b"\r\n", [b"+77."], [], id="half a line is no line"),
        pytest.param(b"\r\n", [b"a\rb\nc\r\n"], [b"a\rb\nc"], id="half a terminator ends nothing"),
        pytest.param(b"\n", [b"\n\na\n"], [b"", b"", b"a"], id="empty lines are lines"),
        pytest.param(b"\n", [b"12345678\n"], [b"12345678"], id="as long as may be"),
        pytest.param(b"\n", [b"123456789\n"], [(OVER, 9)], id="one byte longer"),
        pytest.param(b"\r\n", [b"12345678", b"\r", b"\n"], [b"12345678"], id="full length, end byte by byte"),
        pytest.param(b"\r\n", [b"x" * 50, b"y\r\nok\r\n"], [(OVER, 51), b"ok"], id="resync at the next end"),
        pytest.param(b"\r\n", [b"x" * 50 + b"\r", b"\nok\r\n"], [(OVER, 50), b"ok"], id="end cut in two"),
        pytest.param(b"\n", [b"x" * 50, b"x" * 50], [], id="babble without an end is no frame yet"),
    ],
)
def test_frames(terminator: bytes, chunks: list[bytes], frames: list[object]) -> None:
    """A frame is what stands before a terminator and is not too long; nothing else is."""
    splitter = Splitter(terminator, 8)
    assert [each for chunk in chunks for each in said(splitter.feed(chunk))] == frames


def test_a_line_that_does_not_end_is_given_up_with_its_rest() -> None:
    """After a time-out in mid-line neither the half nor what follows it is a frame."""
    splitter = Splitter(b"\n", 80)
    assert splitter.feed(b"t=-18") == []
    assert splitter.waiting
    given_up = splitter.give_up()
    assert given_up is not None
    assert (given_up.reason, given_up.size, given_up.head_hex) == (CORRUPT, 5, b"t=-18".hex())
    assert said(splitter.feed(b"2.4\nt=-7\n")) == [(CORRUPT, 3), b"t=-7"]
    assert not splitter.waiting
    assert splitter.give_up() is None


@pytest.mark.parametrize(
    ("chunks", "frames", "waiting"),
    [
        pytest.param([b" \x00-080 C\x04"], [b"-080 C"], False, id="before a frame"),
        pytest.param([b"-080 C\x04 "], [b"-080 C"], False, id="after a frame: no other has begun"),
        pytest.param([b"-080 C\x04", b" \x00", b"-", b"081 C\x04"], [b"-080 C", b"-081 C"], False, id="two"),
        pytest.param([b"-0 \x00 80"], [], True, id="within a frame it stays"),
        pytest.param([b"\x00" * 80 + b"-1\x04"], [b"-1"], False, id="it does not count as length"),
    ],
)
def test_padding_belongs_to_no_frame(chunks: list[bytes], frames: list[bytes], waiting: bool) -> None:
    """What a device puts between its frames is neither their beginning nor a frame that does not end."""
    splitter = Splitter(b"\x04", 16, b" \x00")
    assert [each for chunk in chunks for each in said(splitter.feed(chunk))] == frames
    assert splitter.waiting is waiting


def test_a_stream_joined_in_mid_line() -> None:
    """What comes before the first terminator is no frame if the line may have begun before us."""
    splitter = Splitter(b"\n", 80)
    splitter.skip_line()
    assert said(splitter.feed(b"2.4\n-182.4\n")) == [(CORRUPT, 3), b"-182.4"]
    splitter.skip_line()
    assert said(splitter.feed(b"\nx\n")) == [b"x"]


def test_a_blob_tells_hash_size_and_head() -> None:
    """What is not kept whole can still be recognised: its hash is that of all of it."""
    data = bytes(range(256)) * 3
    blob = Blob(OVER)
    for at in range(0, len(data), 7):
        blob.add(data[at : at + 7])
    assert blob.size == len(data)
    assert blob.sha256 == sha256(data).hexdigest()
    assert blob.head_hex == data[:HEAD_BYTES].hex()


@pytest.mark.parametrize("terminator", [b"\n", b"\r\n", b"\r"])
@given(data=st.data())
def test_how_bytes_are_cut_into_reads_changes_nothing(terminator: bytes, data: st.DataObject) -> None:
    """Whatever comes, in whatever pieces: the same frames, none too long, no byte of a frame invented."""
    stream = data.draw(st.lists(st.sampled_from([b"a", b"\r", b"\n", b"\r\n", b"bb", b"c" * 9]))) + [b"end"]
    whole = b"".join(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    at_once, bit_by_bit = Splitter(terminator, 8), Splitter(terminator, 8)
    expected = said(at_once.feed(whole))
    assert [each for piece in pieces for each in said(bit_by_bit.feed(piece))] == expected
    assert expected == [
        line if len(line) <= 8 else (OVER, len(line)) for line in whole.split(terminator)[:-1]
    ]


@given(st.lists(st.binary(max_size=40), max_size=40))
def test_babble_costs_no_memory(pieces: list[bytes]) -> None:
    """What is kept of a line without end stays below the limit and a terminator."""
    splitter = Splitter(b"\x00\x01\x02", 16)
    for piece in pieces:
        splitter.feed(piece.replace(b"\x00", b"x"))
        assert len(splitter._buffer) < 16 + 3


# --- Frames that tell their size ---------------------------------------------------------------------------


def size(frame: bytes) -> int | None:
    """A mark, a length, as many bytes, an end byte; another mark tells nothing."""
    if frame[0] != 0x01:
        return None
    return 3 + frame[1] if len(frame) > 1 else None


@pytest.mark.parametrize(
    ("chunks", "frames"),
    [
        pytest.param([b"\x01\x02ab!"], [b"\x01\x02ab!"], id="one frame"),
        pytest.param([b"\x01", b"\x02", b"a", b"b", b"!"], [b"\x01\x02ab!"], id="byte by byte"),
        pytest.param([b"\x01\x00!\x01\x01a!"], [b"\x01\x00!", b"\x01\x01a!"], id="two in one read"),
        pytest.param([b"\x01\x02ab"], [], id="the last byte is missing: no frame"),
        pytest.param([b"\x01\x02\x01\x00!"], [b"\x01\x02\x01\x00!"], id="a mark inside is no beginning"),
        pytest.param([b"\x01\x05abcde!"], [b"\x01\x05abcde!"], id="as long as may be"),
        pytest.param([b"\x01\x06abcdef!"], [], id="one byte longer: swallowed up to a silence"),
        pytest.param([b"\x07\x00!", b"\x01\x00!"], [], id="what tells no size swallows what follows at once"),
    ],
)
def test_frames_that_tell_their_size(chunks: list[bytes], frames: list[bytes]) -> None:
    """A frame has as many bytes as it says; nothing is searched for in what is none."""
    measurer = Measurer(size, 8)
    assert [each for chunk in chunks for each in said(measurer.feed(chunk))] == frames


@pytest.mark.parametrize(
    ("chunk", "given_up"),
    [
        pytest.param(b"\x01\x02ab", (CORRUPT, 4), id="torn"),
        pytest.param(b"\x01", (CORRUPT, 1), id="a single byte"),
        pytest.param(b"\x07abc", (CORRUPT, 4), id="tells no size"),
        pytest.param(b"\x01\xff" + b"x" * 300, (OVER, 302), id="tells too much"),
        pytest.param(b"\x07" + b"x" * 300, (OVER, 301), id="babble"),
    ],
)
def test_after_a_silence_the_next_byte_begins_a_frame(chunk: bytes, given_up: tuple[Reason, int]) -> None:
    """What had no end is told whole, and the next frame is read."""
    measurer = Measurer(size, 8)
    assert measurer.feed(chunk) == []
    assert measurer.waiting
    blob = measurer.give_up()
    assert blob is not None
    assert ((blob.reason, blob.size), blob.sha256) == (given_up, sha256(chunk).hexdigest())
    assert not measurer.waiting
    assert measurer.give_up() is None
    assert measurer.feed(b"\x01\x00!") == [b"\x01\x00!"]


def test_a_stream_of_sized_frames_joined_in_the_middle() -> None:
    """Until there was a silence nothing is a frame, whatever it looks like."""
    measurer = Measurer(size, 8)
    measurer.skip_line()
    assert measurer.feed(b"!\x01\x00!") == []
    blob = measurer.give_up()
    assert blob is not None
    assert (blob.reason, blob.size) == (CORRUPT, 4)
    assert measurer.feed(b"\x01\x00!") == [b"\x01\x00!"]


@given(st.lists(st.binary(max_size=9)), st.data())
def test_how_sized_bytes_are_cut_into_reads_changes_nothing(frames: list[bytes], data: st.DataObject) -> None:
    """Whatever the pieces: the same frames, no byte invented, never more kept than a frame may have."""
    whole = b"".join(b"\x01" + bytes([len(frame)]) + frame + b"!" for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)))))
    pieces = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    at_once, bit_by_bit = Measurer(size, 8), Measurer(size, 8)
    expected = at_once.feed(whole)
    found = []
    for piece in pieces:
        found += bit_by_bit.feed(piece)
        assert len(bit_by_bit._buffer) <= 8
    assert found == expected
    assert whole.startswith(b"".join(each for each in expected if isinstance(each, bytes)))


def test_a_line_says_once_where_its_frames_end() -> None:
    """By a terminator or by their size: not by both, and not by nothing."""
    assert isinstance(cutter(Line(b"\r\n", 80, 100)), Splitter)
    assert isinstance(cutter(Line(b"", 80, 100, size=size)), Measurer)
    with pytest.raises(ValueError, match="not both"):
        cutter(Line(b"\n", 80, 100, size=size))
    with pytest.raises(ValueError, match="without a terminator"):
        cutter(Line(b"", 80, 100))
