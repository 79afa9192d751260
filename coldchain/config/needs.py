"""Whether a channel is measured as a profile needs it."""

from __future__ import annotations

from collections.abc import Iterator

from coldchain.config.amounts import Amount, duration_text
from coldchain.config.profile_tables import Need


def unmet(
    need: Need, probe: str | None, interval: int | None, uncertainty: Amount | None
) -> Iterator[tuple[str, str, str]]:
    """Each thing that a channel does not do as needed: the channel's key, what is amiss, and the mend.

    interval: how often it is sampled, None where nobody knows. uncertainty: as its certificate states it.
    """
    if need.probe and probe not in need.probe:
        is_now = f"is {probe}" if probe else "is not stated"
        yield "probe", is_now, f"use a probe that is {' or '.join(need.probe)}"
    if need.interval is not None and interval is not None and interval > need.interval:
        yield (
            "interval",
            f"is {duration_text(interval)}, more than {duration_text(need.interval)}",
            "sample it more often",
        )
    if need.uncertainty is None:
        return
    if uncertainty is None:
        yield "calibration", "is missing", f"calibrate the probe to {need.uncertainty.text} or better"
    elif uncertainty.quanta > need.uncertainty.quanta:
        yield (
            "calibration",
            f"is uncertain by {uncertainty.text}, more than {need.uncertainty.text}",
            "use a better probe",
        )
