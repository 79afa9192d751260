"""Signed heads: what they show inside a journal, and what those kept elsewhere show."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from msgspec.structs import replace

from coldchain.cli.main import main
from coldchain.evidence import heads
from coldchain.evidence.keys import EvidenceError, Key, signed_by
from coldchain.facts import Fact, HeadPublished, HeadSigned, encode
from coldchain.journal import Batch, Entry, Journal, Reader
from tests.unit.journal.support import ARRIVAL_MS, batch, tamper


def say(journal: Journal, fact: Fact) -> None:
    """Commit one fact."""
    tail = journal.tail()
    journal.commit(Batch((Entry(tail.position + 1, tail.arrival_ms, encode(fact)),)))


@pytest.fixture
def key(tmp_path: Path) -> Key:
    """The gateway's."""
    return Key.make(tmp_path / "evidence.key")


@pytest.fixture
def path(tmp_path: Path, key: Key) -> Path:
    """Four commits: two of readings, the signed head of them, that it was taken."""
    with Journal.open(tmp_path / "x.journal", reserve_bytes=0) as journal:
        journal.commit(batch(1, 3))
        journal.commit(batch(4, 2))
        head = heads.sign(key, journal.journal_id, journal.tail(), ARRIVAL_MS)
        say(journal, head)
        say(journal, HeadPublished(head.commit, head.link, "board", ARRIVAL_MS))
        (tmp_path / "anchors").write_bytes(encode(head) + b"\n\n")
    return tmp_path / "x.journal"


def test_a_head_covers_everything_before_it(path: Path, key: Key) -> None:
    """The report names key, last covered commit, and whom the head left to."""
    with Reader.open(path) as journal:
        found = heads.audit(journal, key.public, heads.read_anchors(path.with_name("anchors")))
    assert (found.heads, found.covered, found.keys, found.problems) == (1, 2, (key.public,), ())
    assert found.published == heads.Anchor(2, "board", ARRIVAL_MS, 0, 2)


def test_what_is_signed_is_written_down(key: Key) -> None:
    """Six lines, byte for byte as docs/evidence.md has them."""
    head = HeadSigned("ab" * 16, 7, 12, "cd" * 32, key.public, "", None)
    text = f"coldchain head 1\njournal {'ab' * 16}\ncommit 7\nposition 12\nlink {'cd' * 32}\nutc_ms unknown\n"
    assert heads.statement(head) == text.encode()
    assert signed_by(key.public, key.sign(text.encode()), heads.statement(head))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param({"commit": 1}, "signature is not good", id="another commit"),
        pytest.param({"utc_ms": None}, "signature is not good", id="another time"),
        pytest.param({"signature": "00" * 64}, "signature is not good", id="no signature"),
        pytest.param({"signature": "zz"}, "signature is not good", id="no hex"),
        pytest.param({"journal": "00" * 16}, "another journal", id="another journal"),
        pytest.param({"key": "00" * 32}, "signed with another key", id="another key"),
    ],
)
def test_a_head_that_is_not_the_gateway_s(path: Path, key: Key, change: dict[str, object], why: str) -> None:
    """Each field is under the signature."""
    (head,) = heads.read_anchors(path.with_name("anchors"))
    with Reader.open(path) as journal:
        found = heads.audit(journal, key.public, [replace(head, **change)])
    assert why in found.problems[0][1]


def test_an_anchor_sees_a_tail_cut_before_it(path: Path, key: Key) -> None:
    """The chain alone is intact; with the anchor the missing commit is named."""
    anchors = heads.read_anchors(path.with_name("anchors"))
    tamper(
        path,
        "DELETE FROM commits WHERE number >= 2",
        "DELETE FROM facts WHERE position >= 4",
        "DELETE FROM announcements WHERE position >= 4",
    )
    with Reader.open(path) as journal:
        assert heads.audit(journal).problems == ()
        found = heads.audit(journal, None, anchors)
        assert found.problems[0][0] == 2
        assert "was there and is gone" in found.problems[0][1]
        assert heads.audit(journal, key.public).problems == (
            (1, f"nothing in it is signed with the key {key.public}"),
        )


def test_the_command_says_what_it_cannot_see(path: Path, key: Key) -> None:
    """`verify` names the last anchor and how much lies behind it; a wrong key is an error."""
    anchors = str(path.with_name("anchors"))
    done = CliRunner().invoke(main, ["verify", str(path), "--key", key.public, "--anchors", anchors])
    said = " ".join(done.output.split())
    assert "1 heads signed, commits up to 2 covered" in said
    assert "last outside anchor: commit 2, taken by board" in said
    assert "2 commits (0 s) before the end; behind it a cut tail cannot be seen" in said
    done = CliRunner().invoke(main, ["verify", str(path), "--key", "00" * 32])
    assert done.exit_code == 1
    assert "not what was signed" in done.output


def test_key_commands(tmp_path: Path) -> None:
    """A key is made once, readable by its owner alone; its public half is printed; nothing is overwritten."""
    file = str(tmp_path / "new.key")
    made = CliRunner().invoke(main, ["key", "new", file])
    assert made.exit_code == 0
    assert len(bytes.fromhex(made.output.strip())) == 32
    assert (tmp_path / "new.key").stat().st_mode & 0o777 == 0o600
    assert CliRunner().invoke(main, ["key", "show", file]).output == made.output
    again = CliRunner().invoke(main, ["key", "new", file])
    assert again.exit_code == 2
    (tmp_path / "text").write_text("nothing")
    shown = CliRunner().invoke(main, ["key", "show", str(tmp_path / "text")])
    assert shown.exit_code == 2
    assert "coldchain key new" in " ".join(shown.output.split())


def test_a_file_of_anchors_with_a_mistake(tmp_path: Path) -> None:
    """File and line are named."""
    (tmp_path / "anchors").write_text('{"fact":"beat"}\n')
    with pytest.raises(EvidenceError, match="anchors:1: another fact than a head"):
        heads.read_anchors(tmp_path / "anchors")
    (tmp_path / "anchors").write_text("\n12:abc\n")
    with pytest.raises(EvidenceError, match="anchors:2: no head"):
        heads.read_anchors(tmp_path / "anchors")


def test_export_and_import_as_commands(path: Path, tmp_path: Path) -> None:
    """Out, with the checker beside it, and in again."""
    out, copy = tmp_path / "out.jsonl", tmp_path / "copy.journal"
    done = CliRunner().invoke(main, ["export", str(path), str(out), "--with-checker"])
    assert done.exit_code == 0, done.output
    assert (tmp_path / "check_export.py").is_file()
    done = CliRunner().invoke(main, ["restore", str(out), str(copy)])
    assert done.exit_code == 0, done.output
    assert "7 facts" in done.output
    assert CliRunner().invoke(main, ["restore", str(out), str(copy)]).exit_code == 2
