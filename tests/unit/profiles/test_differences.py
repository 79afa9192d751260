# ruff: noqa: E501 - a message stands on one line, as it is printed
"""What differs between two profiles, and when one may take the place of the other."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config.profile_file import Profile
from coldchain.profiles.differences import Verdict, compare
from coldchain.profiles.load import read, shipped
from coldchain.profiles.succession import succession
from tests.unit.config.small_site import marked
from tests.unit.profiles.texts import BASE

NEXT = BASE.replace('version = "3"', 'version = "4"')


def profile(folder: Path, text: str, name: str = "base") -> Profile:
    """A profile of this text."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    return read(path, complete=False)


@pytest.mark.parametrize("name", shipped())
def test_nothing_differs_from_itself(name: str) -> None:
    """No rule, whatever its kind."""
    found = compare(read(name, complete=False), read(name, complete=False))
    assert found.same
    assert not found.widens
    assert found.head == ()


# Old and new words of the file, the rule that differs, and its verdict.
@pytest.mark.parametrize(
    ("old", "new", "rule", "verdict"),
    [
        ('value = "-165 °C"', 'value = "-160 °C"', "warming", Verdict.WIDER),
        ('value = "-165 °C"', 'value = "-170 °C"', "warming", Verdict.NARROWER),
        (
            'value = "-165 °C"\nhold = "10 min"',
            'value = "-170 °C"\nhold = "20 min"',
            "warming",
            Verdict.BOTH,
        ),
        ('advice = "Look."', 'advice = "Look at once."', "warming", Verdict.TEXT),
        ('stages = ["transport"]', "", "time-too-warm", Verdict.NARROWER),
        ('stages = ["transport"]', 'stages = ["storage"]', "time-too-warm", Verdict.WIDER),
        ('default = "0 min"', 'default = "1 min"', "time-too-warm", Verdict.WIDER),
        ("[rules.warming]", "[rules.warmer]", "warming", Verdict.GONE),
        ("[rules.warming]", "[rules.warmer]", "warmer", Verdict.NEW),
        ('{ figure = "allowance" }', '{ figure = "longest" }', "time-too-warm", Verdict.WIDER),
    ],
)
def test_a_rule_that_differs(tmp_path: Path, old: str, new: str, rule: str, verdict: Verdict) -> None:
    """Which way it went; what cannot be compared counts as wider."""
    assert old in BASE
    found = compare(profile(tmp_path, BASE), profile(tmp_path, NEXT.replace(old, new), "next"))
    assert {each.rule: each.verdict for each in found.rules}[rule] is verdict
    assert found.widens is any(
        each.verdict in {Verdict.WIDER, Verdict.BOTH, Verdict.GONE} for each in found.rules
    )
    assert [change.key for change in found.head] == ["version"]


def test_stages_that_come_and_go(tmp_path: Path) -> None:
    """They are said apart; the rules of the others stay as they are."""
    fewer = NEXT.replace('[stages.storage]\ntitle = "In storage"\n', "")
    found = compare(profile(tmp_path, BASE), profile(tmp_path, fewer, "next"))
    assert (found.stages_gone, found.stages_new, found.rules) == (("storage",), (), ())
    assert not found.same


