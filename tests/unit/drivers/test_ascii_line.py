"""ascii_line: a line is read as described, or it gives no value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers.ascii_line import DRIVER

LINE: dict[str, Any] = {"baud": 19200, "frame": "8N1"}
PAIRS = LINE | {
    "layout": "pairs",
    "values": [{"key": "vapour", "at": "T1", "unit": "degC"}, {"key": "mass", "at": "W"}],
    "ignore": ["bat"],
}
COLUMNS = LINE | {
    "layout": "columns",
    "separator": ",",
    "column_count": 4,
    "values": [{"key": "vapour", "at": 3, "unit": "degC"}],
    "time": {"at": 1, "format": "iso8601"},
    "sequence": 2,
}


def decode(base: dict[str, Any], frame: bytes, **more: Any) -> Decoded:
    return DRIVER.decode(DRIVER.settings.model_validate(base | more), None, frame)


def xor8(text: bytes) -> bytes:
    check = 0
    for byte in text:
        check ^= byte
    return b"%s*%02X" % (text, check)


VAPOUR = Measured("vapour", "-182.40", "degC")
MASS = Measured("mass", "7.85", "kg")


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        pytest.param(b"T1=-182.40;W=7.85kg", [VAPOUR, MASS], id="unit sent, and unit configured"),
        pytest.param(b"T1=-182.40;W=7.85[kg];", [VAPOUR, MASS], id="boxed unit, separator at the end"),
        pytest.param(b" T1 = -182.40 ; W = 7.85 kg ; bat=3.6 ", [VAPOUR, MASS], id="blanks, an ignored name"),
        pytest.param(b"W=7.85kg;T1=-182.40", [VAPOUR, MASS], id="any order"),
        pytest.param(
            b"T1=-296.32degF;W=7.85kg", [Measured("vapour", "-296.32", "degF"), MASS], id="a sent unit counts"
        ),
        pytest.param(b"T1=-182.40;W=7.85", [VAPOUR, Reason.NO_UNIT], id="a unit is never guessed"),
        pytest.param(b"T1=-182.40", [VAPOUR, Reason.NO_VALUE], id="a value is missing"),
        pytest.param(b"T1=;W=7.85kg", [Reason.NO_VALUE, MASS], id="a name without value"),
        pytest.param(b"T1=-182.;W=7.85kg", [Reason.NOT_A_NUMBER, MASS], id="half a number"),
        pytest.param(b"T1=-182,4;W=7.85kg", [Reason.NOT_A_NUMBER, MASS], id="decimal comma"),
        pytest.param(b"T1=nan;W=7.85kg", [Reason.NOT_A_NUMBER, MASS], id="nan"),
        pytest.param(b"T1=1_0;W=7.85kg", [Reason.NOT_A_NUMBER, MASS], id="underscore"),
        pytest.param(b"T1=0x10;W=7.85kg", [Reason.UNKNOWN_UNIT, MASS], id="hex: no unit of ours"),
        pytest.param(
            b"T1=-182.40;T1=-20.0;W=7.85kg", [Reason.CORRUPT_FRAME, MASS], id="a name twice: neither wins"
        ),
        pytest.param(b"T1=-182.40;X9=1;W=7.85kg", Reason.UNEXPECTED_REPLY, id="a name that nobody described"),
        pytest.param(b"-182.40", Reason.UNEXPECTED_REPLY, id="no name"),
        pytest.param(b"", Reason.UNEXPECTED_REPLY, id="empty line"),
        pytest.param(b";", Reason.UNEXPECTED_REPLY, id="separator alone"),
        pytest.param(
            b"T1=-182.40;W=7.85kg*00",
            [VAPOUR, Reason.NOT_A_NUMBER],
            id="a checksum nobody checks spoils its value",
        ),
        pytest.param(b"T1=-182.40\x00;W=7.85kg", Reason.CORRUPT_FRAME, id="NUL"),
        pytest.param(b"T1=-182.40\xb0C;W=7.85kg", Reason.CORRUPT_FRAME, id="degree sign, not announced"),
        pytest.param(b"T1=-182.40;W=7.85kg\r", Reason.CORRUPT_FRAME, id="another line end than said"),
        pytest.param(b"T1=-182.40;W=" + b"0" * 500, Reason.OVERSIZED_FRAME, id="longer than 512 bytes"),
    ],
)
def test_pairs(frame: bytes, says: list[Measured | Reason] | Reason) -> None:
    """Each value of a line is told by itself; a line that is not as described gives none."""
    if isinstance(says, Reason):
        assert decode(PAIRS, frame) == (Bad(says, frame),)
    else:
        want = [
            Bad(one, frame, key) if isinstance(one, Reason) else one
            for key, one in zip(("vapour", "mass"), says, strict=True)
        ]
        assert decode(PAIRS, frame) == tuple(want)


def at(key: str, value: str, at_ms: int, sequence: int) -> Measured:
    return Measured(key, value, "degC", at_ms, sequence)


NOON = 1_767_268_800_000  # 2026-01-01T12:00:00Z


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        pytest.param(
            b"2026-01-01T12:00:00Z,7,-182.40,ok", at("vapour", "-182.40", NOON, 7), id="time and counter"
        ),
        pytest.param(
            b"2026-01-01T20:00:00.250+08:00, 7, -182.40, ok",
            at("vapour", "-182.40", NOON + 250, 7),
            id="offset",
        ),
        pytest.param(
            b"2026-01-01T12:00:00,7,-182.40,ok", Bad(Reason.BAD_TIME, b"", "vapour", None, 7), id="local time"
        ),
        pytest.param(
            b"01/02/2026 12:00,7,-182.40,ok",
            Bad(Reason.BAD_TIME, b"", "vapour", None, 7),
            id="date order unknown",
        ),
        pytest.param(
            b"2026-01-01T12:00:00Z,x,-182.40,ok",
            Bad(Reason.CORRUPT_FRAME, b"", "vapour", NOON),
            id="no counter",
        ),
        pytest.param(
            b"2026-01-01T12:00:00Z,7,,ok", Bad(Reason.NO_VALUE, b"", "vapour", NOON, 7), id="empty column"
        ),
        pytest.param(
            b"2026-01-01T12:00:00Z,7,-182.40", Bad(Reason.CORRUPT_FRAME, b""), id="a column is missing"
        ),
        pytest.param(
            b"2026-01-01T12:00:00Z,7,-182.40,ok,", Bad(Reason.CORRUPT_FRAME, b""), id="a column too many"
        ),
        pytest.param(b"82.40,ok", Bad(Reason.CORRUPT_FRAME, b""), id="the end of a line alone"),
    ],
)
def test_columns(frame: bytes, says: Measured | Bad) -> None:
    """Columns count exactly, so a torn line cannot put a value into another's place."""
    want = Bad(says.reason, frame, says.key, says.at_ms, says.sequence) if isinstance(says, Bad) else says
    assert decode(COLUMNS, frame) == (want,)


