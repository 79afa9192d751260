"""Ruuvi tags through Ruuvi Gateways: the advertisement of the tag, relayed as it came, and read here.

One measurement is transmitted many times and heard by several gateways: a repeat is known by the tag and
its counter. A gateway publishes retained messages, so what comes at first may be old; it carries its time.
Sources: docs/drivers/ruuvi_gateway.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cached_property
from typing import Annotated, Self

from msgspec import Struct
from pydantic import AfterValidator, Field, model_validator

from coldchain.driver import Found, Maturity, MqttDriver, Reach
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.session import Now, Received, Session, Turn
from coldchain_drivers import DATASHEETS
from coldchain_drivers.presence import is_offline
from coldchain_drivers.ruuvi_formats import COLDEST, UNITS, WARMEST, Said, manufacturer_data, read
from coldchain_drivers.settings import Key, Strict
from coldchain_drivers.strict_json import NotJson, Object, load, walk
from coldchain_drivers.times import event_time_ms
from coldchain_drivers.topics import fault, pattern

#: Measurements remembered of each tag. Copies come within seconds of each other; a counter that began anew
#: is another measurement unless all its bytes are the same.
REMEMBERED = 8
_STATUS = "gw_status"
_MAC = re.compile(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}", re.ASCII)
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2}){4,255}", re.ASCII)


def _mac(text: str) -> str:
    if not _MAC.fullmatch(text):
        raise ValueError(f'"{text}" is no address of a tag; write it as "CB:B8:33:4C:88:4F"')
    return text.upper().replace("-", ":")


def _below(text: str) -> str:
    wrong = fault(text) or ("# would bring tags twice" if "#" in text else None)
    if wrong:
        raise ValueError(f'topic "{text}": {wrong}')
    return text


class Tag(Strict):
    """One tag."""

    name: Key = Field(description="keys of its values begin with it, as in fridge/temperature")
    mac: Annotated[str, AfterValidator(_mac)] = Field(
        description='its address, as "CB:B8:33:4C:88:4F"; the last two pairs are printed on the tag'
    )


class RuuviSettings(Strict):
    """Which tags, and under which topic their gateways publish."""

    tags: Annotated[tuple[Tag, ...], Field(strict=False, min_length=1)] = Field(
        description="the tags: a table of name and mac for each"
    )
    topic: Annotated[str, AfterValidator(_below)] = Field(
        default="ruuvi/+",
        description="what stands before the address of the tag: a gateway's own prefix, or ruuvi/+ for all",
    )

    @model_validator(mode="after")
    def _different(self) -> Self:
        for what in ("name", "mac"):
            if len({getattr(tag, what) for tag in self.tags}) < len(self.tags):
                raise ValueError(f"two tags have the same {what}")
        return self

    @cached_property
    def by_mac(self) -> dict[str, str]:
        """The name of each tag."""
        return {tag.mac: tag.name for tag in self.tags}

    @cached_property
    def form(self) -> re.Pattern[str]:
        """What comes before the last level of a topic."""
        return pattern(self.topic)


class Heard(Struct, frozen=True):
    """What was heard last of one tag: by which gateway, and the newest measurements."""

    gateway: str
    newest: tuple[bytes, ...] = ()


State = dict[str, Heard]  # by address; never changed in place


def take(settings: RuuviSettings, state: State, received: Received, now: Now) -> Turn:
    """One message: a measurement, a repeat of one, or the word that a gateway is gone."""
    before, _, last = received.topic.rpartition("/")
    if last == _STATUS:
        return _gateway(settings, state, before, received.payload)
    decoded, data = _read(settings, received.topic, received.payload)
    if data is None or (received.retained and data not in _newest(state, last)):
        return Turn(state, decoded)  # what is retained may be old: a live copy of it is still news
    heard = state.get(last.upper(), Heard(before))
    ignored = data in heard.newest or (data[0] == 6 and any(each[0] == 0xE1 for each in heard.newest))
    newest = heard.newest if ignored else (data, *heard.newest[: REMEMBERED - 1])
    return Turn(state | {last.upper(): Heard(before, newest)}, () if ignored else decoded)


def decode(settings: RuuviSettings, topic: str, payload: bytes) -> Decoded:
    """One message by itself; never raises."""
    if topic.rpartition("/")[2] == _STATUS:
        return ()
    return _read(settings, topic, payload)[0]


def _newest(state: State, address: str) -> tuple[bytes, ...]:
    heard = state.get(address.upper())
    return heard.newest if heard is not None else ()


def _gateway(settings: RuuviSettings, state: State, gateway: str, payload: bytes) -> Turn:
    """A gateway that is gone takes the tags with it that were last heard through it."""
    if not is_offline(payload):
        return Turn(state)
    lost = [mac for mac in settings.by_mac if mac in state and state[mac].gateway == gateway]
    said = tuple(
        Bad(Reason.OFFLINE, payload, f"{settings.by_mac[mac]}/{name}") for mac in lost for name in UNITS
    )
    return Turn({mac: heard for mac, heard in state.items() if mac not in lost}, said)


def _read(settings: RuuviSettings, topic: str, payload: bytes) -> tuple[Decoded, bytes | None]:
    """The values of one message, and the bytes that tell its measurement from another, or None."""
    before, _, last = topic.rpartition("/")
    name = settings.by_mac.get(last.upper())
    if name is None or not settings.form.fullmatch(before):
        return (Bad(Reason.UNEXPECTED_REPLY, payload),), None
    try:
        message = load(payload)
    except NotJson:
        return (Bad(Reason.CORRUPT_FRAME, payload),), None
    if not isinstance(message, Object):
        return (Bad(Reason.CORRUPT_FRAME, payload),), None
    sent = walk(message, ("data",))
    data = None
    if isinstance(sent, str) and _HEX.fullmatch(sent):
        data = manufacturer_data(bytes.fromhex(sent))
    said = None if data is None else read(data)
    if data is None or said is None:
        return (Bad(Reason.CORRUPT_FRAME, payload),), None
    if not _is_of(said.mac, last) or not _relays(message, before):
        return (Bad(Reason.WRONG_DEVICE, payload),), None
    at_ms = None
    stamp = message.get("ts")
    if stamp is not None or "ts" in message.twice:
        at_ms = event_time_ms(stamp, "epoch_s", None) if isinstance(stamp, str) else None
        if at_ms is None or "ts" in message.twice:
            bad = (Bad(Reason.BAD_TIME, payload, f"{name}/{key}") for key, _ in said.values)
            return tuple(bad), None
    return _values(name, said, at_ms, payload), data if said.sequence is not None else None


def _values(name: str, said: Said, at_ms: int | None, payload: bytes) -> Decoded:
    doubt = Reason.UNSTABLE if said.calibrating else None
    return tuple(
        Bad(value, payload, f"{name}/{key}", at_ms)
        if isinstance(value, Reason)
        else Measured(f"{name}/{key}", value, UNITS[key], at_ms, doubt=doubt)
        for key, value in said.values
    )


def _is_of(mac: bytes, topic: str) -> bool:
    """Whether the tag's own address is that of the topic, as far as it tells it."""
    return bytes.fromhex(topic.replace(":", "").replace("-", "")).endswith(mac)


