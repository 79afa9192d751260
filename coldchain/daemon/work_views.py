"""Works at vessels, and how long places were blind by them, as people are shown it."""

from __future__ import annotations

from coldchain.alarms.works import Underway
from coldchain.daemon.lens import Lens
from coldchain.fold.desk import About
from coldchain.fold.place import Place
from coldchain.web.alarm_views import ShelfView, WorkChoice, WorkView


def works(lens: Lens, asset: str) -> tuple[WorkView, ...]:
    """The works at a vessel that are not over."""
    return tuple(_work(lens, work) for work in lens.fold.veil.standing() if work.asset == asset)


def choices(lens: Lens, asset: str) -> tuple[WorkChoice, ...]:
    """The kinds of work that may be done at a vessel; what readings alone begin is none."""
    return tuple(
        WorkChoice(kind.id, kind.longest_ms, kind.title, by_design=bool(kind.hides))
        for kind in lens.fold.lane.works_at(asset).values()
    )


def veil_over(lens: Lens, about: About) -> ShelfView | None:
    """By which work an alarm is hidden: until when, by whom, why. The one that lasts longest."""
    over = [
        work
        for work in lens.fold.veil.under_way()
        if lens.fold.veil.over(work, about.alarm, about.subject, about.rule)
    ]
    if not over:
        return None
    last = max(over, key=lambda work: work.until_ms)
    until = lens.instant(last.until_ms, journal=True)
    return ShelfView(until, lens.text(last.owner), lens.text(last.why) or last.work.title or last.work.id)


def blind_ms(lens: Lens, place: Place) -> tuple[int, int | None]:
    """How long a place was blind since its product came in, and since when (journal time) it is now."""
    meter, blind = place.track.meter, lens.fold.veil.blind
    packed_ms = place.journal_ms(meter.since_ms) if meter.since_ms else None
    since_ms = blind.since.get(place.name)
    if since_ms is not None and packed_ms is not None:
        since_ms = max(since_ms, packed_ms)
    return blind.over_ms(place.name, 0 if packed_ms is None else packed_ms, lens.fold.arrival_ms), since_ms


def _work(lens: Lens, work: Underway) -> WorkView:
    until_ms = work.due_ms if work.due_ms is not None and not work.by_readings else work.until_ms
    return WorkView(
        scope=work.scope,
        work=work.work.id,
        state=work.state.value,
        since=lens.instant(work.began_ms, journal=True),
        until=lens.instant(until_ms, journal=True) if work.due_ms is not None else None,
        title=work.work.title,
        hides=work.work.hides,
        by=lens.text(work.owner),
        comment=lens.text(work.why),
        by_readings=work.by_readings,
        checked=work.work.sign is not None,
        shown=work.shown,
    )
