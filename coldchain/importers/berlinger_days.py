"""What a Fridge-tag says of each day: extremes, average, and how long each alarm's limit was passed.

Known from a recorded report of a "Q-tag Fridge-tag 2" (version 0.5): section `Hist`, a numbered section for
each day, newest first. It is all that the device hands out: there is no log to judge, so it is kept as said.
"""

from __future__ import annotations

import re

from coldchain.importers.berlinger_tree import Node
from coldchain.importers.refusal import Unread
from coldchain.logged import LoggerDay

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{2}:\d{2}")
_VALUE = re.compile(r"[+-]?\d{1,3}(\.\d{1,3})?")
_COUNT = re.compile(r"\d{1,4}")
#: Where a day tells that a sensor gave nothing, and of which sensor.
_LOST = ("Ext Sensor timeout", "Int Sensor timeout")


def days(history: Node, conf: Node) -> tuple[tuple[LoggerDay, ...], list[Unread]]:
    """Each day in the order of time, and each figure that could not be read."""
    limits = _limits(conf)
    unread: list[Unread] = []
    found = []
    for node in history.below:
        if node.section("Date") is None:
            if node.key.isdigit():
                unread.append(Unread(node.line, node.key, "", "is a day without a date"))
            continue
        figures = _Figures(node, unread)
        date = figures.text("Date", _DATE)
        if not date:
            continue
        found.append(
            LoggerDay(
                date=date,
                least=figures.value("Min T"),
                least_at=figures.text("TS Min T", _TIME),
                greatest=figures.value("Max T"),
                greatest_at=figures.text("TS Max T", _TIME),
                average=figures.value("Avrg T"),
                unit="degC",
                outside_min=figures.outside(limits),
                lost_min=figures.lost(),
            )
        )
    return tuple(sorted(found, key=lambda day: day.date)), unread


class _Figures:
    """The figures of one day; what is odd among them is named."""

    def __init__(self, day: Node, unread: list[Unread]) -> None:
        self._day = day
        self._unread = unread

    def text(self, key: str, form: re.Pattern[str]) -> str:
        """A figure as it stands, "" if there is none or it is odd."""
        return self._of(self._day, key, form)

    def value(self, key: str) -> str:
        """A temperature as it stands, its sign without a plus."""
        return self.text(key, _VALUE).removeprefix("+")

    def outside(self, limits: dict[str, str]) -> tuple[tuple[str, int], ...]:
        """For each alarm its limit in words and the minutes that count for it."""
        alarms = self._day.section("Alarm")
        found = []
        for alarm in alarms.below if alarms is not None else ():
            minutes = self._of(alarm, "t Acc", _COUNT)
            if minutes:
                found.append((limits.get(alarm.key, f"alarm {alarm.key}"), int(minutes)))
        return tuple(found)

    def lost(self) -> int:
        """Minutes in which a sensor gave nothing."""
        sections = [node for node in self._day.below if node.key in _LOST]
        return sum(int(self._of(node, "t AccST", _COUNT) or 0) for node in sections)

    def _of(self, node: Node, key: str, form: re.Pattern[str]) -> str:
        line = next((each for each in node.below if key in each.pairs), None)
        if line is None:
            return ""
        text = line.pairs[key]
        if form.fullmatch(text) is None:
            self._unread.append(Unread(line.line, key, text, "is no such figure"))
            return ""
        return text


def _limits(conf: Node) -> dict[str, str]:
    """Each alarm's limit as the report states it: the lower one is first, in what was recorded."""
    alarms = conf.section("Alarm")
    found = {}
    for alarm in alarms.below if alarms is not None else ():
        limit, hold = alarm.get("T AL"), alarm.get("t AL")
        if limit is not None and hold is not None:
            found[alarm.key] = f"limit {limit.removeprefix('+')} °C, alarm after {hold} min"
    return found
