"""Each kind of rule: what it says of itself, and which of two is the wider."""

from __future__ import annotations

from typing import Any

import pytest

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
    ],
)
def test_which_is_wider(written: dict[str, Any], key: str, value: object, wider: int) -> None:
    """Exactly the parameters that the change touches grow or fall."""
    before, after = table(written).leniency(), table(written | {key: value}).leniency()
    changed = {name: after[name] - before[name] for name in before if after[name] != before[name]}
    assert before.keys() == after.keys()
    assert {sign(change) for change in changed.values()} == ({wider} if wider else set()), changed
    assert key in changed or not wider


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
