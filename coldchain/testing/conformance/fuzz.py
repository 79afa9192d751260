"""Drivers under a fuzzer that sees what its bytes reach: `python -m coldchain.testing.conformance.fuzz`.

The suite itself searches with hypothesis. atheris (libFuzzer) goes deeper where it can be installed: it wants
a compiled wheel, which there is not for each machine and Python, so it is no dependency. Each driver is
searched in a process of its own, from the frames of its datasheet on, for a bounded time; what it finds is a
frame that raises, hangs or gives a number that was not sent, printed with the vector in whose place it stood.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import sys
import tempfile
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from coldchain.testing.conformance.damage import holds
from coldchain.testing.conformance.subject import Subject

#: A frame of more bytes is no device's, and wastes the time (judgement).
_FRAME_BYTES_MAX = 600
#: What a search that found nothing ends with; libFuzzer ends the process itself.
_MISSING = 3


def main() -> int:
    """0 if nothing was found, 1 if something was, 3 if there is no atheris here."""
    published = {entry.name: entry for entry in entry_points(group="coldchain.drivers")}
    known = sorted(published)
    parser = argparse.ArgumentParser(prog="python -m coldchain.testing.conformance.fuzz", description=__doc__)
    parser.add_argument("drivers", nargs="*", metavar="DRIVER", help=f"of {', '.join(known)} (all)")
    parser.add_argument("--seconds", type=int, default=60, help="how long each is searched (60)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    unknown = set(asked.drivers) - set(known)
    if unknown or asked.seconds < 1:
        parser.error(f"no driver {', '.join(sorted(unknown))}" if unknown else "at least one second")
    if importlib.util.find_spec("atheris") is None:
        print("atheris is not installed: pip install atheris (Linux, where it has a wheel)", file=sys.stderr)
        return _MISSING
    if asked.one:
        (name,) = asked.drivers
        _search(published[name], asked.seconds)
    found = 0
    for name in asked.drivers or known:
        command = [sys.executable, "-m", "coldchain.testing.conformance.fuzz", "--one", name]
        command += ["--seconds", str(asked.seconds)]
        # A process each, for libFuzzer ends the one that it searches in.
        done = subprocess.run(  # noqa: S603 - this interpreter, and names of installed drivers
            command, capture_output=True, text=True, check=False
        )
        print(f"{name:<18} {_words(done)}", flush=True)
        if done.returncode:
            found = 1
            print(done.stdout + done.stderr, flush=True)
    return found


def _words(done: subprocess.CompletedProcess[str]) -> str:
    if done.returncode:
        return "FOUND"
    runs = next((line for line in reversed(done.stderr.splitlines()) if line.startswith("Done ")), "")
    return f"nothing found: {runs.removeprefix('Done ').strip()}"


def _search(entry: EntryPoint, seconds: int) -> None:
    """Search until the time is over; libFuzzer ends the process, 0 if nothing was found."""
    atheris = importlib.import_module("atheris")  # no dependency: see above

    # Its own package alone: what every driver uses is not looked into, or a search begins minutes late.
    with atheris.instrument_imports(include=[entry.module.partition(".")[0]]):
        subject = Subject(entry.name, entry.load())
    vectors = subject.datasheet.vectors

    def one(data: bytes) -> None:
        if len(data) < 2:
            return
        vector, frame = vectors[data[0] % len(vectors)], data[1:]
        try:
            holds(subject, vector, frame)
        except BaseException:
            print(f"in the place of {vector.name!r}: {frame.hex()}", flush=True)
            raise

    with tempfile.TemporaryDirectory(prefix="coldchain-fuzz-") as folder:
        for number, vector in enumerate(vectors):
            (Path(folder) / str(number)).write_bytes(bytes([number % 256]) + subject.frame(vector))
        options = [
            f"-max_total_time={seconds}",
            f"-max_len={_FRAME_BYTES_MAX}",
            "-timeout=10",
            "-print_final_stats=1",
        ]
        atheris.Setup([sys.argv[0], *options, f"-artifact_prefix={folder}/", folder], one)
        atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
