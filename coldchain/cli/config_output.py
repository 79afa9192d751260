"""How commands about files print what they found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import click

from coldchain.config import Problem

FORMAT = click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    help="For people, or for programs.",
)


def in_json(said: Any) -> None:
    """One JSON document on standard output."""
    click.echo(json.dumps(said, ensure_ascii=False, indent=2))


def say_problems(problems: Sequence[Problem], form: str) -> None:
    """Everything that is wrong, one line each, or as JSON."""
    if form == "json":
        in_json({"ok": False, "problems": [asdict(problem) for problem in problems], "warnings": []})
        return
    for problem in problems:
        click.echo(str(problem))
    click.echo(f"{len(problems)} to mend", err=True)
