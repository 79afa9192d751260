"""What an importer makes of a file: series of values with times, and what the file says of itself."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import tzinfo
from fractions import Fraction

from coldchain.importers.layouts import Layout
from coldchain.importers.refusal import Unread
from coldchain.logged import LoggerAlarm, LoggerDay
from coldchain.model import Reason
from coldchain.plan import Rule


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a log: when (UTC, ms), the number's own text with a decimal point, and its line.

    `bad` says why there is no value; then `raw` is "". `estimated`: the line carries no time of its
    own, and stands where its neighbours put it. `doubt`: why the value is UNCERTAIN.
    """

    at_ms: int
    raw: str
    line: int
    bad: Reason | None = None
    estimated: bool = False
    doubt: Reason | None = None


@dataclass(frozen=True)
class Series:
    """One column of temperatures, in time order. `unit` is a token that `coldchain.units` knows.

    role: what the file itself says that was measured, "" if it does not.
    """

    id: str
    title: str
    unit: str
    values: tuple[Value, ...]
    role: str = ""


@dataclass(frozen=True)
class LoggerFile:
    """A file as read: nothing judged, nothing dropped.

    kind:       how it was recognised, for people; serial: the device's, "" if the file says none.
    zone:       in which times are shown (and were read, if the file carries none).
    rules:      limits that the file itself carries, for the role `ROLE`.
    unread:     lines and fields that gave no reading, in the order of the file.
    notes:      how it was read: what a reader must know to check it.
    doubts:     why, for all that was read, nobody can say that the product was inside.
    claims:     what the device itself decided to be outside, as (rule id, sentence).
    alarms:     the same with its times, to be kept beside ours.
    days:       daily figures of a device that hands out no log: then there is no series.
    energy:     activation energy stated by the file, kJ/mol.
    stopped_ms: when recording ended, if the file says so; the last value counts until then.
    """

    name: str
    sha256: str
    kind: str
    zone: tzinfo
    series: tuple[Series, ...]
    serial: str = ""
    rules: tuple[Rule, ...] = ()
    unread: tuple[Unread, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    alarms: tuple[LoggerAlarm, ...] = ()
    days: tuple[LoggerDay, ...] = ()
    energy: Fraction | None = None
    stopped_ms: int | None = None
    simulated: bool = False

    def with_note(self, note: str) -> LoggerFile:
        """The same file, with one more remark on how it was read."""
        return replace(self, notes=(note, *self.notes))


#: The role of a series whose file, or command line, names none.
ROLE = "product"


@dataclass(frozen=True)
class ReadAs:
    """What the reader was told, where the file's own evidence is not to decide. None: not told.

    zone: of local times; dates: "YMD", "DMY" or "MDY"; time_format: for strptime; columns: the
    columns to judge by name or number; unit: of values whose column states none; days: a file that
    holds daily figures and no log is welcome, too; layout: of which kind of logger it is.
    """

    zone: tzinfo | None = None
    delimiter: str | None = None
    decimal: str | None = None
    dates: str | None = None
    time_format: str | None = None
    time_column: str | None = None
    columns: tuple[str, ...] = ()
    series_column: str | None = None
    unit: str | None = None
    encoding: str | None = None
    simulated: bool = False
    days: bool = False
    layout: Layout | None = None


#: Nothing told: the file's own evidence alone.
BY_ITS_OWN_EVIDENCE = ReadAs()


@dataclass
class Findings:
    """What a reader gathers on its way besides values."""

    unread: list[Unread] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
