"""Works at vessels, as facts and readings move them, and what is said of that."""

from __future__ import annotations

from msgspec.structs import replace

from coldchain.alarms import works
from coldchain.alarms.table import HIDDEN_STATES, Refusal
from coldchain.alarms.works import Seen, Underway, WorkMoved, WorkRefusal, WorkState
from coldchain.announcements import Announcement, Kind, Late
from coldchain.facts import WorkBegan, WorkEnded
from coldchain.fold.desk import About, late_reason
from coldchain.fold.place import Place
from coldchain.fold.state import State
from coldchain.model import Side
from coldchain.plan import OUT_OF_SERVICE, Moves, Sign, Work
from coldchain.rules.judging import GOOD, Sample

# --- What people say ----------------------------------------------------------------------------------------


def asked(state: State, fact: WorkBegan | WorkEnded) -> list[Announcement]:
    """What a person says of a work; refused aloud if it cannot be."""
    return _began(state, fact) if isinstance(fact, WorkBegan) else _ended(state, fact)


def _began(state: State, fact: WorkBegan) -> list[Announcement]:
    kind = _kind(state, fact.scope, fact.work)
    until_ms = state.timebase.journal(fact.until_ms)
    if isinstance(kind, str):
        return _refused(fact, kind)
    if until_ms is None or until_ms <= state.arrival_ms:
        return _refused(fact, Refusal.NO_END)
    if until_ms - state.arrival_ms > kind.longest_ms:
        return _refused(fact, "work_too_long", {"most_ms": str(kind.longest_ms)})
    if not fact.actor.strip():
        return _refused(fact, Refusal.NO_ACTOR)
    if not fact.comment.strip():
        return _refused(fact, Refusal.NO_REASON)
    before = state.veil.works.get(f"{fact.scope}/{fact.work}") or Underway(scope=fact.scope, work=kind)
    work = before if before.state is WorkState.UNDER_WAY else replace(before, work=kind)
    begun = works.begin(work, until_ms, fact.actor, fact.comment, state.arrival_ms, by_readings=False)
    return _put(state, before, WorkMoved(begun), actor=fact.actor, comment=fact.comment)


def _ended(state: State, fact: WorkEnded) -> list[Announcement]:
    work = state.veil.works.get(f"{fact.scope}/{fact.work}")
    if work is None:
        return _refused(fact, WorkRefusal.NOT_UNDER_WAY)
    moved = works.end(work, state.arrival_ms)
    if moved.refusal is not None:
        return _refused(fact, moved.refusal)
    return _put(state, work, moved, actor=fact.actor, comment=fact.comment)


def closed(state: State, alarm: str) -> list[Announcement]:
    """A person has closed an alarm: if it was a work's, the work is over."""
    work = next((one for one in state.veil.works.values() if one.alarm == alarm), None)
    return [] if work is None else _put(state, work, works.closed(work, state.arrival_ms))


# --- What time and readings say -----------------------------------------------------------------------------


def fire(state: State, key: str, late: Late) -> list[Announcement]:
    """A work's own time has come: its end, the end of the wait for its sign, or its cause is not heard of."""
    work, now_ms = state.veil.works[key], state.arrival_ms
    if work.by_readings and work.state is WorkState.UNDER_WAY:
        state.veil.spent.add(key)
        if work.due_ms is not None and work.due_ms < work.until_ms:
            return _put(state, work, works.end(work, now_ms), late=late)
    return _put(state, work, works.time_up(work, now_ms), late=late)


def reading(state: State, place: Place, sample: Sample | None) -> list[Announcement]:
    """A reading was judged at a place; `sample` if it is the newest there, None if it came late."""
    said: list[Announcement] = []
    for work in state.veil.awaited_at(place.name):
        seen = _seen(state, work, place, sample)
        if seen != work.seen:
            said += _put(state, work, works.saw(work, seen, state.arrival_ms))
    if sample is not None:
        for asset, kind in state.veil.causes.get(place.name, ()):
            said += _cause(state, asset, kind, place, sample)
    return said


