"""The text that all readings of a channel have in common, found again where its one row is damaged or lost.

A shape of some hundred bytes stands for thousands of readings. Where one of its bits was turned, all of them
are tried; where it is gone, it is made as this program makes it, from the channels that configurations name.
What is right only a link can say: a guess counts if it proves a commit, byte for byte.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import product

import msgspec

from coldchain import facts
from coldchain.facts import Activated, Reading
from coldchain.journal import shapes
from coldchain.model import Origin, Reason

#: Commits by which a shape is tried before it is given up: each of them may be damaged itself.
TRIES = 3
#: Commits of more facts take longer to try than they are worth.
FACTS_MAX = 50
#: Unit tokens as devices send them, beside those of the journal's other shapes.
_UNITS = ("°C", "degC", "C", "°F", "F", "K", "kg", "g", "lb", "mm", "cm", "%", "hPa", "V", "")

_Row = tuple[int, int, bytes]  # arrival, shape, body


def reshape(
    known: dict[int, list[bytes]],
    rows: Mapping[int, list[_Row]],
    spans: Iterable[tuple[int, int, int]],
    proves: Callable[[int], bool],
) -> tuple[set[int], set[int]]:
    """Put shapes right; which were, and which are lost for good.

    known: what was found of each shape; the right text comes to stand there alone. rows: facts by position.
    spans: commits whose links are there, as (number, first position, facts). proves: whether that commit is
    what its link says, with what is `known` then.
    """
    whole = [body for there in rows.values() for _, shape, body in there if shape == shapes.WHOLE]
    values = {row[1]: row[2].count(b"\n") + 1 for there in rows.values() for row in there[:1]}
    used_by: dict[int, set[int]] = {}
    for number, first, count in spans:
        there = [rows.get(at, []) for at in range(first, first + count)] if count <= FACTS_MAX else []
        if there and all(there):
            used_by[number] = {each[0][1] for each in there} - {shapes.WHOLE}
    right: set[int] = set()
    mended: set[int] = set()
    tried: set[int] = set()
    while shape := _suspect(used_by, right, tried):
        tried.add(shape)
        commits = [number for number, used in used_by.items() if used - right == {shape}][:TRIES]
        before = list(known.get(shape, ()))
        text = next(
            (
                text
                for guesses in (before, _guesses(known, before, values.get(shape, 0), whole))
                for text in guesses
                if _right(known, shape, text, commits, proves)
            ),
            None,
        )
        if text is not None:
            known[shape] = [text]
            right.add(shape)
            mended |= set() if text in before else {shape}
        elif before:
            known[shape] = before
        else:
            known.pop(shape, None)
    return mended, tried - right


def _suspect(used_by: Mapping[int, set[int]], right: set[int], tried: set[int]) -> int:
    """A shape that is the only one in doubt in some commit; 0: there is none that was not tried."""
    for used in used_by.values():
        in_doubt = used - right
        if len(in_doubt) == 1 and not in_doubt & tried:
            return in_doubt.pop()
    return 0


def _right(
    known: dict[int, list[bytes]], shape: int, text: bytes, commits: list[int], proves: Callable[[int], bool]
) -> bool:
    known[shape] = [text]
    return any(proves(number) for number in commits)


def _guesses(
    known: Mapping[int, list[bytes]], damaged: list[bytes], values: int, whole: list[bytes]
) -> Iterator[bytes]:
    for text in damaged:
        number = int.from_bytes(text, "big")
        yield from ((number ^ 1 << bit).to_bytes(len(text), "big") for bit in range(8 * len(text)))
    tokens = list(dict.fromkeys((*_units(known), *_UNITS)))
    channels = _channels(whole)
    for reasons in (((None, None),), [(each, None) for each in Reason], [(None, each) for each in Reason]):
        for (channel, source), unit, (bad, doubt) in product(channels.items(), tokens, reasons):
            yield from _made(channel, source, unit, values, bad, doubt)


def _made(
    channel: str, source: str, unit: str, values: int, bad: Reason | None, doubt: Reason | None
) -> Iterator[bytes]:
    """The shapes of readings with so many values that this program writes for a channel."""
    given = (None, 1)
    for at_ms, stamp_ms, sequence, place in product(given, given, given, (0, 1)):
        raw = "" if bad is not None else "1"
        if sum(1 for one in (raw, at_ms, stamp_ms, sequence, place) if one) != values:
            continue
        for origin, simulated, dup in product(Origin, (False, True), (False, True)):
            reading = Reading(
                source,
                channel,
                raw,
                unit,
                at_ms,
                stamp_ms,
                sequence,
                place,
                origin,
                bad,
                doubt,
                dup,
                simulated,
            )
            parts = shapes.cut(facts.encode(reading))
            if parts is not None:
                yield parts[0]


def _channels(whole: Iterable[bytes]) -> dict[str, str]:
    """Every channel that a configuration in force named, and its source."""
    found: dict[str, str] = {}
    for body in whole:
        if b'"fact":"activated"' not in body:
            continue
        try:
            fact = facts.decode(body)
        except msgspec.MsgspecError:
            continue
        if isinstance(fact, Activated):
            found |= {channel.id: channel.source for channel in fact.plan.channels}
    return found


def _units(known: Mapping[int, list[bytes]]) -> Iterator[str]:
    for text in (one for there in known.values() for one in there):
        yield text.partition(b'"unit":"')[2].partition(b'"')[0].decode(errors="replace")
