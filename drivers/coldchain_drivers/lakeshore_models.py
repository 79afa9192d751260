"""What differs between the Lake Shore monitors and controllers: line, inputs, and what a status bit means.

The bits of RDGST? are the trap: the same bit is another fault on another model. A bit that a model's own
papers do not explain is a fault all the same (`sensor_fault`), so an unknown status never passes a number.
"""

from __future__ import annotations

from dataclasses import dataclass

from coldchain.model import Reason

_RANGES = {16: Reason.UNDER_RANGE, 32: Reason.OVER_RANGE, 128: Reason.OVER_RANGE}
#: 218 manual, RDGST?: 16 temperature under, 32 over, 64 sensor units under, 128 over.
_BITS_218 = _RANGES | {64: Reason.UNDER_RANGE}
#: 332, 335, 336 and 224 manuals, and the vendor's own driver: 1 invalid reading, 64 sensor units zero.
_BITS_33X = _RANGES | {1: Reason.SENSOR_FAULT, 64: Reason.SENSOR_FAULT}
#: 340 manual: as above, and 2 is an old reading.
_BITS_340 = _BITS_33X | {2: Reason.NOT_READY}
#: The vendor's driver for the 240 swaps the upper two: 64 sensor units over, 128 under.
_BITS_240 = {
    1: Reason.SENSOR_FAULT,
    16: Reason.UNDER_RANGE,
    32: Reason.OVER_RANGE,
    64: Reason.OVER_RANGE,
    128: Reason.UNDER_RANGE,
}
#: 211 manual: 2 the converter does not answer; 4 and 8 are its own alarms, and say nothing of the reading.
_BITS_211 = _BITS_218 | {2: Reason.SENSOR_FAULT}
_ALARMS_211 = 4 | 8


@dataclass(frozen=True, slots=True)
class Model:
    """One model. `baud`, `frame` None: no source states it. `inputs` empty: the site names them.

    bits: what each bit of RDGST? means; harmless: bits that say nothing of the reading.
    """

    bits: dict[int, Reason]
    inputs: tuple[str, ...] = ()
    baud: int | None = None
    frame: str | None = None
    end: bytes = b"\n"  # as the vendor's driver sends; the answers of all end in CR LF
    harmless: int = 0
    single: bool = False

    def fault(self, status: int) -> Reason | None:
        """Why the reading is none, by its status; None: it is valid."""
        status &= ~self.harmless
        for bit, reason in sorted(self.bits.items()):
            if status & bit:
                return reason
        return Reason.SENSOR_FAULT if status else None


def _numbered(last: int) -> tuple[str, ...]:
    return tuple(str(number) for number in range(1, last + 1))


_FIVE = ("1", "2", "3", "4", "5")

MODELS: dict[str, Model] = {
    "211": Model(_BITS_211, ("1",), end=b"\r\n", harmless=_ALARMS_211, single=True),
    "218": Model(_BITS_218, _numbered(8), 9600, "7O1", end=b"\r\n"),
    "224": Model(_BITS_33X, ("A", "B", *(f"C{n}" for n in _FIVE), *(f"D{n}" for n in _FIVE)), 57600, "7O1"),
    "240": Model(_BITS_240, _numbered(8), 115200, "8N1"),
    "331": Model({}, ("A", "B")),
    "332": Model(_BITS_33X, ("A", "B")),
    "335": Model(_BITS_33X, ("A", "B"), frame="7O1"),  # its baud rate is a setting of the instrument
    "336": Model(_BITS_33X, ("A", "B", "C", "D", *(f"D{n}" for n in _FIVE)), 57600, "7O1"),
    "340": Model(_BITS_340, ("A", "B", "C1", "C2", "C3", "C4", "D1", "D2", "D3", "D4")),
    "346": Model({}, (), 921600),
    "350": Model(_BITS_33X, ("A", "B", "C", "D", *(f"D{n}" for n in _FIVE)), 57600, "7O1"),
}
