# ruff: noqa: E501 - a message stands on one line, as it is printed
"""A rule of any kind that cannot mean what it says is refused, with file, line, place, fault and mend."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config.rule_tables import RULES
from tests.unit.config.small_site import PROFILE, changed, problems, write

#: A right rule of each kind, about roles that the small site measures.
RIGHT = {
    "limit": 'role = "vapour"\nside = "above"\nvalue = "-150 °C"\n',
    "budget": 'role = "vapour"\nside = "above"\nvalue = "-150 °C"\nallowance = "1 h"\n',
    "rolling": 'role = "vapour"\nside = "above"\nvalue = "-150 °C"\nallowance = "1 h"\nwindow = "24 h"\n',
    "kinetic_mean": 'role = "vapour"\nvalue = "8 °C"\nwindow = "24 h"\nenergy = "83.144 kJ/mol"\n',
    "rate": 'role = "mass"\nway = "falls"\nchange = "300 g"\nwithin = "6 h"\n',
    "time_to_limit": 'role = "vapour"\nside = "above"\nvalue = "-150 °C"\nhorizon = "2 h"\nwindow = "1 h"\nleast = "2 K"\n',
    "hold_left": 'role = "mass"\nreserve = "48 h"\nwindow = "12 h"\nleast = "50 g"\n',
    "boil_off": 'role = "mass"\npercent = 200\nwindow = "6 h"\nleast = "50 g"\n',
    "age": 'max = "6 h"\n',
    "stuck": 'role = "vapour"\nunchanged = "3 h"\n',
    "spike": 'role = "vapour"\njump = "20 K"\n',
    "pair": 'role = "vapour"\nother = "mass"\napart = "3 K"\n',
}
HEADING = '[rules.ours]\nstages = ["transport"]\n'
REST = 'priority = "high"\nadvice = "Look."\nsource = "SP-3"\nconfidence = "low"\n'


def text_of(kind: str, old: str = "", new: str = "") -> str:
    """A profile with one more rule; `old` of it made `new`, or `new` added."""
    return f'{PROFILE}\n{HEADING}kind = "{kind}"\n{changed(RIGHT[kind], old, new)}{REST}'


@pytest.mark.parametrize("kind", sorted(set(RULES) - {"pair"}))
def test_what_the_cases_start_from_is_right(tmp_path: Path, kind: str) -> None:
    """So each message below comes from its one mistake; of a pair the site measures no second probe."""
    assert RIGHT.keys() == RULES.keys()
    assert problems(write(tmp_path, profile=text_of(kind))) == []


# Kind, old text of its rule, new text, where it is said, fault and mend. The line is that of the key, or of
# the rule's heading where two keys do not fit together.
@pytest.mark.parametrize(
    ("kind", "old", "new", "key", "message"),
    [
        ("limit", "-150 °C", "NaN °C", "value", '"NaN °C" is no value with a unit; write a number and a unit, such as "5 °C"'),
        ("limit", "-150 °C", "−150 °C", "value", '"−150 °C" has a typeset minus sign; write "-150 °C"'),
        ("limit", "-150 °C", "-150,5 °C", "value", '"-150,5 °C" has a comma in its number; write "-150.5 °C"'),
        ("limit", '"-150 °C"', "-150", "value", '-150 has no unit; write "-150 °C"'),
        ("limit", "-150 °C", "-150.00001 °C", "value", '"-150.00001 °C" is finer than 0.001 °C, the quantum; write what shall hold in °C, rounded to the side that is safe'),
        ("limit", "-150 °C", "9e9 °C", "value", '"9e9 °C" is no physical temperature; correct the number or the unit'),
        ("limit", '"vapour"', '"a/b"', "role", '"a/b" is no name; use 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first'),
        ("limit", "", 'hold = "9999 d"\nhold_source = "x"\n', "hold", '"9999 d" is longer than ten years; write a shorter time, such as "48 h"'),
        ("limit", "", 're_alarm = "5 min"\n', "", 'has a re_alarm without a source; write re_alarm_source, if only "judgement"'),
        ("limit", "", 'latched = "yes"\n', "latched", '"yes" is neither true nor false; write true or false, without quotes'),
        ("limit", "", 'settle_to = "-155 °C"\n', "", "has only one of settle_to and settle_max; write both or none"),
        ("limit", "", 'settle_to = "-155 °C"\nsettle_max = "1 h"\n', "", 'has a time to settle without a source; write settle_source, if only "judgement"'),
        ("limit", "", 'settle_to = "5 kg"\nsettle_max = "1 h"\nsettle_source = "x"\n', "", "settle_to 5 kg is no temperature; write it in its unit"),
        ("budget", "1 h", "-1 h", "allowance", '"-1 h" is negative; write "1 h"'),
        ("budget", "1 h", "1 K", "allowance", '"1 K": unknown unit "K"; write one of ms, s, min, h, d'),
        ("budget", "", 'per = "day"\n', "", 'says not where its day begins; write day_zone = "+08:00"'),
        ("budget", "", 'day_zone = "+08:00"\n', "", 'has a day_zone and no day; write per = "day", or leave it out'),
        ("budget", "", 'per = "day"\nday_zone = "Asia/Shanghai"\n', "day_zone", '"Asia/Shanghai" has not the form that is wanted; write something like "+08:00"'),
        ("budget", "", 'per = "day"\nday_zone = "+99:00"\n', "day_zone", '"+99:00" has not the form that is wanted; write something like "+08:00"'),
        ("rolling", '"1 h"', '"24 h"', "", "allows all of its window; write an allowance shorter than the window"),
        ("rolling", "24 h", "0 h", "window", 'is no time at all; write a time above zero, such as "10 s"'),
        ("rolling", "", 'crossing = "linear"\n', "", 'interpolates within a window; write crossing = "step", or kind = "budget"'),
        ("kinetic_mean", "83.144 kJ/mol", "83.144", "", '"83.144" is no activation energy; write one such as "83.144 kJ/mol"'),
        ("kinetic_mean", "8 °C", "8 kg", "", "value 8 kg is no temperature; write it in °C"),
        ("kinetic_mean", "8 °C", "-150 °C", "", 'value -150 °C is below freezing, where a kinetic mean means nothing; use kind = "limit" or "budget"'),
        ("rate", "300 g", "-300 g", "", "change -300 g is no change; write one above zero; `way` says whither"),
        ("rate", '"6 h"', '"6 hours"', "within", '"6 hours": unknown unit "hours"; write "6 h"'),
        ("time_to_limit", "2 K", "2 kg", "", "least 2 kg is no move of temperature; write one above zero"),
        ("time_to_limit", "2 h", "-2 h", "horizon", '"-2 h" is negative; write "2 h"'),
        ("hold_left", "50 g", "2 K", "", "least 2 K is no amount of nitrogen; write a mass or a level above zero"),
        ("hold_left", "50 g", "5 mm", "", 'says not at which level nothing is left; write empty, such as "0 mm"'),
        ("hold_left", "", 'empty = "5 mm"\n', "", "empty 5 mm is no mass; write both in one unit"),
        ("boil_off", "200", "100", "percent", "100 is not above 100; write a number above 100"),
        ("boil_off", "200", '"200 %"', "percent", '"200 %" is no whole number; write a whole number, without quotes'),
        ("boil_off", "", 'baseline_per_day = "-1 g"\n', "", "baseline_per_day -1 g is no loss of mass; write one above zero"),
        ("age", '"6 h"', '"0 h"', "max", 'is no time at all; write a time above zero, such as "10 s"'),
        ("age", "", 'since = "thaw"\n', "since", 'stage "thaw" does not exist; stages here: storage, transport'),
        ("stuck", "", 'tolerance = "-1 K"\n', "", "tolerance -1 K is negative; write it without a sign"),
        ("spike", "20 K", "0 K", "", "jump 0 K is none; write one above zero"),
        ("pair", "3 K", "0 K", "", "apart 0 K is no distance; write one above zero"),
        ("pair", '"mass"', '"vapour"', "", 'compares "vapour" with itself; write the role of another probe in other'),
        ("pair", "", 'hold = "5 min"\n', "", 'has a hold without a source; write hold_source, if only "judgement"'),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_refused(
    tmp_path: Path, kind: str, old: str, new: str, key: str, message: str
) -> None:
    """One mistake, one message, at its line."""
    text = text_of(kind, old, new)
    heading = text.split("\n").index("[rules.ours]") + 1
    lines = text.split("\n")[heading:]
    line = heading + 1 + [each.split(" = ")[0] for each in lines].index(key) if key else heading
    place = f"rules.ours.{key}" if key else "rules.ours"
    assert problems(write(tmp_path, profile=text)) == [f"limits/frozen.toml:{line}: {place}: {message}"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"\xef\xbb\xbf" + PROFILE.encode(), "1: begins with a byte order mark; save it as UTF-8 without one", id="a byte order mark"),
        pytest.param(PROFILE.encode("latin-1"), "8: is not UTF-8; save it as UTF-8", id="Latin-1"),
        pytest.param(PROFILE.encode("utf-16"), "1: is not UTF-8; save it as UTF-8", id="UTF-16"),
        pytest.param(PROFILE.replace('title = "Frozen"', 'title = "Frozen"\ntitle = "x"').encode(), "5: cannot overwrite a value; write each key and each table once", id="a key twice"),
        pytest.param(PROFILE.replace('"In storage"', '"In storage').encode(), "13: illegal character '\\n'; correct the line, or put the value in quotes", id="a quote forgotten"),
        pytest.param((PROFILE + "\n[rule.x]\n").encode(), "41: rule: unknown key; did you mean rules?", id="a table misspelt"),
        pytest.param(PROFILE.replace("[rules.too-warm]", '[rules."too warm"]').encode(), '18: rules."too warm": "too warm" is no name; use 1 to 64 letters, digits, dots, hyphens or underscores, a letter or digit first', id="a blank in a name"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes, message: str) -> None:
    """Whatever an editor made of it, the line and the mend are said."""
    path = write(tmp_path)
    (tmp_path / "limits" / "frozen.toml").write_bytes(content)
    assert problems(path) == [f"limits/frozen.toml:{message}"]
