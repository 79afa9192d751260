"""Datasheets: what is known of a device, from whom, and what it says in which case. Open data.

A driver names its datasheet, a TOML file beside it. Nothing of it is needed to read the device:
the driver's page in the docs is written from it, and the conformance suite
(`coldchain.testing.conformance`) holds the driver to each of its vectors.
"""

from __future__ import annotations

import tomllib
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from coldchain.driver import Driver
from coldchain.model import Reason

#: From whom a fact is: `vendor` (its manual, specification or own code), `second_hand` (other people's code
#: and notes), `measured` (tried or computed by us), `ours` (an example of our own), `background` (general
#: knowledge, not confirmed).
Origin = Literal["vendor", "second_hand", "measured", "ours", "background"]
Words = Annotated[str, Field(min_length=1)]


class DatasheetError(Exception):
    """A datasheet cannot be used; the message names file, place and mend."""


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)


class Cited(_Part):
    """A source: where it can be found, what is taken from it, and how near it is to the vendor."""

    text: Words
    origin: Origin


class Unknown(_Part):
    """What no source tells, and the setting that therefore has no default and asks for it."""

    setting: Words
    what: Words


class Told(_Part):
    """Who tells the unit of these keys ("*": of all). A unit that nobody tells is never guessed.

    by: `frame` (the device sends it), `request` (we ask for that unit), `format` (the format has no other),
    `settings` (the site states it); several: the first that does.
    codes: how the device spells units that we know by another token.
    """

    keys: tuple[Words, ...] = Field(strict=False, min_length=1)
    by: tuple[Literal["frame", "request", "format", "settings"], ...] = Field(strict=False, min_length=1)
    codes: dict[str, str] = Field(default={})
    note: str = ""


class Says(_Part):
    """What a driver reads: `value` with `unit`, a refusal (`bad`), or a `text` that nothing judges."""

    key: str | None = None
    value: str | None = None
    unit: str = ""
    bad: Annotated[Reason, Field(strict=False)] | None = None
    text: str | None = None
    doubt: Annotated[Reason, Field(strict=False)] | None = None
    at_ms: int | None = None
    sequence: int | None = None
    history: bool = False

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(each is not None for each in (self.value, self.bad, self.text)) != 1:
            raise ValueError("give exactly one of value (with key and unit), bad, text (with key)")
        if self.bad is None and self.key is None:
            raise ValueError("a value or a text needs its key")
        return self


class Vector(_Part):
    """What comes from the device, and what must be read of it.

    name:     why the row exists.
    asked:    the key of the question that it answers; left out: nobody asked.
    frame:    one reply as text (a byte is a character, U+00FF at most), `frames` several of one question,
              `hex` either of them as hex digits. Without terminators.
    topic, payload: a message of a broker instead; `hex` for a payload that is no text.
    settings: what differs from the settings of the example; `without`: what is left out of them.
    lie:      which row of the table of lies this is, as "ds18b20.open"; `reads_as` what it would read as.
    about:    `address` (another device's frame), `damage` (a frame that was changed on the way).
    checked:  false: this one carries no checksum, though others of the device do.
    """

    name: Words
    origin: Origin
    asked: str | None = None
    frame: str | None = None
    frames: tuple[str, ...] = Field(default=(), strict=False)
    hex: str | None = None
    topic: str | None = None
    payload: str | None = None
    settings: dict[str, Any] = Field(default={})
    without: tuple[str, ...] = Field(default=(), strict=False)
    lie: str = ""
    reads_as: str = ""
    about: Literal["", "address", "damage"] = ""
    checked: bool = True
    says: tuple[Says, ...] = Field(strict=False)

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        forms = (self.frame, self.hex, self.payload, self.frames or None)
        if sum(form is not None for form in forms) != 1:
            raise ValueError("give exactly one of frame, frames, hex, payload")
        _ = self.parts
        return self

    @property
    def changes(self) -> dict[str, Any]:
        """What differs from the settings of the example; None: left out."""
        return self.settings | dict.fromkeys(self.without)

    @cached_property
    def parts(self) -> tuple[bytes, ...]:
        """The replies, or the payload, as bytes. ValueError for a sign that is no byte."""
        if self.hex is not None:
            return (bytes.fromhex(self.hex),)
        if self.payload is not None:
            return (self.payload.encode("utf-8"),)
        texts = self.frames if self.frame is None else (self.frame,)
        return tuple(text.encode("latin-1") for text in texts)


