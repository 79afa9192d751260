"""`coldchain alarms report`: how the alarm system itself did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from coldchain.cli.gateway import config_option, journal_of
from coldchain.cli.lane_commands import instant
from coldchain.cli.output import PRIORITY_STYLE, at, console, format_option, print_json, whole
from coldchain.journal import JournalError, Reader
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.recovery import announced, recover
from coldchain.reports.alarm_metrics import AlarmMetrics, alarm_metrics

#: UTC of an instant of journal time, None where the clock was never known.
Printed = Callable[[int], int | None]


@click.command()
@config_option
@click.option(
    "--journal",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Of this journal, whatever the configuration says.",
)
@click.option("--from", "from_text", metavar="TIME", help="From when (ISO 8601 with offset; default: all).")
@click.option("--to", "to_text", metavar="TIME", help="Until when (default: the journal's end).")
@format_option
def report(
    config_file: Path, journal: Path | None, from_text: str | None, to_text: str | None, as_json: bool
) -> None:
    """Say how the alarm system itself did.

    Alarms by priority, rates, floods, chattering and stale alarms, the ten most frequent, the time until
    somebody took one up, and how long places were without alarms. The figures are those of ISA-18.2 and
    EEMUA 191. Only reads, beside a running daemon or without one.

    \b
    Example:
      coldchain alarms report --from 2026-11-01T00:00+08:00 --to 2026-12-01T00:00+08:00
    """
    path = journal_of(config_file) if journal is None else journal
    try:
        with Reader.open(path) as reader:
            fold = recover(reader, engine()).fold
            first = next(iter(reader.facts(1, 1)), None)
            first_ms = 0 if first is None else first.arrival_ms
            begin, end = instant(from_text), instant(to_text)
            from_ms = first_ms if begin is None else fold.timebase.instant(begin)
            to_ms = fold.arrival_ms + 1 if end is None else fold.timebase.instant(end)
            if from_ms is None or to_ms is None:
                raise click.ClickException("the clock was never known, so no time can be found; leave it out")
            if from_ms >= to_ms:
                raise click.ClickException("the span is empty; let --to be later than --from")
            metrics = alarm_metrics(announced(reader), from_ms, min(to_ms, fold.arrival_ms + 1))
    except JournalError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print_json(_plain(metrics, fold.timebase.printed))
    else:
        _print(metrics, fold.timebase.printed)


def _plain(metrics: AlarmMetrics, printed: Printed) -> object:
    """Instants in UTC ms under their own names; lengths stay ms."""
    found = whole(metrics)
    for row in (found, *found["floods"], *found["stale"]):
        for name in ("from_ms", "to_ms", "begin_ms", "since_ms", "end_ms"):
            if row.get(name) is not None:
                row[name] = printed(row[name])
    return found


def _print(metrics: AlarmMetrics, printed: Printed) -> None:
    def when(journal_ms: int | None) -> str:
        return "now" if journal_ms is None else at(printed(journal_ms))

    def row(*cells: str, style: str = "") -> None:
        console.print("  ".join(cells).rstrip(), style=style, markup=False)

    row(f"{when(metrics.from_ms)} to {when(metrics.to_ms)}", style="bold")
    row(
        f"{metrics.raised} alarms: {metrics.per_10_min} per 10 min, at most {metrics.peak_10_min} in 10 min,",
        f"{metrics.per_day} a day; {metrics.flood_percent} % of the time in flood",
    )
    row(
        f"{metrics.hidden} more out of sight, {metrics.re_alarmed} said again, "
        f"{metrics.escalated} times the next was called, {metrics.unconfirmed_works} works not confirmed"
    )
    console.print()
    row(f"{'priority':<9}", f"{'raised':>6}", f"{'share':>7}", "taken up", " open", "median", style="dim")
    for each in metrics.priorities:
        name = each.priority.value.replace("_", " ")
        row(
            f"{name:<9}",
            f"{each.raised:>6}",
            f"{each.share_percent:>5.1f} %",
            f"{each.acknowledged:>8}",
            f"{each.open:>5}",
            _longest(each.median_ms, each.longest_ms),
            style=PRIORITY_STYLE[each.priority.value] if each.raised else "dim",
        )
    for title, lines in _lists(metrics, when).items():
        console.print()
        row(title if lines else f"{title}: none", style="bold" if lines else "dim")
        for line in lines:
            row(line)


def _lists(metrics: AlarmMetrics, when: Callable[[int | None], str]) -> dict[str, list[str]]:
    """The lists below the figures, each with its lines."""
    return {
        "most frequent": [
            f"{one.raised:>6}  {one.share_percent:>5.1f} %  {one.alarm}" for one in metrics.top
        ],
        "chattering (3 or more within a minute)": [
            f"{one.most_in_a_minute:>6}  {one.alarm}" for one in metrics.chattering
        ],
        "stale (longer than 24 h)": [
            f"{_length(one.length_ms):>6}  {one.alarm}  {when(one.since_ms)} to {when(one.end_ms)}"
            for one in metrics.stale
        ],
        "floods": [
            f"{one.alarms:>6} alarms, {one.peak} in 10 min  {when(one.begin_ms)} to {when(one.end_ms)}"
            for one in metrics.floods
        ],
        "without some of their alarms": [
            f"{_length(one.blind_ms):>6}  {one.place}  {one.times} times" for one in metrics.blind
        ],
    }


def _longest(median_ms: int | None, longest_ms: int | None) -> str:
    if median_ms is None or longest_ms is None:
        return "–"
    return f"{_length(median_ms)}, at most {_length(longest_ms)}"


def _length(ms: int) -> str:
    """A length of time for people, to the minute, or to the second below one."""
    minutes, seconds = divmod(ms // 1000, 60)
    if not minutes:
        return f"{seconds} s"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
