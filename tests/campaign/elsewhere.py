"""What a gateway's receivers were told, held against its journal: a line for each difference.

The journal is read as it stands, the receivers as they are: a time series, an Alertmanager, a room where
people are called. What is still on its way is a difference, too: it is asked again until none is left.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coldchain.alarms.table import AlarmState
from coldchain.announcements import Kind
from coldchain.daemon.control import Ask, ask, socket_path
from coldchain.journal import Deliveries, Notice, Outcome, Reader
from coldchain.sinks.wording import WHILE_UNREACHABLE
from coldchain.units import TEMPERATURE
from tests.campaign.ledger import Ledger
from tests.servers import Alertmanager, VictoriaMetrics
from tests.servers.receiver import Receiver

#: The name of the room's sink.
ROOM = "room"
_UNRECORDED = "-unrecorded-"
#: Notices too old to be told one by one are told together, under a key of their own.
_TOGETHER = WHILE_UNREACHABLE
#: States of an alarm that is an alert (no alarm of this gateway latches).
_STANDS = {AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED}
_Said = dict[str, Any]
#: What makes an announcement this one, wherever it stands.
_SAME = ("kind", "alarm", "since_ms", "excursion", "limit")


class Elsewhere:
    """The three receivers, and the journal that they are held against."""

    def __init__(
        self, journal: Path, ledger: Ledger, room: Receiver, series: VictoriaMetrics, pages: Alertmanager
    ) -> None:
        self._journal, self._ledger = journal, ledger
        self._room, self._series, self._pages = room, series, pages

    # --- The room

    def notices_amiss(self) -> list[str]:
        """What the room lacks, what nobody announced, and what was announced otherwise."""
        with Reader.open(self._journal) as reader:
            journal: dict[tuple[int, int], _Said] = {
                (row.position, row.ordinal): _impersonal(json.loads(row.body))
                for row in reader.announcements()
            }
        owed = {
            notice.id: journal.get((notice.position, notice.ordinal))
            for notice in self._owed()
            if notice.kind != WHILE_UNREACHABLE
        }
        heard, folded = dict(self._heard()), self._folded()
        # What left while the journal could not be written has a key of its own, and is not told again.
        recorded = {key: said for key, said in heard.items() if _UNRECORDED not in key}
        known = {key.partition(_UNRECORDED)[0] for key in heard}
        known |= {request.key for request in list(self._room.taken) if request.key.startswith(_TOGETHER)}
        raised = {place for place, said in journal.items() if _calls(said)}
        places = {(notice.position, notice.ordinal) for notice in self._owed()}
        return [
            *(
                f"not told: {key}"
                for key, said in owed.items()
                if said is not None and _told_as(key, folded) not in known
            ),
            *(f"raised, and owed to nobody: {place}" for place in raised - places),
            *(f"told, and not in the journal: {key}" for key in recorded if owed.get(key) is None),
            *(
                f"told otherwise than it is in the journal: {key}"
                for key, said in recorded.items()
                if (there := owed.get(key)) is not None and said != there
            ),
            *self._never_recorded(journal, heard),
        ]

    def unrecorded(self) -> list[str]:
        """What left while the journal could not be written."""
        return [key for key, _ in self._heard() if _UNRECORDED in key]

    def told_twice(self) -> list[str]:
        """What went out again under the same key and another body."""
        bodies: dict[str, set[bytes]] = {}
        for request in list(self._room.requests):
            if request.key and _parsed(request.body) is not None:
                bodies.setdefault(request.key, set()).add(request.body)
        return [f"{key}: {sorted(said)}" for key, said in bodies.items() if len(said) > 1]

    def _never_recorded(self, journal: dict[tuple[int, int], _Said], heard: dict[str, _Said]) -> list[str]:
        # That the journal cannot be written is told before anybody can say since when.
        there = {_same(said) for said in journal.values()} | {_same(said)[:2] for said in journal.values()}
        return [
            f"told as unrecorded, and never recorded: {key}"
            for key, said in heard.items()
            if _UNRECORDED in key and (_same(said) if "since_ms" in said else _same(said)[:2]) not in there
        ]

    def _heard(self) -> Iterator[tuple[str, _Said]]:
        """Each key that the room said yes to, and the announcement with it."""
        for request in list(self._room.taken):
            if request.key and not request.key.startswith(_TOGETHER):
                said = _parsed(request.body)
                if said is not None and "announcement" in said:
                    yield request.key, _impersonal(said["announcement"])

    def _folded(self) -> dict[str, str]:
        """Of each notice that grew too old to be told alone: the one that stands for it."""
        with Deliveries.open(self._journal) as deliveries:
            settled = deliveries.settled(ROOM, 1, 100_000)
        return {each.notice.id: each.receipt for each in settled if each.outcome is Outcome.FOLDED}

    def _owed(self) -> list[Notice]:
        """Every notice that was ever owed to the room, settled or not."""
        with Deliveries.open(self._journal) as deliveries:
            found = [each.notice for each in deliveries.pending(ROOM, 2**62, 100_000)]
            return found + [each.notice for each in deliveries.settled(ROOM, 1, 100_000)]

    # --- The time series

    def series_amiss(self) -> list[str]:
        """Readings that it has not, and values that are not in the journal."""
        points: dict[str, set[tuple[int, float]]] = {}
        for series in self._series.export('{__name__="temperature_value"}'):
            of_it = points.setdefault(series.labels["channel"], set())
            of_it.update((at_ms, round(value, 3)) for at_ms, value in series.points if value is not None)
        self._ledger.look()
        journal: dict[str, set[tuple[int, float]]] = {}
        for channel, at_ms, quanta in self._ledger.values:
            journal.setdefault(channel, set()).add((at_ms, round(TEMPERATURE.to_float(quanta), 3)))
        amiss = []
        for channel in sorted(points.keys() | journal.keys()):
            there, here = points.get(channel, set()), journal.get(channel, set())
            lacking = {at_ms for at_ms, _ in here} - {at_ms for at_ms, _ in there}
            amiss += [f"the series lack {channel} at {at_ms}" for at_ms in sorted(lacking)]
            amiss += [f"the series have {channel} at {one}" for one in sorted(there - here)]
        return amiss

    # --- The Alertmanager

    def standing(self) -> set[str]:
        """The alarms that stand, as the running daemon says."""
        state = ask(socket_path(self._journal), Ask()).state
        assert state is not None
        return {each.id for each in state.alarms if each.state in _STANDS}

    def pages_amiss(self) -> list[str]:
        """Alarms that stand and are no alert, and alerts that do not stand; asks the running daemon."""
        stand = self.standing()
        alerts = {each["labels"]["alarm"] for each in self._pages.alerts()}
        return [
            *(f"stands, and is no alert: {alarm}" for alarm in sorted(stand - alerts)),
            *(f"an alert, and does not stand: {alarm}" for alarm in sorted(alerts - stand)),
        ]


def _calls(said: _Said) -> bool:
    return said["kind"] == Kind.RAISED.value and not said.get("folded")


def _impersonal(said: _Said) -> _Said:
    """Without what people were called and said: in the journal that stands elsewhere."""
    return {name: value for name, value in said.items() if name not in ("actor", "comment")}


def _told_as(key: str, folded: dict[str, str]) -> str:
    while key in folded:
        key = folded[key]
    return key


def _same(said: _Said) -> tuple[object, ...]:
    return tuple(said.get(name) for name in _SAME)


def _parsed(body: bytes) -> _Said | None:
    """A notice; None for one that was cut off with the process."""
    with contextlib.suppress(ValueError):
        said: _Said = json.loads(body)
        return said
    return None
