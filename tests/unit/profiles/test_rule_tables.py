"""Each kind of rule: what it says of itself, and which of two is the wider."""

from __future__ import annotations

from typing import Any

import pytest

from coldchain.config.rule_changes import Way, changes, widens
from coldchain.config.rule_tables import RULES, RuleTable

COMMON: dict[str, Any] = {
    "priority": "critical",
    "advice": "Move it.",
    "source": "label",
    "confidence": "high",
}
LIMIT = COMMON | {
    "role": "vapour",
    "side": "above",
    "value": "-150 °C",
    "hold": "5 min",
    "hold_source": "RA-7",
    "deadband": "2 °C",
    "deadband_source": "RA-7",
    "off_delay": "15 min",
    "off_delay_source": "RA-7",
    "latched": True,
    "re_alarm": "20 min",
    "re_alarm_source": "SOP-4",
}
BUDGET = COMMON | {
    "kind": "budget",
    "role": "product",
    "side": "below",
    "value": "2 °C",
    "allowance": "30 min",
}
ROLLING = BUDGET | {"kind": "rolling", "window": "24 h"}
KINETIC = COMMON | {
    "kind": "kinetic_mean",
    "role": "product",
    "value": "8 °C",
    "window": "24 h",
    "energy": "83.144 kJ/mol",
}
RATE = COMMON | {"kind": "rate", "role": "mass", "way": "falls", "change": "300 g", "within": "6 h"}
SOON = COMMON | {
    "kind": "time_to_limit",
    "role": "vapour",
    "side": "above",
    "value": "-150 °C",
    "horizon": "2 h",
    "window": "1 h",
    "least": "2 K",
}
HOLD = COMMON | {"kind": "hold_left", "role": "mass", "reserve": "48 h", "window": "12 h", "least": "50 g"}
BOIL_OFF = COMMON | {"kind": "boil_off", "role": "mass", "percent": 200, "window": "6 h", "least": "50 g"}
AGE = COMMON | {"kind": "age", "max": "6 h", "hold_less": "48 h"}
STUCK = COMMON | {"kind": "stuck", "role": "vapour", "unchanged": "3 h"}
SPIKE = COMMON | {"kind": "spike", "role": "vapour", "jump": "20 K"}
PAIR = COMMON | {"kind": "pair", "role": "vapour", "other": "vapour-2", "apart": "3 K"}
EVERY = {
    str(each.get("kind", "limit")): each
    for each in (LIMIT, BUDGET, ROLLING, KINETIC, RATE, SOON, HOLD, BOIL_OFF, AGE, STUCK, SPIKE, PAIR)
}


def table(written: dict[str, Any]) -> RuleTable:
    """The rule as read from a file."""
    return RULES[str(written.get("kind", "limit"))].model_validate(written)


# A rule, one key changed, and whether the changed one is wider (1), narrower (-1), or neither (0).
@pytest.mark.parametrize(
    ("written", "key", "value", "wider"),
    [
        (LIMIT, "value", "-149 °C", 1),
        (LIMIT, "value", "-151 °C", -1),
        (LIMIT, "outside", "at_or_beyond", -1),
        (LIMIT, "hold", "6 min", 1),
        (LIMIT, "hold", "4 min", -1),
        (LIMIT, "fires", "on_reading", 1),
        (LIMIT, "fires", "at_due", 0),  # what a critical limit does anyway
        (LIMIT, "priority", "high", 1),
        (LIMIT, "latched", False, 1),
        (LIMIT, "re_alarm", "30 min", 1),
        (LIMIT, "re_alarm", "10 min", -1),
        (LIMIT, "off_delay", "5 min", 1),
        (LIMIT, "deadband", "3 °C", -1),
        (LIMIT, "advice", "Move it now.", 0),
        (BUDGET, "value", "1.9 °C", 1),
        (BUDGET, "value", "2.1 °C", -1),
        (BUDGET, "allowance", "31 min", 1),
        (BUDGET, "allowance", "0 min", -1),
        (BUDGET, "exceeded", "at_or_beyond", -1),
        (BUDGET, "charge_unmonitored", True, -1),
        (BUDGET, "latched", False, 1),
        (LIMIT, "guarded", True, -1),
        (ROLLING, "allowance", "1 h", 1),
        (ROLLING, "window", "48 h", -1),
        (KINETIC, "value", "9 °C", 1),
        (KINETIC, "outside", "at_or_beyond", -1),
        (RATE, "change", "400 g", 1),
        (RATE, "within", "7 h", -1),
        (SOON, "value", "-140 °C", 1),
        (SOON, "horizon", "3 h", -1),
        (SOON, "least", "3 K", 1),
        (HOLD, "reserve", "24 h", 1),
        (HOLD, "least", "60 g", 1),
        (BOIL_OFF, "percent", 300, 1),
        (BOIL_OFF, "least", "60 g", 1),
        (AGE, "max", "7 h", 1),
        (AGE, "hold_less", "24 h", 1),
        (STUCK, "unchanged", "4 h", 1),
        (STUCK, "tolerance", "0.1 K", -1),
        (SPIKE, "jump", "30 K", 1),
        (PAIR, "apart", "4 K", 1),
    ],
)
def test_which_is_wider(written: dict[str, Any], key: str, value: object, wider: int) -> None:
    """Exactly the parameters that the change touches grow or fall."""
    before, after = table(written).leniency(), table(written | {key: value}).leniency()
    changed = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    assert before.keys() == after.keys()
    assert {sign(change) for change in changed.values()} == ({wider} if wider else set()), changed
    assert key in changed or not wider


