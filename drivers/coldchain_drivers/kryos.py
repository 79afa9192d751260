"""Taylor-Wharton KRYOS freezer controllers: the fills that they print as they happen.

The driver only listens. The controller prints a line when a fill starts and one when it is over, in words,
with its own clock's local time: the line is dated by its arrival, and what it says is recorded beside it.
What it answers when it is asked was not published, so nothing is ever sent.
"""

from __future__ import annotations

import re

from pydantic import Field

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Baud, Frame, Strict

_WHEN = rb"\d{1,2}/\d{1,2}/\d{2} @ \d{1,2}:\d{2}"
_STARTED = re.compile(rb"Fill Started on (?P<when>" + _WHEN + rb")")
_OVER = re.compile(rb"Fill occurred on (?P<when>" + _WHEN + rb") for (?P<minutes>\d{1,4}) minutes?")


class KryosSettings(Strict):
    """Settings of one controller."""

    baud: Baud = Field(
        description="bits per second: read it off the controller; no source that we know states it"
    )
    frame: Frame = Field(description='bits, parity and stop bits, as "8N1": not published either')


def decode(settings: KryosSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one printed line as the state of the fill and what was said of it; never raises.

    Any other line is BAD, and the journal keeps its first bytes: which alarms it prints, and in which words,
    was not published.
    """
    line = frame.strip(b" \r")
    if not line:
        return ()
    started = _STARTED.fullmatch(line)
    if started is not None:
        return (Measured("fill", "1", "open"), Noted("fill_started", started["when"].decode("ascii")))
    over = _OVER.fullmatch(line)
    if over is not None:
        said = f"{over['when'].decode('ascii')} for {over['minutes'].decode('ascii')} min"
        return (Measured("fill", "0", "open"), Noted("last_fill", said))
    return (Bad(Reason.UNEXPECTED_REPLY, frame),)


DRIVER = SerialDriver(
    name="kryos",
    version="1",
    title="Taylor-Wharton KRYOS freezer controllers (the fills that they print)",
    maturity=Maturity.VENDOR_VECTORS,
    settings=KryosSettings,
    line=lambda s: Line(b"\n", 120, 1000, s.baud, s.frame, padding=b"\r"),
    poll=lambda s: (),
    decode=decode,
    keys=lambda s: {"fill": "open"},
    datasheet=DATASHEETS / "kryos.toml",
    sources=("Taylor-Wharton KRYOS manual, pp. 21-23: serial port, events as printed",),
)
