"""Which sink is told of what: contacts hear what calls them, everybody else what they want."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.announcements import Announcement, Kind
from coldchain.config import load
from coldchain.daemon.outbox import Outbox
from coldchain.model import Priority
from tests.unit.config.small_site import CONFIG, DRIVERS, write

CALLING = """
[sinks.phone]
kind = "webhook"
url = "https://example.org/phone"

[sinks.pager]
kind = "webhook"
url = "https://example.org/pager"

[sinks.archive]
kind = "webhook"
url = "https://example.org/archive"

[contacts.room]
sink = "phone"

[contacts.head]
sink = "phone"

[contacts.on-call]
sink = "pager"

[escalation]
critical = [{ after = "0 min", to = ["room", "head"] }, { after = "15 min", to = ["on-call"] }]
"""


def said(kind: Kind = Kind.RAISED, *to: str, priority: Priority = Priority.CRITICAL) -> Announcement:
    """One announcement about an alarm."""
    return Announcement(kind, alarm="box/vapour/above", priority=priority, state="unacknowledged", to=to)


@pytest.mark.parametrize(
    ("announcement", "sinks"),
    [
        pytest.param(said(Kind.RAISED, "room", "head"), {"archive", "phone"}, id="two contacts, one message"),
        pytest.param(said(Kind.ESCALATED, "on-call"), {"archive", "pager"}, id="the next step"),
        pytest.param(said(Kind.ESCALATED), {"archive"}, id="held back by quiet hours"),
        pytest.param(
            said(priority=Priority.LOW), {"archive", "phone", "pager"}, id="a priority without steps"
        ),
        pytest.param(
            Announcement(Kind.WORK_BEGAN, subject="box", priority=Priority.CRITICAL, text="by_person"),
            {"archive", "phone", "pager"},
            id="what no alarm is behind",
        ),
    ],
)
def test_who_is_told(tmp_path: Path, announcement: Announcement, sinks: set[str]) -> None:
    """A sink that is some contact's sends only what calls one of them."""
    outbox = Outbox(load(write(tmp_path, CONFIG + CALLING), drivers=DRIVERS), b"\0" * 16)
    assert {row.sink for row in outbox.rows(7, 0, [announcement])} == sinks


def test_without_contacts_everybody_is_told(tmp_path: Path) -> None:
    """A site that names nobody loses no message by it."""
    text = CONFIG + CALLING.split("[contacts.room]", maxsplit=1)[0]
    outbox = Outbox(load(write(tmp_path, text), drivers=DRIVERS), b"\0" * 16)
    assert {row.sink for row in outbox.rows(7, 0, [said()])} == {"archive", "phone", "pager"}
