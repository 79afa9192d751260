"""The tables of `gateway.toml`, each as a strict model.

What a table means together with others (does the asset exist, can the probe measure the limit) is judged in
`coldchain.config.checks`.
"""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from coldchain.config.calling_tables import ContactTable, EscalationTable
from coldchain.config.endpoints import BrokerSettings, Port, SinkSettings
from coldchain.config.fields import (
    Difference,
    Duration,
    Mass,
    Name,
    Period,
    Share,
    Size,
    Table,
    Text,
    Value,
    said,
)
from coldchain.config.work_tables import WorkTable
from coldchain.model import Priority
from coldchain.units import QuantityName


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise said(f'"{value}" is no time zone', 'write one such as "Asia/Shanghai" or "UTC"') from error
    return value


class Site(Table):
    """Where this gateway stands. Times are kept in UTC; the zone is for people."""

    name: Text = Field(examples=["Cell bank, room 3"])
    time_zone: Annotated[str, AfterValidator(_zone)] = "UTC"


class Journal(Table):
    """Where everything is recorded. A relative path starts at the configuration file."""

    path: Text = Field(examples=["/var/lib/coldchain/journal.db"])


def _for_a_signature(value: int) -> int:
    if value < 1_000:
        raise said("signs more often than each second", 'write "1 s" or more, such as "15 min"')
    return value


class Evidence(Table):
    """The key with which the gateway signs the head of its journal, and how often it does.

    Without a key nothing is signed. A `mqtt_state` sink publishes each signed head under PREFIX/head.
    """

    key_file: str = ""
    key_env: str = ""
    every: Annotated[Period, AfterValidator(_for_a_signature)] = 900_000

    @model_validator(mode="after")
    def _fits(self) -> Evidence:
        if self.key_file and self.key_env:
            raise said("has key_file and key_env", "keep one of them")
        return self


_DAY_MS = 86_400_000


def _divides_a_day(value: int) -> int:
    if _DAY_MS % value:
        raise said(
            "a day holds no whole number of these spans", 'write one such as "15 min", "1 h" or "24 h"'
        )
    return value


class Retention(Table):
    """For how long readings are kept. Without this table nothing is ever removed.

    A reading that comes when it is older than that is kept for a while and judged by nothing.
    summary:           the span of which one row stays for its readings; days hold a whole number of them.
    around_excursions: so long before and after an excursion readings stay too.
    """

    readings: Period = Field(examples=["730 d"])
    summary: Annotated[Period, AfterValidator(_divides_a_day)] = 3_600_000
    around_excursions: Duration = 3_600_000


class ClockSettings(Table):
    """Who vouches for the wall clock: the kernel (disciplined by NTP, PTP or GPS) or the site itself."""

    trust: Literal["kernel", "site"] = "kernel"


#: Listening on every address of the machine; named here to be refused without names and users.
_ANYWHERE = {"0.0.0.0", "::"}  # noqa: S104


class Page(Table):
    """The page in the browser."""

    host: Text = "127.0.0.1"
    port: Port = 8443
    names: tuple[Text, ...] = Field(default=(), strict=False)  # as people type them, with or without a port
    proxies: tuple[Text, ...] = Field(default=("127.0.0.1", "::1"), strict=False)
    users_file: str = ""
    tls_certificate_file: str = ""
    tls_key_file: str = ""
    behind_proxy: bool = False
    metrics_token_file: str = ""  # what Prometheus shows to read /metrics
    metrics_token_env: str = ""

    @model_validator(mode="after")
    def _fits(self) -> Page:
        if bool(self.tls_certificate_file) != bool(self.tls_key_file):
            raise said("has only one of tls_certificate_file and tls_key_file", "write both or none")
        if self.metrics_token_file and self.metrics_token_env:
            raise said("has metrics_token_file and metrics_token_env", "keep one of them")
        alone = self.host in {"127.0.0.1", "::1", "localhost"}
        if alone and not self.behind_proxy:
            return self
        if not self.users_file:
            where = f'on "{self.host}"' if not alone else "through a proxy"
            raise said(f"is open to others {where} without users", "write users_file")
        if not self.names and (self.behind_proxy or self.host in _ANYWHERE):
            raise said(
                "does not say under which names people come",
                'write names = ["coldchain.example.org"]; a request for any other is refused',
            )
        if not alone and not self.tls_certificate_file and not self.behind_proxy:
            raise said(
                f'would send passwords in clear on "{self.host}"',
                "write tls_certificate_file and tls_key_file, or behind_proxy = true if a proxy does TLS",
            )
        return self


class Heartbeat(Table):
    """Our own sign of life: a fact through the whole pipeline, which feeds the watchdog."""

    interval: Period = 10_000


