"""Chart/MVE TEC 3000 controller of vapour freezers (Thermo CryoExtra: the same commands).

Read-only by construction: what can be configured is one word that ends in "?". A monitor never
sends what calibrates (CALTA, CALTB), tests (HITSTA), mutes (ALMS 0) or sets (CALVL x), and never
CODE?, whose answer is the password in clear.

A reply carries neither address nor unit, so exactly one request may be under way on a bus and the
input is flushed before it; the unit is what the display shows and must be configured.
Sources: docs/drivers/mve_tec3000.md.
"""

from __future__ import annotations

import re

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers import DATASHEETS
from coldchain_drivers.lies import refusal, told
from coldchain_drivers.mve_settings import TecSettings

_IDENTITY = Query(key="identity", send=b"*IDN?")
_REPLY_BYTES_MAX = 80


def decode(settings: TecSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read one reply, without its line end, as the value that was asked for; never raises.

    Nothing but a whole reply of the expected form is a value: an echo, a torn line or another
    device's text is UNEXPECTED_REPLY.
    """
    pattern, unit = settings.by_key.get(query.key, (None, "")) if query else (None, "")
    if query is None or pattern is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    text = frame.decode("ascii", errors="replace")
    match = pattern.fullmatch(text) if len(frame) <= _REPLY_BYTES_MAX else None
    if match is None:  # a code may come in a form of its own, as "OPEN"
        reason = told(text, unit, settings.told_lies) or Reason.UNEXPECTED_REPLY
        return (Bad(reason, frame, query.key),)
    value = match["value"] or ""
    refused = refusal(value, unit, settings.told_lies)
    return (Measured(query.key, value, unit) if refused is None else Bad(refused, frame, query.key),)


def _poll(settings: TecSettings) -> tuple[Query, ...]:
    return tuple(Query(q.key, _addressed(settings, q.query.encode("ascii"))) for q in settings.queries)


def _identity(settings: TecSettings) -> tuple[Query, ...]:
    if not settings.ask_identity:
        return ()
    return (Query(_IDENTITY.key, _addressed(settings, _IDENTITY.send)),)


def _addressed(settings: TecSettings, command: bytes) -> bytes:
    address = b"" if settings.address is None else b"%03d " % settings.address
    return address + command + b"\r\n"


def _identify(settings: TecSettings, query: Query, frame: bytes) -> str | None:
    text = frame.decode("ascii", errors="replace")
    if len(frame) > _REPLY_BYTES_MAX or not re.fullmatch(settings.identity_pattern, text):
        return f'*IDN? was answered with "{text[:40]}", which is no name of this controller'
    if "IDN?" in text:
        return "*IDN? came back as it was sent: the line echoes; check the wiring (4-wire RS-485)"
    return None


DRIVER = SerialDriver(
    name="mve_tec3000",
    version="1",
    title="Chart/MVE TEC 3000 freezer controller (Thermo CryoExtra)",
    maturity=Maturity.SECOND_HAND,
    settings=TecSettings,
    # 3 s: the time-out in the script that this protocol was read from (docs/drivers/mve_tec3000.md).
    line=lambda s: Line(b"\r\n", _REPLY_BYTES_MAX, 3000, s.baud, s.frame),
    poll=_poll,
    decode=decode,
    keys=lambda s: {key: unit for key, (_, unit) in s.by_key.items()},
    identity=_identity,
    identify=_identify,
    secrets=(b"CODE?",),  # answered with the global password in clear (CryoExtra manual p. 71)
    datasheet=DATASHEETS / "mve_tec3000.toml",
    sources=(
        "check_mvetec.pl, icinga-plugins (in use against TEC 3000 through a Lantronix UDS1100)",
        "Thermo CryoExtra CE8100 manual, p. 71: Controller ASCII Interface",
    ),
)
