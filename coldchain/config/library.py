"""Where profiles lie: the site's own folders first, then those that came with the program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
        for path in folder.glob("*.toml"):
            found.setdefault(path.stem, path)
    return dict(sorted(found.items()))


@dataclass(frozen=True)
class Shelf:
    """The profiles that can be named, each in its file. `site`: files below it are shown from there."""

    files: Mapping[str, Path]
    site: Path | None = None

    @classmethod
    def of(cls, folders: Sequence[Path] = (), site: Path | None = None) -> Shelf:
        """What lies in these folders, and what came with the program."""
        return cls(profile_files(folders), site)

    def document(self, profile: str) -> Document:
        """The document of a profile; raises ConfigError if there is none or it cannot be read."""
        if profile not in self.files:
            raise ConfigError([Problem(f"{profile}.toml", 1, "", *self.missing(profile))])
        path = self.files[profile]
        inside = self.site is not None and path.is_relative_to(self.site)
        shown = path.relative_to(self.site).as_posix() if inside and self.site else ""
        return Document.read(path, f"profiles/{profile}.toml", shown)

    def missing(self, profile: str) -> tuple[str, str]:
        """That there is no such profile, and the mend."""
        meant = nearest(profile, self.files)
        mend = f'did you mean "{meant}"?' if meant else f"there are: {listed(self.files)}"
        return f'there is no profile "{profile}"', mend
