"""`coldchain retention`: what the site's policy would remove, and removing it by hand."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from coldchain.cli.gateway import config_option
from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.clock import SystemClock
from coldchain.config.amounts import duration_ms, duration_text
from coldchain.config.load import load
from coldchain.config.loaded import Loaded
from coldchain.config.problems import ConfigError
from coldchain.daemon.errors import DaemonError
from coldchain.daemon.retaining import planned, retain
from coldchain.daemon.retention import Plan, lacking
from coldchain.evidence.keys import EvidenceError
from coldchain.fold import settling
from coldchain.journal import JournalError

#: Why nothing of a place goes, in words.
_WHY = {
    settling.OPEN: "its consignment {} is open",
    settling.UNKNOWN_RULE: "how far back its rule {} looks is not known",
    settling.WINDOW: "after a silence its rule {} looks further back than that",
}


@click.group()
def retention() -> None:
    """Readings that are older than the site's policy.

    \b
    Example:
      coldchain retention plan
    """


@retention.command("plan")
@config_option
@click.option("--readings", metavar="TIME", help='Try another time than the configuration\'s: "730 d".')
@format_option
def plan_(config_file: Path, readings: str | None, as_json: bool) -> None:
    """Show what would be removed now, and what keeps the rest. Removes nothing, also beside a running daemon.

    \b
    Example:
      coldchain retention plan
      coldchain retention plan --readings "365 d"
    """
    try:
        keep_ms = None if readings is None else duration_ms(readings)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--readings") from error
    loaded = _loaded(config_file)
    try:
        found = planned(loaded, keep_ms)
    except (JournalError, DaemonError, EvidenceError) as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json(found)
    else:
        _print(found)


@retention.command("run")
@config_option
def run_(config_file: Path) -> None:
    """Remove now what the policy lets go. A running daemon does so by itself; this is for a journal at rest.

    Look at `coldchain retention plan` first, and back the journal up: what is removed is gone. Each removal
    is a signed fact in the journal, and is there whole or not at all, whatever happens meanwhile.

    \b
    Example:
      coldchain retention run
    """
    loaded = _loaded(config_file)
    try:
        pieces, removed = retain(loaded, SystemClock(trusted=loaded.settings.clock.trust == "site"))
    except (JournalError, DaemonError, EvidenceError) as error:
        raise click.ClickException(str(error)) from error
    console.print(f"{removed} facts removed, told by {pieces} facts" if pieces else "nothing to remove")


def _loaded(config_file: Path) -> Loaded:
    try:
        return load(config_file)
    except (ConfigError, OSError) as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(2)


def _print(found: Plan) -> None:
    proposal = found.proposal
    console.print(
        f"policy: readings of the last {duration_text(proposal.policy.readings_ms)}, which is since "
        f"{_date(proposal.judged_from_utc_ms)}; rules look back {duration_text(proposal.reach_ms)} more",
        markup=False,
    )
    if found.removed:
        console.print(
            f"would go: {found.removed} facts of commits {proposal.first_commit} to {found.last_commit}; "
            f"{found.kept} facts of these commits stay, and all announcements, excursions and links",
            markup=False,
        )
        if found.spared:
            console.print(
                f"of these {found.spared} readings stay exact for their excursions, each with "
                f"{duration_text(proposal.policy.around_ms)} around it",
                markup=False,
            )
        console.print(
            f"for what goes stays, of each channel and each {duration_text(proposal.policy.summary_ms)}: "
            "how many readings there were, their extremes and when these were, and the mean",
            markup=False,
        )
    else:
        console.print("nothing would go now", markup=False)
    for hold in proposal.holds:
        console.print(f"{hold.place} stays: {_WHY[hold.why].format(hold.about)}", markup=False)
    for short in found.short:
        console.print(lacking(short), markup=False)
    if proposal.why:
        console.print(f"the rest stays for now: {proposal.why}", markup=False)


def _date(utc_ms: int | None) -> str:
    if utc_ms is None:
        return "a time without a date: nobody vouches for the clock"
    return datetime.fromtimestamp(utc_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
