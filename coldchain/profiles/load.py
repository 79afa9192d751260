"""Profiles by file or by id."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from coldchain.config.composed import Composed
from coldchain.config.document import Document
from coldchain.config.library import Shelf, profile_files
from coldchain.config.profile_file import Profile, open_profile, read_profile
from coldchain.config.settings import SiteFigure
from coldchain.plan import ProfilePlan


def is_file(named: Path | str) -> bool:
    """Whether a profile is named by its file: by a path, or a text with a slash or ending in ".toml"."""
    return isinstance(named, Path) or "/" in named or named.endswith(".toml")


def find(named: Path | str, folders: Sequence[Path] = ()) -> Composed:
    """A profile's document with what it builds on; raises ConfigError if one of them cannot be read.

    named: its file, or its id in `folders` or among the shipped. What a file builds on is looked for beside
    it, in `folders`, and among those that are shipped.
    """
    if is_file(named):
        path = Path(named)
        shelf = Shelf.of([path.parent, *folders], path.parent)
        document = Document.read(path)
    else:
        shelf = Shelf.of(folders)
        document = shelf.document(str(named))
    return open_profile(document, shelf)


def read(
    named: Path | str,
    figures: Mapping[str, SiteFigure] | None = None,
    *,
    folders: Sequence[Path] = (),
    complete: bool = True,
) -> Profile:
    """A profile with everything its file says, found by `find`; raises ConfigError if it is wrong.

    complete: figures that the site must give and has not are a problem; otherwise their rules are waiting.
    """
    return read_profile(find(named, folders), figures, complete=complete)


def load(path_or_id: Path | str, figures: Mapping[str, SiteFigure] | None = None) -> ProfilePlan:
    """The compiled profile; `figures`: the site's own numbers, by name. Raises ConfigError."""
    return read(path_or_id, figures).plan


def shipped() -> tuple[str, ...]:
    """The ids of the profiles that came with the program."""
    return tuple(sorted(profile_files()))
