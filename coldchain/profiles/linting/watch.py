"""How a role is measured, as far as lint is told: by a configuration, or on the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field

from coldchain.config.amounts import Amount
from coldchain.config.checks import interval_ms
from coldchain.config.document import Document
from coldchain.config.fields import Difference, Name, Period, Table, Value
from coldchain.config.loaded import Loaded
from coldchain.config.needs import unmet
from coldchain.config.positions import Place
from coldchain.config.problems import Problem
from coldchain.config.profile_tables import Need
from coldchain.model import Priority


class Probe(Table):
    """What can be said of a channel on the command line: the keys are those of `[channels.NAME]`."""

    role: Name
    probe: Literal["air", "buffered", "vapour", "liquid"] | None = None
    interval: Period | None = None
    upload: Period | None = None
    fresh_within: Period | None = None
    valid_low: Value | None = None
    valid_high: Value | None = None
    uncertainty: Difference | None = None
    silence_priority: Annotated[Priority, Field(strict=False)] = Priority.HIGH


@dataclass(frozen=True)
class Watch:
    """A role's channel. What is None is not known, and not judged.

    name:       of the channel, for people; asset: whose it is, "" on the command line.
    calibrated: whether there is a certificate; None: not known.
    re_alarm:   whether the site repeats critical alarms; None: not known.
    at:         makes a problem of a key of the channel, what is wrong, and the mend.
    """

    role: str
    name: str
    asset: str
    at: Callable[[str, str, str], Problem]
    probe: str | None = None
    interval: int | None = None
    upload: int | None = None
    fresh_within: int | None = None
    valid_low: Amount | None = None
    valid_high: Amount | None = None
    uncertainty: Amount | None = None
    calibrated: bool | None = None
    silence_priority: Priority = Priority.HIGH
    re_alarm: bool | None = None
    whole: bool = True  # what is None is not there, rather than not known

    @property
    def pace(self) -> int | None:
        """How long can lie between two looks at it, in ms."""
        return None if self.interval is None else max(self.interval, self.upload or 0)

    def unmet(self, need: Need) -> Iterator[tuple[str, str, str]]:
        """What of a need it does not do, if that is known (`coldchain.config.needs`)."""
        for key, what, mend in unmet(need, self.probe, self.interval, self.uncertainty):
            stated = self.probe if key == "probe" else self.uncertainty if key == "calibration" else key
            if self.whole or stated is not None:
                yield key, what, mend


def of_configuration(loaded: Loaded, profile: str) -> list[Watch]:
    """Every channel of the assets that a profile judges."""
    document = Document(loaded.path.name, loaded.documents[loaded.path.name])
    judged = {name for name, asset in loaded.settings.assets.items() if asset.profile == profile}
    again = Priority.CRITICAL in loaded.settings.alarms.re_alarm
    return [
        Watch(
            role=channel.role,
            name=name,
            asset=channel.asset,
            at=_in_document(document, ("channels", name)),
            probe=channel.probe,
            interval=interval_ms(channel, loaded.sources[channel.source]),
            upload=channel.upload,
            fresh_within=channel.fresh_within,
            valid_low=channel.valid_low,
            valid_high=channel.valid_high,
            uncertainty=channel.calibration.uncertainty if channel.calibration else None,
            calibrated=channel.calibration is not None,
            silence_priority=channel.silence_priority,
            re_alarm=again,
        )
        for name, channel in loaded.settings.channels.items()
        if channel.asset in judged
    ]


def _in_document(document: Document, place: Place) -> Callable[[str, str, str], Problem]:
    def at(key: str, what: str, mend: str) -> Problem:
        return document.problem((*place, key) if key else place, what, mend)

    return at


def of_command_line(probe: Probe) -> Watch:
    """A channel as somebody says it is."""

    def at(key: str, what: str, mend: str) -> Problem:
        return Problem("--channel", 1, f"{probe.role}.{key}" if key else probe.role, what, mend)

    return Watch(
        role=probe.role,
        name=probe.role,
        asset="",
        at=at,
        probe=probe.probe,
        interval=probe.interval,
        upload=probe.upload,
        fresh_within=probe.fresh_within,
        valid_low=probe.valid_low,
        valid_high=probe.valid_high,
        uncertainty=probe.uncertainty,
        calibrated=True if probe.uncertainty else None,
        silence_priority=probe.silence_priority,
        whole=False,
    )
