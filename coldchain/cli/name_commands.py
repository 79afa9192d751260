"""`coldchain names`: what a journal holds of names and of what people wrote, and erasing it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click

from coldchain.cli.gateway import config_option, do, journal_of
from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.journal import JournalError, PrivateText, Reader
from coldchain.web.station import EraseNames


@click.group()
def names() -> None:
    """Names of people and what they wrote: list, erase.

    \b
    Example:
      coldchain names list --with anna
    """


@names.command("list")
@config_option
@click.option("--with", "part", default="", metavar="TEXT", help="Only what contains this text.")
@format_option
def list_(config_file: Path, part: str, as_json: bool) -> None:
    """List the names and the comments that a journal holds.

    How often each stands there, too.

    \b
    Example:
      coldchain names list
    """
    times = Counter(kept.text for kept in _texts(config_file) if part.lower() in kept.text.lower())
    if as_json:
        print_json({"texts": [{"text": text, "times": times[text]} for text in sorted(times)]})
    elif not times:
        console.print("nothing" if not part else f"nothing with {part!r}", markup=False)
    else:
        for text in sorted(times):
            console.print(f"{times[text]:>6} ×  {text}", markup=False, highlight=False)


@names.command("erase")
@config_option
@click.argument("text")
@click.option("--with", "parts", is_flag=True, help="Also every comment that contains TEXT.")
@click.option("--comment", "-m", required=True, help="Why; it is kept, so do not repeat the name in it.")
@format_option
def erase(config_file: Path, text: str, parts: bool, comment: str, as_json: bool) -> None:
    """Erase a name or a comment wherever it was written.

    What is erased is exactly TEXT. The texts and their salts are overwritten; that it was done, by whom and
    why is a fact. What people did stays, done by nobody known, and the chain still verifies. Back-ups,
    exports and copies made before still have the name; configuration files, which the journal keeps whole,
    are not looked at.

    \b
    Examples:
      coldchain names erase "anna" -m "left; asked to be forgotten"
      coldchain names erase "anna" --with -m "left; asked to be forgotten"
    """
    if text.lower() in comment.lower():
        raise click.ClickException("the comment has in it what shall be erased, and is kept; word it without")
    held = _texts(config_file)
    found = [kept for kept in held if kept.text == text or (parts and text.lower() in kept.text.lower())]
    if not found:
        raise click.ClickException(f"the journal holds no {text!r}; see `coldchain names list`")
    action = EraseNames(tuple(kept.commitment for kept in found), comment)
    do(config_file, action, f"erased in {len(found)} places", as_json=as_json)
    others = sum(text.lower() in kept.text.lower() for kept in held) - len(found)
    if others:
        errors.print(f"{others} other texts contain it; --with erases them, too", markup=False)


def _texts(config_file: Path) -> list[PrivateText]:
    try:
        with Reader.open(journal_of(config_file)) as reader:
            return list(reader.private_texts())
    except JournalError as error:
        raise click.ClickException(str(error)) from error
