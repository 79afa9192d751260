"""A series written in any usual style is read back as it was, or refused; never as another one."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from hypothesis import example, given
from hypothesis import strategies as st

from coldchain.importers import ReadAs, Refused, read
from coldchain.importers.stamps import epoch_ms
from coldchain.units import TEMPERATURE

STAMPS = {
    "iso": "%Y-%m-%dT%H:%M:%S",
    "space": "%Y-%m-%d %H:%M:%S",
    "minutes": "%Y-%m-%d %H:%M",
    "dmy": "%d.%m.%Y %H:%M:%S",
    "mdy": "%m/%d/%Y %I:%M:%S %p",
    "short": "%d/%m/%y %H:%M",
    "name": "%d-%b-%Y %H:%M:%S",
    "packed": "%Y%m%dT%H%M%S",
}
ZONES: dict[str, tzinfo | None] = {
    "offset": None,
    "utc": UTC,
    "fixed": timezone(timedelta(hours=5, minutes=30)),
    "Europe/Zurich": ZoneInfo("Europe/Zurich"),
    "America/St_Johns": ZoneInfo("America/St_Johns"),
}


def written(times: list[datetime], values: list[int], style: dict[str, str]) -> str:
    """The file in one style: `epoch` or a form of time, zone, separator, decimal sign, order of lines."""
    out = io.StringIO()
    writer = csv.writer(out, delimiter=style["delimiter"], lineterminator=style["end"])
    if style["heading"] == "yes":
        writer.writerow(["No", "time", "temp °C"])
    lines = []
    for number, (at, value) in enumerate(zip(times, values, strict=True), start=1):
        text = f"{'-' if value < 0 else ''}{abs(value) // 10}.{abs(value) % 10}".replace(
            ".", style["decimal"]
        )
        zone = ZONES[style["zone"]]
        if style["stamp"] in {"1", "1000"}:
            stamp = str(epoch_ms(at) // (1000 // int(style["stamp"])))
        elif zone is None:
            stamp = at.strftime(STAMPS[style["stamp"]]) + "+00:00"
        else:
            stamp = at.astimezone(zone).strftime(STAMPS[style["stamp"]])
        lines.append([str(number), stamp, text])
    writer.writerows(reversed(lines) if style["order"] == "newest first" else lines)
    return out.getvalue()


@st.composite
def styles(draw: st.DrawFn) -> dict[str, str]:
    """One of the styles that loggers' software writes."""
    return {
        "stamp": draw(st.sampled_from([*STAMPS, "1", "1000"])),
        "zone": draw(st.sampled_from(list(ZONES))),
        "delimiter": draw(st.sampled_from([",", ";", "\t", "|"])),
        "decimal": draw(st.sampled_from([".", ","])),
        "end": draw(st.sampled_from(["\n", "\r\n"])),
        "heading": draw(st.sampled_from(["yes", "no"])),
        "order": draw(st.sampled_from(["as it was", "newest first"])),
    }


@given(
    st.datetimes(datetime(2001, 1, 1), datetime(2099, 1, 1)),
    st.lists(
        st.tuples(st.sampled_from([5, 5, 5, 5, 10, 60, 600]), st.integers(-1960, 999)),
        min_size=2,
        max_size=60,
    ),
    styles(),
)
@example(
    datetime(2022, 11, 8, 4, 49),
    [(5, 44), (5, 40)],
    {
        "stamp": "iso",
        "zone": "offset",
        "delimiter": ",",
        "decimal": ",",
        "end": "\n",
        "heading": "yes",
        "order": "as it was",
    },
)
def test_read_back_or_refused(start: datetime, steps: list[tuple[int, int]], style: dict[str, str]) -> None:
    """What is read has every value at its own time; what cannot be read for certain is refused."""
    at, times = start.replace(second=0, microsecond=0, tzinfo=UTC), []
    for minutes, _ in steps:
        at += timedelta(minutes=minutes)
        times.append(at)
    values = [value for _, value in steps]
    told = ReadAs(
        zone=ZONES[style["zone"]],
        unit=None if style["heading"] == "yes" else "degC",
        columns=() if style["heading"] == "yes" else ("3",),
    )
    try:
        file = read("log.csv", written(times, values, style).encode(), told)
    except Refused:
        # Of ISO times with an offset and a decimal point there is nothing to doubt.
        assert (style["stamp"], style["zone"], style["decimal"]) != ("iso", "offset", ".")
        return
    assert file.unread == ()
    found = [
        (value.at_ms, TEMPERATURE.quanta(value.raw, file.series[0].unit)) for value in file.series[0].values
    ]
    assert found == [(epoch_ms(at), value * 100) for at, value in zip(times, values, strict=True)]


@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    """Any bytes are read or refused; nothing else happens."""
    with contextlib.suppress(Refused):
        assert read("x", data, ReadAs(zone=UTC, unit="degC")).name == "x"


@given(st.data())
def test_any_damage(data: st.DataObject) -> None:
    """A good file with any one stretch overwritten is read with its other lines unchanged, or refused."""
    times = [datetime(2022, 11, 8, 4, tzinfo=UTC) + timedelta(minutes=10 * step) for step in range(12)]
    good = "time,temp °C\n" + "".join(f"{at:%Y-%m-%dT%H:%M}Z,{4.4}\n" for at in times)
    begin = data.draw(st.integers(13, len(good) - 1))
    end = data.draw(st.integers(begin, min(len(good), begin + 30)))
    damage = data.draw(st.text(st.characters(codec="ascii"), max_size=30))
    damaged = good[:begin] + damage + good[end:]
    intact = {line for line in good.splitlines()[1:] if line in re.split(r"\r\n|\r|\n", damaged)}
    try:
        file = read("x", damaged.encode(), ReadAs())
    except Refused:
        return
    read_back = {(value.at_ms, value.raw) for value in file.series[0].values}
    for at in times:
        if f"{at:%Y-%m-%dT%H:%M}Z,4.4" in intact:
            assert (epoch_ms(at), "4.4") in read_back
