"""Faults of a running gateway: its broker, its lines, its sinks, its configuration and the process itself."""

from __future__ import annotations

import signal
import statistics
import tempfile
import time
from functools import partial
from pathlib import Path
from random import Random
from typing import Protocol

from tests.campaign.gateway import Gateway
from tests.campaign.outcome import Fault, Outcome, Size
from tests.servers import Packet, Peer, Side

#: How often each is tried in one gateway's life in the campaign.
TIMES = 25


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


def _line_cut_at_an_acknowledgement(on: Gateway) -> None:
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


def _broker_refuses(on: Gateway) -> None:
    on.line.refuse()
    on.line.cut()
    time.sleep(on.chance.uniform(0.2, 2))
    on.line.accept()


def _monsters(on: Gateway) -> None:
    """What nobody asked for: ten megabytes, nothing, and bytes, each as a message to its topic."""
    with Peer(on.broker.port) as peer:
        peer.publish("probe", b"[" * 10_000_000, b"", on.chance.randbytes(300))


def _retained_flood(on: Gateway) -> None:
    """A retained message that every connection brings again, with a time long past."""
    with Peer(on.broker.port) as peer:
        peer.publish("probe", b'{"time": 1000, "sequence": -1, "vapour": -1.0}', retain=True)
        on.line.cut()
        on.flow(5)
        peer.publish("probe", b"", retain=True)


def _unplugged(on: Gateway) -> None:
    on.printer.wire.unplug()
    time.sleep(on.chance.uniform(0.05, 1))
    on.printer.wire.replug()


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
    on.site.profile(hold=on.chance.choice(["0 s", "1 s", "30 s"]), latched=False).write()
    on.signal(signal.SIGHUP)


def _broken_configuration(on: Gateway) -> None:
    """It is refused, and the old one stays in force."""
    text = on.site.config.read_text(encoding="utf-8")
    on.site.config.write_text(text[: on.chance.randint(1, len(text) - 1)] + "\n= broken", encoding="utf-8")
    on.signal(signal.SIGHUP)
    on.talk_on(10)
    on.site.config.write_text(text, encoding="utf-8")


class _Act(Protocol):
    """One thing that goes wrong, and what it is called."""

    __name__: str

    def __call__(self, on: Gateway, /) -> None: ...


ACTS: tuple[tuple[str, str, _Act], ...] = (
    ("broker-restart", "broker restarted", _broker_restarts),
    ("broker-kill", "broker killed", _broker_dies),
    ("broker-hang", "broker hangs", _broker_hangs),
    ("broker-refuse", "broker refuses connections", _broker_refuses),
    ("line-cut", "connection cut", _line_cut),
    ("line-cut-message", "connection cut in a message", _line_cut_in_a_message),
    ("line-cut-ack", "connection cut at an acknowledgement", _line_cut_at_an_acknowledgement),
    ("line-slow", "slow connection", _line_slow),
    ("line-dead", "dead connection", _line_dead),
    ("monsters", "10 MB, nothing and bytes as messages", _monsters),
    ("retained", "a retained message at each connection", _retained_flood),
    ("serial-unplug", "adapter unplugged", _unplugged),
    ("serial-noise", "noise on the line", _noise),
    ("serial-babble", "a line that babbles", _babble),
    ("room-fails", "receiver answers 404, 429, 5xx or not", _room_fails),
    ("room-hangs", "receiver hangs", _room_hangs),
    ("series-kill", "time series killed", _series_dies),
    ("series-hang", "time series hangs", _series_hangs),
    ("pages-restart", "Alertmanager restarted", _pages_restart),
    ("kill", "daemon killed", _killed),
    ("kill-starting", "daemon killed while it starts", _killed_while_starting),
    ("suspend", "daemon suspended", _suspended),
    ("restart", "daemon restarted", _restarted),
    ("reload", "profile changed while it runs", _reloaded),
    ("reload-broken", "configuration broken while it runs", _broken_configuration),
)


def _life(acts: list[_Act], seed: int) -> Outcome:
    """One gateway's life: each act in turn, healed and audited; the whole at the end."""
    heal: list[float] = []
    with tempfile.TemporaryDirectory(prefix="campaign-") as folder, Gateway(Path(folder), seed) as gateway:
        gateway.flow(5)
        gateway.print_lines(1)
        lost: list[str] = []
        doubled: list[str] = []
        for act in acts:
            try:
                act(gateway)
                heal.append(gateway.healed())
            except AssertionError as error:
                told = (gateway.folder / "daemon.log").read_text(encoding="utf-8", errors="replace")
                raise AssertionError(f"{act.__name__}: {error}\n{told[-4000:]}") from error
            found = gateway.audit()
            lost += found.lost
            doubled += found.doubled
        threads = gateway.threads()
        found = gateway.end()
        lost += found.lost
        doubled += found.doubled
    note = f"{gateway.talk.said:,} messages; {threads} threads at the end; slowest {max(heal):.1f} s"
    wrong = (lost + doubled)[:1]
    return Outcome(len(acts), len(lost), len(doubled), statistics.median(heal), "; ".join([note, *wrong]))


def one(act: _Act, seed: int, size: Size) -> Outcome:
    """One kind of fault, again and again."""
    return _life([act] * (TIMES if size is Size.FULL else 1), seed)


def storm(seed: int, size: Size) -> Outcome:
    """All kinds in one life, in an order that the seed draws; FULL: four times."""
    acts = [act for _, _, act in ACTS] * (4 if size is Size.FULL else 1)
    Random(seed).shuffle(acts)
    return _life(acts, seed)


FAULTS = (
    *(Fault(name, title, partial(one, act)) for name, title, act in ACTS),
    Fault("storm", "all of these in one life", storm),
)
