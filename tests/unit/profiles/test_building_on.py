# ruff: noqa: E501 - a message stands on one line, as it is printed
"""A profile that builds on another: what it has of it, what it may change, and what it must say then."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.config import ConfigError
from coldchain.config.rule_tables import BudgetTable, LimitTable
from coldchain.config.settings import SiteFigure
from coldchain.plan import Limit
from coldchain.profiles.load import read
from tests.unit.config.small_site import changed, marked
from tests.unit.profiles.texts import BASE, CHOOSING, OURS, problems_of, read_ours, write_profiles

NARROWER = '[rules.too-warm]\nhold = "2 min"\nhold_source = "RA-9"\n'


def test_what_is_not_written_over_is_that_of_the_other(tmp_path: Path) -> None:
    """Rules, stages and figures come along; the changed key alone is ours, with our source."""
    ours, base = read_ours(tmp_path, OURS + NARROWER), read(tmp_path / "base.toml", complete=False)
    assert list(ours.rules) == list(base.rules)
    assert list(ours.head.stages) == ["storage", "transport"]
    assert ours.head.product_state == "frozen"
    before, after = base.rules["too-warm"], ours.rules["too-warm"]
    assert isinstance(after, LimitTable)
    assert (after.hold, after.hold_source, after.source) == (120_000, "RA-9", "SP-3")
    assert ours.rules["warming"] == base.rules["warming"]
    assert before != after


def test_a_changed_rule_is_no_longer_approved(tmp_path: Path) -> None:
    """Who approved five minutes has not approved two; what is not changed is approved as before."""
    ours = read_ours(tmp_path, OURS + NARROWER)
    assert ours.rules["too-warm"].approved_by == ""
    assert ours.rules["warming"].approved_by == "A. Meier, QA"
    assert not ours.plan.approved


def test_a_word_of_ours_changes_no_approval(tmp_path: Path) -> None:
    """Advice and title judge nothing."""
    ours = read_ours(tmp_path, OURS + '[rules.too-warm]\nadvice = "Move it to room 4."\n')
    assert ours.rules["too-warm"].advice == "Move it to room 4."
    assert ours.rules["too-warm"].approved_by == "A. Meier, QA"


def test_a_rule_is_taken_away_with_a_reason(tmp_path: Path) -> None:
    """It no longer judges, and the reason is kept."""
    ours = read_ours(tmp_path, OURS + '[rules.warming]\nremoved = "no one is there to answer it: SOP-12"\n')
    assert "warming" not in ours.rules
    assert ours.document.removed["warming"].reason == "no one is there to answer it: SOP-12"
    assert all(rule.id != "warming" for stage in ours.plan.stages for rule in stage.rules)


def test_wider_with_a_reason(tmp_path: Path) -> None:
    """A site may, if it says why."""
    text = '[rules.too-warm]\nhold = "9 min"\nhold_source = "RA-9"\nreason = "the probe hangs in the lid: RA-9, 3.2"\n'
    rule = read_ours(tmp_path, OURS + text).rules["too-warm"]
    assert isinstance(rule, LimitTable)
    assert rule.hold == 540_000


def test_a_stage_chooses_a_set(tmp_path: Path) -> None:
    """The rules that hold in that stage of the other, under our names, with their figures."""
    ours = read_ours(tmp_path, CHOOSING)
    assert list(ours.rules) == ["lorry-warming", "lorry-too-warm", "lorry-time-too-warm"]
    assert [ours.holds_in(rule) for rule in ours.rules] == [("lorry",)] * 3
    assert list(ours.head.figures) == ["lorry-allowance"]
    given = {"lorry-allowance": SiteFigure(value="30 min", source="study 12", approved_by="B")}
    budget = read(tmp_path / "ours.toml", given).rules["lorry-time-too-warm"]
    assert isinstance(budget, BudgetTable)
    assert budget.allowance == 1_800_000


def test_a_set_s_rule_is_written_over(tmp_path: Path) -> None:
    """Key by key, as with a whole profile."""
    text = '\n[rules.lorry-too-warm]\nvalue = "-155 °C"\nsource = "SP-4"\n\n[rules.lorry-warming]\nremoved = "SOP-12"\n'
    ours = read_ours(tmp_path, CHOOSING + text)
    assert list(ours.rules) == ["lorry-too-warm", "lorry-time-too-warm"]
    (stage,) = ours.plan.stages
    rule = stage.rules[0]
    assert isinstance(rule, Limit)
    assert (rule.limit, rule.hold_ms, rule.cited.source) == (-155_000, 300_000, "SP-4; hold: RA-7")


def test_two_sets_in_a_stage(tmp_path: Path) -> None:
    """Each with a prefix of its own."""
    sets = '{ profile = "base", version = "3", stage = "transport" }'
    more = sets.replace(" }", ', prefix = "again" }')
    ours = read_ours(tmp_path, CHOOSING.replace(sets, f"{sets}, {more}"))
    assert [rule for rule in ours.rules if rule.startswith("again-")] == [
        "again-warming", "again-too-warm", "again-time-too-warm",
    ]  # fmt: skip


def test_two_steps(tmp_path: Path) -> None:
    """A profile may build on one that builds on another; the problem stands where it was written."""
    middle = OURS.replace('"ours"', '"middle"') + NARROWER
    ours = OURS.replace('"base"', '"middle"').replace('"3"', '"1"')
    rule = read_ours(tmp_path, ours, middle=middle).rules["too-warm"]
    assert isinstance(rule, LimitTable)
    assert rule.hold == 120_000
    assert problems_of(tmp_path, ours, middle=middle.replace("2 min", "2 mins")) == [
        'middle.toml:8: rules.too-warm.hold: "2 mins": unknown unit "mins"; write "2 min"'
    ]


def test_the_hash_is_of_all_parts(tmp_path: Path) -> None:
    """A change of what it builds on is another profile; without a base the hash is that of the text."""
    ours = read_ours(tmp_path, OURS)
    base = read(tmp_path / "base.toml", complete=False)
    assert base.plan.sha256 == base.document.own.sha256
    other = read_ours(tmp_path, OURS, base=BASE + "\n# seen again\n")
    assert len({ours.plan.sha256, other.plan.sha256, base.plan.sha256, ours.document.own.sha256}) == 4
    assert [part.name for part in ours.document.parts()] == ["ours.toml", "profiles/base.toml"]


# What ours says below its head, and every message that it must give. `:@:` is the line that ends in `#<`.
@pytest.mark.parametrize(
    ("ours", "messages"),
    [
        pytest.param(
            OURS + '[rules.too-warm]\nhold = "9 min" #<\nhold_source = "RA-9"\n',
            [
                "ours.toml:@: rules.too-warm.hold: is 9 min, which is wider than 5 min in base (too-warm); write reason, why that is right here"
            ],
            id="a longer hold without a reason",
        ),
        pytest.param(
            OURS + '[rules.too-warm]\nvalue = "-140 °C" #<\nsource = "SP-9"\n',
            [
                "ours.toml:@: rules.too-warm.value: is -140 °C, which is wider than -150 °C in base (too-warm); write reason, why that is right here"
            ],
            id="a higher limit without a reason",
        ),
        pytest.param(
            OURS + "[rules.too-warm]\nlatched = false #<\n",
            [
                "ours.toml:@: rules.too-warm.latched: is false, which is wider than true in base (too-warm); write reason, why that is right here"
            ],
            id="a latch taken off without a reason",
        ),
        pytest.param(
            OURS + '[rules.too-warm]\nrole = "product" #<\n',
            [
                "ours.toml:@: rules.too-warm.role: is product, which is wider than vapour in base (too-warm); write reason, why that is right here"
            ],
            id="another role is not known to be narrower",
        ),
        pytest.param(
            OURS + '[rules.too-warm]\nstages = ["transport"] #<\n',
            [
                "ours.toml:@: rules.too-warm.stages: is transport, which is wider than storage, transport in base (too-warm); write reason, why that is right here"
            ],
            id="a stage less without a reason",
        ),
        pytest.param(
            OURS
            + '[rules.too-warm]\nkind = "budget" #<\nallowance = "0 min"\n',
            [
                'ours.toml:@: rules.too-warm.kind: is not limit, as it is in base (too-warm); take that rule away (removed = "why"), and write this one under another name',
            ],
            id="another kind of rule",
        ),
        pytest.param(
            OURS + '[rules.too-warm]\nhold = "2 min" #<\n',
            [
                "ours.toml:@: rules.too-warm.hold: is 2 min, and its source still is that of 5 min in base (too-warm); write hold_source"
            ],
            id="another number with the old source",
        ),
        pytest.param(
            OURS + '[rules.too-warm]\nvalue = "-155 °C" #<\n',
            [
                "ours.toml:@: rules.too-warm.value: is -155 °C, and its source still is that of -150 °C in base (too-warm); write source"
            ],
            id="another limit with the old source",
        ),
        pytest.param(
            OURS + '[figures.allowance]\ndefault = "30 min" #<\n',
            [
                "ours.toml:@: figures.allowance.default: is 30 min, and its source still is that of 0 s in base (time-too-warm); write source",
                "ours.toml:@: figures.allowance.default: is 30 min, which is wider than 0 s in base (time-too-warm); write reason, why that is right here",
            ],
            id="a larger default of a figure",
        ),
        pytest.param(
            OURS + '[rules.warming]\nremoved = " " #<\n',
            ['ours.toml:@: rules.warming.removed: gives no reason; write why, such as removed = "SOP-12, 4.1"'],
            id="removed for no reason",
        ),
        pytest.param(
            OURS + '[rules.warming]\nremoved = "SOP-12"\nhold = "9 min" #<\n',
            [
                "ours.toml:@: rules.warming.hold: stands at a rule that is removed; remove it, or the line removed"
            ],
            id="removed and changed",
        ),
        pytest.param(
            OURS + '[rules.warmin] #<\nremoved = "SOP-12"\n',
            ['ours.toml:@: rules.warmin: is removed, and there is no such rule; did you mean "warming"?'],
            id="the wrong name removed",
        ),
        pytest.param(
            OURS.replace('"base"', '"bas" #<'),
            [
                'ours.toml:@: extends: there is no profile "bas"; did you mean "base"?',
            ],
            id="no such base",
        ),
        pytest.param(
            OURS.replace('"3"', '"2" #<') + 'product_state = "frozen"\n[stages.storage]\ntitle = "x"\n',
            [
                'ours.toml:@: extends_version: base is version 3 now, not 2; see what that changes, then write extends_version = "3"'
            ],
            id="the base has changed",
        ),
        pytest.param(
            OURS.replace('extends_version = "3"\n', 'product_state = "frozen"\n[stages.storage]\ntitle = "x"\n'),
            [
                'ours.toml:1: extends_version: is missing: base is version 3 now; read it, then write extends_version = "3"'
            ],
            id="which version is not said",
        ),
        pytest.param(
            OURS.replace('extends = "base"\n', 'product_state = "frozen"\n[stages.storage]\ntitle = "x"\n'),
            None,
            id="a version of nothing",
        ),
        pytest.param(
            OURS.replace('"base"', '"ours" #<') + 'product_state = "frozen"\n[stages.storage]\ntitle = "x"\n',
            ['ours.toml:@: extends: "ours" builds on itself; give the new profile an id of its own'],
            id="it builds on itself",
        ),
        pytest.param(
            OURS + '[stages.transport]\ntitle = "x"\nsets = [{ profile = "base", version = "3" }] #<\n',
            [
                "ours.toml:@: stages.transport.sets: are chosen in the profile that this one extends; write over single rules, or choose sets for a stage of its own"
            ],
            id="a set for an inherited stage",
        ),
        pytest.param(
            CHOOSING.replace(', stage = "transport" }]', " }] #<"),
            [
                "ours.toml:@: stages.lorry.sets[0].stage: base has several stages; write stage, one of storage, transport"
            ],
            id="a set without its stage",
        ),
        pytest.param(
            CHOOSING.replace('"transport" }]', '"lorry" }] #<'),
            [
                'ours.toml:@: stages.lorry.sets[0].stage: base has no stage "lorry"; write stage, one of storage, transport'
            ],
            id="a set of a stage that is not there",
        ),
        pytest.param(
            CHOOSING.replace(
                "transport\" }]",
                'transport" }, { profile = "base", version = "3", stage = "storage" }] #<',
            ),
            [
                'ours.toml:@: stages.lorry.sets[1]: brings a second rule "lorry-warming"; write prefix, another name before those of its rules'
            ],
            id="two sets with the same names",
        ),
        pytest.param(
            CHOOSING.replace('version = "3", stage', 'versio = "3", stage').replace("}]", "}] #<"),
            [
                "ours.toml:@: stages.lorry.sets[0].versio: unknown key; did you mean version?",
                'ours.toml:@: stages.lorry.sets[0].version: is missing: base is version 3 now; read it, then write version = "3"',
            ],
            id="an unknown key of a set",
        ),
        pytest.param(
            OURS.replace('"unapproved"', '"approved"') + NARROWER.replace("]\n", "] #<\n"),
            [
                'ours.toml:1: approved_by: is missing in an approved profile; write who approved it, or status = "unapproved"',
                'ours.toml:@: rules.too-warm.approved_by: is missing in an approved profile; write who approved it, or status = "unapproved"',
            ],
            id="approved, and the changed rule is not",
        ),
        pytest.param(
            OURS + '[needs.vapour] #<\nrole = "vapour"\nsource = "SP-3"\nconfidence = "high"\n',
            ["ours.toml:@: needs.vapour: asks for nothing; write probe, interval or uncertainty"],
            id="a need of nothing",
        ),
        pytest.param(
            OURS
            + '[needs.vapour]\nrole = "vapour"\ninterval = "5 min"\nsource = "SP-3"\nconfidence = "high"\nstages = ["transit"] #<\n',
            [
                'ours.toml:@: needs.vapour.stages[0]: stage "transit" does not exist; write "transport"'
            ],
            id="a need in a stage that is not there",
        ),
        pytest.param(
            OURS + '[[accepted]] #<\ndoubt = "low-side-missing"\n',
            [
                'ours.toml:@: accepted[0].reason: is missing; write it, such as reason = "freezing does not harm this product: SP-3, section 4"'
            ],
            id="a doubt that is answered with nothing",
        ),
        pytest.param(
            OURS + '[rules.too-warm]\nhold = "2 min"\nhold_source = "RA-9"\n\n[rules.warm]\nrole = "vapour" #<\n',
            None,
            id="a new rule has to be whole",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, ours: str, messages: list[str] | None) -> None:
    """At the line of the file that has it, with what to write."""
    found = problems_of(tmp_path, ours)
    if messages is None:
        assert found
        assert all(problem.startswith("ours.toml:") for problem in found)
        return
    wanted = [marked(ours, message) for message in messages]
    assert len(found) == len(wanted), found
    for problem, message in zip(found, wanted, strict=True):
        assert problem.startswith(message)


def test_answers_to_doubts_come_along(tmp_path: Path) -> None:
    """Those of a set are about its rules and its stage alone."""
    base = BASE.replace(
        "[figures.allowance]",
        '[[accepted]]\ndoubt = "chatter"\nrules = ["warming"]\nreason = "SP-3"\n\n'
        '[[accepted]]\ndoubt = "no-critical"\nstages = ["storage"]\nreason = "SP-3"\n\n[figures.allowance]',
    )
    mine = '\n[[accepted]]\ndoubt = "late"\nreason = "RA-9"\n'
    whole = read_ours(tmp_path, OURS + mine, base=base).head.accepted
    assert [each.doubt for each in whole] == ["late", "chatter", "no-critical"]
    first, second = read_ours(tmp_path, CHOOSING + mine, base=base).head.accepted
    assert (second.doubt, second.stages, second.rules) == ("chatter", ("lorry",), ("lorry-warming",))
    assert (first.doubt, first.stages) == ("late", ())


WORK = """
[works.filling]
hides = ["warming", "time-too-warm"]
longest = "30 min"
advice = "See whether the valve is open."
source = "SOP-12"
confidence = "high"
"""


def test_a_work_hides_no_rule_that_was_taken_away(tmp_path: Path) -> None:
    """It comes along without it; a work that hides nothing any more goes with its last rule."""
    gone = '\n[rules.warming]\nremoved = "SOP-12"\n'
    ours = read_ours(tmp_path, OURS + gone, base=BASE + WORK)
    assert ours.head.works["filling"].hides == ("time-too-warm",)
    more = gone + '\n[rules.time-too-warm]\nremoved = "SOP-12"\n'
    assert read_ours(tmp_path, OURS + more, base=BASE + WORK).head.works == {}
    lorry = read_ours(tmp_path, CHOOSING + gone.replace("warming", "lorry-warming"), base=BASE + WORK)
    assert lorry.head.works["lorry-filling"].hides == ("lorry-time-too-warm",)


ANYTHING = st.sampled_from([
    "1", "-1.5", "true", "2027-01-31", '""', '"x"', '"10 min"', '"-150 °C"', '"base"', '"ours"', '"3"',
    "[]", '["a"]', "[[1]]", "{}", "[{}]", '{ figure = "allowance" }', '[{ profile = "base", version = "3" }]',
])  # fmt: skip
KEYS = st.sampled_from(
    ["kind", "stages", "removed", "sets", "extends", "accepted", "reason", "hold", "prefix", "hides"]
)


@given(data=st.data())
def test_whatever_stands_in_it_is_a_profile_or_problems_with_lines(data: st.DataObject) -> None:
    """Nothing in the text of a profile or of its base ends reading in another way."""
    texts = {}
    for name, text in {
        "base": BASE + WORK,
        "ours": data.draw(st.sampled_from([OURS + NARROWER, CHOOSING])),
    }.items():
        lines = text.split("\n")
        for _ in range(data.draw(st.integers(0, 3))):
            at = data.draw(st.integers(0, len(lines) - 1))
            key = data.draw(st.none() | KEYS)
            if key is not None:
                lines.insert(at, f"{key} = {data.draw(ANYTHING)}")
            else:
                lines[at] = re.sub(r"= .*", lambda _: "= " + data.draw(ANYTHING), lines[at])
        texts[name] = "\n".join(lines)
    with TemporaryDirectory() as folder:
        path = write_profiles(Path(folder), texts["ours"], base=texts["base"])
        try:
            read(path, complete=False)
        except ConfigError as error:
            for problem in error.problems:
                assert problem.what
                assert problem.mend
                assert 1 <= problem.line <= texts[problem.file.removesuffix(".toml")].count("\n") + 1


@pytest.mark.parametrize("own", ["[]", "1", '"another"', '"ours"'])
def test_a_circle_is_found_whatever_the_ids_say(tmp_path: Path, own: str) -> None:
    """As found: with an id that is no text, a profile that builds on itself was read for ever."""
    ours = changed(OURS, 'extends = "base"', 'extends = "ours"')
    said = problems_of(tmp_path, changed(ours, 'id = "ours"', f"id = {own}"))
    assert any("builds on itself" in each for each in said)


def test_a_mistake_of_the_base_is_reported_there(tmp_path: Path) -> None:
    """Whoever reads it mends the right file."""
    base = changed(BASE, 'side = "above"\nvalue = "-165 °C"', 'side = "over"\nvalue = "-165 °C"')
    assert problems_of(tmp_path, OURS, base=base) == [
        'base.toml:24: rules.warming.side: "over" is not known here; write "above"'
    ]


def test_an_inherited_rule_that_no_longer_fits_is_reported_where_it_was_changed(tmp_path: Path) -> None:
    """The hold is ours and is wrong; the rest of the rule is theirs."""
    ours = OURS + '[rules.too-warm]\nhold = "9 mins" #<\nhold_source = "RA-9"\n'
    assert problems_of(tmp_path, ours) == [
        marked(ours, 'ours.toml:@: rules.too-warm.hold: "9 mins": unknown unit "mins"; write "9 min"')
    ]


def test_a_profile_in_the_site_s_folder_is_found_by_its_id(tmp_path: Path) -> None:
    """As the one it builds on."""
    write_profiles(tmp_path, OURS)
    assert read("ours", folders=[tmp_path], complete=False).head.extends == "base"
