"""Mettler Toledo balance (MT-SICS): the mass under a dry shipper or dewar, as sent.

Read-only by construction: this module can form two requests, `SI` and `I4`, so a monitor never zeroes,
tares or resets. Not `S`: it waits for rest, and a dewar on its hoist swings longer than any time-out.
"""

from __future__ import annotations

import re

from pydantic import Field

from coldchain.driver import AS_SENT, Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Baud, Frame, Strict

_MASS = Query("mass", b"SI\r\n")
_SERIAL_NUMBER = Query("serial_number", b"I4\r\n")

# No b"nan", b"inf" or b"1_0": a balance sends none of them.
_NUMBER = re.compile(rb"[+-]?\d{1,9}(?:\.\d{1,9})?")
#: A balance may be set to other units (pieces, carats, a user's own): then its number is no mass for us.
_UNITS = {b"g", b"kg", b"lb", b"oz"}
_NO_MASS = {
    (b"S", b"I"): Reason.NOT_READY,  # busy, or not at rest in time
    (b"S", b"+"): Reason.OVER_RANGE,
    (b"S", b"-"): Reason.UNDER_RANGE,
    (b"ES",): Reason.CORRUPT_FRAME,  # it did not understand what came of our request
    (b"ET",): Reason.CORRUPT_FRAME,
    (b"EL",): Reason.REFUSED,
}
_IDENTITY = re.compile(r'I4 A "([!-~](?:[ -~]{0,38}[!-~])?)"')


class BalanceSettings(Strict):
    """Settings of one balance."""

    baud: Baud = Field(default=9600, description="as set on the balance; 9600 as they leave the factory")
    frame: Frame = Field(
        default="8N1", description="as set on the balance; 8N1 is how they leave the factory"
    )
    serial_number: str | None = Field(
        default=None,
        pattern=r"^[!-~]([ -~]{0,38}[!-~])?$",
        description="what the balance must answer when asked for its number; then another one in its place "
        "is never read. Left out: any balance will do",
    )


def decode(settings: BalanceSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one reply as number and unit as sent, or as the reason why it is no mass; never raises.

    A moving load (`S D`) is kept in doubt: it is true enough for a level, and boil-off fits leave it out.
    """
    key = _MASS.key if query is not None else None
    match frame.split():
        case _ if query is None:
            return (Bad(Reason.UNEXPECTED_REPLY, frame),)
        case [b"S", (b"S" | b"D") as rest, number, unit] if _NUMBER.fullmatch(number):
            if unit not in _UNITS:
                return (Bad(Reason.UNKNOWN_UNIT, frame, key),)
            doubt = None if rest == b"S" else Reason.UNSTABLE
            return (Measured(_MASS.key, number.decode("ascii"), unit.decode("ascii"), doubt=doubt),)
        case [b"S", b"S" | b"D", number] if _NUMBER.fullmatch(number):
            return (Bad(Reason.NO_UNIT, frame, key),)
        case [b"S", b"S" | b"D", _, *_]:  # newer weigh modules send an error's text in place of the weight
            return (Bad(Reason.SENSOR_FAULT, frame, key),)
        case words:
            return (Bad(_NO_MASS.get(tuple(words), Reason.UNEXPECTED_REPLY), frame, key),)


def _identify(settings: BalanceSettings, query: Query, frame: bytes) -> str | None:
    text = frame.decode("ascii", errors="replace")
    match = _IDENTITY.fullmatch(text)
    if match is None:
        return f'I4 was answered with "{text[:40]}", which is no serial number of a balance'
    if settings.serial_number not in {None, match[1]}:
        return f'it is the balance "{match[1]}", and the settings say "{settings.serial_number}"'
    return None


DRIVER = SerialDriver(
    name="mt_sics",
    version="1",
    title="Mettler Toledo balances and scales (MT-SICS)",
    maturity=Maturity.VENDOR_VECTORS,
    settings=BalanceSettings,
    # 2 s: SI is answered at once; a judgement, for the manuals state no longest time.
    line=lambda s: Line(b"\r\n", 80, 2000, s.baud, s.frame),
    poll=lambda s: (_MASS,),
    decode=decode,
    keys=lambda s: {_MASS.key: AS_SENT},
    identity=lambda s: (_SERIAL_NUMBER,),
    identify=_identify,
    datasheet=DATASHEETS / "mt_sics.toml",
    sources=(
        "Mettler Toledo reference manuals: JS series p. 30, AL-IC p. 72, AT p. 87, XPR MT-SICS",
        "mt-sics (Atlantis-Software) and mettler_toledo_device: line settings, an example reply",
    ),
)
