"""Whatever stands in the files, loading ends in a configuration or in problems with lines and mends."""

from __future__ import annotations

import re
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import example, given
from hypothesis import strategies as st

import coldchain.config as configuration
from coldchain.config import ConfigError, load
from tests.unit.config.small_site import CONFIG, DRIVERS, PROFILE, write

VALUES = st.sampled_from([
    "1", "-1.5", "nan", "true", "2027-01-31", "07:32:00", "99999999999999999999",
    '""', '"x"', '"10 min"', '"-150 °C"', '"5 kg"', '"above"', '"frozen"', '"local"', '"vapour"',
    '"http://[::1"', '"/"', '"../x"', '"' + "9" * 40 + ' h"',
    "[]", '["a"]', "[[1]]", "{}", "{ a = 1 }", '{ figure = "allowance" }', '{ figure = "x" }',
])  # fmt: skip
KEYS = st.sampled_from(["kind", "stage", "value", "x", "settings"])
HEADS = st.sampled_from(["[sources]", "[[assets]]", "[rules]", "[a.b]", "[profiles.figures]"])


@st.composite
def spoilt(draw: st.DrawFn, text: str) -> str:
    """A text with a few of its lines lost, repeated, moved, or given another value or key."""
    lines = text.split("\n")
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["value", "value", "value", "key", "lose", "repeat", "swap", "head"])):
            case "value":
                lines[at] = re.sub(r"= .*", lambda _: "= " + draw(VALUES), lines[at])
            case "key":
                lines[at] = f"{draw(KEYS)} = {draw(VALUES)}"
            case "lose":
                del lines[at]
            case "repeat":
                lines.insert(at, lines[at])
            case "swap":
                other = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[other] = lines[other], lines[at]
            case _:
                lines[at] = draw(HEADS)
    return "\n".join(lines)


def load_anything(config: str, profile: str) -> None:
    """Load the site with these texts; anything but a configuration or ConfigError fails the test."""
    with TemporaryDirectory() as folder:
        path = write(Path(folder), config, profile)
        try:
            plan = configuration.compile(load(path, drivers=DRIVERS))
        except ConfigError as error:
            plan, problems = None, error.problems
        else:
            problems = ()
    texts = {"gateway.toml": config, "limits/frozen.toml": profile}
    for problem in problems:
        assert problem.what
        assert problem.mend
        assert 1 <= problem.line <= texts[problem.file].count("\n") + 1
    if plan is None:
        assert problems
    else:
        assert {channel.source for channel in plan.channels} <= {source.id for source in plan.sources}
        assert {asset.profile for asset in plan.assets} - {""} <= {each.id for each in plan.profiles}


@given(spoilt(CONFIG))
@example("")
@example("sources = 1\nassets = [1]\nchannels = { a = 1 }\nprofiles = true\nsinks = { a = [] }\nsite = []")
@example('[profiles]\nuse = ["../../secret"]\nfigures = { a = { b = 1 }, c = 2 }')
def test_any_configuration(text: str) -> None:
    """A spoilt gateway.toml is never half used, and never ends the program in another way."""
    load_anything(text, PROFILE)


@given(spoilt(PROFILE))
@example("")
@example("figures = 1\nstages = [1]\nrules = { a = 1 }")
@example('[figures]\nallowance = 1\n[rules.a]\nallowance = { figure = "allowance" }\n[rules.b]\nkind = []')
def test_any_profile(text: str) -> None:
    """A spoilt profile likewise."""
    load_anything(CONFIG, text)


@given(st.text())
@example('"\x850')  # some call that the end of a line: TOML does not
def test_any_text(text: str) -> None:
    """Also what is no TOML at all."""
    load_anything(text, PROFILE)
