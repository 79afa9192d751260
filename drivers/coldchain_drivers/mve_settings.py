"""Settings of `mve_tec3000`: the bus, the unit on the display, the table of queries."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from coldchain_drivers.lies import Lie
from coldchain_drivers.settings import LIES_HELP, Baud, Frame, Key, LieChoices, Strict, UnitToken, lies_of

#: Seen: "-197.10"; documented for CALVL?: "±XXX.X". Always with decimals, so a torn "-19" is no value.
REPLY = r"(?P<value>[+-]?\d{1,3}\.\d{1,2})"


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)
    except re.error as cause:
        raise ValueError(f"no regular expression: {cause}") from cause


class QuerySetting(Strict):
    """One line of the table of queries."""

    key: Key = Field(description="name of the quantity; channels refer to it")
    query: str = Field(
        pattern=r"^[A-Z][A-Z0-9]{0,15}\?$",
        description='what to ask: one word in capitals that ends in "?", so that nothing writes',
    )
    unit: UnitToken | None = Field(default=None, description="unit of the reply; left out: displayed_unit")
    pattern: str = Field(
        default=REPLY,
        max_length=200,
        description='regular expression of the whole reply, with a group "value"',
    )

    @field_validator("query")
    @classmethod
    def _not_the_password(cls, query: str) -> str:
        if query == "CODE?":
            raise ValueError("CODE? is answered with the controller's password in clear; it is never asked")
        return query

    @field_validator("pattern")
    @classmethod
    def _names_the_value(cls, pattern: str) -> str:
        if "value" not in _compiled(pattern).groupindex:
            raise ValueError(f'"{pattern}" has no group named value; write (?P<value>…) around the number')
        return pattern


#: TEMPA? was seen in use; TEMPB? follows by symmetry with CALTB and HITSTB and is not confirmed.
QUERIES = (QuerySetting(key="temp_a", query="TEMPA?"), QuerySetting(key="temp_b", query="TEMPB?"))


class TecSettings(Strict):
    """Settings of one controller on its bus."""

    baud: Baud = Field(
        description="bits per second. No public document states it for this controller, so there is no "
        "default: read it off the controller or the converter and write it down"
    )
    frame: Frame = Field(
        description='bits, parity and stop bits, as "8N1". Not published either: read it off the controller'
    )
    displayed_unit: UnitToken = Field(
        description="unit that the controller's display is set to (degC, degF, K). Replies carry none, and "
        "nothing is guessed"
    )
    address: Annotated[int, Field(ge=1, le=247)] | None = Field(
        default=None,
        description='the "Modbus ID" of the Advanced menu, 1 to 247; left out: single unit without address',
    )
    queries: Annotated[tuple[QuerySetting, ...], Field(strict=False, min_length=1)] = Field(
        default=QUERIES,
        description="what to ask each round: a table of key, query, unit, pattern; it replaces the default",
    )
    ask_identity: bool = Field(
        default=True, description="ask *IDN? on each connection and refuse what is no controller's name"
    )
    identity_pattern: str = Field(
        default=r"[ -~]*[A-Za-z]{3}[ -~]*",
        max_length=200,
        description="regular expression of the whole *IDN? reply; narrow it to your unit, as "
        '"Controller, Software ver.*"',
    )
    lies: LieChoices = Field(default=(), description=LIES_HELP)

    @model_validator(mode="after")
    def _each_key_once(self) -> Self:
        keys = [query.key for query in self.queries]
        if len(set(keys)) < len(keys):
            raise ValueError(f"two queries have the same key: {', '.join(keys)}")
        return self

    @field_validator("identity_pattern")
    @classmethod
    def _compiles(cls, pattern: str) -> str:
        _compiled(pattern)
        return pattern

    @cached_property
    def by_key(self) -> dict[str, tuple[re.Pattern[str], str]]:
        """For each key the compiled form of its reply and its unit."""
        return {q.key: (re.compile(q.pattern), q.unit or self.displayed_unit) for q in self.queries}

    @cached_property
    def told_lies(self) -> tuple[Lie, ...]:
        """The lies selected for this source."""
        return lies_of(self.lies)
