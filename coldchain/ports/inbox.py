"""From a broker's messages to facts: who claims a topic, what its driver reads, whether there is room."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from paho.mqtt.matcher import MQTTMatcher

from coldchain.clock import Clock
from coldchain.driver import MqttDriver
from coldchain.facts import Lost
from coldchain.model import Decoded, Origin, Reason
from coldchain.pipeline.intake import Folded, Intake
from coldchain.ports.framing import Blob
from coldchain.ports.outlet import Made, Outlet, unreadable
from coldchain.ports.sessions import Sessions
from coldchain.ports.standing import Count
from coldchain.session import Publication, Received, Turn

_log = logging.getLogger(__name__)

#: A larger payload is shown to no driver. The shipped JSON driver can be told to read as much and no more.
PAYLOAD_BYTES_MAX = 1_048_576
#: So many topics that nobody claims are told apart; beyond it they are counted together.
UNCLAIMED_MAX = 1_000
#: Topics whose readers are remembered, so that a known topic costs one look-up.
_CLAIMS_MAX = 10_000
#: Beyond so many comparisons filters are subscribed as they are: thousands of them must not delay a start.
_COMPARISONS_MAX = 300_000
#: How long a topic may be in a fact, in characters.
_TOPIC_MAX = 200

_NO_ROOM = "QoS 0 messages for which the intake had no room"

Settled = Callable[[Folded], None]


class Verdict(Enum):
    """What became of a message."""

    TAKEN = "taken"  # handed in; acknowledged once it is settled
    NOTHING = "nothing"  # nothing in it to record; acknowledged in its turn
    REFUSED = "refused"  # no room: neither taken nor acknowledged


@dataclass(frozen=True, slots=True)
class Message:
    """One message as it came. `topic` is "" if it was no UTF-8."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    dup: bool = False


