"""What a driver is: a few constants and one pure function from bytes to values.

A driver opens nothing, waits for nothing, retries nothing and logs nothing: the port that owns it
does. It is published as one object named `DRIVER` under the entry-point group
`coldchain.drivers`, and the port never knows more of it than stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from coldchain.model import Decoded


class Maturity(StrEnum):
    """How sure we are that a driver reads its device as the device means it."""

    VENDOR_VECTORS = "verified against vendor vectors"
    SECOND_HAND = "from second-hand description"
    GENERIC = "generic format, stated by the site"


class Line(Struct, frozen=True):
    """How a serial device talks. `baud` None: not known, the configuration must say it."""

    terminator: bytes
    reply_bytes_max: int
    timeout_ms: int
    baud: int | None = None
    frame: str | None = None  # "8N1"; None: the configuration must say it


class Query(Struct, frozen=True):
    """One request; `key` names the quantity that the reply will carry."""

    key: str
    send: bytes


@dataclass(frozen=True, kw_only=True)
class SerialDriver:
    """A device on a serial line.

    settings: pydantic model of the driver's own settings (strict, unknown keys refused).
    line:     settings -> Line.
    poll:     settings -> the requests of one poll round; empty: the device speaks by itself.
    decode:   (settings, query or None, frame without its terminator) -> values; never raises.
    identity: settings -> request whose reply is checked on each connect, or None.
    identify: (settings, frame) -> None if it is the right device, else a sentence why not.
    keys:     settings -> every key this source can send, with its unit as sent ("" if none known).
    """

    name: str
    version: str
    title: str
    maturity: Maturity
    settings: type[BaseModel]
    line: Callable[[Any], Line]
    poll: Callable[[Any], tuple[Query, ...]]
    decode: Callable[[Any, Query | None, bytes], Decoded]
    keys: Callable[[Any], dict[str, str]]
    identity: Callable[[Any], Query | None] = lambda settings: None
    identify: Callable[[Any, bytes], str | None] = lambda settings, frame: None
    sends_time: Callable[[Any], bool] = lambda settings: False
    numbers_readings: Callable[[Any], bool] = lambda settings: False
    sources: tuple[str, ...] = field(default=())


@dataclass(frozen=True, kw_only=True)
class MqttDriver:
    """A payload format on a broker: the frame is a topic and a payload.

    topics: settings -> topic filters to subscribe.
    decode: (settings, topic, payload) -> values; never raises.
    """

    name: str
    version: str
    title: str
    maturity: Maturity
    settings: type[BaseModel]
    topics: Callable[[Any], tuple[str, ...]]
    decode: Callable[[Any, str, bytes], Decoded]
    keys: Callable[[Any], dict[str, str]]
    sends_time: Callable[[Any], bool] = lambda settings: False
    numbers_readings: Callable[[Any], bool] = lambda settings: False
    sources: tuple[str, ...] = field(default=())


Driver = SerialDriver | MqttDriver
