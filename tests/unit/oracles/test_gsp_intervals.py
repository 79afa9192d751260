"""China GSP, annex 3 (automatic monitoring of temperature and humidity): its table of intervals and errors.

Point values renewed at least every minute; recorded at least every 30 min in storage, every 5 min in
transport, every 2 min while out of range; largest permissible error ±0.5 °C from 0 to 40 °C. An alarm at the
set limit. As mirrored at m.aisino-pay.com/c47.html; the text itself was not read in an official print.
"""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from msgspec.structs import replace

from coldchain.announcements import Kind
from coldchain.config import load
from coldchain.facts import Reading
from coldchain.plan import Rule
from coldchain.profiles import load as profile
from tests.unit.fold.bench import MIN, T0, Bench, channel, plan

#: What the annex prints, in minutes: (renewed, recorded in storage, in transport, out of range).
RENEWED, STORED, CARRIED, OUTSIDE = 1, 30, 5, 2
NAME = "cn-gsp-cold"
SITE = """
[site]
name = "GSP"
[journal]
path = "journal.db"
[sources.line]
driver = "ascii_line"
port = "/dev/ttyUSB0"
[sources.line.settings]
baud = 9600
frame = "8N1"
layout = "pairs"
values = [{{ key = "t", at = "T", unit = "degC" }}]
[assets.van]
kind = "refrigerator"
profile = "cn-gsp-cold"
stage = "{stage}"
[channels."van.product"]
source = "line"
key = "t"
asset = "van"
role = "product"
quantity = "temperature"
probe = "air"
interval = "{interval}"
fresh_within = "5 min"
valid_low = "-40 °C"
valid_high = "80 °C"
[channels."van.product".calibration]
certificate = "1"
due = 2099-01-31
uncertainty = "{error}"
"""


def doubts(folder: Path, stage: str, interval: str, error: str) -> list[str]:
    """What `config check` says against the annex."""
    path = folder / "gateway.toml"
    path.write_text(SITE.format(stage=stage, interval=interval, error=error), encoding="utf-8")
    return [str(one) for one in load(path).warnings if "China GSP" in str(one)]


@pytest.mark.parametrize("stage", ["storage", "transport"])
@pytest.mark.parametrize(
    ("interval", "error", "says"),
    [
        pytest.param("60 s", "0.5 °C", "", id="on both values"),
        pytest.param("61 s", "0.5 °C", "interval: is 61 s, more than 1 min", id="renewed a second too late"),
        pytest.param(
            "60 s", "0.6 °C", "is uncertain by 0.6 °C, more than 0.5 °C", id="a tenth too uncertain"
        ),
    ],
)
def test_what_is_too_slow_or_too_uncertain_is_said(
    tmp_path: Path, stage: str, interval: str, error: str, says: str
) -> None:
    """On the printed value nothing is said, beyond it the annex is cited."""
    found = doubts(tmp_path, stage, interval, error)
    assert len(found) == bool(says)
    assert all(says in one for one in found)


def _rules(stage: str) -> tuple[Rule, ...]:
    (found,) = (one for one in profile(NAME).stages if one.name == stage)
    return tuple(replace(rule, role="vapour") for rule in found.rules)


@pytest.mark.parametrize("value", [8.1, 1.9])
@pytest.mark.parametrize(("stage", "recorded"), [("storage", STORED), ("transport", CARRIED)])
def test_the_alarm_is_at_the_limit_and_every_value_is_kept(stage: str, recorded: int, value: float) -> None:
    """At the reading beyond 2 to 8 °C, not after a hold; kept values are as near as asked."""
    bench = Bench(plan(*_rules(stage), channels=(channel(interval_ms=RENEWED * MIN),)))
    for minute in range(90):
        raw = f"{value:.1f}" if minute >= 60 else "5.0"
        bench.add(Reading("log", "box.vapour", raw, "degC", at_ms=T0 + minute * MIN))
    told = [at for at, one in bench.said if one.kind is Kind.RAISED]
    assert told == [T0 + 60 * MIN]
    history = bench.fold.channels.histories["box.vapour"]
    assert max(after - before for before, after in pairwise(history.at)) <= min(recorded, OUTSIDE) * MIN
