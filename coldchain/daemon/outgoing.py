"""The sinks, as the daemon sees them: what they are to be told, how they are doing."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from coldchain.announcements import Announcement
from coldchain.clock import Clock
from coldchain.config.loaded import Loaded
from coldchain.daemon.station import LiveStation
from coldchain.journal import Notice
from coldchain.pipeline.writer import Committed, Writer
from coldchain.web.views import SinkView, ToldView


class Outgoing:
    """All sinks of a configuration."""

    def __init__(
        self, loaded: Loaded, clock: Clock, writer: Writer, station: LiveStation, journal: Path
    ) -> None:
        self._loaded = loaded

    def start(self) -> None:
        """Begin to deliver."""

    def stop(self) -> None:
        """End; what is not delivered stays in the journal."""

    def notices(self, position: int, arrival_ms: int, said: list[Announcement]) -> Iterable[Notice]:
        """Rows for the outbox."""
        return ()

    def urgent(self, said: list[tuple[int, int, Announcement]]) -> None:
        """Alarms that must leave although the journal cannot be written."""

    def committed(self, batch: Committed) -> None:
        """There may be something new to deliver."""

    def status(self) -> tuple[SinkView, ...]:
        """How each sink is doing."""
        return ()

    def told(self, positions: list[int]) -> tuple[ToldView, ...]:
        """Who has been told of what was announced at these positions."""
        return ()
