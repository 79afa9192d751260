"""The nitrogen that is left in a vessel, as its rule reckons it, for people to see."""

from __future__ import annotations

from collections.abc import Iterable

from coldchain.fold.place import Place
from coldchain.plan import ChannelPlan, HoldLeft
from coldchain.rules.hold_left import HoldState, left_of, needed_ms
from coldchain.web.views import HoldView


def hold(here: Iterable[tuple[Place, ChannelPlan]]) -> HoldView | None:
    """The remaining hold of a vessel by what measures in it; None: no rule there asks for one.

    Where several ask, the one that can be told and leaves least.
    """
    shown = [
        _shown(place, channel, rule, state)
        for place, channel in here
        for rule, state in place.track.running
        if isinstance(rule, HoldLeft) and isinstance(state, HoldState)
    ]
    return min(shown, key=lambda each: (each.low_ms is None, each.low_ms or 0), default=None)


def _shown(place: Place, channel: ChannelPlan, rule: HoldLeft, state: HoldState) -> HoldView:
    left, at_ms = left_of(rule, state.window), state.window.head_ms
    reckoned_ms = place.journal_ms(at_ms)
    if left is None or reckoned_ms is None:
        why = "nothing_says_empty" if rule.empty is None else "too_few_readings"
        return HoldView(
            None, None, None, None, rule.reserve_ms, channel.quantity, channel=channel.id, why=why
        )
    return HoldView(
        low_ms=left.least_ms,
        high_ms=left.most_ms,
        needed_ms=None if rule.eta_ms is None else needed_ms(rule, at_ms) - rule.reserve_ms,
        reckoned_at_journal_ms=reckoned_ms,
        reserve_ms=rule.reserve_ms,
        basis=channel.quantity,
        enough=left.least_ms >= needed_ms(rule, at_ms),
        channel=channel.id,
    )
