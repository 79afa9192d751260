"""Profiles by file or by id."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coldchain.config.document import Document
from coldchain.config.library import find_profile, profile_files
from coldchain.config.profile_file import Profile, read_profile
from coldchain.config.settings import SiteFigure
from coldchain.plan import ProfilePlan


def read(path_or_id: Path | str, figures: Mapping[str, SiteFigure] | None = None) -> Profile:
    """A profile with everything its file says; raises ConfigError if it is wrong or does not exist.

    A path, or a text with a slash or ending in ".toml", is a file; anything else the id of a shipped profile.
    """
    as_file = isinstance(path_or_id, Path) or "/" in path_or_id or path_or_id.endswith(".toml")
    document = Document.read(Path(path_or_id)) if as_file else find_profile(str(path_or_id))
    return read_profile(document, figures)


def load(path_or_id: Path | str, figures: Mapping[str, SiteFigure] | None = None) -> ProfilePlan:
    """The compiled profile; `figures`: the site's own numbers, by name. Raises ConfigError."""
    return read(path_or_id, figures).plan


def shipped() -> tuple[str, ...]:
    """The ids of the profiles that came with the program."""
    return tuple(sorted(profile_files()))
