"""Elitech RC-4 and its kin over serial: bytes as published, readouts, and what nobody could say."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.importers import LoggerFile, ReadAs, Refused, read
from coldchain.importers import elitech_wire as wire
from coldchain.importers.elitech_readout import NoReadout, read_out
from coldchain.model import Reason
from coldchain_simulators.elitech import ElitechLogger

#: civic/elitech-datareader, rc-4-data.md: the reply to the question for its information.
PUBLISHED = bytes.fromhex(
    "550201280A00001E0258FED407DF050E162F040207DF050E07380E136400090 7DF050E162F36".replace(" ", "")
    + b"RC-4 Data Logger".ljust(100, b"\0").hex()
    + b"9900112233".hex()
    + "00310031F1025D0131000FB3"
)
START = datetime(2026, 11, 8, 6, 0)
AT = "2026-11-10T05:00:02+00:00"
TIMES = ReadAs(zone=timezone(timedelta(hours=1)))


def logger(tenths: list[int], **more: Any) -> ElitechLogger:
    """A logger that was read out at AT in a zone of UTC+1, two seconds slow."""
    return ElitechLogger(tenths, START, datetime(2026, 11, 10, 6, 0), **more)


def asked(device: ElitechLogger) -> Callable[[bytes, int], bytes]:
    """The logger without a line."""
    return lambda request, _size: device.reply(request) or b""


def log(device: ElitechLogger, told: ReadAs = TIMES, **more: Any) -> LoggerFile:
    """What is read of its readout."""
    text = read_out(asked(device), AT, lambda number, pages: None, **more).text
    return read("trip.txt", text.encode("ascii"), told)


def test_published_bytes() -> None:
    """The published requests are formed, and the published replies mean what their authors say."""
    assert wire.header(0x82).hex() == "33820100b6"
    assert wire.page(0x82, 0x83).hex() == "338202833a"
    assert (wire.INIT.hex(), wire.INFO.hex()) == ("cc000a00d6", "cc000600d2")
    said = wire.info(PUBLISHED)
    assert (said.station, said.model, said.interval_s) == (2, 40, 30)
    assert (said.high, said.low, said.calibration) == ("60.0", "-30.0", "-1.5")
    assert (said.state, said.count, said.number, said.unit) == (2, 9, "9900112233", wire.CELSIUS)
    assert (str(said.start), str(said.now)) == ("2015-05-14 07:56:14", "2015-05-14 22:47:54")
    held = wire.data_header(bytes.fromhex("550B7607DF050E1704351F"))
    assert (held.count, str(held.start)) == (2934, "2015-05-14 23:04:53")
    assert wire.values(bytes.fromhex("55010BFED4010D00")) == ["26.7", "-30.0", "26.9"]


def test_nothing_can_be_asked_that_sets_anything() -> None:
    """Every request begins like one of the four that read: commands 0A, 06, 01 and 02."""
    made = (
        [wire.INIT, wire.INFO] + [wire.header(s) for s in range(256)] + [wire.page(s, 9) for s in range(256)]
    )
    assert {(each[0], each[2], len(each)) for each in made} == {
        (0xCC, 0x0A, 5), (0xCC, 0x06, 5), (0x33, 0x01, 5), (0x33, 0x02, 5),
    }  # fmt: skip


@given(
    tenths=st.lists(st.integers(-1999, 1999), min_size=1, max_size=420),
    model=st.sampled_from([40, 50]),
    interval_s=st.integers(1, 86_399),
)
def test_every_measurement_has_its_time(tenths: list[int], model: int, interval_s: int) -> None:
    """Each comes with the logger's digits, at start + number × interval, whatever the pages."""
    found = log(logger(tenths, model=model, page_values=100 if model == 40 else 500, interval_s=interval_s))
    (series,) = found.series
    start_ms = round(datetime(2026, 11, 8, 5, tzinfo=UTC).timestamp() * 1000)
    assert [(one.at_ms, one.raw) for one in series.values] == [
        (start_ms + number * interval_s * 1000, f"{value / 10:.1f}".replace("-0.0", "0.0"))
        for number, value in enumerate(tenths)
    ]
    assert (series.unit, found.serial, found.unread, found.doubts) == ("degC", "9900112233", (), ())
    assert any("2 s behind" in note for note in found.notes)


def test_humidity_is_not_taken_for_temperature() -> None:
    """RC-4HC: of each pair the first is the temperature; that the other is left out is said."""
    found = log(logger([41, 553, 42, 554, 43, 555], model=42, page_values=200, values=2))
    assert [one.raw for one in found.series[0].values] == ["4.1", "4.2", "4.3"]
    assert any("humidity" in note for note in found.notes)


def test_the_clock_runs_on_through_a_change_of_summer_time() -> None:
    """Only the start is a local time: an interval stays one in the night in which an hour comes twice."""
    device = logger([50] * 5, interval_s=3600)
    device.start = datetime(2026, 10, 25, 0, 30)
    values = log(device, replace(TIMES, zone=ZoneInfo("Europe/Zurich"))).series[0].values
    assert {after.at_ms - before.at_ms for before, after in pairwise(values)} == {3_600_000}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"unit": 0x13}, "set to °F, and in which unit", id="Fahrenheit"),
        pytest.param({"unit": 0x77}, "unit 0x77", id="no unit known"),
        pytest.param({"interval_s": 0}, "no interval", id="never set up"),
    ],
)
def test_what_is_asked(change: dict[str, Any], says: str) -> None:
    """What the logger does not say is asked or refused, never guessed."""
    device = replace(logger([41]), **change)
    with pytest.raises(Refused, match=says):
        log(device)
    if "unit" in change:
        (series,) = log(device, replace(TIMES, unit="degF")).series
        assert (series.unit, series.values[0].raw) == ("degF", "4.1")


