"""Data files of devices: what a driver of many devices knows of one, beside the configuration or shipped.

A source names one in its settings: `device = "comet_t"` for a shipped one, or the path of a file of the
site's own. It decides what every number of the device means, so its text goes into the journal as the
configuration's does.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel

from coldchain.config.document import Document
from coldchain.config.draft import Draft
from coldchain.config.library import shipped_folder
from coldchain.config.positions import Place
from coldchain.config.problems import ConfigError, listed, nearest


def device_files() -> dict[str, Path]:
    """Every data file that came with the program, by name."""
    return {path.stem: path for path in sorted((shipped_folder() / "devices").glob("*.toml"))}


def read_device(document: Document, model: type[BaseModel]) -> BaseModel:
    """What a data file says; raises ConfigError with all that is wrong in it."""
    found = document.validate(model, document.data)
    document.raise_problems()
    assert found is not None  # else a problem was raised
    return found


def shipped_device(name: str, model: type[BaseModel]) -> BaseModel:
    """A device that came with the program, by name. Raises KeyError, ConfigError."""
    return read_device(Document.read(device_files()[name], f"devices/{name}.toml"), model)


def with_device(
    draft: Draft, place: Place, written: dict[str, Any], model: type[BaseModel], base: Path
) -> dict[str, Any] | None:
    """A source's settings with the device in the place of its name; None: there is none, the problem noted.

    place: of the settings; base: where relative paths start.
    """
    name = written.get("device")
    if not isinstance(name, str):
        return written  # missing or no name: the driver's own settings say so
    own = "/" in name or name.endswith(".toml")
    known = device_files()
    if not own and name not in known:
        meant = nearest(name, known)
        mend = f'did you mean "{meant}"?' if meant else f"there are: {listed(known)}"
        mend += "; a file of your own is named by its path"
        draft.refuse((*place, "device"), f'no device "{name}" is known', mend)
        return None
    if name not in draft.devices:
        path = base / name if own else known[name]
        try:
            document = Document.read(path, name if own else f"devices/{name}.toml")
            draft.devices[name] = (document, read_device(document, model))
        except ConfigError as error:
            draft.elsewhere.extend(error.problems)
            return None
    return {**written, "device": draft.devices[name][1]}


def documents_of(draft: Draft) -> dict[str, Document]:
    """The text of each data file in use, by a name that is its alone."""
    found: dict[str, Document] = {}
    for document, _ in draft.devices.values():
        taken = document.name in found and found[document.name].sha256 != document.sha256
        found[f"{document.name} (the site's)" if taken else document.name] = document
    return found
