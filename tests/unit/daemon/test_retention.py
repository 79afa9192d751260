"""Readings go by policy; what stays is proven, and folded on as if they were there."""

from __future__ import annotations

import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from msgspec.structs import replace

from coldchain import facts
from coldchain.daemon import retention
from coldchain.daemon.retention import Policy
from coldchain.evidence import heads
from coldchain.evidence.keys import Key
from coldchain.evidence.summaries import coarser
from coldchain.facts import ConsignmentEnded, Reading
from coldchain.journal import Cursor, Deliveries, Journal, Reader, verify_chain
from coldchain.journal.removal import removals, summaries
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.verify import Verdict, verify
from coldchain.plan import Rolling
from tests.unit.daemon.retained import DAY, EVERY, HOUR, JUDGED, House
from tests.unit.fold.bench import MIN, plan
from tests.unit.pipeline.fake_clock import HandClock

REACH = 30 * MIN + 2 * EVERY


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PIECE_FACTS", 100)


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    """The gateway's."""
    pytest.importorskip("cryptography")
    return Key.make(tmp_path_factory.mktemp("key") / "evidence.key")


@pytest.fixture(scope="module")
def five_days(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, HandClock]:
    """A journal of five days, and the clock at its end."""
    made = House(tmp_path_factory.mktemp("days") / "j.db", key=None)
    made.activate()
    made.days(5)
    made.end()
    return made.path, made.clock


@pytest.fixture
def house(tmp_path: Path, key: Key, five_days: tuple[Path, HandClock]) -> House:
    """A gateway with a journal of five days that keeps readings for one."""
    path, clock = five_days
    shutil.copy(path, tmp_path / "j.db")
    made = House(tmp_path / "j.db", key=key, clock=HandClock(clock.utc_ms(), boot_ms=clock.boot_ms()))
    made.activate()
    return made


def readings(journal: Reader | Journal) -> list[int]:
    """When what is left was measured."""
    found = (facts.decode(row.body) for row in journal.facts())
    return [fact.at_ms or 0 for fact in found if isinstance(fact, Reading)]


def told(journal: Reader | Journal) -> list[tuple[int, bytes]]:
    """Everything announced, with its position, but that we were not running."""
    return [(row.position, row.body) for row in journal.announcements() if b"not_running" not in row.body]


def excursions(house: House) -> list[tuple[int, int]]:
    """When it was outside its limit (UTC)."""
    found = [each.interval for each in house.writer.fold.places["box/vapour"].ledger.all()]
    return [(one.start_ms, one.end_ms or 2**62) for one in found if one.rule == "above"]


def test_old_readings_go_and_everything_said_stays(house: House) -> None:
    """Calm, and older than the policy and what rules look back to: gone. All else: there."""
    before, said = readings(house.journal), told(house.journal)
    assert house.retain() > 3
    left = readings(house.journal)
    oldest = house.clock.utc_ms() - DAY - REACH
    spoken = {
        fact.at_ms
        for position, _ in said
        for row in house.journal.facts(position, position)
        if isinstance(fact := facts.decode(row.body), Reading)
    }
    assert spoken <= set(left)
    hot = excursions(house)
    assert len(hot) == 5
    near = {at_ms for at_ms in before if any(begin - HOUR <= at_ms <= end + HOUR for begin, end in hot)}
    assert near <= set(left), "an excursion, and an hour to both sides"
    spans = [span for _, removed in removals(house.journal) for span in removed.exact]
    near |= {at_ms for at_ms in before if any(one.from_ms <= at_ms <= one.to_ms for one in spans)}
    # It ends with the last commit that is wholly old enough; one holds an hour.
    begin = min(at_ms for at_ms in left if at_ms not in spoken | near)
    assert oldest - HOUR <= begin <= oldest
    assert [at_ms for at_ms in left if at_ms >= begin] == [at_ms for at_ms in before if at_ms >= begin]
    assert told(house.journal) == said


