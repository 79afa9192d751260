"""Dangerous and impossible profiles: each is found, at its line, with the mend and how grave it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config import load
from coldchain.profiles.linting import (
    CODES,
    Finding,
    Probe,
    Severity,
    lint,
    of_command_line,
    of_configuration,
    passes,
)
from coldchain.profiles.linting.knowledge import knowledge
from coldchain.profiles.load import read, shipped
from tests.unit.config.small_site import CONFIG, DRIVERS, changed, write

HEAD = """\
id = "ours"
version = "1"
status = "unapproved"
title = "Ours"
product_state = "any"

[stages.transport]
title = "In transit"
"""


def rule(name: str, side: str, value: str, **keys: str) -> str:
    """A rule's text. Keys are written as they stand; a hold brings its source."""
    table = {
        "role": '"probe"',
        "side": f'"{side}"',
        "value": f'"{value}"',
        "priority": '"critical"',
        "latched": "true",
        "advice": '"Look."',
        "source": '"SP-3"',
        "confidence": '"high"',
    } | keys
    for key in ("hold", "deadband", "off_delay"):
        if key in keys:
            table[f"{key}_source"] = '"RA-7"'
    return "\n".join([f"[rules.{name}]", *(f"{key} = {text}" for key, text in table.items()), ""])


def warn(name: str, side: str, value: str, **keys: str) -> str:
    """The text of a warning."""
    return rule(name, side, value, **({"priority": '"low"', "latched": "false", "hold": '"5 min"'} | keys))


FROZEN = rule("hot", "above", "-150 °C", hold='"5 min"') + warn("warm", "above", "-165 °C")
COOL = rule("hot", "above", "8 °C", hold='"10 min"') + rule("cold", "below", "2 °C", hold='"10 min"')


def found(folder: Path, text: str, *channels: Probe) -> list[Finding]:
    """What lint finds in a profile, notes left out."""
    path = folder / "ours.toml"
    path.write_text(text, encoding="utf-8")
    watched = [of_command_line(channel) for channel in channels]
    findings = lint(read(path, complete=False), watched or None)
    assert all(finding.code in CODES for finding in findings)
    return [finding for finding in findings if finding.severity is not Severity.NOTE]


@pytest.mark.parametrize("rules", [FROZEN, COOL])
def test_a_sane_profile_passes(tmp_path: Path, rules: str) -> None:
    """What the cases below start from has nothing wrong with it."""
    assert found(tmp_path, HEAD + rules) == []