def test_two_starts() -> None:
    """Two places tell the start; where they differ the file is refused, with both."""
    text = read_out(asked(logger([41])), AT, lambda number, pages: None).text
    other = read_out(
        asked(replace(logger([41]), start=datetime(2026, 11, 9))), AT, lambda number, pages: None
    )
    lines, others = text.splitlines(), other.text.splitlines()
    at = lines.index(f"> {wire.header(1).hex().upper()}")
    mixed = "\n".join([*lines[: at + 1], others[at + 1], *lines[at + 2 :]])
    with pytest.raises(
        Refused, match="started at 2026-11-08 06:00:00, and the data's header 2026-11-09 00:00:00"
    ):
        read("trip.txt", mixed.encode(), TIMES)


def test_the_zone_is_asked_with_the_loggers_number() -> None:
    """A local time has no zone; by its number the logger is known from trip to trip."""
    with pytest.raises(Refused) as refused:
        log(logger([41]), ReadAs())
    assert (refused.value.asks_zone, refused.value.device) == (True, "9900112233")
    far = log(logger([41]), replace(TIMES, zone=UTC))
    assert any("3598 s ahead" in doubt and "zone" in doubt for doubt in far.doubts)
    assert any("delayed" in doubt for doubt in log(logger([41], delay=0x11)).doubts)


@pytest.mark.parametrize("how", ["damaged", "short"])
def test_a_bad_reply_is_asked_for_again(how: str) -> None:
    """Of replies that are changed or cut on the way each is asked for anew; nothing of them counts."""
    tenths = list(range(40, 290))
    clean = log(logger(list(tenths)))
    bad = log(logger(list(tenths), **{how: {1, 3, 5, 8}}))
    assert bad.series == clean.series or [v.raw for v in bad.series[0].values] == [
        v.raw for v in clean.series[0].values
    ]
    assert (bad.unread, bad.doubts) == ((), ())


def test_a_logger_that_sums_otherwise() -> None:
    """Published replies do not end with their sum: who says the same twice is believed, with a doubt."""
    found = log(logger([41, 42, 43], sums=False))
    assert [one.raw for one in found.series[0].values] == ["4.1", "4.2", "4.3"]
    assert any("came twice alike" in doubt for doubt in found.doubts)


def test_a_page_that_never_comes_whole() -> None:
    """A page that differs each time is no reading: its measurements are BAD, and the page is named."""
    device = logger(list(range(250)))
    noise = iter(range(1, 200))

    def talk(request: bytes, _size: int) -> bytes:
        reply = device.reply(request) or b""
        if request == wire.page(1, 1):
            return reply[:9] + bytes([next(noise)]) + reply[10:]
        return reply

    text = read_out(talk, AT, lambda number, pages: None).text
    found = read("trip.txt", text.encode(), TIMES)
    values = found.series[0].values
    assert [one.bad for one in values] == [None] * 100 + [Reason.CORRUPT_FRAME] * 100 + [None] * 50
    assert "measurements 101 to 200 did not come whole" in str(found.unread[0])
    assert values[200].raw == "20.0"


def test_silence_and_unknown_models() -> None:
    """What cannot be read out says where it stopped, and what to say of a model nobody knows."""
    with pytest.raises(NoReadout, match="the first question: nothing came"):
        read_out(lambda request, size: b"", AT, lambda number, pages: None)
    device = logger([41, 42, 43], model=77, page_values=2)
    with pytest.raises(NoReadout, match=r"model 77, and known are 40 \(RC-4\).*--page-values"):
        read_out(asked(device), AT, lambda number, pages: None)
    assert [v.raw for v in log(device, page_values=2, values=1).series[0].values] == ["4.1", "4.2", "4.3"]


@given(
    st.lists(
        st.one_of(st.sampled_from(["> ", "< 55A5FA", "end", "values in a page: 0"]), st.text(max_size=40))
    )
)
def test_any_text_after_the_first_line(lines: list[str]) -> None:
    """A file that only begins like a readout is refused or read, and nothing else."""
    text = "\n".join(["coldchain readout of an Elitech logger, 1", *lines])
    with suppress(Refused):
        read("trip.txt", text.encode("utf-8", "surrogatepass"), TIMES)


@pytest.mark.parametrize("cut", range(12))
def test_a_cut_file(cut: int) -> None:
    """However many lines are missing at the end: refused, or read with what is missing named."""
    text = read_out(asked(logger(list(range(250)))), AT, lambda number, pages: None).text
    kept = text.splitlines()[: len(text.splitlines()) - cut]
    try:
        found = read("trip.txt", "\n".join(kept).encode(), TIMES)
    except Refused:
        assert cut > 7
        return
    values = found.series[0].values
    assert len(values) == 250
    if cut:
        assert found.doubts
    assert bool(found.unread) is any(one.bad for one in values)
