"""Settings of `mqtt_json`: which value stands where in which message."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StrictBool, StrictFloat, StrictInt, StrictStr, model_validator

from coldchain.model import Reason
from coldchain.units import exact
from coldchain_drivers.lies import Lie
from coldchain_drivers.settings import LIES_HELP, FailureReason, LieChoices, Strict, UnitToken, lies_of
from coldchain_drivers.strict_json import Number, Path, path_of
from coldchain_drivers.times import TimeFormat, ZoneName
from coldchain_drivers.topics import fault, has_wildcard, pattern

Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


def _is_path(text: str) -> str:
    path_of(text)
    return text


PathText = Annotated[str, Field(max_length=200), AfterValidator(_is_path)]
Device = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]


def same(sent: object, told: object) -> bool:
    """Whether a JSON value is the one that the settings name: true is not 1, and 1.0 is 1."""
    if isinstance(sent, Number):
        number = exact(sent)  # what is no number in the settings reads as none: True, '1'
        return number is not None and number == exact(repr(told))
    return type(sent) is type(told) and sent == told


class BadWhen(Strict):
    """A JSON value by which a device says that it has none."""

    value: Scalar = Field(
        description='the value as sent: a text, a number, true or false, as "----" or -9999'
    )
    reason: FailureReason = Field(description="what it means, as in lies")


class Check(Strict):
    """Something that each message must carry, or it is another device's."""

    path: PathText = Field(description="where it stands")
    value: Scalar = Field(description="what must stand there")


class MappingSetting(Strict):
    """One quantity: in which messages, and where in them."""

    key: str = Field(
        pattern=r"^([A-Za-z0-9_]|\{device\})([A-Za-z0-9_./-]|\{device\}){0,63}$",
        description="name of the quantity; channels refer to it. With devices: has {device} in it",
    )
    topic: str = Field(description="topic, or filter with + and #. With devices: has {device} in it")
    devices: Annotated[tuple[Device, ...], Field(strict=False)] = Field(
        default=(),
        description="one mapping for several alike devices: {device} in key and topic stands for each",
    )
    same_device: bool = Field(
        default=False,
        description="every topic that a filter with + or # matches is this same quantity of this same device",
    )
    path: PathText = Field(
        description='where the value stands: a.b[0].c, a."key with dots"; "" is the whole payload'
    )
    unit: UnitToken | None = Field(default=None, description="unit of the value; this or unit_path is needed")
    unit_path: PathText | None = Field(default=None, description="where the unit stands in the payload")
    time_path: PathText | None = Field(
        default=None, description="where the device's own time stands; left out: it sends none"
    )
    time_format: TimeFormat | None = Field(
        default=None,
        description="epoch_s, epoch_ms, iso8601 (with Z or offset), or iso8601_local (needs zone)",
    )
    zone: ZoneName | None = Field(
        default=None, description='for iso8601_local alone: "+08:00" or "Europe/Berlin"'
    )
    sequence_path: PathText | None = Field(default=None, description="where the device's counter stands")
    quality_path: PathText | None = Field(
        default=None, description="where the device says what the value is worth"
    )
    quality_good: Annotated[tuple[Scalar, ...], Field(strict=False)] = Field(
        default=(), description="what stands there for a good value; what is in neither list is bad"
    )
    quality_doubt: Annotated[tuple[Scalar, ...], Field(strict=False)] = Field(
        default=(), description="what stands there for a value not to be relied on"
    )
    bad_when: Annotated[tuple[BadWhen, ...], Field(strict=False)] = Field(
        default=(), description="values that mean no value: a table of value and reason; null always does"
    )
    lies: LieChoices = Field(default=(), description="as lies of the source, for this quantity alone")
    text_numbers: bool = Field(default=False, description='whether a number may come as a text, as "-182.4"')
    optional: bool = Field(
        default=False, description="a message without the value is no fault, as with messages of changes"
    )

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        wrong = fault(self.topic.replace("{device}", "d"))
        if wrong:
            raise ValueError(f'topic "{self.topic}": {wrong}')
        if len({bool(self.devices), "{device}" in self.topic, "{device}" in self.key}) > 1:
            raise ValueError("devices, and {device} in both key and topic, go together")
        if has_wildcard(self.topic) and not self.same_device:
            raise ValueError(
                f'topic "{self.topic}" may match several devices, whose values would mix under one key; '
                "write {device} and devices, or same_device = true if it is always the same one"
            )
        if (self.unit is None) is (self.unit_path is None):
            raise ValueError("give either unit or unit_path: a unit is never guessed")
        if (self.time_path is None) is not (self.time_format is None):
            raise ValueError("time_path and time_format go together")
        if (self.zone is not None) is not (self.time_format == "iso8601_local"):
            raise ValueError("iso8601_local needs zone, and no other format has one: a zone is never guessed")
        if (self.quality_path is None) is not (not self.quality_good):
            raise ValueError("quality_path and quality_good go together")
        return self


