"""A Sparkplug host application as a function: births, deaths, order, and asking for a rebirth.

A birth names each metric once, with its datatype and perhaps a number for it (alias); from then on data may
carry the number alone. So data without its birth says nothing, and a number of a birth that was missed would
give one probe's value to another. The messages of a node are numbered; after a gap nothing is read until what
is missing comes, or the node was born again.
Source: Eclipse Sparkplug specification 3.0, chapters "Operational Behavior" and "Topics".
"""

from __future__ import annotations

import json
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.session import Now, Publication, Received, Turn
from coldchain_drivers.presence import is_offline
from coldchain_drivers.sparkplug_payload import Metric, NotPayload, Payload, Type, read, write
from coldchain_drivers.sparkplug_settings import MetricSetting, Node, SparkplugSettings
from coldchain_drivers.sparkplug_values import value_of
from coldchain_drivers.strict_json import NotJson, load, walk

REBIRTH = "Node Control/Rebirth"
#: No node is asked for a rebirth more often. Judgement: a node that hears it answers within seconds.
ASK_AGAIN_MS = 10_000
#: Messages held for one that is missing; the counter has 256 values.
HELD_MAX = 256


class Born(Struct, frozen=True):
    """What a birth said of one metric."""

    device: str
    name: str
    datatype: int | None
    unit: str


class Held(Struct, frozen=True):
    """A message that came before one that is missing."""

    seq: int
    kind: str
    device: str
    payload: Payload
    frame: bytes


class Known(Struct, frozen=True):
    """What is known of one edge node.

    seq: of the last message that was read; None: it was not born since we listen, or must be again.
    late_ms: boot time at which a missing message is waited for no longer.
    asked_ms: boot time at which a rebirth was last asked for.
    """

    seq: int | None = None
    bd_seq: int | None = None
    names: dict[tuple[str, str], Born] = {}
    aliases: dict[int, Born] = {}
    devices: frozenset[str] = frozenset()
    held: tuple[Held, ...] = ()
    late_ms: int | None = None
    asked_ms: int | None = None


class State(Struct, frozen=True):
    """The host: since when it is there (UTC), and what it knows of each node."""

    born_ms: int | None = None
    nodes: dict[Node, Known] = {}


class _Said(NamedTuple):
    known: Known
    decoded: Decoded
    ask: bool = False


def state_topic(settings: SparkplugSettings) -> str:
    """Where we say that we are there."""
    return f"spBv1.0/STATE/{settings.host_id}"


def presence_of(settings: SparkplugSettings, utc_ms: int, *, online: bool) -> Publication:
    """Our birth or death as a host: retained, so that who comes later knows it too."""
    said = json.dumps({"online": online, "timestamp": utc_ms}).encode("ascii")
    return Publication(state_topic(settings), said, 1, True)


def rebirth(node: Node, utc_ms: int) -> Publication:
    """The command to be born again: the one thing that we ever send to an edge node."""
    metric = Metric(REBIRTH, None, utc_ms, Type.BOOLEAN, raw=1)
    return Publication(f"spBv1.0/{node[0]}/NCMD/{node[1]}", write(Payload(utc_ms, (metric,))))


def opened(settings: SparkplugSettings, state: State, now: Now) -> Turn:
    """We are there. What was said meanwhile is not known: every node is asked to be born again."""
    nodes = {node: Known(asked_ms=now.boot_ms) for node in settings.nodes}
    here = presence_of(settings, now.utc_ms, online=True)
    return Turn(State(now.utc_ms, nodes), (), (here, *(rebirth(node, now.utc_ms) for node in nodes)))


def due_ms(state: State) -> int | None:
    """When a missing message is waited for no longer."""
    return min((k.late_ms for k in state.nodes.values() if k.late_ms is not None), default=None)


def fire(settings: SparkplugSettings, state: State, now: Now) -> Turn:
    """Give up what is missing: what was held may mean anything now, and a rebirth is asked for."""
    turn = Turn(state)
    for node, known in state.nodes.items():
        if known.late_ms is None or known.late_ms > now.boot_ms:
            continue
        lost = tuple(Bad(Reason.UNEXPECTED_REPLY, held.frame) for held in known.held)
        turn = _with(turn, node, _Said(Known(bd_seq=known.bd_seq), lost, True), now)
    return turn


