"""Removals of readings by policy: what the gateway puts its name to when it takes evidence away.

A gap that nobody signed cannot be told from a theft. What is signed is the fact itself, so it says by which
policy, how many, between which links, and what is kept.
"""

from __future__ import annotations

import msgspec

from coldchain import facts
from coldchain.evidence.keys import Key, signed_by
from coldchain.removed import ReadingsRemoved


def statement(removed: ReadingsRemoved) -> bytes:
    """What is signed: a line that says what it is, and the fact's canonical bytes without its signature."""
    return b"coldchain removal 1\n" + facts.encode(msgspec.structs.replace(removed, signature=""))


def sign(key: Key, removed: ReadingsRemoved) -> ReadingsRemoved:
    """The removal, signed."""
    named = msgspec.structs.replace(removed, key=key.public, signature="")
    return msgspec.structs.replace(named, signature=key.sign(statement(named)))


def trouble(removed: ReadingsRemoved, journal: str, key: str | None) -> str:
    """Why a removal is not the gateway's own word; "" if it is. key: None: any may have signed."""
    if removed.journal != journal:
        return f"it is of another journal, {removed.journal}"
    if key is not None and removed.key != key.lower():
        return f"it is signed with another key, {removed.key or 'none'}"
    if not signed_by(removed.key, removed.signature, statement(removed)):
        return "its signature is not good"
    return ""
