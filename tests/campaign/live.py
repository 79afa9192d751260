"""Faults of a running gateway: its broker, its lines, its sinks, its configuration and the process itself."""

from __future__ import annotations

import os
import pty
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from random import Random

from msgspec import Struct

from tests.campaign import demands, underneath
from tests.campaign.gateway import HEAL_S, LONGEST_CUT_S, Audit, Gateway
from tests.campaign.killable import POINTS
from tests.campaign.ledger import LOG
from tests.campaign.outcome import Fault, Outcome, Size, summed
from tests.servers import Packet, Peer, Side, wait_until

#: How often each is tried in one gateway's life in the campaign.
TIMES = 25
#: How many lives in a row end at a chosen point before one is let live on.
KILLS, KILLS_SHORT = 6, 2
_MONSTER_BYTES = 10_000_000
#: Into how many lives the faults are divided in each run of the tests.
PARTS = 3


def _broker_restarts(on: Gateway) -> None:
    on.broker.restart()


def _broker_dies(on: Gateway) -> None:
    on.broker_forgot = True
    on.broker.kill()
    on.broker.start()


def _broker_hangs(on: Gateway) -> None:
    """Alive for TCP, dead for MQTT: for less than the keep-alive."""
    on.broker.freeze()
    time.sleep(on.chance.uniform(0.1, 3))
    on.broker.thaw()


def _line_cut(on: Gateway) -> None:
    on.line.cut(reset=on.chance.random() < 0.5)


def _line_cut_in_a_message(on: Gateway) -> None:
    rule = on.line.cut_at(Packet.PUBLISH, Side.BROKER, count=on.chance.randint(1, 5))
    on.talk_on(10)
    on.line.end_rule(rule)


def line_cut_at_an_acknowledgement(on: Gateway) -> None:
    """The message is on disk, its acknowledgement is lost: it comes again."""
    rule = on.line.cut_at(Packet.PUBACK, Side.CLIENT, count=on.chance.randint(1, 5))
    on.talk_on(10)
    on.line.end_rule(rule)


def _line_slow(on: Gateway) -> None:
    on.line.delay(on.chance.uniform(0.05, 0.4))
    on.talk_on(20)
    on.line.delay(0)


def _line_dead(on: Gateway) -> None:
    """Nothing comes through and nobody is told; shorter than the keep-alive."""
    with on.line.hold():
        time.sleep(on.chance.uniform(0.2, 3))


def _line_dead_long(on: Gateway) -> None:
    """The same for up to a minute, or cut and refused for that long: still shorter than the keep-alive."""
    gone_s = on.chance.uniform(1, LONGEST_CUT_S)
    if on.chance.random() < 0.5:
        with on.line.hold():
            time.sleep(gone_s)
    else:
        on.line.refuse()
        on.line.cut()
        time.sleep(gone_s)
        on.line.accept()


def _broker_refuses(on: Gateway) -> None:
    on.line.refuse()
    on.line.cut()
    time.sleep(on.chance.uniform(0.2, 2))
    on.line.accept()


def _monsters(on: Gateway) -> None:
    """What nobody asked for: ten megabytes, nothing, and bytes, each as a message to its topic."""
    with Peer(on.broker.port) as peer:
        peer.publish("probe", b"[" * _MONSTER_BYTES, b"", on.chance.randbytes(300))
    # The allocator keeps the room of the message and of a copy of it, and uses it for the next one.
    on.growth.once = 2 * _MONSTER_BYTES


def _retained_flood(on: Gateway) -> None:
    """A retained message that every connection brings again, with a time long past."""
    with Peer(on.broker.port) as peer:
        peer.publish("probe", b'{"time": 1000, "sequence": -1, "vapour": -1.0}', retain=True)
        on.line.cut()
        on.flow(5)
        peer.publish("probe", b"", retain=True)


def _unplugged(on: Gateway) -> None:
    """Plugged in again it is another terminal: its old name belongs to something else by then."""
    name, wire = Path(on.printer.port), on.printer.wire
    before, others = name.readlink(), list[int]()
    wire.unplug()
    time.sleep(on.chance.uniform(0.05, 1))
    while not name.is_symlink() or name.readlink() == before:
        wire.unplug()
        others += pty.openpty()
        wire.replug()
    for end in others:
        os.close(end)


def _noise(on: Gateway) -> None:
    for _ in range(20):
        on.printer.wire.write(on.chance.randbytes(on.chance.randint(1, 200)))


