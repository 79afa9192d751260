"""Whoever is refused is told why in words, and what to do instead."""

from __future__ import annotations

import pytest

from coldchain.alarms.table import Refusal
from coldchain.alarms.works import WorkRefusal
from coldchain.daemon.refusals import in_words


@pytest.mark.parametrize("refusal", [*Refusal, *WorkRefusal])
def test_every_refusal_has_words(refusal: Refusal | WorkRefusal) -> None:
    """No key of ours is shown to people: each has a sentence of its own."""
    words = in_words(refusal.value)
    assert words != refusal.value.replace("_", " ")
    assert "_" not in words
    assert len(words.split()) >= 4


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        ("unknown_alarm", "there is no such alarm; `coldchain alarms` lists those that stand"),
        ("unknown asset box-9", "unknown asset box-9; `coldchain status` shows the assets"),
        ("unknown profile p", "unknown profile p; list it under [profiles] use in the configuration"),
        ("profile p has no stage thaw", "profile p has no stage thaw"),
        ("something_new", "something new"),
    ],
)
def test_what_the_lane_refuses(refused: str, said: str) -> None:
    """A sentence keeps its words and gets a mend where there is one; what is new is at least readable."""
    assert in_words(refused) == said