def reindex(state: State) -> list[Announcement]:
    """Plans or products have changed: which readings may begin works, and what has lost its cause by it."""
    causes: dict[str, list[tuple[str, Work]]] = {}
    known: set[str] = set()
    for asset in state.lane.known.assets:
        for kind in state.lane.works_at(asset).values():
            if kind.cause is not None:
                causes.setdefault(f"{asset}/{kind.cause.role}", []).append((asset, kind))
                known.add(f"{asset}/{kind.id}")
    state.veil.causes = causes
    state.veil.changed = True
    said: list[Announcement] = []
    for work in list(state.veil.under_way()):
        if work.by_readings and work.key not in known:
            said += _put(state, work, works.end(work, state.arrival_ms))
    return said


# --- What follows for alarms and places ---------------------------------------------------------------------


def settle(state: State) -> list[Announcement]:
    """Bring alarms behind the veil or back into sight, and say which places are blind by it."""
    state.veil.changed = False
    said: list[Announcement] = []
    for alarm, about in state.desk.about.items():
        if alarm in state.desk.alarms:
            said += state.desk.veiled(about, state.arrival_ms)
            state.refresh_alarm(alarm)
    blind = _blind(state)
    begun, over = state.veil.blind.now(blind, state.arrival_ms)
    said += [_blindness(Kind.BLIND_BEGAN, name, state.arrival_ms, None, blind[name]) for name in begun]
    said += [_blindness(Kind.BLIND_ENDED, name, since, state.arrival_ms, "") for name, since in over]
    return said


def reconcile(state: State) -> list[Announcement]:
    """After another engine: the alarms of works as this one has them."""
    said: list[Announcement] = []
    open_ = {work.alarm: work for work in state.veil.standing() if work.state is WorkState.UNCONFIRMED}
    for alarm, work in open_.items():
        if not state.desk.condition(alarm) and not state.desk.closed(alarm):
            said += _raise(state, work, Late.UPGRADE)
    for alarm, about in list(state.desk.about.items()):
        if about.rule == "work" and alarm not in open_:
            said += state.gone(alarm)
    state.veil.changed = True
    return said


# --- The parts ----------------------------------------------------------------------------------------------


def _kind(state: State, scope: str, name: str) -> Work | str:
    """The kind of work that may be done at a scope, or why there is none."""
    asset, _, rest = scope.partition("/")
    is_alarm = scope in state.desk.about or _could_be_raised(state, scope)
    if asset not in state.lane.known.assets and not is_alarm:
        return f"unknown asset {asset}"
    if rest and scope not in state.places and not is_alarm:
        return f"unknown place {scope}"
    kind = state.lane.works_at(asset).get(name)
    if kind is None and name == OUT_OF_SERVICE:
        return "no_service_time"
    if kind is None:
        return f"unknown work {name} at {asset}"
    if rest and kind.hides:
        return f"work {name} is of the whole vessel {asset}"
    if kind.sign is not None and f"{asset}/{kind.sign.role}" not in state.places:
        return f"no {kind.sign.role} is measured in {asset}, which must show that {name} is done"
    place = state.places.get(scope)
    channel = place.track.channel if place is not None else None
    if kind.sign is None and name == OUT_OF_SERVICE and channel is not None and channel.touch is not None:
        # A hand at the probe shows; it may show in the reading after.
        sign = Sign(scope.split("/")[1], Moves.CHANGES, channel.touch, within_ms=channel.max_gap_ms)
        return replace(kind, sign=sign)
    return kind


def _could_be_raised(state: State, alarm: str) -> bool:
    """Whether there may be an alarm of this name, though there was none yet."""
    if state.silence.covered(alarm):
        return True
    name, _, rule = alarm.rpartition("/")
    place = state.places.get(name)
    if place is None:
        return False
    return rule == "silence" or any(one.id == rule for part in place.track.line for one in part.rules)


