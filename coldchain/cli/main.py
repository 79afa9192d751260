"""The `coldchain` command."""

from __future__ import annotations

import click

from coldchain import __version__
from coldchain.cli.ask_commands import COMMANDS
from coldchain.cli.config_commands import config, profiles
from coldchain.cli.demo_command import demo
from coldchain.cli.lane_commands import COMMANDS as LANE_COMMANDS
from coldchain.cli.port_commands import drivers, ports
from coldchain.cli.replay_command import replay
from coldchain.cli.run_command import run
from coldchain.cli.user_commands import user
from coldchain.cli.verify_command import verify


@click.group()
@click.version_option(__version__, prog_name="coldchain")
def main() -> None:
    """Watch doses that cannot be made twice.

    \b
    Example:
      coldchain demo
    """


for command in (run, *COMMANDS, *LANE_COMMANDS, verify, replay, demo, config, profiles, ports, drivers, user):
    main.add_command(command)