def take(settings: SparkplugSettings, state: State, received: Received, now: Now) -> Turn:
    """One message."""
    topic, frame = received.topic, received.payload
    if topic == state_topic(settings):
        return _own_state(settings, state, frame)
    levels = topic.split("/")
    kind, device = levels[2] if len(levels) in {4, 5} else "", levels[4] if len(levels) == 5 else ""
    node = (levels[1], levels[3]) if kind else ("", "")
    if levels[0] != "spBv1.0" or node not in settings.nodes or kind[:1] != ("D" if device else "N"):
        return Turn(state, (Bad(Reason.UNEXPECTED_REPLY, frame),))
    if received.retained:
        return Turn(state)  # no message of an edge node may be: what a broker kept of it is out of order
    try:
        payload = read(frame)
    except NotPayload:
        return Turn(state, (Bad(Reason.CORRUPT_FRAME, frame),))
    known = state.nodes.get(node, Known())
    held = Held(payload.seq if payload.seq is not None else -1, kind, device, payload, frame)
    if kind == "NBIRTH":
        said = _born(settings, node, known, held)
    elif kind == "NDEATH":
        said = _dead(settings, node, known, held)
    elif kind in {"NDATA", "DBIRTH", "DDATA", "DDEATH"}:
        said = _in_order(settings, node, known, held, now)
    else:
        said = _Said(known, (Bad(Reason.UNEXPECTED_REPLY, frame),))
    return _with(Turn(state), node, said, now)


def _with(turn: Turn, node: Node, said: _Said, now: Now) -> Turn:
    """Put what was said of one node into a turn, and ask for its rebirth if that was not done just now."""
    known, publish = said.known, turn.publish
    if said.ask and not _asked_lately(known, now):
        known = replace(known, asked_ms=now.boot_ms)
        publish += (rebirth(node, now.utc_ms),)
    nodes = turn.state.nodes | {node: known}
    return Turn(replace(turn.state, nodes=nodes), turn.decoded + said.decoded, publish)


def _asked_lately(known: Known, now: Now) -> bool:
    return known.asked_ms is not None and now.boot_ms - known.asked_ms < ASK_AGAIN_MS


def _own_state(settings: SparkplugSettings, state: State, frame: bytes) -> Turn:
    """Somebody says that we are gone (our own will of an older connection): we are not."""
    try:
        gone = walk(load(frame), ("online",)) is False
    except NotJson:
        gone = is_offline(frame)  # as hosts of version 2.2 wrote it
    if not gone or state.born_ms is None:
        return Turn(state)
    return Turn(state, (), (presence_of(settings, state.born_ms, online=True),))


def _born(settings: SparkplugSettings, node: Node, known: Known, held: Held) -> _Said:
    """A node is born: everything known of it begins anew, its devices too."""
    bd_seq = next((m.raw for m in held.payload.metrics if m.name == "bdSeq"), None)
    fresh = Known(
        seq=held.seq if held.seq >= 0 else None,
        bd_seq=bd_seq if isinstance(bd_seq, int) else None,
        asked_ms=known.asked_ms,
    )
    if fresh.seq is None:
        return _Said(fresh, (Bad(Reason.CORRUPT_FRAME, held.frame),), True)
    return _birth(settings, node, fresh, held)


def _dead(settings: SparkplugSettings, node: Node, known: Known, held: Held) -> _Said:
    """A node is gone, unless the will is of a connection that it has replaced since."""
    bd_seq = next((m.raw for m in held.payload.metrics if m.name == "bdSeq"), None)
    if known.seq is None or (known.bd_seq is not None and bd_seq != known.bd_seq):
        return _Said(known, ())
    gone = tuple(Bad(Reason.OFFLINE, held.frame, metric.key) for metric in settings.of(node))
    return _Said(Known(), gone)


