"""Retention without a daemon: what it would do, and doing it on a journal that nobody holds."""

from __future__ import annotations

import threading

from msgspec.structs import replace

from coldchain.clock import SystemClock
from coldchain.config.loaded import Loaded
from coldchain.daemon.errors import DaemonError
from coldchain.daemon.offline import at_work
from coldchain.daemon.retention import (
    Guards,
    Plan,
    Policy,
    Retention,
    guards_of,
    policy_of,
    propose,
    surveyed,
    wanted,
)
from coldchain.daemon.signing import Signer
from coldchain.evidence import heads
from coldchain.fold import settling
from coldchain.journal import Readable, Reader
from coldchain.journal.removal import removals
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.recovery import recover

#: One piece is on disk within this time, or the disk hangs (real seconds).
_PIECE_S = 60.0
_NO_POLICY = "there is no [retention] in the configuration, so nothing is ever removed; write readings there"


def planned(loaded: Loaded, keep_ms: int | None = None) -> Plan:
    """What would be removed; keep_ms: by another policy than the configuration's. Takes nothing from anybody.

    Raises JournalError, EvidenceError, DaemonError (there is no policy).
    """
    policy = policy_of(loaded)
    if keep_ms is not None:
        policy = Policy(keep_ms) if policy is None else replace(policy, readings_ms=keep_ms)
    if policy is None:
        raise DaemonError(_NO_POLICY)
    with Reader.open(loaded.resolve(loaded.settings.journal.path)) as reader:
        fold = recover(reader, engine()).fold
        proposal = propose(wanted(fold, policy), reader, policy, _guards(loaded, reader))
        return replace(surveyed(reader, proposal), short=tuple(settling.short(fold)))


def retain(loaded: Loaded, clock: SystemClock) -> tuple[int, int]:
    """Remove what goes; how many removals, and how many facts went. Raises as `planned`, and JournalBusy."""
    policy = policy_of(loaded)
    if policy is None:
        raise DaemonError(_NO_POLICY)
    with at_work(loaded, clock) as work, Reader.open(work.journal.path) as reader:
        signer = Signer(work.journal, work.queue, clock)
        signer.reload(loaded)
        if signer.key is None:
            raise DaemonError("there is no key to sign a removal with; see [evidence] key_file")
        signed = threading.Event()
        work.writer.later(signer.look)
        work.writer.later(signed.set)
        signed.wait(_PIECE_S)
        before = _removed(reader)
        retention = Retention(
            work.writer, work.queue, clock, work.journal, engine(), lambda: signer.key,
            lambda: policy, lambda journal: _guards(loaded, journal),
        )  # fmt: skip
        pieces = -1  # the first step saves a state
        while retention.step(reader, at_once=True):
            pieces += 1
            if not retention.wait(_PIECE_S):
                raise DaemonError("a removal does not come to its end; look at the disk")
        return max(0, pieces), _removed(reader) - before


def _guards(loaded: Loaded, journal: Readable) -> Guards:
    """Before anything goes, the head of all that is there is signed."""
    found = heads.audit(journal).published
    return guards_of(loaded, journal.tail().commit, 0 if found is None else found.commit)


def _removed(journal: Readable) -> int:
    return sum(one.removed for _, one in removals(journal))