def _relays(message: Object, before: str) -> bool:
    """Whether the gateway that names itself in the message is that of the topic, where both do."""
    said = message.get("gw_mac")
    told = before.rpartition("/")[2]
    if not _MAC.fullmatch(told) or "gw_mac" not in message:
        return True
    return isinstance(said, str) and said.upper().replace("-", ":") == told.upper().replace("-", ":")


def _topics(settings: RuuviSettings) -> tuple[str, ...]:
    return (*(f"{settings.topic}/{tag.mac}" for tag in settings.tags), f"{settings.topic}/{_STATUS}")


def find(heard: Mapping[str, bytes]) -> Found | None:
    """The tags whose advertisements were heard under the usual prefix, named by the pairs printed on them."""
    macs = sorted({last.upper() for topic in heard if _MAC.fullmatch(last := topic.rpartition("/")[2])})
    tags = [{"name": "tag-" + mac.replace(":", "")[-4:].lower(), "mac": mac} for mac in macs]
    return Found({"tags": tags}) if tags and len({tag["name"] for tag in tags}) == len(tags) else None


DRIVER = MqttDriver(
    name="ruuvi_gateway",
    version="1",
    title="Ruuvi tags through Ruuvi Gateways",
    maturity=Maturity.VENDOR_VECTORS,
    settings=RuuviSettings,
    topics=_topics,
    decode=decode,
    looks_at=("ruuvi/+/+",),
    find=find,
    session=Session(start=lambda settings: {}, take=take),
    keys=lambda s: {f"{tag.name}/{name}": unit for tag in s.tags for name, unit in UNITS.items()},
    reach=lambda s: {
        f"{tag.name}/temperature": Reach(COLDEST, WARMEST, "degC", "Ruuvi's formats end there")
        for tag in s.tags
    },
    sends_time=lambda settings: True,
    datasheet=DATASHEETS / "ruuvi_gateway.toml",
    sources=(
        "docs.ruuvi.com: Bluetooth advertisements, data formats 5, 6 and E1, with test vectors",
        "docs.ruuvi.com: MQTT, time-stamped data from Bluetooth sensors",
    ),
)
