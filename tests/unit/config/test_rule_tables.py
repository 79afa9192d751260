"""Each kind of rule: what a profile's file says of it, and what it means to the fold."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from coldchain.config.document import Document
from coldchain.config.problems import ConfigError
from coldchain.config.profile_file import Profile, read_profile
from coldchain.config.rule_tables import RULES
from coldchain.plan import (
    Age,
    BoilOff,
    Budget,
    HoldLeft,
    KineticMean,
    Limit,
    Per,
    Rate,
    Rolling,
    Settle,
    Spike,
    Stuck,
    TimeToLimit,
)

HEAD = """
id = "p"
version = "1"
status = "unapproved"
title = "P"
product_state = "frozen"
[stages.packed]
title = "Packed"
[stages.transport]
title = "In transit"
[rules.r]
source = "S"
confidence = "low"
priority = "high"
advice = "Look."
"""
MIN, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def profile(tmp_path: Path, rule: str) -> Profile:
    """A profile with one rule."""
    path = tmp_path / "p.toml"
    path.write_text(HEAD + rule, encoding="utf-8")
    return read_profile(Document.read(path))


GOOD: dict[str, tuple[str, type, dict[str, Any]]] = {
    "limit": (
        (
            'role = "vapour"\nside = "above"\nvalue = "-150 °C"\nguarded = true\nsettle_to = "-160 °C"\n'
            'settle_max = "30 min"\nsettle_source = "judgement"'
        ),
        Limit,
        {"guarded": True, "settle": Settle("above", -160_000, 30 * MIN)},  # type: ignore[arg-type]
    ),
    "budget": (
        (
            'kind = "budget"\nrole = "vapour"\nside = "above"\nvalue = "-150 °C"\nallowance = "2 h"\n'
            'per = "day"\nday_zone = "+08:00"'
        ),
        Budget,
        {"allowance_ms": 2 * HOUR, "per": Per.DAY, "day_offset_ms": 8 * HOUR},
    ),
    "rolling": (
        'kind = "rolling"\nrole = "air"\nside = "above"\nvalue = "8 °C"\nallowance = "1 h"\nwindow = "24 h"',
        Rolling,
        {"allowance_ms": HOUR, "window_ms": DAY, "limit": 8000},
    ),
    "kinetic_mean": (
        'kind = "kinetic_mean"\nrole = "air"\nvalue = "8 °C"\nwindow = "24 h"\nenergy = "83.144 kJ/mol"',
        KineticMean,
        {"limit": 8000, "window_ms": DAY, "energy_kj_mol": "83.144"},
    ),
    "rate": (
        'kind = "rate"\nrole = "air"\nway = "falls"\nchange = "5 K"\nwithin = "10 min"',
        Rate,
        {"side": "below", "limit": 5000, "within_ms": 10 * MIN},
    ),
    "time_to_limit": (
        (
            'kind = "time_to_limit"\nrole = "vapour"\nside = "above"\nvalue = "-150 °C"\nhorizon = "2 h"\n'
            'window = "1 h"\nleast = "2 K"'
        ),
        TimeToLimit,
        {"limit": -150_000, "horizon_ms": 2 * HOUR, "window_ms": HOUR, "least": 2000},
    ),
    "hold_left": (
        'kind = "hold_left"\nrole = "mass"\nreserve = "48 h"\nwindow = "12 h"\nleast = "50 g"',
        HoldLeft,
        {"reserve_ms": 48 * HOUR, "least": 500, "empty": None},
    ),
    "boil_off": (
        'kind = "boil_off"\nrole = "mass"\npercent = 200\nwindow = "6 h"\nleast = "50 g"',
        BoilOff,
        {"percent": 200, "window_ms": 6 * HOUR, "baseline_per_day": None},
    ),
    "age": (
        'kind = "age"\nsince = "packed"\nmax = "6 h"\nhold_less = "48 h"',
        Age,
        {"role": "lane", "since": "packed", "max_ms": 6 * HOUR, "hold_less_ms": 48 * HOUR},
    ),
    "stuck": ('kind = "stuck"\nrole = "air"\nunchanged = "3 h"', Stuck, {"for_ms": 3 * HOUR, "tolerance": 0}),
    "spike": ('kind = "spike"\nrole = "air"\njump = "20 K"', Spike, {"limit": 20_000}),
    "pair": (
        'kind = "pair"\nrole = "vapour"\nother = "vapour-2"\napart = "3 K"\nhold = "5 min"\nhold_source="j"',
        Limit,
        {"role": "vapour~vapour-2", "limit": 3000, "hold_ms": 5 * MIN},
    ),
}


def test_every_kind_has_an_example_here() -> None:
    """A kind that is added is tried, too."""
    assert GOOD.keys() == RULES.keys()


@pytest.mark.parametrize("kind", GOOD)
def test_what_is_written_is_what_is_judged(tmp_path: Path, kind: str) -> None:
    """The plan's rule has the numbers of the file, in its own units."""
    text, made, numbers = GOOD[kind]
    rule = profile(tmp_path, text).plan.stages[0].rules[0]
    assert type(rule) is made
    assert {name: getattr(rule, name) for name in numbers} == numbers


@pytest.mark.parametrize("kind", GOOD)
def test_every_number_is_explained(tmp_path: Path, kind: str) -> None:
    """What QA signs names each number of the file, with its unit."""
    text, _, _ = GOOD[kind]
    told = " ".join(profile(tmp_path, text).rules["r"].sentences())
    for value in tomllib.loads(text).values():
        if isinstance(value, str) and value[0] in "+-0123456789":
            assert value.replace(" K", " °C").replace("50 g", "0.05 kg") in told


BAD = {
    "day without a zone": ("budget", 'day_zone = "+08:00"', "", "says not where its day begins"),
    "zone without a day": ("budget", 'per = "day"', "", "has a day_zone and no day"),
    "zone by name": ("budget", "+08:00", "Asia/Shanghai", "day_zone"),
    "allows its window": ("rolling", 'allowance = "1 h"', 'allowance = "24 h"', "allows all of its window"),
    "no energy": ("kinetic_mean", "83.144 kJ/mol", "83", "is no activation energy"),
    "mean of frozen": ("kinetic_mean", "8 °C", "-150 °C", "a kinetic mean means nothing"),
    "no change": ("rate", "5 K", "0 K", "is no change"),
    "change of another kind": ("time_to_limit", "2 K", "2 kg", "is no move of temperature"),
    "level without empty": ("hold_left", "50 g", "5 mm", "at which level nothing is left"),
    "slower than its own": ("boil_off", "200", "80", "percent"),
    "unknown stage": ("age", 'since = "packed"', 'since = "packd"', 'stage "packd" does not exist'),
    "with itself": ("pair", "vapour-2", "vapour", "compares"),
    "no jump": ("spike", "20 K", "-20 K", "is none"),
    "half a settling": ("limit", 'settle_max = "30 min"\n', "", "only one of settle_to and settle_max"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_makes_no_sense_is_refused(tmp_path: Path, name: str) -> None:
    """With the line, the field and the mend."""
    kind, old, new, says = BAD[name]
    text = GOOD[kind][0]
    assert old in text
    with pytest.raises(ConfigError) as refused:
        profile(tmp_path, text.replace(old, new))
    assert says in str(refused.value)
    assert "p.toml:" in str(refused.value)
