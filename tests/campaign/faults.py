"""Every fault of the campaign. A new one is a line here and a function in a module of its own."""

from __future__ import annotations

from tests.campaign import controls, days_lost, live, making, month, power, removing
from tests.campaign.outcome import Fault

FAULTS = (
    Fault("power-cut", "power cut, every single drop and tear", power.cut_power),
    Fault("power-cut-normal", "control: synchronous=NORMAL", power.cut_power_with_normal, control="lost"),
    Fault(
        "power-cut-early", "control: acknowledged before the commit", power.cut_power_early, control="lost"
    ),
    *making.FAULTS,
    *removing.FAULTS,
    *month.FAULTS,
    *controls.FAULTS,
    *days_lost.FAULTS,
    *live.FAULTS,
)
