"""Whether a device can say at all what a limit is about.

A device whose numbers end at −163.8 °C says nothing that is true of liquid nitrogen: at its end it
shows the same for "too cold to say" and for a fault. Its reading there is BAD, so the product would
never be monitored.
"""

from __future__ import annotations

from collections.abc import Mapping

from coldchain.config.amounts import amount_text
from coldchain.config.draft import Draft
from coldchain.config.positions import Place
from coldchain.config.problems import listed
from coldchain.config.profile_file import Profile
from coldchain.config.rule_tables import RuleTable
from coldchain.config.settings import AssetSettings, ChannelSettings
from coldchain.driver import Reach
from coldchain.units import QUANTITIES, TEMPERATURE, Quantity

#: Where nitrogen boils at 1 atm: −195.8 °C (NIST Chemistry WebBook, 77.355 K). What hangs in its vapour or in
#: the liquid comes close to it on every good day.
_NITROGEN = -195_795
_IN_NITROGEN = frozenset({"vapour", "liquid"})
_HOLD_NITROGEN = frozenset({"dry_shipper", "dewar"})


def check_reach(
    draft: Draft,
    place: Place,
    channel: ChannelSettings,
    asset: AssetSettings,
    profile: Profile,
    rules: Mapping[str, RuleTable],
) -> None:
    """Refuse a channel whose device ends before what these rules of its role are about."""
    source = draft.resolved.get(channel.source)
    reach = None if source is None else source.driver.reach(source.driver_settings).get(channel.key)
    quantity = QUANTITIES[channel.quantity]
    ends = None if reach is None else ends_of(reach, quantity)
    if reach is None or ends is None:
        return
    low, high = ends
    from_to = f"{amount_text(quantity, low)} and {amount_text(quantity, high)}"
    nothing = f'"{channel.key}" of sources.{channel.source} says nothing beyond {from_to} ({reach.why})'
    for name, rule in rules.items():
        for value in rule.values():
            if not low < value.quanta < high:
                draft.refuse(
                    (*place, "key"),
                    f"{nothing}, and {profile.head.id} has a limit at {value.text} ({name})",
                    "use a device that can",
                )
                return
    cold = channel.probe in _IN_NITROGEN or asset.kind in _HOLD_NITROGEN
    if quantity is TEMPERATURE and cold and low > _NITROGEN:
        draft.refuse(
            (*place, "key"),
            f"{nothing}, and liquid nitrogen boils at {amount_text(quantity, round(_NITROGEN, -2))}: "
            f"{listed(rules)} of {profile.head.id} would watch nothing",
            "use a device that can",
        )


def ends_of(reach: Reach, quantity: Quantity) -> tuple[int, int] | None:
    """Both ends in the quantity's quanta; None if they are of another quantity."""
    low, high = quantity.quanta(reach.low, reach.unit), quantity.quanta(reach.high, reach.unit)
    return (low, high) if isinstance(low, int) and isinstance(high, int) else None
