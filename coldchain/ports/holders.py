"""Who else has a serial line open, so that nobody speaks into another program's conversation.

An open with exclusive access (as ours) refuses only programs that ask for it, too. So before a port is
tried it is looked up among the open files of all processes, among the lock files that terminal programs
leave, and, for a converter, among this computer's own connections. Another user's processes can only be
seen by root; what is held by them in other ways is refused by the open itself.
"""

from __future__ import annotations

import os
import re
import socket
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

_PROC = Path("/proc")
_LOCKS = (Path("/var/lock"), Path("/run/lock"))
#: The other end of a pseudo-terminal: whoever has it plays the device, and holds the line for nobody.
_MASTERS = frozenset({"/dev/ptmx", "/dev/pts/ptmx"})
_ESTABLISHED = "01"


def holder_of(port: str, *, proc: Path = _PROC, locks: tuple[Path, ...] = _LOCKS) -> str | None:
    """Which other program has a port open, in words; None: none that can be seen."""
    if "://" in port:
        return _connected(port, proc)
    real = os.path.realpath(port)
    for process in _processes(proc):
        held = set(_open_files(process))
        if real in held and not (held & _MASTERS):
            return f"{_name(process)} (process {process.name})"
    for folder in locks:
        owner = _locked_by(folder / f"LCK..{Path(real).name}", proc)
        if owner is not None:
            return owner
    return None


def _processes(proc: Path) -> Iterator[Path]:
    own = str(os.getpid())
    for process in proc.glob("[0-9]*"):
        if process.name != own:
            yield process


def _open_files(process: Path) -> Iterator[str]:
    try:
        numbers = list((process / "fd").iterdir())
    except OSError:  # gone, or another user's
        return
    for number in numbers:
        try:
            yield str(number.readlink())
        except OSError:
            continue


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return "a program"


def _locked_by(lock: Path, proc: Path) -> str | None:
    """Who left a lock file (UUCP style: a process number as text), if that process still runs."""
    try:
        match = re.match(r"\s*(\d+)", lock.read_text(encoding="ascii", errors="replace"))
    except OSError:
        return None
    if match is None or not (proc / match[1]).exists() or int(match[1]) == os.getpid():
        return None
    return f"{_name(proc / match[1])} (process {match[1]}, by its lock file {lock})"


def _connected(port: str, proc: Path) -> str | None:
    """A connection of this computer to a converter. Most converters serve one client at a time."""
    parts = urlsplit(port)
    try:
        found = socket.getaddrinfo(parts.hostname, parts.port, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        return None  # opening it will say what is wrong with it
    wanted = {f"{_hex(address[0])}:{address[1]:04X}" for *_, address in found if isinstance(address[0], str)}
    for table in ("tcp", "tcp6"):
        try:
            rows = (proc / "net" / table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            fields = row.split()
            if len(fields) > 3 and fields[2] in wanted and fields[3] == _ESTABLISHED:
                return f"a program on this computer, which is connected to {parts.hostname}:{parts.port},"
    return None


def _hex(address: str) -> str:
    """An address as /proc/net has it: 32-bit words in the byte order of this computer."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    packed = socket.inet_pton(family, address.partition("%")[0])
    words = [packed[at : at + 4] for at in range(0, len(packed), 4)]
    return "".join(word[::-1].hex() if sys.byteorder == "little" else word.hex() for word in words).upper()
