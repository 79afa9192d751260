"""That the campaign's audit sees a loss: a gateway that acknowledges before it commits, killed in a commit.

The kills themselves, at every point, are in the campaign; `test_campaign.py` tries each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign import making, removing
from tests.campaign.gateway import Gateway
from tests.campaign.outcome import Fault, Size

pytestmark = [pytest.mark.servers, pytest.mark.slow]

#: The first commits of a life are its own; from this one on they hold what the broker sends.
PASSES = 4
KILLS = 20


def test_a_message_acknowledged_too_early_is_lost(tmp_path: Path) -> None:
    """The same audit, the same kills and one guard less: what was acknowledged and never came is named."""
    with Gateway(tmp_path, 1) as gateway:
        gateway.flow(5)
        gateway.kill()
        for _ in range(KILLS):
            gateway.kill_at("in_commit", PASSES, "ack_first")
            found = gateway.audit()
            if found.lost:
                break
        assert found.lost, "the guard was taken out and nothing was lost: the audit is blind"
        assert found.lost[0].startswith("acknowledged, not in the journal: ")


@pytest.mark.parametrize("fault", [*making.FAULTS, *removing.FAULTS], ids=lambda fault: fault.name)
def test_what_is_interrupted_is_whole(fault: Fault) -> None:
    """A journal that is made, brought up to date, copied or pruned: whole or as it was, whenever killed."""
    outcome = fault.try_it(1, Size.SHORT)
    assert outcome.tried >= 3
    assert not outcome.lost, outcome.note