GOOD = b"T1=-182.40;W=7.85kg"


@pytest.mark.parametrize(
    ("frame", "more", "good"),
    [
        pytest.param(xor8(GOOD), {"checksum": "xor8"}, True, id="exclusive or"),
        pytest.param(
            xor8(GOOD).lower().replace(b"t1", b"T1").replace(b"w=", b"W="),
            {"checksum": "xor8"},
            True,
            id="small hex digits",
        ),
        pytest.param(b"%s*%02X" % (GOOD, sum(GOOD) & 0xFF), {"checksum": "sum8"}, True, id="sum"),
        pytest.param(
            b"$" + xor8(GOOD), {"checksum": "xor8", "checksum_skips": 1, "prefix": "$"}, True, id="as NMEA"
        ),
        pytest.param(b"$" + xor8(GOOD), {"checksum": "xor8", "prefix": "$"}, False, id="the $ counted in"),
        pytest.param(xor8(GOOD), {"checksum": "sum8"}, False, id="the other kind"),
        pytest.param(GOOD, {"checksum": "xor8"}, False, id="no checksum"),
        pytest.param(GOOD + b"*", {"checksum": "xor8"}, False, id="torn before its digits"),
        pytest.param(xor8(GOOD)[:-1], {"checksum": "xor8"}, False, id="torn in its digits"),
        pytest.param(xor8(GOOD).replace(b"182", b"192"), {"checksum": "xor8"}, False, id="one digit changed"),
    ],
)
def test_checksum(frame: bytes, more: dict[str, Any], good: bool) -> None:
    """A line that fails its checksum gives no value at all."""
    said = decode(PAIRS, frame, **more)
    assert said == ((VAPOUR, MASS) if good else (Bad(Reason.BAD_CHECKSUM, frame),))


def test_other_ways_to_describe() -> None:
    """Blanks as separators, a degree sign, a prefix, values that come in turns, codes in words."""
    turns = PAIRS | {"every_value": False}
    assert decode(turns, b"T1=-182.40") == (VAPOUR,)
    assert decode(turns, b"bat=3.6") == ()
    latin = PAIRS | {"encoding": "latin-1"}
    assert decode(latin, b"T1=-182.40\xb0C;W=7.85kg") == (Measured("vapour", "-182.40", "°C"), MASS)
    assert decode(PAIRS | {"encoding": "utf-8"}, "T1=-182.40°C;W=7.85kg".encode())[0] == Measured(
        "vapour", "-182.40", "°C"
    )
    blanks = LINE | {
        "layout": "columns",
        "separator": " ",
        "column_count": 2,
        "values": [{"key": "a", "at": 2, "unit": "K"}],
    }
    assert decode(blanks, b"  LOG1    77.3 ") == (Measured("a", "77.3", "K"),)
    assert decode(blanks | {"separator": "\t"}, b"LOG1\t77.3") == (Measured("a", "77.3", "K"),)
    assert decode(PAIRS | {"prefix": "#1 "}, b"#2 T1=-1;W=2kg") == (
        Bad(Reason.UNEXPECTED_REPLY, b"#2 T1=-1;W=2kg"),
    )
    told = PAIRS | {"lies": ["ds18b20", {"value": "HI", "reason": "over_range"}]}
    assert [one.reason for one in decode(told, b"T1=HI;W=-127kg") if isinstance(one, Bad)] == [
        Reason.OVER_RANGE
    ]
    assert [one.reason for one in decode(told, b"T1=-127.0;W=1kg") if isinstance(one, Bad)] == [
        Reason.NOT_CONNECTED
    ]


