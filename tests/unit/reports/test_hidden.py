"""Whether a gap can hide an alarm: the answer must hold for whatever may have happened there."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from coldchain.reports import Verdict
from tests.unit.reports.support import report

WORDS = st.sampled_from(["5", "5", "5", "9", "1", "bad", "bad", "_"])


@given(
    st.lists(WORDS, min_size=2, max_size=14),
    st.lists(st.sampled_from(["5", "9", "1", "30", "-40"]), min_size=14, max_size=14),
    st.sampled_from(["0 s", "10m", "20m", "30m"]),
    st.integers(10, 40),
)
def test_inside_holds_whatever_was_not_seen(
    words: list[str], filling: list[str], hold: str, max_gap_min: int
) -> None:
    """If a log with gaps is called inside, no values in its gaps make an alarm of it."""
    while words and words[-1] == "_":
        words.pop()
    while words and words[0] == "_":
        words.pop(0)
    if len(words) < 2:
        return
    found = report(" ".join(words), hold=hold, max_gap_min=max_gap_min)
    if found.verdict is not Verdict.INSIDE:
        return
    # A missing line within the longest time that a reading counts was vouched for by the one before.
    unwatched = {
        index
        for gap in found.channels[0].figures.gaps
        for index in range(len(words))
        if words[index] in {"bad", "_"}
        and gap.start_ms <= found.channels[0].figures.points[0].at_ms + index * 600_000 <= gap.end_ms
    }
    filled = [filling[index] if index in unwatched else word for index, word in enumerate(words)]
    again = report(" ".join(filled), hold=hold, max_gap_min=max_gap_min)
    assert again.verdict is not Verdict.OUTSIDE, filled


def test_gaps_far_longer_than_the_log() -> None:
    """A gap of years is not played through; it is plainly too much."""
    found = report("5 5 5 5 " + "_ " * 200_000 + "5", max_gap_min=10)
    assert found.verdict is Verdict.CANNOT_JUDGE
    assert "far more than was watched" in found.reasons[0]
