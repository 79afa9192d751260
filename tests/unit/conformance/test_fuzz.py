"""The search with atheris: bounded, over the drivers that are published, and honest where it cannot run."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from coldchain.testing.conformance import fuzz

HERE = importlib.util.find_spec("atheris") is not None


@pytest.mark.skipif(HERE, reason="atheris is installed")
def test_without_atheris_it_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A search that did not happen is not called clean: status 3, and how to get it."""
    monkeypatch.setattr(sys, "argv", ["fuzz", "nmea0183"])
    assert fuzz.main() == 3
    assert "pip install atheris" in capsys.readouterr().err


def test_an_unknown_driver_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A misspelt name searches nothing, and there is what there is."""
    monkeypatch.setattr(sys, "argv", ["fuzz", "nmea0138"])
    with pytest.raises(SystemExit):
        fuzz.main()
    assert "no driver nmea0138" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(not HERE, reason="atheris has no wheel here, or is not installed")
def test_a_search_ends_in_time() -> None:
    """Some seconds over one driver: nothing found, and it says how many frames were tried."""
    done = subprocess.run(
        [sys.executable, "-m", "coldchain.testing.conformance.fuzz", "nmea0183", "--seconds", "3"],
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "nothing found" in done.stdout
    assert "runs in" in done.stdout
