"""The fold's saved state: small, read back by its own engine, and anything else is no state at all."""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from coldchain import facts
from coldchain.facts import Beat
from coldchain.fold import Fold
from coldchain.journal import Batch, Entry, Journal
from coldchain.pipeline.engine_id import engine
from coldchain.pipeline.recovery import recover
from coldchain.pipeline.states import freeze, thaw
from tests.unit.fold.bench import Bench, limit, plan

SERIES = "-190..-150x300 -148x15 -170..-190x100"


@pytest.fixture
def fold() -> Fold:
    """A fold with a history and an alarm."""
    bench = Bench(plan(limit()))
    bench.series(SERIES)
    return bench.fold


def test_a_state_read_back_is_frozen_alike(fold: Fold) -> None:
    """What was thawed freezes to the same bytes: nothing was lost and nothing came to it."""
    state = freeze(thaw(freeze(fold)))
    assert state == freeze(thaw(state))


def test_a_state_is_deflated(fold: Fold) -> None:
    """A history of readings takes half of its packed bytes, or less."""
    state = freeze(fold)
    assert len(state) * 2 < len(zlib.decompress(state))


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda state: b"", id="nothing"),
        pytest.param(lambda state: state[: len(state) // 2], id="cut off"),
        pytest.param(lambda state: b"?" + state[1:], id="another beginning"),
        pytest.param(zlib.decompress, id="as an earlier version wrote it"),
        pytest.param(lambda state: zlib.compress(pickle.dumps({"not": "a fold"})), id="no fold"),
        pytest.param(lambda state: zlib.compress(pickle.dumps(Path())), id="a class that is not ours"),
    ],
)
def test_what_is_no_state_is_refused_and_folded_again(
    fold: Fold, damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    """A cache that cannot be read is no cache: it is refused in one way, and the start folds everything."""
    state = damage(freeze(fold))
    with pytest.raises(pickle.UnpicklingError):
        thaw(state)
    with Journal.open(tmp_path / "x.journal") as journal:
        journal.commit(Batch((Entry(1, 1, facts.encode(Beat())),)))
        journal.save_checkpoint(1, engine(), state)
        recovered = recover(journal, engine())
    assert (recovered.from_checkpoint, recovered.fold.position) == (0, 1)
