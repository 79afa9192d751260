"""The replay report for a terminal: verdict first, then what it rests on."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from coldchain.plan import Budget, ProfilePlan
from coldchain.reports import words
from coldchain.reports.plot import plot
from coldchain.reports.replay import ReplayReport, Verdict

_VERDICTS = {
    Verdict.INSIDE: (" INSIDE ", "bold white on green"),
    Verdict.OUTSIDE: (" OUTSIDE ", "bold white on red"),
    Verdict.CANNOT_JUDGE: (" CANNOT JUDGE ", "bold black on yellow"),
}
#: Lines that gave no reading are counted in full and listed up to here; JSON lists them all.
_LISTED = 20
_PLOT_MAX = 110
#: Columns that are read across and never broken into lines.
_NARROW = {"start", "alarm", "end", "since", "raised"}


def show(report: ReplayReport, console: Console) -> None:
    """Print a report. Colour and plot appear where the console has them."""
    console.print(Group(*_parts(report, console)))


def _parts(report: ReplayReport, console: Console) -> Iterator[RenderableType]:
    yield _headline(report)
    yield Padding(_head(report), (1, 0, 0, 0), expand=False)
    for channel in report.channels:
        if not console.options.ascii_only:
            figures = channel.figures
            drawn = plot(figures.points, figures.gaps, channel.rules, min(console.width, _PLOT_MAX))
            if drawn is not None:
                title = [_plain(channel.title, "bold")] if len(report.channels) > 1 else []
                yield Padding(Group(*title, drawn), (1, 0, 0, 0), expand=False)
    if report.channels:
        yield Padding(_figures(report), (1, 0, 0, 0), expand=False)
        yield from _counted(report)
    if any(channel.found for channel in report.channels):
        yield Padding(_excursions(report), (1, 0, 0, 0), expand=False)
    if any(channel.raised for channel in report.channels):
        yield Padding(_alarms(report), (1, 0, 0, 0), expand=False)
    if report.reasons:
        yield Padding(_list("Why", report.reasons), (1, 0, 0, 0), expand=False)
    if report.subject.notes:
        yield Padding(_list("How it was read", report.subject.notes), (1, 0, 0, 0), expand=False)


def _headline(report: ReplayReport) -> Text:
    line = Text.assemble(_VERDICTS[report.verdict])
    if report.subject.simulated:
        line.append("  SIMULATED, no evidence", style="bold magenta")
    profile = report.subject.profile
    if profile is not None and not profile.approved:
        line.append("  UNAPPROVED limits", style="bold yellow")
    return line


def _head(report: ReplayReport) -> Table:
    subject = report.subject
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows = [("file", subject.file), ("sha256", subject.sha256)]
    rows += [("read as", subject.kind)] if subject.kind else []
    rows.append(("limits", _limits(subject.profile, subject.stage)))
    rules = {rule.id: rule for channel in report.channels for rule in channel.rules}
    rows += [
        ("", f"{rule.id}: {words.limit(rule)}" + (f" ({rule.title})" if rule.title else ""))
        for rule in rules.values()
    ]
    if report.from_ms is not None and report.to_ms is not None:
        first, last = (words.clock(at_ms, subject.zone) for at_ms in (report.from_ms, report.to_ms))
        zones = dict.fromkeys(words.offset(at_ms, subject.zone) for at_ms in (report.from_ms, report.to_ms))
        rows.append(("span", f"{first} to {last}, {words.duration(report.to_ms - report.from_ms)}"))
        rows.append(("times", f"{subject.zone} (UTC{' and UTC'.join(zones)})"))
    rows.append(("readings", str(report.readings)))
    for name, value in rows:
        table.add_row(name, _plain(value))
    return table


def _limits(profile: ProfilePlan | None, stage: str) -> str:
    if profile is None:
        return "none"
    title = f", {profile.title}" if profile.title else ""
    staged = f", stage {stage}" if len(profile.stages) > 1 else ""
    return f"{profile.id}, version {profile.version}{title}{staged}"


def _figures(report: ReplayReport) -> Table:
    table = _table(
        "channel", ">readings", ">min", ">max", ">mean", ">kinetic mean", ">watched", ">unmonitored"
    )
    for channel in report.channels:
        figures = channel.figures
        table.add_row(
            _plain(channel.title),
            f"{figures.good}" + (f" + {figures.bad} bad" if figures.bad else ""),
            _celsius(figures.min),
            _celsius(figures.max),
            _celsius(None if figures.mean is None else round(figures.mean)),
            _celsius(None if figures.mkt_c is None else round(figures.mkt_c * 1000)),
            words.share(figures.good_ms, figures.product_ms),
            words.duration(figures.unmonitored_ms),
        )
    return table


def _counted(report: ReplayReport) -> Iterator[Text]:
    for channel in report.channels:
        energy = channel.figures.energy_kj_mol
        mean = f"kinetic mean with {float(energy):g} kJ/mol" if energy is not None else "no kinetic mean"
        usual, longest = (words.duration(ms) for ms in (channel.plan.interval_ms, channel.plan.max_gap_ms))
        counts = f"one reading every {usual}; each counts until the next one, at most {longest}"
        yield _plain(f"{channel.title}: {counts}; {mean}", "dim")
        if unmonitored_ms := channel.figures.unmonitored_ms:
            for rule in channel.rules:
                if isinstance(rule, Budget):
                    charged = "is charged" if rule.charge_unmonitored else "is not charged"
                    spent = f"{words.duration(unmonitored_ms)} unmonitored {charged} to the budget {rule.id}"
                    yield _plain(f"{channel.title}: {spent}", "dim")


def _excursions(report: ReplayReport) -> Table:
    several = len(report.channels) > 1
    names = ["rule", "start", "alarm", "end", ">lasted", ">outside", ">extreme"]
    table = _table(*(["channel"] if several else []), *names, title="Intervals outside")
    zone = report.subject.zone
    for channel in report.channels:
        for found in channel.found:
            interval = found.interval
            end_ms = channel.end_ms if interval.end_ms is None else interval.end_ms
            triggered = interval.triggered_ms is not None
            table.add_row(
                *([_plain(channel.title)] if several else []),
                _plain(found.rule.id),
                words.clock(interval.start_ms, zone),
                "–" if interval.triggered_ms is None else words.clock(interval.triggered_ms, zone),
                "open" if interval.end_ms is None else words.clock(interval.end_ms, zone),
                words.duration(end_ms - interval.start_ms),
                words.duration(interval.outside_ms),
                words.celsius(interval.extreme),
                style="red" if triggered else "",
            )
    return table


def _alarms(report: ReplayReport) -> Table:
    table = _table("rule", "priority", "since", "raised", "limit from", title="Alarms")
    for channel in report.channels:
        for said in channel.raised:
            rule = next(rule for rule in channel.rules if rule.id == said.rule)
            table.add_row(
                _plain(f"{channel.title}: {rule.id}" if len(report.channels) > 1 else rule.id),
                str(rule.priority),
                *(
                    "–" if at_ms is None else words.clock(at_ms, report.subject.zone)
                    for at_ms in (said.since_ms, said.due_ms)
                ),
                _plain(rule.cited.source),
            )
    return table


def _list(title: str, sentences: tuple[str, ...]) -> Text:
    text = Text(title + "\n", style="bold")
    shown = [f"  • {sentence}" for sentence in sentences[:_LISTED]]
    if len(sentences) > _LISTED:
        shown.append(f"  • and {len(sentences) - _LISTED} more; --format json lists them all")
    return text.append_text(_plain("\n".join(shown), "not bold"))


def _table(*names: str, title: str = "") -> Table:
    table = Table(
        box=box.SIMPLE_HEAD, title=title or None, title_justify="left", title_style="bold", pad_edge=False
    )
    for name in names:
        right = name.startswith(">")
        table.add_column(
            name.removeprefix(">"), justify="right" if right else "left", no_wrap=name in _NARROW
        )
    return table


def _celsius(value_mc: int | None) -> str:
    return "–" if value_mc is None else words.celsius(value_mc)


def _plain(text: str, style: str = "") -> Text:
    """Text of a file's own: shown as it is, never as markup or as control codes of a terminal."""
    return Text(
        "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}" for c in text), style
    )
