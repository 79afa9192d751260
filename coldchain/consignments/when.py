"""An instant that people speak of: in journal time, which orders everything, and in UTC."""

from __future__ import annotations

from msgspec import Struct


class When(Struct, frozen=True):
    """One instant in journal time and in UTC (None while nothing tells it).

    vague: "utc" or "journal" names the one of the two that is a guess, because our clock was not
    known when this was said; it is put right when the clock becomes known.
    """

    journal_ms: int
    utc_ms: int | None = None
    vague: str = ""

    def on(self, *, journal_axis: bool) -> int:
        """The instant on a channel's axis; journal time where no UTC was ever known."""
        return self.journal_ms if journal_axis or self.utc_ms is None else self.utc_ms
