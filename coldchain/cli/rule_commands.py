"""`coldchain rules`: which kinds of rules a profile may hold, and which package brings each."""

from __future__ import annotations

import click

from coldchain import __version__
from coldchain.cli.output import format_option, print_json
from coldchain.config.rule_tables import RULES, RuleTable
from coldchain.config.rule_tables.plugged import found


@click.group("rules", short_help="Look at the kinds of rules that are installed.")
def rules_group() -> None:
    """Look at the kinds of rules that a profile may hold.

    \b
    Example:
      coldchain rules list
    """


@rules_group.command("list", short_help="List the kinds of rules, and which package brings each.")
@format_option
def list_rules(as_json: bool) -> None:
    """List the kinds of rules, what each means, and which package brings it.

    Rules of other packages come by the entry-point group coldchain.rules; what cannot be used says why.

    \b
    Examples:
      coldchain rules list
      coldchain rules list --format json
    """
    others = found()
    rows = [(kind, "coldchain", __version__, table) for kind, table in sorted(RULES.items())]
    rows += [(each.kind, each.package, each.version, each.plugin.table) for each in others.kinds.values()]
    if as_json:
        told = [
            {"kind": kind, "package": package, "version": version, "means": _means(table)}
            for kind, package, version, table in rows
        ]
        lost = [{"kind": kind, "broken": why} for kind, why in sorted(others.broken.items())]
        print_json({"kinds": [*told, *lost]})
        return
    for kind, package, version, table in rows:
        whose = "" if package == "coldchain" else f"  ({package} {version})"
        click.echo(f"{kind:<14}{_means(table)}{whose}")
    for kind, why in sorted(others.broken.items()):
        click.echo(f"{kind:<14}cannot be used: {why}")


def _means(table: type[RuleTable]) -> str:
    """The first line of what the table says of itself."""
    return (table.__doc__ or "").strip().partition("\n")[0]
