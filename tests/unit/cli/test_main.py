"""The command itself: quick for a small computer, whole without the extras, and honest in its help."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Iterator

import click
import pytest
from click.testing import CliRunner

from coldchain import __version__
from coldchain.cli.main import COMMANDS, main
from tests.house.tree import ROOT

#: What the extras bring (pyproject.toml); a gateway need not have it.
OPTIONAL = ["amqtt", "apscheduler", "influxdb_client", "starlette", "uvicorn"]


def python(program: str) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_asking_a_daemon_imports_little() -> None:
    """`status` and its kin import no server, no devices, no pydantic: seconds on a small computer."""
    heavy = [*OPTIONAL, "pydantic", "paho", "serial", "apsw", "coldchain.fold", "coldchain.ports"]
    program = f"""
import json, sys
from coldchain.cli.main import main
main.get_command(None, "status"), main.get_command(None, "ack"), main.get_command(None, "consignment")
print(json.dumps([name for name in {heavy!r} if name in sys.modules]))
"""
    assert json.loads(python(program)) == []


def test_one_driver_is_a_driver() -> None:
    """`driver new` is what `drivers new` is, and the list of commands shows it once."""
    assert main.get_command(click.Context(main), "driver") is main.get_command(click.Context(main), "drivers")
    assert "driver" not in main.list_commands(click.Context(main))


@pytest.mark.slow
def test_every_command_without_any_extra() -> None:
    """Where no extra is installed every command still shows its help."""
    program = f"""
import sys
for name in {OPTIONAL!r}:
    sys.modules[name] = None
from click.testing import CliRunner
from coldchain.cli.main import COMMANDS, main
from tests.house.tree import ROOT
for name in COMMANDS:
    done = CliRunner().invoke(main, [name, "--help"])
    assert done.exit_code == 0, (name, done.exception)
done = CliRunner().invoke(main, ["--help"])
assert done.exit_code == 0, done.exception
"""
    python(program)


def test_help_lists_every_command() -> None:
    """What can be typed is what is listed."""
    said = CliRunner().invoke(main, ["--help"], prog_name="coldchain").output
    assert [name for name in COMMANDS if f"\n  {name} " not in said] == []


def test_version_and_a_misspelt_command() -> None:
    """The version is the program's own; a command that does not exist is a usage error."""
    assert __version__ in CliRunner().invoke(main, ["--version"]).output
    wrong = CliRunner().invoke(main, ["stauts"])
    assert wrong.exit_code == 2
    assert "No such command" in wrong.output


def leaves(group: click.Group, typed: str = "") -> Iterator[tuple[str, click.Command]]:
    """Every command that does something."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from leaves(command, f"{typed}{name} ")
        else:
            yield f"{typed}{name}", command


@pytest.mark.parametrize(("typed", "command"), [pytest.param(*each, id=each[0]) for each in leaves(main)])
def test_options_say_what_they_are(typed: str, command: click.Command) -> None:
    """Each option of each command has words of its own, or a name that needs none."""
    plain = {"--asset", "--profile", "--outcome", "--role", "--log-level"}
    wordless = [
        option.opts[0]
        for option in command.params
        if isinstance(option, click.Option) and not option.help and option.opts[0] not in plain
    ]
    assert wordless == []


@pytest.mark.parametrize("typed", [pytest.param(name, id=name) for name, _ in leaves(main)])
def test_the_paper_shows_every_command(typed: str) -> None:
    """docs/commands.md has a line to type for each."""
    lines = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line == f"coldchain {typed}" or line.startswith(f"coldchain {typed} ")]


def examples() -> Iterator[str]:
    """Every line of docs/commands.md that can be typed."""
    fenced = False
    for line in (ROOT / "docs" / "commands.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            fenced = not fenced
        elif fenced and line.startswith("coldchain "):
            yield line


@pytest.mark.parametrize("line", list(examples()))
def test_the_paper_s_lines_can_be_typed(line: str) -> None:
    """Each example is understood: command, options and arguments are those that there are."""
    words = shlex.split(line)[1:]
    command: click.Command = main
    context = click.Context(main)
    while isinstance(command, click.Group):
        if command.invoke_without_command and (not words or words[0].startswith("-")):
            break
        found = command.get_command(context, words.pop(0))
        assert found is not None, line
        command = found
    there = {"trips/": str(ROOT)} | dict.fromkeys(
        (
            "trip.csv",
            "trip.txt",
            "trip-17.jsonl",
            "/var/lib/coldchain/journal.db",
            "/etc/coldchain/evidence.key",
        ),
        __file__,
    )
    command.make_context(command.name, [there.get(word, word) for word in words])
