"""Consignments: the product units that travel together, and the stages they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from coldchain.consignments.when import When


class Consignment(Struct):
    """Product units that travel together, and the stages they have passed, in order."""

    id: str
    asset: str
    profile: str
    started: When
    stages: list[tuple[When, str]]
    units: tuple[str, ...] = ()
    eta_ms: int | None = None
    ended: When | None = None
    outcome: str = ""

    def stage_at(self, journal_ms: int) -> str:
        """The stage in force at an instant ("" before the start)."""
        name = ""
        for began, stage in self.stages:
            if began.journal_ms <= journal_ms:
                name = stage
        return name

    def enter(self, when: When, stage: str) -> None:
        """The stage is in force from an instant on, until the next."""
        self.stages.append((when, stage))
        self.stages.sort(key=lambda part: part[0].journal_ms)

    def lasts_at(self, journal_ms: int) -> bool:
        """Whether it travels at an instant."""
        return self.started.journal_ms <= journal_ms and (
            self.ended is None or journal_ms < self.ended.journal_ms
        )


class Carriage:
    """All consignments; at no instant two in one asset."""

    def __init__(self) -> None:
        self.by_id: dict[str, Consignment] = {}
        self._in: dict[str, list[Consignment]] = {}

    def start(self, consignment: Consignment) -> str | None:
        """Take a consignment in; why not, if another travels in its asset at some instant after its start."""
        others = self._in.setdefault(consignment.asset, [])
        for other in others:
            if other.ended is None or other.ended.journal_ms > consignment.started.journal_ms:
                until = "carries" if other.ended is None else "then carried"
                return f"asset {consignment.asset} {until} consignment {other.id}"
        self.by_id[consignment.id] = consignment
        others.append(consignment)
        return None

    def now_in(self, asset: str) -> Consignment | None:
        """The consignment travelling in an asset now."""
        return next((one for one in self._in.get(asset, []) if one.ended is None), None)

    def at(self, asset: str, journal_ms: int) -> Consignment | None:
        """The consignment that travels in an asset at an instant."""
        return next((one for one in self._in.get(asset, []) if one.lasts_at(journal_ms)), None)

    def instants(self, asset: str) -> Iterator[When]:
        """Every start, stage and end in an asset."""
        for one in self._in.get(asset, []):
            for began, _ in one.stages:
                yield began
            if one.ended is not None:
                yield one.ended

    def put_right(self, mend: Callable[[When], When]) -> None:
        """Our clock became known: vague instants are told anew."""
        for one in self.by_id.values():
            one.started = mend(one.started)
            one.stages = sorted(
                ((mend(when), stage) for when, stage in one.stages), key=lambda part: part[0].journal_ms
            )
            one.ended = None if one.ended is None else mend(one.ended)
