"""The `coldchain` command. A command's module is imported when it is asked for: that is how extras stay
optional, and how `coldchain status` answers quickly on a small computer."""

from __future__ import annotations

from importlib import import_module

import click
from typing_extensions import override

from coldchain import __version__

#: Each command, and where it is defined.
COMMANDS = {
    "run": "run_command:run",
    "status": "ask_commands:status",
    "alarms": "ask_commands:alarms",
    "why": "why_command:why",
    "excursions": "excursion_commands:excursions_group",
    "ack": "ask_commands:ack",
    "shelve": "ask_commands:shelve",
    "unshelve": "ask_commands:unshelve",
    "reset": "ask_commands:reset",
    "close": "ask_commands:close",
    "work": "work_commands:work",
    "consignment": "lane_commands:consignment",
    "bind": "lane_commands:bind",
    "unbind": "lane_commands:unbind",
    "verify": "verify_command:verify",
    "names": "name_commands:names",
    "key": "key_commands:key",
    "backup": "backup_command:backup",
    "retention": "retention_command:retention",
    "repair": "repair_command:repair_command",
    "export": "export_commands:export",
    "restore": "export_commands:restore",
    "import": "import_command:import_",
    "replay": "replay_command:replay",
    "check": "check_command:check",
    "requalify": "requalify_command:requalify",
    "scenarios": "scenarios_command:scenarios",
    "demo": "demo_command:demo",
    "simulate": "simulate_command:simulate",
    "config": "config_commands:config",
    "profiles": "profile_commands:profiles",
    "ports": "port_commands:ports",
    "readout": "readout_command:readout",
    "frames": "frames_command:frames",
    "probe": "probe_command:probe",
    "drivers": "driver_commands:drivers",
    "rules": "rule_commands:rules_group",
    "user": "user_commands:user",
}


#: What is typed as well: one driver is made, several are listed.
ALSO = {"driver": "drivers"}


class _Commands(click.Group):
    """A group that knows its commands by name and loads each when it is used."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        where = COMMANDS.get(ALSO.get(cmd_name, cmd_name))
        if where is None:
            return None
        module, name = where.split(":")
        command = getattr(import_module(f"coldchain.cli.{module}"), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=_Commands)
@click.version_option(__version__, prog_name="coldchain")
def main() -> None:
    """Watch doses that cannot be made twice.

    \b
    Example:
      coldchain demo
    """
