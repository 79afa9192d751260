"""How commands print: tables for people, JSON for machines, colour only on a terminal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console

# Lines are never folded: a terminal wraps them by itself, and a pipe or a search gets them whole.
console = Console(highlight=False, soft_wrap=True)
errors = Console(stderr=True, highlight=False, soft_wrap=True)

_F = TypeVar("_F", bound=Callable[..., Any])


def format_option(command: _F) -> _F:
    """`--format text|json`, handed over as `as_json`."""
    return click.option(
        "--format",
        "as_json",
        type=click.Choice(["text", "json"]),
        default="text",
        callback=lambda context, parameter, value: value == "json",
        help="For people (text) or machines (json).",
    )(command)


def print_json(value: Any) -> None:
    """One JSON document on standard output, with every field there is: programs need not know defaults."""
    click.echo(msgspec.json.format(msgspec.json.encode(whole(value)), indent=2).decode())


def whole(value: Any) -> Any:
    """A view as plain values, nothing left out."""
    if isinstance(value, msgspec.Struct):
        return {name: whole(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: whole(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [whole(one) for one in value]
    return value


#: Nothing was measured before this program was thought of; a smaller number is journal time from nought.
_NO_DATE_MS = 1_700_000_000_000


def at(utc_ms: int | None, *, known: bool = True) -> str:
    """A time for people: UTC, to the second; marked where our clock was not known.

    A journal whose clock was never known counts from nought: that is no date, and is not shown as one.
    """
    if utc_ms is None:
        return "—"
    from datetime import UTC, datetime, timedelta

    if not known and utc_ms < _NO_DATE_MS:
        return f"{timedelta(seconds=utc_ms // 1000)} after the journal began (clock not known)"
    text = datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S")
    return f"{text} UTC" if known else f"{text} (clock not known)"


PRIORITY_STYLE = {"critical": "bold red", "high": "red", "low": "yellow", "to_know": "dim"}
