"""Facts that tell what was taken out of a journal: readings, by policy; names, because somebody asked.

Before the fact of a removal, in its commit, stand the facts that sum up the readings that went.
"""

from __future__ import annotations

from msgspec import Struct

from coldchain.model import Origin

#: The axis of times that no clock ever vouched for; without a word a time is UTC.
JOURNAL = "journal"


class NamesErased(Struct, frozen=True, tag="names_erased", tag_field="fact", omit_defaults=True):
    """The texts behind these commitments were erased, in the transaction that this fact is in.

    Every fact that carries one of them stays as it is, and so does the chain.
    """

    commitments: tuple[str, ...]
    actor: str
    comment: str


class Extreme(Struct, frozen=True, array_like=True):
    """A value in its quantity's quanta, and when it was measured first."""

    value: int
    at_ms: int


class Bucket(Struct, frozen=True, omit_defaults=True):
    """The readings of one span of time, in one row. Two rows of one span add up to that of both.

    at_ms:            where the span begins.
    good, uncertain, bad: how many readings of each quality.
    low, high:        extremes of the GOOD ones; doubtful_low, doubtful_high: of the UNCERTAIN ones.
    weighted, covered_ms: over the time of this span in which a GOOD reading counted: its value times ms,
                      and the ms. Their quotient is the mean.
    """

    at_ms: int
    good: int = 0
    uncertain: int = 0
    bad: int = 0
    low: Extreme | None = None
    high: Extreme | None = None
    doubtful_low: Extreme | None = None
    doubtful_high: Extreme | None = None
    weighted: int = 0
    covered_ms: int = 0


class ReadingsSummarised(
    Struct, frozen=True, tag="readings_summarised", tag_field="fact", omit_defaults=True
):
    """What stands for removed readings of one channel, of one place and origin, in spans of `bucket_ms`.

    place: "asset/role", "" where the channel measured nothing; quantity: "" where no configuration knew it.
    axis: `JOURNAL`, or "" for UTC.
    """

    channel: str
    source: str
    bucket_ms: int
    buckets: tuple[Bucket, ...]
    place: str = ""
    quantity: str = ""
    origin: Origin = Origin.LIVE
    simulated: bool = False
    axis: str = ""


class Exact(Struct, frozen=True, omit_defaults=True):
    """A span, ends included, of which every reading of a channel stays: an excursion, and time around it.

    axis: `JOURNAL`, for readings without a time of their own; "" for UTC.
    """

    channel: str
    from_ms: int
    to_ms: int
    axis: str = ""


class ReadingsRemoved(Struct, frozen=True, tag="readings_removed", tag_field="fact", omit_defaults=True):
    """Readings of these commits were removed by the site's policy, and what stands for them; signed.

    removed:  how many facts went, of this removal alone. kept: SHA-256 (hex) over what is kept of these
              commits, see `coldchain.journal.removal`. link_before: of the commit before them, link_after: of
              the last of them, hex.
    judged_from_ms, judged_from_utc_ms: what was measured before this (in journal time; in UTC, None: not
              known) is judged no more, whenever it comes; reach_ms: so far before it rules still look back.
    held:     channels of which nothing was removed: a consignment is open, or a rule looks further back.
    exact:    spans in which readings of these commits were old enough and stay all the same.
    summaries: how many facts before this one sum up what went; summary: SHA-256 (hex) over their
              canonical bytes, one after the other, "" where there are none.
    remains:  SHA-256 (hex) of what the rules knew at that instant; state, state_position: SHA-256 (hex) of
              the whole state of the fold after a position, and `engine`, which made it.
    journal, key, signature: hex; what is signed is `coldchain.evidence.removals.statement`.
    """

    journal: str
    first_commit: int
    last_commit: int
    first_position: int
    last_position: int
    removed: int
    kept: str
    link_before: str
    link_after: str
    policy: str
    judged_from_ms: int
    judged_from_utc_ms: int | None
    reach_ms: int
    remains: str
    state_position: int
    state: str
    engine: str
    held: tuple[str, ...] = ()
    exact: tuple[Exact, ...] = ()
    summaries: int = 0
    summary: str = ""
    utc_ms: int | None = None  # None: the clock was not known
    key: str = ""
    signature: str = ""


#: What retention and people who ask to be forgotten leave in a journal.
Removed = ReadingsRemoved | ReadingsSummarised | NamesErased
