"""Simulated instruments that answer when they are asked: balances, cryogenic thermometers, level monitors.

Each answers what its driver's page lists (docs/drivers/) in the vendor's form, and nothing that writes: what
would zero, tare or set a real one is kept in `wrote`, so that a test can see that nobody sent it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Literal

from coldchain_simulators.asked import Asked, Sample
from coldchain_simulators.shown import fixed

_KELVIN = 273.15


class Instrument(Asked):
    """An instrument whose samples are shown until the next measurement."""

    def __init__(self, samples: Mapping[str, Sample], seed: int = 0) -> None:
        """`samples`: by the name of the input; None where nothing can be read."""
        super().__init__(seed)
        self.wrote: list[bytes] = []
        self._samples = dict(samples)
        self.shows: dict[str, float | None] = dict.fromkeys(self._samples)
        self.measure()

    def measure(self, _at_ms: int = 0) -> None:
        """Take a sample of each input onto the display."""
        self.shows = {name: sample() for name, sample in self._samples.items()}

    def reply(self, request: bytes) -> bytes | None:
        """The answer with its end; what is no question is kept in `wrote` and not answered."""
        said = self.answer(request.strip(b" \r"))
        if said is None:
            self.wrote.append(request)
            return None
        return said.encode("ascii") + self.reply_end

    def answer(self, request: bytes) -> str | None:
        """The answer to a request without line ends, or None: it is none of its questions."""
        raise NotImplementedError


class MtSicsBalance(Instrument):
    """A Mettler Toledo balance; `moving`: its load swings."""

    def __init__(self, mass_kg: Sample, *, serial: str = "B021002593", seed: int = 0) -> None:
        super().__init__({"mass": mass_kg}, seed)
        self.serial = serial
        self.moving = False

    def answer(self, request: bytes) -> str | None:
        """`SI` and `I4` as the manuals have them; a weight that it cannot show is overload."""
        if request == b"I4":
            return f'I4 A "{self.serial}"'
        if request != b"SI":
            return None
        mass = self.shows["mass"]
        return "S +" if mass is None else f"S {'D' if self.moving else 'S'} {fixed(mass, 4):>10} kg"


class AndBalance(Instrument):
    """An A&D balance in its own standard format; `moving`: its load swings."""

    def __init__(self, mass_kg: Sample, *, seed: int = 0) -> None:
        super().__init__({"mass": mass_kg}, seed)
        self.moving = False

    def answer(self, request: bytes) -> str | None:
        """`Q` in A&D standard format; a weight that it cannot show is out of range, in nines."""
        if request != b"Q":
            return None
        mass = self.shows["mass"]
        if mass is None:
            return "OL,+9999.9999 kg"
        return f"{'US' if self.moving else 'ST'},{mass:+010.4f} kg"


class LakeShore(Instrument):
    """A Lake Shore monitor. Inputs in °C, shown in K; without a probe a 218 shows 480 K and says so aside."""

    request_end = b"\n"

    def __init__(
        self, inputs: Mapping[str, Sample], *, model: str = "218", serial: str = "21EA4F", seed: int = 0
    ) -> None:
        super().__init__(inputs, seed)
        self.model = model
        self.serial = serial

    def answer(self, request: bytes) -> str | None:
        """*IDN?, KRDG? and RDGST? of one input."""
        if request == b"*IDN?":
            return f"LSCI,MODEL{self.model}E,{self.serial},042109"
        match = re.fullmatch(rb"(KRDG|RDGST)\? ?([A-D]?\d{0,2})", request)
        if match is None:
            return None
        celsius = self.shows.get(match[2].decode("ascii") or "1")
        if match[1] == b"RDGST":
            return "032" if celsius is None else "000"
        return "+480.00" if celsius is None else f"{celsius + _KELVIN:+.3f}"


class Cryocon(Instrument):
    """A Cryo-con monitor. Inputs in °C, shown in K; without a probe it shows dashes and a sensor fault."""

    request_end = b"\n"

    def answer(self, request: bytes) -> str | None:
        """*IDN?, the reading of an input, its unit and its alarm."""
        if request == b"*IDN?":
            return "Cryo-con,18C,204683,1.01A"
        match = re.fullmatch(rb"INP(?:\? ([A-H])| ([A-H]):(UNIT|ALARM)\?)", request)
        if match is None:
            return None
        name = (match[1] or match[2]).decode("ascii")
        if name not in self.shows:
            return "NAK"
        celsius = self.shows[name]
        if match[3] == b"UNIT":
            return "K"
        if match[3] == b"ALARM":
            return "SF" if celsius is None else "--"
        return "-------" if celsius is None else f"{celsius + _KELVIN:.4f}"


class AmiLevel(Instrument):
    """An American Magnetics level monitor: plain words (135 to 186) or SCPI (187). Levels in per cent."""

    def __init__(
        self, level_percent: Sample, *, dialect: Literal["plain", "scpi"] = "plain", seed: int = 0
    ) -> None:
        super().__init__({"level": level_percent}, seed)
        self._questions = {b"UNIT": "%"} if dialect == "plain" else {b"UNITS?": '0,"PERCENT"'}
        self._level = b"LEVEL" if dialect == "plain" else b"LEVEL?"

    def answer(self, request: bytes) -> str | None:
        """Unit and level; a level that it cannot show is an error code, as in the plain manual."""
        if request == self._level:
            level = self.shows["level"]
            return "-8" if level is None else fixed(level, 1)
        return self._questions.get(request)


class CryomagneticsLm(Instrument):
    """A Cryomagnetics LM-510, which echoes. `filling` says what a channel's fill does, as the device does."""

    request_end = b"\n"
    reply_end = b"\r\n"
    echoes = True

    def __init__(
        self,
        levels_percent: Mapping[int, Sample],
        *,
        filling: Callable[[int], str] = lambda channel: "Off",
        seed: int = 0,
    ) -> None:
        super().__init__({str(channel): level for channel, level in levels_percent.items()}, seed)
        self._filling = filling

    def answer(self, request: bytes) -> str | None:
        """*IDN?, the last level of a channel, and the state of its fill."""
        if request == b"*IDN?":
            return "Cryomagnetics,LM-510,7011,1.20"
        match = re.fullmatch(rb"(MEAS|FILL)\? ([12])", request)
        if match is None or match[2].decode() not in self.shows:
            return None
        level = self.shows[match[2].decode()]
        if match[1] == b"FILL":
            return self._filling(int(match[2]))
        return "---- %" if level is None else f"{fixed(level, 1)} %"
