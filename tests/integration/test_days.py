"""Two days in a few seconds, the short form of the campaign's month: nothing grows, and a leak is seen."""

from __future__ import annotations

import logging

import pytest

from tests.campaign import month
from tests.campaign.outcome import Size

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def small_stores(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """What is remembered has a bound in every store; here a small one, so that it is reached in hours.

    What pytest keeps of the log has none.
    """
    caplog.set_level(logging.CRITICAL, "coldchain")
    monkeypatch.setattr("coldchain.fold.channels.REMEMBERED", 32)
    monkeypatch.setattr("coldchain.daemon.receipts._KEPT", 32)


def test_two_days_leave_nothing_behind() -> None:
    """All readings and notices arrive; memory, threads and files stay; the journal has its size."""
    outcome = month.month(1, Size.SHORT)
    assert outcome.tried == 5_760
    assert (outcome.lost, outcome.doubled, outcome.grown) == (0, 0, 0), outcome.note


def test_what_leaks_is_seen() -> None:
    """The control keeps objects, files and threads: each of the three is named."""
    outcome = month.leaking(1, Size.SHORT)
    assert outcome.grown
    assert [word for word in ("objects grew", "files grew", "threads grew") if word not in outcome.note] == []
