"""Profiles for the tests of this room: one that is right, and the words that make others of it."""

from __future__ import annotations

from pathlib import Path

from coldchain.config import ConfigError
from coldchain.config.profile_file import Profile
from coldchain.profiles.load import read

BASE = """\
id = "base"
version = "3"
status = "approved"
approved_by = "A. Meier, QA"
title = "Frozen"
product_state = "frozen"

[figures.allowance]
title = "Time allowed above -150 °C"
default = "0 min"
source = "the label allows none"

[figures.longest]
title = "Longest time in transit"

[stages.storage]
title = "In storage"

[stages.transport]
title = "In transit"

[rules.warming]
role = "vapour"
side = "above"
value = "-165 °C"
hold = "10 min"
hold_source = "RA-7"
priority = "high"
advice = "Look."
source = "SP-3"
confidence = "medium"
approved_by = "A. Meier, QA"

[rules.too-warm]
role = "vapour"
side = "above"
value = "-150 °C"
hold = "5 min"
hold_source = "RA-7"
priority = "critical"
latched = true
advice = "Move it."
source = "SP-3"
confidence = "high"
approved_by = "A. Meier, QA"

[rules.time-too-warm]
kind = "budget"
stages = ["transport"]
role = "vapour"
side = "above"
value = "-150 °C"
allowance = { figure = "allowance" }
priority = "low"
advice = "Quarantine."
source = "SP-3"
confidence = "high"
approved_by = "A. Meier, QA"
"""

#: The head of a profile that builds on `BASE`; each case writes its own rules below.
OURS = """\
id = "ours"
version = "1"
status = "unapproved"
title = "Ours"
extends = "base"
extends_version = "3"
"""

#: The same, of its own stage that chooses the rules of one of `BASE`.
CHOOSING = """\
id = "ours"
version = "1"
status = "unapproved"
title = "Ours"
product_state = "frozen"

[stages.lorry]
title = "On the lorry"
sets = [{ profile = "base", version = "3", stage = "transport" }]
"""


def write_profiles(folder: Path, ours: str, **others: str) -> Path:
    """`ours.toml` beside `base.toml` and others, in a folder; returns the path of ours."""
    for name, text in {"base": BASE, **others, "ours": ours}.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return folder / "ours.toml"


def read_ours(folder: Path, ours: str, **others: str) -> Profile:
    """Our profile as read, beside its bases."""
    return read(write_profiles(folder, ours, **others), complete=False)


def problems_of(folder: Path, ours: str, **others: str) -> list[str]:
    """What is wrong in our profile, line by line."""
    try:
        read_ours(folder, ours, **others)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []
