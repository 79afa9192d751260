"""Load a configuration and everything it refers to, check it, compile it.

`load` reports everything that is wrong at once: one table that cannot be read does not hide what is wrong in
another. `compile` is a pure function of what was loaded.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from coldchain.config.checks import check_all
from coldchain.config.compiling import plan_of
from coldchain.config.devices import documents_of
from coldchain.config.document import Document
from coldchain.config.draft import Draft, read_tables
from coldchain.config.library import Shelf
from coldchain.config.loaded import Loaded
from coldchain.config.positions import Place
from coldchain.config.problems import ConfigError, Problem, listed, nearest
from coldchain.config.profile_file import missing_figures, open_profile, read_profile
from coldchain.config.sources import resolve_sources
from coldchain.driver import Driver
from coldchain.plan import Plan


def load(path: Path | str, *, drivers: Mapping[str, Driver] | None = None) -> Loaded:
    """Read and check a configuration; raises ConfigError with everything that is wrong in it.

    drivers: by name; None: those that are installed.
    """
    path = Path(path)
    document = Document.read(path)
    draft = read_tables(document)
    resolve_sources(draft, drivers, path.parent)
    _load_profiles(draft, path.parent)
    check_all(draft)
    problems = document.problems + draft.elsewhere
    if problems:
        raise ConfigError(problems)
    documents = {document.name: document}
    for profile in draft.limits.values():
        documents |= {part.name: part for part in profile.document.parts()}
    documents |= documents_of(draft)
    return Loaded(
        path=path,
        settings=draft.settings(),
        sources=draft.resolved,
        profiles=draft.limits,
        documents={name: each.text for name, each in documents.items()},
        hashes={name: each.sha256 for name, each in documents.items()},
        warnings=tuple(sorted(set(draft.warnings))),
    )


def compile(loaded: Loaded) -> Plan:  # noqa: A001  # the plan is compiled: no other word fits
    """What a configuration means to the fold."""
    return plan_of(loaded)


def _load_profiles(draft: Draft, base: Path) -> None:
    """Read every profile that is in use; fills `draft.limits`."""
    shelf = Shelf.of([base / folder for folder in _folders(draft, base)], base)
    wanted: dict[str, Place] = {}
    for index, name in enumerate(draft.profiles.use):
        wanted.setdefault(name, ("profiles", "use", index))
    for asset, settings in draft.assets.items():
        if settings.profile is not None:
            wanted.setdefault(settings.profile, ("assets", asset, "profile"))
    for name, place in wanted.items():
        if name in shelf.files:
            _load_profile(draft, name, shelf)
        else:
            draft.refuse(place, *shelf.missing(name))
    for name in draft.profiles.figures:
        if name not in wanted:
            meant = nearest(name, wanted)
            mend = (
                f"did you mean {meant}?"
                if meant
                else "remove the figures, or list the profile in profiles.use"
            )
            draft.refuse(("profiles", "figures", name), "no such profile is in use", mend)


def _folders(draft: Draft, base: Path) -> list[str]:
    found = []
    for index, folder in enumerate(draft.profiles.directories):
        if (base / folder).is_dir():
            found.append(folder)
        else:
            draft.refuse(
                ("profiles", "directories", index),
                f'"{folder}" is no folder',
                "create it, or correct the path",
            )
    return found


def _load_profile(draft: Draft, name: str, shelf: Shelf) -> None:
    given = draft.profiles.figures.get(name, {})
    place: Place = ("profiles", "figures", name)

    def wrong_figure(figure: str, what: str, mend: str) -> Problem:
        return draft.document.problem((*place, figure, "value"), what, mend)

    try:
        document = open_profile(shelf.document(name), shelf)
        if document.lacks:
            document.raise_problems()
        for figure, title in missing_figures(document, given).items():
            draft.refuse(
                (*place, figure),
                f"is missing: profile {name} asks for the site's own figure ({title})",
                f"write [profiles.figures.{name}.{figure}] with value, source and approved_by",
            )
        figures = document.data.get("figures")
        for figure in given:
            if not isinstance(figures, dict) or figure not in figures:
                meant = nearest(figure, figures or {})
                mend = f"did you mean {meant}?" if meant else f"it asks for: {listed(figures or {})}"
                draft.refuse((*place, figure), f"profile {name} asks for no such figure", mend)
        profile = read_profile(document, given, wrong_figure)
        if profile.head.id != name:
            what = f'"{profile.head.id}" is not the name of the file'
            document.refuse(("id",), what, f'write id = "{name}"')
            document.raise_problems()
        draft.limits[name] = profile
    except ConfigError as error:
        draft.elsewhere.extend(error.problems)
