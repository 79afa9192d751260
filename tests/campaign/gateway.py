"""A whole gateway under faults: the real daemon as a process of its own, real servers, and what is audited.

    with Gateway(folder, seed) as gateway:
        gateway.flow(20)          # so many more messages come through, or AssertionError
        gateway.line.cut()        # any fault
        gateway.healed()          # work goes on; how many real seconds that took
        gateway.audit()           # what was lost, what was doubled: nothing

Two devices speak all the time: one over MQTT (QoS 1, through a relay that writes down what the daemon really
acknowledged) and one on a pseudo-terminal. Their values swing around a limit, so that alarms come.
"""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Self

from coldchain.daemon.control import Ask, ask, socket_path
from coldchain.journal import Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Verdict, verify
from coldchain.web.station import Action
from tests.campaign.elsewhere import ROOM, Elsewhere
from tests.campaign.growth import Growth
from tests.campaign.ledger import BUS, FLOOD, LOG, Ledger
from tests.campaign.nursery import Forked, Nursery
from tests.campaign.rig import tell
from tests.campaign.talk import Onlooker, Talk
from tests.integration.gateways import Child, Printer, Site, answers
from tests.servers import Alertmanager, Mosquitto, MqttRelay, Packet, Side, VictoriaMetrics, wait_until
from tests.servers.receiver import Receiver

#: A fault that has not healed after this long never does (real seconds).
HEAL_S = 60.0
#: Connections are cut for so long at most, and a keep-alive is longer (real seconds).
LONGEST_CUT_S, _KEEP_ALIVE = 60.0, "90 s"
#: The alarm of the box whose device never stops talking.
ALARM = "box-bus/vapour/above"


@dataclass
class Audit:
    """What is wrong after a fault: a line each, by what it costs."""

    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    grown: list[str] = field(default_factory=list)

    def __add__(self, other: Audit) -> Audit:
        """Both together."""
        return Audit(self.lost + other.lost, self.doubled + other.doubled, self.grown + other.grown)


