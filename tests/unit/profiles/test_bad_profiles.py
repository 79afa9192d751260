# ruff: noqa: E501 - a message stands on one line, as it is printed
"""What is wrong in a profile is said with file, line, place, fault and mend, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.config.small_site import PROFILE, changed, marked, problems, write


# Old text, new text, and every message that it must give. `:@:` is the line that ends in `#<`.
@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        pytest.param(
            'source = "label"\nconfidence = "high"\n\n[rules.time',
            'confidence = "high"\n\n[rules.time',
            [
                'limits/frozen.toml:18: rules.too-warm.source: is missing; write it, such as source = "label of the product, section 16"'
            ],
            id="a limit without a source",
        ),
        pytest.param(
            'source = "label"\nconfidence = "high"\n\n[rules.time',
            'source = " " #<\nconfidence = "high"\n\n[rules.time',
            ["limits/frozen.toml:@: rules.too-warm.source: is empty; write it"],
            id="an empty source",
        ),
        pytest.param(
            'confidence = "high"\n\n[rules.time',
            "\n[rules.time",
            [
                'limits/frozen.toml:18: rules.too-warm.confidence: is missing; write it, such as confidence = "medium"'
            ],
            id="a limit without confidence",
        ),
        pytest.param(
            'hold_source = "judgement"\n',
            "",
            [
                'limits/frozen.toml:18: rules.too-warm: has a hold without a source; write hold_source, if only "judgement"'
            ],
            id="a hold without a source",
        ),
        pytest.param(
            'advice = "Move it."\n',
            "",
            [
                'limits/frozen.toml:18: rules.too-warm: says not what to do; write advice, or priority = "to_know"'
            ],
            id="an alarm without advice",
        ),
        pytest.param(
            'value = "-150 °C"\nhold',
            'value = "-150" #<\nhold',
            ['limits/frozen.toml:@: rules.too-warm.value: "-150" has no unit; write "-150 °C"'],
            id="a limit without a unit",
        ),
        pytest.param(
            'hold = "10 min"',
            'hold = "10 min"\ndeadband = "1 kg"',
            [
                "limits/frozen.toml:18: rules.too-warm: deadband 1 kg is no temperature; write it in the unit of the value"
            ],
            id="a deadband of another quantity",
        ),
        pytest.param(
            'hold = "10 min"',
            'hold = "10 min"\ndeadband = "-1 K"',
            ["limits/frozen.toml:18: rules.too-warm: deadband -1 K is negative; write it without a sign"],
            id="a negative deadband",
        ),
        pytest.param(
            'hold = "10 min"',
            'hold = "10 min"\ndeadband = "1 K"',
            [
                'limits/frozen.toml:18: rules.too-warm: has a deadband without a source; write deadband_source, if only "judgement"'
            ],
            id="a deadband without a source",
        ),
        pytest.param(
            'hold = "10 min"',
            'hold = "10 min"\noff_delay = "5 min"',
            [
                'limits/frozen.toml:18: rules.too-warm: has an off_delay without a source; write off_delay_source, if only "judgement"'
            ],
            id="an off-delay without a source",
        ),
        pytest.param(
            'stages = ["transport"]',
            'stages = ["transports"] #<',
            [
                'limits/frozen.toml:@: rules.time-too-warm.stages[0]: stage "transports" does not exist; write "transport"'
            ],
            id="no such stage",
        ),
        pytest.param(
            'figure = "allowance"',
            'figure = "alowance"',
            [
                'limits/frozen.toml:35: rules.time-too-warm.allowance: figure "alowance" does not exist; write "allowance"'
            ],
            id="no such figure",
        ),
        pytest.param(
            'kind = "budget"',
            'kind = "buget" #<',
            ['limits/frozen.toml:@: rules.time-too-warm.kind: "buget" is no kind of rule; write "budget"'],
            id="no such kind",
        ),
        pytest.param(
            'side = "above"\nvalue = "-150 °C"\nhold',
            'side = "over" #<\nvalue = "-150 °C"\nhold',
            ['limits/frozen.toml:@: rules.too-warm.side: "over" is not known here; write "above"'],
            id="no such side",
        ),
        pytest.param(
            'status = "unapproved"',
            'status = "approved"',
            [
                'limits/frozen.toml:1: approved_by: is missing in an approved profile; write who approved it, or status = "unapproved"',
                'limits/frozen.toml:18: rules.too-warm.approved_by: is missing in an approved profile; write who approved it, or status = "unapproved"',
                'limits/frozen.toml:29: rules.time-too-warm.approved_by: is missing in an approved profile; write who approved it, or status = "unapproved"',
            ],
            id="approved by nobody",
        ),
        pytest.param(
            'id = "frozen"',
            'id = "frosen" #<',
            ['limits/frozen.toml:@: id: "frosen" is not the name of the file; write id = "frozen"'],
            id="another id",
        ),
        pytest.param(
            'version = "3"\n',
            "",
            ['limits/frozen.toml:1: version: is missing; write it, such as version = "1"'],
            id="no version",
        ),
        pytest.param(
            'default = "0 min"\nsource = "the label allows none"\n',
            "",
            [
                "gateway.toml:11: profiles.figures.frozen.allowance: is missing: profile frozen asks for the site's own figure (Time allowed above -150 °C); write [profiles.figures.frozen.allowance] with value, source and approved_by"
            ],
            id="a figure that the site must give",
        ),
        pytest.param(
            'source = "the label allows none"\n',
            "",
            ["limits/frozen.toml:7: figures.allowance: has a default without a source; write source"],
            id="a default without a source",
        ),
        pytest.param(
            'kind = "budget"',
            'kind = "budget"\ndeadband = "1 K" #<',
            [
                "limits/frozen.toml:@: rules.time-too-warm.deadband: unknown key; known here: kind, title, stages, priority, latched, re_alarm, re_alarm_source, advice, source, confidence, approved_by, version, reason, role, side, value, outside, fires, crossing, guarded, settle_to, settle_max, settle_source, allowance, allowance_source, exceeded, charge_unmonitored, per, day_zone"
            ],
            id="a key of a limit in a budget",
        ),
        pytest.param(
            '[stages.storage]\ntitle = "In storage"\n\n[stages.transport]\ntitle = "In transit"\n',
            "",
            [
                'limits/frozen.toml:1: stages: is missing; write stages: [stages.NAME] with title = "…"',
                'limits/frozen.toml:26: rules.time-too-warm.stages[0]: stage "transport" does not exist; stages here: none',
            ],
            id="no stages",
        ),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, old: str, new: str, messages: list[str]) -> None:
    """One mistake gives its message, at its line, and no other that only follows from it."""
    text = changed(PROFILE, old, new)
    assert problems(write(tmp_path, profile=text)) == [marked(text, message) for message in messages]
