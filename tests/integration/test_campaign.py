"""The short form of the fault campaign: each fault of a running gateway once in one life, from two seeds."""

import secrets

import pytest

from tests.campaign import live
from tests.campaign.outcome import Size

pytestmark = [pytest.mark.servers, pytest.mark.slow]


@pytest.mark.parametrize("seed", [1, secrets.randbelow(2**32)], ids=["fixed", "drawn"])
def test_nothing_lost_nothing_doubled(seed: int) -> None:
    """After each fault work goes on; all that was acknowledged is there once, and every sink is whole."""
    outcome = live.storm(seed, Size.SHORT)
    assert (outcome.lost, outcome.doubled) == (0, 0), f"seed {seed}: {outcome.note}"
    assert outcome.tried == len(live.ACTS)
