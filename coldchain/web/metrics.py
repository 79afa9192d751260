"""The state as Prometheus reads it: what every probe shows, what every alarm is, how we are ourselves.

Names and units are Prometheus' conventions (base units, `_total` for what only grows); values are judged, as
everywhere. What is BAD has no value, so that nothing is drawn where nothing is known. Ages are counted by
journal time and so are right while the wall clock is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from coldchain.alarms.table import AlarmState
from coldchain.model import Priority, Quality
from coldchain.units import QUANTITIES
from coldchain.web.alarm_views import AlarmView
from coldchain.web.views import AssetView, ChannelView, Judgement, Pulse, StateView
from coldchain.web.workings import Workings

#: What a quantity is called, and how many of its display units make one of Prometheus' base units.
UNITS: dict[str, tuple[str, str, float]] = {
    "temperature": ("temperature_celsius", "Temperature", 1),
    "mass": ("mass_kilograms", "Mass", 1),
    "level": ("level_meters", "Level of a liquid", 1_000),
    "fraction": ("fraction_ratio", "Share, such as relative humidity or oxygen: 1 is all", 100),
    "tilt": ("tilt_degrees", "Angle from upright", 1),
    "contact": ("contact_open", "1 while a lid, a door or a valve is open", 1),
    "acceleration": ("acceleration_meters_per_second_squared", "Acceleration", 1),
    "voltage": ("voltage_volts", "Voltage", 1),
    "pressure": ("pressure_pascals", "Pressure", 0.01),
    "concentration": ("concentration_ratio", "Share in the air: 1 is all", 1_000_000),
}
#: The same numbers as a time-series sink writes.
_QUALITIES = {Quality.BAD: 0, Quality.UNCERTAIN: 1, Quality.GOOD: 2}
STATES = {state: number for number, state in enumerate(AlarmState)}
_ASKS = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.RETURNED})

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


def exposition(state: StateView, pulse: Pulse, workings: Workings) -> bytes:
    """Everything, in the text format 0.0.4, which every Prometheus and VictoriaMetrics reads."""
    registry = CollectorRegistry(auto_describe=False)
    ProcessCollector(registry=registry)
    registry.register(_Collected(lambda: _families(state, pulse, workings)))
    return generate_latest(registry)


class _Collected:
    def __init__(self, families: Callable[[], Iterable[Metric]]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families()


def _families(state: StateView, pulse: Pulse, workings: Workings) -> Iterator[Metric]:
    yield _one("build_info", "The version that runs", 1, version=state.gateway.version)
    yield from _measured(state.assets, pulse)
    yield from _judged(state.assets, pulse)
    yield from _alarms(state.alarms)
    yield from _around(state, pulse)
    yield from _own(state, pulse, workings)


def _channels(assets: Iterable[AssetView]) -> Iterator[tuple[list[str], ChannelView]]:
    for asset in assets:
        for channel in asset.channels:
            simulated = "true" if channel.simulated else "false"
            yield [asset.id, channel.role, channel.id, simulated], channel


_CHANNEL = ["asset", "role", "channel", "simulated"]


def _measured(assets: tuple[AssetView, ...], pulse: Pulse) -> Iterator[Metric]:
    values = {
        quantity: GaugeMetricFamily(f"coldchain_{name}", f"{words}, as judged", labels=_CHANNEL)
        for quantity, (name, words, _) in UNITS.items()
    }
    quality = GaugeMetricFamily(
        "coldchain_channel_quality", "Of the last reading: 2 GOOD, 1 UNCERTAIN, 0 BAD", labels=_CHANNEL
    )
    age = GaugeMetricFamily(
        "coldchain_channel_age_seconds", "Since the last reading came in", labels=_CHANNEL
    )
    for labels, channel in _channels(assets):
        if channel.value is not None:
            shown = QUANTITIES[channel.quantity].to_float(channel.value)
            values[channel.quantity].add_metric(labels, shown / UNITS[channel.quantity][2])
        if channel.quality is not None:
            quality.add_metric(labels, _QUALITIES[channel.quality])
        if channel.heard_at_journal_ms is not None:
            age.add_metric(labels, max(0, pulse.journal_ms - channel.heard_at_journal_ms) / 1000)
    yield from (family for family in values.values() if family.samples)
    yield from (quality, age)


def _judged(assets: tuple[AssetView, ...], pulse: Pulse) -> Iterator[Metric]:
    outside = GaugeMetricFamily(
        "coldchain_channel_outside", "1 while a limit in force is exceeded", labels=_CHANNEL
    )
    known = GaugeMetricFamily(
        "coldchain_channel_known", "0 while nothing can be said: silent or BAD", labels=_CHANNEL
    )
    for labels, channel in _channels(assets):
        outside.add_metric(labels, channel.judgement is Judgement.OUTSIDE)
        known.add_metric(labels, channel.judgement is not Judgement.NOT_KNOWN)
    monitored = GaugeMetricFamily(
        "coldchain_asset_monitored", "0 while nobody measures in this vessel", labels=["asset"]
    )
    left = GaugeMetricFamily(
        "coldchain_hold_left_seconds", "Until the nitrogen is gone, as an interval", labels=["asset", "bound"]
    )
    needed = GaugeMetricFamily(
        "coldchain_hold_needed_seconds", "Until the vessel has arrived, with the reserve", labels=["asset"]
    )
    for asset in assets:
        monitored.add_metric([asset.id], asset.monitored)
        if (hold := asset.hold) is not None and hold.reckoned_at_journal_ms is not None:
            past_ms = max(0, pulse.journal_ms - hold.reckoned_at_journal_ms)
            for bound, ms in (("low", hold.low_ms), ("high", hold.high_ms)):
                if ms is not None:
                    left.add_metric([asset.id, bound], max(0, ms - past_ms) / 1000)
            travel_ms = max(0, (hold.needed_ms or 0) - past_ms)
            needed.add_metric([asset.id], (travel_ms + hold.reserve_ms) / 1000)
    yield from (outside, known, monitored, left, needed)


def _alarms(alarms: tuple[AlarmView, ...]) -> Iterator[Metric]:
    states = GaugeMetricFamily(
        "coldchain_alarm_state",
        ", ".join(f"{number} {state.value}" for state, number in STATES.items()),
        labels=["alarm", "priority", "simulated", "unapproved"],
    )
    waiting = dict.fromkeys(Priority, 0)
    for alarm in alarms:
        marks = ["true" if mark else "false" for mark in (alarm.simulated, alarm.unapproved)]
        states.add_metric([alarm.id, alarm.priority.value, *marks], STATES[alarm.state])
        waiting[alarm.priority] += alarm.state in _ASKS
    asking = GaugeMetricFamily(
        "coldchain_alarms_unacknowledged", "Alarms that ask for somebody", labels=["priority"]
    )
    for priority, count in waiting.items():
        asking.add_metric([priority.value], count)
    yield from (states, asking)


def _around(state: StateView, pulse: Pulse) -> Iterator[Metric]:
    sources = GaugeMetricFamily(
        "coldchain_source_up", "1 while a device can be heard", labels=["source", "driver"]
    )
    for source in state.gateway.sources:
        sources.add_metric([source.id, source.driver], source.up)
    up = GaugeMetricFamily("coldchain_sink_up", "1 while a sink takes what it is told", labels=["sink"])
    waiting = GaugeMetricFamily("coldchain_sink_waiting", "Notices that wait for a sink", labels=["sink"])
    for sink in state.gateway.sinks:
        up.add_metric([sink.id], sink.ok)
        waiting.add_metric([sink.id], sink.waiting)
    yield from (sources, up, waiting)
    yield _one("clock_known", "1 when somebody vouches for the wall clock", pulse.clock_known)


def _own(state: StateView, pulse: Pulse, workings: Workings) -> Iterator[Metric]:
    yield _one("journal_ok", "0 while the journal cannot be written", state.gateway.journal_ok)
    beat_s = max(0, pulse.journal_ms - pulse.beat_journal_ms) / 1000
    yield _one("beat_age_seconds", "Since our own heartbeat came out committed", beat_s)
    yield _waited(workings)
    yield _one("journal_position", "Number of the newest fact", workings.position)
    yield _one("queue_facts", "Facts that wait to be folded", workings.waiting)
    yield _one("queue_capacity_facts", "How many devices may leave there", workings.capacity)
    yield CounterMetricFamily("coldchain_commits", "Transactions on disk", workings.commits)
    yield CounterMetricFamily("coldchain_commit_seconds", "Time they took in sum", workings.commit_s)
    yield _one("commit_longest_seconds", "The longest since the start", workings.longest_commit_s)
    for name, words, value in (
        ("journal_bytes", "The journal with its log", workings.journal_bytes),
        ("journal_wal_bytes", "Of it the write-ahead log", workings.journal_wal_bytes),
        ("disk_free_bytes", "Free where the journal lies", workings.disk_free_bytes),
        ("disk_bytes", "Size of that file system", workings.disk_bytes),
        ("clock_error_seconds", "The most by which the kernel's clock may be wrong", workings.clock_error_s),
    ):
        if value is not None:
            yield _one(name, words, value)


def _waited(workings: Workings) -> Metric:
    family = GaugeMetricFamily(
        "coldchain_sink_oldest_seconds",
        "For how long the oldest notice has waited",
        labels=["sink"],
    )
    for sink, age_s in workings.sink_oldest_s.items():
        family.add_metric([sink], age_s)
    return family


def _one(name: str, words: str, value: float, **labels: str) -> Metric:
    family = GaugeMetricFamily(f"coldchain_{name}", words, labels=list(labels))
    family.add_metric(list(labels.values()), value)
    return family
