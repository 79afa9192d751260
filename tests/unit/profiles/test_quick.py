"""Limits typed on a command line."""

from __future__ import annotations

import pytest

from coldchain.config.amounts import UnreadableError
from coldchain.model import Priority, Side
from coldchain.plan import Cited, Fires, Limit
from coldchain.profiles import compile_quick


def test_two_limits() -> None:
    """Both sides, one hold; their source is the command line, and nobody has approved them."""
    profile = compile_quick("8", "2", "30m")
    assert (profile.id, profile.approved) == ("quick", False)
    ((stage),) = profile.stages
    above, below = stage.rules
    assert above == Limit(
        id="above",
        role="product",
        side=Side.ABOVE,
        limit=8_000,
        hold_ms=1_800_000,
        priority=Priority.HIGH,
        cited=Cited(source="command line", confidence="none"),
        fires=Fires.ON_READING,
    )
    assert isinstance(below, Limit)
    assert (below.id, below.side, below.limit) == ("below", Side.BELOW, 2_000)


@pytest.mark.parametrize(
    ("above", "options", "limit"),
    [
        pytest.param("8", {}, 8_000, id="a number is in the unit that people see"),
        pytest.param("-150", {}, -150_000, id="below zero"),
        pytest.param(" 7.5 ", {}, 7_500, id="blanks around it"),
        pytest.param("46.4 °F", {}, 8_000, id="its own unit"),
        pytest.param("281.15", {"unit": "K"}, 8_000, id="a unit for all"),
        pytest.param("2.5", {"quantity": "mass"}, 25_000, id="another quantity"),
    ],
)
def test_values(above: str, options: dict[str, str], limit: int) -> None:
    """A limit is exact in the quantity's quanta."""
    ((stage),) = compile_quick(above, **options).stages  # type: ignore[arg-type]
    assert stage.rules[0].limit == limit


@pytest.mark.parametrize(
    ("hold", "ms"),
    [
        ("0 s", 0),
        ("30m", 1_800_000),
        ("30 min", 1_800_000),
        ("2h", 7_200_000),
        ("90s", 90_000),
        ("1.5 h", 5_400_000),
    ],
)
def test_holds(hold: str, ms: int) -> None:
    """As people type it."""
    ((stage),) = compile_quick("8", hold=hold).stages
    assert isinstance(stage.rules[0], Limit)
    assert stage.rules[0].hold_ms == ms


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param((), "no limit is given; give a limit above, below, or both", id="nothing"),
        pytest.param(
            ("2", "8"),
            "nothing lies between 8 and 2; give a lower limit below the upper one",
            id="upside down",
        ),
        pytest.param(
            ("warm",), '"warm" is no temperature; write a number and a unit, such as "5 °C"', id="a word"
        ),
        pytest.param(
            ("inf",), '"inf" is no temperature; write a number and a unit, such as "5 °C"', id="inf"
        ),
        pytest.param(("8", None, "30"), '"30" has no unit; write "30 s"', id="a hold without a unit"),
    ],
)
def test_what_is_refused(arguments: tuple[str, ...], message: str) -> None:
    """With the mend, as in a file."""
    with pytest.raises(UnreadableError) as caught:
        compile_quick(*arguments)
    assert str(caught.value) == message


def test_other_limits_are_another_profile() -> None:
    """The hash that stands for the text tells them apart."""
    hashes = {
        compile_quick(a, b, h).sha256
        for a, b, h in [("8", "2", "1 h"), ("8", "2", "2 h"), ("8", None, "1 h")]
    }
    assert len(hashes) == 3
    assert compile_quick("8").sha256 == compile_quick("8.0 °C").sha256
