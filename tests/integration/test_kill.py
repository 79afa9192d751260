"""That the campaign's audit sees a loss: a gateway that acknowledges before it commits, killed in a commit.

The kills themselves, at every point, are in the campaign; `test_campaign.py` tries each.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaign.gateway import Gateway

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