def test_what_stands_for_readings_says_what_they_said(house: House) -> None:
    """Of all that went: how many, the extremes, and how long it was measured, hour by hour; and no more."""
    before = {
        row.position: fact
        for row in house.journal.facts()
        if isinstance(fact := facts.decode(row.body), Reading)
    }
    house.retain()
    there = {row.position for row in house.journal.facts()}
    gone = [fact for position, fact in before.items() if position not in there]
    told = [
        one
        for position, removed in removals(house.journal)
        for one in summaries(house.journal, position, removed)
    ]
    assert {(one.channel, one.source, one.place, one.quantity, one.axis, one.bucket_ms) for one in told} == {
        ("box.vapour", "log", "box/vapour", "temperature", "", HOUR)
    }
    rows = list(coarser((row for one in told for row in one.buckets), HOUR))
    for row in rows:
        inside = [fact for fact in gone if row.at_ms <= (fact.at_ms or 0) < row.at_ms + HOUR]
        values = [round(float(fact.raw) * 1000) for fact in inside]
        assert row.good == len(inside)
        assert (row.low and row.low.value, row.high and row.high.value) == (
            (min(values), max(values)) if values else (None, None)
        )
    assert sum(row.good for row in rows) == len(gone) > 300
    assert sum(row.uncertain + row.bad for row in rows) == 0
    # Each counts until the next one, ten minutes later.
    assert sum(row.covered_ms for row in rows) == len(gone) * EVERY
    assert sum(row.weighted for row in rows) == sum(round(float(one.raw) * 1000) * EVERY for one in gone)


