"""A server that a test starts, stops and kills: one process, one port, one folder, one log file."""

import atexit
import http.client
import random
import signal
import socket
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

from tests.servers.programs import Program

HOST = "127.0.0.1"
# Everything waited for here answers within a second on an idle machine; a loaded one gets plenty.
DEADLINE_S = 30.0
# A second loopback address: a socket bound there marks a port as taken among test processes.
_GUARD_HOST = "127.0.0.2"
_LOWEST_PORT = 20_000
_guards: list[socket.socket] = []


def wait_until(condition: Callable[[], bool], *, what: str, deadline_s: float = DEADLINE_S) -> None:
    """Poll until the condition holds; AssertionError with `what` did not happen after the deadline."""
    end = time.monotonic() + deadline_s
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {deadline_s:g} s: {what}")
        time.sleep(0.005)


def free_port() -> int:
    """Return a loopback port that no other test process is given as long as this process lives.

    It lies below the range from which the kernel gives ports to outgoing connections. A port from that range
    (bind to 0) may be lent to somebody while a server is down between kill and restart, and a client that
    keeps trying to reach a dead server there can even connect to itself and so take its port away.
    """
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    candidates: Sequence[int] = range(_LOWEST_PORT, first_ephemeral)
    if len(candidates) < 1000:  # a machine tuned for many connections: take what the kernel gives
        candidates = (0,)
    for _ in range(200):
        guard = socket.socket()
        try:
            guard.bind((_GUARD_HOST, random.choice(candidates)))
            port: int = guard.getsockname()[1]
            with socket.socket() as probe:
                probe.bind((HOST, port))
        except OSError:  # taken: by a test process (guard) or by anybody (probe)
            guard.close()
            continue
        _guards.append(guard)
        return port
    raise AssertionError("no free loopback port in 200 tries")


def http_get(port: int, path: str, *, deadline_s: float = DEADLINE_S) -> tuple[int, str]:
    """Ask a server on loopback, past any proxy; return status and text, or raise the OSError it met."""
    return http_request(port, "GET", path, deadline_s=deadline_s)


def http_request(
    port: int, method: str, path: str, body: str | None = None, *, deadline_s: float = DEADLINE_S
) -> tuple[int, str]:
    """As `http_get`, with a method and a JSON or text body."""
    connection = http.client.HTTPConnection(HOST, port, timeout=deadline_s)
    try:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        connection.request(method, path, body, headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode()
    except http.client.HTTPException as error:  # cut off in the middle of an answer
        raise OSError(f"{method} {path} on port {port}: {error!r}") from error
    finally:
        connection.close()


class Server(ABC):
    """A program that listens on one loopback port and keeps its files in one folder.

    The port is chosen once and stays. Leaving the context kills the process by its own id.
    """

    name: str
    host = HOST

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port()
        self.log_file = folder / f"{self.name}.log"
        self._process: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def command(self) -> tuple[Program, Sequence[str | Path]]:
        """Write what configuration it needs and return the program with its arguments."""

    def ready(self) -> bool:
        """Tell whether it serves: at the least, it takes connections."""
        try:
            socket.create_connection((self.host, self.port), timeout=1).close()
        except OSError:
            return False
        return True

    @property
    def log(self) -> str:
        """All it has said since the first start, over all restarts."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    @property
    def running(self) -> bool:
        """Whether the process is there (a frozen one is)."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process id; AssertionError if it does not run."""
        assert self._process is not None, f"{self.name} was not started"
        assert self.running, f"{self.name} does not run"
        return self._process.pid

    def start(self) -> Self:
        """Start it and return when it serves; AssertionError with its log if it ends instead."""
        assert not self.running, f"{self.name} runs already"
        program, arguments = self.command()
        with self.log_file.open("ab") as log:  # never a pipe: an orphan holding one would hang the whole run
            process = subprocess.Popen(
                [program.path, *arguments],
                cwd=self.folder,
                env=program.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C in a terminal is the test run's, which then ends us in order
            )
        self._process = process
        atexit.register(process.kill)  # for a test that started it and lost it; harmless once it has ended
        try:
            wait_until(lambda: process.poll() is not None or self.ready(), what=f"{self.name} serves")
            # Somebody else's server on the port would have answered as well: ours must still be there.
            assert process.poll() is None, (
                f"{self.name} ended with {process.returncode}:\n{self._last_words()}"
            )
        except BaseException:
            self.kill()
            raise
        return self

    def stop(self) -> None:
        """End it in order (SIGTERM) and wait; nothing if it does not run."""
        if self._process is not None and self.running:
            self.thaw()
            self._process.terminate()
            try:
                self._process.wait(DEADLINE_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise AssertionError(f"{self.name} did not end on SIGTERM:\n{self._last_words()}") from None

    def kill(self) -> None:
        """End it as a power cut would (SIGKILL), for the process; nothing if it does not run."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE_S)

    def restart(self) -> Self:
        """Stop it in order if it runs, and start it on the same port and data."""
        self.stop()
        return self.start()

    def freeze(self) -> None:
        """Stop it in mid-air (SIGSTOP): the kernel still takes connections and bytes, nobody answers."""
        assert self._process is not None, f"{self.name} was not started"
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen one go on (SIGCONT)."""
        assert self._process is not None, f"{self.name} was not started"
        self._process.send_signal(signal.SIGCONT)

    def _last_words(self) -> str:
        return "\n".join(self.log.splitlines()[-20:])

    def __enter__(self) -> Self:
        return self if self.running else self.start()

    def __exit__(self, *_: object) -> None:
        self.kill()
