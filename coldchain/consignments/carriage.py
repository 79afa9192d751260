"""Consignments: the product units that travel together, and the stages they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec import Struct

from coldchain.consignments.when import When


class Consignment(Struct):
    """Product units that travel together, and the stages they have passed, in order.

    etas: from which instant on which arrival was expected.
    """

    id: str
    asset: str
    profile: str
    started: When
    stages: list[tuple[When, str]]
    units: tuple[str, ...] = ()
    etas: list[tuple[When, When]] = []
    ended: When | None = None
    outcome: str = ""

    def stage_at(self, journal_ms: int) -> str:
        """The stage in force at an instant ("" before the start)."""
        name = ""
        for began, stage in self.stages:
            if began.journal_ms <= journal_ms:
                name = stage
        return name

    def stage_began(self, when: When) -> When | None:
        """Since when the stage in force at an instant has been in force."""
        began: When | None = None
        name = ""
        for at, stage in self.stages:
            if at.journal_ms > when.journal_ms:
                break
            if stage != name:
                began, name = at, stage
        return began

    def first(self, stage: str, when: When) -> When | None:
        """When a stage began for the first time, up to an instant; None: it has not."""
        return next(
            (at for at, name in self.stages if name == stage and at.journal_ms <= when.journal_ms), None
        )

    def eta_at(self, when: When, *, journal_axis: bool) -> int | None:
        """The arrival expected at an instant, on a place's axis; None: nobody said."""
        known = [eta for at, eta in self.etas if at.journal_ms <= when.journal_ms]
        if not known or (not journal_axis and known[-1].utc_ms is None):
            return None
        return known[-1].on(journal_axis=journal_axis)

    @property
    def eta_ms(self) -> int | None:
        """The arrival expected now, UTC."""
        return self.etas[-1][1].utc_ms if self.etas else None

    def expect(self, when: When, eta: When) -> None:
        """From an instant on this arrival is expected."""
        self.etas.append((when, eta))
        self.etas.sort(key=lambda part: part[0].journal_ms)

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
            for said, _ in one.etas:
                yield said
            if one.ended is not None:
                yield one.ended

    def put_right(self, mend: Callable[[When], When]) -> None:
        """Our clock became known: vague instants are told anew."""
        for one in self.by_id.values():
            one.started = mend(one.started)
            one.stages = sorted(
                ((mend(when), stage) for when, stage in one.stages), key=lambda part: part[0].journal_ms
            )
            one.etas = sorted(
                ((mend(when), mend(eta)) for when, eta in one.etas), key=lambda part: part[0].journal_ms
            )
            one.ended = None if one.ended is None else mend(one.ended)
