"""Alarms that stand, as alerts of Prometheus' Alertmanager (API v2).

An Alertmanager forgets every alert when it restarts, and resolves by itself what is not said again. So each
alarm that stands is posted again every `refresh` with an end four times as far ahead (at least four
minutes). The end is counted on the receiver's own clock, taken from its answers: a gateway whose clock is
wrong can neither end an alert early nor keep it for ever.

What changes while an alarm stands (value, state, words) is an annotation; a label that changes would make
another alert.
"""

from __future__ import annotations

import base64
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from msgspec import Struct
from msgspec import json as _json

from coldchain.alarms.table import HIDDEN_STATES, AlarmState
from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import AlertmanagerSink
from coldchain.model import Priority
from coldchain.sinks.base import (
    AlarmNow,
    CannotStart,
    Category,
    Message,
    Misconfigured,
    Present,
    SinkKind,
    Surroundings,
)
from coldchain.sinks.http import Http
from coldchain.sinks.trust import trusted_at
from coldchain.sinks.wording import iso, quantity_of, sentence

#: How long an alert stands without being said again: so many times `refresh`, and at least this.
_REFRESHES, _STANDS_MIN = 4, timedelta(minutes=4)
_ASKS = frozenset({AlarmState.UNACKNOWLEDGED, AlarmState.ACKNOWLEDGED, AlarmState.RETURNED})

_encoder = _json.Encoder(order="sorted")
_Labels = tuple[tuple[str, str], ...]


class _Status(Struct):
    """What /api/v2/status says that we need: since when the process runs."""

    uptime: str


_STATUS = _json.Decoder(_Status)


