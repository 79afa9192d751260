"""Where a batch is cut decides what one transaction holds, and nothing else."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.world import HandClock, start
from coldchain.facts import Reading
from coldchain.journal import AnnouncementRow, FactRow
from coldchain.model import Reason
from coldchain.pipeline import writer
from tests.unit.fold.bench import MIN, budget, limit, plan

#: The values in one message, None where the probe is open.
Message = tuple[float | None, ...]
#: So many ms later these messages come, and then the writer does or does not get to its work.
Moment = tuple[int, tuple[Message, ...], bool]

MESSAGES = st.lists(st.sampled_from([-180.0, -150.0, -149.5, None]), min_size=1, max_size=3).map(tuple)
MOMENTS = st.lists(
    st.tuples(
        st.sampled_from([0, 1_000, MIN, 5 * MIN, 12 * MIN]),
        st.lists(MESSAGES, max_size=3).map(tuple),
        st.booleans(),
    ),
    min_size=1,
    max_size=10,
)


def journalled(moments: list[Moment], at_most: list[int]) -> tuple[list[FactRow], list[AnnouncementRow], int]:
    """Facts and announcements of a journal, and its commits; its batches hold so many facts in turn."""
    with TemporaryDirectory() as folder:
        clock = HandClock()
        world = start(Path(folder) / "x.journal", clock, plan(limit(), budget()))
        sizes, number = 0, 0
        for after_ms, messages, works in [*moments, (0, (), True)]:
            clock.now_ms += after_ms
            for message in messages:
                offered = tuple(read(value, number + i, clock.now_ms) for i, value in enumerate(message))
                number += len(message)
                assert world.queue.offer(offered)
            while works:
                with patch.object(writer, "BATCH_FACTS", at_most[sizes % len(at_most)]):
                    world.writer.step(0)
                sizes += 1
                works = not world.queue.empty()
        found = list(world.journal.facts()), list(world.journal.announcements()), world.journal.tail().commit
        world.close()
        return found


def read(value: float | None, number: int, at_ms: int) -> Reading:
    """A reading of a device that numbers what it sends."""
    if value is None:
        return Reading("log", "box.vapour", at_ms=at_ms, bad=Reason.SENSOR_OPEN, sequence=number)
    return Reading("log", "box.vapour", str(value), "degC", at_ms=at_ms, sequence=number)


@settings(max_examples=min(25, settings.default.max_examples))
@given(MOMENTS, st.lists(st.integers(1, 7), min_size=1, max_size=4))
def test_a_batch_may_be_split_anywhere(moments: list[Moment], at_most: list[int]) -> None:
    """The same facts at the same positions, with the same arrivals and the same words, to the byte."""
    facts, said, commits = journalled(moments, [writer.BATCH_FACTS])
    split_facts, split_said, split_commits = journalled(moments, at_most)
    assert split_facts == facts
    assert split_said == said
    assert split_commits >= commits


def test_these_batches_are_split() -> None:
    """What the property compares differs in its commits, and alarms are among what is said."""
    moments: list[Moment] = [(0, ((-149.5,),) * 5, True), (11 * MIN, ((-149.5,), (-180.0, -180.0)), True)]
    _, said, commits = journalled(moments, [writer.BATCH_FACTS])
    _, again, more = journalled(moments, [1])
    assert said
    assert again == said
    assert more > commits