def test_pieces_cut_anywhere_say_the_same(house: House, key: Key, tmp_path: Path) -> None:
    """How much goes at once changes no row: what counts across the end of a piece counts in full."""
    shutil.copy(house.path, tmp_path / "other.db")
    found = []
    for path, facts_max in ((house.path, 100), (tmp_path / "other.db", 170)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(retention, "PIECE_FACTS", facts_max)
            mine = house if path == house.path else House(path, key=key, clock=house.clock)
            mine.retain()
        told = [
            one
            for position, removed in removals(mine.journal)
            for one in summaries(mine.journal, position, removed)
        ]
        found.append(list(coarser((row for one in told for row in one.buckets), HOUR)))
        mine.end()
    assert found[0] == found[1]


def test_the_chain_is_proven_across_the_gap(house: House, key: Key) -> None:
    """Every link that can be recomputed agrees, what is kept is what was signed, and it says what went."""
    house.measure(10, "5")
    house.retain()
    count = sum(removed.removed for _, removed in removals(house.journal))
    house.end()
    with Reader.open(house.path) as journal:
        chain = verify_chain(journal)
        signed = heads.audit(journal, key.public)
    assert chain.intact, chain.findings
    assert chain.removed == count > 400
    policy = "readings = 24 h, summary = 1 h, around_excursions = 1 h"
    assert {removed.policy for _, removed in chain.removals} == {policy}
    assert [commit for commit, _ in signed.problems if commit != 1] == []


def test_verify_folds_on_behind_the_gap(house: House) -> None:
    """From the state that the removal vouches for, every announcement comes out again, byte for byte."""
    house.retain()
    house.days(2)
    house.end()
    with Reader.open(house.path) as journal:
        found = verify(journal, engine())
        (_, first), *_ = removals(journal)
    assert found.sound, found
    assert [stretch.verdict for stretch in found.stretches] == [Verdict.EQUAL]
    assert found.stretches[0].announcements > 5
    assert found.from_position == first.state_position + 1


def test_a_start_from_what_is_left_goes_on_as_if_nothing_had_gone(tmp_path: Path, key: Key) -> None:
    """Two gateways with the same days; one of them keeps readings for a day: afterwards they say the same."""
    said = {}
    for keep_ms in (None, DAY):
        path = tmp_path / f"{keep_ms}.db"
        house = House(path, key=key, keep_ms=keep_ms)
        house.activate()
        for _ in range(3):
            house.days(2)
            house.retain()
            house.end()
            house = House(path, key=key, clock=house.clock, keep_ms=keep_ms)
        house.days(1)
        house.end()
        with Reader.open(path) as journal:
            said[keep_ms] = [row.body for row in journal.announcements()]
            gone = verify_chain(journal).removed
        assert (gone > 0) is (keep_ms is not None)
    assert len(said[None]) > 20
    assert said[None] == said[DAY]


def test_nothing_goes_without_a_policy_or_a_key(house: House) -> None:
    """Who asked for nothing loses nothing; what nobody signs nobody removes."""
    house.keep_ms = None
    assert house.retain() == 0
    house.keep_ms, house.key = DAY, None
    assert house.retain() == 0
    assert len(readings(house.journal)) == 5 * 144


def test_nothing_goes_of_an_open_consignment(tmp_path: Path, key: Key) -> None:
    """From its start on everything stays, until it ends."""
    house = House(tmp_path / "j.db", key=key)
    house.activate()
    house.days(2)
    house.consignment()
    began = house.clock.utc_ms()
    house.days(3)
    before = readings(house.journal)
    house.retain()
    assert [at_ms for at_ms in readings(house.journal) if at_ms >= began] == [
        at_ms for at_ms in before if at_ms >= began
    ]
    want = retention.wanted(house.writer.fold, Policy(DAY))
    assert [(hold.place, hold.why, hold.about) for hold in want.holds] == [
        ("box/vapour", "consignment_open", "c1")
    ]


def test_what_was_held_goes_later(tmp_path: Path, key: Key) -> None:
    """A removal that had to leave a consignment's readings is done again once that is over."""
    house = House(tmp_path / "j.db", key=key)
    house.activate()
    house.consignment()
    house.writer.beat_s = 3600
    house.days(4)
    house.retain()
    assert len(readings(house.journal)) == 4 * 144
    house.submit(ConsignmentEnded("c1", "delivered", house.clock.utc_ms(), actor="anna"))
    house.measure(5, "5")
    house.retain()
    assert len(readings(house.journal)) < 2 * 144
    house.end()
    with Reader.open(house.path) as journal:
        assert verify_chain(journal).intact
        assert verify(journal, engine()).sound


def test_nothing_goes_before_a_sink_has_told_it(house: House) -> None:
    """A time-series sink that is behind holds what it has not sent; it says so."""
    with Deliveries.open(house.path) as deliveries:
        deliveries.move("influx", Cursor(100, 60))
    house.log_sinks = ("influx",)
    house.retain()
    positions = [row.position for row in house.journal.facts()]
    assert positions[-1] - 60 <= len([p for p in positions if p > 60])
    assert [p for p in positions if 60 < p <= 100] == list(range(61, 101))


def test_nothing_goes_that_no_signed_head_covers(house: House) -> None:
    """A removal is signed, and so is what it removes."""
    house.anchored = (50, "commit 50 is the last that is signed")
    house.retain()
    with Reader.open(house.path) as journal:
        assert max(removed.last_commit for _, removed in removals(journal)) == 50


def test_it_waits_until_enough_has_come_together(house: House) -> None:
    """Each run keeps a state of the fold: an eighth of the time is a run, a minute is none."""
    assert house.retain(at_once=False) > 0
    house.measure(3, "5")
    assert house.retain(at_once=False) == 0
    house.measure(30, "5")
    assert house.retain(at_once=False) > 0


def test_a_rule_that_lacks_readings_is_said_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    """The log names it and the time that it lacks, when it begins, and not at every look."""
    house.retain()
    house.retention.look()
    assert "lacks" not in caplog.text
    (rolling,) = (rule for rule in JUDGED.profiles[0].stages[0].rules if isinstance(rule, Rolling))
    longer = replace(rolling, id="longer", window_ms=60 * HOUR)
    house.activate(plan(rolling, longer, channels=JUDGED.channels))
    house.measure(6, "5")
    house.retention.look()
    house.retention.look()
    (said,) = (record.message for record in caplog.records if "lacks the first" in record.message)
    assert said.startswith("box/vapour: its rule longer began after older readings were removed")


def test_an_upgrade_finds_nothing_new(tmp_path: Path, key: Key) -> None:
    """Another engine folds what is kept anew, from where places stood: no alarm comes or goes."""
    house = House(tmp_path / "j.db", key=key, made_by="older")
    house.activate()
    house.days(5)
    house.retain()
    excursions = [each.id for each in house.writer.fold.places["box/vapour"].ledger.all()]
    spent = house.writer.fold.places["box/vapour"].track.keep()
    said = len(told(house.journal))
    house.end()
    newer = House(house.path, key=key, clock=house.clock)
    assert newer.recovered.other_engine
    place = newer.writer.fold.places["box/vapour"]
    assert [each.id for each in place.ledger.all()] == excursions
    assert place.track.keep().running == spent.running
    assert place.track.meter == spent.meter
    assert len(told(newer.journal)) == said
    newer.days(1)
    assert len(told(newer.journal)) > said
    newer.end()
    with Reader.open(house.path) as journal:
        found = verify(journal, engine())
    assert [stretch.verdict for stretch in found.stretches] == [
        Verdict.OTHER_ENGINE,
        Verdict.WITHOUT_READINGS,
    ]
    assert found.stretches[-1].different == 0


def test_damaged_states_are_made_up_for(house: House) -> None:
    """No checkpoint, no base state: what the readings left behind stands for them; nothing is said twice."""
    house.retain()
    said = told(house.journal)
    house.end()
    db = sqlite3.connect(house.path)
    db.execute("DELETE FROM checkpoints")
    db.execute("DELETE FROM base_states")
    db.commit()
    db.close()
    again = House(house.path, key=house.key, clock=house.clock)
    assert again.recovered.other_engine
    assert told(again.journal) == said
    again.days(1)
    again.end()
    with Reader.open(house.path) as journal:
        assert verify(journal, engine()).sound


def test_a_checkpoint_from_before_the_removal_is_not_used(house: House) -> None:
    """A state that would need the removed readings is deleted with them, in the same transaction."""
    house.writer.want_checkpoint()
    house.measure(1, "5")
    house.days(3)
    house.retain()
    end = max(removed.last_position for _, removed in removals(house.journal))
    newest = house.journal.latest_checkpoint(engine(), end - 1)
    assert newest is None
    fold = recover(house.journal, engine()).fold
    assert fold.position == house.writer.fold.position


# Manipulations of what a removal says


def test_the_journal_refuses_to_lose_more(house: House) -> None:
    """Rows behind what was removed, and those at which something was announced, cannot be deleted."""
    house.retain()
    house.end()
    db = sqlite3.connect(house.path)
    end = db.execute("SELECT max(last_position) FROM removals").fetchone()[0]
    for where in (f"position = {end + 1}", "position = (SELECT min(position) FROM announcements)"):
        with pytest.raises(sqlite3.IntegrityError, match="never changed"):
            db.execute(f"DELETE FROM facts WHERE {where}")
    db.close()


TRICKS = {
    "a kept fact within the gap": "CHANGE fact fakt WHERE position = {first}",
    "a kept fact removed": "DELETE FROM facts WHERE position = {first}",
    "a reading put back": "INSERT INTO facts SELECT {gone}, arrival_ms, shape, body FROM facts LIMIT 1",
    "an announcement within the gap": "UPDATE announcements SET body = x'7b7d' WHERE position = {said}",
    "a link within the gap": "UPDATE commits SET link = x'00' WHERE number = 7",
    "the last link of the gap": "UPDATE commits SET link = x'00' WHERE number = {end}",
    "a commit within the gap": "DELETE FROM commits WHERE number = 9",
    "how many facts a commit had": "UPDATE commits SET facts = facts + 1 WHERE number = 9",
    "one row more removed": "DELETE FROM facts WHERE position = {last}",
    "that there was a removal": "DELETE FROM removals WHERE position = {at}",
    "a removal that nobody told": "INSERT INTO removals VALUES (2, 1, 2)",
    "the fact: how many": 'CHANGE removed": removed":1 WHERE position = {at}',
    "what stands for the readings": "CHANGE covered_ms covered_mt WHERE position = {at} - 1",
    "the fact: which readings stay": "CHANGE exact elact WHERE position = {at}",
    "the fact: by which policy": "CHANGE 24 48 WHERE position = {at}",
}


@pytest.mark.parametrize("trick", TRICKS, ids=lambda name: name)
def test_every_manipulation_of_a_removal_is_found(house: House, trick: str) -> None:
    """Whatever is changed in the gap, at its borders, or in what tells of it."""
    house.retain()
    house.measure(3, "5")
    house.end()
    with Reader.open(house.path) as journal:
        at, removed = next(removals(journal))
        there = {row.position for row in journal.facts()}
        said = next(journal.announcements()).position
    db = sqlite3.connect(house.path)
    db.executescript(
        "".join(
            f"DROP TRIGGER {name};"
            for (name,) in db.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall()
        )
    )
    db.create_function("swap", 3, lambda body, old, new: body.replace(old.encode(), new.encode()))
    gone = next(at for at in range(1, removed.last_position) if at not in there)
    end = removed.last_commit
    statement = re.sub(
        r"CHANGE (\S+) (\S+)", r"UPDATE facts SET body = swap(body, '\1', '\2')", TRICKS[trick]
    )
    db.execute(statement.format(first=min(there), last=max(there), said=said, at=at, end=end, gone=gone))
    assert db.total_changes > 0
    db.commit()
    db.close()
    with Reader.open(house.path) as journal:
        chain = verify_chain(journal)
    assert not chain.intact
    assert chain.first is not None


def test_a_removal_that_somebody_else_signed_is_no_removal_of_ours(
    house: House, key: Key, tmp_path: Path
) -> None:
    """The key that is known from elsewhere must have signed it; so must nobody have changed it."""
    house.key = Key.make(tmp_path / "another.key")
    house.retain()
    with Reader.open(house.path) as journal:
        signed = heads.audit(journal, key.public)
    assert any("another key" in why for _, why in signed.problems)