class Inbox:
    """Takes one broker's messages for all its sources. Used by the broker's thread alone."""

    def __init__(self, broker: str, outlets: tuple[Outlet, ...], intake: Intake, clock: Clock) -> None:
        self.outlets = outlets
        self.unclaimed: Counter[str] = Counter()
        self.sessions = Sessions(outlets, clock)
        self._name = f"broker:{broker}"
        self._intake = intake
        self._clock = clock
        self._told: set[str] = set()
        self._lost: Counter[str] = Counter()
        self._claims: dict[str, tuple[tuple[Outlet, MqttDriver], ...]] = {}
        self._matcher = MQTTMatcher()  # type: ignore[no-untyped-call]
        self._by_filter: dict[str, list[Outlet]] = {}
        for outlet in outlets:
            for topic_filter in _driver(outlet).topics(outlet.source.driver_settings):
                self._by_filter.setdefault(topic_filter, []).append(outlet)
        for topic_filter, claimed in self._by_filter.items():
            self._matcher[topic_filter] = claimed
        self._wide = widest(tuple(self._by_filter))

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe. A filter within another is left out: MQTT 5 brokers send a copy for each."""
        return tuple(dict.fromkeys(self._wide.values()))

    @property
    def claimed(self) -> frozenset[str]:
        """Every filter of every source, whether it has a subscription of its own or lies within another."""
        return frozenset(self._by_filter)

    def of_filter(self, subscribed: str) -> list[Outlet]:
        """Who hears through this subscription."""
        return [
            outlet
            for topic_filter, outlets in self._by_filter.items()
            if self._wide[topic_filter] == subscribed
            for outlet in outlets
        ]

    def take(self, message: Message, settled: Settled | None) -> Verdict:
        """Read one message and hand it in. Counts and remembers only what was taken."""
        claims = self._claiming(message.topic)
        turns: list[tuple[Outlet, Turn]] = []
        made = [(outlet, self._read(outlet, driver, message, turns)) for outlet, driver in claims]
        facts = tuple(fact for _, each in made for fact in each.facts)
        if not claims and self._is_new(message.topic):
            facts = (
                unreadable(
                    self._name,
                    Blob(Reason.UNEXPECTED_REPLY, message.payload),
                    message.topic[:_TOPIC_MAX] or "a topic that is no UTF-8",
                ),
            )
        if any(outlet.closed for outlet, _ in claims):
            return Verdict.REFUSED  # this run was stopped while a driver was at work
        # What a session knows already is no fact, and yet may be acknowledged only after what it repeats: so
        # it passes through the intake, too.
        handed_in = bool(facts or turns)
        if handed_in and not self._intake.offer(facts, settled):
            self._no_room(claims, message)
            return Verdict.REFUSED
        for outlet, each in made:
            outlet.taken(each)
        self.sessions.adopt(turns)
        if not claims:
            self._remember(message.topic)
        if facts and self._lost:
            self.tick()
        return Verdict.TAKEN if handed_in else Verdict.NOTHING

    def opened(self) -> None:
        """The connection stands: sessions say so to whom it concerns."""
        self._hand_in(self.sessions.opened())

    def fire(self) -> None:
        """Let sessions do what falls due by itself."""
        self._hand_in(self.sessions.fire())

    def wanted(self) -> list[Publication]:
        """What is to be published now; asked once."""
        return self.sessions.wanted()

    def tick(self) -> None:
        """Tell what was lost, if there is room now."""
        for source, count in tuple(self._lost.items()):
            if not self._intake.offer((Lost(source, count, _NO_ROOM),)):
                return
            del self._lost[source]

    def finish(self) -> None:
        """The port ends: tell what was lost, room or not."""
        for source, count in self._lost.items():
            self._intake.submit((Lost(source, count, _NO_ROOM),))
        self._lost.clear()
        if self.unclaimed:
            _log.info("%s: %d messages on topics of no source", self._name, self.unclaimed.total())

    def _claiming(self, topic: str) -> tuple[tuple[Outlet, MqttDriver], ...]:
        known = self._claims.get(topic)
        if known is None:
            found: dict[str, Outlet] = {}
            for outlets in self._matcher.iter_match(topic) if topic else ():  # type: ignore[no-untyped-call]
                found |= {outlet.source.id: outlet for outlet in outlets}
            known = tuple((outlet, _driver(outlet)) for outlet in found.values())
            if len(self._claims) < _CLAIMS_MAX:
                self._claims[topic] = known
        return known

    def _hand_in(self, turns: list[tuple[Outlet, Turn]]) -> None:
        """Hand in what happened without a message; nobody sends it again."""
        for outlet, turn in turns:
            made = outlet.read(lambda decoded=turn.decoded: decoded, b"")  # type: ignore[misc]
            if made.facts and not self._intake.offer(made.facts):
                self._lost[outlet.source.id] += len(made.facts)
                outlet.count(Count.LOST, len(made.facts))
            else:
                outlet.taken(made)
        self.sessions.adopt(turns)

    def _read(
        self, outlet: Outlet, driver: MqttDriver, message: Message, turns: list[tuple[Outlet, Turn]]
    ) -> Made:
        payload = message.payload
        if len(payload) > PAYLOAD_BYTES_MAX:
            fact = unreadable(outlet.source.id, Blob(Reason.OVERSIZED_FRAME, payload))
            return Made((fact,), good=False)

        def decode() -> Decoded:
            if driver.session is not None:
                received = Received(message.topic, payload, message.retain)
                turn = self.sessions.take(outlet, received)
                turns.append((outlet, turn))
                return turn.decoded
            return driver.decode(outlet.source.driver_settings, message.topic, payload)

        origin = Origin.RETAINED if message.retain else Origin.LIVE
        return outlet.read(decode, payload, origin=origin, dup=message.dup)

    def _no_room(self, claims: tuple[tuple[Outlet, MqttDriver], ...], message: Message) -> None:
        if message.qos > 0:
            for outlet, _ in claims:
                outlet.count(Count.PUT_OFF)
            return
        for source in [outlet.source.id for outlet, _ in claims] or [self._name]:
            self._lost[source] += 1
        for outlet, _ in claims:
            outlet.count(Count.LOST)

    def _is_new(self, topic: str) -> bool:
        return topic not in self._told and len(self._told) < UNCLAIMED_MAX

    def _remember(self, topic: str) -> None:
        if self._is_new(topic):
            self._told.add(topic)
        self.unclaimed[topic if topic in self._told else ""] += 1


def covers(wide: str, narrow: str) -> bool:
    """Whether every topic of one well-formed filter is one of the other's (MQTT 5, section 4.7)."""
    wide_levels, narrow_levels = wide.split("/"), narrow.split("/")
    if narrow.startswith("$") and wide_levels[0] in {"+", "#"}:
        return False
    for at, level in enumerate(wide_levels):
        if level == "#":
            return True
        if at >= len(narrow_levels) or narrow_levels[at] == "#":
            return False
        if level not in {"+", narrow_levels[at]}:
            return False
    return len(wide_levels) == len(narrow_levels)


def widest(filters: tuple[str, ...]) -> dict[str, str]:
    """For each filter the one to subscribe: itself, or another of them that it lies within."""
    wild = [each for each in filters if set(each.split("/")) & {"+", "#"}]
    if len(wild) * len(filters) > _COMPARISONS_MAX:
        return {each: each for each in filters}
    wide = [one for one in wild if not any(covers(other, one) for other in wild if other != one)]
    return {each: next((one for one in wide if covers(one, each)), each) for each in filters}


def _driver(outlet: Outlet) -> MqttDriver:
    driver = outlet.source.driver
    assert isinstance(driver, MqttDriver), f"{driver.name} reads no messages"
    return driver