# A profile's rules, the line that the finding must name, its code, how grave, and words of what and mend.
@pytest.mark.parametrize(
    ("rules", "line", "code", "severity", "words"),
    [
        pytest.param(
            rule("hot", "above", "2 °C") + rule("cold", "below", "8 °C"),
            'value = "2 °C"',
            "nothing-inside",
            "error",
            ["cold already calls below 8 °C", "correct one of them"],
            id="the sides are exchanged",
        ),
        pytest.param(
            rule("hot", "above", "5 °C", outside='"at_or_beyond"')
            + rule("cold", "below", "5 °C", outside='"at_or_beyond"'),
            'value = "5 °C"',
            "nothing-inside",
            "error",
            ["every value is outside"],
            id="both sides are outside at the very value",
        ),
        pytest.param(
            rule("hot", "above", "-300 °C"),
            'value = "-300 °C"',
            "beyond-nature",
            "error",
            ["nothing is colder than -273.15 °C"],
            id="below absolute zero",
        ),
        pytest.param(
            rule("hot", "above", "-198 °C"),
            'value = "-198 °C"',
            "beyond-nature",
            "error",
            ["nitrogen boils at -195.8 °C"],
            id="an upper limit below the boiling point of nitrogen",
        ),
        pytest.param(
            rule("low", "below", "-1 %"),
            'value = "-1 %"',
            "beyond-nature",
            "error",
            ["between 0 % and 100 %"],
            id="less than nothing",
        ),
        pytest.param(
            rule("light", "below", "-2 kg"),
            'value = "-2 kg"',
            "beyond-nature",
            "error",
            ["no negative mass"],
            id="a negative mass",
        ),
        pytest.param(
            rule("hot", "above", "8 °C", deadband='"6 °C"') + rule("cold", "below", "2 °C"),
            'deadband = "6 °C"',
            "deadband-across",
            "error",
            ["would have to pass the limit of cold", "make it smaller"],
            id="a deadband that reaches the lower limit",
        ),
        pytest.param(
            rule("hot", "above", "8 °C") + rule("cold", "below", "2 °C", deadband='"7 °C"'),
            'deadband = "7 °C"',
            "deadband-across",
            "error",
            ["would have to pass the limit of hot"],
            id="a deadband that reaches the upper limit",
        ),
        pytest.param(
            COOL + rule("sum", "below", "8 °C", kind='"budget"', allowance='"1 h"', priority='"low"'),
            'side = "below"',
            "budget-wrong-side",
            "error",
            ["2 °C to 8 °C", 'write side = "above"'],
            id="a budget for all that is inside",
        ),
        pytest.param(
            FROZEN + rule("sum", "below", "-150 °C", kind='"budget"', allowance='"0 min"', priority='"low"'),
            'side = "below"',
            "budget-wrong-side",
            "error",
            ["charged for every value", 'write side = "above"'],
            id="a budget for the cold of a frozen product",
        ),
        pytest.param(
            COOL + rule("sum", "above", "2 °C", kind='"budget"', allowance='"1 h"', priority='"low"'),
            'side = "above"',
            "budget-wrong-side",
            "error",
            ['write side = "below"'],
            id="a budget above the lower limit",
        ),
        pytest.param(
            COOL + warn("warm", "above", "9 °C", hold='"30 min"'),
            'value = "9 °C"',
            "warning-beyond-critical",
            "warning",
            ["hot (critical) calls first, at 8 °C for 10 min", "let it warn before"],
            id="a warning beyond the critical limit",
        ),
        pytest.param(
            COOL + warn("chill", "below", "2 °C", hold='"30 min"'),
            'value = "2 °C"',
            "warning-beyond-critical",
            "warning",
            ["cold (critical) calls first"],
            id="a warning at the critical value that comes later",
        ),
        pytest.param(
            COOL + rule("again", "above", "8 °C", hold='"10 min"'),
            "[rules.again]",
            "told-twice",
            "warning",
            ["the same as hot", "remove one"],
            id="the same limit twice",
        ),
        pytest.param(
            rule("hot", "above", "8 °C"),
            'side = "above"',
            "low-side-missing",
            "warning",
            ["freezing is the common failure", "add a lower limit"],
            id="nothing tells that a fresh product freezes",
        ),
        pytest.param(
            rule("cold", "below", "2 °C"),
            'side = "below"',
            "high-side-missing",
            "warning",
            ["gets too warm", "add an upper limit"],
            id="nothing tells that it gets warm",
        ),
        pytest.param(
            warn("warm", "above", "-165 °C"),
            "[stages.transport]",
            "no-critical",
            "warning",
            ["nothing in it makes anybody run"],
            id="only warnings",
        ),
        pytest.param(
            rule("hot", "above", "-150 °C", hold='"5 min"', fires='"on_reading"'),
            'fires = "on_reading"',
            "critical-waits",
            "warning",
            ["if the probe dies", 'fires = "at_due"'],
            id="a critical limit that waits for a reading",
        ),
        pytest.param(
            rule("hot", "above", "-150 °C", latched="false", hold='"5 min"'),
            "latched = false",
            "critical-not-latched",
            "warning",
            ["ends by itself"],
            id="a critical limit that ends by itself",
        ),
        pytest.param(
            rule("hot", "above", "-150 °C", confidence='"none"'),
            'confidence = "none"',
            "nothing-known",
            "warning",
            ["decides about the product"],
            id="a critical limit that nobody believes in",
        ),
        pytest.param(
            COOL + warn("warm", "above", "7 °C", hold='"0 min"'),
            "[rules.warm]",
            "chatter",
            "warning",
            ["comes and goes with every wobble"],
            id="a warning that chatters",
        ),
        pytest.param(
            rule("hot", "above", "-150 °C", hold='"25 min"'),
            'hold = "25 min"',
            "delay-too-long",
            "warning",
            ["warms to -128.5 °C", "from -132 °C on", "shorter than 20 min"],
            id="the cells are harmed before the alarm",
        ),
        pytest.param(
            rule("hot", "above", "-120 °C", hold='"2 min"'),
            'hold = "2 min"',
            "delay-too-long",
            "warning",
            ["not below -132 °C", "there is no time to lose"],
            id="a hold where no time is left",
        ),
        pytest.param(
            rule("hot", "above", "-150 °C") + warn("warm", "above", "-165 °C", hold='"20 min"'),
            'hold = "20 min"',
            "warning-too-late",
            "warning",
            ["warms to -147.8 °C", "-150 °C is critical"],
            id="a warning that comes with the critical alarm",
        ),
        pytest.param(
            '[[accepted]]\ndoubt = "chater"\nreason = "SP-3"\n' + FROZEN,
            'doubt = "chater"',
            "accepted-nothing",
            "warning",
            ["is no doubt of lint", 'did you mean "chatter"?'],
            id="an answer to a doubt that does not exist",
        ),
        pytest.param(
            '[[accepted]]\ndoubt = "chatter"\nreason = "SP-3"\n' + FROZEN,
            'doubt = "chatter"',
            "accepted-nothing",
            "warning",
            ["does not arise here", "remove the answer"],
            id="an answer to a doubt that does not arise",
        ),
    ],
)
def test_what_is_dangerous_is_found(
    tmp_path: Path, rules: str, line: str, code: str, severity: str, words: list[str]
) -> None:
    """Just this one, at its line, with what to do."""
    text = HEAD + rules
    (finding,) = found(tmp_path, text)
    problem = finding.problem
    assert (finding.code, finding.severity) == (code, severity)
    assert problem.file == "ours.toml"
    assert text.split("\n")[problem.line - 1] == line
    for word in words:
        assert word in f"{problem.what}; {problem.mend}"
    assert str(finding).startswith(f"ours.toml:{problem.line}: {severity}: ")
    assert str(finding).endswith(f"[{code}]")


