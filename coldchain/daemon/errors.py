"""Why a daemon does not start, in words for its owner."""

from __future__ import annotations


class DaemonError(Exception):
    """The daemon cannot start, cannot go on, or cannot take a configuration; says why and what to do."""
