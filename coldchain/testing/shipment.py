"""A shipment under a test's own hand: time jumps, things happen, and what was said is looked at.

    box = shipment("dry-shipper-150", scene="dry_shipper", channels={"vapour": "5 min"})
    box.passes("3h")
    box.happens("vacuum lost")
    box.passes("3h")
    box.said_nothing(before="3h")
    box.said("critical", within="90 min", of="vacuum lost")
    assert box.verdict == "outside"

Readings are played by a vessel of the laboratory (`scene`), or written down (`reads`). The very fold that
judges live judges them; no daemon runs, no time is waited for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from coldchain.announcements import Kind
from coldchain.config.document import Document
from coldchain.config.fields import Name
from coldchain.model import Priority
from coldchain.reports import Verdict
from coldchain.testing.check_file import (
    CaseReader,
    CheckCase,
    CheckChannel,
    CheckFile,
    JudgedBy,
    named_profile,
)
from coldchain.testing.checking import CaseResult, CaseRun
from coldchain.testing.events import Event, event
from coldchain.testing.notation import Series, duration_ms, duration_text, series
from coldchain.testing.saying import Expected, Told, expected, hold
from coldchain.testing.scenario_file import SceneTable, SensorChannel
from coldchain.testing.scenario_run import facts_of
from coldchain_simulators.carrier import Carrier
from coldchain_simulators.scenes import VESSELS, Scene
from coldchain_simulators.story import Happens, Story


class _Played(JudgedBy):
    """What a shipment with a scene is made of."""

    scene: SceneTable
    channels: dict[Name, SensorChannel]


class _Written(JudgedBy):
    """What a shipment whose readings are written down is made of."""

    channels: dict[Name, CheckChannel]


class Shipment:
    """One vessel under one profile. Times are texts such as "3h12m"; `now` is how long it has lasted."""

    def __init__(
        self,
        profile: str | Path,
        *,
        channels: Mapping[str, str | Mapping[str, Any]],
        engine: str,
        scene: str | Mapping[str, Any] = "",
        stage: str = "",
        figures: Mapping[str, str] | None = None,
        vessel: Mapping[str, Any] | None = None,
        folders: Sequence[Path] = (),
        seed: int = 7,
    ) -> None:
        """profile: an id, or a file. channels: by role, how often ("5 min") or as in a scenario's file.

        figures: the site's own numbers; vessel: tare, loss, hold. Raises ConfigError with all that is wrong.
        """
        given: dict[str, Any] = {
            "profile": str(profile),
            "stage": stage,
            "figures": {
                name: {"value": value, "source": "a test", "approved_by": "nobody"}
                for name, value in (figures or {}).items()
            },
            "vessel": dict(vessel or {}),
            "channels": {
                role: _channel(role, channel, played=bool(scene)) for role, channel in channels.items()
            },
        }
        if scene:
            given["scene"] = {"kind": scene} if isinstance(scene, str) else dict(scene)
        self.seed = seed
        self.now_ms = 0
        self._file, self._story = _made(given, folders, seed)
        (self._case,) = self._file.cases
        self._run = CaseRun(self._file, self._case, engine)
        self._arrived = 0
        self._events: list[Event] = []
        self._happened: dict[str, int] = {}

    @property
    def now(self) -> str:
        """How long it has lasted."""
        return duration_text(self.now_ms)

    def passes(self, span: str) -> Shipment:
        """Let time jump; what is measured and due meanwhile happens."""
        self.now_ms += duration_ms(span)
        if self._story is not None:
            arrived = self._story.play(self.now_ms)
            for at_ms, what in arrived[self._arrived :]:
                for fact in facts_of(self._file, self._case, at_ms, what):
                    self._run.feed(self._case.start_ms + at_ms, fact)
            self._arrived = len(arrived)
        self._run.pass_until(self._case.start_ms + self.now_ms)
        return self

    def happens(self, words: str) -> Shipment:
        """Something happens to vessel, probe, network or gateway, now; raises Unknown if nothing does."""
        if self._story is None:
            raise ValueError("nothing can happen without a scene; write scene=… or read what was measured")
        self._story.happen(Happens(self.now_ms, words))
        self._happened.setdefault(words, self.now_ms)
        return self

    def reads(self, role: str, text: str) -> Shipment:
        """A series such as "5 for 3h, ramp to 12 over 1h" is measured; time is then at its end."""
        return self.reads_all({role: text})

    def reads_all(self, texts: Mapping[str, str]) -> Shipment:
        """Several roles are measured side by side; time is then at the end of the longest."""
        began_ms = self._case.start_ms + self.now_ms
        facts = []
        length_ms = 0
        for role, text in texts.items():
            channel = self._file.channels[role]
            written = series(text, step_ms=channel.settings.interval)
            length_ms = max(length_ms, written.length_ms)
            unit = channel.settings.unit or channel.quantity.display_unit
            facts += [
                (one.at_ms or 0, one)
                for one in written.readings(source=role, channel=role, unit=unit, start_ms=began_ms)
            ]
        for at_ms, fact in sorted(facts, key=lambda pair: pair[0]):
            self._run.feed(at_ms, fact)
        self.now_ms += length_ms
        self._run.pass_until(self._case.start_ms + self.now_ms)
        return self

    def enters(self, text: str) -> Shipment:
        """A person enters something now: "stage storage", "shelve vapour/too-warm for 6h", "eta 30h"."""
        entered = event(f"at {duration_text(self.now_ms)} {text}")
        self._events.append(entered)
        self._run.enter(self._case.start_ms + self.now_ms, entered)
        return self

    @property
    def told(self) -> tuple[Told, ...]:
        """Everything that was said so far."""
        return self._run.told()

    @property
    def verdict(self) -> Verdict:
        """What is to be thought of the product now."""
        return self.result.verdict

    @property
    def result(self) -> CaseResult:
        """How it went so far, as `coldchain check` has it."""
        case = replace(self._case, events=tuple(self._events), until_ms=self.now_ms)
        return self._run.result(case, self._case.start_ms + self.now_ms)

    def said(self, what: str, *, within: str = "", of: str = "", after: str = "") -> Told:
        """The first alarm of that kind, or AssertionError: "critical", "too-warm", "critical too-warm".

        within: how late it may be; of: what happened (else `after`, a time; else the start).
        """
        from_ms = self._moment(of) if of else duration_ms(after) if after else 0
        until_ms = None if not within else from_ms + duration_ms(within)
        start_ms = self._case.start_ms
        for told in self._alarms(what):
            at_ms = told.at_ms - start_ms
            if at_ms >= from_ms and (until_ms is None or at_ms <= until_ms):
                return told
        until = "now" if until_ms is None else duration_text(until_ms)
        raise AssertionError(
            f'no alarm "{what}" between {duration_text(from_ms)} and {until}\n{self.timeline()}'
        )

    def said_nothing(self, *, before: str = "", of: str = "") -> None:
        """AssertionError if an alarm was raised before a time, or before what happened (`of`), or at all."""
        until_ms = self._moment(of) if of else duration_ms(before) if before else self.now_ms + 1
        early = [told for told in self._alarms("") if told.at_ms - self._case.start_ms < until_ms]
        assert not early, f"said before {duration_text(until_ms)}: {self._line(early[0])}\n{self.timeline()}"

    def expects(self, *lines: str) -> None:
        """Hold everything that was said against lines such as "critical too-warm between 3h and 4h"."""
        wanted: list[Expected] = [expected(line) for line in lines]
        held = hold(wanted, self.told, start_ms=self._case.start_ms)
        wrong = [f"expected and not said: {line.text}" for line in held.missing]
        wrong += [f"said and not expected: {self._line(told)}" for told in held.unexpected]
        wrong += [f"{line.text}, but: {self._line(told)}" for line, told in held.broken]
        assert held.whole, "\n".join([*wrong, self.timeline()])

    def timeline(self) -> str:
        """What happened and what was said so far, with the seed that plays it again."""
        lines = [(at_ms, f"{duration_text(at_ms):>12} · {words}") for words, at_ms in self._happened.items()]
        lines += [
            (each.at_ms, f"{duration_text(each.at_ms):>12} > {each.word} {each.rest}")
            for each in self._events
        ]
        start_ms = self._case.start_ms
        lines += [(told.announced_ms - start_ms, f"{'':>12} ! {self._line(told)}") for told in self.told]
        told = "\n".join(line for _, line in sorted(lines, key=lambda pair: pair[0])) or "nothing was said"
        return f"seed {self.seed}, {self.now} long\n{told}"

    def _alarms(self, what: str) -> list[Told]:
        words = what.split()
        priorities = {word for word in words if word in set(Priority)}
        names = [word for word in words if word not in priorities]
        return [
            told
            for told in self.told
            if told.said.kind is Kind.RAISED
            and (not priorities or str(told.said.priority) in priorities)
            and all(name in (told.said.rule, f"{told.role}/{told.said.rule}") for name in names)
        ]

    def _moment(self, words: str) -> int:
        if words not in self._happened:
            known = ", ".join(self._happened) or "nothing"
            raise ValueError(f'"{words}" has not happened; what has: {known}')
        return self._happened[words]

    def _line(self, told: Told) -> str:
        start_ms = self._case.start_ms
        return f"{duration_text(told.at_ms - start_ms)} {told.text(start_ms=start_ms)}"


def _channel(role: str, given: str | Mapping[str, Any], *, played: bool) -> dict[str, Any]:
    settings = {"interval": given} if isinstance(given, str) else dict(given)
    return ({"of": role} if played else {}) | settings


def _made(given: dict[str, Any], folders: Sequence[Path], seed: int) -> tuple[CheckFile, Story | None]:
    document = Document("shipment", "")
    played = document.validate(_Played, given) if "scene" in given else None
    head = played if "scene" in given else document.validate(_Written, given)
    document.raise_problems()
    assert head is not None, "else a problem was raised"
    profile = named_profile(document, head, Path(), folders)
    channels: dict[str, CheckChannel] = dict(head.channels)
    reader = CaseReader(document, head, profile, channels)
    case = reader.case((), CheckCase(name="shipment", series={}, expect=(), verdict=Verdict.INSIDE))
    document.raise_problems()
    assert case is not None, "else a problem was raised"
    case = replace(case, series={role: Series((), 0) for role in channels})
    file = CheckFile(document, "shipment", profile, reader.channels, (case,), dict(head.figures), head.vessel)
    if played is None:
        return file, None
    scene = Scene(
        VESSELS[played.scene.kind](**played.scene.settings()),
        {role: channel.sensor for role, channel in played.channels.items()},
        seed,
        played.scene.around_c,
    )
    intervals = {role: channel.interval for role, channel in played.channels.items()}
    return file, Story(scene, Carrier(), intervals, ())