class Gateway:
    """Everything, from start to end. `chance` is the fault's; the seed says what it draws.

    fault: the guard that its first process is without. behind_ms: how long ago it lives.
    """

    def __init__(self, folder: Path, seed: int, fault: str = "", *, behind_ms: int = 0) -> None:
        self.folder, self.chance, self._fault = folder, Random(seed), fault
        self._ends = ExitStack()
        enter = self._ends.enter_context
        self.broker = Mosquitto(folder / "mosquitto")
        self.line = MqttRelay(enter(self.broker).port)
        enter(self.line)
        self.series = enter(VictoriaMetrics(folder / "series"))
        self.pager = Receiver().start()
        self.room = Receiver().start()
        self._ends.callback(self.pager.stop)
        self._ends.callback(self.room.stop)
        self.pages = enter(Alertmanager(folder / "pages", webhook=self.pager.url))
        self.printer = enter(Printer(folder / "log"))
        site = Site(folder).profile(hold="0 s", latched=False).broker(self.line.port, keep_alive=_KEEP_ALIVE)
        site.mqtt(BUS, topic="probe").ascii(LOG, self.printer.port).webhook(self.room.url, name=ROOM)
        # Its device says nothing until there is to be more than can be taken; on a connection of its own.
        self.flood_line = enter(MqttRelay(self.broker.port))
        site.broker(self.flood_line.port, client_id="flooded", name="flooded")
        site.mqtt(FLOOD, topic="flood", broker="flooded")
        site.part("series", f'[sinks.series]\nkind = "influx"\nurl = "{self.series.url}"\nbucket = "b"\n')
        site.part("pages", f'[sinks.pages]\nkind = "alertmanager"\nurl = "{self.pages.url}"\n')
        self.site = site
        self.site.write()
        self.daemon: Child | Forked | None = None
        self._log = folder / "daemon.log"
        self._nursery: Nursery | None = None
        #: The broker was killed: what it had said yes to and not yet handed on is its own to lose.
        self.broker_forgot = False
        self.ledger = Ledger(site.journal)
        self.elsewhere = Elsewhere(site.journal, self.ledger, self.room, self.series, self.pages)
        #: How long what is on its way may take to arrive in the end (real seconds).
        self.patience_s = 2 * HEAL_S
        self.growth = Growth()
        #: How often the daemon was killed by SIGKILL: by us, or by its own hand.
        self.kills = 0
        self._behind_ms, self._asleep_ms = behind_ms, 0
        #: What the printing logger prints, and by how much its clock is wrong.
        self.printed_celsius, self.printed_ahead_ms = -180.0, -behind_ms
        self._heard, self._alarms = 0, Counter[tuple[str, bool]]()

    def __enter__(self) -> Self:
        self.clocks()
        self.begin(cheaply=bool(self._fault), fault=self._fault or "none")
        # What is said before the daemon has subscribed is not kept for it.
        wait_until(lambda: bool(self.line.acknowledged()) or self._subscribed(), what="it listens")
        self.talk = self._ends.enter_context(Talk(self.broker.port, -self._behind_ms))
        self._onlooker = self._ends.enter_context(Onlooker(self.site.journal))
        return self

    def __exit__(self, *_: object) -> None:
        if self.daemon is not None and self.daemon.running():
            self.signal(signal.SIGKILL)  # only after a failure: nothing of ours stays behind
            self.daemon.wait(30)
        self._ends.close()

    def _subscribed(self) -> bool:
        return bool(self.line.of(Packet.SUBACK, Side.BROKER))

    # --- The daemon

    def begin(self, *, cheaply: bool = False, fault: str = "none") -> None:
        """Start it, as systemd would; cheaply: by a fork, and not as a command, perhaps without a guard."""
        if cheaply:
            self.daemon = self._bear("never", 0, fault)
            wait_until(lambda: answers(self.site.journal), what="it answers", deadline_s=HEAL_S)
        else:
            self.daemon = self._command().ready(self.site.journal)

    def kill(self) -> None:
        """SIGKILL, at whatever it is doing."""
        self.signal(signal.SIGKILL)
        assert self.daemon is not None
        assert self.daemon.wait(30) == -signal.SIGKILL, f"it had ended by itself: {self.said()}"
        self.kills += 1

    def begin_and_kill(self, after_s: float) -> None:
        """Start it, and kill it before it is up, or just then."""
        self.daemon = self._command()
        time.sleep(after_s)
        self.kill()

    def kill_at(self, point: str, passes: int, fault: str = "none") -> None:
        """Let one live that kills itself where it is told to."""
        status = self._bear(point, passes, fault).wait(HEAL_S)
        assert status == -signal.SIGKILL, f"ended with {status} instead of by its own hand: {self.said()}"
        self.kills += 1

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self.daemon is not None
        self.daemon.signal(number)

    def reload(self) -> None:
        """Have it read its configuration again, and wait until that is in force."""
        self.ledger.look()
        before = self.ledger.activations
        self.signal(signal.SIGHUP)
        wait_until(lambda: self._activations() > before, what="it is in force", deadline_s=HEAL_S)

    def refusals(self) -> int:
        """How often it has said that a configuration is refused."""
        return self._log.read_text(encoding="utf-8", errors="replace").count("configuration refused")

    def standing(self) -> set[str]:
        """The alarms that stand, as the running daemon says."""
        return self.elsewhere.standing()

    def _activations(self) -> int:
        self.ledger.look()
        return self.ledger.activations

    def wait(self) -> None:
        """Wait for its end, which must be a clean one."""
        assert self.daemon is not None
        assert self.daemon.wait(30) == 0, self.said()

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self.daemon is not None
        return self.daemon.pid

    def said(self) -> str:
        """The last that it wrote to its log."""
        return self._log.read_text(encoding="utf-8", errors="replace")[-4000:]

    def _command(self) -> Child:
        return Child(
            "-m", "tests.campaign.rig", self.folder, "run", "--config", self.site.config, log=self._log
        )

    def _bear(self, point: str, passes: int, fault: str = "none") -> Forked:
        if self._nursery is None:
            self._nursery = self._ends.enter_context(Nursery(self._log))
        return self._nursery.bear("daemon", point, passes, self.site.config, fault)

    def do(self, action: Action) -> None:
        """Somebody on this machine wants this done, and it is."""
        outcome = ask(socket_path(self.site.journal), Ask(action=action)).outcome
        assert outcome is not None
        assert outcome.done, outcome

    # --- What it stands on

    def room_for(self, facts: int | None) -> None:
        """From its next start on so many facts of devices may wait; None: as many as ever."""
        if facts is None:
            (self.folder / "intake").unlink(missing_ok=True)
        else:
            tell(self.folder, "intake", str(facts))

    def disk(self, failure: str, every: int = 1) -> None:
        """From now on each so many-th request to the disk is refused: `rig.FAILURES`; "": none."""
        if failure:
            tell(self.folder, "disk", f"{failure} {every}")
        else:
            (self.folder / "disk").unlink(missing_ok=True)

    def clocks(self, *, wall_ms: int = 0, asleep_ms: int = 0) -> None:
        """The wall clock is wrong by so much; the machine slept for so long, which no clock forgets."""
        self._asleep_ms += asleep_ms
        tell(self.folder, "clocks", f"{wall_ms + self._asleep_ms - self._behind_ms} {self._asleep_ms}")

    def pass_ms(self, by_ms: int) -> None:
        """So much time passes for everybody, at once."""
        self.clocks(asleep_ms=by_ms)
        self.talk.ahead_ms += by_ms
        self.printed_ahead_ms += by_ms

    def clocks_agree(self) -> bool:
        """Whether the daemon's clock is that of its devices, and the logger has printed no time to come."""
        now_ms = time.time_ns() // 1_000_000
        return self._asleep_ms == 0 and max(self.ledger.times[LOG], default=0) <= now_ms

    # --- What goes on

    def _reached(self, number: int) -> bool:
        """Whether this message or a later one is in the journal: one may be stuck in the device itself."""
        self.ledger.look()
        return self.ledger.last(BUS) >= number

    def flow(self, count: int) -> None:
        """Wait until so many more messages than now are in the journal, and a printed line."""
        until = self.talk.said + count
        wait_until(
            lambda: self.talk.said >= until and self._reached(until - 1),
            what="work goes on",
            deadline_s=HEAL_S,
        )

    def talk_on(self, count: int) -> None:
        """Wait until so many more messages were said, whatever becomes of them."""
        until = self.talk.said + count
        wait_until(lambda: self.talk.said >= until, what="the device talks", deadline_s=HEAL_S)

    def print_lines(self, count: int) -> None:
        """The logger on the serial line prints; each line comes in."""
        for _ in range(count):
            before = self.ledger.numbers(LOG).total()
            self._print()
            wait_until(lambda b=before: self._printed_since(b), what="a line is read", deadline_s=HEAL_S)  # type: ignore[misc]

    def _print(self) -> None:
        self.printer.say(self.printed_celsius, time.time_ns() // 1_000_000 + self.printed_ahead_ms)

    def _printed_since(self, before: int) -> bool:
        self.ledger.look()
        if self.ledger.numbers(LOG).total() > before:
            return True
        self._print()  # one that fell into the fault is not repeated
        time.sleep(0.1)
        return False

    def healed(self) -> float:
        """Wait until it answers, works on both lines and calls people; the real seconds until it worked.

        The box is too warm for a while twice a second or so: the next time that it is, the room hears of it.
        """
        began = time.monotonic()
        wait_until(lambda: answers(self.site.journal), what="it answers", deadline_s=HEAL_S)
        self.flow(1)
        self.print_lines(1)
        took = time.monotonic() - began
        before = self.alarms()
        wait_until(lambda: self.alarms() > before, what="an alarm reaches the room", deadline_s=HEAL_S)
        return took

    def clock_facts(self) -> int:
        """How often something was noticed of the clock."""
        self.ledger.look()
        return self.ledger.clock_facts

    def alarms(self, alarm: str = ALARM, *, unrecorded: bool | None = None) -> int:
        """How often the room took it that this alarm is raised: recorded, not recorded, or both."""
        for request in self.room.taken[self._heard :]:
            self._heard += 1
            with contextlib.suppress(ValueError):  # one that was cut off with the process
                said = request.content
                if said["announcement"]["kind"] == "raised":
                    self._alarms[said["announcement"]["alarm"], bool(said["unrecorded"])] += 1
        return sum(self._alarms[alarm, kind] for kind in (True, False) if unrecorded in (None, kind))

    # --- The audit

    def audit(self) -> Audit:
        """Everything that was acknowledged is there once, sinks equal the journal, `verify` says equal."""
        found = Audit()
        talked = [
            json.loads(each.payload)["sequence"]
            for each in self.line.acknowledged()
            if each.topic == "probe" and each.payload.startswith(b'{"time"')
        ]
        acknowledged = {number for number in talked if number >= 0}  # below: a message that is no reading
        self.ledger.look()
        there = self.ledger.numbers(BUS)
        found.lost += [f"acknowledged, not in the journal: {n}" for n in sorted(acknowledged - there.keys())]
        found.doubled += self.ledger.doubled()
        if self.daemon is not None and self.daemon.running():
            self.growth.look(self.pid, self.talk.said)
        return found

    def end(self) -> Audit:
        """Say no more, let everything arrive, end the daemon, and look at the whole."""
        self.talk.end()
        self.talk.settled()
        audit = Audit()
        if not self.broker_forgot:
            everything = self.talk.said
            audit.lost += self._at_last(lambda: self._never_came(everything))
        audit.lost += self._at_last(self.elsewhere.notices_amiss)
        audit.lost += self._at_last(self.elsewhere.series_amiss)
        audit.lost += self._at_last(self.elsewhere.pages_amiss)
        audit.doubled += self.elsewhere.told_twice()
        self.signal(signal.SIGTERM)
        self.wait()
        rest = self.audit()
        audit.doubled += [
            f"shown, and not in the journal: {one}" for one in self._onlooker.shown - self.ledger.values
        ]
        with Reader.open(self.site.journal) as reader:
            verification = verify(reader, engine())
        if not verification.sound or {s.verdict for s in verification.stretches} != {Verdict.EQUAL}:
            audit.lost.append(f"verify: {verification}")
        audit.grown += self.growth.found()
        return audit + rest

    def _never_came(self, said: int) -> list[str]:
        self.ledger.look()
        there = self.ledger.numbers(BUS)
        return [f"said, not in the journal: {n}" for n in range(said) if n not in there]

    def _at_last(self, amiss: Callable[[], list[str]]) -> list[str]:
        """What is still amiss when it has had its time."""
        until_s = time.monotonic() + self.patience_s
        while (found := amiss()) and time.monotonic() < until_s:
            time.sleep(0.1)
        return found
