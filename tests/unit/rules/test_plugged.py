"""A rule of another package is judged by that package's functions, with all that they are to be given."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace as changed
from typing import Any

import pytest
from msgspec.structs import replace

from coldchain.plan import Plugged
from coldchain.rules import plugged
from coldchain.rules.judge import Judge
from coldchain.rules.plugged import JUDGE, MissingPlugin, Plugin
from tests.unit.rules.seen import after
from tests.unit.rules.test_limit import good
from tests.unit.rules.test_windows import WORDS

RULE = Plugged(**WORDS, kind="echo", package="my-rules", version="1.2")
OTHER = replace(RULE, title="else")
STRANGER = replace(RULE, kind="stranger")
SEEN, NOW = after(good(5, 1)), good(9, 2)
STATE = ("echo", "state")


def says(name: str) -> Any:
    """A function of a judge that answers with what it was given, and says something."""
    return lambda *given: ((name, *given), ("said",))


def answers(name: str) -> Any:
    """One that only answers."""
    return lambda *given: (name, *given)


ECHO = Judge(
    start=says("start"),
    on_sample=lambda rule, state, seen, now: (
        (state, ()) if now is seen.last else (("on_sample", rule, state, seen, now), ("said",))
    ),
    due_ms=answers("due_ms"),
    on_due=says("on_due"),
    same=lambda old, new: (old.title, new.title) in {("", "else"), ("", "")},
    settle=says("settle"),
    reconfigure=says("reconfigure"),
    end=says("end"),
    resume=says("resume"),
    standing=answers("standing"),
    active=answers("active"),
    shows=answers("shows"),
    band=answers("band"),
    sync=answers("sync"),
)

STRANGE = changed(ECHO, active=answers("somebody else's"))


@pytest.fixture(autouse=True)
def installed() -> Iterator[None]:
    """A package with the kind "echo", and another kind that is not asked for."""
    before = plugged.known()
    plugged.use({"echo": Plugin("echo", "my_rules", ECHO), "state": Plugin("state", "x", STRANGE)})
    yield
    plugged.use(before)


def test_each_function_is_the_plug_ins() -> None:
    """With all it is given; its state carries its kind, so that it can be told whose it is."""
    said = ("said",)
    assert JUDGE.start(RULE, SEEN, 7) == (("echo", ("start", RULE, SEEN, 7)), said)
    assert JUDGE.on_sample(RULE, STATE, SEEN, NOW) == (
        ("echo", ("on_sample", RULE, "state", SEEN, NOW)),
        said,
    )
    assert JUDGE.due_ms(RULE, STATE, SEEN) == ("due_ms", RULE, "state", SEEN)
    assert JUDGE.on_due(RULE, STATE, SEEN) == (("echo", ("on_due", RULE, "state", SEEN)), said)
    assert JUDGE.settle(RULE, STATE, SEEN, 7) == (("echo", ("settle", RULE, "state", SEEN, 7)), said)
    assert JUDGE.reconfigure(RULE, OTHER, STATE, SEEN, 7) == (
        ("echo", ("reconfigure", RULE, OTHER, "state", SEEN, 7)),
        said,
    )
    assert JUDGE.end(RULE, STATE, SEEN, 7, "why") == (("echo", ("end", RULE, "state", SEEN, 7, "why")), said)
    assert JUDGE.resume(RULE, STATE, SEEN, 7) == (("echo", ("resume", RULE, "state", SEEN, 7)), said)
    assert JUDGE.standing(RULE, STATE, SEEN, 7) == ("standing", RULE, "state", SEEN, 7)
    assert JUDGE.active(STATE) == ("active", "state")
    assert JUDGE.shows(RULE, STATE, NOW) == ("shows", RULE, "state", NOW)
    assert JUDGE.band(RULE, STATE, SEEN) == ("band", RULE, "state", SEEN)
    assert JUDGE.sync(RULE, STATE, SEEN) == ("echo", ("sync", RULE, "state", SEEN))


def test_a_sample_that_changes_nothing_leaves_the_very_same_state() -> None:
    """Else the fold would take it for a change."""
    assert SEEN.last is not None
    found, changes = JUDGE.on_sample(RULE, STATE, SEEN, SEEN.last)
    assert found is STATE
    assert changes == ()


@pytest.mark.parametrize("other", [{"kind": "state"}, {"package": "others"}, {"version": "1.3"}])
def test_another_package_or_version_is_another_rule(other: dict[str, str]) -> None:
    """Whatever its judge says; of its own versions the judge decides."""
    assert JUDGE.same(RULE, OTHER)
    assert not JUDGE.same(OTHER, RULE)
    assert not JUDGE.same(RULE, replace(RULE, **other))


def test_a_missing_plug_in_is_named() -> None:
    """With rule, kind, package and version: who reads it knows what to install."""
    with pytest.raises(MissingPlugin) as raised:
        JUDGE.start(STRANGER, SEEN, 7)
    assert raised.value.rule is STRANGER
    assert str(raised.value) == 'rule r is of kind "stranger" of my-rules 1.2, which is not installed'


def test_the_plug_ins_of_a_process_are_made_known_at_once() -> None:
    """Those before are gone, and who asks for them gets a list of their own."""
    assert set(plugged.known()) == {"echo", "state"}
    plugged.known().clear()
    plugged.use({"echo": Plugin("echo", "my_rules", ECHO)})
    assert set(plugged.known()) == {"echo"}
