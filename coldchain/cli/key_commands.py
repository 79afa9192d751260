"""`coldchain key`: the key with which a gateway signs the head of its journal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import click

from coldchain.cli.output import errors
from coldchain.evidence.keys import EvidenceError, Key


@click.group()
def key() -> None:
    """Make the gateway's signing key, and show its public half.

    \b
    Example:
      coldchain key new /etc/coldchain/evidence.key
    """


@key.command(name="new")
@click.argument("file", type=click.Path(path_type=Path))
def new(file: Path) -> None:
    """Draw an Ed25519 key and write it to FILE.

    The file is readable by its owner alone; the public half is printed.

    Keep the public half where the gateway cannot change it: whoever checks a journal needs it from elsewhere.
    With systemd: LoadCredential=evidence.key:/etc/coldchain/evidence.key, and in gateway.toml
    [evidence] key_file = "$CREDENTIALS_DIRECTORY/evidence.key".

    \b
    Example:
      coldchain key new /etc/coldchain/evidence.key
    """
    _print(lambda: Key.make(file))


@key.command(name="show")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def show(file: Path) -> None:
    """Print the public half of the key in FILE.

    \b
    Example:
      coldchain key show /etc/coldchain/evidence.key
    """
    _print(lambda: Key.read(file.read_text(encoding="utf-8", errors="replace"), str(file)))


def _print(get: Callable[[], Key]) -> None:
    try:
        click.echo(get().public)
    except (EvidenceError, OSError) as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(2)