#: A journal's log that grew and was copied back keeps up to 8 MiB of its file (`journal.database`): below
#: twice that an alarm might never end.
LOG_LEAST = 16 << 20


def _more_than_it_keeps(value: int) -> int:
    if value < LOG_LEAST:
        raise said("is less than a journal's log needs now and then", 'write "16 MiB" or more')
    return value


#: At this error (NTP_PHASE_LIMIT, linux/timex.h) the kernel says itself that its clock is not synchronised.
CLOCK_GIVEN_UP_MS = 16_000


def _before_it_is_given_up(value: int) -> int:
    if value >= CLOCK_GIVEN_UP_MS:
        raise said(
            "is never crossed: at 16 s the kernel itself gives its clock up, which is another alarm",
            'write less than "16 s"',
        )
    return value


class Health(Table):
    """When the gateway itself is not as it should be, and says so. All numbers are our judgement.

    disk_free: less than this of the journal's file system. At 78 MB for twenty channels a month a tenth of a
    small card is months of readings; what else fills a disk is faster. queue: more than this of the intake
    waits to be folded. commit: a transaction takes longer on average; what is told later than a second after
    it was certain is marked late, so that is the default. sink: for so long nobody could be told by it.

    memory: our process holds more than this of the machine's (or of its control group's); files: more than
    this of as many files and sockets as it may open. Far above what a gateway needs, so that only what grows
    without end gets there, and far enough below the end for somebody to look into it.

    log: the journal's write-ahead log is larger. It is copied back at 4 MiB; sixteen times that it reaches
    when nothing was copied for some five hours of twenty channels a minute (8,500 bytes a commit,
    docs/journal.md): longer than anybody looks into a journal, and weeks before it fills a card.

    clock: the kernel thinks its clock may be wrong by more. With systemd-timesyncd, which corrects each 34
    minutes at the latest (PollIntervalMaxSec=2048), the kernel's growth of 500 µs a second stays about 1 s;
    10 s are five and a half hours without a correction, and over three before the kernel gives the clock up.
    """

    disk_free: Share = 1_000
    queue: Share = 5_000
    commit: Period = 1_000
    sink: Period = 900_000
    memory: Share = 5_000
    files: Share = 8_000
    clock: Annotated[Period, AfterValidator(_before_it_is_given_up)] = 10_000
    log: Annotated[Size, AfterValidator(_more_than_it_keeps)] = 64 << 20


#: For how long an alarm may be shelved where the site does not say. ISA-18.2 wants a shelf to end by itself
#: and OPC UA (IEC 62541-9) has a MaxTimeShelved; neither gives a number. Eight hours are our judgement: one
#: shift, so that whoever shelved an alarm is still there, or has just handed over, when it comes back.
SHELF_MAX_MS = 8 * 3_600_000


class Flood(Table):
    """When there are more alarms than a person can take in.

    ISA-18.2, as quoted by prosys.com and exida.com: a flood begins when more than 10 alarms come up within 10
    minutes, and ends when fewer than 5 do.
    """

    within: Period = 600_000
    begins_above: Annotated[int, Field(ge=1)] = 10
    ends_below: Annotated[int, Field(ge=1)] = 5

    @model_validator(mode="after")
    def _fits(self) -> Flood:
        if self.ends_below > self.begins_above + 1:
            raise said("would end before it begins", "write ends_below no larger than begins_above")
        return self


class Alarms(Table):
    """What the site decides for all alarms.

    re_alarm: how often an unacknowledged alarm says so again, by priority, where its rule does not say.
    shelve_max: for how long one may be shelved at most, by priority.
    out_of_service_max: alarms are out of service for so long at most; without it they cannot be taken out.
    """

    re_alarm: dict[Annotated[Priority, Field(strict=False)], Period] = Field(default={})
    shelve_max: dict[Annotated[Priority, Field(strict=False)], Period] = Field(default={})
    out_of_service_max: Period | None = None
    flood: Flood = Flood()


class SiteFigure(Table):
    """The site's own number in a profile: what it is, where it comes from, who approved it."""

    value: Text = Field(examples=["30 min"])
    source: Text = Field(examples=["stability study 12, page 4"])
    approved_by: Text = Field(examples=["A. Meier, QA"])


class Profiles(Table):
    """Which limit profiles are in force, where the site's own lie, and the site's figures in them."""

    directories: tuple[Text, ...] = Field(default=(), strict=False)
    use: tuple[Name, ...] = Field(default=(), strict=False)
    figures: dict[Name, dict[Name, SiteFigure]] = Field(default={})


