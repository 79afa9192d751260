"""The short form of the fault campaign: each fault of a running gateway, once, in one life."""

import pytest

from tests.campaign import live
from tests.campaign.outcome import Size

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_nothing_lost_nothing_doubled() -> None:
    """After each fault work goes on; all that was acknowledged is there once, and every sink is whole."""
    outcome = live.storm(1, Size.SHORT)
    assert (outcome.lost, outcome.doubled) == (0, 0), outcome.note
    assert outcome.tried == len(live.ACTS)
