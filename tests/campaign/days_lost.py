"""Three days without the broker: devices go on, the backlog waits there, and comes in at once.

The days pass by leaps of an hour of all clocks, the gateway's and the devices', each a twentieth of a second.
Life begins as long ago as it has to, for a time series takes no points of days to come.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from tests.campaign.gateway import Audit, Gateway
from tests.campaign.ledger import BUS
from tests.campaign.outcome import Fault, Outcome, Size

_HOUR_MS = 3_600_000
_DAYS, _TIMES, _HOUR_S = 3, 8, 0.05


def days_lost(seed: int, size: Size) -> Outcome:
    """The line is refused for three days; the logger on its own line is heard meanwhile, every few hours."""
    times = _TIMES if size is Size.FULL else 1
    found, heal, waited = Audit(), list[float](), 0
    with (
        tempfile.TemporaryDirectory(prefix="campaign-") as folder,
        Gateway(Path(folder), seed, behind_ms=times * _DAYS * 24 * _HOUR_MS) as on,
    ):
        on.flow(5)
        for _ in range(times):
            on.line.refuse()
            on.line.cut()
            before = on.talk.said
            for hour in range(_DAYS * 24):
                on.pass_ms(_HOUR_MS)
                time.sleep(_HOUR_S)
                if hour % 8 == 0:
                    on.print_lines(1)
            on.ledger.look()
            waited += on.talk.said - before
            assert on.ledger.last(BUS) <= before + 1, "the line was not cut"
            on.line.accept()
            heal.append(on.healed())
            found += on.audit()
        found += on.end()
    note = f"{waited:,} messages had waited; slowest {max(heal):.1f} s"
    wrong = (found.lost + found.doubled + found.grown)[:3]
    return Outcome(
        times,
        len(found.lost),
        len(found.doubled),
        None,  # too few looks to tell
        0,
        statistics.median(heal),
        "; ".join([note, *wrong]),
    )


FAULTS = (Fault("days-lost", "three days without the broker", days_lost),)