@dataclass(frozen=True, slots=True)
class Mapping:
    """A mapping made ready: paths as steps, one device, one filter."""

    key: str
    topic: str
    path: Path
    unit: str
    unit_path: Path | None
    time_path: Path | None
    time_format: TimeFormat
    zone: str | None
    sequence_path: Path | None
    quality_path: Path | None
    quality_good: tuple[object, ...]
    quality_doubt: tuple[object, ...]
    bad_when: tuple[tuple[object, Reason], ...]
    lies: tuple[Lie, ...]
    text_numbers: bool
    optional: bool


class MqttSettings(Strict):
    """Which messages of a broker are readings."""

    mappings: Annotated[tuple[MappingSetting, ...], Field(strict=False, min_length=1)] = Field(
        description="the quantities: a table of key, topic, path, unit and more"
    )
    expect: Annotated[tuple[Check, ...], Field(strict=False)] = Field(
        default=(),
        description="what each message must carry, as the device's own id: else it is another device's",
    )
    simulated: bool = Field(
        default=False,
        description='accept messages that say "simulated": true of themselves; else they are refused',
    )
    payload_bytes_max: Annotated[int, Field(ge=1, le=1_048_576)] = Field(
        default=65_536, description="a longer message is refused unread"
    )
    lies: LieChoices = Field(default=(), description=LIES_HELP)

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        keys = [mapping.key for mapping in self.ready]
        if len(set(keys)) < len(keys):
            raise ValueError("two mappings have the same key")
        for name in ("time_path", "sequence_path"):
            if len({getattr(mapping, name) is None for mapping in self.mappings}) > 1:
                raise ValueError(
                    f"{name} is given for some mappings and not for others; make two sources of them"
                )
        return self

    @cached_property
    def ready(self) -> tuple[Mapping, ...]:
        """Every mapping, once for each of its devices."""
        return tuple(
            _made(self, mapping, device) for mapping in self.mappings for device in mapping.devices or ("",)
        )

    @cached_property
    def checks(self) -> tuple[tuple[Path, object], ...]:
        """What each message must carry, and where."""
        return tuple((path_of(check.path), check.value) for check in self.expect)

    @cached_property
    def _by_topic(self) -> tuple[dict[str, list[Mapping]], list[tuple[re.Pattern[str], Mapping]]]:
        """Mappings by exact topic, so that thousands cost no more than one, and those with wildcards."""
        exactly: dict[str, list[Mapping]] = {}
        for mapping in self.ready:
            if not has_wildcard(mapping.topic):
                exactly.setdefault(mapping.topic, []).append(mapping)
        return exactly, [(pattern(m.topic), m) for m in self.ready if has_wildcard(m.topic)]

    def mapped(self, topic: str) -> list[Mapping]:
        """The mappings that messages of this topic are read by."""
        exactly, wild = self._by_topic
        return exactly.get(topic, []) + [mapping for form, mapping in wild if form.fullmatch(topic)]


def _made(settings: MqttSettings, m: MappingSetting, device: str) -> Mapping:
    def steps(text: str | None) -> Path | None:
        return None if text is None else path_of(text)

    return Mapping(
        key=m.key.replace("{device}", device),
        topic=m.topic.replace("{device}", device),
        path=path_of(m.path),
        unit=m.unit or "",
        unit_path=steps(m.unit_path),
        time_path=steps(m.time_path),
        time_format=m.time_format or "epoch_ms",
        zone=m.zone,
        sequence_path=steps(m.sequence_path),
        quality_path=steps(m.quality_path),
        quality_good=m.quality_good,
        quality_doubt=m.quality_doubt,
        bad_when=tuple((entry.value, Reason(entry.reason)) for entry in m.bad_when),
        lies=lies_of(m.lies, settings.lies),
        text_numbers=m.text_numbers,
        optional=m.optional,
    )
