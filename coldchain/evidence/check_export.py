"""Check an exported coldchain journal. The format is described in docs/evidence.md.

Needs Python 3.11 and, for signatures, the package cryptography; nothing of coldchain. Learn the key from
elsewhere. Exit status: 0 all agrees, 1 the commit that it names does not, 2 not readable.

    python check_export.py EXPORT [--key HEX] [--anchors FILE]
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any


class Wrong(Exception):
    """What does not agree, and in which commit, unless it is beside the chain."""


def need(agrees: bool, commit: int, why: str) -> None:
    """Raise Wrong unless something agrees. commit 0: it is beside the chain."""
    if not agrees:
        raise Wrong(f"commit {commit}: {why}" if commit else why)


def statement(told: dict[str, Any]) -> bytes:
    """The text under the signature of a head, or of a removal of readings."""
    if told["fact"] != "head":
        whole = {name: value for name, value in told.items() if name != "signature"}
        text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"coldchain removal 1\n{text}".encode()
    names = ("journal", "commit", "position", "link", "utc_ms")
    return "\n".join(("coldchain head 1", *(f"{it} {told.get(it, 'unknown')}" for it in names), "")).encode()


def check_signature(told: dict[str, Any], key: str | None, commit: int) -> None:
    """Raise Wrong unless it is signed with this key (None: with the one it names). commit 0: an anchor."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    what = f"a {told['fact']}" if commit else f"the anchor of commit {told['commit']}"
    need(key in (None, told["key"]), commit, f"{what} is signed with another key: {told['key']}")
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(told["key"]))
        public.verify(bytes.fromhex(told["signature"]), statement(told))
    except (InvalidSignature, ValueError):
        need(False, commit, f"the signature of {what} is not good")


def bytes_of(arrival: bytes, fact: str, said: list[str]) -> bytes:
    """A fact and what was announced at it, as they are hashed."""
    sized = [struct.pack(">I", len(part := text.encode())) + part for text in (fact, *said)]
    return arrival + sized[0] + struct.pack(">I", len(said)) + b"".join(sized[1:])


def link_of(previous: bytes, number: int, first: int, rows: list[Any]) -> bytes:
    """The hash link of a commit over the one before it and every byte of its facts and announcements."""
    facts = (bytes_of(struct.pack(">q", arrival_ms), fact, said) for arrival_ms, fact, said in rows)
    head = struct.pack(">QQI", number, first, len(rows))
    return hashlib.sha256(b"".join((previous, head, *facts))).digest()


def kept_of(row: dict[str, Any]) -> bytes:
    """The hash of what is kept of a commit of which readings were removed."""
    head = struct.pack(">QQI", row["commit"], row["first"], row["count"]) + bytes.fromhex(row["link"])
    facts = (bytes_of(struct.pack(">Qq", at, arrival), fact, said) for at, arrival, fact, said in row["kept"])
    return hashlib.sha256(b"".join((head, struct.pack(">I", len(row["kept"])), *facts))).digest()


