"""That the campaign's audit sees what a missing guard costs: a loss, a leak.

The kills themselves, at every point, are in the campaign; `test_campaign.py` tries each.
"""

from __future__ import annotations

import re

import pytest

from tests.campaign import controls, making, removing
from tests.campaign.outcome import Fault, Size

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_a_message_acknowledged_too_early_is_lost() -> None:
    """The same audit, the same kills and one guard less: what was acknowledged and never came is named."""
    outcome = controls.acknowledged_early(1, Size.SHORT)
    assert outcome.lost, "the guard was taken out and nothing was lost: the audit is blind"
    assert outcome.note.startswith("acknowledged, not in the journal: ")


def test_a_driver_that_leaks_is_seen() -> None:
    """Memory and files that only ever grow are told apart from what readings cost."""
    outcome = controls.leaking(1, Size.SHORT)
    assert (outcome.lost, outcome.doubled) == (0, 0), outcome.note
    assert re.fullmatch("memory grew from .* messages came; files grew from .* messages came", outcome.note)


def test_what_is_kept_twice_is_seen() -> None:
    """A writer that does not know a repeat keeps what a broker hands on again."""
    outcome = controls.keeping_twice(1, Size.SHORT)
    assert outcome.doubled, "the guard was taken out and nothing was doubled: the audit is blind"
    assert re.match(r"bus: \d+ \(live\) is there 2 times", outcome.note), outcome.note


def test_what_nobody_was_told_is_seen() -> None:
    """Each kind of sink is held against the journal: one that says yes and tells nobody is found."""
    outcome = controls.telling_nobody(1, Size.SHORT)
    for missed in ("not told: ", "the series lack box-", "stands, and is no alert: box-"):
        assert missed in outcome.note, outcome.note


@pytest.mark.parametrize("fault", [*making.FAULTS, *removing.FAULTS], ids=lambda fault: fault.name)
def test_what_is_interrupted_is_whole(fault: Fault) -> None:
    """A journal that is made, brought up to date, copied or pruned: whole or as it was, whenever killed."""
    outcome = fault.try_it(1, Size.SHORT)
    assert outcome.tried >= 3
    assert not outcome.lost, outcome.note
