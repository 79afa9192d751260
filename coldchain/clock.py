"""The only place that asks the system for time.

Journal time advances with CLOCK_BOOTTIME, which counts a suspended machine and never steps. The
wall clock is read beside it, to map journal time to UTC and to notice steps. `speed` scales
journal time only, for simulated runs: I/O time-outs, keep-alives and the watchdog use `real_s`.
"""

from __future__ import annotations

import ctypes
import os
import threading
import time
from pathlib import Path
from typing import Protocol

#: From Linux's <sys/timex.h>: the kernel's own word that nothing disciplines its clock.
_STA_UNSYNC = 0x0040


class Clock(Protocol):
    """What the pipeline and the ports need to know about time. `speed` is 1 but in simulated runs."""

    @property
    def speed(self) -> int: ...

    def journal_ms(self) -> int:
        """Journal time now: never decreases within a boot."""
        ...

    def utc_ms(self) -> int:
        """The wall clock now, right or wrong, advancing at the same speed as journal time."""
        ...

    def start_journal_at(self, journal_ms: int) -> None:
        """Let journal time continue from here."""
        ...

    def leap(self, by_ms: int) -> None:
        """Journal time leaps forward by a down time that became known."""
        ...

    def known(self) -> bool:
        """Whether somebody vouches for the wall clock (the kernel's synchronisation, or the site)."""
        ...

    def real_s(self) -> float:
        """Real seconds since boot, never scaled: for time-outs, back-off and the watchdog."""
        ...

    def real_until_s(self, journal_ms: int) -> float:
        """Real seconds until an instant of journal time; negative if it has passed."""
        ...

    def boot_ms(self) -> int:
        """The boot clock itself, scaled like journal time."""
        ...

    def wait(self, event: threading.Event, journal_ms: int) -> bool:
        """Wait for the event or that much journal time; True if the event is set."""
        ...


class _Timex(ctypes.Structure):
    # Layout of struct timex on 64-bit Linux; only `modes`, `maxerror` (µs) and `status` are used.
    _fields_ = [
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    ]


def kernel_clock_state() -> int:
    """The status bits of the kernel's clock (adjtimex(2)); -1 if we may not ask."""
    buffer = _Timex()
    libc = ctypes.CDLL(None, use_errno=True)
    return int(buffer.status) if libc.adjtimex(ctypes.byref(buffer)) >= 0 else -1


def kernel_clock_error_s() -> float | None:
    """The most by which the kernel's clock may be wrong (adjtimex(2), `maxerror`); None if we may not ask.

    Not `offset`, what is still to be slewed: some daemons never tell the kernel. This one each sets at each
    correction, and the kernel adds 500 µs a second to it until the next (kernel/time/ntp.c, MAXFREQ).
    """
    buffer = _Timex()
    libc = ctypes.CDLL(None, use_errno=True)
    return buffer.maxerror / 1e6 if libc.adjtimex(ctypes.byref(buffer)) >= 0 else None


def kernel_clock_synchronised() -> bool:
    """Whether the kernel says its clock is disciplined (STA_UNSYNC is not set)."""
    state = kernel_clock_state()
    return state >= 0 and not state & _STA_UNSYNC


def boot_id() -> str:
    """The kernel's random id of this boot, or "" where there is none."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _boottime_ns() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


class SystemClock:
    """The machine's clock.

    `journal_start_ms` is where journal time stood when this process began; the journal tells it.
    `trusted`: the site vouches for the wall clock itself (a battery-backed clock, a test).
    """

    def __init__(self, journal_start_ms: int = 0, speed: int = 1, *, trusted: bool = False) -> None:
        self.journal_start_ms = journal_start_ms
        self.speed = speed
        self.trusted = trusted
        self._boot_ns = _boottime_ns()
        self._utc_ns = time.time_ns()

    def start_journal_at(self, journal_ms: int) -> None:
        # The wall clock runs on from where it is: it has no more reason to step than a real one.
        self.journal_start_ms = journal_ms
        self._boot_ns = _boottime_ns()

    def leap(self, by_ms: int) -> None:
        self.journal_start_ms += by_ms

    def journal_ms(self) -> int:
        return self.journal_start_ms + (_boottime_ns() - self._boot_ns) * self.speed // 1_000_000

    def utc_ms(self) -> int:
        # At speed 1 this is the wall clock, steps and all; a scaled run scales its progress.
        return (self._utc_ns + (time.time_ns() - self._utc_ns) * self.speed) // 1_000_000

    def known(self) -> bool:
        return self.trusted or kernel_clock_synchronised()

    def real_s(self) -> float:
        return _boottime_ns() / 1e9

    def real_until_s(self, journal_ms: int) -> float:
        return (journal_ms - self.journal_ms()) / 1000 / self.speed

    def boot_ms(self) -> int:
        return _boottime_ns() * self.speed // 1_000_000

    def monotonic_us(self) -> int:
        """CLOCK_MONOTONIC in microseconds, as systemd wants it for a reload."""
        return time.monotonic_ns() // 1000

    def wait(self, event: threading.Event, journal_ms: int) -> bool:
        return event.wait(max(0, journal_ms) / 1000 / self.speed)


def process_id() -> int:
    """This process's id."""
    return os.getpid()