# What becomes of an approved profile, and every message that it gives. `:@:` is the line that ends in `#<`.
@pytest.mark.parametrize(
    ("text", "messages"),
    [
        pytest.param(BASE + "# seen again\n", [], id="a remark is no change"),
        pytest.param(BASE.replace("Look.", "Look at once."), [], id="a word is no change"),
        pytest.param(
            BASE.replace('value = "-165 °C"', 'value = "-170 °C"').replace(
                'version = "3"', 'version = "3" #<'
            ),
            [
                "base.toml:@: version: is that of what A. Meier, QA approved, and warming differ; write a new version"
            ],
            id="narrower under the same version",
        ),
        pytest.param(
            NEXT.replace('value = "-165 °C"', 'value = "-170 °C"'), [], id="narrower, another version"
        ),
        pytest.param(
            NEXT.replace('hold = "5 min"', 'hold = "9 min" #<'),
            [
                "base.toml:@: rules.too-warm.hold: is 9 min, which is wider than 5 min in version 3, which A. Meier, QA approved; write reason, why that is right now"
            ],
            id="wider without a reason",
        ),
        pytest.param(
            NEXT.replace('hold = "5 min"', 'hold = "9 min"\nreason = "RA-9"'), [], id="wider with a reason"
        ),
        pytest.param(
            NEXT.replace("[rules.warming]", "[rules.warmer]"),
            [
                'base.toml:22: rules.warming: is gone, and is in version 3, which A. Meier, QA approved: vapour above -165 °C for 10 min; write it again, or [rules.warming] with removed = "why"'
            ],
            id="a rule is gone",
        ),
        pytest.param(
            NEXT.split("[rules.warming]")[0]
            + '[rules.warming]\nremoved = "SOP-12"\n\n[rules.too-warm]'
            + NEXT.split("[rules.too-warm]")[1],
            [],
            id="a rule is gone with a reason",
        ),
        pytest.param(
            NEXT.replace('[stages.storage]\ntitle = "In storage"\n', ""),
            [
                "base.toml:17: stages: have lost storage, which is in version 3, which A. Meier, QA approved; keep it, or give the profile an id of its own"
            ],
            id="a stage is gone",
        ),
    ],
)
def test_what_may_take_the_place_of_an_approved_profile(
    tmp_path: Path, text: str, messages: list[str]
) -> None:
    """Another version, and a reason for each rule that is wider or gone."""
    before = profile(tmp_path, BASE)
    found = [str(problem) for problem in succession(before, profile(tmp_path, text))]
    assert found == [marked(text, message) for message in messages]


WORK = """
[works.filling]
title = "Filling"
hides = ["warming"]
longest = "30 min"
advice = "See whether the valve is open."
source = "SOP-12"
confidence = "high"
"""


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("", WORK, Verdict.WIDER),
        (WORK, "", Verdict.NARROWER),
        (WORK, WORK.replace("30 min", "40 min"), Verdict.WIDER),
        (WORK, WORK.replace("30 min", "20 min"), Verdict.NARROWER),
        (WORK, WORK.replace('"warming"', '"warming", "too-warm"'), Verdict.WIDER),
        (WORK, WORK.replace("longest", 'priority = "low"\nlongest'), Verdict.WIDER),
        (
            WORK,
            WORK + '[works.filling.going_on_when]\nrole = "valve"\nside = "above"\nvalue = "50 %"\n',
            Verdict.WIDER,
        ),
        (WORK, WORK.replace("See", "Look"), Verdict.TEXT),
        (WORK, WORK, None),
    ],
)
def test_a_work_that_hides_alarms(tmp_path: Path, old: str, new: str, verdict: Verdict | None) -> None:
    """More, or for longer, is wider; under an approved profile it needs a reason like a rule."""
    before, after = profile(tmp_path, BASE + old), profile(tmp_path, NEXT + new)
    assert [each.verdict for each in compare(before, after).rules] == ([verdict] if verdict else [])
    refused = succession(before, after)
    assert len(refused) == (verdict is Verdict.WIDER)
    for problem in refused:
        assert problem.place.startswith("works.filling")
    with_reason = new.replace("longest", 'reason = "RA-9"\nlongest')
    assert succession(before, profile(tmp_path, NEXT + with_reason)) == []


def test_a_reason_given_before_is_none_now(tmp_path: Path) -> None:
    """Each widening has its own."""
    first = BASE.replace('hold = "5 min"', 'hold = "7 min"\nreason = "RA-9"')
    before = profile(tmp_path, first)
    again = NEXT.replace('hold = "5 min"', 'hold = "9 min"\nreason = "RA-9"')
    assert len(succession(before, profile(tmp_path, again))) == 1


def test_what_nobody_approved_is_replaced_freely(tmp_path: Path) -> None:
    """There is nothing to keep."""
    text = BASE.replace('status = "approved"', 'status = "unapproved"')
    before = profile(tmp_path, text)
    assert succession(before, profile(tmp_path, text.replace('hold = "5 min"', 'hold = "9 min"'))) == []
