"""Columnar files: past readings as two or three columns of integers, for bulk work.

`at_ms` (UTC, ms) and `value` (in thousandths of a degree Celsius); `quality`, where it is there, is 0 for
GOOD, 1 for UNCERTAIN, 2 for BAD. Parquet, read by Polars (the extra `bulk`). Anything else is refused.
"""

from __future__ import annotations

from array import array
from pathlib import Path

from coldchain.fold.history import History, Sent
from coldchain.importers.refusal import Refused

_WANTED = ("at_ms", "value")


def read_parquet(path: Path) -> History:
    """The packed readings of a file, in order of time. Raises Refused with the mend."""
    try:
        import polars as pl
    except ImportError as error:
        raise Refused('Parquet needs the extra "bulk": pip install "coldchain[bulk]"') from error
    try:
        frame = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Refused(f"it is no Parquet file that can be read: {error}") from error
    columns = set(frame.columns)
    if missing := [name for name in _WANTED if name not in columns]:
        raise Refused(
            f"column {missing[0]} is missing; it needs at_ms (UTC, ms) and value (thousandths of °C), "
            "both whole numbers, and may have quality (0 good, 1 uncertain, 2 bad)"
        )
    names = [*_WANTED, *(["quality"] if "quality" in columns else [])]
    for name in names:
        if not frame.schema[name].is_integer():
            raise Refused(f"column {name} holds {frame.schema[name]}; write whole numbers")
        if frame[name].null_count():
            raise Refused(f"column {name} has empty places; leave such rows out, or give them quality 2")
    if not frame["at_ms"].is_sorted():
        frame = frame.sort("at_ms", maintain_order=True)
    history = History()
    history.number(Sent("", "", None, None))
    history.at = array("q", frame["at_ms"].cast(pl.Int64).to_numpy().tobytes())
    history.value = array("q", frame["value"].cast(pl.Int64).to_numpy().tobytes())
    if "quality" in names:
        if not frame["quality"].is_between(0, 2).all():
            raise Refused("column quality holds another number than 0, 1 and 2")
        history.code = array("I", frame["quality"].cast(pl.UInt32).to_numpy().tobytes())
    else:
        history.code = array("I", bytes(4 * len(history.at)))
    history.sent = array("I", bytes(4 * len(history.at)))
    return history
