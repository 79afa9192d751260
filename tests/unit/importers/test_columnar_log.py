"""Parquet as a log: the same readings as the same file in separated values, and the same questions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from coldchain.importers import LoggerFile, ReadAs, Refused, read
from coldchain.importers.stamps import epoch_ms

pl = pytest.importorskip("polars")

TIMES = [datetime(2026, 3, 7, 6, 12, tzinfo=UTC) + timedelta(minutes=10 * step) for step in range(3)]


def parse(columns: dict[str, Any], **told: Any) -> LoggerFile:
    """A frame as the file that was made of it."""
    file = BytesIO()
    pl.DataFrame(columns).write_parquet(file)
    return read("log.parquet", file.getvalue(), ReadAs(**told))


@pytest.mark.parametrize(
    "time",
    [
        pytest.param(pl.Series(TIMES, dtype=pl.Datetime("us", "UTC")), id="instants"),
        pytest.param(
            pl.Series(TIMES, dtype=pl.Datetime("ns", "UTC")).dt.convert_time_zone("Asia/Tokyo"), id="a zone"
        ),
        pytest.param([epoch_ms(at) for at in TIMES], id="ms since 1970"),
        pytest.param([at.isoformat() for at in TIMES], id="texts"),
    ],
)
def test_times_that_need_no_zone(time: Any) -> None:
    """Instants in whatever form are the same instants."""
    file = parse({"time": time, "temp_c": [4.4, None, -3.25], "humidity": [50, 51, 52]})
    assert [(v.at_ms, v.raw or str(v.bad)) for v in file.series[0].values] == list(
        zip(map(epoch_ms, TIMES), ["4.4", "no_value", "-3.25"], strict=True)
    )
    assert (file.kind, file.series[0].unit) == ("Parquet", "degC")


def test_local_times_are_asked_for_their_zone() -> None:
    """A time without a zone is of some wall clock."""
    local = [at.replace(tzinfo=None) for at in TIMES]
    with pytest.raises(Refused, match="carry no zone") as refused:
        parse({"time": local, "temp_c": [1.0, 2.0, 3.0]})
    assert refused.value.asks_zone
    file = parse({"time": local, "temp_c": [1.0, 2.0, 3.0]}, zone=ZoneInfo("Europe/Zurich"))
    assert file.series[0].values[0].at_ms == epoch_ms(TIMES[0]) - 3_600_000


def test_a_unit_that_no_name_states_is_asked() -> None:
    """A column `temperature` may be in any."""
    with pytest.raises(Refused, match="states no unit"):
        parse({"time": TIMES, "temperature": [1.0, 2.0, 3.0]})


def test_short_floats_stay_short() -> None:
    """4.4 in four bytes is 4.4 and not 4.400000095367432; decimals are exact."""
    single = parse({"time": TIMES, "temp_c": pl.Series([4.4, 0.1, -0.3], dtype=pl.Float32)})
    assert [v.raw for v in single.series[0].values] == ["4.4", "0.1", "-0.3"]
    exact = parse({"time": TIMES, "temp_c": [Decimal("4.40"), Decimal("0.10"), Decimal("-0.30")]})
    assert [Decimal(v.raw) for v in exact.series[0].values] == [
        Decimal("4.4"),
        Decimal("0.1"),
        Decimal("-0.3"),
    ]


def test_the_form_of_bulk_work_is_in_thousandths() -> None:
    """`at_ms`, `value` and `quality` as `requalify` reads them: 4400 is 4.4 °C, and BAD is no reading."""
    file = parse(
        {"at_ms": [epoch_ms(at) for at in TIMES], "value": [4400, -150_000, 850_000], "quality": [0, 1, 2]}
    )
    assert [v.raw or str(v.bad) for v in file.series[0].values] == ["4.400", "-150.000", "no_value"]
    assert file.series[0].unit == "degC"
    assert file.doubts == ("readings marked as uncertain: 1",)


def test_not_a_number_is_bad() -> None:
    """NaN and infinity are no temperatures."""
    file = parse({"time": TIMES, "temp_c": [4.4, float("nan"), float("inf")]})
    assert [v.raw or str(v.bad) for v in file.series[0].values] == ["4.4", "not_a_number", "over_range"]


def test_a_damaged_file_is_refused() -> None:
    """With the file's name and no traceback."""
    with pytest.raises(Refused, match=r"^log\.parquet: .*no Parquet file that can be read"):
        read("log.parquet", b"PAR1" + bytes(40), ReadAs())


def test_a_file_without_rows_is_refused() -> None:
    """Nothing was recorded."""
    with pytest.raises(Refused, match="holds no row"):
        parse({"time": [], "temp_c": []})
