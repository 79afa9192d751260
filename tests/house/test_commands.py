"""Every command says what it does and shows a line that can be typed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner


def commands() -> Iterator[tuple[str, click.Command]]:
    """Every visible command of `coldchain`, as it is typed, from the entry point down."""
    if not all(importlib.util.find_spec(name) for name in ("coldchain.cli", "coldchain.cli.main")):
        return
    entry = importlib.import_module("coldchain.cli.main").main
    assert isinstance(entry, click.Command), "coldchain.cli.main:main is a click command"
    yield from _below("coldchain", entry, click.Context(entry))


def _below(typed: str, command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    yield typed, command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None, f"{typed} lists {name} and does not have it"
            if not child.hidden:
                yield from _below(f"{typed} {name}", child, click.Context(child, parent=context))


FOUND = list(commands()) if importlib.util.find_spec("coldchain.cli") else []


@pytest.mark.skipif(not FOUND, reason="coldchain.cli.main does not exist")
@pytest.mark.parametrize(("typed", "command"), [pytest.param(*row, id=row[0]) for row in FOUND])
def test_each_command_has_help_and_an_example(typed: str, command: click.Command) -> None:
    """`--help` works without a configuration, and a line beginning with the command itself can be typed."""
    entry = FOUND[0][1]
    result = CliRunner().invoke(
        entry, [*typed.split()[1:], "--help"], prog_name="coldchain", catch_exceptions=False
    )
    assert result.exit_code == 0, result.output
    assert command.help, f"{typed} has no help text"
    said = [line.strip().removeprefix("$ ") for line in result.output.splitlines()]
    assert [line for line in said if line.startswith(typed)], (
        f"{typed} --help shows no example:\n{result.output}"
    )
    before = [said[at - 1] for at, line in enumerate(said) if line.startswith(typed)]
    assert {"Example:", "Examples:"} & set(before), f"{typed} --help does not call its example one"


@pytest.mark.skipif(not FOUND, reason="coldchain.cli.main does not exist")
@pytest.mark.parametrize(
    ("typed", "command"), [pytest.param(*row, id=row[0]) for row in FOUND if isinstance(row[1], click.Group)]
)
def test_each_list_of_commands_is_whole(typed: str, command: click.Command) -> None:
    """On a terminal of eighty columns no line of the list of commands breaks off in the middle."""
    result = CliRunner().invoke(FOUND[0][1], [*typed.split()[1:], "--help"], prog_name="coldchain")
    listed = result.output.split("\nCommands:\n")[1].splitlines()
    assert listed
    assert [line for line in listed if line.endswith("...")] == []