def _cause(state: State, asset: str, kind: Work, place: Place, sample: Sample) -> list[Announcement]:
    cause, key, now_ms = kind.cause, f"{asset}/{kind.id}", state.arrival_ms
    assert cause is not None, "only kinds with a cause are looked up"
    before = state.veil.works.get(key) or Underway(scope=asset, work=kind)
    mine = before.by_readings or before.state is WorkState.OVER
    counts = sample.quality == GOOD and _age_ms(state, place, sample) <= place.track.max_gap_ms
    beyond = sample.high > cause.limit if cause.side is Side.ABOVE else sample.low < cause.limit
    if not mine:
        return []
    if counts and beyond:
        if before.state is WorkState.UNDER_WAY:
            return _put(state, before, WorkMoved(_heard(before, place, now_ms)))
        if key in state.veil.spent:
            return []
        work = replace(before, work=kind)
        begun = works.begin(work, now_ms + kind.longest_ms, "", "", now_ms, by_readings=True)
        return _put(state, before, WorkMoved(_heard(begun, place, now_ms)))
    if sample.quality == GOOD:
        state.veil.spent.discard(key)
    elif before.state is WorkState.UNDER_WAY:
        state.veil.spent.add(
            key
        )  # nobody knows whether it ceased: it begins nothing again until that is seen
    ceases = before.state is WorkState.UNDER_WAY or (
        before.state is WorkState.UNCONFIRMED and sample.quality == GOOD
    )
    moved = works.end(before, now_ms) if ceases else WorkMoved(before)
    return [] if moved.refusal is not None else _put(state, before, moved)


def _heard(work: Underway, place: Place, now_ms: int) -> Underway:
    """The cause was seen to go on: for as long as that reading counts, and no longer than it may."""
    due_ms = min(work.until_ms, now_ms + place.track.max_gap_ms + 1)
    return replace(work, due_ms=due_ms, set_ms=now_ms)


def _seen(state: State, work: Underway, place: Place, sample: Sample | None) -> Seen:
    """What the readings at a place show of a work's sign, with one more, or told anew after a late one."""
    channel = place.track.channel
    from_ms = work.counts_ms if place.journal_axis else state.timebase.utc(work.counts_ms)
    seen = work.seen
    if channel is None:
        return seen
    if sample is not None and (seen.at_ms is None or sample.at_ms > seen.at_ms):
        counts = sample.quality == GOOD and (from_ms is None or sample.at_ms >= from_ms)
        return seen.with_reading(channel.id, sample.at_ms, sample.low) if counts else seen
    if from_ms is None:
        return seen
    history = state.channels.histories[channel.id]
    found = [
        (channel.id, one.at_ms, one.low)
        for one in history.samples(from_ms - place.track.max_gap_ms - 1, None)
        if one.quality == GOOD
    ]
    before = [one for one in found if one[1] < from_ms]
    told = works.seen_in([*before[-1:], *(one for one in found if one[1] >= from_ms)])
    return replace(told, rose=max(told.rose, seen.rose), fell=max(told.fell, seen.fell))


def _with_baseline(state: State, work: Underway) -> Underway:
    """The work with the last reading before it, to which the first one after can be compared."""
    sign = work.work.sign
    place = state.places.get(f"{work.asset}/{sign.role}") if sign is not None else None
    if place is None or place.track.channel is None or place.track.last is None:
        return work
    last = place.track.last
    if last.quality != GOOD or _age_ms(state, place, last) > place.track.max_gap_ms:
        return work
    return replace(work, seen=Seen().with_reading(place.track.channel.id, last.at_ms, last.low))


def _age_ms(state: State, place: Place, sample: Sample) -> int:
    """How old a reading is; 0 while nobody can tell."""
    now_ms = state.arrival_ms if place.journal_axis else state.timebase.utc(state.arrival_ms)
    return 0 if now_ms is None else now_ms - sample.at_ms


