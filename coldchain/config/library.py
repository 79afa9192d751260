"""Where profiles lie: the site's own folders first, then those that came with the program."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

from coldchain.config.document import Document
from coldchain.config.problems import ConfigError, Problem, listed, nearest


def shipped_folder() -> Path:
    """The folder of everything under `config/` that came with the program."""
    with as_file(files("coldchain") / "_config") as folder:
        return folder.resolve()


def profile_files(folders: Sequence[Path] = ()) -> dict[str, Path]:
    """Every profile file by id; a site's file hides a shipped one of the same name."""
    found: dict[str, Path] = {}
    for folder in (*folders, shipped_folder() / "profiles"):
        for path in sorted(folder.glob("*.toml")):
            found.setdefault(path.stem, path)
    return found


def find_profile(profile: str, folders: Sequence[Path] = ()) -> Document:
    """The document of a profile by its id; raises ConfigError if there is none."""
    known = profile_files(folders)
    if profile not in known:
        meant = nearest(profile, known)
        mend = f'did you mean "{meant}"?' if meant else f"there are: {listed(known)}"
        raise ConfigError([Problem(f"{profile}.toml", 1, "", f'there is no profile "{profile}"', mend)])
    return Document.read(known[profile], f"profiles/{profile}.toml")