def _babble(on: Gateway) -> None:
    """A stuck line: a megabyte without an end of line."""
    for _ in range(256):
        on.printer.wire.write(b"U" * 4096)
        time.sleep(0.001)


def _room_fails(on: Gateway) -> None:
    """Errors, a wrong answer, and answers that are lost after the receiver took it."""
    kinds = [500, 503, 429, 404, None]
    on.room.answers += [on.chance.choice(kinds) for _ in range(4)]
    on.talk_on(60)
    on.room.answers.clear()


def _room_hangs(on: Gateway) -> None:
    on.room.hang.clear()
    on.talk_on(60)
    on.room.hang.set()


def _series_dies(on: Gateway) -> None:
    """It said yes to the last seconds and loses them: they are sent again."""
    on.series.kill()
    time.sleep(on.chance.uniform(0, 1))
    on.series.start()


def _series_hangs(on: Gateway) -> None:
    on.series.freeze()
    on.talk_on(50)
    on.series.thaw()


def _pages_restart(on: Gateway) -> None:
    on.pages.restart()


def _killed(on: Gateway) -> None:
    time.sleep(on.chance.uniform(0, 0.2))
    on.kill()
    on.begin()


def _killed_while_starting(on: Gateway) -> None:
    """Again before it is up: recovery, and whatever is begun there."""
    on.kill()
    on.begin_and_kill(on.chance.uniform(0.1, 1.5))
    on.begin()


def _suspended(on: Gateway) -> None:
    """A machine that sleeps, or a debugger: everything stands and goes on."""
    on.signal(signal.SIGSTOP)
    time.sleep(on.chance.uniform(0.2, 3))
    on.signal(signal.SIGCONT)


def _restarted(on: Gateway) -> None:
    on.signal(signal.SIGTERM)
    on.wait()
    on.begin()


def _reloaded(on: Gateway) -> None:
    """Another profile's hold, and another again, while readings come."""
    on.site.profile(hold=on.chance.choice(["0 s", "10 ms", "50 ms"]), latched=False).write()
    on.reload()


def _broken_configuration(on: Gateway) -> None:
    """It is refused, and the old one stays in force."""
    text = on.site.config.read_text(encoding="utf-8")
    before = on.refusals()
    on.site.config.write_text(text[: on.chance.randint(1, len(text) - 1)] + "\n= broken", encoding="utf-8")
    on.signal(signal.SIGHUP)
    wait_until(lambda: on.refusals() > before, what="it is refused", deadline_s=HEAL_S)
    on.talk_on(10)
    on.site.config.write_text(text, encoding="utf-8")


def _channel_removed(on: Gateway) -> None:
    """A logger is taken out while its box is too warm, and put back: its alarm is open all the time."""
    alarm = f"box-{LOG}/vapour/above"
    on.printed_celsius = -140.0
    on.print_lines(1)
    if on.clocks_agree():
        wait_until(lambda: alarm in on.standing(), what=f"{alarm} stands", deadline_s=HEAL_S)
    with_it = on.site.config.read_text(encoding="utf-8")
    on.site.config.write_text(on.site.text(without=LOG), encoding="utf-8")
    on.reload()
    on.talk_on(30)
    if on.clocks_agree():
        assert alarm in on.standing(), "it is closed by a person, with a reason, and by nothing else"
    on.site.config.write_text(with_it, encoding="utf-8")
    on.reload()
    on.printed_celsius = -180.0


def _killed_at(point: str, passes: int, kills: int, on: Gateway) -> None:
    """Lives that end there, one after the other, while the device talks.

    Begun from a state that is saved, as it is after minutes of life: or each would fold all that came before.
    """
    on.signal(signal.SIGTERM)
    on.wait()
    for _ in range(kills):
        on.kill_at(point, on.chance.randrange(passes))
    on.begin(cheaply=True)


class Act(Struct, frozen=True):
    """One thing that goes wrong; `each`: how often it does at a time."""

    name: str
    title: str
    do: Callable[[Gateway], None]
    each: int = 1