class Alertmanager:
    """One Alertmanager. Not for several threads."""

    def __init__(self, settings: AlertmanagerSink, around: Surroundings) -> None:
        try:
            token = around.secret(settings.token_file, settings.token_env)
            password = around.secret(settings.password_file, settings.password_env)
        except SecretUnavailable as error:
            raise CannotStart(around.name, "read a secret", error.what, mend=error.mend) from error
        about = {"Content-Type": "application/json"}
        if token:
            about["Authorization"] = f"Bearer {token}"
        elif settings.user:
            pair = base64.b64encode(f"{settings.user}:{password}".encode()).decode()
            about["Authorization"] = f"Basic {pair}"
        self.refresh_ms = settings.refresh
        self._name, self._site = around.name, around.site
        self._http = Http(
            around.name, settings.timeout, about, trusted_at(settings.url, around, settings.ca_file)
        )
        self._url = settings.url.rstrip("/") + "/api/v2"
        self._page_url = settings.page_url
        self._stands = max(timedelta(milliseconds=settings.refresh * _REFRESHES), _STANDS_MIN)
        self._uptime = ""
        self._lost = True
        self._shown: dict[_Labels, dict[str, str]] = {}

    def show(self, present: Present, *, all_of_it: bool) -> None:
        """Post what changed or everything that stands, and end what no longer does; see `StateSink`."""
        firing: dict[_Labels, dict[str, str]] = {}
        since: dict[_Labels, str | None] = {}
        hidden: dict[_Labels, dict[str, str]] = {}
        for alarm in present.alarms:
            labels = self._labels(alarm.id, alarm.priority, alarm.simulated)
            state = AlarmState(alarm.state)
            if state in _ASKS or (alarm.latched and state not in HIDDEN_STATES):
                firing[labels] = _annotations(alarm)
                since[labels] = None if alarm.axis == "journal" else iso(alarm.since_ms)
            elif state in HIDDEN_STATES:
                hidden[labels] = _annotations(alarm)
        gone = [labels for labels in self._shown if labels not in firing]
        changed = [labels for labels, said in firing.items() if self._shown.get(labels) != said]
        if not (all_of_it or gone or changed):
            return
        self._lost = True  # until it is posted
        now = self._look()
        now_posted = firing if all_of_it or not self._shown else {each: firing[each] for each in changed}
        alerts = [self._alert(labels, said, now, since[labels]) for labels, said in now_posted.items()]
        for labels in gone:
            said = hidden.get(labels, self._shown[labels] | {"state": AlarmState.NORMAL.value})
            alerts.append(self._alert(labels, said, now, None, ended=True))
        self._post(alerts, f"post {len(alerts)} alerts")
        self._shown = firing
        self._lost = False

    def lost(self) -> bool:
        """Whether what it holds is in doubt: nothing was posted yet, the last post failed, it restarted."""
        return self._lost

    def tell(self, message: Message) -> str:
        """Post one alarm that the journal could not take."""
        said = message.announcement
        labels = self._labels(said.alarm, said.priority or Priority.CRITICAL, said.simulated)
        words = {"summary": f"[NOT RECORDED] {sentence(said)}", "state": said.state, "recorded": "no"}
        ended = AlarmState(said.state) not in _ASKS if said.state else False
        return self._post([self._alert(labels, words, self._look(), None, ended=ended)], "post an alert")

    def close(self) -> None:
        """Let go of the connection. What stands goes on standing until its end."""
        self._http.close()

    # --- The receiver

    def _look(self) -> datetime:
        """The receiver's own time. Seen to have restarted, it holds nothing of what was shown."""
        what = "ask how it is"
        answer = self._http.ask("GET", f"{self._url}/status", what=what)
        try:
            uptime = _STATUS.decode(answer.body).uptime
            now = parsedate_to_datetime(answer.headers["Date"])
        except (ValueError, KeyError) as error:  # msgspec's errors are ValueErrors
            why = f"{self._url}/status is no Alertmanager's: {error}"
            raise Misconfigured(self._name, what, why, mend="check the sink's url") from error
        if uptime != self._uptime:
            self._uptime, self._shown = uptime, {}
        return now

    def _post(self, alerts: list[dict[str, Any]], what: str) -> str:
        if not alerts:
            return ""
        content = _encoder.encode(alerts)
        return self._http.ask("POST", f"{self._url}/alerts", what=what, content=content).words

    # --- What is posted

    def _labels(self, alarm: str, priority: Priority, simulated: bool) -> _Labels:
        """What makes the alert this one and no other."""
        asset, _, rest = alarm.partition("/")
        role, _, rule = rest.rpartition("/")
        found = {
            "job": "coldchain",
            "site": self._site,
            "alarm": alarm,
            "alertname": rule or alarm,
            "severity": priority.value,
            "simulated": "true" if simulated else "",
            "asset": asset if role else "",
            "role": role,
        }
        return tuple(sorted((key, value) for key, value in found.items() if value))

    def _alert(
        self, labels: _Labels, said: dict[str, str], now: datetime, since: str | None, *, ended: bool = False
    ) -> dict[str, Any]:
        alert: dict[str, Any] = {
            "labels": dict(labels),
            "annotations": said,
            "endsAt": (now if ended else now + self._stands).isoformat(),
        }
        # Without a beginning it would begin at its end; one that begins after its end is refused, and our
        # clock may be ahead of the receiver's.
        known = since is not None and datetime.fromisoformat(since) <= now
        alert["startsAt"] = since if known else now.isoformat()
        if self._page_url is not None:
            alert["generatorURL"] = self._page_url
        return alert


def _annotations(alarm: AlarmNow) -> dict[str, str]:
    """What is told beside the labels, as people read it."""
    words = [alarm.id, alarm.state.replace("_", " ")]
    found = {"state": alarm.state}
    if alarm.value is not None and (value := quantity_of(alarm.quantity, alarm.value)):
        found["value"] = value
        words.append(value)
    if alarm.limit is not None and (limit := quantity_of(alarm.quantity, alarm.limit)):
        found["limit"] = limit
        words.append(f"limit {limit}")
    if alarm.axis != "journal" and (since := iso(alarm.since_ms)):
        words.append(f"since {since}")
    if alarm.shelved_until_ms is not None and AlarmState(alarm.state) is AlarmState.SHELVED:
        words.append("on the shelf: it may not be back to normal")
    marks = ""
    for mark, is_so, key, value in (
        ("NOT RECORDED", alarm.unrecorded, "recorded", "no"),
        ("SIMULATED", alarm.simulated, "simulated", "yes"),
        ("UNAPPROVED LIMIT", alarm.unapproved, "limit_approved", "no"),
    ):
        if is_so:
            marks += f"[{mark}] "
            found[key] = value
    return found | {"summary": marks + ", ".join(words)}


SINK = SinkKind(
    name="alertmanager",
    title="Alarms that stand, as alerts of Prometheus' Alertmanager",
    category=Category.STATE,
    settings=AlertmanagerSink,
    make=Alertmanager,
)
