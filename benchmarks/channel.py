"""One channel's packed readings, judged where the rules are: asked each time, by calm runs, by blocks."""

from __future__ import annotations

from array import array

from msgspec.structs import replace

from benchmarks.bare import Options
from benchmarks.measure import Figures, Usage, peak_bytes
from benchmarks.series import rounds
from coldchain.consignments.line import Segment
from coldchain.fold import columns
from coldchain.fold.history import History
from coldchain.fold.steps import Told
from coldchain.fold.track import Track
from coldchain.model import Priority
from coldchain.plan import ChannelPlan, Cited, KineticMean, Rule
from coldchain.profiles import load

#: Below this no rule of the profile says anything, in thousandths of a degree.
_COLDEST_RULE = -165_000
#: A mean that no window of the series exceeds, though a quarter of an hour too warm lies above its limit:
#: for a day after it each reading that leaves the window may raise the mean. The energy is a low one, so that
#: values this cold weigh something; it is no product's.
_MEAN = KineticMean(
    id="mean",
    role="vapour",
    priority=Priority.TO_KNOW,
    cited=Cited("benchmark", "none"),
    limit=-145_000,
    window_ms=86_400_000,
    energy_kj_mol="10",
)


def asked(options: Options) -> Figures:
    """Every rule is asked about every reading."""
    return _judged(options, calm=False, blocks=False)


def streamed(options: Options) -> Figures:
    """Calm runs, one reading after the other, without NumPy."""
    return _judged(options, calm=True, blocks=False)


def bulk(options: Options) -> Figures:
    """Calm runs by blocks."""
    return _judged(options, calm=True, blocks=True)


def _judged(options: Options, *, calm: bool, blocks: bool) -> Figures:
    interval_ms = options["interval_ms"]
    channel = ChannelPlan(
        id="box.vapour",
        source="log",
        quantity="temperature",
        asset="box",
        role="vapour",
        interval_ms=interval_ms,
        fresh_within_ms=60 * interval_ms,
        max_gap_ms=3 * interval_ms,
        valid_low=-210_000,
        valid_high=60_000,
    )
    rules: tuple[Rule, ...] = tuple(
        rule for rule in load("dry-shipper-150").stages[0].rules if rule.role == "vapour"
    )
    if options.get("mean"):
        rules = (*rules, replace(_MEAN))
    history = History()
    times, values = array("q"), array("q")
    for _, at_ms, found in rounds(1, interval_ms, options["span_ms"]):
        times.append(at_ms)
        values.append(min(found[0] * 10, _COLDEST_RULE - 1) if options.get("calm") else found[0] * 10)
    history.at, history.value = times, values
    history.code = array("I", bytes(4 * len(times)))
    history.sent = array("I", bytes(4 * len(times)))
    columns.BLOCKS = blocks
    track = Track("box/vapour", {channel.id: history})
    track.line = [Segment(times[0], channel, rules)]
    track.calm = calm
    told: list[Told] = []
    track.advance(times[0], told.append)
    with Usage() as used:
        track.judge_all(history, 0, len(history), told.append)
    assert track.at_ms == times[-1]
    return {
        "readings": len(times),
        "readings_per_s": len(times) / used.cpu_s,
        "cpu_us_per_reading": used.cpu_s / len(times) * 1e6,
        "announcements": len(told),
        "peak_bytes": peak_bytes(),
    }