ACTS: tuple[Act, ...] = (
    Act("broker-restart", "broker restarted", _broker_restarts),
    Act("broker-kill", "broker killed", _broker_dies),
    Act("broker-hang", "broker hangs", _broker_hangs),
    Act("broker-refuse", "broker refuses connections", _broker_refuses),
    Act("line-cut", "connection cut", _line_cut),
    Act("line-cut-message", "connection cut in a message", _line_cut_in_a_message),
    Act("line-cut-ack", "connection cut at an acknowledgement", line_cut_at_an_acknowledgement),
    Act("line-slow", "slow connection", _line_slow),
    Act("line-dead", "dead connection", _line_dead),
    Act("monsters", "10 MB, nothing and bytes as messages", _monsters),
    Act("retained", "a retained message at each connection", _retained_flood),
    Act("serial-unplug", "adapter unplugged", _unplugged),
    Act("serial-noise", "noise on the line", _noise),
    Act("serial-babble", "a line that babbles", _babble),
    Act("room-fails", "receiver answers 404, 429, 5xx or not", _room_fails),
    Act("room-hangs", "receiver hangs", _room_hangs),
    Act("series-kill", "time series killed", _series_dies),
    Act("series-hang", "time series hangs", _series_hangs),
    Act("pages-restart", "Alertmanager restarted", _pages_restart),
    Act("kill", "daemon killed", _killed),
    Act("kill-starting", "daemon killed while it starts", _killed_while_starting),
    Act("suspend", "daemon suspended", _suspended),
    Act("restart", "daemon restarted", _restarted),
    Act("reload", "profile changed while it runs", _reloaded),
    Act("reload-broken", "configuration broken while it runs", _broken_configuration),
    Act("channel-removed", "logger taken out with an open alarm", _channel_removed),
    *(Act(*fault) for fault in demands.FAULTS),
    *(Act(*fault) for fault in underneath.FAULTS),
)
#: What takes too long for each run of the tests.
LONG_ACTS = (Act("line-dead-long", "connection dead or refused for up to a minute", _line_dead_long),)


def acts(size: Size) -> tuple[Act, ...]:
    """All of them, those that chose a point to kill at too."""
    kills = KILLS if size is Size.FULL else KILLS_SHORT
    return (*ACTS, *(LONG_ACTS if size is Size.FULL else ())) + tuple(
        Act(
            f"kill-{point.replace('_', '-')}",
            f"killed {where}",
            partial(_killed_at, point, passes, kills),
            kills,
        )
        for point, (where, passes) in POINTS.items()
    )


def _life(drawn: list[Act], seed: int) -> Outcome:
    """One gateway's life: each act in turn, healed and audited; the whole at the end."""
    heal: list[float] = []
    found = Audit()
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder, Gateway(Path(folder), seed) as gateway:
        gateway.flow(5)
        gateway.print_lines(1)
        for act in drawn:
            try:
                act.do(gateway)
                heal.append(gateway.healed())
            except AssertionError as error:
                raise AssertionError(f"{act.name}, seed {seed}: {error}\n{gateway.said()}") from error
            found += gateway.audit()
        found += gateway.end()
    note = f"{gateway.talk.said:,} messages; slowest {max(heal):.1f} s"
    if unrecorded := gateway.elsewhere.unrecorded():
        note += f"; {len(unrecorded)} told unrecorded"
    wrong = (found.lost + found.doubled + found.grown)[:3]
    return Outcome(
        sum(act.each for act in drawn),
        len(found.lost),
        len(found.doubled),
        len(found.grown) if gateway.growth.judged else None,
        gateway.kills,
        statistics.median(heal),
        "; ".join([note, *wrong]),
    )


def one(name: str, seed: int, size: Size) -> Outcome:
    """One kind of fault, again and again."""
    act = next(act for act in acts(size) if act.name == name)
    return _life([act] * (TIMES if size is Size.FULL else 1), seed)


def storm(seed: int, size: Size) -> Outcome:
    """All kinds in one life, in an order that the seed draws; FULL: four times."""
    drawn = [*acts(size)] * (4 if size is Size.FULL else 1)
    Random(seed).shuffle(drawn)
    return _life(drawn, seed)


def part(seed: int, number: int) -> Outcome:
    """The `number`-th of `PARTS` lives that have each fault once between them, in their short form."""
    drawn = list(acts(Size.SHORT)[number::PARTS])
    Random(seed).shuffle(drawn)
    return _life(drawn, seed)


def thirds(seed: int, _size: Size) -> Outcome:
    """As `make test` lives them, one after the other."""
    return summed([part(seed + number, number) for number in range(PARTS)])


#: The longest first, so that none is waited for at the end.
FAULTS = (
    Fault("storm", "all of these in one life", storm),
    Fault("thirds", "each of these once, in three short lives", thirds),
    *(Fault(act.name, act.title, partial(one, act.name)) for act in reversed(acts(Size.FULL))),
)
