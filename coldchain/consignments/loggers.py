"""Loggers whose files were imported: channels that no configuration names, and what was imported of them.

They are part of every plan, also of those before the first import: a log tells of the past. Where a channel
measured is not stated by the plan but by each log, for as long as it runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec.structs import replace

from coldchain.logged import FileImported, LoggerKnown
from coldchain.plan import ChannelPlan, Plan, SourcePlan

#: The driver of a source that is only ever read as a file.
FILE = "file"
#: Names of loggers and their channels begin so; no name in a configuration can.
PREFIX = "logger:"


@dataclass(slots=True)
class Loggers:
    """What is known of loggers: each by the id of its source, and the file by its hash."""

    known: dict[str, LoggerKnown] = field(default_factory=dict)
    channels: dict[str, ChannelPlan] = field(default_factory=dict)
    imported: dict[str, tuple[int, FileImported]] = field(default_factory=dict)

    def know(self, fact: LoggerKnown) -> str | None:
        """Take a logger in, or more channels of one; the answer is why it was refused, or None."""
        source = fact.source
        if source.driver != FILE or not source.sends_time:
            return f"{source.id} is no logger that is read as a file"
        if not all(name.startswith(PREFIX) for name in (source.id, *(each.id for each in fact.channels))):
            return f"names of loggers begin with {PREFIX}"
        for channel in fact.channels:
            if self.channels.get(channel.id, channel) != channel or channel.source != source.id:
                return f"channel {channel.id} is another one"
        before = self.known.get(source.id)
        if before is not None:
            more = tuple(each for each in fact.channels if each.id not in self.channels)
            fact = replace(fact, source=before.source, channels=(*before.channels, *more))
        self.known[source.id] = fact
        self.channels |= {channel.id: channel for channel in fact.channels}
        return None

    def forget(self, fact: LoggerKnown, before: LoggerKnown | None) -> None:
        """What was taken in makes no sense: as if it had not come."""
        old = set() if before is None else {each.id for each in before.channels}
        for channel in fact.channels:
            if channel.id not in old:
                self.channels.pop(channel.id, None)
        if before is None:
            self.known.pop(fact.source.id, None)
        else:
            self.known[fact.source.id] = before

    def took(self, position: int, fact: FileImported) -> None:
        """A file was imported, whole."""
        self.imported.setdefault(fact.sha256, (position, fact))

    def taken_from(self, plan: Plan) -> Plan:
        """A plan without their channels: what a configuration itself says."""
        own = tuple(each for each in plan.channels if each.id not in self.channels)
        return plan if len(own) == len(plan.channels) else replace(plan, channels=own)

    def added_to(self, plan: Plan) -> Plan:
        """A plan with all loggers and their channels."""
        if not self.known:
            return plan
        sources: dict[str, SourcePlan] = {each.id: each for each in plan.sources}
        channels = {each.id: each for each in plan.channels}
        sources |= {name: fact.source for name, fact in self.known.items()}
        channels |= self.channels
        return replace(plan, sources=tuple(sources.values()), channels=tuple(channels.values()))
