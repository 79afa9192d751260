"""Thermo Forma 900 series freezers (−86 °C): the line that they print by themselves.

The driver only listens. Each frame begins with NUL and ends with EOT; without its NUL it may have lost the
minus sign, so it is no value.
"""

from __future__ import annotations

import re

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Strict

_EOT = b"\x04"
_FRAME = re.compile(rb"\x00(?:(-?\d{3})|T_ERR) C ([A-Za-z0-9 ]{0,12}) *\n\r")
#: Alarms of the freezer that say nothing against its reading. Any other word does, also one we do not know.
_READING_HOLDS = {b"", b"UNDERTEMP", b"OVERTEMP", b"PWRFAIL", b"HSHX FAIL", b"HOT COND"}


class FormaSettings(Strict):
    """There is nothing to set: line and format are fixed."""


def decode(settings: FormaSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one printed frame as the cabinet's temperature and the freezer's own alarm; never raises."""
    match = _FRAME.fullmatch(frame)
    if match is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    alarm = match[2].strip()
    said = Noted("alarm", alarm.decode("ascii") or "none")
    if match[1] is None or alarm not in _READING_HOLDS:
        return (Bad(Reason.SENSOR_FAULT, frame, "cabinet"), said)
    return (Measured("cabinet", match[1].decode("ascii"), "C"), said)


DRIVER = SerialDriver(
    name="forma900",
    version="1",
    title="Thermo Forma 900 series freezers (what they print)",
    maturity=Maturity.VENDOR_DOCUMENT,
    settings=FormaSettings,
    # 1 s: 20 characters at 1200 baud take 0.2 s.
    line=lambda s: Line(_EOT, 40, 1000, 1200, "8N2", padding=b" "),
    poll=lambda s: (),
    decode=decode,
    keys=lambda s: {"cabinet": "C"},
    datasheet=DATASHEETS / "forma900.toml",
    sources=("Thermo Forma 900 manual, RS-232 output",),
)
