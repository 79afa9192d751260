"""A configuration while it is being read: the tables that are right so far, and what is wrong with the rest.

Each entry is checked on its own, so that one mistake hides no other. An entry that is wrong is missing from
the draft but still stands in the text: checks across tables ask `written`, and do not report it again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, TypeVar

from pydantic import BaseModel

from coldchain.config.calling_tables import ContactTable, EscalationTable
from coldchain.config.document import Document
from coldchain.config.endpoints import SINKS, BrokerSettings, SinkSettings
from coldchain.config.fields import NAME, NAME_MEND, Table
from coldchain.config.loaded import Source
from coldchain.config.positions import Place
from coldchain.config.problems import Problem, listed, nearest
from coldchain.config.profile_file import Profile
from coldchain.config.settings import (
    Alarms,
    AssetSettings,
    ChannelSettings,
    ClockSettings,
    Evidence,
    Health,
    Heartbeat,
    Journal,
    Page,
    Profiles,
    Retention,
    Settings,
    Site,
    SiteFigure,
    SourceSettings,
)
from coldchain.config.work_tables import WorkTable

T = TypeVar("T", bound=Table)

# What people call a secret, and what the key is called that names the secret's file.
_SECRETS = {
    "password": "password_file",
    "passwd": "password_file",
    "passphrase": "password_file",
    "secret": "secret_file",
    "token": "token_file",
    "api_key": "token_file",
    "apikey": "token_file",
}
_REQUIRED = {"site": 'write [site] with name = "…"', "journal": 'write [journal] with path = "…"'}


@dataclass
class Draft:
    """What has been read. `warnings` are kept apart from the document's problems: they refuse nothing."""

    document: Document
    site: Site | None = None
    journal: Journal | None = None
    evidence: Evidence = field(default_factory=Evidence)
    retention: Retention | None = None
    clock: ClockSettings = field(default_factory=ClockSettings)
    heartbeat: Heartbeat = field(default_factory=Heartbeat)
    health: Health = field(default_factory=Health)
    alarms: Alarms = field(default_factory=Alarms)
    profiles: Profiles = field(default_factory=Profiles)
    page: Page | None = None
    brokers: dict[str, BrokerSettings] = field(default_factory=dict)
    sources: dict[str, SourceSettings] = field(default_factory=dict)
    channels: dict[str, ChannelSettings] = field(default_factory=dict)
    assets: dict[str, AssetSettings] = field(default_factory=dict)
    sinks: dict[str, SinkSettings] = field(default_factory=dict)
    works: dict[str, WorkTable] = field(default_factory=dict)
    contacts: dict[str, ContactTable] = field(default_factory=dict)
    escalation: EscalationTable = field(default_factory=EscalationTable)
    devices: dict[str, tuple[Document, BaseModel]] = field(default_factory=dict)
    resolved: dict[str, Source] = field(default_factory=dict)
    limits: dict[str, Profile] = field(default_factory=dict)
    elsewhere: list[Problem] = field(default_factory=list)
    warnings: list[Problem] = field(default_factory=list)

    def written(self, table: str) -> dict[str, Any]:
        """What stands in the text under `table`, right or wrong."""
        found = self.document.data.get(table)
        return found if isinstance(found, dict) else {}

    def refuse(self, place: Place, what: str, mend: str) -> None:
        """Note what is wrong at a place of the configuration."""
        self.document.refuse(place, what, mend)

    def warn(self, place: Place, what: str, mend: str) -> None:
        """Note what is doubtful at a place of the configuration."""
        self.warnings.append(self.document.problem(place, what, mend))

    def must_exist(self, table: str, name: str, place: Place) -> bool:
        """Whether `table` has an entry `name`; refuses `place`, which names it, if not."""
        known = self.written(table)
        if name in known:
            return True
        meant = nearest(name, known)
        mend = f'did you mean "{meant}"?' if meant else f"there are: {listed(known)}"
        self.refuse(
            place,
            f'{table}."{name}" does not exist' if "." in name else f"{table}.{name} does not exist",
            mend,
        )
        return False

    def settings(self) -> Settings:
        """The whole, once nothing is wrong."""
        assert self.site is not None  # else a problem was raised
        assert self.journal is not None
        # Every table there is: one that is read and left out here would be accepted and ignored.
        return Settings.model_construct(**{name: getattr(self, name) for name in Settings.model_fields})


