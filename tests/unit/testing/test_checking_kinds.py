"""Checks play every kind of rule: what it needs of probes, vessel and lane can be said in a check file."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.testing.check_file import read_check
from coldchain.testing.checking import CaseResult, run
from coldchain.testing.record import wrong

PROFILE = """\
id = "kinds"
version = "1"
status = "unapproved"
title = "Kinds of rules"
product_state = "frozen"
[stages.packed]
title = "Packed"
[stages.transport]
title = "In transit"
[rules.r]
title = "R"
source = "a test"
confidence = "none"
priority = "high"
advice = "Look."
{rule}
"""
CHECK = """\
profile = "./kinds.toml"
stage = "packed"
{head}
[[cases]]
name = "it"
series = {{ {series} }}
events = {events}
expect = {expect}
verdict = "{verdict}"
"""
param = pytest.param


def ask(
    tmp_path: Path, rule: str, head: str, series: str, expect: str, verdict: str, events: str = "[]"
) -> CaseResult:
    """A case of one rule."""
    (tmp_path / "kinds.toml").write_text(PROFILE.format(rule=rule), encoding="utf-8")
    text = CHECK.format(head=head, series=series, expect=expect, verdict=verdict, events=events)
    (tmp_path / "check.toml").write_text(text, encoding="utf-8")
    (result,) = run(read_check(tmp_path / "check.toml"), "e").cases
    return result


VAPOUR = '[channels.vapour]\ninterval = "1 min"\n'
TWO = VAPOUR + '[channels.vapour-2]\ninterval = "1 min"\n'
MASS = '[channels.mass]\ninterval = "10 min"\nquantity = "mass"\nunit = "kg"\n'


@pytest.mark.parametrize(
    ("rule", "head", "series", "expect", "verdict", "events"),
    [
        param(
            'kind = "rate"\nrole = "vapour"\nway = "rises"\nchange = "5 K"\nwithin = "10 min"',
            VAPOUR,
            'vapour = "-190 for 1h, ramp to -180 over 10m, -180 for 1h"',
            '["high r at 1h5m"]',
            "outside",
            "[]",
            id="rate",
        ),
        param(
            'kind = "stuck"\nrole = "vapour"\nunchanged = "1 h"',
            VAPOUR,
            'vapour = "-190 -191 -190, -189 for 2h"',
            '["high r at 1h3m"]',
            "outside",
            "[]",
            id="stuck",
        ),
        param(
            'kind = "pair"\nrole = "vapour"\nother = "vapour-2"\napart = "3 K"\nhold = "5 min"\n'
            'hold_source = "a test"',
            TWO,
            'vapour = "-190 for 2h", vapour-2 = "-190 for 1h, -180 for 1h"',
            '["high vapour~vapour-2/r at 1h5m"]',
            "outside",
            "[]",
            id="two probes that disagree",
        ),
        param(
            'role = "vapour"\nside = "above"\nvalue = "-150 °C"\nfires = "at_due"',
            TWO + '[vessel]\nreserve = { vapour = "vapour-2" }\n',
            'vapour = "-190 for 1h, bad for 1h", vapour-2 = "-190 for 90m, -140 for 30m"',
            '["high vapour/r at 1h30m"]',
            "outside",
            "[]",
            id="a second probe that stands in",
        ),
        param(
            'role = "vapour"\nside = "above"\nvalue = "-150 °C"\nguarded = true\nfires = "at_due"',
            VAPOUR + 'uncertainty = "0.5 °C"\n',
            'vapour = "-190 for 1h, -150.4 for 1m, -190 for 1h"',
            '["high r at 1h"]',
            "outside",
            "[]",
            id="a limit guarded by the probe's uncertainty",
        ),
        param(
            'kind = "age"\nsince = "packed"\nmax = "6 h"',
            VAPOUR,
            'vapour = "-190 for 8h"',
            '["high lane/r at 6h"]',
            "outside",
            '["at 2h stage transport"]',
            id="age since a stage",
        ),
        param(
            'kind = "hold_left"\nrole = "mass"\nreserve = "48 h"\nwindow = "12 h"\nleast = "50 g"',
            MASS + '[vessel]\ntare_mass = "5 kg"\n',
            'mass = "ramp from 8 to 6 over 24h"',
            '["high r at 6h"]',
            "outside",
            '["at 0 eta 12h"]',
            id="nitrogen that does not last",
        ),
    ],
)
def test_a_kind_is_played(
    tmp_path: Path, rule: str, head: str, series: str, expect: str, verdict: str, events: str
) -> None:
    """What was expected is said at its time, and nothing else."""
    result = ask(tmp_path, rule, head, series, expect, verdict, events)
    assert result.passed, list(wrong(result))


def test_a_budget_of_a_stage_begins_anew(tmp_path: Path) -> None:
    """What was spent in one stage is no part of the next stage's budget."""
    rule = 'kind = "budget"\nrole = "vapour"\nside = "above"\nvalue = "-150 °C"\n'
    rule += 'allowance = "10 min"\nper = "stage"'
    series = 'vapour = "-140 for 8m, -190 for 52m, -140 for 8m, -190 for 1h"'
    apart = ask(tmp_path, rule, VAPOUR, series, '["nothing"]', "inside", '["at 30m stage transport"]')
    assert apart.passed, list(wrong(apart))
    together = ask(tmp_path, rule, VAPOUR, series, '["high r between 1h2m and 1h4m"]', "outside")
    assert together.passed, list(wrong(together))
