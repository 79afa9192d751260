"""Kills at every request to the disk while a journal is made, brought up to date, or copied."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from coldchain.journal import Journal, JournalError, Reader, schema, verify_chain
from tests.campaign.killable import a_version_later
from tests.campaign.nursery import Nursery
from tests.campaign.outcome import Fault, Outcome, Size
from tests.unit.journal.support import batch, entries, fill

#: How many facts lie in the journal that is brought up to date, or copied.
_FACTS = {Size.SHORT: 40, Size.FULL: 2_000}
#: In the short form each so many-th request only.
_EVERY = {Size.SHORT: 8, Size.FULL: 1}
_LIVES_WITHIN_S = 60.0


@contextmanager
def _nursery() -> Iterator[tuple[Path, Nursery]]:
    with tempfile.TemporaryDirectory(prefix="campaign-") as name, Nursery(Path(name, "log")) as nursery:
        yield Path(name), nursery


def _killed(nursery: Nursery, life: str, count: int, *words: object) -> bool:
    """Let it die before its `count`-th request; False if it came to its end before that."""
    status = nursery.bear(life, count, *words).wait(_LIVES_WITHIN_S)
    assert status in (0, -signal.SIGKILL), f"{life} ended with {status}: {nursery.said()}"
    return status != 0


def _whole(path: Path, facts: int) -> str:
    """What is wrong with a journal that should hold just these facts; "" if nothing."""
    try:
        with Reader.open(path) as journal:
            if list(journal.entries()) != list(entries(1, facts)):
                return "other facts are in it"
            return "" if verify_chain(journal).intact else "its chain is broken"
    except JournalError as error:
        return error.why


def _outcome(tried: int, wrong: list[str]) -> Outcome:
    return Outcome(tried, len(wrong), kills=tried, note="; ".join(wrong[:1]))


def killed_while_made(seed: int, size: Size) -> Outcome:
    """Each time the next start makes it, and what it takes in is kept."""
    del seed
    wrong: list[str] = []
    tried = 0
    with _nursery() as (folder, nursery):
        while _killed(nursery, "making", tried * _EVERY[size], path := folder / f"{tried}.journal"):
            with Journal.open(path, reserve_bytes=0) as journal:
                journal.commit(batch(1, 3))
            wrong += filter(None, [_whole(path, 3)])
            tried += 1
    return _outcome(tried, wrong)


def killed_while_migrated(seed: int, size: Size) -> Outcome:
    """The next start ends it, once, and nothing of the journal is lost."""
    del seed
    wrong: list[str] = []
    tried, facts = 0, _FACTS[size]
    with _nursery() as (folder, nursery):
        whole = folder / "whole"
        fill(whole, [facts])
        data = whole.read_bytes()
        while True:
            path = folder / f"{tried}.journal"
            path.write_bytes(data)
            if not _killed(nursery, "migration", tried * _EVERY[size], path):
                break
            with a_version_later():
                Journal.open(path, reserve_bytes=0).close()
                wrong += filter(None, [_whole(path, facts)])
                with Reader.open(path) as journal:
                    (moved,) = journal._database.all("count", "SELECT count(*), max(position) FROM later")
                    versions = journal._database.all(
                        "count", "SELECT version FROM migrations ORDER BY version"
                    )
                if moved != (facts, facts) or [row[0] for row in versions] != list(
                    range(1, schema.VERSION + 1)
                ):
                    wrong.append(f"half migrated: {moved}, {versions}")
            path.unlink()
            tried += 1
    return _outcome(tried, wrong)


def killed_while_copied(seed: int, size: Size) -> Outcome:
    """The older copy is as it was, or the new one is whole; the journal itself never suffers."""
    del seed
    wrong: list[str] = []
    tried, facts = 0, _FACTS[size]
    with _nursery() as (folder, nursery):
        path, copy = folder / "x.journal", folder / "copy"
        fill(path, [facts])
        fill(copy, [3])
        older = copy.read_bytes()
        while _killed(nursery, "copying", tried * _EVERY[size], path, copy):
            if copy.read_bytes() != older:
                wrong += filter(None, [_whole(copy, facts)])
            wrong += filter(None, [_whole(path, facts)])
            tried += 1
        wrong += filter(None, [_whole(copy, facts)])
    return _outcome(tried, wrong)


FAULTS = (
    Fault("kill-making", "killed while a journal is made", killed_while_made),
    Fault("kill-migration", "killed while a schema is brought up to date", killed_while_migrated),
    Fault("kill-back-up", "killed while a copy is made", killed_while_copied),
)
