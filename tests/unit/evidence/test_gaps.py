"""An export of a journal from which readings were removed: a stranger checks it, it can be brought back."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from coldchain.daemon import retention
from coldchain.evidence import check_export, heads
from coldchain.evidence.export import lines, read_back
from coldchain.evidence.keys import EvidenceError, Key
from coldchain.journal import Reader, verify_chain
from coldchain.journal.repair import repair
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.verify import Verdict, verify
from tests.unit.daemon.retained import House

Rows = list[dict[str, Any]]


class Gapped:
    """A journal of four days with a gap of three, a signed head behind it, and the key."""

    def __init__(self, folder: Path) -> None:
        self.key = Key.make(folder / "key")
        house = House(folder / "j.db", key=self.key)
        house.activate()
        house.days(4)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(retention, "PIECE_FACTS", 150)
            house.retain()
        house.submit(heads.sign(self.key, house.journal.journal_id, house.journal.tail(), None))
        house.measure(12, "5")
        house.end()
        self.path = house.path
        with Reader.open(self.path) as journal:
            self.text = list(lines(journal))

    @property
    def rows(self) -> Rows:
        """The export, to be changed by a test."""
        return [json.loads(line) for line in self.text]


@pytest.fixture(scope="module")
def gapped(tmp_path_factory: pytest.TempPathFactory) -> Gapped:
    """One journal for all."""
    pytest.importorskip("cryptography")
    return Gapped(tmp_path_factory.mktemp("gapped"))


def check(rows: Rows, key: str | None) -> str:
    """What the checker finds wrong."""
    export = check_export.Export(key)
    try:
        for row in rows:
            export.line(row)
        export.finish()
    except check_export.Wrong as wrong:
        return str(wrong)
    return ""


def test_a_stranger_checks_it_across_the_gap(gapped: Gapped, tmp_path: Path) -> None:
    """The stand-alone program finds it right, and says how many facts are gone and by which policy."""
    file = tmp_path / "j.jsonl"
    file.write_bytes(b"".join(gapped.text))
    ran = subprocess.run(
        [sys.executable, check_export.__file__, str(file), "--key", gapped.key.public],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout
    with Reader.open(gapped.path) as journal:
        gone = verify_chain(journal).removed
    assert f"{gone} facts were removed by policy ['readings = 24 h, summary" in ran.stdout


def test_it_is_brought_back_as_it_was(gapped: Gapped, tmp_path: Path) -> None:
    """The same facts, links and removals; and it exports to the same bytes again."""
    path = tmp_path / "again.db"
    facts = read_back(gapped.text, path)
    with Reader.open(path) as journal:
        assert list(lines(journal)) == gapped.text
        chain = verify_chain(journal)
        assert chain.intact
        assert chain.facts == facts
        found = verify(journal, engine())
    # The saved states are no evidence and did not come with it.
    assert [stretch.verdict for stretch in found.stretches] == [Verdict.WITHOUT_READINGS]
    assert found.stretches[0].different == 0
    assert found.sound


def _first(rows: Rows, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    return next(row for row in rows if what(row))


def _told(rows: Rows) -> list[Any]:
    """The row of a removal's fact."""
    return next(
        fact for row in rows for fact in row.get("facts", ()) if '"fact":"readings_removed"' in fact[1]
    )


def _is_gap(row: dict[str, Any]) -> bool:
    return bool(row.get("kept"))


