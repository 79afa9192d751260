"""From what a device sent to a judged value: unit, calibration, validity, in that order.

This belongs to the fold and not to the driver, so that it can be proved again later from the raw
value. A value outside the validity window is no temperature but a fault of the sensor: a shorted
probe that "reads cold" must never look like a good shipper.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

from coldchain.facts import Reading
from coldchain.fold.history import Sent
from coldchain.model import Reason
from coldchain.plan import ChannelPlan
from coldchain.rules.judging import BAD, GOOD, UNCERTAIN
from coldchain.units import QUANTITIES

#: Different texts whose conversion is remembered: devices say few numbers very often.
_REMEMBERED = 1 << 14


def condition(channel: ChannelPlan, reading: Reading) -> tuple[int, int, Reason | None]:
    """Value in quanta (0 when BAD), quality and reason of one reading."""
    return taken_for(channel, Sent(reading.raw, reading.unit, reading.bad, reading.doubt))


def taken_for(channel: ChannelPlan, sent: Sent) -> tuple[int, int, Reason | None]:
    """Value in quanta (0 when BAD), quality and reason of what was sent, by a channel's plan."""
    if sent.bad is not None:
        return 0, BAD, sent.bad
    value = _quanta(channel.quantity, sent.raw, sent.unit or channel.unit)
    if isinstance(value, Reason):
        return 0, BAD, value
    if channel.calibration:
        value = corrected(channel, value)
    if not channel.valid_low <= value <= channel.valid_high:
        return 0, BAD, Reason.OUTSIDE_VALIDITY
    if sent.doubt is not None:
        return value, UNCERTAIN, sent.doubt
    return value, GOOD, None


def same(old: ChannelPlan, new: ChannelPlan) -> bool:
    """Whether two plans of a channel take everything sent for the same."""
    return (old.quantity, old.unit, old.calibration, old.valid_low, old.valid_high) == (
        new.quantity,
        new.unit,
        new.calibration,
        new.valid_low,
        new.valid_high,
    )


def corrected(channel: ChannelPlan, value: int) -> int:
    """The value with its calibration's correction.

    Linear between the points; beyond the outermost ones their own correction, never extrapolated.
    """
    points = channel.calibration
    if value <= points[0].at:
        return value + points[0].correction
    for low, high in pairwise(points):
        if value <= high.at:
            part = Fraction((value - low.at) * (high.correction - low.correction), high.at - low.at)
            return value + low.correction + round(part)
    return value + points[-1].correction


@lru_cache(maxsize=_REMEMBERED)
def _quanta(quantity: str, raw: str, unit: str) -> int | Reason:
    return QUANTITIES[quantity].quanta(raw, unit)
