"""The stand-alone checker finds whatever is done to an export, and says which tails it cannot see."""

from __future__ import annotations

import hashlib
import json
import random
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coldchain.announcements import Announcement, Kind
from coldchain.announcements import encode as encode_announcement
from coldchain.evidence import check_export, heads
from coldchain.evidence.export import lines, read_back
from coldchain.evidence.keys import EvidenceError, Key
from coldchain.facts import HeadSigned, encode
from coldchain.journal import Batch, Document, Entry, Journal, PrivateText, Reader, verify_chain
from tests.unit.journal.support import ARRIVAL_MS, entries, reading

#: How many are tried in the test; each is another one.
MANIPULATIONS = 1_000
COMMITS = 45
#: Each such commit holds a head of the one before it.
SIGNED_EACH = 8
ANCHORED_AT = 35

Rows = list[dict[str, Any]]


class Signed:
    """A journal with heads, its export, the gateway's key, and the head that somebody else kept."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "x.journal"
        self.key = Key.make(folder / "key")
        self.anchor: HeadSigned | None = None
        chance = random.Random(3)
        with Journal.open(self.path, reserve_bytes=0) as journal:
            for number in range(1, COMMITS + 1):
                tail = journal.tail()
                made = list(entries(tail.position + 1, chance.choice([1, 1, 2, 5])))
                if number % SIGNED_EACH == 0:
                    head = heads.sign(self.key, journal.journal_id, tail, ARRIVAL_MS)
                    made.append(Entry(made[-1].position + 1, made[-1].arrival_ms, encode(head)))
                texts = (PrivateText.of("Anna", b"s" * 32),) if number == 1 else ()
                documents = (Document.of("a = 1\n"),) if number == 1 else ()
                journal.commit(Batch(tuple(made), documents=documents, private_texts=texts))
                if number == ANCHORED_AT:
                    self.anchor = heads.sign(self.key, journal.journal_id, journal.tail(), None)
        with Reader.open(self.path) as reader:
            self.rows: Rows = [json.loads(line) for line in lines(reader, names=True)]


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signed:
    """One journal for all."""
    return Signed(tmp_path_factory.mktemp("signed"))


def check(rows: Rows, signed: Signed, *, anchored: bool = True) -> str:
    """What the checker finds wrong, "" if nothing; in this process, as `main` does it."""
    assert signed.anchor is not None
    anchors = [json.loads(encode(signed.anchor))] if anchored else []
    export = check_export.Export(signed.key.public, anchors)
    try:
        for row in rows:
            export.line(row)
        export.finish()
    except check_export.Wrong as wrong:
        return str(wrong)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        return f"commit {export.number + 1}: cannot be read: {error!r}"
    return ""


def relink(rows: Rows) -> None:
    """Make the chain anew, as somebody would who knows all but the key: all links and the end agree."""
    journal = bytes.fromhex(rows[0]["journal"])
    link = hashlib.sha256(b"coldchain journal 1\n" + journal).digest()
    number, position, said = 0, 0, 0
    for row in rows:
        if "commit" in row:
            number += 1
            row["commit"], row["first"] = number, position + 1
            link = check_export.link_of(link, number, position + 1, row["facts"])
            row["link"] = link.hex()
            position += len(row["facts"])
            said += sum(len(each[2]) for each in row["facts"])
    rows[-1] = {"end": [number, position, said, link.hex()]}


# Each manipulation answers the number of the first commit that is not what was written, as it is numbered in
# the export that nobody touched; 0: what it touches stands beside the commits.


def _commits(rows: Rows, chance: random.Random) -> list[int]:
    found = [at for at, row in enumerate(rows) if "commit" in row and row["commit"] < ANCHORED_AT]
    chance.shuffle(found)
    return found


def _one(rows: Rows, chance: random.Random) -> dict[str, Any]:
    return rows[_commits(rows, chance)[0]]


def _change(rows: Rows, chance: random.Random) -> int:
    row = _one(rows, chance)
    fact = chance.choice(row["facts"])
    at = chance.randrange(len(fact[1]))
    fact[1] = fact[1][:at] + chr((ord(fact[1][at]) + 1) % 128) + fact[1][at + 1 :]
    return int(row["commit"])


def _arrival(rows: Rows, chance: random.Random) -> int:
    row = _one(rows, chance)
    chance.choice(row["facts"])[0] += chance.choice([-1, 1])
    return int(row["commit"])


def _say(rows: Rows, chance: random.Random) -> int:
    row = _one(rows, chance)
    said = encode_announcement(Announcement(Kind.NOTE, subject="x")).decode()
    chance.choice(row["facts"])[2].append(said)
    return int(row["commit"])


def _unsay(rows: Rows, chance: random.Random) -> int:
    told = [(rows[at], fact) for at in _commits(rows, chance) for fact in rows[at]["facts"] if fact[2]]
    row, fact = chance.choice(told)
    fact[2].pop()
    return int(row["commit"])


def _remove_fact(rows: Rows, chance: random.Random) -> int:
    row = _one(rows, chance)
    row["facts"].pop(chance.randrange(len(row["facts"])))
    return int(row["commit"])


def _insert_fact(rows: Rows, chance: random.Random) -> int:
    row = _one(rows, chance)
    facts = row["facts"]
    at = chance.randrange(len(facts))
    facts.insert(at, [facts[at][0], reading(chance.randrange(10**6)).decode(), []])
    return int(row["commit"])


def _remove(rows: Rows, chance: random.Random) -> int:
    return int(rows.pop(_commits(rows, chance)[0])["commit"])


def _double(rows: Rows, chance: random.Random) -> int:
    """The first of the two is what was written; the second stands where the next commit should."""
    at = _commits(rows, chance)[0]
    rows.insert(at, json.loads(json.dumps(rows[at])))
    return int(rows[at]["commit"]) + 1


def _swap(rows: Rows, chance: random.Random) -> int:
    one, other, *_ = _commits(rows, chance)
    rows[one], rows[other] = rows[other], rows[one]
    return int(min(rows[one]["commit"], rows[other]["commit"]))


def _merge(rows: Rows, chance: random.Random) -> int:
    at = _commits(rows, chance)[0]
    if "commit" not in rows[at + 1]:
        at -= 1
    rows[at]["facts"] += rows.pop(at + 1)["facts"]
    return int(rows[at]["commit"])


def _cut(rows: Rows, chance: random.Random) -> int:
    at = _commits(rows, chance)[0]
    number = int(rows[at]["commit"])
    del rows[at:-1]
    return number


def _journal(rows: Rows, chance: random.Random) -> int:
    """Whoever holds an anchor is told that it is of another journal, before any commit is looked at."""
    rows[0]["journal"] = chance.randbytes(16).hex()
    return 0


def _document(rows: Rows, chance: random.Random) -> int:
    (row,) = [row for row in rows if "document" in row]
    row["text"] += " "
    return 0


def _name(rows: Rows, chance: random.Random) -> int:
    (row,) = [row for row in rows if "name" in row]
    row["text"] = chance.choice(["Berta", "Anne", ""])
    return 0


def _unsigned(rows: Rows, chance: random.Random) -> int:
    """Throw every head away, and change something."""
    for row in rows:
        if "commit" in row:
            row["facts"] = [fact for fact in row["facts"] if '"fact":"head"' not in fact[1]] or row["facts"]
    return min(SIGNED_EACH, _change(rows, chance))


Manipulation = Callable[[Rows, random.Random], int]
CHAIN: tuple[Manipulation, ...] = (
    _change, _arrival, _say, _unsay, _remove_fact, _insert_fact, _remove, _double, _swap, _merge, _cut,
    _journal, _unsigned,
)  # fmt: skip
BESIDE: tuple[Manipulation, ...] = (_document, _name)


def bound(manipulation: Manipulation, first: int) -> int:
    """The last commit that may be named where every link was made anew.

    That is the next commit that somebody signed whose head lies in a commit nobody touched, or the one that
    somebody keeps a head of.
    """
    if manipulation is _unsigned:
        return ANCHORED_AT
    heads_in = range(SIGNED_EACH, COMMITS + 1, SIGNED_EACH)
    return min([ANCHORED_AT, *(number - 1 for number in heads_in if number > first)])


def test_each_of_a_thousand_manipulations_is_found(signed: Signed) -> None:
    """All are found. The first commit that is not what was written is named, exactly; where every link was
    made anew afterwards it is that one or a later one, up to the next that is signed or anchored."""
    chance = random.Random(20261129)
    done: Counter[str] = Counter()
    before = json.dumps(signed.rows)
    for _ in range(MANIPULATIONS):
        rows: Rows = json.loads(before)
        manipulation = chance.choice((*CHAIN, *CHAIN, *BESIDE))
        first = manipulation(rows, chance)
        name = manipulation.__name__
        anew = manipulation in CHAIN and chance.random() < 0.5
        if anew:
            relink(rows)
            name += ", links made anew"
        if json.dumps(rows) == before:
            continue  # two equal commits changed places
        done[name] += 1
        said = check(rows, signed)
        assert said, f"{name}: not found"
        named = re.match(r"commit (\d+): ", said)
        if first == 0:
            beside = r"(document|name) [0-9a-f]{64} has another text|an anchor is of journal [0-9a-f]{32}$"
            assert re.match(beside, said), f"{name}: {said}"
        else:
            assert named is not None, f"{name}: {said}"
            last = bound(manipulation, first) if anew else first
            assert first <= int(named[1]) <= last, f"{name}: {first} to {last}: {said}"
    assert sum(done.values()) > MANIPULATIONS * 0.95
    assert len(done) == 2 * len(CHAIN) + len(BESIDE), "every kind was tried"


def test_another_journal_s_name_over_it_is_found_without_an_anchor(signed: Signed) -> None:
    """The first link is made of it; with every link made anew the first head is of another journal."""
    rows: Rows = json.loads(json.dumps(signed.rows))
    _journal(rows, random.Random(1))
    assert check(rows, signed, anchored=False).startswith("commit 1: its facts, announcements or link")
    relink(rows)
    assert check(rows, signed, anchored=False).startswith(f"commit {SIGNED_EACH - 1}: this commit, or one")


@pytest.mark.parametrize("field", ["journal", "commit", "position", "link", "key", "signature", "utc_ms"])
def test_a_changed_head_is_what_is_named(signed: Signed, field: str) -> None:
    """Not the commit that it speaks of, which is what was written."""
    rows: Rows = json.loads(json.dumps(signed.rows))
    (row,) = [row for row in rows if row.get("commit") == SIGNED_EACH]
    head = json.loads(row["facts"][-1][1])
    head[field] = head[field] - 1 if isinstance(head[field], int) else "0" + head[field][1:]
    row["facts"][-1][1] = json.dumps(head, sort_keys=True, separators=(",", ":"))
    relink(rows)
    assert check(rows, signed).startswith(f"commit {SIGNED_EACH}: ")


def test_an_export_that_nobody_touched_agrees(signed: Signed) -> None:
    """The checker does not simply say no."""
    assert check(signed.rows, signed) == ""


def test_a_tail_behind_the_last_anchor_is_what_cannot_be_seen(signed: Signed, tmp_path: Path) -> None:
    """Cut behind the anchor, with the end made anew: it agrees, and says from where on it is blind."""
    rows: Rows = json.loads(json.dumps(signed.rows))
    last = next(at for at, row in enumerate(rows) if row.get("commit") == ANCHORED_AT + 1)
    del rows[last:-1]
    relink(rows)
    assert check(rows, signed) == ""
    done = run(rows, signed, tmp_path)
    assert done.returncode == 0, done.stdout
    assert f"cut off behind commit {ANCHORED_AT} cannot be seen" in done.stdout
    del rows[last - 1 : -1]
    relink(rows)
    done = run(rows, signed, tmp_path)
    assert done.returncode == 1
    assert f"commit {ANCHORED_AT}: cut off" in done.stdout


def run(rows: Rows, signed: Signed, folder: Path) -> subprocess.CompletedProcess[str]:
    """The checker as a stranger runs it: a copy of the one file, in a Python without our folder."""
    program = folder / "check_export.py"
    program.write_bytes(Path(check_export.__file__).read_bytes())
    (folder / "export").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert signed.anchor is not None
    (folder / "anchors").write_bytes(encode(signed.anchor) + b"\n")
    words = ["--key", signed.key.public, "--anchors", folder / "anchors"]
    command = [sys.executable, "-I", program, folder / "export", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)


def test_the_checker_needs_nothing_of_ours() -> None:
    """Under 200 lines; it imports the standard library and one package for signatures."""
    text = Path(check_export.__file__).read_text(encoding="utf-8")
    assert len(text.splitlines()) < 200
    assert "import coldchain" not in text
    assert "from coldchain" not in text


def test_an_export_becomes_the_same_journal(signed: Signed, tmp_path: Path) -> None:
    """Facts, announcements, links, documents and names come back; a second export is the same text."""
    text = [json.dumps(row, separators=(",", ":"), ensure_ascii=False).encode() for row in signed.rows]
    copy = tmp_path / "copy.journal"
    assert read_back(text, copy) == signed.rows[-1]["end"][1]
    with Reader.open(copy) as there, Reader.open(signed.path) as here:
        assert there.journal_id == here.journal_id
        assert list(there.entries()) == list(here.entries())
        assert list(there.commits()) == list(here.commits())
        assert list(there.documents()) == list(here.documents())
        assert list(there.private_texts()) == list(here.private_texts())
        assert verify_chain(there).intact
        assert list(lines(there, names=True)) == list(lines(here, names=True))
    with pytest.raises(EvidenceError, match="is there already"):
        read_back(text, copy)


def test_what_was_changed_becomes_no_journal(signed: Signed, tmp_path: Path) -> None:
    """Importing compares each link; the line is named."""
    rows: Rows = json.loads(json.dumps(signed.rows))
    _change(rows, random.Random(1))
    with pytest.raises(EvidenceError, match=r"line \d+: commit \d+ is not what was written"):
        read_back([json.dumps(row).encode() for row in rows], tmp_path / "copy.journal")
    with pytest.raises(EvidenceError, match="cut off"):
        read_back([json.dumps(row).encode() for row in signed.rows[:-1]], tmp_path / "short.journal")
