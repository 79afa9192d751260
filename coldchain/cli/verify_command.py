"""`coldchain verify`: is the journal what was committed, and does folding it again say the same?"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import click
from rich.progress import Progress

from coldchain.cli.output import console, errors, format_option, print_json
from coldchain.clock import SystemClock
from coldchain.evidence import heads
from coldchain.evidence.keys import EvidenceError
from coldchain.journal import JournalError, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Stretch, Verdict, Verification
from coldchain.pipeline.verify import verify as verify_journal
from coldchain.reports.words import duration


@click.command(short_help="Fold a journal again from nothing, and compare.")
@click.argument("journal", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--anchor",
    "anchors",
    multiple=True,
    callback=lambda context, parameter, given: _anchors(given),
    help="A link known from elsewhere, as COMMIT:LINK (repeatable): shows that no end was cut off.",
)
@click.option(
    "--key", help="The gateway's public key (64 hex digits): its signatures must be there, and good."
)
@click.option(
    "--anchors",
    "kept",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Signed heads that were kept elsewhere, one a line.",
)
@format_option
def verify(
    journal: Path, anchors: dict[int, bytes], key: str | None, kept: Path | None, as_json: bool
) -> None:
    """Recompute every hash link of a journal, fold its facts again from nothing, and compare.

    Each stretch is equal, made by another engine (and what today's would say differently), or differs.
    The exit status is 0 if it is sound, 1 if not, 2 if it cannot be read or holds no fact. Works beside a
    running daemon. Signed heads are checked, and the last one that left the house is named: commits cut off
    behind it cannot be seen. Copy a journal with its log (FILE-wal), or end the daemon first: the
    file alone may lack its end.

    \b
    Example:
      coldchain verify /var/lib/coldchain/journal.db
      coldchain verify copy.db --anchor 1207:9f2c…
    """
    try:
        with Reader.open(journal) as reader:
            last = reader.tail().position
            with Progress(console=errors, transient=True, disable=not errors.is_terminal) as progress:
                task = progress.add_task("folding again", total=last)
                found = verify_journal(
                    reader, engine(), lambda at: progress.update(task, completed=at), anchors
                )
            signed = heads.audit(reader, key, heads.read_anchors(kept) if kept else ())
    except (JournalError, EvidenceError) as error:
        errors.print(str(error), style="red", markup=False)
        sys.exit(2)
    if as_json:
        print_json(_plain(found) | {"heads": signed})
    else:
        _print(found)
        _print_heads(signed, SystemClock().utc_ms())
    if found.empty:
        sys.exit(2)
    sys.exit(0 if found.sound and not signed.problems else 1)


def _anchors(given: tuple[str, ...]) -> dict[int, bytes]:
    anchors: dict[int, bytes] = {}
    for text in given:
        number, _, link = text.partition(":")
        if not number.isdecimal() or re.fullmatch("[0-9a-fA-F]{64}", link) is None:
            raise click.BadParameter(
                f'"{text}" is no anchor; write one as `coldchain verify` prints it: '
                "the number of the commit, a colon, 64 hex digits"
            )
        anchors[int(number)] = bytes.fromhex(link)
    return anchors


def _plain(found: Verification) -> dict[str, object]:
    chain = found.chain
    return {
        "sound": found.sound,
        "commits": chain.commits,
        "facts": chain.facts,
        "announcements": chain.announcements,
        "last_link": chain.last_link.hex(),
        "findings": chain.findings,
        "removed": chain.removed,
        "removals": [removed for _, removed in chain.removals],
        "folded_from": found.from_position,
        "stretches": found.stretches,
        "stopped": found.stopped,
        "cut": found.cut,
    }


#: So many of the newest removals are named.
_LISTED = 5

_VERDICTS = {
    Verdict.EQUAL: ("equal", "green"),
    Verdict.OTHER_ENGINE: ("made by another engine", "yellow"),
    Verdict.DIFFERS: ("DIFFERS", "bold red"),
    Verdict.WITHOUT_READINGS: ("folded without the removed readings", "yellow"),
}


def _print(found: Verification) -> None:
    chain = found.chain
    console.print(
        f"{chain.facts} facts, {chain.announcements} announcements in {chain.commits} commits; "
        f"anchor of its end {chain.commits}:{chain.last_link.hex()}",
    )
    for finding in chain.findings:
        console.print(
            f"commit {finding.commit}: {finding.fault}: {finding.detail}",
            style="bold red", markup=False,
        )  # fmt: skip
    _print_removed(found)
    for stretch in found.stretches:
        verdict, style = _VERDICTS[stretch.verdict]
        console.print(
            f"positions {stretch.first_position} to {stretch.last_position}: [{style}]{verdict}[/]"
            f" ({_counted(stretch)}; engine {stretch.engine})",
        )
    if found.stopped is not None:
        console.print(
            f"from position {found.stopped.position} on nothing can be folded: {found.stopped.why}",
            style="bold red", markup=False,
        )  # fmt: skip
    if found.cut:
        console.print(f"note: {found.cut}", style="yellow", markup=False)
    if found.empty:
        console.print("EMPTY: there is not one fact in it, so there is nothing to verify", style="bold red")
    else:
        console.print("sound" if found.sound else "NOT SOUND", style="green" if found.sound else "bold red")


def _print_removed(found: Verification) -> None:
    """What was removed, by which policy, and what can therefore not be checked."""
    chain = found.chain
    if not chain.removals:
        return
    (_, first), (_, last) = chain.removals[0], chain.removals[-1]
    policies = ", ".join(dict.fromkeys(f'"{removed.policy}"' for _, removed in chain.removals))
    console.print(
        f"{chain.removed} facts of commits {first.first_commit} to {last.last_commit} were removed by policy "
        f"{policies}, told at positions {', '.join(str(at) for at, _ in chain.removals[-_LISTED:])}; "
        "what is kept of these commits, and every link, is what those removals say",
        style="yellow", markup=False,
    )  # fmt: skip
    console.print(
        "not checked: that removed readings were what their links say, and that what was announced before "
        f"position {found.from_position} follows from them",
        style="yellow", markup=False,
    )  # fmt: skip


def _counted(stretch: Stretch) -> str:
    said = f"{stretch.announcements} announcements"
    if not stretch.different:
        return said if stretch.verdict is Verdict.EQUAL else f"{said}, and today's would say the same"
    facts = "1 fact" if stretch.different == 1 else f"{stretch.different} facts"
    return f"{said}; of {facts} today's would say something else, first at position {stretch.first_different}"


def _print_heads(signed: heads.HeadsReport, now_ms: int) -> None:
    for commit, why in signed.problems:
        console.print(f"commit {commit}: not what was signed: {why}", style="bold red", markup=False)
    if signed.heads:
        console.print(
            f"{signed.heads} heads signed, commits up to {signed.covered} covered; "
            f"key {', '.join(signed.keys)}",
            markup=False,
        )
    else:
        console.print("no head is signed: whoever holds the file can make all of it anew", style="yellow")
    if (last := signed.published) is None:
        console.print("no head ever left the house: a cut tail cannot be seen", style="yellow")
        return
    age = "at an unknown hour" if last.utc_ms is None else f"{duration(now_ms - last.utc_ms)} ago"
    console.print(
        f"last outside anchor: commit {last.commit}, taken by {last.to} {age}, {last.commits_behind} commits "
        f"({duration(last.behind_ms)}) before the end; behind it a cut tail cannot be seen",
        markup=False,
    )
