"""A station in memory: an operations room with a few assets, for tests of the page and for looking at it.

Values follow made-up curves; limits are examples and say so. Nothing here stands for a real product.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator

from msgspec import structs

from coldchain.alarms.table import AlarmState
from coldchain.clock import SystemClock
from coldchain.model import Priority, Quality, Reason, Side
from coldchain.web.alarm_views import (
    AlarmView,
    CalledView,
    OccurrenceView,
    ShelfView,
    TakenView,
    ToldView,
    WorkChoice,
    WorkView,
)
from coldchain.web.plain_views import CitedView, Instant
from coldchain.web.series import (
    Band,
    ExcursionView,
    LimitSpan,
    MarkView,
    Sample,
    SeriesView,
    draw,
)
from coldchain.web.station import (
    AcknowledgeAlarm,
    Action,
    Actor,
    BindChannel,
    CloseAlarm,
    EnterStage,
    Outcome,
    ResetLatch,
    SetEta,
    ShelveAlarm,
    UnshelveAlarm,
)
from coldchain.web.views import (
    AssetView,
    ChannelChoice,
    ChannelView,
    ClockView,
    ConsignmentView,
    Extreme,
    GatewayView,
    HoldView,
    Judgement,
    LimitView,
    ProfileChoice,
    ProfileView,
    Pulse,
    SinkView,
    SourceView,
    StateView,
)
from coldchain.web.workings import Workings

MINUTE = 60_000
HOUR = 60 * MINUTE
SAMPLE_MS = 30_000
EXAMPLE = CitedView("example for tests, no standard", "none")
ABOVE_150 = LimitView(
    "above-150", Side.ABOVE, -150_000, EXAMPLE, title="vapour above −150 °C", priority=Priority.CRITICAL
)


class Room:
    """A `Station`. `state()` is `self.view`; change it with `show`, which tells the page."""

    def __init__(self, clock: SystemClock | None = None) -> None:
        self.clock = clock or SystemClock(journal_start_ms=5_000_000, trusted=True)
        self.zero_utc = self.clock.utc_ms()
        self.zero_journal = self.clock.journal_ms()
        self.acts: list[tuple[Action, Actor]] = []
        self.refuse = ""
        self.writer_stopped_at: int | None = None
        self.failing = False
        self.dense: dict[str, tuple[Sample, ...]] = {}
        self.bands: dict[str, Band] = {}
        self._lock = threading.RLock()
        self._listeners: list[Callable[[], None]] = []
        self.view = self.quiet()

    # --- Station -------------------------------------------------------------------------------------------

    def state(self) -> StateView:
        """The view as last shown."""
        if self.failing:
            raise RuntimeError("the station has failed")
        with self._lock:
            return self.view

    def pulse(self) -> Pulse:
        """A writer's heartbeat of this moment, unless it was stopped."""
        now = self.clock.journal_ms()
        beat = now if self.writer_stopped_at is None else self.writer_stopped_at
        return Pulse(now, self.clock.utc_ms(), self.view.clock.known, beat, 3_000)

    def workings(self) -> Workings:
        """Made-up numbers of a program that is well."""
        disk = (4_096_000, 1_024_000, 8_000_000_000, 16_000_000_000)
        return Workings(81_234, 3, 10_000, 500, 1.5, 0.25, *disk, clock_error_s=0.25)

    def subscribe(self, changed: Callable[[], None]) -> Callable[[], None]:
        """Remember a listener."""
        with self._lock:
            self._listeners.append(changed)
        return lambda: self._listeners.remove(changed)

    def act(self, action: Action, actor: Actor) -> Outcome:
        """Do the least that the page can show, and remember what was asked."""
        with self._lock:
            if self.refuse:
                return Outcome(False, self.refuse)
            if isinstance(action, BindChannel) and action.role == "vapuor" and not action.confirmed:
                return Outcome(False, 'no limit judges "vapuor"', confirm=True)
            self.acts.append((action, actor))
            at = Instant(self.clock.utc_ms())
            match action:
                case AcknowledgeAlarm(alarm=name, occurrences=numbers, comment=comment):
                    self._change(name, lambda alarm: _taken(alarm, actor, at, numbers, comment))
                case ShelveAlarm(alarm=name, until_ms=until_ms, comment=comment):
                    shelf = ShelfView(Instant(until_ms), actor.name, comment)
                    self._change(
                        name, lambda alarm: structs.replace(alarm, state=AlarmState.SHELVED, shelf=shelf)
                    )
                case UnshelveAlarm(alarm=name):
                    self._change(
                        name,
                        lambda alarm: structs.replace(alarm, state=AlarmState.UNACKNOWLEDGED, shelf=None),
                    )
                case ResetLatch(alarm=name) | CloseAlarm(alarm=name):
                    self.drop_alarm(name)
                case EnterStage(consignment=name, stage=stage):
                    self._load(
                        name, lambda load: structs.replace(load, stage=stage, stage_title="", stage_since=at)
                    )
                case SetEta(consignment=name, eta_ms=eta_ms):
                    self._load(name, lambda load: structs.replace(load, eta=Instant(eta_ms)))
                case _:
                    pass
            return Outcome(True, position=len(self.acts))

    def series(self, channel: str, from_ms: int, to_ms: int, columns: int) -> SeriesView | None:
        """The made-up curve of a channel."""
        view = self.channel(channel)
        if view is None:
            return None
        now = self.clock.utc_ms()
        samples = self.dense.get(channel) or tuple(self._samples(channel, from_ms, min(to_ms, now)))
        limits = tuple(LimitSpan(from_ms, to_ms, limit) for limit in view.limits)
        excursions: tuple[ExcursionView, ...] = ()
        marks: tuple[MarkView, ...] = ()
        if view.outside_since is not None:
            excursions = (ExcursionView("box-7/1", "above-150", view.outside_since.ms, None, triggered=True),)
            marks = (MarkView(view.outside_since.ms - 9 * MINUTE, "lid", "lid open"),)
        return SeriesView(
            channel,
            view.quantity,
            from_ms,
            to_ms,
            draw(samples, from_ms, to_ms, columns, 5 * MINUTE, now),
            readings=sum(from_ms <= sample.at_ms < to_ms for sample in samples),
            limits=limits,
            excursions=excursions,
            marks=marks,
            simulated=view.simulated,
            band=self.bands.get(channel),
        )

    # --- Changing it ---------------------------------------------------------------------------------------

    def show(self, view: StateView) -> None:
        """Another state from now on; every page is told, from whatever thread this is."""
        with self._lock:
            self.view = view
            listeners = list(self._listeners)
        for changed in listeners:
            changed()

    def channel(self, name: str) -> ChannelView | None:
        """A channel of the present view."""
        found = (channel for asset in self.view.assets for channel in asset.channels if channel.id == name)
        return next(found, None)

    def put_channel(self, channel: ChannelView) -> None:
        """Replace a channel by its id."""
        with self._lock:
            assets = tuple(
                structs.replace(
                    asset,
                    channels=tuple(channel if each.id == channel.id else each for each in asset.channels),
                )
                for asset in self.view.assets
            )
            self.show(structs.replace(self.view, assets=assets))

    def read(self, name: str, value: int) -> None:
        """A good reading has just come."""
        channel = self.channel(name)
        assert channel is not None
        self.put_channel(
            structs.replace(
                channel,
                value=value,
                quality=Quality.GOOD,
                reason=None,
                judgement=Judgement.INSIDE,
                at=Instant(self.clock.utc_ms()),
                heard_at_journal_ms=self.clock.journal_ms(),
            )
        )

    def bad(self, name: str, reason: Reason) -> None:
        """A BAD reading has just come; the last value stays in the view, as a daemon might leave it."""
        channel = self.channel(name)
        assert channel is not None
        self.put_channel(
            structs.replace(
                channel,
                quality=Quality.BAD,
                reason=reason,
                judgement=Judgement.NOT_KNOWN,
                heard_at_journal_ms=self.clock.journal_ms(),
            )
        )

    def put_alarm(self, alarm: AlarmView) -> None:
        """Raise or replace an alarm."""
        with self._lock:
            others = tuple(each for each in self.view.alarms if each.id != alarm.id)
            self.show(structs.replace(self.view, alarms=(*others, alarm)))

    def drop_alarm(self, name: str) -> None:
        """The alarm is Normal again."""
        with self._lock:
            self.show(
                structs.replace(self.view, alarms=tuple(each for each in self.view.alarms if each.id != name))
            )

    def alarm(self, name: str) -> AlarmView:
        """An alarm of the present view."""
        return next(each for each in self.view.alarms if each.id == name)

    def _change(self, name: str, how: Callable[[AlarmView], AlarmView]) -> None:
        self.put_alarm(how(self.alarm(name)))

    def _load(self, name: str, how: Callable[[ConsignmentView], ConsignmentView]) -> None:
        assets = tuple(
            structs.replace(asset, consignment=how(asset.consignment))
            if asset.consignment is not None and asset.consignment.id == name
            else asset
            for asset in self.view.assets
        )
        self.show(structs.replace(self.view, assets=assets))

    # --- What it shows -------------------------------------------------------------------------------------

    def ago(self, ms: int) -> Instant:
        """An instant before the room opened."""
        return Instant(self.zero_utc - ms)

    def critical(self, name: str = "box-7/vapour/above-150", numbers: tuple[int, ...] = (1,)) -> AlarmView:
        """An unacknowledged critical alarm with these occurrences."""
        return AlarmView(
            id=name,
            kind="limit",
            title="vapour above −150 °C",
            priority=Priority.CRITICAL,
            state=AlarmState.UNACKNOWLEDGED,
            since=self.ago(6 * MINUTE),
            announced=self.ago(6 * MINUTE),
            occurrences=tuple(
                OccurrenceView(number, self.ago((7 - place) * MINUTE), self.ago((7 - place) * MINUTE))
                for place, number in enumerate(numbers)
            ),
            asset="box-7",
            channel="box-7-vapour",
            value=-146_200,
            limit=-150_000,
            side=Side.ABOVE,
            quantity="temperature",
            cited=EXAMPLE,
            advice="Open the box only to refill. Call the depot and move the units to the spare shipper.",
            told=(ToldView("room", self.ago(6 * MINUTE - 900)), ToldView("on-call", self.ago(5 * MINUTE))),
            latched=True,
            unapproved=True,
        )

    def _channel(self, name: str, role: str, value: int, **more: object) -> ChannelView:
        base = ChannelView(
            id=name,
            role=role,
            quantity="temperature",
            judgement=Judgement.INSIDE,
            fresh_within_ms=5 * MINUTE,
            quality=Quality.GOOD,
            value=value,
            at=self.ago(4_000),
            heard_at_journal_ms=self.zero_journal - 4_000,
            since=self.ago(31 * HOUR),
            good_ms=31 * HOUR - 11 * MINUTE,
            product_ms=31 * HOUR,
        )
        return structs.replace(base, **more)

    def quiet(self) -> StateView:
        """Two assets, nothing wrong."""
        box = AssetView(
            "box-7",
            "box-7",
            "dry_shipper",
            Judgement.INSIDE,
            (
                self._channel(
                    "box-7-vapour",
                    "vapour",
                    -187_900,
                    title="vapour temperature",
                    limits=(ABOVE_150,),
                    nearest="above-150",
                    distance=37_900,
                    per_minute=0,
                    least=Extreme(-191_000, self.ago(20 * HOUR)),
                    greatest=Extreme(-185_200, self.ago(3 * HOUR)),
                    probe="PT100 4711",
                ),
            ),
            stage="in_transit",
            stage_title="in transit",
            stages=("packed", "in_transit", "delivered"),
            profile=ProfileView("example-frozen", "3", approved=True),
            consignment=ConsignmentView(
                "C-2026-118",
                "in_transit",
                self.ago(31 * HOUR),
                stage_title="in transit",
                stage_since=self.ago(29 * HOUR),
                eta=Instant(self.zero_utc + 17 * HOUR),
                units=4,
                origin="Beijing",
                destination="Guangzhou",
            ),
        )
        dewar = AssetView(
            "dewar-2",
            "dewar-2",
            "dewar",
            Judgement.INSIDE,
            (
                self._channel(
                    "dewar-2-vapour", "vapour", -189_300, title="vapour temperature", limits=(ABOVE_150,)
                ),
                self._channel("dewar-2-level", "level", 3_100, title="LN2 level", quantity="level"),
            ),
            stage="site_storage",
            stage_title="site storage",
            work_choices=(
                WorkChoice("filling", HOUR // 2, "Filling", by_design=True),
                WorkChoice("out-of-service", 8 * HOUR),
            ),
        )
        return StateView(
            site="Guangzhou depot, room 3",
            clock=ClockView(True, "Asia/Shanghai", "kernel"),
            gateway=GatewayView(
                "0.1",
                self.ago(40 * HOUR),
                sources=(SourceView("tec-1", "mve_tec3000", True), SourceView("loggers", "mqtt_json", True)),
                sinks=(SinkView("room", True), SinkView("influx", True)),
            ),
            assets=(box, dewar),
            alarms=(),
            profiles=(
                ProfileChoice(
                    "example-frozen", "3", True, ("packed", "in_transit", "delivered"), roles=("vapour",)
                ),
                ProfileChoice("example-fresh", "1", False, ("packed", "in_transit")),
            ),
            channels=(
                ChannelChoice("box-7-vapour", "temperature", "box-7", "vapour"),
                ChannelChoice("spare-1", "temperature"),
            ),
        )

    def busy(self) -> StateView:
        """All that a page must be able to show at once."""
        quiet = self.quiet()
        box, dewar = quiet.assets
        hot = structs.replace(
            box.channels[0],
            value=-146_200,
            judgement=Judgement.OUTSIDE,
            distance=-3_800,
            per_minute=1_100,
            outside_since=self.ago(6 * MINUTE),
            greatest=Extreme(-146_200, self.ago(0)),
            limits=(
                ABOVE_150,
                LimitView(
                    "above-135-budget",
                    Side.ABOVE,
                    -135_000,
                    EXAMPLE,
                    title="time above −135 °C",
                    allowance_ms=10 * MINUTE,
                    spent_ms=0,
                ),
            ),
        )
        mass = self._channel(
            "box-7-mass",
            "ln2_mass",
            19_000,
            title="LN2 mass",
            quantity="mass",
            per_minute=-40,
            fresh_within_ms=HOUR,
        )
        box = structs.replace(
            box,
            judgement=Judgement.OUTSIDE,
            channels=(hot, mass),
            profile=ProfileView("example-frozen", "3", approved=False),
            hold=HoldView(5 * HOUR, 9 * HOUR, 17 * HOUR, self.zero_journal, 48 * HOUR, "mass", enough=False),
        )
        fridge = AssetView(
            "fridge-1",
            "fridge-1",
            "refrigerator",
            Judgement.NOT_KNOWN,
            (
                self._channel(
                    "fridge-1-air",
                    "air",
                    4_100,
                    title="air temperature",
                    quality=Quality.BAD,
                    reason=Reason.SENSOR_OPEN,
                    judgement=Judgement.NOT_KNOWN,
                    limits=(
                        LimitView("above-8", Side.ABOVE, 8_000, EXAMPLE, hold_ms=10 * MINUTE),
                        LimitView("below-2", Side.BELOW, 2_000, EXAMPLE),
                    ),
                ),
            ),
            monitored=False,
            why="probe open since 13:50",
        )
        practice = AssetView(
            "training-box",
            "training box",
            "dry_shipper",
            Judgement.INSIDE,
            (
                self._channel(
                    "training-vapour", "vapour", -192_000, title="vapour temperature", simulated=True
                ),
            ),
            simulated=True,
        )
        dewar = structs.replace(
            dewar,
            channels=(
                structs.replace(dewar.channels[0], blind_ms=45 * MINUTE),
                structs.replace(dewar.channels[1], blind_at_journal_ms=self.zero_journal - 12 * MINUTE),
            ),
            works=(
                WorkView(
                    "dewar-2",
                    "filling",
                    "under_way",
                    self.ago(12 * MINUTE),
                    Instant(self.zero_utc + 18 * MINUTE),
                    title="Filling",
                    hides=("level-low",),
                    by="operator-1",
                    comment="weekly filling",
                    checked=True,
                ),
                WorkView(
                    "dewar-2/vapour",
                    "out-of-service",
                    "unconfirmed",
                    self.ago(3 * HOUR),
                    None,
                    by="operator-2",
                    comment="probe out for calibration",
                ),
            ),
        )
        first = structs.replace(
            self.critical(numbers=(1, 2)),
            group="box-7#3",
            called=(
                CalledView("room", self.ago(6 * MINUTE)),
                CalledView("on-call", held=True),
                CalledView("head", due=Instant(self.zero_utc + 9 * MINUTE)),
            ),
        )
        alarms = (
            first,
            AlarmView(
                id="fridge-1/air/silence",
                kind="silence",
                title="probe open, product not monitored",
                priority=Priority.HIGH,
                state=AlarmState.ACKNOWLEDGED,
                since=self.ago(40 * MINUTE),
                announced=self.ago(35 * MINUTE),
                occurrences=(
                    OccurrenceView(1, self.ago(40 * MINUTE), self.ago(35 * MINUTE), acknowledged=True),
                ),
                asset="fridge-1",
                channel="fridge-1-air",
                advice="Check the probe's plug; put a second logger beside the product.",
                taken=(TakenView("operator-2", self.ago(30 * MINUTE), (1,), "spare logger fetched"),),
                told=(ToldView("room", self.ago(35 * MINUTE)), ToldView("on-call", failed="no answer")),
                can_close=True,
            ),
            AlarmView(
                id="box-7/tilt/over-30",
                kind="limit",
                title="tilt 41° for 3 min, returned",
                group="box-7#3",
                first_in_group=True,
                priority=Priority.TO_KNOW,
                state=AlarmState.RETURNED,
                since=self.ago(5 * HOUR),
                announced=self.ago(5 * HOUR - MINUTE),
                occurrences=(
                    OccurrenceView(
                        1,
                        self.ago(5 * HOUR),
                        self.ago(5 * HOUR - MINUTE),
                        ended=self.ago(5 * HOUR - 3 * MINUTE),
                    ),
                ),
                asset="box-7",
                active=False,
                value=410,
                limit=300,
                quantity="tilt",
            ),
            AlarmView(
                id="dewar-2/level/fill",
                kind="limit",
                title="fill takes longer than usual",
                priority=Priority.LOW,
                state=AlarmState.SHELVED,
                since=self.ago(2 * HOUR),
                announced=self.ago(2 * HOUR),
                asset="dewar-2",
                shelf=ShelfView(Instant(self.zero_utc + 2 * HOUR), "operator-1", "supplier is here"),
            ),
        )
        return structs.replace(
            quiet,
            assets=(box, dewar, fridge, practice),
            alarms=alarms,
            gateway=structs.replace(
                quiet.gateway,
                sinks=(SinkView("room", True), SinkView("influx", False, 412, self.ago(HOUR), "timed out")),
            ),
        )

    def _samples(self, channel: str, from_ms: int, to_ms: int) -> Iterator[Sample]:
        start = self.zero_utc - 31 * HOUR
        at_ms = max(start, from_ms - from_ms % SAMPLE_MS - SAMPLE_MS)
        while at_ms < to_ms:
            hours = (at_ms - start) / HOUR
            if not 12 < hours < 13.5:  # a gap
                yield self._sample(channel, at_ms, hours)
            at_ms += SAMPLE_MS

    def _sample(self, channel: str, at_ms: int, hours: float) -> Sample:
        ripple = 1.2 * math.sin(hours * 2.1) + 0.4 * math.sin(hours * 17)
        view = self.channel(channel)
        if channel.endswith("air"):
            if hours > 30.2:
                return Sample(at_ms, None, Quality.BAD, Reason.SENSOR_OPEN)
            return Sample(at_ms, round((4.2 + ripple) * 1000), Quality.GOOD)
        if channel.endswith("level"):
            return Sample(at_ms, round(3_300 - 6 * hours + 3 * ripple), Quality.GOOD)
        if channel.endswith("mass"):
            return Sample(at_ms, round(43_000 - 770 * hours + 20 * ripple), Quality.GOOD)
        value = -188 + ripple
        late = at_ms - (self.zero_utc - 40 * MINUTE)
        if view is not None and view.outside_since is not None and late > 0:
            value += 44 * min(1.0, late / (40 * MINUTE)) ** 2
        if round(hours * 120) == 24 * 120:
            value += 9  # one reading
        return Sample(at_ms, round(value * 1000), Quality.GOOD)


def _taken(alarm: AlarmView, actor: Actor, at: Instant, numbers: tuple[int, ...], comment: str) -> AlarmView:
    occurrences = tuple(
        structs.replace(each, acknowledged=True) if each.number in numbers else each
        for each in alarm.occurrences
    )
    left = any(not each.acknowledged for each in occurrences)
    return structs.replace(
        alarm,
        occurrences=occurrences,
        state=alarm.state if left else AlarmState.ACKNOWLEDGED,
        taken=(*alarm.taken, TakenView(actor.name, at, numbers, comment)),
    )
