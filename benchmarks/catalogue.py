"""Every measurement: what is measured, against what, and which of its figures are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.series import HOUR_MS

#: "module:function" in this package, run in a process of its own.
Side = str
#: What a side is told: sizes, and where it may make files.
Options = dict[str, int | str]
CHANNELS = 20
MINUTE_MS = 60_000


@dataclass(frozen=True)
class Case:
    """One comparison. `ratios`: figures that both sides give; `told`: figures shown as they are.

    prepare: run once before the runs, in a folder that all of them share.
    """

    name: str
    baseline: Side
    subject: Side
    ratios: tuple[str, ...]
    told: tuple[str, ...] = ()
    options: Options = field(default_factory=dict)
    prepare: Side = ""


@dataclass(frozen=True)
class Benchmark:
    """Cases that belong together; `cases` makes them for the chosen sizes."""

    name: str
    about: str
    baseline: str
    cases: Callable[[Sizes], tuple[Case, ...]]


@dataclass(frozen=True)
class Sizes:
    """How much is measured: hours of a reading a second for `day`, days of one a minute for the past."""

    hours: float = 1.0
    days: float = 1.0


def _fold(_sizes: Sizes) -> tuple[Case, ...]:
    rounds = 1_500

    def case(name: str, interval_ms: int, late_every: int = 0) -> Case:
        return Case(
            name,
            "bare:limit_loop",
            "judging:fold",
            ("cpu_us_per_reading",),
            ("readings_per_s", "announcements"),
            {
                "channels": CHANNELS,
                "interval_ms": interval_ms,
                "span_ms": rounds * interval_ms,
                "late_every": late_every,
            },
        )

    return (
        case("one a minute", MINUTE_MS),
        case("one a second", 1000),
        case("one a second, each 100th ten late", 1000, 100),
        Case(
            "five minutes from a device's memory behind five live",
            "bare:limit_loop",
            "judging:backfill",
            ("cpu_us_per_reading",),
            ("readings_per_s",),
            {"channels": 1, "interval_ms": 1000, "span_ms": 10 * MINUTE_MS},
        ),
    )


def _memory(_sizes: Sizes) -> tuple[Case, ...]:
    options: Options = {"channels": 4, "interval_ms": 1000, "span_ms": 8_000_000}
    return (
        Case("32,000 readings", "bare:packed", "judging:memory", ("kept_bytes_per_reading",), (), options),
    )


def _day(sizes: Sizes) -> tuple[Case, ...]:
    span: Options = {"channels": CHANNELS, "interval_ms": 1000, "span_ms": round(sizes.hours * HOUR_MS)}
    ratios = ("cpu_us_per_reading", "peak_bytes", "handed_bytes_per_reading", "file_bytes_per_reading")
    told = ("readings", "commits", "facts", "announcements", "disk_bytes_per_reading")
    hours = f"{sizes.hours:g} h of {CHANNELS} channels at one a second"
    return (
        Case(
            f"{hours}, as they come", "bare:insert", "writing:live", ratios, told, span | {"batch": CHANNELS}
        ),
        Case(f"{hours}, all at once", "bare:insert", "writing:backlog", ratios, told, span | {"batch": 500}),
    )


def _idle(_sizes: Sizes) -> tuple[Case, ...]:
    ratios = ("cpu_ms_per_hour", "handed_bytes_per_hour")
    told = ("commits", "disk_bytes_per_hour")
    beats: Options = {"channels": 1, "interval_ms": 10_000, "span_ms": HOUR_MS, "batch": 1}
    return (Case("an hour without a reading", "bare:insert", "writing:idle", ratios, told, beats),)


def _scale(_sizes: Sizes) -> tuple[Case, ...]:
    ratios = ("cpu_us_per_reading", "activation_us_per_channel", "one_consignment_us")
    options: Options = {"channels": 300, "interval_ms": MINUTE_MS, "readings": 15_000}
    return (Case("300 channels", "judging:few", "judging:many", ratios, (), options),)


def _commit(_sizes: Sizes) -> tuple[Case, ...]:
    def case(batch: int, readings: int) -> Case:
        return Case(
            f"{batch} in a commit",
            "bare:insert",
            "writing:commits",
            (
                "wall_us_per_reading",
                "cpu_us_per_reading",
                "handed_bytes_per_reading",
                "file_bytes_per_reading",
            ),
            ("commits", "disk_bytes_per_reading"),
            {
                "channels": CHANNELS,
                "interval_ms": 1000,
                "span_ms": readings // CHANNELS * 1000,
                "batch": batch,
            },
        )

    return case(1, 2_000), case(10, 10_000), case(100, 40_000), case(500, 60_000)


def _past(sizes: Sizes) -> Options:
    return {"channels": CHANNELS, "interval_ms": MINUTE_MS, "span_ms": round(sizes.days * 24 * HOUR_MS)}


def _recovery(sizes: Sizes) -> tuple[Case, ...]:
    def case(name: str, journal: str) -> Case:
        return Case(
            f"{sizes.days:g} d of {CHANNELS} channels at one a minute, {name}",
            "bare:count_rows",
            "past:recovery",
            ("wall_ms", "peak_bytes"),
            ("cpu_ms", "facts_after_state"),
            _past(sizes) | {"journal": journal},
            prepare="past:build",
        )

    return case("state saved as the daemon does", "with.journal"), case("no state saved", "without.journal")


def _verify(sizes: Sizes) -> tuple[Case, ...]:
    name = f"{sizes.days:g} d of {CHANNELS} channels at one a minute"
    options = _past(sizes) | {"journal": "with.journal"}
    ratios = ("wall_ms", "peak_bytes")
    return (Case(name, "bare:read_rows", "past:whole", ratios, ("cpu_ms",), options, prepare="past:build"),)


def _reading_to_disk(_sizes: Sizes) -> tuple[Case, ...]:
    options: Options = {"rate": 100, "readings": 200}
    case = Case(
        "100 readings a second, one by one",
        "bare:single_commits",
        "writing:to_disk",
        ("p50_us", "p99_us"),
        ("count",),
        options,
    )
    return (case,)


def _start(_sizes: Sizes) -> tuple[Case, ...]:
    def case(name: str, statement: str) -> Case:
        ratios = ("wall_ms", "cpu_ms", "peak_bytes")
        return Case(
            name, "starting:nothing", "starting:importing", ratios, ("modules",), {"module": statement}
        )

    return (
        case("any command (coldchain.cli.main)", "coldchain.cli.main"),
        case("the daemon (coldchain.daemon.daemon)", "coldchain.daemon.daemon"),
    )


def _channel(_sizes: Sizes) -> tuple[Case, ...]:
    def case(name: str, sides: tuple[str, str], readings: int, *, mean: int = 0, calm: int = 1) -> Case:
        options: Options = {
            "channels": 1,
            "interval_ms": MINUTE_MS,
            "span_ms": readings * MINUTE_MS,
            "mean": mean,
            "calm": calm,
        }
        told = ("readings_per_s", "announcements")
        return Case(name, *sides, ("cpu_us_per_reading",), told, options)

    loop, plain = ("bare:limit_loop", "channel:streamed"), ("channel:asked", "channel:bulk")
    return (
        case("streamed, uneventful", loop, 200_000),
        case("streamed, uneventful, with a kinetic mean of 24 h", loop, 200_000, mean=1),
        case("streamed, a quarter of an hour too warm in each twenty", loop, 200_000, calm=0),
        case("the same with a kinetic mean of 24 h", loop, 200_000, calm=0, mean=1),
        case("in bulk, uneventful, against asking every rule", plain, 200_000),
        case("in bulk, uneventful, with a kinetic mean", plain, 100_000, mean=1),
    )


def _replay(_sizes: Sizes) -> tuple[Case, ...]:
    def case(name: str, hours: int) -> Case:
        options: Options = {"interval_ms": MINUTE_MS, "span_ms": hours * HOUR_MS}
        return Case(
            name,
            "bare:read_csv",
            "replaying:replay",
            ("cpu_ms", "peak_bytes"),
            ("wall_ms", "readings"),
            options,
        )

    return (case("72 h at one a minute", 72), case("30 days at one a minute", 30 * 24))


def _fleet(_sizes: Sizes) -> tuple[Case, ...]:
    def case(name: str, every_ms: int, span_ms: int, ratios: tuple[str, ...]) -> Case:
        options: Options = {"boxes": 2_000, "every_ms": every_ms, "span_ms": span_ms}
        told = ("messages", "doubled", "messages_per_s", "peak_bytes")
        return Case(name, "boxes:consume", "fleet:watch", ratios, told, options)

    spent = ("cpu_us_per_message", "peak_bytes")
    return (
        case("2,000 boxes, a message each 10 s, for a minute", 10_000, 60_000, spent),
        case("40,000 messages as fast as they can be sent", 500, 10_000, ("messages_per_s",)),
    )


BENCHMARKS = (
    Benchmark("channel", "one channel's packed readings, judged", "as each case says", _channel),
    Benchmark("fold", "readings judged, nothing written", "a loop of one limit over the same tuples", _fold),
    Benchmark("day", "readings through queue, fold and journal", "the same rows into a plain table", _day),
    Benchmark("memory", "what stays of a reading", "time, value and a code in packed arrays", _memory),
    Benchmark("idle", "a gateway to which nobody speaks", "a row every 10 s into a plain table", _idle),
    Benchmark("scale", "what grows with the number of channels", "the same with 20 channels", _scale),
    Benchmark("commit", "the journal alone, by size of commit", "the same rows into a plain table", _commit),
    Benchmark("recovery", "start to the first reading on the disk", "count the journal's facts", _recovery),
    Benchmark("verify", "prove a journal", "fetch its rows", _verify),
    Benchmark("reading_to_disk", "from offer to acknowledgement", "one row's commit", _reading_to_disk),
    Benchmark("replay", "a journey's log, from CSV to verdict", "read the CSV, find the highest", _replay),
    Benchmark("fleet", "many boxes on one broker", "a paho client that counts the messages", _fleet),
    Benchmark("import", "start-up of the interpreter with our modules", "python -c pass", _start),
)
