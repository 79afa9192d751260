"""The locks hold what is installed to its hash, name no place to get it from, and fit `pyproject.toml`."""

from __future__ import annotations

import json
import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.house.tree import ROOT

LOCKS = ("bootstrap", "build", "dev", "gateway", "mutants")
PIN = re.compile(r"(?P<name>[a-z0-9][a-z0-9.-]*)(\[[a-z,-]+\])?==(?P<version>[0-9][\w.!+]*)( ; .+)?")
HASH = re.compile(r"--hash=sha256:[0-9a-f]{64}")


def pins(lock: str) -> dict[str, str]:
    """Name and version of everything in `lock/<lock>.txt`; fails on a line that is no pin with hashes."""
    text = (ROOT / "lock" / f"{lock}.txt").read_text(encoding="ascii")
    code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    found = {}
    for entry in code.replace("\\\n", " ").splitlines():
        pin, *hashes = re.split(r"\s+(?=--hash)", entry.strip())
        match = PIN.fullmatch(pin)
        assert match is not None, f"lock/{lock}.txt: no plain pin: {pin}"
        assert hashes, f"lock/{lock}.txt: {pin} has no hash"
        assert all(HASH.fullmatch(word) for word in hashes), f"lock/{lock}.txt: {pin}: a hash is no sha256"
        found[match["name"]] = match["version"]
    return found


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_is_pinned_to_its_hash(lock: str) -> None:
    """No entry without a hash, no address, no option that fetches from elsewhere."""
    assert pins(lock)
    assert "://" not in (ROOT / "lock" / f"{lock}.txt").read_text(encoding="ascii")


def test_a_gateway_runs_what_was_tested() -> None:
    """What goes onto a gateway has the very versions that the tests ran with."""
    tested = pins("dev")
    assert {name: version for name, version in pins("gateway").items() if tested.get(name) != version} == {}


def test_mutants_are_tried_on_what_was_tested() -> None:
    """The tool that makes them brings no other version of what is there."""
    tested = pins("dev")
    assert {name: v for name, v in pins("mutants").items() if tested.get(name, v) != v} == {}


def test_the_lock_fits_the_project() -> None:
    """A dependency changed in `pyproject.toml` without `make lock` is caught here."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = project["project"]["optional-dependencies"]
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    wanted += [entry for extra in extras.values() for entry in extra]
    locked, misfits = pins("dev"), []
    for requirement in map(Requirement, wanted):
        version = locked.get(canonicalize_name(requirement.name))
        if requirement.name != "coldchain" and (version is None or version not in requirement.specifier):
            misfits.append(f"{requirement}: locked {version}; run make lock")
    assert misfits == []


def test_the_demo_stays_off_the_gateway() -> None:
    """A gateway installs neither the demo's in-process broker nor the tools of the workshop."""
    assert {"amqtt", "pytest", "mypy", "playwright", "hypothesis"}.isdisjoint(pins("gateway"))


def test_the_page_is_locked_by_hash() -> None:
    """npm accepts an entry without `integrity`, so this must not; `resolved` would name a registry."""
    lock = json.loads((ROOT / "coldchain/web/ui/package-lock.json").read_text(encoding="utf-8"))
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert packages
    assert [
        name for name, entry in packages.items() if not entry.get("integrity", "").startswith("sha512-")
    ] == []
    assert [name for name, entry in packages.items() if "resolved" in entry] == []


def test_the_page_pins_each_direct_dependency() -> None:
    """Ranges in `package.json` would let `make lock` bring in what nobody chose."""
    manifest = json.loads((ROOT / "coldchain/web/ui/package.json").read_text(encoding="utf-8"))
    direct = manifest.get("dependencies", {}) | manifest.get("devDependencies", {})
    assert {name: want for name, want in direct.items() if not re.fullmatch(r"\d+\.\d+\.\d+", want)} == {}
