"""`[contacts.NAME]` and `[escalation]`: who is called, in which order, and when not."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from coldchain.config.fields import Duration, Name, Table, said
from coldchain.model import Priority
from coldchain.plan import Contact, Escalation, QuietHours, Step

Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

_DAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _clock(value: str) -> str:
    if _CLOCK.fullmatch(value) is None:
        raise said(f'"{value}" is no time of the day', 'write one such as "22:00"')
    return value


#: A time of the day at the site, "22:00".
Clock = Annotated[str, AfterValidator(_clock), Field(examples=["22:00"])]


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return 60 * int(hours) + int(minutes)


class QuietTable(Table):
    """Hours in which nobody is called unless it is critical; a night belongs to the day of its evening."""

    begin: Clock
    end: Clock = Field(examples=["06:00"])
    days: tuple[Day, ...] = Field(default=_DAYS, strict=False)

    @model_validator(mode="after")
    def _fits(self) -> QuietTable:
        if self.begin == self.end:
            raise said("would last no time, or for ever", "write another end")
        if not self.days:
            raise said("holds on no day", "leave days out, or name some")
        return self


class ContactTable(Table):
    """Somebody who is called, by way of a sink. The name stays in the journal: use roles, not people."""

    sink: Name = Field(examples=["on-call"])
    title: str = ""
    quiet_hours: tuple[QuietTable, ...] = Field(default=(), strict=False)

    def compile(self, name: str) -> Contact:
        """As `plan.Contact`."""
        return Contact(
            name,
            tuple(
                QuietHours(
                    _minutes(quiet.begin), _minutes(quiet.end), tuple(_DAYS.index(day) for day in quiet.days)
                )
                for quiet in self.quiet_hours
            ),
        )


class StepTable(Table):
    """After an alarm has asked for `after` and nobody took it up, these contacts are called."""

    after: Duration
    to: tuple[Name, ...] = Field(strict=False, examples=[["night-shift"]])

    @model_validator(mode="after")
    def _fits(self) -> StepTable:
        if not self.to:
            raise said("calls nobody", "name a contact, or leave the step out")
        return self


class EscalationTable(Table):
    """The steps of each priority, the earliest first."""

    critical: tuple[StepTable, ...] = Field(default=(), strict=False)
    high: tuple[StepTable, ...] = Field(default=(), strict=False)
    low: tuple[StepTable, ...] = Field(default=(), strict=False)
    to_know: tuple[StepTable, ...] = Field(default=(), strict=False)

    @model_validator(mode="after")
    def _in_order(self) -> EscalationTable:
        for priority, steps in self.by_priority().items():
            times = [step.after for step in steps]
            if times != sorted(times):
                raise said(f"the steps of {priority} are not in order", "write the earliest first")
        return self

    def by_priority(self) -> dict[Priority, tuple[StepTable, ...]]:
        """The steps of each priority that has any."""
        found = {priority: getattr(self, priority.value) for priority in Priority}
        return {priority: steps for priority, steps in found.items() if steps}

    def compile(self) -> tuple[Escalation, ...]:
        """As `plan.Escalation`."""
        return tuple(
            Escalation(priority, tuple(Step(step.after, step.to) for step in steps))
            for priority, steps in self.by_priority().items()
        )
