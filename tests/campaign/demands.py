"""Faults of what is asked of a gateway: more than it can take in, and limits that change on the way."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable

from coldchain.announcements import Kind
from coldchain.web.station import EndConsignment, StartConsignment
from tests.campaign.gateway import ALARM, HEAL_S, Gateway
from tests.campaign.ledger import BUS, FLOOD, LOG
from tests.integration.gateways import read
from tests.servers import Fate, Packet, Peer, Side, wait_until

#: Room for so many facts, and so many messages at once that want in.
_ROOM, _BURST = 300, 400
_WARM = f"box-{LOG}/vapour/above"


def ten_times_as_much(on: Gateway) -> None:
    """Ten times the usual rate for a while: an alarm reaches the room meanwhile, readings stand in order."""
    before, first = on.alarms(), on.talk.said
    on.talk.times = 10
    on.talk_on(1_000)
    wait_until(lambda: on.alarms() > before, what="an alarm reaches the room meanwhile", deadline_s=HEAL_S)
    on.talk.times = 1
    on.flow(1)
    numbers = [number for number in on.ledger.numbers(BUS) if number >= first]
    assert numbers == sorted(numbers), "what came at ten times the rate stands in another order"


def flooded(on: Gateway) -> None:
    """More than it can take in, on a slow disk, from a device that repeats nothing (QoS 0).

    What finds no room is counted, to the last one, and is an alarm; the product's alarm reaches the room
    meanwhile; what was taken in stands in the order in which it was sent.
    """
    on.signal(signal.SIGTERM)
    on.wait()
    on.room_for(_ROOM)
    subscribed = _subscribed(on)
    on.begin(cheaply=True)
    # What nobody sends again is dropped by the broker as long as nobody asks for it.
    wait_until(lambda: _subscribed(on) > subscribed, what="it hears the flood", deadline_s=HEAL_S)
    told, lost = on.alarms("gateway/lost"), on.ledger.lost[FLOOD]
    on.disk("slow", 4)
    with Peer(on.broker.port) as peer:
        _flood_until(on, peer, lambda: on.ledger.lost[FLOOD] > lost, "a loss is told")
        before = on.alarms()
        _flood_until(on, peer, lambda: on.alarms() > before, f"{ALARM} reaches the room meanwhile")
    on.disk("")
    wait_until(
        lambda: on.alarms("gateway/lost") > told, what="gateway/lost reaches the room", deadline_s=HEAL_S
    )
    wait_until(lambda: _accounted(on) == _sent(on), what="each is recorded, or counted", deadline_s=HEAL_S)
    numbers = list(on.ledger.numbers(FLOOD))
    assert numbers == sorted(numbers), "what was taken in stands in another order"
    on.room_for(None)
    on.signal(signal.SIGTERM)
    on.wait()
    on.begin(cheaply=True)


def _flood_until(on: Gateway, peer: Peer, condition: Callable[[], bool], what: str) -> None:
    """Burst after burst of what nobody sends again, each as soon as the last is recorded or counted.

    Not by the clock: on a busy machine that would be a test of the processor.
    """

    def poured() -> bool:
        number = _sent(on)
        if _accounted(on) == number:
            burst = [_message(number + i) for i in range(_BURST)]
            peer.publish("flood", *burst, qos=0)
            wait_until(lambda: _sent(on) == number + _BURST, what="the broker hands it on")
        return condition()

    wait_until(poured, what=what, deadline_s=HEAL_S)


def _message(number: int) -> str:
    at_ms = time.time_ns() // 1_000_000
    return json.dumps({"time": at_ms, "sequence": number, "vapour": -180.0, "simulated": True})


def _sent(on: Gateway) -> int:
    """How many of them the broker has handed on to the gateway."""
    publications = on.flood_line.of(Packet.PUBLISH, Side.BROKER, Fate.FORWARDED)
    return sum(each.topic == "flood" for each in publications)


def _subscribed(on: Gateway) -> int:
    return len(on.flood_line.of(Packet.SUBACK, Side.BROKER, Fate.FORWARDED))


def _accounted(on: Gateway) -> int:
    on.ledger.look()
    return on.ledger.numbers(FLOOD).total() + on.ledger.lost[FLOOD]


def profile_replaced(on: Gateway) -> None:
    """A product travels in a box that is too warm, and its profile is replaced on the way, twice.

    Under a limit that is still exceeded the alarm goes on: the excursion under the old limit is over, and
    named as what the next one follows. Under a limit that allows the warmth the alarm ends. (Not looked at
    where the logger's clock and ours are hours apart by now: what it prints is judged as late, or as ahead.)
    """
    consignment = f"C-{on.ledger.activations}"
    raised = on.alarms(_WARM)
    on.printed_celsius = -140.0
    on.do(StartConsignment(consignment, f"box-{LOG}", "test", "transport"))
    on.print_lines(1)
    wait_until(lambda: on.alarms(_WARM) > raised, what=f"{_WARM} reaches the room", deadline_s=HEAL_S)
    position = on.ledger.position
    for version, limit in ((2, "-145 °C"), (3, "-130 °C")):
        _replace(on, limit, version)
        on.print_lines(1)
    if on.clocks_agree():
        _look_at_what_was_said(on, position)
    _replace(on, "-150 °C", 1)
    on.printed_celsius = -180.0
    on.print_lines(1)
    on.do(EndConsignment(consignment, "delivered"))


def _look_at_what_was_said(on: Gateway, position: int) -> None:
    said = [one.what for one in read(on.site.journal).said if one.position > position]
    said = [one for one in said if one.alarm == _WARM]
    kinds = [Kind.EXCURSION_ENDED, Kind.RAISED, Kind.EXCURSION_ENDED, Kind.RETURNED]
    assert [one.kind for one in said] == kinds, said
    first, after, second, _ = said
    assert first.detail["why"] == second.detail["why"] == "limits_changed"
    assert after.detail["follows"] == first.excursion
    assert second.excursion == after.excursion


def _replace(on: Gateway, limit: str, version: int) -> None:
    """Another profile under the same id is in force."""
    on.site.profile(hold="0 s", latched=False, limit=limit, version=version).write()
    on.reload()


#: Name, title and what happens.
FAULTS = (
    ("ten-times", "ten times the usual rate", ten_times_as_much),
    ("flood", "more than there is room for, at QoS 0", flooded),
    ("profile-replaced", "profile replaced in mid-transport", profile_replaced),
)
