"""A story played through: a scene, its sensors read at their intervals, and what arrives of it at a gateway.

No clock and no thread: simulated time is moved from instant to instant (stepping.py), so that the same seed
gives the same story however long it takes to play it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from coldchain_simulators.carrier import Arrival, Carrier
from coldchain_simulators.scenes import Scene, Unknown
from coldchain_simulators.shown import fixed
from coldchain_simulators.stepping import Stepper


@dataclass(frozen=True, slots=True)
class Happens:
    """Something that happens so many ms after the start, in the words of a scene or its carrier."""

    at_ms: int
    words: str


@dataclass(frozen=True, slots=True)
class Crossing:
    """What is really true of a place: whether it got as warm as that, and when first (ms; None: never)."""

    place: str
    celsius: float


class Story:
    """One play of a scenario. `arrived` grows as time moves; `crossed` says what was really true."""

    def __init__(
        self,
        scene: Scene,
        carrier: Carrier,
        intervals_ms: Mapping[str, int],
        happens: Sequence[Happens],
        crossings: Sequence[Crossing] = (),
    ) -> None:
        """intervals_ms: how often each role is read. Raises Unknown if something cannot happen."""
        self.scene, self.carrier = scene, carrier
        self.crossed: dict[Crossing, int | None] = dict.fromkeys(crossings)
        self.stepper = Stepper([scene])
        for each in happens:
            self.happen(each)
        for role, interval_ms in intervals_ms.items():
            self.stepper.every(interval_ms, self._read(role))

    @property
    def arrived(self) -> list[tuple[int, Arrival]]:
        """What has arrived so far, and when (ms after the start), in order."""
        return self.carrier.arrived

    def happen(self, each: Happens) -> None:
        """Let something happen at its time, or at once if that is past; raises Unknown if it cannot."""
        self.stepper.at(each.at_ms, self._act(each.words))

    def play(self, until_ms: int) -> list[tuple[int, Arrival]]:
        """Let it happen up to an instant; everything that has arrived."""
        self.stepper.advance(until_ms - self.stepper.now_ms)
        return self.arrived

    def _act(self, words: str) -> Callable[[int], None]:
        try:
            act = self.carrier.what(words)
        except Unknown as of_carrier:
            try:
                happens = self.scene.what(words)
            except Unknown as of_scene:
                raise Unknown(words, (*of_scene.known, *of_carrier.known)) from None
            return lambda _: happens()
        return act

    def _read(self, role: str) -> Callable[[int], None]:
        decimals = self.scene.decimals(role)

        def read(at_ms: int) -> None:
            value = self.scene.sample(role)
            self.carrier.measured(at_ms, role, None if value is None else fixed(value, decimals))
            for crossing, first_ms in self.crossed.items():
                if first_ms is None and self.scene.true(crossing.place) >= crossing.celsius:
                    self.crossed[crossing] = at_ms

        return read