CHANGES: dict[str, Callable[[Rows], object]] = {
    "a kept fact": lambda rows: _first(rows, _is_gap)["kept"][0].__setitem__(2, '{"fact":"wake"}'),
    "a kept fact's time": lambda rows: _first(rows, _is_gap)["kept"][0].__setitem__(1, 5),
    "a kept fact's place": lambda rows: _first(rows, _is_gap)["kept"][-1].__setitem__(0, 10**6),
    "a kept fact left out": lambda rows: _first(rows, _is_gap)["kept"].pop(),
    "an announcement more": lambda rows: _first(rows, _is_gap)["kept"][0][3].append("{}"),
    "a reading more": lambda rows: _first(rows, _is_gap)["kept"].append([9, 9, '{"fact":"beat"}', []]),
    "how many there were": lambda rows: _first(rows, _is_gap).__setitem__("count", 1),
    "a link in the gap": lambda rows: _first(rows, _is_gap).__setitem__("link", "00" * 32),
    "a commit of the gap": lambda rows: rows.remove(_first(rows, _is_gap)),
    "a whole commit passed off as one with a gap": lambda rows: _hide(rows, 3),
    "the removal's policy": lambda rows: _told(rows).__setitem__(1, _told(rows)[1].replace("24 h", "48 h")),
    "no removal at all": lambda rows: _told(rows).__setitem__(1, '{"fact":"wake"}'),
    "what the readings left behind": lambda rows: _first(rows, lambda row: "remains" in row).__setitem__(
        "text", "{}"
    ),
}


def _hide(rows: Rows, least: int) -> None:
    """Take the readings out of a commit behind the gap, as retention would."""
    row = next(row for row in reversed(rows) if "facts" in row and len(row["facts"]) > least)
    row["count"] = len(row["facts"])
    row["kept"] = []
    del row["facts"]


@pytest.mark.parametrize("change", CHANGES)
def test_every_change_of_an_export_with_a_gap_is_found(gapped: Gapped, change: str, tmp_path: Path) -> None:
    """By the stand-alone checker, and by the import, which then makes no journal."""
    rows = gapped.rows
    CHANGES[change](rows)
    assert check(rows, gapped.key.public) != ""
    path = tmp_path / "again.db"
    with pytest.raises(EvidenceError):
        read_back([json.dumps(row).encode() for row in rows], path)
    assert not path.exists()


def _remade(rows: Rows) -> None:
    """Every link that can be made anew is, as by somebody who knows the format; signed heads go."""
    link = b""
    for row in rows:
        if "facts" in row:
            for fact in row["facts"]:
                fact[1] = '{"fact":"wake"}' if '"fact":"head"' in fact[1] else fact[1]
            row["link"] = check_export.link_of(link, row["commit"], row["first"], row["facts"]).hex()
        link = bytes.fromhex(row.get("link", ""))
    next(row for row in rows if "end" in row)["end"][3] = rows[-2]["link"]


SUMMARIES: dict[str, Callable[[list[Any]], object]] = {
    "a value": lambda facts: facts[0].__setitem__(1, facts[0][1].replace('"low":[5000', '"low":[4000')),
    "another sum": lambda facts: facts[0].__setitem__(1, facts[0][1].replace('"weighted":1', '"weighted":2')),
    "no summary": lambda facts: facts[0].__setitem__(1, '{"fact":"wake"}'),
}


@pytest.mark.parametrize("change", SUMMARIES)
def test_a_summary_is_bound_by_the_removal_not_by_the_chain_alone(
    gapped: Gapped, change: str, tmp_path: Path
) -> None:
    """With every later link made anew it still is not what was signed: checker and verify say so."""
    rows = gapped.rows
    facts = next(row["facts"] for row in rows if "readings_summarised" in str(row.get("facts")))
    before = facts[0][1]
    SUMMARIES[change](facts)
    assert facts[0][1] != before
    _remade(rows)
    assert "the summary of removed readings differs" in check(rows, None)
    with pytest.raises(EvidenceError, match=r"sums up|readings"):
        read_back([json.dumps(row).encode() for row in rows], tmp_path / "again.db")


def test_a_removal_of_another_hand_is_found(gapped: Gapped, tmp_path: Path) -> None:
    """Whoever knows the format but not the key cannot remove readings unseen."""
    assert "another key" in check(gapped.rows, Key.make(tmp_path / "other").public)


@pytest.mark.slow
def test_repair_keeps_what_a_removal_kept(gapped: Gapped, tmp_path: Path) -> None:
    """Pages freed by a removal still hold the readings: they do not come back, and nothing is lost."""
    new = tmp_path / "new.db"
    done = repair(gapped.path, new)
    assert done.gaps == ()
    with Reader.open(new) as journal, Reader.open(gapped.path) as old:
        assert list(lines(journal)) == list(lines(old))
        assert verify_chain(journal).intact
