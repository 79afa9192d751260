"""`coldchain replay` of a journey's log, from the file to the verdict."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from benchmarks.bare import Options, journey
from benchmarks.measure import Figures, Usage, peak_bytes
from coldchain.cli.replay_command import replay as command


def replay(options: Options) -> Figures:
    """Read the CSV, judge it by the shipped profile, write the report."""
    path = Path(options["folder"]) / "journey.csv"
    readings = journey(path, options)
    words = [str(path), "--profile", "dry-shipper-150", "--stage", "transport", "--format", "json"]
    with Usage() as used:
        said = CliRunner().invoke(command, words)
    if json.loads(said.stdout)["readings"] != readings:
        raise RuntimeError(said.output)
    return {
        "readings": float(readings),
        "wall_ms": used.wall_s * 1000,
        "cpu_ms": used.cpu_s * 1000,
        "peak_bytes": float(peak_bytes()),
    }
