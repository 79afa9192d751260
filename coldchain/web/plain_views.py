"""What many views are made of: instants, and where a limit comes from."""

from __future__ import annotations

from msgspec import Struct


class Instant(Struct, frozen=True, omit_defaults=True):
    """UTC in ms; `known` False: the clock was not known, so only order and distance can be trusted."""

    ms: int
    known: bool = True


class CitedView(Struct, frozen=True, omit_defaults=True):
    """Where a limit comes from, how sure we are of it, who approved it."""

    source: str
    confidence: str
    approved_by: str = ""