def test_the_same_is_found_in_transit_alone(tmp_path: Path) -> None:
    """Limits of different stages are not held against each other."""
    two = HEAD + '[stages.storage]\ntitle = "x"\n'
    rules = rule("hot", "above", "2 °C", stages='["storage"]') + rule(
        "cold", "below", "8 °C", stages='["transport"]'
    )
    codes = {finding.code for finding in found(tmp_path, two + rules)}
    assert codes == {"low-side-missing", "high-side-missing"}


PROBE: dict[str, str] = {"role": "probe", "valid_low": "-200 °C", "valid_high": "60 °C"}


# A profile, what is said of its probe, the key that is doubted, the code, how grave, and words.
@pytest.mark.parametrize(
    ("rules", "channel", "key", "code", "severity", "words"),
    [
        pytest.param(
            FROZEN,
            {"valid_low": "-40 °C"},
            "valid_low",
            "probe-cannot-measure",
            "error",
            ["cannot see both sides of -150 °C", "use a probe that can"],
            id="a probe that ends at -40 °C",
        ),
        pytest.param(
            COOL,
            {"valid_high": "8 °C"},
            "valid_high",
            "probe-cannot-measure",
            "error",
            ["both sides of 8 °C"],
            id="a probe that ends at the limit",
        ),
        pytest.param(
            COOL,
            {"uncertainty": "3 °C"},
            "calibration",
            "inside-probe-error",
            "error",
            ["between 2 °C and 8 °C it can be sure of no value"],
            id="the whole band lies inside the probe's error",
        ),
        pytest.param(
            COOL + warn("warm", "above", "7.5 °C"),
            {"uncertainty": "0.6 °C"},
            "calibration",
            "inside-probe-error",
            "warning",
            ["cannot tell 7.5 °C from 8 °C"],
            id="a warning inside the probe's error",
        ),
        pytest.param(
            FROZEN,
            {"valid_low": "-220 °C"},
            "valid_low",
            "window-too-wide",
            "warning",
            ["a shorted probe", '"-200 °C"'],
            id="a shorted probe is believed",
        ),
        pytest.param(
            FROZEN,
            {"fresh_within": "40 min"},
            "fresh_within",
            "fresh-too-long",
            "warning",
            ["needs 38 min", "38 min at most"],
            id="silence of a frozen product's probe is noticed too late",
        ),
        pytest.param(
            COOL,
            {"fresh_within": "31 min"},
            "fresh_within",
            "fresh-too-long",
            "warning",
            ["ajar is out within 30 min"],
            id="silence of a refrigerator's probe is noticed too late",
        ),
        pytest.param(
            COOL,
            {"silence_priority": "low"},
            "silence_priority",
            "silence-unheard",
            "warning",
            ["nobody guards cold, hot"],
            id="nobody hears that the probe is silent",
        ),
        pytest.param(
            COOL,
            {"interval": "4 min"},
            "interval",
            "fires-unstated",
            "warning",
            ["readings 4 min apart, few for 10 min", "at_due"],
            id="few readings for a hold",
        ),
        pytest.param(
            rule("hot", "above", "-150 °C", hold='"15 min"', fires='"at_due"'),
            {"interval": "10 min"},
            None,
            "delay-too-long",
            "warning",
            ["15 min and readings 10 min apart"],
            id="hold and interval together are too long",
        ),
        pytest.param(
            COOL + '[needs.a]\nrole = "probe"\nprobe = ["buffered"]\nsource = "SP-3"\nconfidence = "high"\n',
            {"probe": "air"},
            "probe",
            "not-as-needed",
            "warning",
            ["is air (needs.a: SP-3)", "use a probe that is buffered"],
            id="a probe in air where it must be buffered",
        ),
    ],
)
def test_what_is_dangerous_with_a_probe_is_found(
    tmp_path: Path,
    rules: str,
    channel: dict[str, str],
    key: str | None,
    code: str,
    severity: str,
    words: list[str],
) -> None:
    """All that is found is of this kind, and names the key of the channel or the rule."""
    findings = found(tmp_path, HEAD + rules, Probe.model_validate(PROBE | channel))
    assert {(finding.code, finding.severity) for finding in findings} == {(code, severity)}
    said = " ".join(f"{each.problem.what}; {each.problem.mend}" for each in findings)
    for word in words:
        assert word in said
    if key is not None:
        assert {finding.problem.place for finding in findings} == {f"probe.{key}"}


