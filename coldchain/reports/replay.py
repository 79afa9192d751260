"""The replay report as data: what a file shows, what the fold says of it, and whether that is enough.

A verdict is one of three. *outside*: a rule alarmed, which no gap can undo. *inside*: no rule alarmed,
and none would have alarmed had the product been outside whenever nobody watched. *cannot_judge*:
anything else, with each reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from fractions import Fraction

from coldchain.announcements import Announcement
from coldchain.facts import Fact
from coldchain.model import Reason
from coldchain.plan import LANE, ChannelPlan, ProfilePlan, Rule
from coldchain.reports import words
from coldchain.reports.judging import Found, could_be_hidden, judge, open_at_end
from coldchain.reports.statistics import Statistics, statistics


class Verdict(StrEnum):
    """Whether the product was inside its limits, as far as a file can tell."""

    INSIDE = "inside"
    OUTSIDE = "outside"
    CANNOT_JUDGE = "cannot_judge"


@dataclass(frozen=True)
class Subject:
    """What is known of a file besides its readings.

    unread: lines and fields that gave no reading, as sentences. notes: how it was read. doubts: why it
    cannot prove "inside". claims: (rule id, sentence) of alarms that the device itself lists.
    counts_until_ms: when recording stopped, if the file says so; until_ms: how far deadlines are let pass.
    """

    file: str
    sha256: str
    kind: str
    zone: tzinfo
    profile: ProfilePlan | None
    stage: str = ""
    unread: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    doubts: tuple[str, ...] = ()
    claims: tuple[tuple[str, str], ...] = ()
    energy_kj_mol: Fraction | None = None
    counts_until_ms: int | None = None
    until_ms: int | None = None
    simulated: bool = False


@dataclass(frozen=True)
class ChannelReport:
    """One column: its plan, its figures, and what the fold found."""

    plan: ChannelPlan
    title: str
    figures: Statistics
    rules: tuple[Rule, ...]
    found: tuple[Found, ...]
    raised: tuple[Announcement, ...]
    doubts: tuple[str, ...]
    end_ms: int


@dataclass(frozen=True)
class ReplayReport:
    """Everything a reader is told. from_ms and to_ms are None where no value was read."""

    subject: Subject
    channels: tuple[ChannelReport, ...]
    verdict: Verdict
    reasons: tuple[str, ...]
    from_ms: int | None = None
    to_ms: int | None = None

    @property
    def readings(self) -> int:
        """How many values were read, over all channels."""
        return sum(channel.figures.good for channel in self.channels)


def channel_report(
    subject: Subject, plan: ChannelPlan, title: str, facts: Sequence[tuple[int, Fact]], rules: Sequence[Rule]
) -> ChannelReport:
    """Fold one channel's facts and reckon its figures. `rules` are those in force for its role."""
    counts_until_ms = max(
        (at_ms for at_ms in (subject.counts_until_ms, subject.until_ms) if at_ms is not None), default=None
    )
    figures = statistics(plan, facts, counts_until_ms=counts_until_ms, energy_kj_mol=subject.energy_kj_mol)
    judged = judge(facts, subject.until_ms)
    gaps = figures.gaps
    doubts: list[str] = []
    if not figures.good:
        doubts.append(f"{title}: no value could be read")
    elif not rules:
        roles = sorted({rule.role for rule in _rules(subject)} - {LANE})
        doubts.append(
            f"{title}: no rule for role {plan.role!r}" + (f"; there are {', '.join(roles)}" if roles else "")
        )
    elif len({point.at_ms for point in figures.points}) < 2:
        doubts.append(f"{title}: a single reading shows an instant, not a journey")
    elif gaps:
        doubts += _hidden(subject, plan, title, facts, rules, figures)
    end_ms = max([figures.points[-1].at_ms if figures.points else 0, subject.until_ms or 0])
    return ChannelReport(
        plan, title, figures, tuple(rules), judged.found, judged.raised, tuple(doubts), end_ms
    )


