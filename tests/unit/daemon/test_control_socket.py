"""Who may speak with the daemon: its own user and group, nobody else."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

from coldchain.clock import SystemClock
from coldchain.daemon.control import Control, socket_path
from coldchain.daemon.station import LiveStation, Surroundings
from coldchain.fold import Fold
from coldchain.pipeline.intake import Queue


class Still:
    """A fold that nothing happens to."""

    def __init__(self) -> None:
        self.fold = Fold()
        self.lock = threading.Lock()


def test_the_socket_is_closed_to_other_users(tmp_path: Path) -> None:
    """Whoever can write to it acts as an admin: owner and group may, others may not."""
    clock = SystemClock()
    station = LiveStation(Still(), Queue(clock, 1), clock, Surroundings())
    control = Control(socket_path(tmp_path / "journal.db"), station)
    control.start()
    try:
        assert stat.S_IMODE(control.path.stat().st_mode) == 0o660
    finally:
        control.stop()
    assert not control.path.exists()
