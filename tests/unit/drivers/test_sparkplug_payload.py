"""Sparkplug's bytes: the golden ones are read and written; any others raise nothing but NotPayload."""

from __future__ import annotations

import contextlib
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain_drivers.sparkplug_payload import Metric, NotPayload, Payload, Type, read, write
from coldchain_drivers.sparkplug_values import number_of

T = 1_700_000_000_000
BD = Metric("bdSeq", None, T, 4, raw=0)
CONTROL = "Node Control/Rebirth"
#: Made with Google's protobuf from the specification's own description.
GOLDEN = {
    "NDEATH": ("0880d095ffbc3112120a0562645365711880d095ffbc3120045800", Payload(T, (BD,))),
    "NBIRTH": (
        (
            "0880d095ffbc3112120a0562645365711880d095ffbc312004580012210a144e6f646520436f6e74726f6c2f52656269727468"
            "1880d095ffbc31200b70001800"
        ),
        Payload(T, (BD, Metric(CONTROL, None, T, 11, raw=0)), 0),
    ),
    "DBIRTH": (
        (
            "0880d095ffbc3112270a1154656d70657261747572652f5661706f7210071880d095ffbc31200a69cdcccccccccc66c012180a05"
            "4c6576656c10081880d095ffbc31200250ffffffff0f1801"
        ),
        Payload(
            T,
            (Metric("Temperature/Vapor", 7, T, 10, raw=-182.4), Metric("Level", 8, T, 2, raw=0xFFFFFFFF)),
            1,
        ),
    ),
    "DDATA": (
        "08e8d795ffbc311212100718e8d795ffbc3169cdccccccccbc66c01802",
        Payload(T + 1000, (Metric(alias=7, at_ms=T + 1000, raw=-181.9),), 2),
    ),
    "DDATA null": (
        "08d0df95ffbc31120b100718d0df95ffbc3138011803",
        Payload(T + 2000, (Metric(alias=7, at_ms=T + 2000, null=True),), 3),
    ),
    "NCMD": (
        "0880d095ffbc3112210a144e6f646520436f6e74726f6c2f526562697274681880d095ffbc31200b7001",
        Payload(T, (Metric(CONTROL, None, T, 11, raw=1),)),
    ),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes_are_read(name: str) -> None:
    """Every field comes out as it was put in."""
    data, payload = GOLDEN[name]
    assert read(bytes.fromhex(data)) == payload


@pytest.mark.parametrize("name", GOLDEN)
def test_golden_bytes_are_written(name: str) -> None:
    """What we write is byte for byte what protobuf writes."""
    data, payload = GOLDEN[name]
    assert write(payload).hex() == data


@pytest.mark.parametrize(
    ("datatype", "raw", "says"),
    [
        pytest.param(Type.INT8, 0xFFFFFFFF, "-1", id="Int8, widened to 32 bits as the reference does"),
        pytest.param(Type.INT8, 0xFF, "-1", id="Int8, its own bits as pysparkplug does"),
        pytest.param(Type.INT16, 0xFFFFFFFF, "-1", id="Int16"),
        pytest.param(Type.INT32, 0x80000000, "-2147483648", id="Int32"),
        pytest.param(Type.INT64, 0xFFFFFFFFFFFFFFFF, "-1", id="Int64"),
        pytest.param(Type.UINT32, 4294967295, "4294967295", id="UInt32, in long_value"),
        pytest.param(Type.UINT8, 200, "200", id="UInt8"),
        pytest.param(Type.BOOLEAN, 1, "1", id="Boolean"),
        pytest.param(Type.DOUBLE, -182.4, "-182.4", id="Double"),
        pytest.param(Type.FLOAT, struct.unpack("<f", struct.pack("<f", -182.4))[0], "-182.4", id="Float"),
        pytest.param(Type.DOUBLE, float("nan"), None, id="NaN"),
        pytest.param(Type.FLOAT, float("-inf"), None, id="Infinity"),
        pytest.param(Type.DOUBLE, 1e300, None, id="no reading of anything"),
        pytest.param(Type.INT16, -182.4, None, id="a float where a whole number belongs"),
        pytest.param(Type.DOUBLE, 7, None, id="a whole number where a float belongs"),
        pytest.param(13, 7, None, id="DateTime"),
        pytest.param(None, 7, None, id="no datatype"),
        pytest.param(Type.DOUBLE, None, None, id="nothing"),
    ],
)
def test_numbers(datatype: int | None, raw: float | None, says: str | None) -> None:
    """A number by its datatype, whichever way its sender widened it."""
    assert number_of(datatype, raw) == says


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_keeps_its_bits(value: float) -> None:
    """The text of a 32-bit number is that very number, where it is a reading at all."""
    text = number_of(Type.FLOAT, value)
    assert text is None or struct.pack("<f", float(text)) == struct.pack("<f", value)


METRICS = st.builds(
    Metric,
    name=st.text(max_size=8),
    alias=st.none() | st.integers(0, 2**64 - 1),
    at_ms=st.none() | st.integers(0, 2**64 - 1),
    datatype=st.sampled_from([Type.INT64, Type.UINT32, Type.BOOLEAN]),
    historical=st.booleans(),
    null=st.booleans(),
    raw=st.none() | st.integers(0, 1),
)


@given(
    st.builds(
        Payload,
        at_ms=st.none() | st.integers(0, 2**64 - 1),
        metrics=st.lists(METRICS, max_size=4).map(tuple),
        seq=st.none() | st.integers(0, 255),
    )
)
def test_what_is_written_is_read(payload: Payload) -> None:
    """Nothing is lost between the two."""
    assert read(write(payload)) == payload


@given(
    st.binary(max_size=80) | st.sampled_from([bytes.fromhex(data) for data, _ in GOLDEN.values()]),
    st.binary(max_size=3),
    st.integers(0, 80),
)
def test_any_bytes(data: bytes, more: bytes, at: int) -> None:
    """Bytes are a payload or they are not; nothing else happens."""
    for each in (data, data[:at], data[:at] + more + data[at:]):
        with contextlib.suppress(NotPayload):
            read(each)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param("08", id="a number is cut"),
        pytest.param("08" + "ff" * 11, id="a number without end"),
        pytest.param("1205aa", id="a length beyond the end"),
        pytest.param("0b", id="groups are not of this format"),
        pytest.param("0001", id="field 0"),
        pytest.param(GOLDEN["DDATA"][0] * 2, id="two messages that ran into one"),
        pytest.param("12030a01ff", id="a name that is no UTF-8"),
    ],
)
def test_what_is_no_payload(data: str) -> None:
    """It is said, and not read half."""
    with pytest.raises(NotPayload):
        read(bytes.fromhex(data))


def test_unknown_fields_are_passed_over() -> None:
    """A newer sender may add some; what we know stays right."""
    data = bytes.fromhex(GOLDEN["DDATA"][0])
    assert read(data + bytes.fromhex("f2010161" + "f80107")) == read(data)