def replay_report(subject: Subject, channels: Iterable[ChannelReport]) -> ReplayReport:
    """The verdict over all channels of a file, with its reasons."""
    listed = tuple(channels)
    # A line that carries no time of its own was put somewhere (BAD_TIME); it does not stretch the span.
    times = [
        point.at_ms
        for channel in listed
        for point in channel.figures.points
        if point.reason is not Reason.BAD_TIME
    ]
    triggered = [
        (channel, found)
        for channel in listed
        for found in channel.found
        if found.interval.triggered_ms is not None
    ]
    several = len(listed) > 1
    outside = [_outside(channel, found, subject.zone, several=several) for channel, found in triggered]
    doubts = [doubt for channel in listed for doubt in channel.doubts] + list(subject.doubts)
    alarmed = {found.rule.id for _, found in triggered}
    doubts += dict.fromkeys(
        said + ", which its log does not show" for rule, said in subject.claims if rule not in alarmed
    )
    if subject.profile is None:
        doubts.insert(
            0, "no limits: the file carries none; name a profile, or limits with --above and --below"
        )
    elif not listed:
        doubts.insert(0, "no value could be read")
    if outside:
        verdict, reasons = Verdict.OUTSIDE, outside + doubts
    elif doubts:
        verdict, reasons = Verdict.CANNOT_JUDGE, doubts
    else:
        verdict, reasons = Verdict.INSIDE, []
    reasons += [_still_outside(channel, found) for channel in listed for found in _open(channel)]
    reasons += _could_not_read(subject)
    return ReplayReport(
        subject, listed, verdict, tuple(reasons), min(times, default=None), max(times, default=None)
    )


def refused_report(subject: Subject, why: str) -> ReplayReport:
    """The report on a file that could not be read at all."""
    return ReplayReport(subject, (), Verdict.CANNOT_JUDGE, (why,))


def _rules(subject: Subject) -> list[Rule]:
    stages = subject.profile.stages if subject.profile else ()
    return [rule for stage in stages if stage.name == subject.stage for rule in stage.rules]


def _hidden(
    subject: Subject,
    plan: ChannelPlan,
    title: str,
    facts: Sequence[tuple[int, Fact]],
    rules: Sequence[Rule],
    figures: Statistics,
) -> list[str]:
    count = len(figures.gaps)
    spans = (
        f"{count} span{'s' if count > 1 else ''}, {words.duration(figures.unmonitored_ms)}, without a reading"
    )
    first = words.clock(figures.gaps[0].start_ms, subject.zone)
    hidden = could_be_hidden(plan, facts, figures.gaps, rules, subject.until_ms)
    if hidden is None:
        return [f"{title}: {spans}, the first from {first}: far more than was watched"]
    if hidden:
        return [
            f"{title}: {spans}, the first from {first}: an alarm of {', '.join(hidden)} could be hidden there"
        ]
    return []


def _outside(channel: ChannelReport, found: Found, zone: tzinfo, *, several: bool) -> str:
    where = f"{channel.title}: " if several else ""
    assert found.interval.triggered_ms is not None
    start, alarm = (words.clock(at, zone) for at in (found.interval.start_ms, found.interval.triggered_ms))
    return f"{where}{found.rule.id}: {words.limit(found.rule)}, from {start}, alarm at {alarm}"


def _open(channel: ChannelReport) -> list[Found]:
    return open_at_end(channel.found, channel.figures.points)


def _still_outside(channel: ChannelReport, found: Found) -> str:
    lasted = words.duration(channel.end_ms - found.interval.start_ms)
    return f"{channel.title}: the log ends outside {found.rule.id}, after {lasted}, its hold not fulfilled"


def _could_not_read(subject: Subject) -> list[str]:
    if not subject.unread:
        return []
    count = len(subject.unread)
    return [f"{count} line{'s' if count > 1 else ''} or fields gave no reading", *subject.unread]
