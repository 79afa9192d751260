"""The papers are in order: our licence, a changelog, and libraries under licences that a gateway may ship."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT

EXTRAS = frozenset({"influx", "schedule", "web", "demo", "yaml", "png", "all"})

# How the text of a licence begins, for what ships the text and names no licence in its metadata.
BEGINS = {"Permission is hereby granted, free of charge, to any person obtaining a copy": "MIT"}

# By their SPDX names. Copyleft that ends at the file (MPL, EPL) is fine for libraries that we do not change;
# anything that would reach our own code (GPL, AGPL) or asks for more than a notice is not here.
ALLOWED = frozenset(
    [
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "EPL-2.0",
        "ISC",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "PSF-2.0",
        "Python-2.0",
        "CC0-1.0",
        "Unlicense",
        "Zlib",
    ]
)

# What older metadata writes instead of an SPDX name.
SPOKEN = {
    "any-OSI": "MIT",  # apsw: its user chooses any licence that the OSI approved
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD": "BSD-3-Clause",
    "BSD License": "BSD-3-Clause",
    "BSD 2-Clause License": "BSD-2-Clause",
    "ISC License": "ISC",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def allowed(expression: str) -> bool:
    """Whether an SPDX expression leaves a choice of allowed licences alone; `AND` binds tighter than `OR`."""
    words = re.findall(r"\(|\)|[^\s()]+", expression)

    def either() -> bool:
        answers = [both()]
        while words and words[0].upper() == "OR":
            words.pop(0)
            answers.append(both())
        return any(answers)

    def both() -> bool:
        answers = [one()]
        while words and words[0].upper() == "AND":
            words.pop(0)
            answers.append(one())
        return all(answers)

    def one() -> bool:
        word = words.pop(0)
        if word == "(":
            answer = either()
            words.pop(0)
            return answer
        return word in ALLOWED

    answer = either()
    return answer and not words


def texts(dist: Distribution) -> Iterator[str]:
    """The licence files of a distribution, each as one line."""
    named = set(dist.metadata.get_all("License-File") or [])
    for file in dist.files or []:
        if file.name in named:
            yield " ".join(file.read_text(encoding="utf-8").split())


def licence(dist: Distribution) -> str:
    """The licence that a distribution states, as an SPDX expression where it can be told, else as stated."""
    stated = dist.metadata.get("License-Expression")
    if stated:
        return str(stated)
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in dist.metadata.get_all("Classifier") or []
        if line.startswith("License ::")
    ]
    if not classifiers and "License" not in dist.metadata:
        return next(
            (name for text in texts(dist) for words, name in BEGINS.items() if words in text), "none stated"
        )
    spoken = classifiers or [(dist.metadata.get("License") or "none stated").splitlines()[0].strip()]
    return " AND ".join(SPOKEN.get(name, name) for name in spoken)


def shipped() -> Iterator[Distribution]:
    """Every distribution that `coldchain` with all its extras needs on this machine, itself included."""
    waiting: list[tuple[str, frozenset[str]]] = [("coldchain", EXTRAS)]
    seen: set[str] = set()
    while waiting:
        name, extras = waiting.pop()
        if (key := f"{canonicalize_name(name)}{sorted(extras)}") in seen:
            continue
        seen.add(key)
        dist = distribution(name)
        yield dist
        for requirement in map(Requirement, dist.requires or []):
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": extra}) for extra in extras | {""}):
                waiting.append((requirement.name, frozenset(requirement.extras)))


def test_the_product_has_its_papers() -> None:
    """Whoever gets the source gets its licence and what changed for them."""
    text = (ROOT / "LICENSE").read_text(encoding="utf-8")
    assert "Apache License" in text
    assert "The coldchain authors" in text
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert "## Unreleased" in changelog


def test_safety_comes_first_in_the_changelog() -> None:
    """Where a release says something under Safety (alarms given late or wrongly before), it says it first."""
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    for release in re.split(r"^## ", changelog, flags=re.MULTILINE)[1:]:
        headings = re.findall(r"^### (.+)$", release, flags=re.MULTILINE)
        assert "Safety" not in headings[1:], f"## {release.splitlines()[0]}"


def test_libraries_have_licences_that_may_ship() -> None:
    """No library asks for more than its notice; one that does is seen before it is on a gateway."""
    found = {dist.metadata["Name"]: licence(dist) for dist in shipped()}
    assert {"coldchain", "paho-mqtt", "apsw", "uvicorn", "amqtt", "PyYAML", "resvg_py"} <= set(found)
    assert {name: stated for name, stated in found.items() if not allowed(stated)} == {}


def test_the_page_s_libraries_have_licences_that_may_ship() -> None:
    """What is built into the page, and what builds it."""
    lock = json.loads((ROOT / "coldchain/web/ui/package-lock.json").read_text(encoding="utf-8"))
    stated = {name: entry.get("license", "none stated") for name, entry in lock["packages"].items() if name}
    assert {name: text for name, text in stated.items() if not allowed(text)} == {}


@pytest.mark.parametrize(
    ("expression", "fine"),
    [
        pytest.param("MIT", True, id="plain"),
        pytest.param("EPL-2.0 OR BSD-3-Clause", True, id="a choice"),
        pytest.param("GPL-3.0-only OR MIT", True, id="a choice with one way out"),
        pytest.param("MIT AND PSF-2.0", True, id="both, both fine"),
        pytest.param("MIT AND GPL-2.0-only", False, id="both, one not"),
        pytest.param("GPL-3.0-only OR MIT AND AGPL-3.0-only", False, id="AND binds tighter"),
        pytest.param("(GPL-3.0-only OR MIT) AND ISC", True, id="brackets"),
        pytest.param("LGPL-3.0-or-later", False, id="not on the list"),
        pytest.param("none stated", False, id="nothing stated is not free to ship"),
    ],
)
def test_the_rule_sees(expression: str, fine: bool) -> None:
    """An expression is judged by what it leaves us to choose."""
    assert allowed(expression) is fine