class SourceSettings(Table):
    """A device or a message stream. `settings` belongs to its driver and is checked by it.

    poll_outside: how often it is asked while something that it measures is outside.
    """

    driver: Text = Field(examples=["mqtt_json"])
    title: str = ""
    port: Text | None = None  # a device file, or socket://HOST:PORT
    baud: Annotated[int, Field(ge=50, le=4_000_000)] | None = None
    frame: Annotated[str, Field(pattern=r"^[5-8][NEOMS](1|1\.5|2)$", examples=["8N1"])] | None = None
    poll: Period | None = None
    poll_outside: Period | None = None
    broker: Name | None = None
    clock_tolerance: Duration = 60_000
    simulated: bool = False
    settings: dict[str, Any] = Field(default={})


class Point(Table):
    """A calibration point: where the probe indicates `at`, the truth is `at` plus `correction`."""

    at: Value = Field(examples=["-196 °C"])
    correction: Difference = Field(examples=["0.4 °C"])


class Calibration(Table):
    """What the certificate says. `uncertainty`: expanded, as stated there (usually k = 2).

    announce_ahead: so long before it is due people are told.
    """

    certificate: Text = Field(examples=["2026-0114"])
    due: dt.date = Field(examples=[dt.date(2027, 1, 31)])
    announce_ahead: Period | None = None
    uncertainty: Difference = Field(examples=["0.3 °C"])
    points: tuple[Point, ...] = Field(default=(), strict=False)


class ChannelSettings(Table):
    """One quantity of one probe at one place of one asset."""

    source: Name = Field(examples=["freezer"])
    key: Text = Field(examples=["temp_a"])
    asset: Name = Field(examples=["dewar-2"])
    role: Name = Field(examples=["vapour"])
    quantity: QuantityName = Field(examples=["temperature"])
    title: str = ""
    unit: str = ""
    probe: Literal["air", "buffered", "vapour", "liquid"] | None = None
    serial: str = ""
    interval: Period | None = None
    upload: Period | None = None
    fresh_within: Period = Field(examples=["5 min"])
    max_gap: Period | None = None
    valid_low: Value = Field(examples=["-200 °C"])
    valid_high: Value = Field(examples=["60 °C"])
    silence_priority: Annotated[Priority, Field(strict=False)] = Priority.HIGH
    calibration: Calibration | None = None
    touch: Difference | None = None  # so far its reading moves when somebody has the probe in hand

    @model_validator(mode="after")
    def _fits(self) -> ChannelSettings:
        if self.touch is not None and self.touch.quanta <= 0:
            raise said(f'touch "{self.touch.text}" is no move', "write how far a touch moves the reading")
        if self.valid_low.quanta >= self.valid_high.quanta:
            raise said(
                f"valid_low {self.valid_low.text} is not below valid_high {self.valid_high.text}",
                "correct one of them",
            )
        if self.quantity == "temperature" and self.probe is None:
            raise said(
                "says not what its probe hangs in", 'write probe = "air", "buffered", "vapour" or "liquid"'
            )
        return self


class AssetSettings(Table):
    """A vessel, and what judges it while no consignment says otherwise."""

    kind: Literal["dry_shipper", "dewar", "freezer", "refrigerator", "passive_box"] = Field(
        examples=["dry_shipper"]
    )
    title: str = ""
    serial: str = ""
    tare_mass: Mass | None = None
    full_mass: Mass | None = None
    qualified_hold: Period | None = None
    loss_per_day: Mass | None = None
    reserve: dict[Name, Name] = Field(default={})  # a role, and the role of the probe that stands in for it
    logged: tuple[Name, ...] = Field(default=(), strict=False)  # roles that come as files, after a trip
    profile: Name | None = None
    stage: Name | None = None

    @model_validator(mode="after")
    def _fits(self) -> AssetSettings:
        if self.tare_mass and self.full_mass and self.tare_mass.quanta >= self.full_mass.quanta:
            raise said("tare_mass is not below full_mass", "correct one of them")
        if self.stage is not None and self.profile is None:
            raise said("has a stage and no profile", "write profile")
        return self


class Settings(Table):
    """A whole `gateway.toml`."""

    site: Site = Field(description='[site] with name = "…"')
    journal: Journal = Field(description='[journal] with path = "…"')
    evidence: Evidence = Evidence()
    retention: Retention | None = None
    clock: ClockSettings = ClockSettings()
    heartbeat: Heartbeat = Heartbeat()
    health: Health = Health()
    alarms: Alarms = Alarms()
    page: Page | None = None
    profiles: Profiles = Profiles()
    brokers: dict[Name, BrokerSettings] = Field(default={})
    sources: dict[Name, SourceSettings] = Field(default={})
    channels: dict[Name, ChannelSettings] = Field(default={})
    assets: dict[Name, AssetSettings] = Field(default={})
    sinks: dict[Name, SinkSettings] = Field(default={})
    works: dict[Name, WorkTable] = Field(default={})
    contacts: dict[Name, ContactTable] = Field(default={})
    escalation: EscalationTable = EscalationTable()
