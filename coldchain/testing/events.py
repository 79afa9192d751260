"""What happens to a product besides readings, in one line: "at 2h stage storage", "at 30m unbind vapour".

Each word is what a person enters at a gateway; what is refused there is refused here, too.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from coldchain.facts import (
    Acknowledged,
    AlarmClosed,
    Bound,
    ConsignmentEnded,
    EtaSet,
    Fact,
    LatchReset,
    Shelved,
    StageEntered,
    Unbound,
    Unshelved,
    WorkBegan,
    WorkEnded,
)
from coldchain.model import Ending
from coldchain.testing.notation import LENGTH, Unreadable, duration_ms

#: The one vessel and the one consignment of a check.
ASSET = CONSIGNMENT = "check"
#: Who does what happens in a check.
ACTOR = "check"

_LINE = re.compile(rf"at\s+(?P<at>{LENGTH}|0)\s*(?P<word>[a-z-]+)\s*(?P<rest>.*)")


class Event(Struct, frozen=True):
    """One thing that happens `at_ms` after the start; `stage` and `role` are what it names, if anything."""

    text: str
    at_ms: int
    word: str
    rest: str
    stage: str = ""
    role: str = ""

    def fact(self, start_ms: int, unacknowledged: Callable[[str], tuple[int, ...]]) -> Fact:
        """The fact that it is. unacknowledged: what nobody has acknowledged of an alarm by then."""
        at_ms = start_ms + self.at_ms
        alarm, _, words = self.rest.partition(" ")
        alarm = alarm if "/" not in alarm or alarm.startswith(("port:", "gateway/")) else f"{ASSET}/{alarm}"
        match self.word:
            case "stage":
                return StageEntered(CONSIGNMENT, self.stage, at_ms, ACTOR, self.text)
            case "eta":
                return EtaSet(CONSIGNMENT, start_ms + duration_ms(self.rest), at_ms, ACTOR)
            case "end":
                return ConsignmentEnded(CONSIGNMENT, self.rest, at_ms, ACTOR, self.text)
            case "unbind":
                return Unbound(self.role, at_ms, ACTOR, self.text)
            case "bind":
                return Bound(self.role, ASSET, self.role, at_ms, ACTOR, self.text)
            case "work":
                until_ms = at_ms + duration_ms(words.removeprefix("for "))
                return WorkBegan(ASSET, self.rest.split()[0], until_ms, ACTOR, self.text)
            case "done":
                return WorkEnded(ASSET, self.rest, ACTOR, self.text)
            case "acknowledge":
                return Acknowledged(alarm, unacknowledged(alarm), ACTOR, self.text)
            case "shelve":
                length_ms = duration_ms(words.removeprefix("for "))
                return Shelved(alarm, at_ms + length_ms, ACTOR, self.text)
            case "unshelve":
                return Unshelved(alarm, ACTOR, self.text)
            case "reset":
                return LatchReset(alarm, ACTOR, self.text)
            case _:
                return AlarmClosed(alarm, ACTOR, self.text)


#: What can happen, each with an example: the words of the command line.
EXAMPLES = {
    "stage": "at 2h stage storage",
    "eta": "at 0 eta 30h",
    "end": "at 30h end delivered",
    "bind": "at 3h bind vapour",
    "unbind": "at 2h unbind vapour",
    "work": "at 2h work filling for 30m",
    "done": "at 2h20m done filling",
    "acknowledge": "at 4h acknowledge vapour/too-warm",
    "shelve": "at 4h shelve vapour/too-warm for 30m",
    "unshelve": "at 5h unshelve vapour/too-warm",
    "reset": "at 6h reset vapour/too-warm",
    "close": "at 6h close vapour/too-warm",
}
_OUTCOMES = tuple(Ending)


def event(text: str) -> Event:
    """Read one line. Raises Unreadable."""
    match = _LINE.fullmatch(text.strip())
    if match is None:
        raise Unreadable(text, "is no event", f'write one such as "{EXAMPLES["stage"]}"')
    word, rest = match["word"], match["rest"].strip()
    if word not in EXAMPLES:
        known = ", ".join(EXAMPLES)
        raise Unreadable(word, "is nothing that can happen here", f"write one of {known}")
    found = Event(text, duration_ms(match["at"]), word, rest)
    _checked(found)
    if word == "stage":
        return Event(text, found.at_ms, word, rest, stage=rest)
    if word in ("bind", "unbind"):
        return Event(text, found.at_ms, word, rest, role=rest)
    return found


def _checked(found: Event) -> None:
    """Refuse an event that lacks what its word needs."""
    mend = f'write it such as "{EXAMPLES[found.word]}"'
    alarm, _, words = found.rest.partition(" ")
    match found.word:
        case "eta":
            duration_ms(found.rest)
        case "end" if found.rest not in _OUTCOMES:
            raise Unreadable(
                found.rest or found.text, "is no outcome", f"write one of {', '.join(_OUTCOMES)}"
            )
        case "shelve" | "work":
            duration_ms(words.removeprefix("for "))
        case _:
            pass
    if not found.rest or (
        found.word in ("acknowledge", "shelve", "unshelve", "reset", "close") and not _is_alarm(alarm)
    ):
        raise Unreadable(found.text, "does not say what", mend)


def _is_alarm(name: str) -> bool:
    return "/" in name or name.startswith("port:")