def _put(
    state: State,
    before: Underway,
    moved: WorkMoved,
    *,
    actor: str = "",
    comment: str = "",
    late: Late = Late.STALLED,
) -> list[Announcement]:
    """Keep the work as it is now, and say what that means."""
    work = moved.work
    if work.state is not before.state and work.awaits and work.seen == Seen():
        work = _with_baseline(state, work)
    state.veil.works[work.key] = work
    if work.state is WorkState.OVER:
        del state.veil.works[work.key]
    state.refresh_work(work)
    said: list[Announcement] = []
    going = work.state is WorkState.UNDER_WAY
    told = (work.until_ms, work.owner, work.why) != (before.until_ms, before.owner, before.why)
    if going and (before.state is not WorkState.UNDER_WAY or told):
        said.append(_word(Kind.WORK_BEGAN, work, actor, comment, work.until_ms))
    elif before.state is WorkState.UNDER_WAY and not going:
        said.append(_word(Kind.WORK_ENDED, work, actor, comment, state.arrival_ms))
    elif work.state is WorkState.OVER and before.state is not WorkState.OVER:
        said.append(_word(Kind.WORK_CONFIRMED, work, actor, comment, state.arrival_ms))
    if work.state is not before.state:
        state.veil.changed = True
        if work.state is WorkState.UNCONFIRMED:
            said += _raise(state, work, late, due_ms=before.due_ms if not actor else None)
        elif before.state is WorkState.UNCONFIRMED:
            said += state.gone(work.alarm)
        said += settle(state)
    return said


def _raise(state: State, work: Underway, late: Late, *, due_ms: int | None = None) -> list[Announcement]:
    now_ms = state.arrival_ms
    about = About(
        alarm=work.alarm,
        rule="work",
        subject=work.asset,
        priority=work.work.priority,
        re_alarm_ms=work.work.re_alarm_ms,
        axis="journal",
        simulated=any(
            place.simulated for name, place in state.places.items() if name.startswith(f"{work.asset}/")
        ),
    )
    detail = {"work": work.work.id, "scope": work.scope, "by_readings": "yes" if work.by_readings else ""}
    said = state.desk.raise_(
        about,
        f"{work.alarm}@{work.began_ms}",
        work.began_ms,
        now_ms if due_ms is None else due_ms,
        now_ms,
        late=late if late is Late.UPGRADE else late_reason(due_ms, now_ms, late),
        detail={word: value for word, value in detail.items() if value},
    )
    state.refresh_alarm(work.alarm)
    return said


def _word(kind: Kind, work: Underway, actor: str, comment: str, end_ms: int) -> Announcement:
    return Announcement(
        kind,
        rule=work.work.id,
        subject=work.scope,
        priority=work.work.priority,
        state=work.state.value,
        since_ms=work.began_ms,
        end_ms=end_ms,
        axis="journal",
        text="by_readings" if work.by_readings else "by_person",
        actor=actor,
        comment=comment,
        detail={"hides": ",".join(work.work.hides)} if work.work.hides else {},
    )


def _blind(state: State) -> dict[str, str]:
    """Places of whose alarms at least one calls nobody now, and in which state it is hidden."""
    found: dict[str, str] = {}
    for alarm, about in state.desk.about.items():
        known = state.desk.alarms.get(alarm)
        if known is not None and known.state in HIDDEN_STATES and about.subject in state.places:
            found[about.subject] = known.state.value
    if next(iter(state.veil.under_way()), None) is None:
        return found
    for name, place in state.places.items():
        for rule in (*(rule.id for rule, _ in place.track.running), "silence"):
            hidden = state.veil.hides(f"{name}/{rule}", name, rule)
            if hidden is not None and name not in found:
                found[name] = hidden.value
    return found


def _blindness(kind: Kind, place: str, since_ms: int, end_ms: int | None, why: str) -> Announcement:
    return Announcement(kind, subject=place, since_ms=since_ms, end_ms=end_ms, axis="journal", text=why)


def _refused(
    fact: WorkBegan | WorkEnded, why: str, detail: dict[str, str] | None = None
) -> list[Announcement]:
    return [
        Announcement(
            Kind.REFUSED,
            subject=fact.scope,
            rule=fact.work,
            text=str(why),
            actor=fact.actor,
            comment=fact.comment,
            detail=detail or {},
        )
    ]