SETTLING = LIMIT | {"settle_to": "-155 °C", "settle_max": "30 min", "settle_source": "RA-7"}


@pytest.mark.parametrize(
    ("changed", "wider"),
    [({"settle_to": "-160 °C"}, 1), ({"settle_to": "-151 °C"}, -1), ({"settle_max": "40 min"}, 1)],
)
def test_a_longer_settling_is_wider(changed: dict[str, Any], wider: int) -> None:
    """The further in the value at which judging begins, the later it does."""
    before, after = table(SETTLING).leniency(), table(SETTLING | changed).leniency()
    assert {sign(after[key] - before[key]) for key in before} - {0} == {wider}


# A key of each kind that cannot be compared: its change counts as wider.
@pytest.mark.parametrize(
    ("written", "key", "value"),
    [
        (LIMIT, "role", "product"),
        (LIMIT, "side", "below"),
        (LIMIT, "crossing", "linear"),
        (KINETIC, "window", "30 d"),
        (KINETIC, "energy", "70 kJ/mol"),
        (RATE, "way", "rises"),
        (HOLD, "window", "24 h"),
        (BOIL_OFF, "window", "24 h"),
        (AGE, "since", "thaw"),
        (PAIR, "other", "vapour-3"),
    ],
)
def test_what_cannot_be_compared_counts_as_wider(written: dict[str, Any], key: str, value: str) -> None:
    """Nobody has shown that it is not."""
    found = {change.key: change for change in changes(table(written), table(written | {key: value}))}
    assert found[key].way is Way.OTHER
    assert widens([found[key]]) == [found[key]]


@pytest.mark.parametrize("kind", RULES)
def test_each_kind_names_its_numbers(kind: str) -> None:
    """A number that the site changes needs a source, so the table must know its numbers."""
    written = EVERY[kind]
    numbers = set(table(written).numbers())
    assert {key for key, value in written.items() if str(value)[0] in "-0123456789"} <= numbers
    for key in numbers:
        assert RULES[kind].source_key(key) in RULES[kind].model_fields
    assert RULES["limit"].source_key("settle_to") == "settle_source"
    assert RULES["limit"].source_key("value") == "source"


def sign(number: int) -> int:
    """-1, 0 or 1."""
    return (number > 0) - (number < 0)


def test_a_re_alarm_left_to_the_site_is_the_widest() -> None:
    """The site may have none."""
    without = {key: value for key, value in LIMIT.items() if key != "re_alarm"}
    assert (
        table(without).leniency()["re_alarm"] > table(LIMIT | {"re_alarm": "3000 d"}).leniency()["re_alarm"]
    )


def test_a_limit_in_sentences() -> None:
    """Every number with its unit, and what it does."""
    assert table(LIMIT).sentences() == [
        "A critical alarm is raised when vapour was above -150 °C for 5 min without a break.",
        "It is raised at that moment even if no further reading arrives.",
        (
            "It is over only when readings have come back by 2 °C from the limit and stayed inside for 15 min"
            " without a break."
        ),
        "The alarm stays until somebody resets it with a reason.",
        "Until it is acknowledged it is said again every 20 min.",
    ]
    assert table(LIMIT).sources() == {
        "hold": "RA-7",
        "off_delay": "RA-7",
        "deadband": "RA-7",
        "re_alarm": "SOP-4",
    }


def test_a_budget_in_sentences() -> None:
    """Every number with its unit, and what it does."""
    assert table(
        BUDGET | {"priority": "low", "exceeded": "at_or_beyond", "crossing": "linear"}
    ).sentences() == [
        "All time in which product was below 2 °C is added up.",
        "A low alarm is raised when the sum is 30 min or more.",
        "It is raised with a reading that is outside at or after that moment.",
        "Between two readings the moment of crossing is interpolated.",
        "Time without readings is not charged; it is stated apart.",
        "The alarm stays until somebody resets it with a reason.",
    ]


@pytest.mark.parametrize("kind", RULES)
def test_the_table_of_a_kind_names_it(kind: str) -> None:
    """A rule is found by the word in its file."""
    assert RULES[kind].model_fields["kind"].annotation is not str
    assert kind in str(RULES[kind].model_fields["kind"].annotation)
