"""What the settings of all drivers share: strictness, names, unit tokens, lies, serial lines."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    ModelWrapValidatorHandler,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from coldchain.model import Reason
from coldchain.units import exact
from coldchain_drivers.lies import KNOWN_UNITS, LIES, Lie

#: Reasons that a driver may give; the others are the fold's to say.
SAID_BY_DRIVERS = (
    Reason.SENSOR_OPEN,
    Reason.SENSOR_SHORT,
    Reason.SENSOR_FAULT,
    Reason.NOT_CONNECTED,
    Reason.OVER_RANGE,
    Reason.UNDER_RANGE,
    Reason.NOT_READY,
    Reason.POWER_ON_VALUE,
    Reason.NO_VALUE,
)


_TOLD = "must be given: "


def refused(what: str, mend: str) -> PydanticCustomError:
    """A complaint: what is wrong with a value, and the mend."""
    return PydanticCustomError("said", "{what}; {mend}", {"what": what, "mend": mend})


def missing(how: str) -> PydanticCustomError:
    """A complaint about a key that is not there and must be: what to write, and why."""
    return PydanticCustomError("missing", _TOLD + how.replace("{", "(").replace("}", ")"))


def refused_at(
    title: str, complaints: Iterable[tuple[tuple[str | int, ...], PydanticCustomError]]
) -> ValidationError:
    """Complaints at places within a table, to be raised by its validators."""
    return ValidationError.from_exception_data(
        title, [InitErrorDetails(type=what, loc=place, input=None) for place, what in complaints]
    )


class Strict(BaseModel):
    """A table of settings: nothing is converted, an unknown key is refused, what is missing is explained."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    @model_validator(mode="wrap")
    @classmethod
    def _explain_what_is_missing(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """Put the description of a missing field into its error: it says what to write there, and why."""
        try:
            return handler(data)
        except ValidationError as error:
            raise ValidationError.from_exception_data(
                error.title, [cls._told(e) for e in error.errors()]
            ) from None

    @classmethod
    def _told(cls, error: Any) -> InitErrorDetails:
        said, loc, kind = error["msg"], error["loc"], error["type"]
        if kind == "missing" and len(loc) == 1 and not said.startswith(_TOLD):
            said = f"{_TOLD}{cls.model_fields[loc[0]].description}"
        said = said.removeprefix("Value error, ")
        what = refused(**error["ctx"]) if kind == "said" else PydanticCustomError(kind, said)
        return InitErrorDetails(type=what, loc=loc, input=error["input"])


def _known_unit(token: str) -> str:
    if token not in KNOWN_UNITS:
        raise ValueError(f'no unit "{token}"; write one of {", ".join(sorted(KNOWN_UNITS))}')
    return token


def _family(name: str) -> str:
    if name not in LIES:
        raise ValueError(f'no known lies under "{name}"; there are {", ".join(LIES)}')
    return name


def _driver_reason(text: str) -> Reason:
    if text not in SAID_BY_DRIVERS:
        raise ValueError(
            f'"{text}" is no reason that a driver may give; write one of {", ".join(SAID_BY_DRIVERS)}'
        )
    return Reason(text)


UnitToken = Annotated[str, AfterValidator(_known_unit)]
#: A key names a quantity within its source; channels refer to it.
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_./-]{0,63}$")]
FailureReason = Annotated[str, AfterValidator(_driver_reason)]
Baud = Annotated[int, Field(ge=50, le=4_000_000)]
Frame = Annotated[str, Field(pattern=r"^[78][NEO][12]$")]


class LieSetting(Strict):
    """A value by which the device says that it has none. Exactly one of the three is given."""

    value: str = Field(
        default="", description='the text as sent, as "-127.0" or "OPEN"; numbers compare as numbers'
    )
    at_or_above: str = Field(default="", description="any number of at least this, in the unit as sent")
    at_or_below: str = Field(default="", description="any number of at most this, in the unit as sent")
    reason: FailureReason = Field(description="what it means: " + ", ".join(SAID_BY_DRIVERS))

    @model_validator(mode="after")
    def _one_of_three(self) -> Self:
        if sum(map(bool, (self.value, self.at_or_above, self.at_or_below))) != 1:
            raise ValueError("give exactly one of value, at_or_above, at_or_below")
        for name in ("at_or_above", "at_or_below"):
            bound = getattr(self, name)
            if bound and exact(bound) is None:
                raise ValueError(f'{name} = "{bound}" is no plain number')
        return self


def _form(choice: object) -> str:
    return "name" if isinstance(choice, str) else "table"


#: Either the name of a known family or a lie of the site's own.
LieChoice = Annotated[
    Annotated[str, AfterValidator(_family), Tag("name")] | Annotated[LieSetting, Tag("table")],
    Discriminator(_form),
]
LieChoices = Annotated[tuple[LieChoice, ...], Field(strict=False)]
LIES_HELP = "values that are none: names of known families (" + ", ".join(LIES) + ") or tables of your own"


def lies_of(*lists: tuple[str | LieSetting, ...]) -> tuple[Lie, ...]:
    """The lies that settings select, each once; the first lists are asked first."""
    found: dict[Lie, None] = {}
    for choice in (choice for choices in lists for choice in choices):
        if isinstance(choice, str):
            found.update(dict.fromkeys(LIES[choice].lies))
        else:
            reason = Reason(choice.reason)
            found[Lie(reason, choice.value, choice.at_or_above, choice.at_or_below)] = None
    return tuple(found)
