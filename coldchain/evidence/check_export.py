"""Check an exported coldchain journal. The format is described in docs/evidence.md.

Needs Python 3.11 and, for signatures, the package cryptography; nothing of coldchain.

    python check_export.py EXPORT [--key HEX] [--anchors FILE]

EXPORT   what `coldchain export` wrote
--key    the gateway's public key, 64 hex digits, learnt from elsewhere than the export
--anchors  heads of this journal that were kept elsewhere, one a line

Exit status 0: everything agrees; 1: it does not, the first commit that is wrong is named; 2: not readable.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import struct
import sys
from pathlib import Path
from typing import Any

HEAD_FIELDS = ("journal", "commit", "position", "link")


class Wrong(Exception):
    """What does not agree, and in which commit (0: beside the chain)."""

    def __init__(self, commit: int, why: str) -> None:
        super().__init__(f"commit {commit}: {why}" if commit else why)


def statement(head: dict[str, Any]) -> bytes:
    """The text under a head's signature."""
    lines = ["coldchain head 1", *(f"{name} {head[name]}" for name in HEAD_FIELDS)]
    lines.append(f"utc_ms {head.get('utc_ms', 'unknown')}")
    return ("\n".join(lines) + "\n").encode()


def check_signature(head: dict[str, Any], key: str | None, commit: int) -> None:
    """Raise Wrong unless the head is signed with this key (None: with the one it names)."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    if key is not None and head["key"] != key:
        raise Wrong(commit, f"a head is signed with another key: {head['key']}")
    try:
        public = Ed25519PublicKey.from_public_bytes(bytes.fromhex(head["key"]))
        public.verify(bytes.fromhex(head["signature"]), statement(head))
    except (InvalidSignature, ValueError) as error:
        raise Wrong(commit, "the signature of a head is not good") from error


def link_of(previous: bytes, number: int, first: int, rows: list[Any]) -> bytes:
    """The hash link of a commit over the one before it and every byte of its facts and announcements."""
    parts = [previous, struct.pack(">QQI", number, first, len(rows))]
    for arrival_ms, fact, said in rows:
        body = fact.encode()
        parts += [struct.pack(">qI", arrival_ms, len(body)), body, struct.pack(">I", len(said))]
        for text in said:
            body = text.encode()
            parts += [struct.pack(">I", len(body)), body]
    return hashlib.sha256(b"".join(parts)).digest()


class Export:
    """One pass over an export, line by line; what was learnt on the way."""

    def __init__(self, key: str | None) -> None:
        self.key = key
        self.journal = ""
        self.link = b""
        self.links: dict[int, str] = {}
        self.number, self.position, self.arrival_ms = 0, 0, -(2**63)
        self.facts = self.announcements = self.heads = self.covered = 0
        self.keys: set[str] = set()
        self.documents: set[str] = set()
        self.named: dict[str, int] = {}
        self.ended = False

    def line(self, row: dict[str, Any]) -> None:
        """Take the next line. Raises Wrong."""
        if not self.journal:
            if row.get("coldchain_export") != 1:
                raise Wrong(0, "the first line does not say that this is a coldchain export of format 1")
            self.journal = row["journal"]
            self.link = hashlib.sha256(b"coldchain journal 1\n" + bytes.fromhex(self.journal)).digest()
        elif self.ended:
            raise Wrong(self.number + 1, "there is something behind the end")
        elif "commit" in row:
            self.commit(row)
        elif "document" in row:
            if hashlib.sha256(row["text"].encode()).hexdigest() != row["document"]:
                raise Wrong(0, f"document {row['document']} has another text")
            self.documents.add(row["document"])
        elif "name" in row:
            if hashlib.sha256(bytes.fromhex(row["salt"]) + row["text"].encode()).hexdigest() != row["name"]:
                raise Wrong(0, f"the name behind {row['name']} is not what was committed to")
        elif "end" in row:
            counts = [self.number, self.facts, self.announcements, self.link.hex()]
            if row["end"] != counts:
                raise Wrong(self.number + 1, f"the export should end with {row['end']}, it has {counts}")
            self.ended = True
        else:
            raise Wrong(self.number + 1, "a line of no known kind")

    def commit(self, row: dict[str, Any]) -> None:
        """Recompute a commit's link and look at the heads in it."""
        number, rows = row["commit"], row["facts"]
        if number != self.number + 1:
            raise Wrong(self.number + 1, f"missing, or out of order: {number} stands there")
        if row["first"] != self.position + 1 or not rows:
            raise Wrong(number, f"should begin at position {self.position + 1}")
        self.link = link_of(self.link, number, row["first"], rows)
        if self.link.hex() != row["link"]:
            raise Wrong(number, "its facts, announcements or link are not what was written")
        for arrival_ms, text, said in rows:
            if arrival_ms < self.arrival_ms:
                raise Wrong(number, "an arrival goes back")
            self.arrival_ms = arrival_ms
            self.announcements += len(said)
            if '"fact":"head"' in text:
                self.head(number, json.loads(text))
            elif '"fact":"activated"' in text:
                self.named.update(dict.fromkeys(json.loads(text)["documents"].values(), number))
        self.number, self.position = number, self.position + len(rows)
        self.facts += len(rows)
        self.links[number] = row["link"]

    def head(self, number: int, head: dict[str, Any]) -> None:
        """A signed head inside the journal fits what lies before it."""
        if head["journal"] != self.journal or self.links.get(head["commit"]) != head["link"]:
            raise Wrong(min(head["commit"], number), "this commit, or one before it, is not what was signed")
        check_signature(head, self.key, number)
        self.heads, self.covered = self.heads + 1, max(self.covered, head["commit"])
        self.keys.add(head["key"])

    def finish(self, anchors: list[dict[str, Any]]) -> None:
        """What can only be said at the end. Raises Wrong."""
        if not self.ended:
            raise Wrong(self.number + 1, "the export is cut off: its last line is missing")
        for anchor in anchors:
            commit = anchor["commit"]
            if anchor["journal"] != self.journal:
                raise Wrong(0, f"an anchor is of another journal: {anchor['journal']}")
            check_signature(anchor, self.key, commit)
            if commit not in self.links:
                raise Wrong(self.number + 1, f"cut off: commit {commit} was known elsewhere")
            if self.links[commit] != anchor["link"]:
                raise Wrong(commit, "this commit, or one before it, is not the one known elsewhere")
        if missing := {name: number for name, number in self.named.items() if name not in self.documents}:
            name, number = min(missing.items(), key=lambda item: item[1])
            raise Wrong(number, f"document {name}, which it names, is missing")
        if self.key is not None and not self.heads:
            raise Wrong(1, "nothing is signed with the key that was given")


