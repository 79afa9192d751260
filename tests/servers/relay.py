"""A relay between an MQTT client and its broker that writes down every packet and can misbehave on demand.

It answers what neither end can be asked after a kill: which acknowledgements the client had really sent, and
what of them reached the broker. Every order from a test is carried out before the call returns, so what the
test does next finds it done. Plain TCP only: inside TLS there is nothing to see.
"""

import threading
import time
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Self

from tests.servers import mqtt_wire
from tests.servers.mqtt_wire import Packet, Side, Splitter
from tests.servers.process import DEADLINE_S, HOST, free_port
from tests.servers.relay_wires import Connection, End, Item, Way, Wires


class Fate(Enum):
    """What became of a packet after the relay had read it."""

    WAITING = "waiting"  # delayed or held
    FORWARDED = "forwarded"  # given to the kernel for the other side
    DISCARDED = "discarded"
    LOST = "lost"  # the connection ended first


@dataclass(slots=True, eq=False)
class Record:
    """One packet the relay has read. `order` counts over both directions and all connections."""

    order: int
    connection: int
    sender: Side
    kind: Packet
    packet_id: int | None
    raw: bytes
    level: int  # 4: MQTT 3.1.1, 5: MQTT 5
    fate: Fate = Fate.WAITING

    @property
    def topic(self) -> str:
        """Topic of a PUBLISH."""
        return mqtt_wire.topic_and_payload(self.raw, self.level)[0]

    @property
    def payload(self) -> bytes:
        """Payload of a PUBLISH."""
        return mqtt_wire.topic_and_payload(self.raw, self.level)[1]

    @property
    def dup(self) -> bool:
        """Whether a PUBLISH says that it may have been sent before."""
        return mqtt_wire.dup(self.raw)

    @property
    def qos(self) -> int:
        """Quality of service of a PUBLISH."""
        return mqtt_wire.qos(self.raw)


class _Action(Enum):
    HOLD = "hold"
    DISCARD = "discard"
    CUT = "cut"


class Rule:
    """Something the relay was told to do with packets; ends with its context or by `release`."""

    def __init__(
        self, relay: "MqttRelay", action: _Action, kind: Packet | None, sender: Side | None, pass_first: int
    ) -> None:
        assert kind is not None or not pass_first, "only packets of one type are counted"
        self._relay = relay
        self._kind = kind
        self._sender = sender
        self._pass_first = pass_first
        self.action = action
        self.held: list[tuple[Way, Item, Packet | None]] = []

    def release(self) -> None:
        """End it. What was held goes on in its order, unless its connection has ended meanwhile."""
        self._relay.end_rule(self)

    def wants(self, way: Way, kind: Packet | None) -> bool:
        """Tell whether it is about this packet (no type: a fragment, or the end of a direction)."""
        if self._sender not in (None, way.sender) or self._kind not in (None, kind):
            return False
        if self._pass_first:
            self._pass_first -= 1
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.release()


