"""Texts with units are read exactly or refused with the mend."""

from __future__ import annotations

import contextlib
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from coldchain.config.amounts import (
    DURATION_MS,
    Amount,
    UnreadableError,
    amount,
    amount_text,
    difference,
    duration_ms,
    duration_text,
    size_bytes,
    unit_of,
)
from coldchain.units import MASS, QUANTITIES, TEMPERATURE, Quantity


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        pytest.param("10 min", 600_000, id="minutes"),
        pytest.param("10min", 600_000, id="without a blank"),
        pytest.param("48 h", 172_800_000, id="hours"),
        pytest.param("7 d", 604_800_000, id="days"),
        pytest.param("0.5 s", 500, id="half a second"),
        pytest.param(".25 s", 250, id="no digit before the point"),
        pytest.param("1.5e3 ms", 1500, id="with an exponent"),
        pytest.param("0 min", 0, id="none"),
    ],
)
def test_durations(text: str, ms: int) -> None:
    """A duration is a whole number of ms."""
    assert duration_ms(text) == ms


@pytest.mark.parametrize(
    ("text", "size"),
    [
        pytest.param("64 MiB", 67_108_864, id="by powers of two"),
        pytest.param("64 MB", 64_000_000, id="by powers of ten"),
        pytest.param("0.5GiB", 536_870_912, id="half, without a blank"),
    ],
)
def test_sizes(text: str, size: int) -> None:
    """A size is a whole number of bytes."""
    assert size_bytes(text) == size


@pytest.mark.parametrize(
    ("given", "said"),
    [
        pytest.param("64", '"64" has no unit; write "64 MiB"', id="no unit"),
        pytest.param(64, '64 has no unit; write "64 MiB"', id="a bare number"),
        pytest.param(
            "64 M", '"64 M": unknown unit "M"; write one of MB, MiB, GB, GiB', id="which of the two?"
        ),
        pytest.param(
            "0 MiB",
            '"0 MiB" is no whole number of bytes above zero; write one such as "64 MiB"',
            id="nothing at all",
        ),
        pytest.param("-1 MiB", '"-1 MiB" is no whole number of bytes above zero', id="less than nothing"),
    ],
)
def test_sizes_refused(given: object, said: str) -> None:
    """Nothing is guessed: a MB is not a MiB."""
    with pytest.raises(UnreadableError) as caught:
        size_bytes(given)
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("text", "quantity", "quanta"),
    [
        pytest.param("-150 °C", "temperature", -150_000, id="Celsius"),
        pytest.param("-150°C", "temperature", -150_000, id="without a blank"),
        pytest.param("77.355 K", "temperature", -195_795, id="kelvin"),
        pytest.param("46.4 °F", "temperature", 8_000, id="Fahrenheit, where it comes out even"),
        pytest.param("2.5 kg", "mass", 25_000, id="kilograms"),
        pytest.param("2500 g", "mass", 25_000, id="grams"),
        pytest.param("31 cm", "level", 3_100, id="centimetres"),
        pytest.param("63.25 %", "fraction", 6_325, id="percent"),
        pytest.param("41 °", "tilt", 410, id="degrees of arc are no temperature"),
    ],
)
def test_values(text: str, quantity: str, quanta: int) -> None:
    """The unit says the quantity; the value is a whole number of its quanta."""
    found = amount(text)
    assert (found.quantity, found.quanta, found.text) == (quantity, quanta, text)


def test_a_difference_has_no_zero_point() -> None:
    """A deadband of one degree is the same in kelvin, and 1.8 °F, wherever the scale begins."""
    assert difference("1 °C").quanta == difference("1 K").quanta == difference("1.8 °F").quanta == 1000
    assert difference("0 K").quanta == 0


@pytest.mark.parametrize(
    ("given", "what", "mend"),
    [
        pytest.param("-135", '"-135" has no unit', 'write "-135 °C"', id="no unit"),
        pytest.param(-135, "-135 has no unit", 'write "-135 °C"', id="a number"),
        pytest.param("−135", '"−135" has no unit', 'write "-135 °C"', id="no unit, typeset minus"),
        pytest.param("-135 ℃", '"-135 ℃": unknown unit "℃"', 'write "-135 °C"', id="one sign for the unit"),
        pytest.param(
            "8 °F",
            '"8 °F" is finer than 0.001 °C, the quantum',
            "write what shall hold in °C, rounded to the side that is safe",
            id="never rounded",
        ),
        pytest.param(
            "1e99 °C", '"1e99 °C" is no physical temperature', "correct the number or the unit", id="huge"
        ),
        pytest.param(
            "1234567890123456 °C",
            '"1234567890123456 °C" has too many digits',
            "write at most 15 before and after the point",
            id="digits",
        ),
        pytest.param("2 kg", '"2 kg" is a mass, not a temperature', "write it in °C", id="another quantity"),
        pytest.param(True, "true is no temperature", 'write a text such as "5 °C"', id="true"),
        pytest.param([1], "a list is no temperature", 'write a text such as "5 °C"', id="a list"),
        pytest.param(float("nan"), "nan is no temperature", 'write a text such as "5 °C"', id="nan"),
        pytest.param(
            " 5 °C",
            '" 5 °C" is no temperature',
            'write a number and a unit, such as "5 °C"',
            id="a leading blank",
        ),
        pytest.param("٥ °C", '"٥ °C" is no temperature', 'write a number and a unit, such as "5 °C"', id="٥"),
    ],
)
def test_what_is_refused(given: object, what: str, mend: str) -> None:
    """Nothing is guessed; the mend can be typed as it stands."""
    with pytest.raises(UnreadableError) as caught:
        amount(given, TEMPERATURE)
    assert (caught.value.what, caught.value.mend) == (what, mend)


