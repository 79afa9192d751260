"""A simulated logger that prints lines: `name=value[unit];…*CS`, with or without time and number."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import xor
from typing import Literal

from coldchain_simulators.shown import fixed


@dataclass(frozen=True, slots=True)
class Column:
    """One quantity in the line."""

    sample: Callable[[], float | None]
    unit: str = ""  # "": the line carries none
    decimals: int = 2
    without: str = "----"  # what stands there when there is nothing to read


class AsciiLogger:
    """What the logger prints. No line, no clock."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        *,
        stamp: Literal["none", "epoch_s", "epoch_ms", "iso8601"] = "none",
        numbered: bool = False,
        checksum: Literal["none", "xor8", "sum8"] = "none",
    ) -> None:
        """`columns`: by the name that stands before the "="."""
        self._columns = dict(columns)
        self._stamp = stamp
        self._numbered = numbered
        self._checksum = checksum
        self.printed = 0

    def line(self, utc_ms: int) -> bytes:
        """The next line, with its end."""
        self.printed += 1
        cells = [f"{name}={self._cell(column)}" for name, column in self._columns.items()]
        if self._numbered:
            cells.insert(0, f"seq={self.printed}")
        if self._stamp != "none":
            cells.insert(0, f"time={_stamped(utc_ms, self._stamp)}")
        text = ";".join(cells).encode("ascii")
        if self._checksum != "none":
            check = reduce(xor, text, 0) if self._checksum == "xor8" else sum(text) & 0xFF
            text += b"*%02X" % check
        return text + b"\r\n"

    @staticmethod
    def _cell(column: Column) -> str:
        value = column.sample()
        if value is None:
            return column.without
        return fixed(value, column.decimals) + (f"[{column.unit}]" if column.unit else "")


def _stamped(utc_ms: int, form: str) -> str:
    if form == "epoch_ms":
        return str(utc_ms)
    if form == "epoch_s":
        return f"{utc_ms // 1000}.{utc_ms % 1000:03d}"
    moment = datetime.fromtimestamp(utc_ms // 1000, tz=UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{utc_ms % 1000:03d}Z"
