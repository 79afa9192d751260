"""Announcements in one line each: how they are written, what is expected, how both are held together.

    critical too-warm at 3h12m            an alarm of that rule, certain at that time after the start
    too-warm at 3h12m since 3h2m          and since when it was outside
    raised above since 1 due 11           the same in full; a bare number counts steps
    too-warm returned at 5h               its condition was gone; `ended`: its excursion was over
    too-warm between 3h and 3h30m         somewhere in there, both ends included
    too-warm at 3h12m ± 1m                that close
    nothing before 3h                     no alarm of any rule; `nothing of too-warm before 3h`, `nothing`
    any warming                           its alarms are no matter of this test
    sinking at 1h3m hidden                raised out of sight: a work or a person hides it, nobody is called

A rule is named by itself, or with its role where several have one of that name: `vapour/too-warm`. `silence`
is what is said of a channel that is no longer heard.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from enum import StrEnum
from fractions import Fraction

from msgspec import Struct

from coldchain.alarms.table import HIDDEN_STATES, AlarmState
from coldchain.announcements import Announcement, Kind, Late
from coldchain.model import Priority
from coldchain.testing.notation import LENGTH, Unreadable, duration_ms, duration_text

#: What people write instead of a kind's own word.
_SPOKEN = {
    "ended": Kind.EXCURSION_ENDED,
    "revised": Kind.EXCURSION_REVISED,
    "resolved": Kind.EXCURSION_RESOLVED,
    "reopened": Kind.EXCURSION_REOPENED,
    "re-alarmed": Kind.RE_ALARMED,
    "un-shelved": Kind.UNSHELVED,
}
_KINDS = {kind.value: kind for kind in Kind} | _SPOKEN
_PRIORITIES = {priority.value: priority for priority in Priority}
_LATE = {late.value: late for late in Late}
_SHOWS = frozenset({Kind.UNSUPPRESSED, Kind.IN_SERVICE})

_TIME = rf"(?:{LENGTH}|\d+(?:\.\d+)?(?![\w.]))"
_CLAUSES = (
    re.compile(rf"between\s+(?P<low>{_TIME})\s*and\s+(?P<high>{_TIME})"),
    re.compile(
        rf"(?P<word>at|since|due|end|announced)\s+(?P<at>{_TIME})\s*(?:(?:±|\+/-|\+-)\s*(?P<slack>{_TIME}))?"
    ),
    re.compile(rf"(?P<word>before|after)\s+(?P<at>{_TIME})"),
    re.compile(rf"(?P<late>{'|'.join(_LATE)})(?!\S)"),
)
_NAME = re.compile(r"[A-Za-z0-9][\w.:/~-]*")


class What(StrEnum):
    """What a line asks for: that something is said, that nothing is, or that it does not matter."""

    SAID = "said"
    NOTHING = "nothing"
    ANY = "any"


class Told(Struct, frozen=True):
    """An announcement, when it was made, and the role of a channel that it is about ("" if none)."""

    announced_ms: int
    said: Announcement
    role: str = ""

    @property
    def at_ms(self) -> int:
        """Its time as people say it: when it became certain, when it was over, else when it was said."""
        said = self.said
        if said.kind is Kind.RAISED and said.due_ms is not None:
            return said.due_ms
        if said.kind in (Kind.RETURNED, Kind.EXCURSION_ENDED) and said.end_ms is not None:
            return said.end_ms
        return self.announced_ms

    @property
    def hidden(self) -> bool:
        """Whether it is an alarm that calls nobody, since a work or a person hides it."""
        return self.said.kind is Kind.RAISED and self.said.state in HIDDEN_STATES

    @property
    def calls(self) -> bool:
        """Whether it asks for somebody: an alarm in sight, or one that comes into sight and lasts."""
        if self.said.kind in _SHOWS:
            return self.said.state == AlarmState.UNACKNOWLEDGED
        return self.said.kind is Kind.RAISED and not self.hidden

    def text(self, *, start_ms: int) -> str:
        """In the words of this notation, without its time: "critical vapour/too-warm since 3h2m"."""
        said = self.said
        name = said.rule or said.alarm or said.text
        words = [said.priority.value] if said.kind is Kind.RAISED and said.priority is not None else []
        words.append(f"{self.role}/{name}" if self.role else name)
        if said.kind is not Kind.RAISED:
            spoken = {kind: word for word, kind in _SPOKEN.items()}
            words.append(spoken.get(said.kind, said.kind.value))
        if said.since_ms is not None and said.since_ms != self.at_ms:
            words.append(f"since {duration_text(said.since_ms - start_ms)}")
        if said.late is not None:
            words.append(said.late.value)
        if self.hidden:
            words.append("hidden")
        return " ".join(words)


class Window(Struct, frozen=True):
    """From `low_ms` to `high_ms` after the start, both included; None: open."""

    low_ms: int | None
    high_ms: int | None

    def holds(self, at_ms: int | None) -> bool:
        """Whether an instant lies in it."""
        if at_ms is None:
            return False
        return (self.low_ms is None or at_ms >= self.low_ms) and (
            self.high_ms is None or at_ms <= self.high_ms
        )

    @property
    def width_ms(self) -> float:
        """How much it leaves open."""
        if self.low_ms is None or self.high_ms is None:
            return float("inf")
        return self.high_ms - self.low_ms


class Expected(Struct, frozen=True):
    """One line as read. `windows` are by word: at, since, due, end, announced."""

    text: str
    what: What
    kind: Kind = Kind.RAISED
    name: str = ""
    priority: Priority | None = None
    windows: tuple[tuple[str, Window], ...] = ()
    late: Late | None = None
    hidden: bool = False

    @property
    def at_ms(self) -> int | None:
        """Where it stands on a time line."""
        for _, window in self.windows:
            if window.low_ms is not None or window.high_ms is not None:
                return window.low_ms if window.low_ms is not None else window.high_ms
        return None

    @property
    def width_ms(self) -> float:
        """How much it leaves open: the narrowest line is held against what was said first."""
        return min((window.width_ms for _, window in self.windows), default=float("inf"))

    def about(self, told: Told) -> bool:
        """Whether it speaks of the rule, or the place, that an announcement is about."""
        said = told.said
        full = f"{told.role}/{said.rule}" if told.role else said.rule
        return self.name in ("", said.rule, full, said.alarm, said.text)

    def fits(self, told: Told, start_ms: int) -> bool:
        """Whether an announcement is what it asks for."""
        said = told.said
        if said.kind is not self.kind or told.hidden is not self.hidden or not self.about(told):
            return False
        if self.priority is not None and said.priority is not self.priority:
            return False
        if self.late is not None and said.late is not self.late:
            return False
        times = {
            "at": told.at_ms,
            "since": said.since_ms,
            "due": said.due_ms,
            "end": said.end_ms,
            "announced": told.announced_ms,
        }
        return all(
            window.holds(None if (at := times[word]) is None else at - start_ms)
            for word, window in self.windows
        )


def expected(text: str, *, step_ms: int | None = None) -> Expected:
    """Read one line; `step_ms` is what a bare number counts. Raises Unreadable."""
    rest = text.strip().replace("−", "-")
    for word, what in (("nothing", What.NOTHING), ("any", What.ANY)):
        if rest == word or rest.startswith(word + " "):
            name, clauses = _named(rest.removeprefix(word).strip().removeprefix("of "), optional=True)
            windows, late = _clauses(text, clauses, step_ms)
            if what is What.ANY and (not name or windows):
                raise Unreadable(text, "says not what does not matter", 'write a rule: "any warming"')
            return Expected(text, what, name=name, windows=windows, late=late)
    hidden = rest.endswith(" hidden")
    rest = rest.removesuffix(" hidden")
    words = rest.split(maxsplit=1)
    priority = _PRIORITIES.get(words[0]) if words else None
    if priority is not None:
        rest = words[1] if len(words) > 1 else ""
    kind, rest = _verb(rest)
    name, rest = _named(rest, optional=False)
    if not name:
        raise Unreadable(text, "names no rule", 'write one such as "critical too-warm at 3h12m"')
    if kind is None:
        kind, rest = _verb(rest)
    windows, late = _clauses(text, rest, step_ms)
    return Expected(text, What.SAID, kind or Kind.RAISED, name, priority, windows, late, hidden)


class Held(Struct, frozen=True):
    """What was expected beside what happened.

    pairs:      lines with what fulfilled them; missing: lines that nothing fulfilled.
    unexpected: alarms that no line speaks of; broken: "nothing" lines with the alarm that broke them.
    """

    pairs: tuple[tuple[Expected, Told], ...]
    missing: tuple[Expected, ...]
    unexpected: tuple[Told, ...]
    broken: tuple[tuple[Expected, Told], ...]

    @property
    def whole(self) -> bool:
        """Whether everything was as expected."""
        return not (self.missing or self.unexpected or self.broken)


def hold(lines: Sequence[Expected], happened: Sequence[Told], *, start_ms: int) -> Held:
    """Hold what was said against what was expected: every alarm that calls must be named, the rest may be."""
    left = list(happened)
    pairs: list[tuple[Expected, Told]] = []
    missing: list[Expected] = []
    wanted = [line for line in lines if line.what is What.SAID]
    for line in sorted(wanted, key=lambda line: line.width_ms):
        found = next((told for told in left if line.fits(told, start_ms)), None)
        if found is None:
            missing.append(line)
        else:
            left.remove(found)
            pairs.append((line, found))
    free = [line for line in lines if line.what is What.ANY]
    raised = [told for told in happened if told.said.kind is Kind.RAISED]
    broken = [
        (line, told)
        for line in lines
        if line.what is What.NOTHING
        for told in raised
        if line.fits(told, start_ms)
    ]
    unexpected = [
        told
        for told in left
        if told.calls
        and not any(line.about(told) for line in free)
        and not any(told is other for _, other in broken)
    ]
    order = {id(line): index for index, line in enumerate(lines)}
    pairs.sort(key=lambda pair: order[id(pair[0])])
    missing.sort(key=lambda line: order[id(line)])
    return Held(tuple(pairs), tuple(missing), tuple(unexpected), tuple(broken))


def told(announcements: Iterable[Announcement], *, start_ms: int = 0, step_ms: int = 60_000) -> list[str]:
    """Announcements as lines in full, event times in steps from the start of the series."""

    def steps(at_ms: int) -> str:
        return str(Fraction(at_ms - start_ms, step_ms).limit_denominator(100_000))

    lines = []
    for said in announcements:
        words = [said.kind.value, said.rule or said.alarm or said.text]
        if said.since_ms is not None:
            words.append(f"since {steps(said.since_ms)}")
        if said.due_ms is not None:
            words.append(f"due {steps(said.due_ms)}")
        if said.end_ms is not None:
            words.append(f"end {steps(said.end_ms)}")
        if said.late is not None:
            words.append(said.late.value)
        lines.append(" ".join(words))
    return lines


def _verb(rest: str) -> tuple[Kind | None, str]:
    word, _, after = rest.partition(" ")
    if word == "not" and after.startswith("confirmed"):
        return Kind.NOT_CONFIRMED, after.removeprefix("confirmed").strip()
    return (_KINDS[word], after.strip()) if word in _KINDS else (None, rest)


_CLAUSE_WORDS = frozenset({"at", "since", "due", "end", "announced", "before", "after", "between"})


def _named(rest: str, *, optional: bool) -> tuple[str, str]:
    match = _NAME.match(rest)
    if match is None or (match.group() in _CLAUSE_WORDS and (optional or match.end() < len(rest))):
        return "", rest
    return match.group(), rest[match.end() :].strip()


def _clauses(text: str, rest: str, step_ms: int | None) -> tuple[tuple[tuple[str, Window], ...], Late | None]:
    windows: list[tuple[str, Window]] = []
    late: Late | None = None
    rest = rest.strip().lstrip(",").strip()
    while rest:
        match = next((found for clause in _CLAUSES if (found := clause.match(rest)) is not None), None)
        if match is None:
            token = rest.split()[0]
            raise Unreadable(
                token,
                f'is not understood in "{text}"',
                'write what was said and when, such as "critical too-warm at 3h12m" or "nothing before 3h"',
            )
        parts = match.groupdict()
        if "late" in parts:
            late = _LATE[parts["late"]]
        elif "low" in parts:
            low, high = (duration_ms(parts[key], step_ms=step_ms) for key in ("low", "high"))
            if low > high:
                raise Unreadable(text, "ends before it begins", "write the earlier time first")
            windows.append(("at", Window(low, high)))
        else:
            windows.append(_window(parts["word"], parts, step_ms))
        rest = rest[match.end() :].strip().lstrip(",").strip()
    return tuple(windows), late


def _window(word: str, parts: dict[str, str], step_ms: int | None) -> tuple[str, Window]:
    at_ms = duration_ms(parts["at"], step_ms=step_ms)
    if word == "before":
        return "at", Window(None, at_ms - 1)
    if word == "after":
        return "at", Window(at_ms + 1, None)
    slack_ms = duration_ms(parts["slack"], step_ms=step_ms) if parts.get("slack") else 0
    return word, Window(at_ms - slack_ms, at_ms + slack_ms)
