"""Cryomagnetics LM-500 and LM-510 level monitors: level with its unit, and what the autofill does.

The instrument sends every command back before it answers, and answers go astray in the field: the echo is
what ties an answer to its question, so without it nothing is read.
Read-only by construction: `REMOTE`, which others send first, locks the front panel and is not needed for
queries; `MEAS n` and `FILL n` act, and the module can form neither.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from coldchain.driver import AS_SENT, Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.settings import Baud, Frame, Strict

_REPLY_BYTES_MAX = 80
_LEVEL = re.compile(rb"([+-]?\d{1,4}\.\d{1,4}) (%|cm|in)")
_FILL = re.compile(rb"Off|Timeout|\d{1,4}(?:\.\d{1,2})? (?:m|min|s|sec)")

_Channels = Annotated[tuple[Literal[1, 2], ...], Field(strict=False, max_length=2)]


class LmSettings(Strict):
    """Settings of one instrument."""

    channels: _Channels = Field(
        min_length=1,
        description='the channels that have a level sensor, as [1] or [1, 2]; the key of each is "level_1"',
    )
    fills: _Channels = Field(
        default=(),
        description='channels whose autofill is watched, as [1]: its state is recorded as "fill_1", and '
        '"fill_1_timeout" is 1 when it was given up because it took too long',
    )
    baud: Baud = Field(default=9600, description="as set on the instrument; 9600 where others read it")
    frame: Frame = Field(default="8N1", description="as set on the instrument; 8N1 where others read it")
    echo: bool = Field(default=True, description="false: something between takes the echo away already")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.channels)) < len(self.channels) or len(set(self.fills)) < len(self.fills):
            raise ValueError("a channel stands twice")
        return self


def decode(settings: LmSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one answer, without its echo, as level and unit as sent or as a fill's state; never raises."""
    if query is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    answer = frame.strip(b" \r")  # a carriage return strays before or after the text
    if query.key.startswith("level_"):
        match = _LEVEL.fullmatch(answer)
        if match is None:
            return (Bad(Reason.UNEXPECTED_REPLY, frame, query.key),)
        return (Measured(query.key, match[1].decode("ascii"), match[2].decode("ascii")),)
    if _FILL.fullmatch(answer) is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame, query.key),)
    timed_out = "1" if answer == b"Timeout" else "0"
    says = {b"Off": "off", b"Timeout": "timeout"}.get(answer, "filling")
    return (Measured(query.key, timed_out, "open"), Noted(query.key.removesuffix("_timeout"), says))


def _poll(settings: LmSettings) -> tuple[Query, ...]:
    levels = [Query(f"level_{n}", b"MEAS? %d\n" % n) for n in settings.channels]
    return (*levels, *(Query(f"fill_{n}_timeout", b"FILL? %d\n" % n) for n in settings.fills))


def _identify(settings: LmSettings, query: Query, frame: bytes) -> str | None:
    text = frame.decode("ascii", errors="replace").strip(" \r")
    if not re.fullmatch(r"[ -~]*LM-?5[01]0[ -~]*", text) or len(frame) > _REPLY_BYTES_MAX:
        return f'*IDN? was answered with "{text[:40]}", which names no LM-500 or LM-510'
    return None


DRIVER = SerialDriver(
    name="cryomagnetics_lm",
    version="1",
    title="Cryomagnetics LM-500 and LM-510 liquid level monitors",
    maturity=Maturity.SECOND_HAND,
    settings=LmSettings,
    # 5 s: one of the programs that read it waits so long.
    line=lambda s: Line(b"\n", _REPLY_BYTES_MAX, 5000, s.baud, s.frame, echoes=s.echo),
    poll=_poll,
    decode=decode,
    keys=lambda s: {q.key: "open" if q.key.startswith("fill_") else AS_SENT for q in _poll(s)},
    identity=lambda s: (Query("identity", b"*IDN?\n"),),
    identify=_identify,
    datasheet=DATASHEETS / "cryomagnetics_lm.toml",
    sources=("pyLabLib, Cryomagnetics/base.py", "CryoMagLevelMeter, and a LabRAD server for the LM-510"),
)
