"""Day or month: settled by the file's own evidence, or refused."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers import dates, stamps
from coldchain.importers.refusal import Refused
from coldchain.importers.stamps import Civil


def column(*texts: str) -> list[tuple[int, Civil]]:
    """Cells with line numbers, as a reader hands them over."""
    cells = [(line, stamps.read(text)) for line, text in enumerate(texts, start=2)]
    assert all(isinstance(cell, Civil) for _, cell in cells)
    return [(line, cell) for line, cell in cells if isinstance(cell, Civil)]


def log(start: datetime, count: int, minutes: int, form: str) -> list[str]:
    """A regular log, its times written in a form of strftime."""
    return [(start + timedelta(minutes=minutes * step)).strftime(form) for step in range(count)]


DMY, MDY = "%d/%m/%Y %H:%M", "%m/%d/%Y %H:%M"
EVENING = datetime(2023, 4, 3, 23, 0)


@pytest.mark.parametrize(
    ("cells", "order"),
    [
        pytest.param(["13/04/2023 10:00", "13/04/2023 10:10"], "DMY", id="13 is no month"),
        pytest.param(["04/13/2023 10:00", "04/14/2023 10:00"], "MDY", id="13 is no month, American"),
        pytest.param(log(EVENING, 12, 10, DMY), "DMY", id="midnight in a regular log"),
        pytest.param(log(EVENING, 12, 10, MDY), "MDY", id="midnight in a regular log, American"),
        pytest.param(log(EVENING, 12, 10, MDY)[::-1], "MDY", id="newest first"),
        pytest.param(
            log(datetime(2022, 11, 8, 23), 12, 10, "%y-%m-%d %H:%M"), "YMD", id="two-digit year first"
        ),
        pytest.param(
            log(datetime(2022, 11, 8, 23), 12, 10, "%d.%m.%y %H:%M"), "DMY", id="two-digit year last"
        ),
    ],
)
def test_settled_by_the_file(cells: list[str], order: str) -> None:
    """A number that is no month, or a log that would leap by weeks, settles the order and is named."""
    found = dates.orders(column(*cells))
    assert set(found.of.values()) == {order}
    assert found.notes


@pytest.mark.parametrize(
    "cells",
    [
        pytest.param(log(datetime(2023, 4, 3, 10), 20, 10, DMY), id="one day alone"),
        pytest.param(["03/04/2023 10:00", "04/04/2023 10:00"], id="two lines: no interval to go by"),
        pytest.param(
            [*log(datetime(2023, 4, 3, 10), 9, 10, DMY), *log(datetime(2023, 4, 9, 10), 9, 10, DMY)],
            id="a pause of six days, or of six months",
        ),
        pytest.param(["13/04/2023 10:00", "04/13/2023 10:10"], id="each line refutes the other"),
        pytest.param(
            [*log(datetime(2023, 4, 3, 10), 9, 10, DMY), "03/14/2023 11:30"],
            id="one damaged number is no evidence against its neighbours",
        ),
        pytest.param(
            [*log(EVENING, 12, 10, DMY), "04/14/2023 01:00"], id="one stray line against a midnight"
        ),
        pytest.param(["45/45/2023 10:00"], id="no date in any order"),
    ],
)
def test_refused(cells: list[str]) -> None:
    """Where the file leaves it open or contradicts itself, nothing is guessed; the line is named."""
    with pytest.raises(Refused) as refused:
        dates.orders(column(*cells))
    assert refused.value.line is not None


def test_mend_is_named() -> None:
    """An ambiguous file's refusal says which option settles it."""
    with pytest.raises(Refused, match="--dates day-first"):
        dates.orders(column("03/04/2023 10:00"))


@pytest.mark.parametrize(
    ("heading", "order"),
    [
        pytest.param("Date (dd/mm/yyyy)", "DMY", id="English"),
        pytest.param("mm/dd/yyyy hh:mm", "MDY", id="American"),
        pytest.param("Datum TT.MM.JJJJ", "DMY", id="German"),
        pytest.param("jj/mm/aaaa", "DMY", id="French"),
    ],
)
def test_heading_announces(heading: str, order: str) -> None:
    """A heading that spells the order out settles it."""
    assert dates.orders(column("03/04/2023 10:00"), heading).of == {"last": order}


def test_told() -> None:
    """What the reader was told settles it; a year that stands last cannot be told to be first."""
    assert dates.orders(column("03/04/2023 10:00"), told="MDY").of == {"last": "MDY"}
    with pytest.raises(Refused, match="year stands last"):
        dates.orders(column("03/04/2023 10:00"), told="YMD")


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)).map(
        lambda at: at.replace(second=0, microsecond=0)
    ),
    st.integers(1, 300),
    st.sampled_from([1, 5, 10, 30, 60, 240, 1440]),
    st.sampled_from(["%d/%m/%Y %H:%M", "%m-%d-%Y %H:%M", "%d.%m.%y %H:%M", "%y/%m/%d %H:%M"]),
)
def test_read_right_or_refused(start: datetime, count: int, minutes: int, form: str) -> None:
    """A regular log in any order of the date is read as it was written, or refused; never otherwise."""
    times = [start + timedelta(minutes=minutes * step) for step in range(count)]
    cells = column(*(at.strftime(form) for at in times))
    try:
        found = dates.orders(cells)
    except Refused:
        return
    assert [found.wall_clock(cell) for _, cell in cells] == times
