"""Bytes to frames: cut at the terminator and nowhere else, in bounded memory."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.model import Reason
from coldchain.ports.framing import HEAD_BYTES, Blob, Splitter

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
