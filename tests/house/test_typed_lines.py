"""Every `coldchain …` that a paper tells people to type: the command exists, and so do its options."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from coldchain.cli.main import main
from tests.house.test_commands import commands
from tests.house.tree import ROOT, files

#: Text that is signed or hashed (docs/evidence.md, docs/journal.md) and typed by nobody.
NOT_TYPED = ("coldchain head 1", "coldchain removal 1", "coldchain journal 1")

#: How a line to type begins: a prompt, another user, the program's path, what stands before in a pipe.
_BEGINS = re.compile(r"(?:^|[;&|(] *|\$ )(?:sudo (?:-\S+ \S+ )*)?(?:\S*/)?coldchain (?=\S)")
#: Where it ends: what is said about it, or what the shell does with it.
_ENDS = re.compile(r"\s{3,}|\s#\s")
#: What stands for a word to fill in is called as the command's own help calls it.
_PLACEHOLDER = re.compile(r"[A-Z][A-Z_]+")
_SHELL = frozenset(["|", ">", ">>", "<", "&", "&&", ";", "||"])


def papers() -> list[Path]:
    """What people read."""
    return [file for file in files() if file.suffix == ".md" and file.parts[0] in {"README.md", "docs"}]


def code(text: str) -> Iterator[tuple[int, str]]:
    """Each line of code and each piece in backticks, with the number of its line."""
    prose: list[str] = []
    fenced, held, from_line = False, "", 1
    for number, line in enumerate(text.splitlines(), 1):
        if line.lstrip().startswith("```"):
            fenced = not fenced
        elif fenced or line.startswith("    "):
            from_line = from_line if held else number
            held += line.strip()
            if held.endswith("\\"):
                held = held[:-1]
                continue
            yield from_line, held
            held = ""
        else:
            prose.append(line)
            continue
        prose.append("")
    joined = "\n".join(prose)
    for piece in re.finditer(r"`([^`]+)`", joined):
        yield joined.count("\n", 0, piece.start()) + 1, " ".join(piece[1].split())


def typed(text: str) -> Iterator[tuple[int, list[str]]]:
    """Every `coldchain …` in a paper: the line, and the words behind the program's name."""
    for number, line in code(text):
        if line.startswith(NOT_TYPED):
            continue
        for begin in _BEGINS.finditer(line):
            words = shlex.split(_ENDS.split(line[begin.end() :])[0])
            ends = next((at for at, word in enumerate(words) if word in _SHELL), len(words))
            yield number, words[:ends]


def fault(words: list[str]) -> str:
    """Why these words cannot be typed; "" if they can. Values are not judged: many are names to fill in."""
    command: click.Command = main
    context = click.Context(main, info_name="coldchain")
    rest = list(words)
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        name = rest.pop(0)
        if name.isupper():  # `coldchain COMMAND --help`
            return ""
        found = command.get_command(context, name)
        if found is None:
            return "" if command.invoke_without_command else f"no command {name}"
        command, context = found, click.Context(found, info_name=name, parent=context)
    try:
        _, too_many, _ = command.make_parser(context).parse_args(list(rest))
    except click.UsageError as error:
        return error.format_message()
    if too_many:
        return f"nothing takes {' '.join(too_many)}"
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    takes = [each.make_metavar(context).strip("[].") for each in arguments]
    named = [word for word in rest if _PLACEHOLDER.fullmatch(word)]
    strange = [word for word in named if word not in takes]
    return (
        f"it takes {' '.join(takes)}, not {' '.join(strange)}" if strange and len(rest) == len(named) else ""
    )


def test_the_papers_lines_can_be_typed() -> None:
    """Inline or in a block: a reader who types it hears no "No such command", "No such option" or worse."""
    faults, seen = [], 0
    for paper in papers():
        for line, words in typed((ROOT / paper).read_text(encoding="utf-8")):
            seen += 1
            if why := fault(words):
                faults.append(f"{paper}:{line}: coldchain {' '.join(words)}: {why}")
    assert faults == []
    assert seen > 100  # README.md and docs/ have more; a scan that finds none would hold always


def test_the_examples_of_the_help_can_be_typed() -> None:
    """What a command's own help shows is no less true than a paper."""
    faults = []
    for name, command in commands():
        shown = "\n".join(f"    {line.strip()}" for line in (command.help or "").splitlines())
        faults += [f"{name}: {words}: {why}" for _, words in typed(shown) if (why := fault(words))]
    assert faults == []


@pytest.mark.parametrize(
    ("paper", "why"),
    [
        pytest.param(
            "type `coldchain import FILE JOURNAL`", "it takes FILE, not JOURNAL", id="what another takes"
        ),
        pytest.param("`coldchain frames PORT OTHER`", "nothing takes OTHER", id="too many words"),
        pytest.param("`coldchain stauts`", "no command stauts", id="no such command"),
        pytest.param("`coldchain work stop X`", "no command stop", id="no such command of a group"),
        pytest.param("`coldchain status --jsn`", "No such option '--jsn", id="no such option"),
        pytest.param("`coldchain why X -n`", "Option '-n' requires an argument.", id="no value"),
        pytest.param("```\n$ sudo -u coldchain /opt/x/coldchain frames\n```", "", id="another user, a path"),
        pytest.param("```\ncoldchain run \\\n  --confg x\n```", "No such option '--confg", id="two lines"),
        pytest.param("    coldchain drivers list     which there are", "", id="what is said about it"),
        pytest.param("    coldchain drivers lst # which", "no command lst", id="a remark"),
        pytest.param("see\n`coldchain config\ncheck --quick`", "No such option '--quick", id="broken inline"),
        pytest.param("```\nx | coldchain replay - --abve 8\n```", "No such option '--abve", id="in a pipe"),
    ],
)
def test_the_rule_sees(paper: str, why: str) -> None:
    """What a paper says is found, wherever it stands, and what is wrong with it is named."""
    ((_, words),) = typed(paper)
    assert fault(words).startswith(why)
    assert bool(fault(words)) is bool(why)
