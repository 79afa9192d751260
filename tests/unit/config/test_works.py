# ruff: noqa: E501 - a message stands on one line, as it is printed
"""Kinds of work in gateway.toml: what they mean to the fold, and what is wrong with them, word for word."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config import compile as compiled
from coldchain.config import load
from coldchain.model import Priority, Side
from coldchain.plan import OUT_OF_SERVICE, Cause, Moves, Sign
from tests.unit.config.small_site import CONFIG, DRIVERS, PROFILE, changed, marked, problems, write

WORK = """
[works.valve]
title = "Works at the supply"
longest = "8 h"
done_when = { role = "mass", moves = "rises", by = "500 g", within = "24 h", after_end = true }
priority = "critical"
advice = "Open the valve."
source = "our procedure 7"
confidence = "high"
"""


def test_the_plan_s_works(tmp_path: Path) -> None:
    """A kind of work with its sign, and the site's word on how long alarms may be out of service."""
    text = changed(CONFIG, "[alarms.re_alarm]", '[alarms]\nout_of_service_max = "12 h"\n[alarms.re_alarm]')
    text = changed(text, 'valid_high = "60 kg"', 'valid_high = "60 kg"\ntouch = "200 g"')
    plan = compiled(load(write(tmp_path, text + WORK), drivers=DRIVERS))
    service, valve = plan.works
    assert (service.id, service.longest_ms, service.hides) == (OUT_OF_SERVICE, 43_200_000, ())
    assert (valve.id, valve.longest_ms, valve.hides, valve.cause) == ("valve", 28_800_000, (), None)
    assert valve.sign == Sign("mass", Moves.RISES, 5000, within_ms=86_400_000, after_end=True)
    assert (valve.priority, valve.re_alarm_ms) == (Priority.CRITICAL, 900_000)
    assert valve.cited.source == "our procedure 7"
    assert {channel.id: channel.touch for channel in plan.channels} == {
        "dewar-2.vapour": None,
        "shipper-7.vapour": None,
        "shipper-7.mass": 2000,
    }


def test_without_the_site_s_word_nothing_is_taken_out_of_service(tmp_path: Path) -> None:
    """There is no default: how long nobody may be called is the site's decision."""
    assert compiled(load(write(tmp_path), drivers=DRIVERS)).works == ()


@pytest.mark.parametrize(
    ("old", "new", "messages"),
    [
        pytest.param(
            'longest = "8 h"',
            'longest = "0 h" #<',
            [
                'gateway.toml:@: works.valve.longest: is no time at all; write a time above zero, such as "10 s"'
            ],
            id="no time at all",
        ),
        pytest.param(
            'longest = "8 h"\n',
            "",
            ['gateway.toml:@: works.valve.longest: is missing; write it, such as longest = "30 min"'],
            id="no end",
        ),
        pytest.param(
            'by = "500 g"',
            'by = "-500 g"',
            [
                'gateway.toml:@: works.valve.done_when: by "-500 g" is no move; write how far it must move, without a sign'
            ],
            id="a negative move",
        ),
        pytest.param(
            'within = "24 h", ',
            "",
            [
                'gateway.toml:@: works.valve.done_when: must come after the end and is not waited for; write within = "24 h", or how long that takes'
            ],
            id="a sign that can never come",
        ),
        pytest.param(
            'role = "mass"',
            'role = "level"',
            [
                'gateway.toml:@: works.valve.done_when.role: no channel has the role "level"; roles here: mass, vapour'
            ],
            id="a sign that nobody measures",
        ),
        pytest.param(
            'by = "500 g"',
            'by = "20 mm"',
            [
                'gateway.toml:@: works.valve.done_when.by: "mass" is a mass, not a level; write it in the unit of that quantity'
            ],
            id="a sign of another quantity",
        ),
        pytest.param(
            'advice = "Open the valve."\n',
            "",
            [
                'gateway.toml:@: works.valve.advice: is missing; write it, such as advice = "See whether the valve is open again."'
            ],
            id="an alarm that asks for nothing",
        ),
        pytest.param(
            "[works.valve]",
            "[works.out-of-service] #<",
            [
                "gateway.toml:@: works.out-of-service: is the kind of work with no more said; give it another name, or write alarms.out_of_service_max"
            ],
            id="the name that is taken",
        ),
    ],
)
def test_what_is_wrong(tmp_path: Path, old: str, new: str, messages: list[str]) -> None:
    """Each with line, place, fault and mend."""
    text = CONFIG + changed(WORK, old, new)
    if "#<" not in text:
        line = "done_when" if "done_when" in messages[0] else "[works.valve]"
        text = "\n".join(f"{each} #<" if each.startswith(line) else each for each in text.split("\n"))
    assert problems(write(tmp_path, text)) == [marked(text, message) for message in messages]