@pytest.mark.parametrize("sign", ["m", "minutes", "Minutes", "hrs", "secs", "days"])
def test_a_unit_by_another_name_is_suggested_not_taken(sign: str) -> None:
    """`m` could be metres or minutes: the file says which."""
    with pytest.raises(UnreadableError, match=r'write "5 (min|h|s|d)"$'):
        duration_ms(f"5 {sign}")


def test_each_unit_belongs_to_one_quantity() -> None:
    """Else "-150 °C" would not say what it is; and no unit of a quantity is one of time."""
    signs = [sign for quantity in QUANTITIES.values() for sign in quantity.units]
    assert len(signs) == len(set(signs))
    assert not set(signs) & set(DURATION_MS)
    assert all(unit_of(sign) == (q, q.units[sign]) for q in QUANTITIES.values() for sign in q.units)


@given(st.integers(0, 3653 * 86_400_000))
def test_durations_come_back(ms: int) -> None:
    """What is shown to people can be written into the file and means the same."""
    assert duration_ms(duration_text(ms)) == ms


@given(st.sampled_from(list(QUANTITIES.values())), st.integers(-(2**40) + 1, 2**40 - 1))
def test_values_come_back(quantity: Quantity, quanta: int) -> None:
    """Every value that can be held can be written in the unit that is shown."""
    found = amount(amount_text(quantity, quanta), quantity)
    assert (found.quantity, found.quanta) == (quantity.name, quanta)
    assert difference(amount_text(quantity, quanta), quantity).quanta == quanta


NUMBERS = st.from_regex(r"[+-]?([0-9]{1,9}(\.[0-9]{1,6})?|\.[0-9]{1,6})([eE][+-]?[0-9])?", fullmatch=True)


@given(NUMBERS, st.sampled_from([(q, sign) for q in QUANTITIES.values() for sign in q.units]))
def test_exact_or_refused(number: str, of: tuple[Quantity, str]) -> None:
    """A value is exactly what exact arithmetic makes of the text, or it is refused: never a rounded one."""
    quantity, sign = of
    unit = quantity.units[sign]
    truth = (Fraction(number) + unit.before) * unit.scale
    try:
        found = amount(f"{number} {sign}", quantity)
    except UnreadableError:
        assert truth.denominator != 1 or abs(truth) >= 2**40
    else:
        assert found.quanta == truth


@given(NUMBERS, st.sampled_from(list(DURATION_MS)))
def test_durations_exact_or_refused(number: str, sign: str) -> None:
    """A duration is exactly what was written, or it is refused."""
    truth = Fraction(number) * DURATION_MS[sign]
    try:
        ms = duration_ms(f"{number} {sign}")
    except UnreadableError:
        assert truth.denominator != 1 or not 0 <= truth <= 3653 * 86_400_000
    else:
        assert ms == truth


@given(
    st.one_of(st.text(max_size=20), st.floats(), st.integers(), st.booleans(), st.none(), st.lists(st.text()))
)
def test_anything_is_an_amount_or_refused(given: object) -> None:
    """No input makes a reader fail in another way."""
    for reader in (duration_ms, size_bytes, amount, difference, lambda g: amount(g, MASS)):
        with contextlib.suppress(UnreadableError):
            assert isinstance(reader(given), int | Amount)


@given(st.text(max_size=8))
def test_a_unit_is_taken_only_by_its_own_sign(sign: str) -> None:
    """Whatever stands behind the number is a unit of the table, letter for letter, or refused."""
    known = {s for q in QUANTITIES.values() for s in q.units}
    assume(sign.lstrip(" \t") not in known and not sign.lstrip(" \t")[:1].isdigit())
    assume(sign[:1] not in {".", "e", "E"})
    with pytest.raises(UnreadableError):
        amount(f"5 {sign}")
