"""Faults of what a gateway stands on: its disk, and its clocks."""

from __future__ import annotations

import signal
import time
from functools import partial

from tests.campaign.gateway import ALARM, HEAL_S, Gateway
from tests.servers import wait_until

MINUTE_MS = 60_000
YEAR_MS = 365 * 24 * 60 * MINUTE_MS
#: Between two moments at which a slewed or drifting clock is set (real seconds).
_STEP_S = 0.05


def disk_refuses(failure: str, on: Gateway) -> None:
    """Nothing can be written from one moment on: the next alarm reaches the room, and says so."""
    time.sleep(on.chance.uniform(0, 0.2))
    before = on.alarms(unrecorded=True)
    on.disk(failure)
    try:
        wait_until(
            lambda: on.alarms(unrecorded=True) > before,
            what=f"{ALARM} reaches the room unrecorded",
            deadline_s=HEAL_S,
        )
    finally:
        on.disk("")


def disk_stutters(failure: str, on: Gateway) -> None:
    """One request in so many is refused, whichever it is: an alarm reaches the room, recorded or not."""
    before = on.alarms()
    on.disk(failure, on.chance.randint(2, 30))
    try:
        on.talk_on(30)
        wait_until(lambda: on.alarms() > before, what=f"{ALARM} reaches the room", deadline_s=HEAL_S)
    finally:
        on.disk("")


def starts_on(failure: str, on: Gateway) -> None:
    """Ended, and started when nothing can be written any more: it watches, and calls."""
    on.signal(signal.SIGTERM)
    on.wait()
    before = on.alarms(unrecorded=True)
    on.disk(failure)
    try:
        on.begin()
        wait_until(
            lambda: on.alarms(unrecorded=True) > before,
            what=f"{ALARM} reaches the room unrecorded",
            deadline_s=HEAL_S,
        )
    finally:
        on.disk("")


def stepped(least_ms: int, most_ms: int, on: Gateway) -> None:
    """Somebody sets the wall clock, forward or back, and later right."""
    by_ms = on.chance.choice((-1, 1)) * on.chance.randint(least_ms, most_ms)
    _set(on, by_ms)
    _calls_meanwhile(on)
    _set(on, 0)


def slewed(on: Gateway) -> None:
    """A time server pulls the clock by seconds, a little at a time, and back."""
    sign = on.chance.choice((-1, 1))
    for step in (*range(20), *range(20, -1, -1)):
        on.clocks(wall_ms=sign * step * 100)
        time.sleep(_STEP_S)


def leap_second(on: Gateway) -> None:
    """The last second of a day comes twice (the kernel sets its clock back by it)."""
    on.clocks(wall_ms=-1_000)
    _calls_meanwhile(on)
    on.clocks()


def booted_in_1970(on: Gateway) -> None:
    """No battery behind the clock: it starts, and calls, long before it knows the time."""
    on.kill()
    on.clocks(wall_ms=3 * MINUTE_MS - time.time_ns() // 1_000_000)
    on.begin()
    _calls_meanwhile(on)
    _set(on, 0)


def slept(on: Gateway) -> None:
    """The machine is suspended for hours; nothing runs, and no clock stands."""
    on.signal(signal.SIGSTOP)
    on.clocks(asleep_ms=on.chance.randint(1, 300) * MINUTE_MS)
    on.signal(signal.SIGCONT)


def device_drifts(on: Gateway) -> None:
    """The device's clock falls behind by minutes, or runs ahead by seconds, and is set right at once.

    Not ahead by minutes: all that it says until then would be late, and folded again, as long as it lives.
    """
    by_ms = on.chance.choice((-15_000, 100))
    for step in range(40):
        on.talk.ahead_ms = step * by_ms
        time.sleep(_STEP_S)
    on.talk.ahead_ms = 0


def devices_disagree(on: Gateway) -> None:
    """One device's clock is half an hour behind, the other's half an hour ahead, and both are set right.

    What is stamped before the gateway was first configured is judged by nothing (it stands beside), so no
    alarm is waited for meanwhile: this gateway is a few minutes old.
    """
    on.talk.ahead_ms, on.printed_ahead_ms = -30 * MINUTE_MS, 30 * MINUTE_MS
    on.talk_on(30)
    on.print_lines(1)
    on.talk.ahead_ms = on.printed_ahead_ms = 0


def _set(on: Gateway, wall_ms: int) -> None:
    """Set the wall clock, and wait until that is a fact."""
    before = on.clock_facts()
    on.clocks(wall_ms=wall_ms)
    wait_until(lambda: on.clock_facts() > before, what="the step is noticed", deadline_s=HEAL_S)


def _calls_meanwhile(on: Gateway) -> None:
    before = on.alarms()
    wait_until(lambda: on.alarms() > before, what=f"{ALARM} reaches the room meanwhile", deadline_s=HEAL_S)


#: Name, title and what happens.
FAULTS = (
    ("disk-full", "disk full", partial(disk_refuses, "full")),
    ("disk-read-only", "disk remounted read-only", partial(disk_refuses, "read-only")),
    ("disk-failing", "disk fails", partial(disk_refuses, "failing")),
    ("disk-nearly-full", "some requests find no room", partial(disk_stutters, "full")),
    ("disk-errors", "some requests fail", partial(disk_stutters, "failing")),
    ("start-full", "started on a full disk", partial(starts_on, "full")),
    ("clock-minutes", "clock set by minutes", partial(stepped, MINUTE_MS, 50 * MINUTE_MS)),
    ("clock-years", "clock set by years", partial(stepped, YEAR_MS, 3 * YEAR_MS)),
    ("clock-slewed", "clock slewed", slewed),
    ("clock-leap", "a leap second", leap_second),
    ("clock-1970", "booted in 1970", booted_in_1970),
    ("asleep", "machine suspended for hours", slept),
    ("device-drifts", "a device's clock drifts", device_drifts),
    ("devices-disagree", "two devices disagree by an hour", devices_disagree),
)
