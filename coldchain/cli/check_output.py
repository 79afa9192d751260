"""A validation record for a terminal: a line for each case, and a time line for each that fails."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from coldchain.reports import words
from coldchain.reports.plot import plot
from coldchain.testing.checking import CaseResult, FileResult
from coldchain.testing.notation import duration_text
from coldchain.testing.record import CheckedBy, checked_at, timeline

_PLOT_MAX = 100


def show(results: Sequence[FileResult], by: CheckedBy, console: Console) -> None:
    """Print the record."""
    console.print(
        Text(f"coldchain {by.version}, engine {by.engine}, checked at {checked_at(by)}"), soft_wrap=True
    )
    for result in results:
        console.print()
        for line in _head(result):
            console.print(line, soft_wrap=True)
        for case in result.cases:
            console.print(_line(case), soft_wrap=True)
            if not case.passed:
                for part in _failure(case, console):
                    console.print(part)
    console.print()
    console.print(_sum(results), soft_wrap=True)


def _head(result: FileResult) -> Iterator[Text]:
    document, profile = result.file.document, result.file.profile.plan
    yield Text(document.shown, "bold")
    if result.file.title:
        yield Text(f"  {result.file.title}")
    yield Text(f"  check    sha256 {document.sha256}", "dim")
    stamp = "" if profile.approved else "  UNAPPROVED"
    yield Text.assemble(
        (f"  profile  sha256 {profile.sha256}  ", "dim"),
        f"{profile.id}, version {profile.version}",
        (stamp, "bold yellow"),
    )
    for name, figure in sorted(result.file.figures.items()):
        yield Text(
            f"  figure   {name} = {figure.value}: {figure.source}, approved by {figure.approved_by}", "dim"
        )


def _line(case: CaseResult) -> Text:
    mark = ("  ok    ", "green") if case.passed else ("  FAIL  ", "bold red")
    covered = ", ".join(
        f"{role} {words.share(each.coverage.good_ms, each.coverage.product_ms)}"
        for role, each in case.roles.items()
    )
    verdict = str(case.verdict).replace("_", " ")
    return Text.assemble(
        mark,
        case.case.name,
        (f"  {verdict}; {duration_text(case.case.length_ms)}; watched: {covered}", "dim"),
    )


def _failure(case: CaseResult, console: Console) -> Iterator[RenderableType]:
    for role, each in case.roles.items():
        if not console.options.ascii_only:
            width = min(console.width - 8, _PLOT_MAX)
            drawn = plot(each.points, each.gaps, each.rules, width, each.plan.quantity)
            if drawn is not None:
                yield Padding(Text(role, "bold"), (1, 0, 0, 8), expand=False)
                yield Padding(drawn, (0, 0, 0, 8), expand=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("expected", overflow="fold")
    table.add_column("happened", overflow="fold")
    table.add_column("", overflow="fold")
    for row in timeline(case):
        mark = "✗" if row.wrong else "✓" if row.expected else " "
        table.add_row(
            mark,
            "–" if row.at_ms is None else duration_text(row.at_ms),
            Text(row.expected or "–"),
            Text(row.happened or "–"),
            Text(row.wrong),
            style="red" if row.wrong else "",
        )
    same = case.verdict is case.case.verdict
    table.add_row(
        "✓" if same else "✗",
        "verdict",
        str(case.case.verdict),
        str(case.verdict),
        Text("; ".join(case.reasons) if not same else ""),
        style="" if same else "red",
    )
    yield Padding(table, (0, 0, 0, 8), expand=False)


def _sum(results: Sequence[FileResult]) -> Text:
    cases = [case for result in results for case in result.cases]
    failed = sum(not case.passed for case in cases)
    files = f"{len(results)} file{'s' if len(results) != 1 else ''}"
    counted = f"{len(cases)} case{'s' if len(cases) != 1 else ''} in {files}"
    if failed:
        return Text(f"{counted}: {failed} not as expected", "bold red")
    return Text(f"{counted}: all as expected", "bold green")
