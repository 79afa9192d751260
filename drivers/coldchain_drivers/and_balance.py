"""A&D balances and scales: the mass under a dry shipper or dewar, in A&D standard format, as sent.

Read-only by construction: this module can form one request, `Q`, so a monitor never zeroes (`Z`, `R`),
tares (`T`), calibrates (`CAL`) or switches off (`OFF`, `P`). Not `S`: it waits for rest, and a dewar on its
hoist swings longer than any time-out.
"""

from __future__ import annotations

import re

from pydantic import Field

from coldchain.driver import AS_SENT, Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Baud, Frame, Strict

_MASS = Query("mass", b"Q\r\n")
#: Header, the comparator's word where it is switched on, sign and digits, unit of up to three characters.
_REPLY = re.compile(
    rb"(ST|US|OL|QT),(?:(?:LO|OK|HI|--),)?([+-]\d{1,10}(?:\.\d{1,6})?)"
    rb" {0,2}([A-Za-z%][A-Za-z%0-9]{0,2})? {0,2}"
)
#: Pieces, per cent, carats, momme, newtons and the rest are no mass for us; nor is a troy ounce (`ozt`).
_UNITS = {b"g", b"kg", b"lb", b"oz"}
_DOUBTS = {b"ST": None, b"US": Reason.UNSTABLE}


class AndSettings(Strict):
    """Settings of one balance."""

    baud: Baud = Field(
        description="as set in the function table of the balance (Serial interface); its models differ"
    )
    frame: Frame = Field(description="bits, parity and stop bits, set there, too")


def decode(settings: AndSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one reply as number and unit as sent, or as the reason why it is no mass; never raises.

    A moving load (`US`) is kept in doubt: it is true enough for a level, and boil-off fits leave it out.
    """
    if query is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    match = _REPLY.fullmatch(frame)
    if match is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame, _MASS.key),)
    header, number, unit = match.groups()
    if header == b"OL":  # its digits are all nines, below and above alike: only the sign tells which
        reason = Reason.UNDER_RANGE if number.startswith(b"-") else Reason.OVER_RANGE
        return (Bad(reason, frame, _MASS.key),)
    if unit is None:
        return (Bad(Reason.NO_UNIT, frame, _MASS.key),)
    if header not in _DOUBTS or unit not in _UNITS:
        return (Bad(Reason.UNKNOWN_UNIT, frame, _MASS.key),)
    return (Measured(_MASS.key, number.decode("ascii"), unit.decode("ascii"), doubt=_DOUBTS[header]),)


DRIVER = SerialDriver(
    name="and_balance",
    version="1",
    title="A&D balances and scales (A&D standard format)",
    maturity=Maturity.VENDOR_VECTORS,
    settings=AndSettings,
    # 2 s: Q is answered at once; a judgement, for the manuals state no longest time.
    line=lambda s: Line(b"\r\n", 40, 2000, s.baud, s.frame),
    poll=lambda s: (_MASS,),
    decode=decode,
    keys=lambda s: {_MASS.key: AS_SENT},
    datasheet=DATASHEETS / "and_balance.toml",
    sources=(
        "A&D GC series manual, 16.2: A&D standard format, with examples",
        "A&D EK-L series manual, 9-2: data format, with examples; FX-i and FZ-i WP manuals: commands",
    ),
)