@pytest.mark.parametrize("rules", [FROZEN, COOL])
def test_a_sane_probe_passes(tmp_path: Path, rules: str) -> None:
    """What the cases above start from has nothing wrong with it."""
    good = PROBE | {"interval": "1 min", "fresh_within": "10 min", "uncertainty": "0.3 °C"}
    assert found(tmp_path, HEAD + rules, Probe.model_validate(good)) == []


def test_a_role_that_is_forgotten(tmp_path: Path) -> None:
    """A stage measured in part: the rest was meant, too."""
    other = rule("shell", "above", "-120 °C", role='"shell"')
    (finding,) = found(tmp_path, HEAD + FROZEN + other, Probe.model_validate(PROBE))
    assert finding.code == "not-measured"
    assert "shell" in finding.problem.what


def test_an_answer_lets_it_pass_and_is_read(tmp_path: Path) -> None:
    """A doubt that the profile answers is a note with the reason; an error cannot be answered."""
    answer = '[[accepted]]\ndoubt = "low-side-missing"\nreason = "freezing does no harm"\nby = "A. Meier"\n'
    path = tmp_path / "ours.toml"
    path.write_text(HEAD + answer + rule("hot", "above", "8 °C"), encoding="utf-8")
    findings = lint(read(path))
    assert passes(findings)
    (note,) = (each for each in findings if each.code == "low-side-missing")
    assert note.severity is Severity.NOTE
    assert "accepted: freezing does no harm (A. Meier)" in str(note)
    wrong = answer.replace("low-side-missing", "nothing-inside")
    path.write_text(
        HEAD + wrong + rule("hot", "above", "2 °C") + rule("cold", "below", "8 °C"), encoding="utf-8"
    )
    assert {each.code for each in lint(read(path)) if each.severity is Severity.ERROR} == {"nothing-inside"}


