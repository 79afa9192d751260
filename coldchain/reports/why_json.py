"""Why an alarm, as one JSON object; its form is promised in docs/why.md."""

from __future__ import annotations

import json
from typing import Any

from coldchain.model import Quality
from coldchain.plan import Bound, Budget, Limit
from coldchain.reports import why_words, words
from coldchain.reports.why import Answer, Read, calibrated
from coldchain.units import QUANTITIES


def as_json(answer: Answer) -> str:
    """The answer as JSON text, indented, keys in the promised order, ending with a line end."""
    return json.dumps(as_object(answer), indent=2, ensure_ascii=False) + "\n"


def as_object(answer: Answer) -> dict[str, Any]:
    """The answer as plain data."""
    why = answer.why
    return {
        "alarm": why.alarm,
        "excursion": why.excursion or None,
        "occurrence": why.occurrence,
        "place": why.subject,
        "priority": None if why.priority is None else str(why.priority),
        "confirmed": why.confirmed,
        "simulated": why.simulated,
        "unapproved": why.unapproved,
        "limit": _limit(answer),
        "channel": _channel(answer),
        "interval": _interval(answer),
        "resolved": [
            {
                "excursion": one.excursion,
                "by": one.who,
                "comment": one.comment,
                "at": _journal(answer, one.at_ms),
                "from": _event(answer, one.from_ms),
                "to": _event(answer, one.to_ms),
            }
            for one in why.resolved
        ],
        "steps": [
            {"at": _event(answer, step.at_ms), "what": step.what, "value": _shown(answer, step.value)}
            for step in why.steps
        ],
        "announcements": [
            {
                "announced": _journal(answer, one.announced_ms),
                "position": one.position,
                "kind": str(one.said.kind),
                "occurrence": one.said.occurrence,
                "occurrences": list(one.said.occurrences),
                "state": one.said.state or None,
                "since": _event(answer, one.said.since_ms),
                "due": _event(answer, one.said.due_ms),
                "end": _event(answer, one.said.end_ms),
                "late": None if one.said.late is None else str(one.said.late),
                "by": one.who or None,
                "comment": one.comment or None,
            }
            for one in why.spoken
        ],
        "told": [
            {
                "sink": receipt.sink,
                "position": receipt.position,
                "state": receipt.state,
                "at": _journal(answer, receipt.at_ms),
                "detail": receipt.detail,
            }
            for receipt in why.receipts
        ],
        "coverage": None
        if why.coverage is None
        else {"good_s": why.coverage.good_ms / 1000, "product_s": why.coverage.product_ms / 1000},
        "readings": [_reading(answer, read) for read in why.readings],
        "engine": why.engine,
        "other_engine": why.other_engine,
        "clock_known": answer.clock_known,
    }


def _limit(answer: Answer) -> dict[str, Any] | None:
    rule, segment = answer.why.rule, answer.why.segment
    if rule is None or segment is None:
        return None
    return {
        "rule": rule.id,
        "title": rule.title,
        "condition": why_words.condition(answer),
        "hold_s": rule.hold_ms / 1000 if isinstance(rule, Limit) else None,
        "allowance_s": rule.allowance_ms / 1000 if isinstance(rule, Budget) else None,
        "charges_unmonitored": rule.charge_unmonitored if isinstance(rule, Budget) else None,
        "source": rule.cited.source,
        "confidence": rule.cited.confidence,
        "approved_by": rule.cited.approved_by,
        "advice": rule.advice,
        "profile": segment.profile,
        "version": segment.version,
        "approved": segment.approved,
        "sha256": answer.why.profile_sha256 or None,
        "stage": segment.stage,
        "consignment": segment.scope or None,
    }


def _channel(answer: Answer) -> dict[str, Any] | None:
    channel, certificate = answer.why.channel, answer.why.certificate
    if channel is None:
        return None
    return {
        "id": channel.id,
        "source": answer.why.source,
        "quantity": channel.quantity,
        "unit": QUANTITIES[channel.quantity].display_unit,
        "probe": channel.probe or None,
        "interval_s": channel.interval_ms / 1000,
        "max_gap_s": channel.max_gap_ms / 1000,
        "fresh_within_s": channel.fresh_within_ms / 1000,
        "valid_low": _shown(answer, channel.valid_low),
        "valid_high": _shown(answer, channel.valid_high),
        "calibration": [
            {"at": _shown(answer, point.at), "correction": _shown(answer, point.correction)}
            for point in channel.calibration
        ],
        "certificate": None
        if certificate is None
        else {
            "certificate": certificate.certificate,
            "due": certificate.due,
            "uncertainty": certificate.uncertainty,
        },
    }


def _interval(answer: Answer) -> dict[str, Any] | None:
    interval = answer.why.interval
    if interval is None:
        return None
    valued = isinstance(answer.why.rule, Bound)  # of other rules the extreme is no value of the curve
    return {
        "start": _event(answer, interval.start_ms),
        "triggered": _event(answer, interval.triggered_ms),
        "end": _event(answer, interval.end_ms),
        "outside_s": interval.outside_ms / 1000,
        "unmonitored_s": interval.unmonitored_ms / 1000,
        "extreme": _shown(answer, interval.extreme) if valued else None,
        "extreme_at": _event(answer, interval.extreme_ms) if valued else None,
        "why_ended": interval.why_ended or None,
        **{name: answer.why.links.get(name) for name in ("merged", "split_from", "follows")},
    }


def _reading(answer: Answer, read: Read) -> dict[str, Any]:
    channel = answer.why.channel
    assert channel is not None, "readings are of a channel"
    return {
        "at": _event(answer, read.at_ms),
        "raw": read.raw or None,
        "unit": read.unit or None,
        "before_calibration": _shown(answer, read.before),
        "calibrated": _shown(answer, calibrated(channel, read)),
        "judged": None if read.quality is Quality.BAD else _shown(answer, read.value),
        "quality": str(read.quality),
        "reason": None if read.reason is None else str(read.reason),
        "origin": str(read.origin),
    }


def _event(answer: Answer, at_ms: int | None) -> str | None:
    return None if at_ms is None else words.iso(answer.utc(at_ms), answer.zone)


def _journal(answer: Answer, at_ms: int | None) -> str | None:
    return None if at_ms is None else words.iso(answer.journal_utc(at_ms), answer.zone)


def _shown(answer: Answer, quanta: int | None) -> float | None:
    return None if quanta is None else QUANTITIES[answer.why.quantity].to_float(quanta)
