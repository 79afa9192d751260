"""What a configuration is once it has been read: tables, drivers with settings, profiles, exact texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from coldchain.config.problems import Problem
from coldchain.config.profile_file import Profile
from coldchain.config.settings import Settings, SourceSettings
from coldchain.driver import Driver, Line


@dataclass(frozen=True)
class Source:
    """A configured source with its driver.

    keys:     every key it can send with the unit as sent, "" if none is known.
    line:     how a serial device talks, with what the configuration adds; None: read from a broker.
    polled:   it is asked, and does not speak by itself.
    round_ms: how long one poll round takes, or at most lies between two uploads.
    """

    id: str
    settings: SourceSettings
    driver: Driver
    driver_settings: BaseModel
    keys: Mapping[str, str]
    line: Line | None
    polled: bool
    round_ms: int


@dataclass(frozen=True)
class Loaded:
    """A configuration that is right, with all it refers to.

    documents: the exact text of each file by name.
    hashes:    sha256 of each text, as an activation states them.
    warnings:  what is in order and yet doubtful.
    """

    path: Path
    settings: Settings
    sources: Mapping[str, Source]
    profiles: Mapping[str, Profile]
    documents: Mapping[str, str]
    hashes: Mapping[str, str]
    warnings: tuple[Problem, ...] = ()

    def resolve(self, path: str) -> Path:
        """A path out of the configuration; a relative one starts at the configuration file."""
        return (self.path.parent / path).absolute()