def test_an_answer_for_other_rules_or_stages_answers_nothing(tmp_path: Path) -> None:
    """It is about what it names."""
    text = HEAD + '[stages.hub]\ntitle = "x"\n' + rule("hot", "above", "8 °C", stages='["transport"]')
    for where in ('rules = ["cold"]', 'stages = ["hub"]'):
        answer = f'[[accepted]]\ndoubt = "low-side-missing"\n{where}\nreason = "SP-3"\n'
        codes = {finding.code for finding in found(tmp_path, text + answer)}
        assert codes == {"low-side-missing", "accepted-nothing"}


def test_channels_of_a_configuration(tmp_path: Path) -> None:
    """Findings about a channel stand at its line in gateway.toml; what the site leaves out is seen."""
    config = changed(CONFIG, '[alarms.re_alarm]\ncritical = "15 min"\n', "")
    config = changed(config, 'fresh_within = "2 min"', 'fresh_within = "50 min"')
    loaded = load(write(tmp_path, config), drivers=DRIVERS)
    findings = lint(loaded.profiles["frozen"], of_configuration(loaded, "frozen"))
    by_code = {finding.code: finding for finding in findings if finding.severity is Severity.WARNING}
    assert set(by_code) == {"fresh-too-long", "uncalibrated", "no-re-alarm", "critical-not-latched"}
    late = by_code["fresh-too-long"].problem
    assert (late.file, late.place) == ("gateway.toml", 'channels."dewar-2.vapour".fresh_within')
    assert config.split("\n")[late.line - 1] == 'fresh_within = "50 min"'
    assert by_code["no-re-alarm"].problem.place == "rules.too-warm.re_alarm"


def test_rules_that_wait_for_a_figure_are_named(tmp_path: Path) -> None:
    """A note says which figure, and where the site writes it."""
    text = (
        HEAD
        + '[figures.longest]\ntitle = "Longest time above -150 °C"\n'
        + rule("hot", "above", "-150 °C", hold='"5 min"').replace(
            'hold = "5 min"', 'hold = { figure = "longest" }'
        )
    )
    path = tmp_path / "ours.toml"
    path.write_text(text, encoding="utf-8")
    findings = lint(read(path, complete=False))
    assert [each.code for each in findings] == ["not-looked-at", "figure-missing"]
    assert "[profiles.figures.ours.longest]" in findings[1].problem.mend


@pytest.mark.parametrize("name", shipped())
def test_what_ships_passes(name: str) -> None:
    """Nothing to mend, and nothing that its file does not answer."""
    findings = lint(read(name, complete=False))
    assert passes(findings), "\n".join(map(str, findings))


def test_what_lint_knows_has_sources() -> None:
    """Each number of the world stands in a file with its source, and in no code."""
    known = knowledge()
    for name in type(known).model_fields:
        assert len(getattr(known, name).source) > 20
    assert known.catastrophic_warming.rise_in(3_600_000) == 51_600
    assert known.catastrophic_warming.time_for(18_000) == 1_255_813  # −150 to −132 °C: 20.9 min
