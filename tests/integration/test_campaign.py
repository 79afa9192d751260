"""The short form of the fault campaign: each fault of a running gateway, twice, in lives of a third of them.

The first three lives are the same in every run. The others are drawn by the seed that `make test` prints,
SEED: theirs are SEED, SEED + 1 and SEED + 2. Several lives, for what is audited and folded grows with a life.
"""

import secrets

import pytest

from tests.campaign import days_lost, live
from tests.campaign.outcome import Outcome, Size

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def judge(outcome: Outcome, seed: int) -> None:
    """Nothing may be lost or doubled, and nothing grow."""
    assert outcome.tried
    assert (outcome.lost, outcome.doubled, outcome.grown or 0) == (0, 0, 0), f"seed {seed}: {outcome.note}"


@pytest.mark.parametrize("number", range(live.PARTS))
def test_nothing_lost_nothing_doubled(number: int) -> None:
    """After each fault work goes on and alarms come; what was acknowledged is there once, sinks are whole."""
    judge(live.part(1, number), 1)


@pytest.mark.parametrize("number", range(live.PARTS))
def test_nothing_lost_by_seeds_of_this_run(number: int, pytestconfig: pytest.Config) -> None:
    """The same of faults in an order, at moments and with values that nobody tried before."""
    drawn = pytestconfig.getoption("hypothesis_seed", None)
    seed = (secrets.randbelow(2**32) if drawn is None else int(drawn)) + number
    judge(live.part(seed, number), seed)


def test_three_days_without_the_broker() -> None:
    """What devices said meanwhile is there once, judged late and told; the logger was heard all the time."""
    judge(days_lost.days_lost(1, Size.SHORT), 1)
