"""What systemd is told, heard on a socket of the test's own, and the unit file."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from coldchain.daemon.systemd import Notifier
from tests.servers.programs import find

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "systemd" / "coldchain.service"


@pytest.fixture
def listening(tmp_path: Path) -> Iterator[tuple[socket.socket, str]]:
    """A datagram socket as systemd's."""
    path = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        line.bind(path)
        line.settimeout(5)
        yield line, path


def test_each_word_is_one_datagram(listening: tuple[socket.socket, str]) -> None:
    """READY, RELOADING (with the monotonic time), WATCHDOG and STOPPING arrive as systemd reads them."""
    line, path = listening
    notifier = Notifier({"NOTIFY_SOCKET": path})
    notifier.ready("2 sources")
    notifier.reloading(123456)
    notifier.alive()
    notifier.stopping()
    said = [line.recv(4096).decode() for _ in range(4)]
    assert said == [
        "READY=1\nSTATUS=2 sources",
        "RELOADING=1\nMONOTONIC_USEC=123456",
        "WATCHDOG=1",
        "STOPPING=1",
    ]


def test_abstract_sockets_and_nobody() -> None:
    """An abstract address works; without systemd, or with nobody listening, nothing happens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
        name = f"coldchain-test-{os.getpid()}"
        line.bind("\0" + name)
        line.settimeout(5)
        Notifier({"NOTIFY_SOCKET": "@" + name}).alive()
        assert line.recv(100) == b"WATCHDOG=1"
    Notifier({}).alive()
    Notifier({"NOTIFY_SOCKET": "/nonexistent/notify"}).alive()


@pytest.mark.parametrize(
    ("environment", "wants"),
    [
        pytest.param({"WATCHDOG_USEC": "60000000"}, 60.0, id="for everybody"),
        pytest.param({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0, id="for us"),
        pytest.param({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None, id="for another process"),
        pytest.param({}, None, id="not wanted"),
    ],
)
def test_the_watchdog_s_period(environment: dict[str, str], wants: float | None) -> None:
    """The period is ours only if it is meant for us."""
    assert Notifier(environment).watchdog_s == wants


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit with a program that exists everywhere: systemd wants to see it (a small Debian lacks kill)."""
    text = UNIT.read_text(encoding="utf-8").replace("/bin/kill", "/bin/true")
    copy = tmp_path / "coldchain.service"
    copy.write_text(text.replace("/opt/coldchain/bin/coldchain", "/bin/true"), encoding="utf-8")
    return copy


def analyze(*words: str) -> subprocess.CompletedProcess[str]:
    """systemd-analyze, on the machine or unpacked; it needs no running systemd for this."""
    program = find("systemd-analyze")
    units = [root / "lib/systemd/system" for root in (program.root,) if root is not None]
    return subprocess.run(
        [program.path, *words],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=program.environment(SYSTEMD_UNIT_PATH=":".join(map(str, units)) + ":"),
    )


def test_the_unit_is_what_systemd_understands(unit: Path) -> None:
    """A misspelt key exits 0 and is only said on standard error: both must be clean."""
    done = analyze("verify", str(unit))
    assert (done.returncode, done.stderr) == (0, "")


def test_the_unit_is_hardened(unit: Path) -> None:
    """An exposure of at most 2.0 (of 10) by systemd's own reckoning."""
    done = analyze("security", "--offline=true", "--threshold=20", str(unit))
    assert done.returncode == 0, done.stdout[-2000:]


#: Numbers of the system calls of systemd's group @clock (Linux, asm/unistd_64.h and asm-generic/unistd.h).
CLOCK_CALLS = {
    "x86_64": {"adjtimex": 159, "clock_adjtime": 305, "clock_settime": 227, "settimeofday": 164},
    "aarch64": {"adjtimex": 171, "clock_adjtime": 266, "clock_settime": 112, "settimeofday": 170},
}


def forbid(numbers: list[int]) -> None:
    """From here on this process gets EPERM for these system calls, as from systemd's filter (seccomp(2))."""
    load, equal, answer = 0x20, 0x15, 0x06  # BPF_LD|W|ABS, BPF_JMP|JEQ|K, BPF_RET|K
    steps = [(load, 0, 0, 0)]  # the number of the call
    steps += [(equal, len(numbers) - at, 0, number) for at, number in enumerate(numbers)]
    steps += [(answer, 0, 0, 0x7FFF0000), (answer, 0, 0, 0x00050000 | errno.EPERM)]  # allow; errno
    program = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in steps))
    header = ctypes.create_string_buffer(struct.pack("HP", len(steps), ctypes.addressof(program)))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(38, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS"
    assert libc.prctl(22, 2, header, 0, 0) == 0, "PR_SET_SECCOMP"


@pytest.mark.skipif(
    platform.machine() not in CLOCK_CALLS, reason="numbers of system calls are not known here"
)
def test_the_clock_s_state_can_be_read_under_the_unit() -> None:
    """What the unit leaves of the group @clock is what the C library of this machine needs.

    Nobody else's clock is believed, so a gateway that may not ask its kernel never knows what time it is.
    """
    allowed = {
        word
        for line in UNIT.read_text(encoding="utf-8").splitlines()
        if line.startswith("SystemCallFilter=")
        and not line.startswith(("SystemCallFilter=@", "SystemCallFilter=~"))
        for word in line.partition("=")[2].split()
    }
    calls = CLOCK_CALLS[platform.machine()]
    code = (
        "from coldchain import clock\n"
        "from tests.unit.daemon.test_systemd import forbid\n"
        f"forbid({sorted(number for name, number in calls.items() if name not in allowed)})\n"
        "print(clock.kernel_clock_state() >= 0)\n"
        f"forbid({sorted(calls.values())})\n"
        "print(clock.kernel_clock_state() >= 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["True", "False"], done.stderr


def test_the_unit_starts_for_ever() -> None:
    """A monitor is never given up, and its watchdog is fed by our own heartbeat alone."""
    text = UNIT.read_text(encoding="utf-8")
    for line in (
        "Type=notify",
        "Restart=always",
        "RestartSec=2",
        "StartLimitIntervalSec=0",
        "WatchdogSec=60",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "DeviceAllow=char-ttyUSB rw",
    ):
        assert f"\n{line}\n" in text, line
