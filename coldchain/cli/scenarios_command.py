"""`coldchain scenarios`: what happens in the field, played before the code that judges live."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from typing import Any

import click
from rich.text import Text

from coldchain.cli.output import console
from coldchain.cli.replay_options import VerdictCommand
from coldchain.cli.scenario_output import Moment, as_json, moments, story_of, summary
from coldchain.cli.scenario_site import Against
from coldchain.clock import SystemClock
from coldchain.config.problems import ConfigError
from coldchain.pipeline.engine_id import engine
from coldchain.testing.scenario_file import Scenario, find_scenario, read_scenario, shipped_scenarios
from coldchain.testing.scenario_run import ScenarioResult, run_scenario

UNREADABLE = 2
#: How fast a scenario is played against a daemon unless told, and at most: its wire needs some real time.
LIVE_SPEED, LIVE_SPEED_MAX = 600, 2000
KIND_WORDS = {
    "calm": "Nothing to say",
    "physics": "Vessels that fail",
    "sensor": "Sensors that lie",
    "history": "What happened elsewhere",
    "network": "Networks and power",
    "clock": "Clocks",
}
_FORMAT = click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", help="For people or programs."
)


@click.group(short_help="Rehearse what happens in the field.")
def scenarios() -> None:
    """Rehearse what happens in the field: shipments, stores, and what goes wrong with them.

    \b
    Example:
      coldchain scenarios run vacuum-lost
    """


@scenarios.command("list", short_help="The scenarios that came with the program.")
@_FORMAT
def list_(form: str) -> None:
    """List the scenarios that came with the program, each with what must be said of it in the end.

    \b
    Example:
      coldchain scenarios list
    """
    found = [read_scenario(path) for path in shipped_scenarios().values()]
    if form == "json":
        click.echo(json.dumps([summary(one) for one in found], indent=2, ensure_ascii=False))
        return
    for kind, words in KIND_WORDS.items():
        console.print(Text(words, "bold"))
        for one in found:
            if one.head.kind == kind:
                line = f"  {one.name:<34} {one.head.verdict:<13} {one.head.title}"
                console.print(line, markup=False, soft_wrap=True)


@scenarios.command(short_help="What happens in a scenario, and what must be said of it.")
@click.argument("name")
@_FORMAT
def show(name: str, form: str) -> None:
    """Show a scenario: its story and source, what happens when, and what must be announced.

    NAME is one of `coldchain scenarios list`, or a file.

    \b
    Example:
      coldchain scenarios show valve-left-shut
    """
    scenario = _found(name)
    if form == "json":
        click.echo(json.dumps(summary(scenario), indent=2, ensure_ascii=False))
        return
    for line in story_of(scenario):
        console.print(line, soft_wrap=True)


@scenarios.command(
    cls=VerdictCommand, short_help="Play scenarios and say whether all was said as it must be."
)
@click.argument("names", nargs=-1, required=True, metavar="NAME...")
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the simulated noise.")
@click.option(
    "--seeds", type=click.IntRange(1), default=1, help="Play each with so many seeds, from that on."
)
@click.option(
    "--speed",
    type=click.IntRange(0, 100_000),
    default=0,
    show_default=True,
    help="Simulated seconds in one real second; 0: at once.",
)
@click.option(
    "--against",
    type=click.Choice(list(Against), case_sensitive=False),
    help="Play it over a real wire into a real daemon, shown on its page: mqtt, serial or tcp.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="With --against: of the page.",
)
@_FORMAT
def run(
    names: tuple[str, ...],
    seed: int,
    seeds: int,
    speed: int,
    against: Against | None,
    port: int,
    form: str,
) -> None:
    """Play scenarios before the code that judges live, and hold what was said against what must be said.

    A NAME is one of `coldchain scenarios list`, a file, or "all". No daemon is needed and no hardware; the
    clock is the scenario's own. With --speed the time line passes as it would, only faster.

    With --against its probes speak over a broker, a pseudo-terminal or a TCP connection to a whole daemon
    with a journal and a page, in scaled time (--speed 600 unless told, 2000 at most). Everything in it is
    marked simulated, and gone afterwards.

    The exit status is 0 if all went as expected, 1 if not, 2 if a file cannot be read as it stands, 64 for a
    wrong command, 70 for an error of ours.

    \b
    Examples:
      coldchain scenarios run vacuum-lost --speed 600
      coldchain scenarios run vacuum-lost --against mqtt
      coldchain scenarios run all
      coldchain scenarios run my-lane.toml --seeds 100
    """
    wanted = [found for name in names for found in (shipped_scenarios() if name == "all" else [name])]
    chosen = [_found(name) for name in wanted]
    if against is not None:
        if speed > LIVE_SPEED_MAX or form != "text":
            raise click.UsageError(f"--against is for people to watch, at --speed {LIVE_SPEED_MAX} at most")
        live = _live(chosen, range(seed, seed + seeds), Against(against), speed or LIVE_SPEED, port)
        click.get_current_context().exit(0 if live else 1)
    by = engine()
    results: list[ScenarioResult] = []
    for scenario in chosen:
        ran = [run_scenario(scenario, number, by) for number in range(seed, seed + seeds)]
        results += ran
        if form == "text":
            _say(scenario, ran, speed, whole=len(chosen) == 1)
    if form == "json":
        click.echo(json.dumps([as_json(one) for one in results], indent=2, ensure_ascii=False))
    elif len(results) > 1:
        failed = sum(not one.passed for one in results)
        console.print(
            f"{len(results)} plays: " + (f"{failed} not as expected" if failed else "all as expected")
        )
    click.get_current_context().exit(0 if all(one.passed for one in results) else 1)


def _live(chosen: Sequence[Scenario], seeds: Sequence[int], against: Against, speed: int, port: int) -> bool:
    """Play each against a daemon; whether all went as expected."""
    from coldchain.cli import run_log
    from coldchain.cli.scenario_live import play_live

    run_log.only_trouble()
    passed = True
    for scenario in chosen:
        for line in story_of(scenario, brief=True):
            console.print(line, soft_wrap=True)
        for seed in seeds:
            ran = play_live(scenario, seed, against, speed, port)
            _verdict(scenario, [ran])
            passed = passed and ran.passed
    return passed


def _found(name: str) -> Scenario:
    try:
        return find_scenario(name)
    except ConfigError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise click.exceptions.Exit(UNREADABLE) from error


def _say(scenario: Scenario, ran: Sequence[ScenarioResult], speed: int, *, whole: bool) -> None:
    """The first play in full if it is the only one; of all others what did not go as expected."""
    if whole:
        for line in story_of(scenario, brief=True):
            console.print(line, soft_wrap=True)
        _pass(moments(ran[0]), speed)
    _verdict(scenario, ran)


def _verdict(scenario: Scenario, ran: Sequence[ScenarioResult]) -> None:
    """A line for a scenario, and what did not go as expected."""
    wrong = [one for one in ran if not one.passed]
    mark: dict[str, Any] = {"style": "bold red"} if wrong else {"style": "green"}
    line = Text("FAIL  " if wrong else "ok    ", **mark).append(scenario.name, style="bold")
    line.append(f"  {ran[0].result.verdict}: {'; '.join(ran[0].result.reasons) or 'no rule alarmed'}")
    console.print(line, soft_wrap=True)
    for one in wrong[:3]:
        for said in one.complaints():
            console.print(Text(f"      seed {one.seed}: {said}"), soft_wrap=True)
    if len(wrong) > 3:
        console.print(f"      … and {len(wrong) - 3} more seeds")


def _pass(line: Sequence[Moment], speed: int) -> None:
    """Print what happened as time passes; speed 0: at once."""
    clock, never = SystemClock(trusted=True), threading.Event()
    began_s = clock.real_s()
    for moment in line:
        if speed:
            never.wait(max(0.0, began_s + moment.at_ms / 1000 / speed - clock.real_s()))
        console.print(moment.line, soft_wrap=True)
