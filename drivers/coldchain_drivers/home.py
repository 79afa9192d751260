"""What small radios and relays have in common: devices by name, values of a JSON object, and being gone."""

from __future__ import annotations

from collections.abc import Iterable

from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers.lies import Lie, refusal
from coldchain_drivers.strict_json import NotJson, Number, Object, load

#: 2015-01-01: a clock that shows less was never set. Judgement: all of these devices are younger.
OLDEST_MS = 1_420_070_400_000


def object_of(payload: bytes) -> Object | None:
    """The JSON object that a message is; None: it is none, or one of its keys came twice."""
    try:
        message = load(payload)
    except NotJson:
        return None
    return message if isinstance(message, Object) and not message.twice else None


def value_of(
    key: str, sent: object, unit: str, frame: bytes, at_ms: int | None, lies: tuple[Lie, ...] = ()
) -> Measured | Bad:
    """A JSON value as a reading: a number with a known unit, true or false as 1 and 0, or why it is none."""
    if isinstance(sent, bool):
        sent = Number("1" if sent else "0")
    if sent is None:
        return Bad(Reason.NO_VALUE, frame, key, at_ms)
    if not isinstance(sent, Number):
        return Bad(Reason.NOT_A_NUMBER, frame, key, at_ms)
    # A key without a unit is a contact: the site says what a 1 means, and nothing but 0 and 1 is one.
    reason = refusal(sent, unit or "open", lies)
    if reason is None and not unit and sent not in {"0", "1"}:
        reason = Reason.NOT_A_NUMBER
    return Bad(reason, frame, key, at_ms) if reason else Measured(key, str(sent), unit, at_ms)


def gone(keys: Iterable[str], frame: bytes) -> Decoded:
    """All of these are gone, says who relays them."""
    return tuple(Bad(Reason.OFFLINE, frame, key) for key in keys)
