"""Whether a channel is measured as a profile needs it."""

from __future__ import annotations

from collections.abc import Iterator

from coldchain.config.amounts import duration_text
from coldchain.config.profile_tables import Need
from coldchain.config.settings import ChannelSettings


def unmet(need: Need, channel: ChannelSettings, interval: int | None) -> Iterator[tuple[str, str, str]]:
    """Each thing that a channel does not do as needed: the channel's key, what is amiss, and the mend.

    interval: how often it is sampled, None where nobody knows.
    """
    if need.probe and channel.probe not in need.probe:
        is_now = f"is {channel.probe}" if channel.probe else "is not stated"
        yield "probe", is_now, f"use a probe that is {' or '.join(need.probe)}"
    if need.interval is not None and interval is not None and interval > need.interval:
        yield (
            "interval",
            f"is {duration_text(interval)}, more than {duration_text(need.interval)}",
            "sample it more often",
        )
    if need.uncertainty is None:
        return
    if channel.calibration is None:
        yield "calibration", "is missing", f"calibrate the probe to {need.uncertainty.text} or better"
    elif channel.calibration.uncertainty.quanta > need.uncertainty.quanta:
        yield (
            "calibration",
            f"is uncertain by {channel.calibration.uncertainty.text}, more than {need.uncertainty.text}",
            "use a better probe",
        )
