"""A simulated TEC 3000 freezer controller.

As far as it is known (docs/drivers/mve_tec3000.md): it answers a known query, addressed to it, with
a number and nothing else, and is silent about all other frames. What the real one does with an
unknown query, or with a probe that is not there, was not published; silence is our judgement.
"""

from __future__ import annotations

from collections.abc import Mapping

from coldchain_simulators.asked import Asked, Sample
from coldchain_simulators.shown import TemperatureUnit, fixed, in_unit


class Tec3000(Asked):
    """The controller itself: what it shows, and what it answers."""

    def __init__(
        self,
        probes: Mapping[str, Sample],
        *,
        address: int | None = None,
        unit: TemperatureUnit = "degC",
        identity: str = "Controller, Software ver. 0.00",
        seed: int = 0,
    ) -> None:
        """`probes`: by query without "?", as {"TEMPA": probe.sample}; without `address` frames have none."""
        super().__init__(seed)
        self.address = address
        self.unit: TemperatureUnit = unit
        self.identity = identity
        self._probes = dict(probes)
        self._shows: dict[str, str | None] = dict.fromkeys(self._probes)

    def measure(self, _at_ms: int = 0) -> None:
        """Take a sample of each probe onto the display."""
        for name, sample in self._probes.items():
            celsius = sample()
            self._shows[name] = None if celsius is None else fixed(in_unit(celsius, self.unit), 2)

    def reply(self, request: bytes) -> bytes | None:
        """The answer to a frame without its line end, or None: not for us, or not known."""
        if self.address is not None:
            mine = b"%03d " % self.address
            if not request.startswith(mine):
                return None
            request = request.removeprefix(mine)
        if request == b"*IDN?":
            return self.identity.encode("ascii") + b"\r\n"
        name = request.decode("ascii", errors="replace")
        shown = self._shows.get(name.removesuffix("?")) if name.endswith("?") else None
        return None if shown is None else shown.encode("ascii") + b"\r\n"