def _in_order(settings: SparkplugSettings, node: Node, known: Known, held: Held, now: Now) -> _Said:
    """A numbered message: read if it is the next, held if one is missing."""
    if known.seq is None:
        # A node that was asked just now is about to be born, and says all this again then.
        lately = _asked_lately(known, now)
        return _Said(known, () if lately else (Bad(Reason.UNEXPECTED_REPLY, held.frame),), True)
    if not 0 <= held.seq <= 255:
        return _Said(known, (Bad(Reason.CORRUPT_FRAME, held.frame),))
    waiting = {each.seq: each for each in known.held} | {held.seq: held}
    decoded: Decoded = ()
    ask = False
    while (following := waiting.pop((known.seq + 1) % 256, None)) is not None:
        said = _read(settings, node, replace(known, seq=following.seq), following)
        known, decoded, ask = said.known, decoded + said.decoded, ask or said.ask
        if known.seq is None:
            return _Said(known, decoded, ask)
    if not waiting:
        return _Said(replace(known, held=(), late_ms=None), decoded, ask)
    late_ms = known.late_ms if known.late_ms is not None else now.boot_ms + settings.reorder_timeout_ms
    return _Said(replace(known, held=tuple(waiting.values()), late_ms=late_ms), decoded, ask)


def _read(settings: SparkplugSettings, node: Node, known: Known, held: Held) -> _Said:
    if held.kind == "DBIRTH":
        return _birth(settings, node, known, held)
    if held.device and held.device not in known.devices:
        return _Said(known, (Bad(Reason.UNEXPECTED_REPLY, held.frame),), True)
    if held.kind == "DDEATH":
        at_ms = held.payload.at_ms
        gone = tuple(Bad(Reason.OFFLINE, held.frame, m.key, at_ms) for m in settings.of(node, held.device))
        return _Said(_without(known, held.device), gone)
    said: list[Measured | Bad] = []
    ask = False
    for metric in held.payload.metrics:
        born = _which(known, held.device, metric)
        if born is None or born.device != held.device:
            said.append(Bad(Reason.UNEXPECTED_REPLY, held.frame))
            ask = True
            continue
        wanted = settings.wanted.get((node, born.device, born.name))
        if wanted is not None:
            said.append(value_of(wanted.key, wanted.unit or born.unit, born.datatype, metric, held))
    return _Said(known, tuple(said), ask)


def _which(known: Known, device: str, metric: Metric) -> Born | None:
    """What a metric is by its birth: by its name, or by its number alone."""
    if metric.name:
        return known.names.get((device, metric.name))
    return None if metric.alias is None else known.aliases.get(metric.alias)


def _birth(settings: SparkplugSettings, node: Node, known: Known, held: Held) -> _Said:
    """Take over the names of a birth, and the values that it brings."""
    known = _without(known, held.device)
    names, aliases = dict(known.names), dict(known.aliases)
    said: list[Measured | Bad] = []
    for metric in held.payload.metrics:
        wanted = settings.wanted.get((node, held.device, metric.name))
        born = Born(held.device, metric.name, metric.datatype, _unit(wanted, metric))
        names[held.device, metric.name] = born
        if metric.alias is not None:
            aliases[metric.alias] = born
        if wanted is not None:
            said.append(value_of(wanted.key, wanted.unit or born.unit, metric.datatype, metric, held))
    missing = [m for m in settings.of(node, held.device) if (held.device, m.metric) not in names]
    said += [Bad(Reason.NO_VALUE, held.frame, m.key, held.payload.at_ms) for m in missing]
    devices = known.devices | ({held.device} if held.device else frozenset())
    return _Said(replace(known, names=names, aliases=aliases, devices=devices), tuple(said))


def _unit(wanted: MetricSetting | None, metric: Metric) -> str:
    if wanted is None or wanted.unit_property is None:
        return ""
    said = metric.properties.get(wanted.unit_property)
    return said if isinstance(said, str) else ""


def _without(known: Known, device: str) -> Known:
    """Forget what an older birth of a device, or of the node itself (""), said."""
    return replace(
        known,
        names={key: born for key, born in known.names.items() if key[0] != device},
        aliases={alias: born for alias, born in known.aliases.items() if born.device != device},
        devices=known.devices - {device},
    )
