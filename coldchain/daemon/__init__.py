"""The daemon: puts everything together, supervises it, talks to systemd."""

from coldchain.daemon.daemon import Daemon
from coldchain.daemon.errors import DaemonError

__all__ = ["Daemon", "DaemonError"]
