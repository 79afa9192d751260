"""A profile in plain sentences: nothing that its file says is left out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coldchain.config.amounts import UnreadableError, amount, duration_ms
from coldchain.config.profile_file import Profile
from coldchain.config.settings import SiteFigure
from coldchain.profiles.explaining import explain, lines
from coldchain.profiles.load import read, shipped
from tests.unit.profiles.texts import BASE, OURS, read_ours

_NUMBER = re.compile(r"[-−]?\d+(?:\.\d+)? ?(?:°C|K|%|kg|g|mm|°|ms|s|min|h|d)\b|[-−]?\d+(?:\.\d+)? ?[°%]")
#: Texts of which a number is only part, or that name something else.
_NO_NUMBERS = {"title", "notes", "advice", "version", "id", "prefix"}


def meaning(text: str) -> tuple[str, int] | None:
    """What a number with its unit means, however it is written; None if the text is none."""
    try:
        return "duration", duration_ms(text)
    except UnreadableError:
        pass
    try:
        found = amount(text.replace("−", "-"))
    except UnreadableError:
        return None
    return found.quantity, found.quanta


def strings(table: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a file with its key."""
    if isinstance(table, dict):
        for name, value in table.items():
            yield from strings(value, name)
    elif isinstance(table, list):
        for value in table:
            yield from strings(value, key)
    elif isinstance(table, str):
        yield key, table


def missing(profile: Profile) -> list[str]:
    """What the file says, and the explanation does not."""
    text = "\n".join(lines(explain(profile)))
    numbers = {meaning(found) for found in _NUMBER.findall(text)}
    left_out = []
    for key, said in strings({k: v for k, v in profile.document.data.items() if k != "stages"}):
        if key == "source" or key.endswith("_source") or key in {"confidence", "approved_by"}:
            told = said in text
        else:
            told = key in _NO_NUMBERS or meaning(said) is None or meaning(said) in numbers
        if not told:
            left_out.append(f"{key}: {said}")
    return left_out


@pytest.mark.parametrize("name", shipped())
def test_every_number_unit_and_source_is_named(name: str) -> None:
    """Whoever signs has seen each of them."""
    profile = read(name, complete=False)
    found = [said for _, said in strings(profile.document.data) if meaning(said)]
    assert found or profile.head.figures, "there is something to look for"
    assert missing(profile) == []


def test_a_number_that_is_left_out_would_be_seen(tmp_path: Path) -> None:
    """The test above can fail: a parameter that no sentence tells is found."""
    profile = read_ours(tmp_path, OURS)
    assert missing(profile) == []
    profile.document.data["rules"]["too-warm"]["pause"] = "17 min"
    profile.document.data["rules"]["too-warm"]["pause_source"] = "a source nobody tells"
    assert missing(profile) == ["pause: 17 min", "pause_source: a source nobody tells"]


def test_it_says_whether_anybody_approved_it(tmp_path: Path) -> None:
    """First thing, in words that cannot be overlooked."""
    told = explain(read_ours(tmp_path, OURS))
    assert told.head[0].startswith("NOT APPROVED")
    base = explain(read(tmp_path / "base.toml", complete=False))
    assert base.head[0] == "Approved by A. Meier, QA."
    assert told.head[2] == "It has all of base version 3."


def test_a_figure_is_told_as_the_site_gave_it(tmp_path: Path) -> None:
    """With who approved it; without it, what holds until then."""
    read_ours(tmp_path, OURS)
    path = tmp_path / "ours.toml"
    without = "\n".join(lines(explain(read(path, complete=False))))
    assert "The allowance is the figure allowance, 0 min unless the site gives another." in without
    given = {"allowance": SiteFigure(value="30 min", source="study 12", approved_by="B. Li")}
    told = "\n".join(lines(explain(read(path, given, complete=False), given)))
    assert "which the site gives: 30 min (study 12; approved by B. Li)" in told
    assert "A low alarm is raised when the sum is more than 30 min." in told


def test_a_rule_that_waits_says_so(tmp_path: Path) -> None:
    """It judges nothing, and everything else of it is told."""
    base = BASE.replace('hold = "10 min"', 'hold = { figure = "longest" }')
    told = "\n".join(lines(explain(read_ours(tmp_path, OURS, base=base))))
    assert "IT JUDGES NOTHING until the site gives longest (Longest time in transit)." in told
    assert (
        "of the kind limit of vapour, with a high alarm; side above; value -165 °C; hold to be given" in told
    )


def test_what_differs_is_told_with_its_reason(tmp_path: Path) -> None:
    """Whoever approves a site's profile sees what it does to the other."""
    text = (
        OURS
        + '[rules.too-warm]\nhold = "9 min"\nhold_source = "RA-9"\nreason = "the lid: RA-9"\n'
        + '[rules.warming]\nremoved = "SOP-12"\n'
        + '[rules.cold]\nrole = "vapour"\nside = "below"\nvalue = "-199 °C"\npriority = "low"\n'
        + 'advice = "Look."\nsource = "SP-9"\nconfidence = "low"\n'
    )
    assert explain(read_ours(tmp_path, text)).differences == (
        "too-warm: WIDER, vapour above -150 °C for 9 min (hold 5 min → 9 min). Reason: the lid: RA-9",
        "warming: GONE, vapour above -165 °C for 10 min. Reason: SOP-12",
        "cold: new, vapour below -199 °C at once",
    )


def test_a_rule_that_was_told_is_not_told_again(tmp_path: Path) -> None:
    """One rule in several stages is read once."""
    text = "\n".join(lines(explain(read_ours(tmp_path, OURS))))
    assert text.count("What to do: Move it.") == 1
    assert "2. vapour above -150 °C for 5 min (too-warm): as in stage storage" in text
