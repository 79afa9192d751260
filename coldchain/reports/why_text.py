"""Why an alarm, for a terminal: limit, curve, what happened, what was said, who was told, the readings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich import box
from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from coldchain.reports import why_words, words
from coldchain.reports.plot import plot
from coldchain.reports.why import Answer, Read, calibrated

_PLOT_MAX = 110
#: Readings listed around each change of the rule's state; JSON lists them all.
_NEAR = 2
_STATES = {"told": "told", "refused": "REFUSED", "folded": "told with others", "waiting": "not told yet"}


def show(answer: Answer, console: Console) -> None:
    """Print the answer."""
    for part in _parts(answer, console):
        console.print(part)


def _parts(answer: Answer, console: Console) -> Iterator[RenderableType]:
    why = answer.why
    yield _headline(answer)
    yield Padding(_facts(answer), (1, 0, 0, 0), expand=False)
    if why.channel is not None and not console.options.ascii_only:
        width = min(console.width, _PLOT_MAX)
        drawn = plot(why.points, why.gaps, why.rules, width, why.quantity)
        if drawn is not None:
            yield Padding(drawn, (1, 0, 0, 0), expand=False)
            first, last = (words.clock(answer.utc(at), answer.zone) for at in (why.from_ms, why.to_ms))
            yield Text(f"{first} to {last}", "dim")
    if why.steps:
        yield Padding(_steps(answer), (1, 0, 0, 0), expand=False)
    yield Padding(_spoken(answer), (1, 0, 0, 0), expand=False)
    yield Padding(_told(answer), (1, 0, 0, 0), expand=False)
    if why.readings:
        yield Padding(_readings(answer), (1, 0, 0, 0), expand=False)
    if why.other_engine:
        yield Text(
            "The last to write this journal was another version of the program: what happened is told by this"
            " one, what was announced by that one. `coldchain verify` compares them.",
            "yellow",
        )


def _headline(answer: Answer) -> Text:
    why = answer.why
    line = Text(why.excursion or why.alarm, "bold")
    if why.priority is not None:
        line.append(f"  {str(why.priority).replace('_', ' ')}", "bold red")
    if why.occurrence is not None:
        line.append(f"  occurrence {why.occurrence}")
    if not why.confirmed:
        line.append("  NOT CONFIRMED: later evidence denies it", "bold yellow")
    if why.simulated:
        line.append("  SIMULATED", "bold magenta")
    if why.unapproved:
        line.append("  UNAPPROVED limits", "bold yellow")
    if not answer.clock_known:
        line.append("  CLOCK NOT KNOWN", "bold yellow")
    return line


def _facts(answer: Answer) -> Table:
    why = answer.why
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in _rows(answer):
        table.add_row(name, Text(text))
    if why.channel is None and why.rule is None:
        table.add_row("about", Text(why.subject))
    return table


def _rows(answer: Answer) -> Iterator[tuple[str, str]]:
    why = answer.why
    rule, segment, channel = why.rule, why.segment, why.channel
    if rule is not None and segment is not None:
        yield "limit", f"{why_words.condition(answer)}" + (f" ({rule.title})" if rule.title else "")
        yield "source", f"{rule.cited.source} (confidence {rule.cited.confidence})"
        yield "approved by", rule.cited.approved_by or "nobody"
        yield "profile", f"{segment.profile}, version {segment.version}, stage {segment.stage or '–'}"
        if why.profile_sha256:
            yield "", f"sha256 {why.profile_sha256}"
        yield "product", f"consignment {segment.scope}" if segment.scope else "no consignment"
        if rule.advice:
            yield "to do", rule.advice
    if why.interval is not None:
        yield "in all", "; ".join(why_words.sums(answer))
        for sentence in (*why_words.links(answer), *why_words.given_back(answer)):
            yield "", sentence
    if channel is not None:
        probe = f", probe in {channel.probe}" if channel.probe else ""
        often = f"read every {words.duration(channel.interval_ms)}"
        yield (
            "channel",
            f"{channel.id} of {why.source}{probe}, {often}, counts for {words.duration(channel.max_gap_ms)}",
        )
        yield "calibration", _calibration(answer)
    if why.coverage is not None:
        covered = why.coverage
        unmonitored = f"{words.duration(covered.unmonitored_ms)} unmonitored"
        yield (
            "watched",
            f"{words.share(covered.good_ms, covered.product_ms)} of the product's time, {unmonitored}",
        )
    yield "times", str(answer.zone)


def _calibration(answer: Answer) -> str:
    channel, certificate = answer.why.channel, answer.why.certificate
    assert channel is not None, "asked of a channel"
    points = ", ".join(
        f"{_sign(point.correction)}{words.value(channel.quantity, abs(point.correction))}"
        f" at {words.value(channel.quantity, point.at)}"
        for point in channel.calibration
    )
    said = points or "no correction"
    if certificate is None:
        return said
    stated = f"uncertainty {certificate.uncertainty}, due {certificate.due}"
    return f"{said}; certificate {certificate.certificate}, {stated}"


def _sign(quanta: int) -> str:
    return "−" if quanta < 0 else "+"


def _steps(answer: Answer) -> Table:
    table = _table("What happened", "time", "", ">value")
    for step in answer.why.steps:
        value = "" if step.value is None else words.value(answer.why.quantity, step.value)
        table.add_row(_clock(answer, step.at_ms), Text(why_words.step(answer, step)), value)
    interval = answer.why.interval
    if interval is not None and interval.end_ms is None:
        table.add_row("", Text("it lasts", "dim"), "")
    return table


def _spoken(answer: Answer) -> Table | Text:
    if not answer.why.spoken:
        return Text("Nothing was announced: its hold was not fulfilled, or nobody asked for an alarm.", "dim")
    table = _table("What was announced", "announced", "what", "since", "certain", "")
    for one in answer.why.spoken:
        said = one.said
        table.add_row(
            words.clock(answer.journal_utc(one.announced_ms), answer.zone),
            Text(why_words.spoken(one)),
            "" if said.since_ms is None else _clock(answer, said.since_ms),
            "" if said.due_ms is None else _clock(answer, said.due_ms),
            Text(why_words.late(said.late)),
        )
    return table


def _told(answer: Answer) -> Table | Text:
    if not answer.why.receipts:
        return Text("Nobody was told: no sink asked for it.", "dim")
    kinds = {one.position: one.said.kind.value.replace("_", " ") for one in answer.why.spoken}
    table = _table("Who was told", "sink", "of", "", "at", "")
    for receipt in answer.why.receipts:
        at = "" if receipt.at_ms is None else words.clock(answer.journal_utc(receipt.at_ms), answer.zone)
        table.add_row(
            receipt.sink,
            kinds.get(receipt.position, ""),
            _STATES[receipt.state],
            at,
            Text(receipt.detail),
            style="" if receipt.state in ("told", "folded") else "yellow",
        )
    return table


def _readings(answer: Answer) -> Table:
    why = answer.why
    channel = why.channel
    assert channel is not None, "readings are of a channel"
    shown = _near(why.readings, [step.at_ms for step in why.steps] or [why.from_ms, why.to_ms])
    table = _table(
        f"Readings ({len(shown)} of {len(why.readings)} around it)",
        "time", ">as sent", *([">calibrated"] if channel.calibration else []), ">judged", "quality",
    )  # fmt: skip
    before: int | None = None
    for index in shown:
        read = why.readings[index]
        if before is not None and index > before + 1:
            table.add_row("…")
        before = index
        corrected = calibrated(channel, read)
        by_certificate = "–" if corrected is None else words.value(channel.quantity, corrected)
        judged = "–" if read.value is None else words.value(channel.quantity, read.value)
        table.add_row(
            _clock(answer, read.at_ms),
            Text(f"{read.raw} {read.unit}".strip() if read.raw else "–"),
            *([by_certificate] if channel.calibration else []),
            judged,
            f"{read.quality}" + (f": {read.reason}" if read.reason is not None else ""),
        )  # fmt: skip
    return table


def _near(readings: Sequence[Read], instants: Sequence[int]) -> list[int]:
    """Indices of the readings around each instant."""
    shown: set[int] = set()
    for at_ms in instants:
        after = next((i for i, read in enumerate(readings) if read.at_ms >= at_ms), len(readings))
        shown |= set(range(max(0, after - _NEAR), min(len(readings), after + _NEAR)))
    return sorted(shown)


def _clock(answer: Answer, at_ms: int) -> str:
    return words.clock(answer.utc(at_ms), answer.zone)


def _table(title: str, *names: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", title_style="bold", pad_edge=False)
    for index, name in enumerate(names):
        right = name.startswith(">")
        table.add_column(
            name.removeprefix(">"),
            justify="right" if right else "left",
            no_wrap=index == 0 or right,
            overflow="fold",
        )
    return table