class MqttRelay:
    """A recording relay on a loopback port of its own in front of the broker on `broker_port`.

    It outlives both ends: connections come and go, the records go on. It never stops reading, so a client or
    broker it holds back does not notice until the protocol's own timers do.
    """

    host = HOST

    def __init__(self, broker_port: int) -> None:
        self.port = free_port()
        # What is no MQTT, or the beginning of a packet that never became whole: connection, sender, bytes.
        self.fragments: list[tuple[int, Side, bytes]] = []
        self._records: list[Record] = []
        self._rules: list[Rule] = []
        self._delay_s = dict.fromkeys(Side, 0.0)
        self._splitters: dict[Way, Splitter] = {}
        self._levels: dict[Connection, int] = {}
        self._news = threading.Condition()
        self._wires = Wires(self.port, broker_port, taken=self._take, turned=self._tell)

    def start(self) -> Self:
        """Listen and relay."""
        self._wires.start()
        return self

    def stop(self) -> None:
        """Reset all connections and end; the records stay. AssertionError if the relay itself failed."""
        self._wires.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stop()

    # --- What was seen --------------------------------------------------------------------------------------

    @property
    def records(self) -> tuple[Record, ...]:
        """Every packet read so far, in the order read."""
        return tuple(self._records)

    def of(self, kind: Packet, sender: Side | None = None, fate: Fate | None = None) -> tuple[Record, ...]:
        """Return the packets of one type: of one side or both, of one fate or any."""
        return tuple(
            each
            for each in self.records
            if each.kind is kind and sender in (None, each.sender) and fate in (None, each.fate)
        )

    def acknowledged(self) -> tuple[Record, ...]:
        """Return the broker's QoS 1 messages whose PUBACK the client has sent, in the order of the PUBACKs.

        Sent, not received: what was then held or lost on the way to the broker is among them (the PUBACK's
        own `fate` tells). A message acknowledged on two connections is there twice.
        """
        under_way: dict[tuple[int, int | None], Record] = {}
        found = []
        for each in self.records:
            key = (each.connection, each.packet_id)
            if each.sender is Side.BROKER and each.kind is Packet.PUBLISH and each.qos == 1:
                under_way[key] = each
            elif each.sender is Side.CLIENT and each.kind is Packet.PUBACK and key in under_way:
                found.append(under_way.pop(key))
        return tuple(found)

    def wait_for(
        self,
        kind: Packet,
        sender: Side | None = None,
        fate: Fate | None = None,
        *,
        count: int = 1,
        deadline_s: float = DEADLINE_S,
    ) -> tuple[Record, ...]:
        """Wait until `count` such packets are among the records; AssertionError after the deadline."""
        with self._news:
            seen = self._news.wait_for(lambda: len(self.of(kind, sender, fate)) >= count, deadline_s)
        found = self.of(kind, sender, fate)
        assert seen, f"{len(found)} of {count} {kind.name} within {deadline_s:g} s"
        return found

    @property
    def connections(self) -> int:
        """How many connections are open now."""
        return self._wires.do(lambda: len(self._wires.connections))

    # --- What it can be told --------------------------------------------------------------------------------

    def hold(self, kind: Packet | None = None, sender: Side | None = None, *, after: int = 0) -> Rule:
        """Keep packets back until released; the first `after` from now pass.

        Without a type: all bytes, and the end of connections. `hold()` is a line that is dead and tells
        nobody.
        """
        return self._add(Rule(self, _Action.HOLD, kind, sender, after))

    def discard(self, kind: Packet, sender: Side | None = None, *, after: int = 0) -> Rule:
        """Let packets of one type vanish, after the first `after` from now."""
        return self._add(Rule(self, _Action.DISCARD, kind, sender, after))

    def cut_at(self, kind: Packet, sender: Side | None = None, *, count: int = 1) -> Rule:
        """Reset the connection instead of forwarding the `count`-th such packet from now; once.

        What came before that packet in the same direction has been forwarded.
        """
        return self._add(Rule(self, _Action.CUT, kind, sender, count - 1))

    def delay(self, seconds: float, sender: Side | None = None) -> None:
        """Let what is read from now on arrive later, in order: both ways, or what one side sends."""
        for side in Side if sender is None else (sender,):
            self._delay_s[side] = seconds

    def cut(self, *, reset: bool = True) -> None:
        """End all connections now, on both sides: with RST, or with FIN as if in order."""
        self._wires.do(lambda: self._wires.end_all(reset=reset))

    def refuse(self) -> None:
        """Have new connections refused, as if no broker ran. Open ones stay."""
        self._wires.do(self._wires.stop_listening)

    def accept(self) -> None:
        """Take connections again."""
        self._wires.do(self._wires.listen)

    def end_rule(self, rule: Rule) -> None:
        """End a rule (`rule.release()`); nothing if it has ended."""
        self._wires.do(lambda: self._end_rule(rule))

    # --- In the thread of the wires -------------------------------------------------------------------------

    def _add(self, rule: Rule) -> Rule:
        self._wires.do(lambda: self._rules.append(rule))
        return rule

    def _tell(self) -> None:
        with self._news:
            self._news.notify_all()

    def _take(self, way: Way, data: bytes, end: End | None) -> None:
        splitter = self._splitters.setdefault(way, Splitter())
        for raw in splitter.feed(data):
            self._take_packet(way, raw)
        if splitter.lost or end is not None:
            # Passed on as well: what the other end makes of it may be what a test wants to see.
            self._take_fragment(way, splitter.give_up())
        if end is not None:
            self._dispatch(way, Item(end=end, due=self._due(way)), None)

    def _take_packet(self, way: Way, raw: bytes) -> None:
        kind = mqtt_wire.kind_of(raw)
        if kind is Packet.CONNECT:
            self._levels[way.connection] = mqtt_wire.protocol_level(raw)
        record = Record(
            order=len(self._records),
            connection=way.connection.number,
            sender=way.sender,
            kind=kind,
            packet_id=mqtt_wire.packet_id(raw),
            raw=raw,
            level=self._levels.get(way.connection, 4),
        )
        self._records.append(record)

        def told(forwarded: bool) -> None:
            record.fate = Fate.FORWARDED if forwarded else Fate.LOST

        if self._dispatch(way, Item(raw, due=self._due(way), told=told), kind) is _Action.DISCARD:
            record.fate = Fate.DISCARDED

    def _take_fragment(self, way: Way, data: bytes) -> None:
        if data:
            self.fragments.append((way.connection.number, way.sender, data))
            self._dispatch(way, Item(data, due=self._due(way)), None)

    def _due(self, way: Way) -> float:
        delay = self._delay_s[way.sender]
        return time.monotonic() + delay if delay else 0.0

    def _dispatch(self, way: Way, item: Item, kind: Packet | None) -> _Action | None:
        """Queue it, or do with it what the first rule that wants it says; return what was done."""
        rule = next((each for each in self._rules if each.wants(way, kind)), None)
        if rule is None:
            way.queue.append(item)
            return None
        if rule.action is _Action.HOLD:
            rule.held.append((way, item, kind))
        elif rule.action is _Action.CUT:
            self._rules.remove(rule)
            item.told(False)
            way.queue.append(Item(end=End.RST, due=item.due))
        return rule.action

    def _end_rule(self, rule: Rule) -> None:
        if rule not in self._rules:
            return
        self._rules.remove(rule)
        for way, item, kind in rule.held:
            if way.connection.open and not way.done:
                self._dispatch(way, item, kind)
            else:
                item.told(False)
        rule.held.clear()
