"""The word that something is there or gone, as brokers relay it: `online`, `{"state": "offline"}`, `true`."""

from __future__ import annotations

from coldchain_drivers.strict_json import NotJson, load, walk

_GONE = frozenset({"offline", "false"})
_THERE = frozenset({"online", "true"})


def presence(payload: bytes) -> bool | None:
    """Whether it is there; None: it says neither. A retained "offline" is as true as it was: a will."""
    said: object
    try:
        said = load(payload)
        if isinstance(said, dict):
            said = walk(said, ("state",))
    except NotJson:
        said = payload.decode("utf-8", "replace")
    word = str(said).strip().lower()
    return False if word in _GONE else True if word in _THERE else None


def is_offline(payload: bytes) -> bool:
    """Whether it says that something is gone."""
    return presence(payload) is False