def read_tables(document: Document) -> Draft:
    """Read every table by itself; what is wrong is noted in the document."""
    draft = Draft(document)
    data = {key: _without_secrets(draft, (key,), value) for key, value in document.data.items()}
    for name in data:
        if name not in Settings.model_fields:
            meant = nearest(name, Settings.model_fields)
            known = ", ".join(Settings.model_fields)
            draft.refuse(
                (name,), "unknown key", f"did you mean {meant}?" if meant else f"known here: {known}"
            )
    for name, mend in _REQUIRED.items():
        if name not in data:
            draft.refuse((name,), "is missing", mend)

    def single(name: str, model: type[T], otherwise: T) -> T:
        return (document.validate(model, data[name], (name,)) if name in data else None) or otherwise

    def entries(name: str, model: type[T]) -> dict[str, T]:
        found = {}
        for key, value in _table(draft, data, name).items():
            entry = document.validate(model, value, (name, key)) if _named(draft, name, key) else None
            if entry is not None:
                found[key] = entry
        return found

    draft.site = document.validate(Site, data["site"], ("site",)) if "site" in data else None
    draft.journal = document.validate(Journal, data["journal"], ("journal",)) if "journal" in data else None
    draft.page = document.validate(Page, data["page"], ("page",)) if "page" in data else None
    draft.retention = (
        document.validate(Retention, data["retention"], ("retention",)) if "retention" in data else None
    )
    draft.evidence = single("evidence", Evidence, draft.evidence)
    draft.clock = single("clock", ClockSettings, draft.clock)
    draft.heartbeat = single("heartbeat", Heartbeat, draft.heartbeat)
    draft.health = single("health", Health, draft.health)
    draft.alarms = single("alarms", Alarms, draft.alarms)
    draft.profiles = _profiles(draft, data)
    draft.brokers = entries("brokers", BrokerSettings)
    draft.sources = entries("sources", SourceSettings)
    draft.channels = entries("channels", ChannelSettings)
    draft.assets = entries("assets", AssetSettings)
    draft.sinks = _sinks(draft, data)
    draft.works = entries("works", WorkTable)
    draft.contacts = entries("contacts", ContactTable)
    draft.escalation = single("escalation", EscalationTable, draft.escalation)
    return draft


def _table(draft: Draft, data: dict[str, Any], name: str) -> dict[str, Any]:
    found = data.get(name, {})
    if not isinstance(found, dict):
        draft.refuse((name,), "is no table", f"write [{name}.NAME]")
        return {}
    return found


def _profiles(draft: Draft, data: dict[str, Any]) -> Profiles:
    """The table of profiles; a figure that is wrong takes nothing else with it."""
    table = dict(_table(draft, data, "profiles"))
    figures: dict[str, dict[str, SiteFigure]] = {}
    given = table.pop("figures", {})
    for profile, named in given.items() if isinstance(given, dict) else ():
        for name, value in named.items() if isinstance(named, dict) else ():
            figure = draft.document.validate(SiteFigure, value, ("profiles", "figures", profile, name))
            if figure is not None:
                figures.setdefault(profile, {})[name] = figure
    found = draft.document.validate(Profiles, table, ("profiles",)) or Profiles()
    return found.model_copy(update={"figures": figures})


def _named(draft: Draft, table: str, key: str) -> bool:
    if NAME.fullmatch(key):
        return True
    draft.refuse((table, key), f'"{key}" is no name', NAME_MEND)
    return False


def _sinks(draft: Draft, data: dict[str, Any]) -> dict[str, SinkSettings]:
    found: dict[str, SinkSettings] = {}
    for name, value in _table(draft, data, "sinks").items():
        place = ("sinks", name)
        kind = value.get("kind") if isinstance(value, dict) else None
        if not _named(draft, "sinks", name):
            continue
        if kind is None:
            draft.refuse((*place, "kind"), "is missing", f"write kind, one of {listed(SINKS)}")
            continue
        model = SINKS.get(str(kind)) or _sink_of_others(draft, (*place, "kind"), str(kind))
        sink = draft.document.validate(model, value, place) if model else None
        if sink is not None:
            found[name] = sink
    return found


def _sink_of_others(draft: Draft, place: Place, kind: str) -> type[SinkSettings] | None:
    """The settings of a sink that somebody else has published; None if it is not there, and reported."""
    entries = {entry.name: entry for entry in entry_points(group="coldchain.sinks")}
    if kind not in entries:
        known = {*SINKS, *entries}
        meant = nearest(kind, known)
        mend = f'did you mean "{meant}"?' if meant else f"there are: {listed(known)}"
        draft.refuse(place, f'there is no sink "{kind}"', mend)
        return None
    try:
        model: type[SinkSettings] = entries[kind].load().settings
    except (ImportError, AttributeError) as error:
        draft.refuse(
            place, f'sink "{kind}" cannot be loaded: {error}', "install it again, with what it needs"
        )
        return None
    return model


def _without_secrets(draft: Draft, place: Place, value: Any) -> Any:
    """The value without secrets, each of which is refused; nothing of a secret is ever repeated."""
    if isinstance(value, list):
        return [_without_secrets(draft, (*place, i), item) for i, item in enumerate(value)]
    if not isinstance(value, dict):
        return value
    if place[0] == "sources" and place[2:] == ("settings",):  # a driver's settings are the driver's to judge
        return value
    kept = {}
    for key, inner in value.items():
        if key.lower() in _SECRETS and isinstance(inner, str):
            named = _SECRETS[key.lower()]
            file = f"{place[-1]}-{named.removesuffix('_file')}"
            draft.refuse(
                (*place, key),
                "a secret stands in the file",
                "put it into a file that only the service may read and write "
                f'{named} = "/etc/coldchain/{file}" or "$CREDENTIALS_DIRECTORY/{file}"',
            )
        else:
            kept[key] = _without_secrets(draft, (*place, key), inner)
    return kept
