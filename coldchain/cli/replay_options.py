"""What can be typed on the command line of `replay`, as values or as errors of usage."""

from __future__ import annotations

import re
import traceback
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import click
from typing_extensions import override

from coldchain.config.amounts import duration_ms
from coldchain.config.problems import ConfigError
from coldchain.importers.layouts import Layout, layout_named
from coldchain.logged import Valid
from coldchain.profiles.quick import typed
from coldchain.units import TEMPERATURE, exact

#: sysexits(3): the command was used wrongly; something inside went wrong. 1 and 2 are verdicts.
EX_USAGE, EX_SOFTWARE = 64, 70

_OFFSET = re.compile(r"(?:UTC|GMT)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?")
_SHORT = {"m": "min", "hr": "h", "sec": "s"}


def zone(ctx: click.Context, param: click.Parameter | None, value: str | None) -> tzinfo | None:
    """A zone by its name in the zone database, or a fixed offset from UTC."""
    if value is None:
        return None
    text = value.strip()
    if text.upper() in {"UTC", "Z", "GMT"}:
        return UTC
    if match := _OFFSET.fullmatch(text):
        hours, minutes = int(match["hours"]), int(match["minutes"] or 0)
        if hours <= 14 and minutes < 60:
            offset = timedelta(hours=hours, minutes=minutes)
            return timezone(offset if match["sign"] == "+" else -offset)
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        mend = "write a name such as Europe/Zurich (from the system's zone database), UTC, or +01:00"
        raise click.BadParameter(f"{text!r} is no zone known here; {mend}", ctx, param) from error


def zone_name(zone: tzinfo) -> str:
    """A zone as it is typed: "Europe/Zurich", "UTC", "+01:00"."""
    return str(zone).removeprefix("UTC") or "UTC"


def span(ctx: click.Context, param: click.Parameter, value: str | None) -> int | None:
    """A duration such as "30m", "10 min" or "48h", in ms."""
    if value is None:
        return None
    text = value.strip()
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    sign = text[len(number) :].strip()
    try:
        found = duration_ms(f"{number} {_SHORT.get(sign, sign)}".strip())
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    if not found:
        raise click.BadParameter("it must be longer than nothing", ctx, param)
    return found


def valid(ctx: click.Context, param: click.Parameter, value: str | None) -> Valid | None:
    """Two temperatures such as "-200..60" (°C, or with a unit each), in thousandths of °C."""
    if value is None:
        return None
    low, between, high = value.partition("..")
    try:
        if not between:
            raise ValueError(f"{value!r} is no range; write LOW..HIGH, such as -200..60")
        found = Valid(*(typed(text, TEMPERATURE) for text in (low, high)))
    except ValueError as error:
        raise click.BadParameter(str(error), ctx, param) from error
    if found.low_mc >= found.high_mc:
        raise click.BadParameter(f"nothing lies between {low} and {high}", ctx, param)
    return found


#: Of commands that read the files of loggers.
valid_option = click.option(
    "--valid",
    callback=valid,
    metavar="LOW..HIGH",
    help="Between which values its probe is believed, such as -200..60; a reading beyond is BAD, not a "
    "temperature (default: what platinum can show, -200 to just below 850 °C).",
)


def energy(ctx: click.Context, param: click.Parameter, value: str | None) -> Fraction | None:
    """An activation energy in kJ/mol."""
    number = None if value is None else exact(value)
    if value is not None and (number is None or not 0 < number <= 1000):
        raise click.BadParameter(f"{value!r} is no energy between 0 and 1000 kJ/mol", ctx, param)
    return number


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """An instant in ISO 8601, with its offset or without."""
    if value is None:
        return None
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is no time such as 2026-03-01T12:00+01:00", ctx, param
        ) from error


def unit(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The token of a unit of temperature."""
    if value is None:
        return None
    token = {"C": "degC", "F": "degF", "K": "K"}.get(
        value.strip().removeprefix("°").removeprefix("deg").upper()
    )
    if token is None:
        raise click.BadParameter(f"{value!r} is no unit of temperature; write C, F or K", ctx, param)
    return token


def delimiter(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """One character between fields; "tab" may be written out."""
    found = {"tab": "\t", "\\t": "\t", "comma": ",", "semicolon": ";", "bar": "|"}.get(value or "", value)
    if found is not None and (len(found) != 1 or found.isalnum() or found in '"\r\n'):
        raise click.BadParameter(
            f"{value!r} is no single character between fields, such as ; or tab", ctx, param
        )
    return found


def encoding(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """The name of a text encoding that Python knows."""
    if value is not None:
        try:
            "".encode(value)
        except LookupError as error:
            raise click.BadParameter(f"{value!r} is no text encoding known here", ctx, param) from error
    return value


def layout(ctx: click.Context, param: click.Parameter, value: str | None) -> Layout | None:
    """A layout that came with the program, or one of the site's own by the path of its file."""
    if value is None:
        return None
    try:
        return layout_named(value)
    except KeyError as error:
        raise click.BadParameter(f"no layout {value!r} is known; {error.args[0]}", ctx, param) from error
    except ConfigError as error:
        raise click.BadParameter(str(error), ctx, param) from error


def picture(ctx: click.Context, param: click.Parameter, value: Path | None) -> Path | None:
    """A file to draw into; its ending says in which form."""
    if value is not None and value.suffix.lower() not in {".svg", ".png"}:
        raise click.BadParameter(f"{str(value)!r} ends neither in .svg nor in .png", ctx, param)
    return value


class Misused(click.UsageError):
    """A command that was typed wrongly, with the exit status that sysexits has for it."""

    exit_code = EX_USAGE


def usage(problem: str) -> Misused:
    """An error of usage found after the options were read."""
    return Misused(problem, click.get_current_context())


class VerdictCommand(click.Command):
    """A command whose exit statuses 1 and 2 are verdicts, so that errors need others (sysexits)."""

    @override
    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise Misused(error.format_message(), error.ctx) from error

    @override
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise Misused(error.format_message(), error.ctx) from error
        except (click.exceptions.Exit, click.Abort, click.ClickException):
            raise
        except Exception as error:  # noqa: BLE001 - the outer edge: status 1 would say "outside"
            click.echo("".join(traceback.format_exception(error)), err=True, nl=False)
            click.echo("internal error; nothing was judged. Please report it with the lines above.", err=True)
            ctx.exit(EX_SOFTWARE)