def main() -> int:
    """Check, and say what was seen and what cannot be."""
    parser = argparse.ArgumentParser(description="Check an exported coldchain journal.")
    parser.add_argument("export", type=Path)
    parser.add_argument("--key", type=str.lower, help="the gateway's public key (64 hex digits)")
    parser.add_argument("--anchors", type=Path, help="heads kept elsewhere, one a line")
    asked = parser.parse_args()
    export = Export(asked.key)
    try:
        anchors = [json.loads(row) for row in asked.anchors.read_text().splitlines()] if asked.anchors else []
        with asked.export.open("rb") as lines:
            for line in lines:
                export.line(json.loads(line))
        export.finish(anchors)
    except Wrong as wrong:
        print(f"NOT WHAT WAS WRITTEN. {wrong}")
        return 1
    except (LookupError, TypeError, ValueError, AttributeError, struct.error) as error:
        print(f"NOT WHAT WAS WRITTEN. commit {export.number + 1}: a line that cannot be read: {error!r}")
        return 1
    except (OSError, ImportError) as error:
        print(f"cannot check: {error}", file=sys.stderr)
        return 2
    last = max((anchor["commit"] for anchor in anchors), default=0)
    print(f"{export.facts} facts in {export.number} commits of journal {export.journal}: every link agrees")
    print(
        f"{export.heads} heads are signed, the last covers commit {export.covered}, by {sorted(export.keys)}"
    )
    if asked.key is None:
        print("without --key this shows only that one key signed them, not whose it is")
    print(f"commits cut off behind commit {last} cannot be seen: no anchor beyond it was given")
    return 0


if __name__ == "__main__":
    sys.exit(main())
