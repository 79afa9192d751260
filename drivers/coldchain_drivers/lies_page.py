"""The table of readings that lie, as a page of the docs."""

from __future__ import annotations

from coldchain_drivers.lies import TABLE, Family, Row

_HEAD = """\
# Readings that lie

What a device sends when it has no value, and what that would be taken for. The most dangerous look cold: a
shorted platinum probe reads far below zero, and a high limit stays silent. The table itself is open data for
everybody: `drivers/coldchain_drivers/lies.toml`; each entry has its source, and what is only suspected is not
in it.

Where a driver reads the device itself, it turns these into BAD without being told (*by itself*). Where other
software stands between, select the family by its name in `lies` of the source:

    lies = ["ds18b20", "max31865"]

A lie is told whatever its digits and its unit token (−127 °C is also −196.6 °F), and touches no other
quantity.
"""


def lies_page() -> str:
    """The whole page in Markdown."""
    return _HEAD + "".join(_section(name, family) for name, family in TABLE.items())


def _section(name: str, family: Family) -> str:
    rows = "\n".join(_line(row) for row in family.rows)
    return (
        f"\n## {name}\n\n{family.title}\n\n"
        "| | What it shows | Taken for | It is | Told |\n|---|---|---|---|---|\n"
        f"{rows}\n\nSource: {family.source}. Confidence: {family.confidence}.\n"
    )


def _line(row: Row) -> str:
    told = [f"by itself: `{driver}`" for driver in row.drivers]
    if row.lie is not None:
        bound = row.lie.value or (
            f"{row.lie.at_or_above} and above" if row.lie.at_or_above else f"{row.lie.at_or_below} and below"
        )
        told.append(f"selected: {bound} {row.lie.unit}")
    return f"| {row.name} | `{row.shows}` | {row.reads_as} | `{row.reason.value}` | {', '.join(told)} |"
