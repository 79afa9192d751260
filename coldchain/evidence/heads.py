"""Signed heads: what the gateway puts its name to, and what heads, inside and outside, show of a journal.

A hash chain binds nobody who holds all of it: he can make it anew. A signature binds him to the key; a head
that somebody else keeps (an *anchor*) binds even the holder of the key, for everything up to it. Nothing
shows that commits were cut off behind the last anchor.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from coldchain import facts
from coldchain.evidence import removals
from coldchain.evidence.keys import EvidenceError, Key, signed_by
from coldchain.facts import HeadPublished, HeadSigned
from coldchain.journal import Readable, Tail
from coldchain.journal.removal import MARK
from coldchain.journal.shapes import WHOLE
from coldchain.removed import ReadingsRemoved

#: How the facts of this module look as canonical bytes; nothing else is decoded.
_HEAD, _PUBLISHED = b'"fact":"head"', b'"fact":"head_published"'


def statement(head: HeadSigned) -> bytes:
    """What is signed: six lines of text, fixed for ever (docs/evidence.md)."""
    utc = "unknown" if head.utc_ms is None else str(head.utc_ms)
    return (
        f"coldchain head 1\njournal {head.journal}\ncommit {head.commit}\nposition {head.position}\n"
        f"link {head.link}\nutc_ms {utc}\n"
    ).encode()


def sign(key: Key, journal_id: bytes, tail: Tail, utc_ms: int | None) -> HeadSigned:
    """The head of a journal that ends so, signed."""
    head = HeadSigned(journal_id.hex(), tail.commit, tail.position, tail.link.hex(), key.public, "", utc_ms)
    return msgspec.structs.replace(head, signature=key.sign(statement(head)))


class Anchor(Struct, frozen=True):
    """The newest head that left the house: which commit, to whom, when, and how much came after it."""

    commit: int
    to: str
    utc_ms: int | None
    behind_ms: int
    commits_behind: int


class HeadsReport(Struct, frozen=True):
    """What the heads show.

    heads:     how many signatures in the journal are good.
    keys:      the public keys that made them.
    covered:   the last commit under a good signature; 0 if there is none.
    problems:  (commit, sentence), the earliest first.
    published: the newest anchor that the journal knows of; None: no head ever left.
    """

    heads: int
    keys: tuple[str, ...]
    covered: int
    problems: tuple[tuple[int, str], ...]
    published: Anchor | None


def audit(journal: Readable, key: str | None = None, anchors: Iterable[HeadSigned] = ()) -> HeadsReport:
    """Check every signed head and removal in a journal, and heads kept elsewhere.

    key: the gateway's public key, known from elsewhere; without it any key may have signed.
    Raises EvidenceError if signatures cannot be checked here; JournalError.
    """
    tail = journal.tail()
    links = {commit.number: commit.link.hex() for commit in journal.commits()}
    problems: list[tuple[int, str]] = []
    good, keys, covered, published = 0, set(), 0, None
    for position, arrival_ms, shape, body in journal.stored_facts():
        if shape != WHOLE or not (_HEAD in body or _PUBLISHED in body or MARK in body):
            continue
        try:
            fact = facts.decode(body)
        except msgspec.MsgspecError:
            continue  # the chain says what is wrong with it
        if isinstance(fact, HeadPublished):
            behind = tail.commit - fact.commit
            published = Anchor(fact.commit, fact.to, fact.utc_ms, tail.arrival_ms - arrival_ms, behind)
        elif isinstance(fact, ReadingsRemoved):
            if why := removals.trouble(fact, journal.journal_id.hex(), key):
                what = f"the removal of readings told at position {position}: {why}"
                problems.append((fact.first_commit, what))
        elif isinstance(fact, HeadSigned):
            if why := trouble(fact, journal.journal_id.hex(), links, key):
                problems.append((fact.commit, f"the head signed at position {position}: {why}"))
            else:
                good, covered = good + 1, max(covered, fact.commit)
                keys.add(fact.key)
    problems += [
        (anchor.commit, f"an anchor kept elsewhere: {why}")
        for anchor in anchors
        if (why := trouble(anchor, journal.journal_id.hex(), links, key))
    ]
    if key is not None and not good:
        problems.append((1, f"nothing in it is signed with the key {key}"))
    return HeadsReport(good, tuple(sorted(keys)), covered, tuple(sorted(problems)), published)


def trouble(head: HeadSigned, journal: str, links: Mapping[int, str], key: str | None) -> str:
    """Why this head does not belong to a journal with these links; "" if it does."""
    if head.journal != journal:
        return f"it is of another journal, {head.journal}"
    if key is not None and head.key != key.lower():
        return f"it is signed with another key, {head.key}"
    if not signed_by(head.key, head.signature, statement(head)):
        return "its signature is not good"
    there = links.get(head.commit)
    if there is None:
        return f"commit {head.commit} was there and is gone, with all behind it"
    if there != head.link:
        return f"commit {head.commit} or one before it is not what was signed"
    return ""


def read_anchors(path: Path) -> list[HeadSigned]:
    """Heads kept elsewhere: one published message a line. Raises EvidenceError with file and line."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise EvidenceError(
            f"{path} cannot be read: {error.strerror}", "give the file with the heads"
        ) from error
    found = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fact = facts.decode(line)
        except msgspec.MsgspecError as error:
            raise EvidenceError(f"{path}:{number}: no head: {error}", _AS_PUBLISHED) from error
        if not isinstance(fact, HeadSigned):
            raise EvidenceError(f"{path}:{number}: another fact than a head", _AS_PUBLISHED)
        found.append(fact)
    return found


_AS_PUBLISHED = "keep the messages of the topic …/head as they come, one a line"
