"""Find a program for a test: on the machine, or unpacked from its Debian packages into the user's cache.

An install would start brokers and databases as services on a booted machine, and needs root. Unpacking does
neither: apt's own tools, with state and cache folders of our own, resolve and download what this machine
lacks, `dpkg-deb -x` lays it into a folder, and LD_LIBRARY_PATH points there for these programs alone.
"""

import contextlib
import fcntl
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin", "/usr/bin", "/bin")
# The C library must be the one the loader and this process already use.
_NEVER_UNPACKED = ("libc6", "libc-bin", "libc-l10n", "locales")
# One apt run downloads at most the browser, about 200 MB.
_APT_DEADLINE_S = 900


class ProgramMissingError(Exception):
    """A program is neither on the machine nor to be had; the message says what would install it."""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that runs on this machine: where it lies and what its environment must hold."""

    path: Path
    root: Path | None = None  # the folder that stands for `/` if it was unpacked
    variables: Mapping[str, str] = field(default_factory=dict)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the whole environment to start it with: this process's, its own needs, and `more`."""
        return {**os.environ, **self.variables, **more}

    def run(self, *arguments: str | Path, deadline_s: float = 60, cwd: Path | None = None) -> str:
        """Run it to its end and return what it printed; raise AssertionError with that if it failed."""
        done = subprocess.run(
            [self.path, *arguments],
            check=False,
            cwd=cwd,
            env=self.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=deadline_s,
        )
        if done.returncode != 0:
            raise AssertionError(f"{self.path.name} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout


@dataclass(frozen=True, slots=True)
class _Debian:
    """Where a program comes from: packages, its place in them, arguments that make it end at once."""

    packages: tuple[str, ...]
    places: tuple[str, ...]
    harmless: tuple[str, ...]
    also_called: tuple[str, ...] = ()
    libraries: tuple[str, ...] = ()  # packages besides, taken from the machine where it has them


_BROKER = ("mosquitto", "mosquitto-clients")

_PROGRAMS = {
    "mosquitto": _Debian(_BROKER, ("usr/sbin/mosquitto",), ("-h",)),
    "mosquitto_passwd": _Debian(_BROKER, ("usr/bin/mosquitto_passwd",), ("--help",)),
    "mosquitto_pub": _Debian(_BROKER, ("usr/bin/mosquitto_pub",), ("--help",)),
    "mosquitto_sub": _Debian(_BROKER, ("usr/bin/mosquitto_sub",), ("--help",)),
    "victoria-metrics": _Debian(("victoria-metrics",), ("usr/bin/victoria-metrics",), ("-version",)),
    "prometheus-alertmanager": _Debian(
        ("prometheus-alertmanager",), ("usr/bin/prometheus-alertmanager",), ("--version",)
    ),
    # Judges rules of Prometheus over given series; no server of it is ever started.
    "promtool": _Debian(("prometheus",), ("usr/bin/promtool",), ("--version",)),
    # The binary, not the script /usr/bin/chromium, which names its places absolutely.
    "chromium": _Debian(
        ("chromium",),
        ("usr/lib/chromium/chromium", "usr/lib/chromium-browser/chromium-browser"),
        ("--version",),
        also_called=("chromium-browser",),  # Raspberry Pi OS
        # For what drives the browser in playwright's wheel; a minimal Debian lacks it.
        libraries=("libatomic1",),
    ),
    "openssl": _Debian(("openssl",), ("usr/bin/openssl",), ("version",)),
    # Judges a unit file; needs no running systemd for that.
    "systemd-analyze": _Debian(("systemd",), ("usr/bin/systemd-analyze",), ("--version",)),
}

_found: dict[str, Program] = {}
_failed: dict[str, ProgramMissingError] = {}


def find(name: str) -> Program:
    """Return a program that runs here; unpack its packages on the first call on a machine.

    Raises ProgramMissingError, again and at once after the first failure in this process, with the line that
    would install it. A name that is not in the table is a KeyError: a test asks for what the table knows.
    """
    if name in _failed:
        raise _failed[name]
    if name not in _found:
        try:
            _found[name] = on_machine(name) or unpacked(name, cache_folder())
        except ProgramMissingError as error:
            _failed[name] = error
            raise
    return _found[name]


def on_machine(name: str) -> Program | None:
    """Return the program if the machine has it: on PATH, or in a system folder a user's PATH often lacks."""
    where = os.pathsep.join((os.environ.get("PATH", ""), *_SYSTEM_FOLDERS))
    for each in (name, *_PROGRAMS[name].also_called):
        if path := shutil.which(each, path=where):
            return Program(Path(path))
    return None


def cache_folder() -> Path:
    """Return the user's cache for unpacked programs; it may be deleted at any time between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "coldchain-tests"


def unpacked(name: str, cache: Path) -> Program:
    """Return the program from `cache`, unpacking its packages first if they are not there or no longer run.

    Two processes may call this at once: the second waits for the first and finds its work.
    """
    source = _PROGRAMS[name]
    root = cache / f"{source.packages[0]}-{_system()}"
    try:
        with _only_one(cache):
            program = _inside(root, source)
            if program is None or _why_not(program, source):
                _unpack(source, root, cache)
                program = _inside(root, source)
                if program is None:
                    raise OSError(f"its packages hold none of {', '.join(source.places)}")
                if reason := _why_not(program, source):
                    raise OSError(reason)
            return program
    except (OSError, subprocess.SubprocessError) as error:
        raise _missing(name, str(error)) from error


def _missing(name: str, reason: str) -> ProgramMissingError:
    packages = " ".join((*_PROGRAMS[name].packages, *_PROGRAMS[name].libraries))
    return ProgramMissingError(
        f"{name} is not on this machine and could not be unpacked: {reason}\n"
        f"To install it (on a booted machine this starts its services):\n"
        f"apt-get update && apt-get install -y --no-install-recommends {packages}"
    )


def _system() -> str:
    """Name what the unpacked files fit: a home folder may be shared by machines."""
    release = platform.freedesktop_os_release()
    return f"{release['ID']}-{release.get('VERSION_ID', 'unversioned')}-{platform.machine()}"


@contextlib.contextmanager
def _only_one(cache: Path) -> Iterator[None]:
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # freed by the system however this process ends
        yield


def _inside(root: Path, source: _Debian) -> Program | None:
    for place in source.places:
        if (root / place).is_file():
            variables = {"LD_LIBRARY_PATH": os.pathsep.join(map(str, library_folders(root)))}
            return Program(root / place, root, variables)
    return None


def library_folders(root: Path) -> list[Path]:
    """Return the folders under `root` that hold shared libraries, whatever the architecture's name is."""
    tops = sorted((*root.glob("usr/lib/*-linux-gnu*"), *root.glob("lib/*-linux-gnu*")))
    # One level below lie private libraries (nss, pulseaudio), which their users find by an absolute path.
    folders = [folder for top in tops for folder in (top, *sorted(top.iterdir())) if folder.is_dir()]
    return [folder for folder in folders if any(folder.glob("*.so*"))]


def _why_not(program: Program, source: _Debian) -> str:
    """Say why the program does not run here, or nothing: the loader speaks with 127, the shell with 126."""
    try:
        done = subprocess.run(
            [program.path, *source.harmless],
            check=False,
            env=program.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
        )
    except OSError as error:  # cut off, or another machine's
        return str(error)
    return done.stderr.strip() if done.returncode in (126, 127) or done.returncode < 0 else ""


def _unpack(source: _Debian, root: Path, cache: Path) -> None:
    """Download what is needed and the machine lacks, and lay it into `root`, wholly or not at all."""
    for leftover in cache.glob(".new-*"):  # of a run that was killed; the lock says none is at work
        shutil.rmtree(leftover)
    lists = cache / f"apt-{_system()}"
    (lists / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".new-", dir=cache) as work:
        debs, new = Path(work, "debs"), Path(work, "root")
        (debs / "partial").mkdir(parents=True)
        new.mkdir()
        options: dict[str, str | Path] = {
            "Dir::State": lists,
            "Dir::State::status": "/var/lib/dpkg/status",
            "Dir::Cache": work,
            "Dir::Cache::archives": debs,
            "Debug::NoLocking": "1",
            "APT::Sandbox::User": "root",  # the `_apt` user cannot write into a home folder
            "Acquire::Retries": "2",
            "Acquire::http::Timeout": "30",
            "Acquire::https::Timeout": "30",
        }
        # The lists may be missing, or old and name files that are gone. One of several sources that cannot be
        # reached must not stop the others: the download decides, not the update.
        reason = _download(source, debs, options)
        if reason:
            said = _apt(("update",), options).stdout
            reason = _download(source, debs, options)
            if reason:
                raise OSError("\n".join(f"{said}{reason}".strip().splitlines()[-12:]))
        for deb in sorted(debs.glob("*.deb")):
            if deb.name.partition("_")[0] not in _NEVER_UNPACKED:
                subprocess.run(["dpkg-deb", "-x", deb, new], check=True, timeout=_APT_DEADLINE_S)
        if root.exists():
            root.rename(Path(work, "old"))
        new.rename(root)


def _download(source: _Debian, debs: Path, options: Mapping[str, str | Path]) -> str:
    """Download the packages and what they need; return what apt said if that failed, else nothing."""
    # Reinstall: a package may be installed without the program lying where we look, as in trimmed containers.
    install = ("install", "--download-only", "--reinstall", "--no-install-recommends")
    done = _apt((*install, *source.packages, *source.libraries), options)
    # apt calls it a success when it cannot fetch again what is installed.
    there = done.returncode == 0 and all(any(debs.glob(f"{package}_*.deb")) for package in source.packages)
    return "" if there else done.stdout or f"apt-get ended with {done.returncode}"


def _apt(arguments: Sequence[str], options: Mapping[str, str | Path]) -> subprocess.CompletedProcess[str]:
    command = ["apt-get", "-y", "-q"]
    for option, value in options.items():
        command += ["-o", f"{option}={value}"]
    return subprocess.run(
        [*command, *arguments],
        check=False,
        env={**os.environ, "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_APT_DEADLINE_S,
    )
