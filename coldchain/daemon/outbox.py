"""What goes into the outbox: which sink wants to hear of which announcement, and under which key.

The same with a daemon and without one: what a command announces is delivered when the daemon runs again.
"""

from __future__ import annotations

from collections.abc import Iterator

from coldchain import announcements
from coldchain.announcements import Announcement
from coldchain.config.endpoints import SinkSettings
from coldchain.config.loaded import Loaded
from coldchain.daemon.errors import DaemonError
from coldchain.journal import Notice
from coldchain.model import Priority
from coldchain.sinks.base import CannotStart, Category, SinkKind, installed


def sink_kinds(loaded: Loaded) -> dict[str, SinkKind]:
    """The kind of each configured sink, by the sink's name. Raises DaemonError if one is not installed."""
    if not loaded.settings.sinks:
        return {}
    try:
        kinds = installed()
        return {name: kinds[settings.kind] for name, settings in loaded.settings.sinks.items()}
    except CannotStart as error:
        raise DaemonError(str(error)) from error
    except KeyError as error:
        raise DaemonError(f"no sink of kind {error} is installed; install it, or take it out") from error


class Outbox:
    """Makes the rows of the outbox. The configuration may change under it."""

    def __init__(self, loaded: Loaded, journal_id: bytes) -> None:
        self._journal = journal_id.hex()[:16]
        self._people: tuple[tuple[str, SinkKind, SinkSettings], ...] = ()
        self._contacts: dict[str, frozenset[str]] = {}
        self._called: frozenset[Priority] = frozenset()
        self.reload(loaded)

    def reload(self, loaded: Loaded) -> None:
        """From now on by this configuration. Raises DaemonError as `sink_kinds`."""
        self._people = tuple(
            (name, kind, loaded.settings.sinks[name])
            for name, kind in sink_kinds(loaded).items()
            if kind.category is Category.NOTICE
        )
        contacts: dict[str, set[str]] = {}
        for contact, settings in loaded.settings.contacts.items():
            contacts.setdefault(settings.sink, set()).add(contact)
        self._contacts = {sink: frozenset(names) for sink, names in contacts.items()}
        self._called = frozenset(loaded.settings.escalation.by_priority())

    def _is_for(self, sink: str, said: Announcement) -> bool:
        """Whether a sink is a way to somebody who is called by it.

        A sink that is no contact's hears everything it wants, and so does every sink where no step is set.
        """
        contacts = self._contacts.get(sink)
        if contacts is None or not said.alarm or said.priority not in self._called:
            return True
        return not contacts.isdisjoint(said.to)

    def key(self, position: int, ordinal: int) -> str:
        """The same announcement has the same key on every way and at every attempt."""
        return f"{self._journal}-{position}-{ordinal}"

    def rows(self, position: int, arrival_ms: int, said: list[Announcement]) -> Iterator[Notice]:
        """The rows made of one fact's announcements (a hook of the writer)."""
        del arrival_ms
        people = self._people
        for ordinal, one in enumerate(said):
            for name, kind, settings in people:
                if kind.wants(settings, one) and self._is_for(name, one):
                    key, body = self.key(position, ordinal), announcements.encode(one)
                    yield Notice(name, key, position, ordinal, one.kind.value, body)
