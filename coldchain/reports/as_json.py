"""The replay report as one JSON object; its form is promised in docs/replay.md."""

from __future__ import annotations

import json
from decimal import Decimal
from fractions import Fraction
from typing import Any

from coldchain.announcements import Announcement
from coldchain.plan import Budget
from coldchain.reports import words
from coldchain.reports.judging import Found
from coldchain.reports.replay import ChannelReport, ReplayReport, Subject
from coldchain.units import TEMPERATURE

#: Means are told to this many decimals of a degree; everything else is exact.
_DECIMALS = 4


def as_json(report: ReplayReport) -> str:
    """The report as JSON text, indented, keys in the promised order, ending with a line end."""
    return json.dumps(as_object(report), indent=2, ensure_ascii=False) + "\n"


def as_object(report: ReplayReport) -> dict[str, Any]:
    """The report as plain data."""
    subject = report.subject
    return {
        "file": subject.file,
        "sha256": subject.sha256,
        "profile": _profile(subject),
        "from": _time(report.from_ms, subject),
        "to": _time(report.to_ms, subject),
        "readings": report.readings,
        "channels": [_channel(channel, subject) for channel in report.channels],
        "excursions": [
            _excursion(channel, found, subject) for channel in report.channels for found in channel.found
        ],
        "alarms": [_alarm(channel, said, subject) for channel in report.channels for said in channel.raised],
        "verdict": str(report.verdict),
        "reasons": list(report.reasons),
    }


def _profile(subject: Subject) -> dict[str, Any] | None:
    profile = subject.profile
    if profile is None:
        return None
    return {
        "id": profile.id,
        "version": profile.version,
        "title": profile.title,
        "approved": profile.approved,
        "stage": subject.stage,
        "sha256": profile.sha256,
    }


def _channel(channel: ChannelReport, subject: Subject) -> dict[str, Any]:
    figures = channel.figures
    return {
        "id": channel.plan.id,
        "title": channel.title,
        "role": channel.plan.role,
        "unit": TEMPERATURE.display_unit,
        "readings": figures.good,
        "bad": figures.bad,
        "min": _degrees(figures.min),
        "max": _degrees(figures.max),
        "mean": None if figures.mean is None else _mean(figures.mean / 1000),
        "mkt_c": None if figures.mkt_c is None else _mean(figures.mkt_c),
        "mkt_energy_kj_mol": None if figures.energy_kj_mol is None else float(figures.energy_kj_mol),
        "interval_s": channel.plan.interval_ms / 1000,
        "max_gap_s": channel.plan.max_gap_ms / 1000,
        "unmonitored_s": figures.unmonitored_ms / 1000,
        "good_s": figures.good_ms / 1000,
        "product_s": figures.product_ms / 1000,
        "simulated": subject.simulated,
        "notes": list(subject.notes),
    }


def _excursion(channel: ChannelReport, found: Found, subject: Subject) -> dict[str, Any]:
    interval = found.interval
    end_ms = channel.end_ms if interval.end_ms is None else interval.end_ms
    return {
        "channel": channel.plan.id,
        "rule": found.rule.id,
        "side": str(found.rule.side),
        "limit": None if found.rule.limit is None else _degrees(found.rule.limit),
        "start": words.iso(interval.start_ms, subject.zone),
        "triggered": _time(interval.triggered_ms, subject),
        "end": _time(interval.end_ms, subject),
        "duration_s": (end_ms - interval.start_ms) / 1000,
        "outside_s": interval.outside_ms / 1000,
        "unmonitored_s": interval.unmonitored_ms / 1000,
        "allowance_s": found.rule.allowance_ms / 1000 if isinstance(found.rule, Budget) else None,
        "charges_unmonitored": found.rule.charge_unmonitored if isinstance(found.rule, Budget) else None,
        "extreme": _degrees(interval.extreme),
        "extreme_at": words.iso(interval.extreme_ms, subject.zone),
    }


def _alarm(channel: ChannelReport, said: Announcement, subject: Subject) -> dict[str, Any]:
    rule = next(rule for rule in channel.rules if rule.id == said.rule)
    return {
        "channel": channel.plan.id,
        "rule": rule.id,
        "title": rule.title,
        "priority": str(rule.priority),
        "condition": words.limit(rule),
        "since": _time(said.since_ms, subject),
        "raised": _time(said.due_ms, subject),
        "occurrence": said.occurrence,
        "source": rule.cited.source,
        "confidence": rule.cited.confidence,
        "approved_by": rule.cited.approved_by,
        "unapproved": said.unapproved,
        "simulated": said.simulated,
        "advice": rule.advice,
    }


def _time(at_ms: int | None, subject: Subject) -> str | None:
    return None if at_ms is None else words.iso(at_ms, subject.zone)


def _degrees(value_mc: int | None) -> float | None:
    return None if value_mc is None else value_mc / TEMPERATURE.per_display


def _mean(value: Fraction | Decimal) -> float:
    return round(float(value), _DECIMALS)
