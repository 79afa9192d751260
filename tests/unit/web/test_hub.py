"""Differences add up: a page that follows the stream, with or without pauses, sees what the station says."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from coldchain.alarms.table import AlarmState
from coldchain.model import Priority
from coldchain.web.alarm_views import AlarmView
from coldchain.web.hub import Event, Parts
from coldchain.web.plain_views import Instant
from coldchain.web.views import AssetView, ClockView, GatewayView, Judgement, StateView

EMPTY = StateView("site", ClockView(True, "UTC"), GatewayView("0", Instant(0)), (), ())


class Follower:
    """What the page in the browser does with events, in a few lines."""

    def __init__(self) -> None:
        self.assets: dict[str, Any] = {}
        self.alarms: dict[str, Any] = {}
        self.head: Any = None
        self.last = ""

    def take(self, event: Event | None) -> None:
        """Apply one event."""
        if event is None:
            return
        body = msgspec.json.decode(event.data)
        if event.name == "state":
            self.assets, self.alarms = {}, {}
        self.assets |= {each["id"]: each for each in body["assets"]}
        self.alarms |= {each["id"]: each for each in body["alarms"]}
        for key in body["gone"]:
            kind, _, name = key.partition(":")
            # What came and went while one was away is told as gone, too.
            (self.assets if kind == "asset" else self.alarms).pop(name, None)
        self.head = body.get("head", self.head)
        self.last = event.id

    def sees(self, state: StateView) -> bool:
        """Whether it shows just that state, in that order."""
        return (
            [self.assets[name] for name in self.head["asset_order"]] == _plain(state.assets)
            and [self.alarms[name] for name in self.head["alarm_order"]] == _plain(state.alarms)
            and self.head["site"] == state.site
            and len(self.assets) == len(state.assets)
            and len(self.alarms) == len(state.alarms)
        )


def _plain(views: tuple[Any, ...]) -> Any:
    return msgspec.json.decode(msgspec.json.encode(views))


def _state(site: int, assets: dict[str, int], alarms: dict[str, int]) -> StateView:
    return structs.replace(
        EMPTY,
        site=f"site {site}",
        assets=tuple(
            AssetView(name, f"title {n}", "dewar", Judgement.INSIDE, ()) for name, n in assets.items()
        ),
        alarms=tuple(
            AlarmView(name, "limit", str(n), Priority.HIGH, AlarmState.UNACKNOWLEDGED, Instant(n), Instant(n))
            for name, n in alarms.items()
        ),
    )


# Names with a colon and a slash, as alarms have them.
VIEWS = st.dictionaries(st.sampled_from(["a", "b/x", "port:c", "d:e:f"]), st.integers(0, 2), max_size=4)
STATES = st.builds(_state, st.integers(0, 1), VIEWS, VIEWS)


@given(st.lists(st.tuples(STATES, st.booleans()), min_size=1, max_size=12))
def test_whoever_follows_sees_the_state(steps: list[tuple[StateView, bool]]) -> None:
    """After any changes, one who listened to each and one who was away for some both see the last state."""
    parts, always, sometimes = Parts(), Follower(), Follower()
    for state, there in steps:
        parts.take(state)
        always.take(parts.since(always.last))
        assert always.sees(state)
        if there:
            sometimes.take(parts.since(sometimes.last))
            assert sometimes.sees(state)
    sometimes.take(parts.since(sometimes.last))
    assert sometimes.sees(steps[-1][0])


@given(STATES)
def test_nothing_is_sent_for_nothing(state: StateView) -> None:
    """A state that is as it was makes no event."""
    parts = Parts()
    parts.take(state)
    number = parts.all().id
    assert not parts.take(state)
    assert parts.since(number) is None


@given(STATES, st.text(max_size=20))
def test_a_number_of_somebody_else_gets_everything(state: StateView, number: str) -> None:
    """A number of another process, or nonsense, is answered with the whole state."""
    parts = Parts()
    parts.take(state)
    follower = Follower()
    follower.take(parts.since(number))
    assert follower.sees(state)
