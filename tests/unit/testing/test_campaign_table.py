"""The campaign's table says what was found from whichever seed, and which seed it was."""

from __future__ import annotations

import pytest

from tests.campaign.__main__ import Row
from tests.campaign.outcome import Fault, Outcome, summed

FINE = Outcome(3, kills=1, heal_s=0.5, note="all well")
LOSS = Outcome(3, lost=2, doubled=1, heal_s=1.5, note="4711 is lost")
FAULT = Fault("kill", "daemon killed", lambda seed, size: FINE)


def test_what_one_life_lost_stands_in_the_sum() -> None:
    """Counts add up, the median heals, and what cost something is named."""
    assert summed([FINE, LOSS, FINE]) == Outcome(9, 2, 1, 0, 2, 0.5, "4711 is lost")
    assert summed([FINE, FINE]).note == "all well"


@pytest.mark.parametrize(
    ("second", "failed"),
    [
        pytest.param(FINE, [], id="all well"),
        pytest.param(LOSS, [8], id="a loss"),
        pytest.param("TimeoutError: no end\nits log", [8], id="one that did not come to its end"),
    ],
)
def test_each_seed_that_failed_is_named(
    second: Outcome | str, failed: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    """A row is shown when all its seeds were tried, and fails with any of them."""
    row = Row(FAULT, 2)
    row.lived(7, FINE, 1.0)
    assert not row.whole
    if isinstance(second, Outcome):
        row.lived(8, second, 1.0)
    else:
        row.broke(8, second)
    assert row.whole
    assert row.failed == failed
    row.show()
    printed = capsys.readouterr()
    [line] = printed.out.splitlines()
    assert ("FAILED" in line) is bool(failed)
    assert ("seed 8: TimeoutError: no end\nits log" in printed.err) is isinstance(second, str)


def test_a_control_fails_where_it_finds_nothing_from_one_seed() -> None:
    """Another seed's loss does not excuse it."""
    row = Row(Fault("control", "control", lambda seed, size: LOSS, control="lost"), 2)
    row.lived(7, LOSS, 1.0)
    row.lived(8, FINE, 1.0)
    assert row.failed == [8]
