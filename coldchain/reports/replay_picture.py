"""The picture of a replay: a panel for each channel, and the verdict above them."""

from __future__ import annotations

from coldchain.announcements import Announcement
from coldchain.plan import bounds
from coldchain.reports import words
from coldchain.reports.pictured import LimitLine, Mark, Panel, Picture
from coldchain.reports.replay import ChannelReport, ReplayReport, Subject
from coldchain.reports.stretches import stretches


def picture_of(report: ReplayReport, made_by: str) -> Picture:
    """The report as a picture; `made_by` names the program in its footer."""
    subject = report.subject
    profile = subject.profile
    lines = []
    if profile is not None:
        staged = f", stage {subject.stage}" if len(profile.stages) > 1 else ""
        title = f": {profile.title}" if profile.title else ""
        lines.append(f"limits {profile.id}, version {profile.version}{staged}{title}")
    if report.from_ms is not None and report.to_ms is not None:
        first, last = (words.clock(at_ms, subject.zone) for at_ms in (report.from_ms, report.to_ms))
        lines.append(
            f"{first} to {last}, {words.duration(report.to_ms - report.from_ms)}; {report.readings} readings"
        )
    stamps = ["SIMULATED"] if subject.simulated else []
    stamps += ["UNAPPROVED LIMITS"] if profile is not None and not profile.approved else []
    verdict = str(report.verdict).replace("_", " ").upper()
    return Picture(
        headline=f"{verdict}: {subject.file}",
        zone=subject.zone,
        panels=[_panel(channel, subject) for channel in report.channels if channel.figures.points],
        lines=lines,
        stamps=stamps,
        footer=f"{made_by}; sha256 of the file {subject.sha256}",
    )


def _panel(channel: ChannelReport, subject: Subject) -> Panel:
    figures = channel.figures
    return Panel(
        title=f"{channel.title}: watched {words.share(figures.good_ms, figures.product_ms)} of the time",
        quantity=channel.plan.quantity,
        from_ms=figures.points[0].at_ms,
        to_ms=max(channel.end_ms, figures.points[-1].at_ms),
        points=figures.points,
        gaps=figures.gaps,
        limits=[
            LimitLine(rule.id, rule.limit, rule.side, words.limit(rule, channel.plan.quantity))
            for rule in bounds(channel.rules)
        ],
        stretches=stretches(channel.found, figures.points, channel.plan.max_gap_ms, channel.end_ms),
        marks=[
            Mark(said.due_ms, _words(said, subject)) for said in channel.raised if said.due_ms is not None
        ],
    )


def _words(said: Announcement, subject: Subject) -> str:
    since = "" if said.since_ms is None else f", outside since {words.clock(said.since_ms, subject.zone)}"
    at = "" if said.due_ms is None else f" at {words.clock(said.due_ms, subject.zone)}"
    return f"{said.priority} {said.rule}{at}{since}"
