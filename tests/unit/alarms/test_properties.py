"""What no story may break: any order of events, checked against a plain model of who was told what."""

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from coldchain.alarms import (
    HIDDEN_STATES,
    Alarm,
    AlarmState,
    Moved,
    acknowledge,
    adopt,
    close,
    condition_gone,
    due_ms,
    fire,
    raise_,
    remove_from_service,
    reset,
    return_to_service,
    shelve,
    suppress,
    unacknowledged,
    unshelve,
    unsuppress,
)
from coldchain.alarms.alarm import KEPT
from coldchain.announcements import Kind
from coldchain.model import Priority

NUMBERS = st.lists(st.integers(0, 8), max_size=4).map(tuple)


class AnyLife(RuleBasedStateMachine):
    """An alarm, and beside it what a person knows: which occurrences are open, which were ever seen."""

    def __init__(self) -> None:
        super().__init__()
        self.alarm = Alarm(id="box-7/air/high", priority=Priority.CRITICAL, latches=True, re_alarm_ms=40)
        self.now = 0
        self.open: set[int] = set()  # nobody acknowledged it since it last asked
        self.seen: set[int] = set()  # named at least once while the alarm was in sight
        self.lasting: set[int] = set()

    def move(self, moved: Moved, named: tuple[int, ...] = ()) -> None:
        before, (self.alarm, said) = self.alarm, moved
        for each in said:
            assert each.state is self.alarm.state
            about = {each.occurrence} if each.occurrence is not None else set(each.occurrences)
            match each.kind:
                case Kind.REFUSED:
                    assert self.alarm is before
                    assert each.refusal is not None
                case Kind.RAISED:
                    assert about.isdisjoint(range(before.last + 1)), "a number is never used twice"
                    self.open |= about
                    self.lasting |= about
                case Kind.RETURNED:
                    assert about == self.lasting
                    self.lasting.clear()
                case Kind.ACKNOWLEDGED:
                    assert about <= set(named) & self.open, "covers what it names, and nothing else"
                    self.open -= about
                case Kind.CLOSED:
                    assert about == self.open | self.lasting
                    self.open.clear()
                    self.lasting.clear()
                case Kind.UNSHELVED | Kind.RE_ALARMED | Kind.UNSUPPRESSED | Kind.IN_SERVICE:
                    if each.anew:
                        again = self.lasting or {self.alarm.last}
                        assert again <= about
                        self.open |= again
                    if self.alarm.state not in HIDDEN_STATES:
                        assert about == self.open
            if each.state not in HIDDEN_STATES:
                self.seen |= about

    @rule(ms=st.integers(0, 60))
    def time_passes(self, ms: int) -> None:
        """Deadlines up to now fire one after the other, each at its own time or late."""
        self.now += ms
        for _ in range(4):
            due = due_ms(self.alarm)
            if due is None or due > self.now:
                break
            self.move(fire(self.alarm, self.now))
        due = due_ms(self.alarm)
        assert due is None or due > self.now, "what fired does not fire again at once"

    @rule()
    def comes_up(self) -> None:
        self.move(raise_(self.alarm, "e", self.now, self.now, self.now))

    @rule()
    def found_late(self) -> None:
        number = self.alarm.last + 1
        self.move(raise_(self.alarm, "e", self.now, self.now, self.now, over=True))
        self.lasting.discard(number)

    @rule()
    def goes(self) -> None:
        self.move(condition_gone(self.alarm, self.now))

    @rule(named=NUMBERS)
    def acknowledged(self, named: tuple[int, ...]) -> None:
        self.move(acknowledge(self.alarm, named, "anna", self.now), named)

    @precondition(lambda self: self.open)
    @rule()
    def all_acknowledged(self) -> None:
        named = unacknowledged(self.alarm)
        self.move(acknowledge(self.alarm, named, "anna", self.now), named)

    @rule(ms=st.integers(0, 60))
    def shelved(self, ms: int) -> None:
        self.move(shelve(self.alarm, self.now + ms, self.now))

    @rule()
    def unshelved(self) -> None:
        self.move(unshelve(self.alarm, self.now))

    @rule(comment=st.sampled_from(["", "inspected"]))
    def latch_reset(self, comment: str) -> None:
        before = self.alarm
        self.move(reset(self.alarm, comment, self.now))
        if self.alarm is not before:
            assert comment
            assert not self.open
            assert not self.lasting

    @rule(comment=st.sampled_from(["", "probe lost"]), judged=st.booleans())
    def closed(self, comment: str, judged: bool) -> None:
        before = self.alarm
        self.move(close(self.alarm, comment, self.now, judged=judged))
        if self.alarm is not before:
            assert comment
            assert not judged

    @rule(on=st.booleans())
    def by_logic(self, on: bool) -> None:
        self.move((suppress if on else unsuppress)(self.alarm, self.now))

    @rule()
    def out(self) -> None:
        self.move(remove_from_service(self.alarm, "maintenance", self.now))

    @rule()
    def back(self) -> None:
        self.move(return_to_service(self.alarm, self.now))

    @rule(latches=st.booleans(), re_alarm_ms=st.sampled_from([None, 10, 40]))
    def reloaded(self, latches: bool, re_alarm_ms: int | None) -> None:
        before = self.alarm
        self.alarm = adopt(before, Priority.CRITICAL, latches, re_alarm_ms, self.now)
        assert self.alarm.state is before.state

    @invariant()
    def what_is_open_is_what_nobody_acknowledged(self) -> None:
        assert set(unacknowledged(self.alarm)) == self.open

    @invariant()
    def nothing_open_is_hidden_from_sight(self) -> None:
        if self.alarm.state not in HIDDEN_STATES:
            assert self.open <= self.seen

    @invariant()
    def the_state_is_what_the_circumstances_say(self) -> None:
        state, lasts = self.alarm.state, bool(self.lasting)
        assert self.alarm.condition == lasts
        if state not in HIDDEN_STATES:
            assert (state is AlarmState.UNACKNOWLEDGED) == (lasts and bool(self.open))
            assert (state is AlarmState.RETURNED) == (not lasts and bool(self.open))
            assert (state is AlarmState.NORMAL) == (not lasts and not self.open and not self.alarm.latched)

    @invariant()
    def it_has_a_timer_only_where_it_should(self) -> None:
        alarm = self.alarm
        assert (alarm.shelved_until_ms is not None) == (alarm.state is AlarmState.SHELVED)
        speaks = alarm.condition and alarm.state not in HIDDEN_STATES and alarm.re_alarm_ms is not None
        assert (alarm.next_re_alarm_ms is not None) == speaks

    @invariant()
    def memory_is_bounded_and_can_be_written_down(self) -> None:
        assert len(self.alarm.occurrences) <= KEPT + len(self.lasting) + 1
        assert msgspec.json.decode(msgspec.json.encode(self.alarm), type=Alarm) == self.alarm


TestAnyLife = AnyLife.TestCase
TestAnyLife.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
