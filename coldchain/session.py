"""What a stateful protocol remembers between its messages, as values.

Most formats need none of this: one message, read by itself, is a value or it is not. Some do not say
enough in one message (Sparkplug names its metrics once, at birth), repeat themselves (a tag that
several gateways hear), or want an answer (a host that says it is there). Their driver has a `Session`:
functions from a state and something that happened to a new state, the values read, and what should be
published. So the driver stays pure; the port keeps the state, owns the connection and the timers, and
publishes. The state is any immutable value; the port never looks inside.

A state is taken over only together with the facts of its message: a message that found no room and
comes again meets the state that it met the first time. States live as long as the port and are on no
disk, so `start` must be a state from which everything can be learned again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from coldchain.model import Decoded


class Now(Struct, frozen=True):
    """When something happens. `utc_ms`: the wall clock, for what is published; `boot_ms` never steps."""

    utc_ms: int
    boot_ms: int


class Received(Struct, frozen=True):
    """One message. `retained`: the broker kept it, nobody knows for how long."""

    topic: str
    payload: bytes
    retained: bool = False


class Publication(Struct, frozen=True):
    """One message to publish. `qos` is 0 or 1."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


class Turn(Struct, frozen=True):
    """What follows from something that happened: the next state, values read, messages to publish."""

    state: Any
    decoded: Decoded = ()
    publish: tuple[Publication, ...] = ()


def _silent(_settings: Any, state: Any, _now: Now) -> Turn:
    return Turn(state)


@dataclass(frozen=True, kw_only=True)
class Session:
    """The functions of a stateful protocol; none of them raises.

    start:   settings -> the state in which nothing is known.
    take:    a message came -> turn. The driver's `decode` is not called then.
    will:    settings, time of CONNECT -> what the broker publishes for us when we are gone without a word.
             There is one will a connection, so two sources with one need two connections.
    opened:  the connection stands, everything is subscribed -> turn. The time is that of `will`.
    closing: we are about to leave in order -> what to publish before.
    due_ms:  state -> boot time at which `fire` is wanted, or None.
    fire:    that time has come -> turn.
    clean:   the protocol wants a session that the broker forgets (`clean_session = true`).
    """

    start: Callable[[Any], Any]
    take: Callable[[Any, Any, Received, Now], Turn]
    will: Callable[[Any, Now], Publication | None] = lambda settings, now: None
    opened: Callable[[Any, Any, Now], Turn] = _silent
    closing: Callable[[Any, Any, Now], tuple[Publication, ...]] = lambda settings, state, now: ()
    due_ms: Callable[[Any], int | None] = lambda state: None
    fire: Callable[[Any, Any, Now], Turn] = _silent
    clean: bool = False