class Export:
    """One pass over an export, line by line; what was learnt on the way. Anchors: heads kept elsewhere."""

    def __init__(self, key: str | None, anchors: Any = ()) -> None:
        self.key, self.journal, self.link, self.ended, self.arrival_ms = key, "", b"", False, -(2**63)
        self.links, self.removals, self.summed = dict[int, str](), list[dict[str, Any]](), list[str]()
        self.number = self.position = self.facts = self.announcements = self.heads = self.covered = 0
        self.keys, self.documents, self.named = set[str](), set[str](), dict[str, int]()
        self.gap, self.gone, self.anchors, self.known = dict[int, bytes](), 0, anchors, {0: set[str]()}

    def line(self, row: dict[str, Any]) -> None:
        """Take the next line. Raises Wrong."""
        need(not self.ended, self.number + 1, "there is something behind the end")
        if not self.journal:
            need(row.get("coldchain_export") == 1, 0, "the first line names no coldchain export of format 1")
            self.journal = row["journal"]
            self.link = hashlib.sha256(b"coldchain journal 1\n" + bytes.fromhex(self.journal)).digest()
            self.links[0] = self.link.hex()
            for anchor in self.anchors:
                need(anchor["journal"] == self.journal, 0, f"an anchor is of journal {anchor['journal']}")
                check_signature(anchor, self.key, 0)
                self.known.setdefault(anchor["commit"], set()).add(anchor["link"])
        elif "commit" in row:
            self.commit(row)
        elif (kind := next((kind for kind in ("document", "remains", "name") if kind in row), "")) != "":
            found = hashlib.sha256(bytes.fromhex(row.get("salt", "")) + row["text"].encode()).hexdigest()
            need(found == row[kind], 0, f"{kind} {row[kind]} has another text")
            self.documents |= {row[kind]} if kind == "document" else set()
        else:
            need("end" in row, self.number + 1, "a line of no known kind")
            self.ended, counts = True, [self.number, self.facts, self.announcements, self.link.hex()]
            need(row["end"] == counts, self.number + 1, f"it should end with {row['end']}, it has {counts}")

    def commit(self, row: dict[str, Any]) -> None:
        """Recompute a commit's link, or the hash of what is kept of it, and look at what was signed in it."""
        number, rows = row["commit"], row["kept"] if "kept" in row else row["facts"]
        count = row["count"] if "kept" in row else len(rows)
        need(number == self.number + 1, self.number + 1, f"missing, or out of order: {number} stands there")
        need((row["first"], count > 0) == (self.position + 1, True), number, "begins at another position")
        if "kept" in row:
            self.gap[number], self.link = kept_of(row), bytes.fromhex(row["link"])
        else:
            self.link = link_of(self.link, number, row["first"], rows)
        link = self.link.hex()
        need(link == row["link"], number, "its facts, announcements or link are not what was written")
        need(self.known.get(number, {link}) == {link}, number, "it, or one before it, was known otherwise")
        for *_, text, _ in rows:  # first, since a head may name an earlier commit than this one
            if '"fact":"head"' in text:
                self.head(number, json.loads(text))
            elif '"fact":"readings_summarised"' in text:
                self.summed.append(text)
            elif '"fact":"readings_removed"' in text:
                check_signature(told := json.loads(text), self.key, number)
                digest = hashlib.sha256("".join(self.summed).encode()).hexdigest() if self.summed else ""
                need(digest == told.get("summary", ""), number, "the summary of removed readings differs")
                self.removals, self.summed = [*self.removals, told], []
            elif '"fact":"activated"' in text:
                self.named.update(dict.fromkeys(json.loads(text)["documents"].values(), number))
        for *_, arrival_ms, _, said in rows:
            need(arrival_ms >= self.arrival_ms, number, "an arrival goes back")
            self.arrival_ms, self.announcements = arrival_ms, self.announcements + len(said)
        need(not self.summed, number, "it sums up readings, and no removal of them follows")
        self.number, self.position = number, self.position + count
        self.facts, self.gone = self.facts + len(rows), self.gone + count - len(rows)
        self.links[number] = link

    def head(self, number: int, head: dict[str, Any]) -> None:
        """A signed head inside the journal fits what lies before it."""
        check_signature(head, self.key, number)
        fits = (self.journal, self.links.get(head["commit"])) == (head["journal"], head["link"])
        need(fits, min(head["commit"], number), "this commit, or one before it, is not what was signed")
        self.heads, self.covered = self.heads + 1, max(self.covered, head["commit"])
        self.keys.add(head["key"])

    def finish(self) -> None:
        """What can only be said at the end. Raises Wrong."""
        need(self.ended, self.number + 1, "the export is cut off: its last line is missing")
        for told in reversed(self.removals):  # of two that speak of the same commits the later one holds
            first, last = told["first_commit"], told["last_commit"]
            digests = [self.gap.pop(number) for number in range(first, last + 1) if number in self.gap]
            agrees = not digests or hashlib.sha256(b"".join(digests)).hexdigest() == told["kept"]
            ends = (self.links.get(first - 1), self.links.get(last), self.journal)
            agrees = ends == (told["link_before"], told["link_after"], told["journal"]) and agrees
            need(agrees, first, f"what is kept up to commit {last} is not what the removal of readings says")
        need(not self.gap, min(self.gap, default=0), "readings are missing, and no removal tells of it")
        need((last := max(self.known)) <= self.number, self.number + 1, f"cut off: there was a commit {last}")
        for name, number in sorted(self.named.items(), key=lambda item: item[1]):
            need(name in self.documents, number, f"document {name}, which it names, is missing")
        need(self.key is None or self.heads > 0, 1, "nothing is signed with the key that was given")


def main() -> int:
    """Check, and say what was seen and what cannot be."""
    parser = argparse.ArgumentParser(description="Check an exported coldchain journal.")
    parser.add_argument("export", type=Path, help="what `coldchain export` wrote")
    parser.add_argument("--key", type=str.lower, help="the gateway's public key (64 hex digits)")
    parser.add_argument("--anchors", type=Path, help="heads kept elsewhere, one a line")
    asked = parser.parse_args()
    export = Export(asked.key)
    try:
        rows = asked.anchors.read_text().splitlines() if asked.anchors else []
        export.anchors = [json.loads(row) for row in rows]
        with asked.export.open("rb") as lines:
            for line in lines:
                export.line(json.loads(line))
        export.finish()
    except (Wrong, LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
        unread = f"commit {export.number + 1}: a line that cannot be read: {error!r}"
        print(f"NOT WHAT WAS WRITTEN. {error if isinstance(error, Wrong) else unread}")
        return 1
    except (OSError, ImportError) as error:
        print(f"cannot check: {error}", file=sys.stderr)
        return 2
    print(f"{export.facts} facts in {export.number} commits of journal {export.journal}: every link agrees")
    if export.gone:
        told = sorted({removed["policy"] for removed in export.removals})
        print(f"{export.gone} facts were removed by policy {told}: their links cannot be recomputed")
    print(f"{export.heads} signed heads up to commit {export.covered}, by {sorted(export.keys)}")
    if asked.key is None:
        print("without --key this shows only that one key signed them, not whose it is")
    print(f"commits cut off behind commit {max(export.known)} cannot be seen: no anchor beyond it was given")
    return 0


if __name__ == "__main__":
    sys.exit(main())