class Identity(_Part):
    """What a device answers to an identity request, and whether it is the right one.

    asked: the request's key; left out: the first one's. `frame` or `hex`: as of a vector.
    """

    name: Words
    origin: Origin
    asked: str | None = None
    frame: str = ""
    hex: str = ""
    right: bool

    @property
    def reply(self) -> bytes:
        """The reply as bytes."""
        return bytes.fromhex(self.hex) if self.hex else self.frame.encode("latin-1")


class Usb(_Part):
    """USB identities (hex digits) of the device itself, not of an adapter before it."""

    vendor: Annotated[str, Field(pattern=r"^[0-9A-F]{4}$")]
    product: Annotated[str, Field(pattern=r"^[0-9A-F]{4}$")] | None = None
    what: Words


class Attempt(_Part):
    """One way in which `coldchain probe` asks whether it is this device; it can send what the driver can.

    settings: the driver's. What is proved by an answer to them stands in the configuration that is proposed.
    trial:    more of them, without which the device cannot be read and which no answer proves: the site is
              asked for each.
    each:     the name of a list among the settings (inputs, points): each is asked by itself, and those that
              give a value are proposed.
    listen_s: how long a device that speaks by itself is heard.
    """

    settings: dict[str, Any] = Field(default={})
    trial: dict[str, Any] = Field(default={})
    each: str = ""
    listen_s: Annotated[float, Field(gt=0, le=60)] = 3.0


class Datasheet(_Part):
    """Everything that is known of a device and is not needed to read it.

    summary:   one or two sentences: what it reads, and for whom.
    writes:    what the driver sends, and why it can send nothing that changes the device.
    wiring, protocol, notes: in Markdown, below headings of their own.
    checked:   frames carry a checksum: a frame with one changed byte is never a value.
    addressed: frames name their sender: another device's is never a value.
    numbers:   `as_sent` (the text of each value stands in its frame), or `computed` of bytes.
    probe:     the ways in which `coldchain probe` asks for it, the likely one first; none: it cannot be told.
    example:   the tables of a gateway.toml, from source to asset.
    """

    summary: Words
    writes: Words
    wiring: Words
    protocol: str = ""
    notes: str = ""
    checked: bool = False
    addressed: bool = False
    numbers: Literal["as_sent", "computed"] = "as_sent"
    sources: tuple[Cited, ...] = Field(strict=False, min_length=1)
    unknown: tuple[Unknown, ...] = Field(default=(), strict=False)
    units: tuple[Told, ...] = Field(strict=False, min_length=1)
    usb: tuple[Usb, ...] = Field(default=(), strict=False)
    probe: tuple[Attempt, ...] = Field(default=(), strict=False)
    vectors: tuple[Vector, ...] = Field(strict=False, min_length=1)
    identities: tuple[Identity, ...] = Field(default=(), strict=False)
    example: Words

    @cached_property
    def example_tables(self) -> dict[str, Any]:
        """The example, parsed."""
        return tomllib.loads(self.example)

    @property
    def example_settings(self) -> dict[str, Any]:
        """The driver's own settings in the example."""
        (source,) = self.example_tables["sources"].values()
        settings = source.get("settings", {})
        assert isinstance(settings, dict)
        return settings


def read_datasheet(driver: Driver) -> Datasheet:
    """The datasheet of a driver. Raises DatasheetError."""
    path = driver.datasheet
    if path is None:
        raise DatasheetError(
            f"driver {driver.name} names no datasheet; write datasheet=Path(…) where it is made"
        )
    try:
        return Datasheet.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise DatasheetError(f"{path}: cannot be read: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise DatasheetError(f"{path.name}: is no TOML: {error}") from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"]) or "the whole file"
        said = first["msg"].removeprefix("Value error, ")
        raise DatasheetError(f"{path.name}: {place}: {said} ({error.error_count()} in all)") from error
