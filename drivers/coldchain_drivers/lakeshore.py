"""Lake Shore temperature monitors and controllers: kelvin, and only with a status that says valid.

The number alone lies: an unused input of a 218 reads +480.00 or +01.000. So each value is asked for
between two looks at its status, and is one only if both say valid.
Read-only by construction: the module can form `*IDN?`, `KRDG?` and `RDGST?`.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, Field, model_validator

from coldchain.driver import Line, Maturity, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.units import exact
from coldchain_drivers import DATASHEETS
from coldchain_drivers.lakeshore_models import MODELS, Model
from coldchain_drivers.settings import Baud, Frame, Strict

#: Terminator of every answer of every model.
_END = b"\r\n"
#: 218 manual: 50 ms after an answer, and 100 ms where the instrument still locks up.
_PAUSE_MS = 50

# Seen: "+480.00", "+01.000". Always with sign and decimals, so that a list or a torn number is no value.
_KELVIN = re.compile(rb"[+-]\d{1,4}\.\d{1,6}(?:E[+-]\d{1,2})?")
_STATUS = re.compile(rb"\d{3}")
_InputName = Annotated[str, Field(pattern=r"^([A-D][0-9]?|[0-9]{1,2})$")]


def _model(name: str) -> str:
    if name not in MODELS:
        raise ValueError(f'no model "{name}"; write one of {", ".join(MODELS)}')
    return name


class LakeShoreSettings(Strict):
    """Settings of one instrument."""

    model: Annotated[str, AfterValidator(_model)] = Field(
        description="the number on its front, as text: " + ", ".join(MODELS) + ". Their status bits differ"
    )
    inputs: Annotated[tuple[_InputName, ...], Field(strict=False)] = Field(
        min_length=1,
        description='the inputs that have a probe, as text: ["1", "2"], ["A", "C3"]; the key of each is '
        '"input_1", "input_C3". One without a probe shows a temperature, too, so none is read by default',
    )
    baud: Baud | None = Field(
        default=None,
        description="bits per second, where the model has no fixed rate: as set on the instrument",
    )
    frame: Frame | None = Field(
        default=None, description="bits, parity, stop bits, where no source states them for the model"
    )
    serial_number: str | None = Field(
        default=None,
        pattern=r"^[!-+\--~]{1,20}$",
        description="third part of its answer to *IDN?; another instrument in its place is then never read",
    )
    pause_ms: Annotated[int, Field(ge=_PAUSE_MS, le=1000)] = Field(
        default=_PAUSE_MS, description="rest after each answer, in ms; 100 if the instrument locks up"
    )

    @model_validator(mode="after")
    def _fits_the_model(self) -> Self:
        known = self.about.inputs
        unknown = [name for name in self.inputs if known and name not in known]
        if unknown:
            raise ValueError(f"model {self.model} has no input {unknown[0]}; it has {', '.join(known)}")
        if len(set(self.inputs)) < len(self.inputs):
            raise ValueError("an input stands twice in inputs")
        for name in ("baud", "frame"):
            fixed, given = getattr(self.about, name), getattr(self, name)
            if fixed is not None and given not in {None, fixed}:
                raise ValueError(f"model {self.model} talks at {name} {fixed}; leave out {name}")
        return self

    @cached_property
    def about(self) -> Model:
        """What is known of the model."""
        return MODELS[self.model]


def decode(settings: LakeShoreSettings, query: Query | None, frame: bytes) -> Decoded:
    """Read status, kelvin, status as one value or the reason why it is none; never raises."""
    if query is None:
        return (Bad(Reason.UNEXPECTED_REPLY, frame),)
    return (_read(settings.about, query.key, frame),)


def _read(model: Model, key: str, frame: bytes) -> Measured | Bad:
    match frame.split(_END):
        case [before, number, after] if (
            _STATUS.fullmatch(before) and _STATUS.fullmatch(after) and _KELVIN.fullmatch(number)
        ):
            fault = model.fault(int(before)) or model.fault(int(after))
            if fault is not None:
                return Bad(fault, frame, key)
            text = number.decode("ascii")
            kelvin = exact(text)
            if kelvin is None or kelvin <= 0:  # nothing is as cold: some models show it where nothing is
                return Bad(Reason.SENSOR_FAULT, frame, key)
            return Measured(key, text, "K")
        case _:
            return Bad(Reason.UNEXPECTED_REPLY, frame, key)


def _poll(settings: LakeShoreSettings) -> tuple[Query, ...]:
    return tuple(_question(settings.about, name) for name in settings.inputs)


def _question(model: Model, name: str) -> Query:
    which = b"" if model.single else b" " + name.encode("ascii")
    status = b"RDGST?" + which + model.end
    return Query(f"input_{name}", status, then=(b"KRDG?" + which + model.end, status))


def _line(settings: LakeShoreSettings) -> Line:
    model = settings.about
    return Line(
        _END,
        80,
        2000,  # the vendor's own driver waits as long
        model.baud or settings.baud,
        model.frame or settings.frame,
        pause_ms=settings.pause_ms,
    )


def _identify(settings: LakeShoreSettings, query: Query, frame: bytes) -> str | None:
    text = frame.decode("ascii", errors="replace")
    match = re.fullmatch(rf"LSCI,MODEL{settings.model}[A-Z]?,([^,]{{1,20}}),[^,]{{1,20}}", text, re.ASCII)
    if match is None:
        return f'*IDN? was answered with "{text[:40]}", which is no Lake Shore {settings.model}'
    if settings.serial_number not in {None, match[1]}:
        return f'its serial number is "{match[1]}", and the settings say "{settings.serial_number}"'
    return None


DRIVER = SerialDriver(
    name="lakeshore",
    version="1",
    title="Lake Shore temperature monitors and controllers (211, 218, 224, 240, 33x, 34x, 350)",
    maturity=Maturity.VENDOR_DOCUMENT,
    settings=LakeShoreSettings,
    line=_line,
    poll=_poll,
    decode=decode,
    keys=lambda s: {f"input_{name}": "K" for name in s.inputs},
    identity=lambda s: (Query("identity", b"*IDN?" + s.about.end),),
    identify=_identify,
    datasheet=DATASHEETS / "lakeshore.toml",
    sources=(
        "Lake Shore 218/218S manual pp. 69-89; manuals of 211, 332, 340: RDGST?",
        "Lake Shore's own Python driver (MIT): line settings, status bits of 224, 240, 335, 336, 350",
    ),
)
