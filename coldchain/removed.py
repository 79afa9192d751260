"""Facts that tell what was taken out of a journal: readings, by policy; names, because somebody asked."""

from __future__ import annotations

from msgspec import Struct


class NamesErased(Struct, frozen=True, tag="names_erased", tag_field="fact", omit_defaults=True):
    """The texts behind these commitments were erased, in the transaction that this fact is in.

    Every fact that carries one of them stays as it is, and so does the chain.
    """

    commitments: tuple[str, ...]
    actor: str
    comment: str


class ReadingsRemoved(Struct, frozen=True, tag="readings_removed", tag_field="fact", omit_defaults=True):
    """Readings of these commits were removed by the site's policy, and what stands for them; signed.

    removed:  how many facts went, of this removal alone. kept: SHA-256 (hex) over what is kept of these
              commits, see `coldchain.journal.removal`. link_before: of the commit before them, link_after: of
              the last of them, hex.
    judged_from_ms, judged_from_utc_ms: what was measured before this (in journal time; in UTC, None: not
              known) is judged no more, whenever it comes; reach_ms: so far before it rules still look back.
    held:     channels of which nothing was removed: a consignment is open, or a rule looks further back.
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
    utc_ms: int | None = None  # None: the clock was not known
    key: str = ""
    signature: str = ""
