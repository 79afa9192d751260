"""Reports: what happened, as data, as JSON and for a terminal."""

from coldchain.reports.as_json import as_json, as_object
from coldchain.reports.replay import (
    ChannelReport,
    ReplayReport,
    Subject,
    Verdict,
    channel_report,
    refused_report,
    replay_report,
)
from coldchain.reports.terminal import show

__all__ = [
    "ChannelReport",
    "ReplayReport",
    "Subject",
    "Verdict",
    "as_json",
    "as_object",
    "channel_report",
    "refused_report",
    "replay_report",
    "show",
]
