"""Registers to numbers: signs, word orders, and floats written so that they come back."""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.units import exact
from coldchain_drivers.lies import NUMBER
from coldchain_drivers.modbus_numbers import Kind, WordOrder, raw_of, registers_of, same, text_of

ONE = Decimal(1)


@pytest.mark.parametrize(
    ("kind", "order", "data", "scale", "text"),
    [
        pytest.param("int16", "big", "F8E0", "0.1", "-182.4", id="tenths below zero"),
        pytest.param("uint16", "big", "F8E0", "0.1", "6371.2", id="the same read without a sign: 6371 °C"),
        pytest.param("int16", "big", "FF33", "0.1", "-20.5", id="XY-MD02, vendor's example"),
        pytest.param("int16", "big", "0131", "0.1", "30.5", id="XY-MD02, vendor's example above zero"),
        pytest.param("int16", "big", "0000", "0.1", "0.0", id="zero"),
        pytest.param("int16", "big", "FFFF", "0.01", "-0.01", id="a hundredth below zero"),
        pytest.param("int16", "big", "8000", "1", "-32768", id="the smallest"),
        pytest.param("int32", "big", "FFFFFCE0", "0.1", "-80.0", id="TSX set-point, vendor's example"),
        pytest.param("int32", "big", "FFFFFD44", "0.1", "-70.0", id="TSX warm alarm, vendor's example"),
        pytest.param("int32", "big", "FFFFFC7C", "0.1", "-90.0", id="TSX cold alarm, vendor's example"),
        pytest.param("int32", "little", "FCE0FFFF", "0.1", "-80.0", id="the less significant word first"),
        pytest.param("uint32", "big", "0001E240", "1", "123456", id="TDE product number, vendor's example"),
        pytest.param("float32", "little", "7AE141F4", "1", "30.56", id="Indigo500, vendor's vector"),
        pytest.param(
            "float32", "little", "E666C2F6", "1", "-123.45", id="Vaisala test register, vendor's bits"
        ),
        pytest.param("float32", "big", "C28DFBE4", "1", "-70.991974", id="TSX thermocouple"),
        pytest.param("float32", "big", "C2FE0000", "1", "-127", id="TDE, thermocouple not fitted"),
        pytest.param("float32", "big", "47F12010", "1", "123456.125", id="FieldLogger constant"),
        pytest.param("float32", "big", "80000000", "1", "0", id="zero below zero"),
        pytest.param("float32", "big", "7FC00000", "1", None, id="quiet NaN"),
        pytest.param("float32", "big", "7F800000", "1", None, id="infinity"),
        pytest.param("float32", "big", "FF800000", "1", None, id="infinity below zero"),
        pytest.param("float32", "big", "7F7FFFFF", "1", "3.4028235e+38", id="the largest of all"),
        pytest.param("bit", "big", "05", "1", "1", id="a bit"),
    ],
)
def test_contents(kind: Kind, order: WordOrder, data: str, scale: str, text: str | None) -> None:
    """Each content is the number that the device means, to the last digit."""
    assert text_of(raw_of(kind, bytes.fromhex(data), 0, order), Decimal(scale)) == text


def test_values_further_in() -> None:
    """Several values in one reply are each read at their own place."""
    data = bytes.fromhex("0001 0002 C2FE 0000")
    assert [raw_of("int16", data, at, "big") for at in (0, 1)] == [1, 2]
    assert raw_of("float32", data, 2, "big") == -127.0
    bits = bytes([0b1000_0010, 0b0000_0001])
    assert [raw_of("bit", bits, at, "big") for at in range(9)] == [0, 1, 0, 0, 0, 0, 0, 1, 1]


@given(st.integers(0, 2**32 - 1), st.sampled_from(["big", "little"]))
def test_a_float_comes_back(bits: int, order: WordOrder) -> None:
    """The text of a float is a plain number that is these 32 bits again, in nine digits at most."""
    words = bits.to_bytes(4, "big")
    raw = raw_of("float32", words if order == "big" else words[2:] + words[:2], 0, order)
    text = text_of(raw, ONE)
    if text is None:
        assert not math.isfinite(raw)
        return
    assert NUMBER.fullmatch(text), text
    assert struct.pack(">f", abs(float(text))) == struct.pack(">f", abs(raw))
    assert len(Decimal(text).normalize().as_tuple().digits) <= 9


@given(st.integers(-(2**31), 2**31 - 1), st.sampled_from(["1", "0.1", "0.01", "0.001", "0.5", "10"]))
def test_a_scaled_integer_is_exact(value: int, scale: str) -> None:
    """Nothing is rounded on the way from steps to degrees."""
    text = text_of(value, Decimal(scale))
    assert text is not None
    assert NUMBER.fullmatch(text), text
    assert exact(text) == value * Fraction(scale)


@pytest.mark.parametrize(
    ("kind", "raw", "expected", "holds"),
    [
        pytest.param(
            "float32", struct.unpack(">f", b"\xc2\xf6\xe6\x66")[0], -123.45, True, id="as its bits hold it"
        ),
        pytest.param("float32", -123.45001, -123.45, False, id="the next float"),
        pytest.param("float32", float("nan"), -123.45, False, id="NaN"),
        pytest.param("float32", float("inf"), -123.45, False, id="infinity"),
        pytest.param("uint16", 57, 57, True, id="an integer"),
        pytest.param("uint16", 58, 57, False, id="another"),
    ],
)
def test_what_a_check_expects(kind: Kind, raw: float, expected: float, holds: bool) -> None:
    """A constant is compared as the device can hold it."""
    assert same(kind, raw, expected) is holds


def test_widths() -> None:
    """Two registers for what has 32 bits, one for all else."""
    kinds: list[Kind] = ["bit", "int16", "uint16", "int32", "uint32", "float32"]
    assert [registers_of(kind) for kind in kinds] == [1, 1, 1, 2, 2, 2]