def test_local_time_has_a_stated_zone() -> None:
    """A local stamp counts in the zone that the site states, and an hour that comes twice is no time."""
    local = {"time": {"at": 1, "format": "iso8601_local", "zone": "Europe/Berlin"}}
    (said,) = decode(COLUMNS, b"2026-01-01T13:00:00,7,-182.40,ok", **local)
    assert said == at("vapour", "-182.40", NOON, 7)
    (twice,) = decode(COLUMNS, b"2026-10-25T02:30:00,7,-182.40,ok", **local)
    assert isinstance(twice, Bad)
    assert twice.reason is Reason.BAD_TIME


def test_poll_line_and_what_it_promises() -> None:
    """A device is asked with the site's text or listened to, and its source is told as it is."""
    listens = DRIVER.settings.model_validate(PAIRS)
    asked = DRIVER.settings.model_validate(COLUMNS | {"request": "READ\r\n", "terminator": "\n"})
    assert DRIVER.poll(listens) == ()
    assert [query.send for query in DRIVER.poll(asked)] == [b"READ\r\n"]
    assert (DRIVER.line(asked).terminator, DRIVER.line(asked).reply_bytes_max) == (b"\n", 512)
    assert (DRIVER.sends_time(listens), DRIVER.numbers_readings(listens)) == (False, False)
    assert (DRIVER.sends_time(asked), DRIVER.numbers_readings(asked)) == (True, True)
    assert DRIVER.keys(listens) == {"vapour": "degC", "mass": ""}


@pytest.mark.parametrize(
    ("base", "more"),
    [
        pytest.param(PAIRS, {"baud": None}, id="no baud"),
        pytest.param(PAIRS, {"frame": "8X1"}, id="no such frame"),
        pytest.param(PAIRS, {"values": [{"key": "a", "at": 1}]}, id="a number where a name belongs"),
        pytest.param(COLUMNS, {"sequence": "n"}, id="a name where a number belongs"),
        pytest.param(COLUMNS, {"column_count": None}, id="columns not counted"),
        pytest.param(PAIRS, {"column_count": 3}, id="columns counted in pairs"),
        pytest.param(COLUMNS, {"sequence": 9}, id="a column that is not there"),
        pytest.param(COLUMNS, {"sequence": 3}, id="a column used twice"),
        pytest.param(COLUMNS, {"time": {"at": 1, "format": "iso8601_local"}}, id="local time without zone"),
        pytest.param(
            COLUMNS, {"time": {"at": 1, "format": "iso8601", "zone": "+08:00"}}, id="zone beside an offset"
        ),
        pytest.param(
            COLUMNS, {"time": {"at": 1, "format": "iso8601_local", "zone": "Mars/Olympus"}}, id="no such zone"
        ),
        pytest.param(PAIRS, {"request": "READ\nSET 1\n"}, id="two requests in one"),
        pytest.param(PAIRS, {"lies": ["ds18b21"]}, id="no such family of lies"),
        pytest.param(PAIRS, {"unit": "degC"}, id="unknown key"),
    ],
)
def test_settings_refuse(base: dict[str, Any], more: dict[str, Any]) -> None:
    """A description that does not fit together is refused when it is read."""
    with pytest.raises(ValidationError):
        DRIVER.settings.model_validate(
            {key: value for key, value in (base | more).items() if value is not None}
        )


line_like = st.text(alphabet="T1W=;-+.0123456789kgdeC,* \x00°é", max_size=60).map(lambda text: text.encode())
ALL = [
    PAIRS,
    COLUMNS,
    PAIRS | {"checksum": "xor8", "lies": ["max31865", "ds18b20"]},
    PAIRS | {"encoding": "utf-8", "every_value": False},
]


@pytest.mark.parametrize("base", ALL, ids=["pairs", "columns", "checked", "utf-8"])
@given(frame=st.binary(max_size=600) | line_like)
def test_any_bytes(base: dict[str, Any], frame: bytes) -> None:
    """No bytes raise; a value's text stands in the line, and what is bad keeps its bytes."""
    for said in decode(base, frame):
        if isinstance(said, Measured):
            assert said.value.encode() in frame
        else:
            assert said.frame == frame


@given(st.integers(0, len(xor8(GOOD)) - 1))
def test_a_torn_line_is_no_value(cut: int) -> None:
    """With a checksum no part of a line is ever a value, wherever it was torn."""
    frame = xor8(GOOD)
    for part in (frame[:cut], frame[cut + 1 :]):
        assert not [one for one in decode(PAIRS, part, checksum="xor8") if isinstance(one, Measured)]