@pytest.mark.parametrize("touch", ["0 g", "-5 g"])
def test_a_touch_moves_the_reading(tmp_path: Path, touch: str) -> None:
    """A touch that every reading shows confirms nothing."""
    text = changed(CONFIG, 'valid_high = "60 kg"', f'valid_high = "60 kg"\ntouch = "{touch}"')
    said = problems(write(tmp_path, text))
    assert [one.split(": ", 2)[2] for one in said] == [
        f'touch "{touch}" is no move; write how far a touch moves the reading'
    ]


FILLING = """
[works.filling]
title = "Filling"
hides = ["too-warm"]
going_on_when = { role = "valve", side = "above", value = "50 %" }
longest = "30 min"
done_when = { role = "mass", moves = "rises", by = "500 g", within = "10 min" }
advice = "See whether nitrogen came."
source = "our procedure 8"
confidence = "medium"
"""


def test_a_profile_s_works(tmp_path: Path) -> None:
    """What a profile suppresses by design is data in it: which rules, for how long, begun and confirmed by what."""
    loaded = load(write(tmp_path, profile=PROFILE + FILLING), drivers=DRIVERS)
    (work,) = compiled(loaded).profiles[0].works
    assert (work.hides, work.longest_ms, work.cause) == (
        ("too-warm",),
        1_800_000,
        Cause("valve", Side.ABOVE, 5000),
    )
    assert work.sign == Sign("mass", Moves.RISES, 5000, within_ms=600_000)
    assert [warning.what for warning in loaded.warnings] == [
        "no reading shows mass, valve there, and filling of its profile is told by it",
        "no reading shows valve there, and filling of its profile is told by it",
    ]


def test_a_profile_s_work_in_sentences(tmp_path: Path) -> None:
    """Every number and unit of it, as somebody would sign it."""
    loaded = load(write(tmp_path, profile=PROFILE + FILLING), drivers=DRIVERS)
    assert loaded.profiles["frozen"].head.works["filling"].sentences() == [
        "While it goes on the alarms of too-warm call nobody; they are judged and recorded all the same.",
        "A person says that it begins, or valve is above 50 %.",
        "It ends after 30 min at the latest, and then they call again.",
        "It counts as done when mass has risen by 500 g since it began, at the latest 10 min after its end.",
        "Else a high alarm says that its end is not confirmed.",
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            'hides = ["too-warm"]',
            'hides = ["to-warm"]',
            'profiles/frozen.toml: works.filling.hides[0]: rule "to-warm" does not exist; write "too-warm"',
            id="a rule that is not there",
        ),
        pytest.param(
            'hides = ["too-warm"]',
            "hides = []",
            "profiles/frozen.toml: works.filling: hides nothing; name the rules whose alarms it explains",
            id="nothing to hide",
        ),
    ],
)
def test_what_is_wrong_in_a_profile(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Said in the profile's own file."""
    (said,) = problems(write(tmp_path, profile=PROFILE + changed(FILLING, old, new)))
    file, place = said.split(": ", 1)
    assert f"{file.rsplit(':', 1)[0].replace('limits/', 'profiles/')}: {place}" == message


def test_a_profile_takes_works_over(tmp_path: Path) -> None:
    """One that extends another has its works, and a set brings those that explain its rules, renamed."""
    path = write(tmp_path, profile=PROFILE + FILLING)
    (tmp_path / "limits" / "ours.toml").write_text(
        """
id = "ours"
version = "1"
status = "unapproved"
title = "Ours"
product_state = "frozen"

[stages.home]
title = "At home"
sets = [{ profile = "frozen", version = "3", stage = "storage", prefix = "their" }]
""",
        encoding="utf-8",
    )
    text = changed(CONFIG, 'directories = ["limits"]', 'directories = ["limits"]\nuse = ["ours"]')
    path.write_text(text, encoding="utf-8")
    loaded = load(path, drivers=DRIVERS)
    work = loaded.profiles["ours"].plan.works[0]
    assert (work.id, work.hides) == ("their-filling", ("their-too-warm",))
