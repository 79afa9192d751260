"""Who may log in to the page: `coldchain user add`, `list`, `remove`, `passwd`.

They change the users file itself, whether the daemon runs or not; a running one reads it anew.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from coldchain.cli.gateway import config_option
from coldchain.cli.output import format_option, print_json
from coldchain.config.load import load
from coldchain.config.problems import ConfigError
from coldchain.web.station import Role
from coldchain.web.users import MIN_PASSWORD_LENGTH, Users, UsersError, make_user

_F = TypeVar("_F", bound=Callable[..., Any])


def _file_options(command: _F) -> _F:
    """`--config` and `--file`: where the logins are."""
    command = click.option(
        "--file",
        "users_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The users file itself, instead of the one the configuration names.",
    )(command)
    return config_option(command)


def _users(config_file: Path, users_file: Path | None) -> Users:
    """The users file: given, named by the configuration, or beside the journal."""
    if users_file is not None:
        return Users(users_file)
    try:
        loaded = load(config_file)
    except (ConfigError, OSError) as error:
        raise click.ClickException(f"{error}\n(or name the users file with --file)") from error
    page = loaded.settings.page
    if page is not None and page.users_file:
        return Users(loaded.resolve(page.users_file))
    return Users(loaded.resolve(loaded.settings.journal.path).with_name("users.json"))


def _password(from_stdin: bool) -> str:
    if from_stdin:
        return sys.stdin.readline().rstrip("\n")
    said: str = click.prompt(
        f"Password (at least {MIN_PASSWORD_LENGTH} characters)", hide_input=True, confirmation_prompt=True
    )
    return said


_stdin_option = click.option(
    "--password-stdin", is_flag=True, help="Read the password from standard input, one line."
)


@click.group()
def user() -> None:
    """Who may log in to the page, and what they may do.

    A viewer looks, an operator acts (acknowledge, shelve, stages), an admin also binds probes. With the first
    user the page asks everybody to log in.

    \b
    Example:
      coldchain user add wang --role operator
    """


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice([role.value for role in Role]), required=True)
@_stdin_option
@_file_options
def add(name: str, role: str, password_stdin: bool, config_file: Path, users_file: Path | None) -> None:
    """Add a login.

    \b
    Example:
      coldchain user add wang --role operator
    """
    users = _users(config_file, users_file)
    try:
        first = not users.all()
        users.add(make_user(name, Role(role), _password(password_stdin)))
    except UsersError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} may log in as {role}")
    if first:
        click.echo("this is the first login: from now on everybody has to log in")


@user.command("list")
@format_option
@_file_options
def list_users(as_json: bool, config_file: Path, users_file: Path | None) -> None:
    """Who may log in, and as what.

    \b
    Example:
      coldchain user list
    """
    try:
        found = _users(config_file, users_file).all()
    except UsersError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json([{"name": each.name, "role": each.role.value} for each in found.values()])
        return
    if not found:
        click.echo("no logins: anybody on this machine may act, marked unauthenticated")
    for each in found.values():
        click.echo(f"{each.name}  {each.role.value}")


@user.command("remove")
@click.argument("name")
@_file_options
def remove(name: str, config_file: Path, users_file: Path | None) -> None:
    """Remove a login; whoever is logged in under it is out at once.

    \b
    Example:
      coldchain user remove wang
    """
    try:
        _users(config_file, users_file).remove(name)
    except UsersError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} may no longer log in")


@user.command("passwd", short_help="Give a login another password.")
@click.argument("name")
@click.option(
    "--role", type=click.Choice([role.value for role in Role]), help="Another role as well; else it stays."
)
@_stdin_option
@_file_options
def passwd(
    name: str, role: str | None, password_stdin: bool, config_file: Path, users_file: Path | None
) -> None:
    """Give a login another password; whoever is logged in under it has to log in anew.

    \b
    Example:
      coldchain user passwd wang
    """
    users = _users(config_file, users_file)
    try:
        before = users.all().get(name)
        if before is None:
            raise UsersError(f"there is no user {name}; there are: {', '.join(users.all()) or 'none'}")
        users.replace(make_user(name, Role(role) if role else before.role, _password(password_stdin)))
    except UsersError as error:
        raise click.ClickException(str(error)) from error
    click.echo(f"{name} has another password")
