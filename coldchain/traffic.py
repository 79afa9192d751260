"""What passed over a line around a fault, as commands and programs are shown it."""

from __future__ import annotations

from msgspec import Struct


class Piece(Struct, frozen=True):
    """What went one way in one go: its first bytes, the size of all, how many were taken out as a secret."""

    utc_ms: int
    sent: bool
    hex: str
    size: int
    hidden: int = 0


class Fault(Struct, frozen=True):
    """What was wrong, since when, how often until `last_ms`, and what passed before and after its first time.

    source: whose, "" where the line itself was lost. Times by this computer's clock (UTC, ms).
    """

    source: str
    why: str
    utc_ms: int
    times: int
    last_ms: int
    pieces: tuple[Piece, ...]


class FramesView(Struct, frozen=True):
    """The faults of a port, the oldest first; `ports`: those that can be asked for."""

    port: str
    faults: tuple[Fault, ...]
    ports: tuple[str, ...] = ()
