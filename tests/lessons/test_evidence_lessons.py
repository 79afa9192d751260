"""Lessons about evidence: what a chain shows, what it cannot, and that both are said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

import coldchain.fold.engine as engine_module
from coldchain.cli.main import main
from coldchain.evidence import heads
from coldchain.evidence.keys import Key
from coldchain.facts import Acknowledged, Activated, HeadSigned, encode
from coldchain.fold.state import State
from coldchain.journal import Batch, Entry, Journal, Readable, Reader
from coldchain.pipeline.states import freeze, thaw
from tests.unit.fold.bench import MIN, T0, Bench, limit, plan
from tests.unit.fold.test_semantics import reading
from tests.unit.journal import support

# Hash chains are oversold: no protection against who holds the log, a cut tail is invisible (oxdeai 303).

Audit = Callable[[Readable, str, list[HeadSigned]], bool]


def by_key_and_anchors(journal: Readable, key: str, anchors: list[HeadSigned]) -> bool:
    """As `verify --key --anchors` does: whether it finds fault."""
    return bool(heads.audit(journal, key, anchors).problems)


def by_the_chain_alone(journal: Readable, key: str, anchors: list[HeadSigned]) -> bool:
    """The fault: a chain that is whole in itself is taken for the whole truth."""
    del key, anchors
    from coldchain.journal import verify_chain

    return not verify_chain(journal).intact


def found(folder: Path, audit: Audit) -> list[bool]:
    """A journal as it was; one whose tail was cut; one that its holder made anew. What is found?"""
    key = Key.make(folder / "evidence.key")
    path, cut, anew = (folder / name for name in ("true.db", "cut.db", "anew.db"))
    with Journal.open(path, reserve_bytes=0) as journal:
        journal.commit(support.batch(1, 5))
        journal.commit(support.batch(6, 5))
        head = heads.sign(key, journal.journal_id, journal.tail(), support.ARRIVAL_MS)
        said = Entry(11, support.entry(11).arrival_ms, encode(head))
        journal.commit(Batch((said,)))
        journal_id = journal.journal_id
    shutil.copyfile(path, cut)
    support.tamper(
        cut,
        "DELETE FROM commits WHERE number >= 2",
        "DELETE FROM facts WHERE position >= 6",
        "DELETE FROM announcements WHERE position >= 6",
    )
    with Journal.open(anew, journal_id=journal_id, reserve_bytes=0) as journal:
        journal.commit(support.batch(1, 5))
        milder = Batch(tuple(support.entry(position, fact=support.reading(1)) for position in range(6, 11)))
        journal.commit(milder)
        journal.commit(Batch((said,)))
    answers = []
    for one in (path, cut, anew):
        with Reader.open(one) as journal_read:
            answers.append(audit(journal_read, key.public, [head]))
    return answers


def test_the_holder_of_the_log_is_bound_by_what_others_hold(tmp_path: Path) -> None:
    """Key and anchor find a cut tail and a past made anew; the chain alone calls both whole."""
    for name in ("ours", "chain"):
        (tmp_path / name).mkdir()
    assert found(tmp_path / "ours", by_key_and_anchors) == [False, True, True]
    assert found(tmp_path / "chain", by_the_chain_alone) == [False, False, False]


def test_what_cannot_be_seen_is_said(tmp_path: Path) -> None:
    """Without an anchor `verify` says so, with every journal, whole or not."""
    support.fill(tmp_path / "x.db", [3])
    said = CliRunner().invoke(main, ["verify", str(tmp_path / "x.db")]).output
    assert "no head ever left the house: a cut tail cannot be seen" in said
    assert "whoever holds the file can make all of it anew" in said


# An acknowledgement is gone after a restart; an edited description clears a latch (phoebus 3078, 2520).


def stands_after_restart_and_edit() -> bool:
    """Too warm, taken up, over, latched; then a restart and an edited title. Does it all still stand?"""
    rule = limit(hold_ms=0, latched=True)
    bench = Bench(plan(rule))
    bench.add(reading(0, "-140"))
    bench.add(Acknowledged("box/vapour/above", (1,), "a"), T0 + 1)
    bench.add(reading(1, "-160"))
    bench.fold = thaw(freeze(bench.fold))
    edited = limit(hold_ms=0, latched=True, title="Above minus 150, as edited")
    bench.add(Activated(plan(edited), {}), T0 + 2 * MIN)
    alarm = bench.fold.desk.alarms.get("box/vapour/above")
    return alarm is not None and (alarm.state, alarm.latched) == ("acknowledged", True)


def test_an_acknowledgement_and_a_latch_outlive_restart_and_edit(monkeypatch: pytest.MonkeyPatch) -> None:
    """State follows from facts, and a plan changes only what it says; one that begins anew fails."""
    assert stands_after_restart_and_edit()
    honest = engine_module.change

    def forgetful(state: State, fact: Activated) -> object:
        state.desk.alarms.clear()
        return honest(state, fact)

    monkeypatch.setattr(engine_module, "change", forgetful)
    assert not stands_after_restart_and_edit()
