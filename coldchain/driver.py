"""What a driver is: a few constants and one pure function from bytes to values.

A driver opens nothing, waits for nothing, retries nothing and logs nothing: the port that owns it
does. It is published as one object named `DRIVER` under the entry-point group
`coldchain.drivers`, and the port never knows more of it than stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from msgspec import Struct
from pydantic import BaseModel

from coldchain.model import Decoded
from coldchain.session import Publication, Session

#: In `keys` of a driver: each value comes with the unit that the device sent with it, whichever that is.
AS_SENT = "as sent"


class Maturity(StrEnum):
    """How sure we are that a driver reads its device as the device means it."""

    VENDOR_VECTORS = "verified against vendor vectors"
    VENDOR_DOCUMENT = "from the vendor's own document, which has no vectors"
    SECOND_HAND = "from second-hand description"
    SIMULATED = "simulated only"
    GENERIC = "generic format, stated by the site"


class Line(Struct, frozen=True):
    """How a serial device talks. `baud` None: not known, the configuration must say it.

    A frame ends at its `terminator`; where that is b"", `size` tells from the beginning of a frame how
    many bytes it has in all, None as long as that cannot be told. What has no size ends with the time-out.

    terminator: is no part of the frame. What ends a request stands in the request: the two ways may differ.
    reply_bytes_max: the longest frame, without its terminator.
    timeout_ms: how long a reply may take.
    frame:    as "8N1"; None: the configuration must say it.
    answers:  (request, frame) -> whether a frame can be the reply to a request, for protocols whose replies
              repeat something of it; None: nothing tells.
    numbered: (request, number) -> the request with this number, for protocols whose replies repeat it
              (Modbus TCP). A frame that does not answer is then no reply at all, and nothing waits for it.
    pause_ms: the rest that the device wants between its reply and the next request.
    echoes:   the device sends each request back before it answers, on a line of its own or on the same;
              the port takes the echo away, and what comes without it answers nothing.
    padding:  single bytes that may stand between two frames and belong to none.
    """

    terminator: bytes
    reply_bytes_max: int
    timeout_ms: int
    baud: int | None = None
    frame: str | None = None
    size: Callable[[bytes], int | None] | None = None
    answers: Callable[[bytes, bytes], bool] | None = None
    numbered: Callable[[bytes, int], bytes] | None = None
    pause_ms: int = 0
    echoes: bool = False
    padding: bytes = b""


class Query(Struct, frozen=True):
    """One question; `key` names the quantity that the reply will carry.

    each_round: of an identity request: it is asked again before each round, and no value is taken unless
                its reply is right. For settings of the device by which its numbers would mean something else.
    then:       further requests of the same question, sent one after the other. Only when each has its reply
                is there an answer: `decode` gets the replies in one piece, joined by the line's terminator
                (which stands in no frame, so they come apart again without doubt).
    """

    key: str
    send: bytes
    each_round: bool = False
    then: tuple[bytes, ...] = ()


class Reach(Struct, frozen=True):
    """How far a device can see of a quantity: two numbers with their unit, and why not beyond.

    At its ends a device that is too warm, too cold or broken says the same, so the ends are no values.
    """

    low: str
    high: str
    unit: str
    why: str


@dataclass(frozen=True, kw_only=True)
class SerialDriver:
    """A device on a serial line.

    settings: pydantic model of the driver's own settings (strict, unknown keys refused).
    line:     settings -> Line.
    poll:     settings -> the requests of one poll round; empty: the device speaks by itself.
    decode:   (settings, query or None, frame without its terminator) -> values; never raises.
    identity: settings -> the requests whose replies are checked on each connect.
    identify: (settings, identity request, frame) -> None if it is the right device, else a sentence why not.
    devices:  model of the data files that `settings` may name under `device`, for drivers of many devices;
              each has a `title` and says `how_sure` (a Maturity) it is.
    keys:     settings -> every key this source can send, with the unit that it means; AS_SENT where each
              value carries its own, "" where none is known.
    reach:    settings -> for keys whose device ends somewhere: where, so that nobody watches a limit beyond.
    secrets:  requests whose answers are a secret (a password in clear), as they stand on the line. The driver
              asks none of them; who else is on the line may, and its answer is then kept nowhere.
    datasheet: the file of what is known of the device and from where (coldchain.datasheet).
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
    identity: Callable[[Any], tuple[Query, ...]] = lambda settings: ()
    identify: Callable[[Any, Query, bytes], str | None] = lambda settings, query, frame: None
    reach: Callable[[Any], Mapping[str, Reach]] = lambda settings: {}
    devices: type[BaseModel] | None = None
    sends_time: Callable[[Any], bool] = lambda settings: False
    numbers_readings: Callable[[Any], bool] = lambda settings: False
    secrets: tuple[bytes, ...] = ()
    sources: tuple[str, ...] = field(default=())
    datasheet: Path | None = None


class Found(Struct, frozen=True):
    """What a driver makes of messages that somebody else asked for: the settings that would read them.

    open:  settings that no message tells, and what each is; they stay out of `settings`.
    trial: for these, values by which the messages can be read all the same, to show what is there.
    now:   value and unit of keys, where one message alone does not tell them.
    notes: what else was seen and could not be proposed, a sentence each.
    """

    settings: dict[str, Any]
    open: dict[str, str] = {}
    trial: dict[str, Any] = {}
    now: dict[str, tuple[str, str]] = {}
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MqttDriver:
    """A payload format on a broker: the frame is a topic and a payload.

    topics:  settings -> topic filters to subscribe.
    decode:  (settings, topic, payload) -> values; never raises.
    session: what it remembers between messages, for protocols that need it; None: each stands alone.
    reach:   as of a serial driver.
    looks_at: the topic filters by which its devices can be found on a broker nobody has described.
    find:    newest payload of each topic heard -> what it would read of it; None: nothing.
    asks:    the same, and UTC in ms -> what the driver publishes in service so that devices say who they are;
             published only where a person wants it.
    """

    name: str
    version: str
    title: str
    maturity: Maturity
    settings: type[BaseModel]
    topics: Callable[[Any], tuple[str, ...]]
    decode: Callable[[Any, str, bytes], Decoded]
    keys: Callable[[Any], dict[str, str]]
    session: Session | None = None
    reach: Callable[[Any], Mapping[str, Reach]] = lambda settings: {}
    looks_at: tuple[str, ...] = ()
    find: Callable[[Mapping[str, bytes]], Found | None] = lambda heard: None
    asks: Callable[[Mapping[str, bytes], int], tuple[Publication, ...]] = lambda heard, utc_ms: ()
    sends_time: Callable[[Any], bool] = lambda settings: False
    numbers_readings: Callable[[Any], bool] = lambda settings: False
    sources: tuple[str, ...] = field(default=())
    datasheet: Path | None = None


Driver = SerialDriver | MqttDriver
