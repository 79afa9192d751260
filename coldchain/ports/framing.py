"""From a stream of bytes to frames: each is cut where its protocol says that it ends, and nowhere else.

Lines end at their terminator (`Splitter`), binary frames after as many bytes as their own beginning
says (`Measurer`). Half a frame is never handed on as one: "+77." would read as 77. What has no end,
or is longer than the device ever sends, is remembered by its hash, size and first bytes only, so that
a line that babbles for ever costs no memory.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from typing import Protocol

from coldchain.driver import Line
from coldchain.model import Reason

#: So many first bytes of an unreadable frame are kept, as hex.
HEAD_BYTES = 32


class Blob:
    """Bytes that are no frame, as they may stand in a fact: hash, size, first bytes, and why."""

    def __init__(self, reason: Reason, data: bytes = b"") -> None:
        self.reason = reason
        self.size = 0
        self._head = b""
        self._hash = sha256()
        self.add(data)

    def add(self, data: bytes) -> None:
        """More of the same."""
        self.size += len(data)
        self._head = (self._head + data[:HEAD_BYTES])[:HEAD_BYTES]
        self._hash.update(data)

    @property
    def sha256(self) -> str:
        """The hash of all of it, in hex."""
        return self._hash.hexdigest()

    @property
    def head_hex(self) -> str:
        """Its first bytes, in hex."""
        return self._head.hex()


class Cutter(Protocol):
    """Cuts a stream into frames."""

    @property
    def waiting(self) -> bool:
        """Whether a frame has begun and not ended."""
        ...

    def feed(self, data: bytes) -> list[bytes | Blob]:
        """What is complete now, in order: frames, and what was none."""
        ...

    def give_up(self) -> Blob | None:
        """The frame that has begun will not end: what came of it, None if none had begun."""
        ...

    def skip_line(self) -> None:
        """Take nothing for a frame before the next one begins: we came in the middle of one."""
        ...


def cutter(line: Line) -> Cutter:
    """What cuts the frames of a line. ValueError: the line says not, or in two ways, where they end."""
    if line.size is None:
        return Splitter(line.terminator, line.reply_bytes_max, line.padding)
    if line.terminator:
        raise ValueError("frames end at a terminator or have a size, not both")
    return Measurer(line.size, line.reply_bytes_max)


class Splitter:
    """Cuts a stream into frames. `limit`: the longest frame without its terminator, in bytes.

    padding: single bytes that may stand before a frame and belong to none.
    """

    def __init__(self, terminator: bytes, limit: int, padding: bytes = b"") -> None:
        if not terminator:
            raise ValueError("a line without a terminator cannot be cut into frames")
        self._terminator = terminator
        self._limit = limit
        self._padding = padding
        self._buffer = b""
        self._skipped: Blob | None = None

    @property
    def waiting(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer) or self._skipped is not None

    def feed(self, data: bytes) -> list[bytes | Blob]:
        """What is complete now, in order: frames without their terminator, and what was none."""
        found: list[bytes | Blob] = []
        data = self._buffer + data
        if self._skipped is not None:
            at = data.find(self._terminator)
            if at < 0:
                self._skip(data)
                return found
            self._skipped.add(data[:at])
            if self._skipped.size:
                found.append(self._skipped)
            self._skipped = None
            data = data[at + len(self._terminator) :]
        *frames, self._buffer = (self._unpadded(frame) for frame in data.split(self._terminator))
        found += [
            frame if len(frame) <= self._limit else Blob(Reason.OVERSIZED_FRAME, frame) for frame in frames
        ]
        # The last bytes of a frame of full length may be the beginning of its terminator.
        if len(self._buffer) >= self._limit + len(self._terminator):
            self._skipped, rest = Blob(Reason.OVERSIZED_FRAME), self._buffer
            self._skip(rest)
        return found

    def give_up(self) -> Blob | None:
        """The frame that has begun will not end: what came of it, None if none had begun.

        What may still come of it, up to the next terminator, is no frame either.
        """
        given_up: Blob | None = None
        if self._skipped is not None:
            given_up = self._skipped
            given_up.add(self._buffer)
        elif self._buffer:
            given_up = Blob(Reason.CORRUPT_FRAME, self._buffer)
        self._buffer = b""
        self.skip_line()
        return given_up if given_up is not None and given_up.size else None

    def skip_line(self) -> None:
        """Take nothing for a frame up to the next terminator: we came in the middle of a line."""
        self._skipped = Blob(Reason.CORRUPT_FRAME)

    def _unpadded(self, frame: bytes) -> bytes:
        return frame.lstrip(self._padding) if self._padding else frame

    def _skip(self, data: bytes) -> None:
        assert self._skipped is not None
        keep = len(data) - (len(self._terminator) - 1)  # it may be the beginning of a terminator
        self._skipped.add(data[: max(0, keep)])
        self._buffer = data[max(0, keep) :]


class Echoed:
    """The frames that follow the echo of a request; what comes before it, or without, is none.

    The echo may stand on a line of its own or before the reply on the same; blanks around it do not matter.
    """

    def __init__(self, frames: Cutter, request: bytes) -> None:
        self._frames = frames
        self._echo = request.strip()
        self._heard = False

    @property
    def waiting(self) -> bool:
        """Whether a frame has begun and not ended."""
        return self._frames.waiting

    def feed(self, data: bytes) -> list[bytes | Blob]:
        """What is complete now, in order, without the echo."""
        found: list[bytes | Blob] = []
        for frame in self._frames.feed(data):
            if self._heard or isinstance(frame, Blob):
                found.append(frame)
            elif not frame.lstrip().startswith(self._echo):
                found.append(Blob(Reason.UNEXPECTED_REPLY, frame))
            else:
                self._heard = True
                rest = frame.lstrip().removeprefix(self._echo)
                if rest.strip():
                    found.append(rest)
        return found

    def give_up(self) -> Blob | None:
        """The frame that has begun will not end: what came of it, None if none had begun."""
        return self._frames.give_up()

    def skip_line(self) -> None:
        """Take nothing for a frame before the next one begins."""
        self._frames.skip_line()


class Measurer:
    """Cuts a stream into frames that tell their size. `limit`: the longest frame, in bytes.

    Where a frame does not tell it, or tells one beyond `limit`, nothing marks the beginning of the next:
    only a silence does, and that is for the caller to see (`give_up`).
    """

    def __init__(self, size: Callable[[bytes], int | None], limit: int) -> None:
        self._size = size
        self._limit = limit
        self._buffer = b""
        self._skipped: Blob | None = None

    @property
    def waiting(self) -> bool:
        """Whether a frame has begun and not ended."""
        return bool(self._buffer) or self._skipped is not None

    def feed(self, data: bytes) -> list[bytes | Blob]:
        """What is complete now, in order."""
        found: list[bytes | Blob] = []
        if self._skipped is not None:
            self._skipped.add(data)
            return found
        self._buffer += data
        while self._buffer:
            size = self._size(self._buffer)
            if size is not None and 0 < size <= self._limit:
                if len(self._buffer) < size:
                    break
                found.append(self._buffer[:size])
                self._buffer = self._buffer[size:]
                continue
            if size is not None or len(self._buffer) > self._limit:
                self._skipped, self._buffer = Blob(Reason.OVERSIZED_FRAME, self._buffer), b""
            break
        return found

    def give_up(self) -> Blob | None:
        """Nothing more comes: what came of a frame, None if none had begun. The next byte begins another."""
        given_up = self._skipped
        if given_up is None and self._buffer:
            given_up = Blob(Reason.CORRUPT_FRAME, self._buffer)
        self._buffer, self._skipped = b"", None
        return given_up if given_up is not None and given_up.size else None

    def skip_line(self) -> None:
        """Take nothing for a frame until there was a silence."""
        self._skipped = Blob(Reason.CORRUPT_FRAME)
