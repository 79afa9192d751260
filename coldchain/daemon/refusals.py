"""Why something was refused, in words for the person who asked, each with what to do instead."""

from __future__ import annotations

from collections.abc import Mapping

from coldchain.alarms.table import Refusal
from coldchain.alarms.works import WorkRefusal
from coldchain.config.amounts import duration_text
from coldchain.web.station import LAST_MS, Action

_WORDS = {
    "unknown_alarm": "there is no such alarm; `coldchain alarms` lists those that stand",
    Refusal.NOTHING_TO_ACKNOWLEDGE: "there is nothing to acknowledge: no occurrence waits for it",
    Refusal.NOT_ACKNOWLEDGED: "nobody has acknowledged it yet; acknowledge it first",
    Refusal.NOT_LATCHED: "it is not latched, so there is nothing to reset",
    Refusal.CONDITION_LASTS: "its condition lasts; a latch is reset when the condition has gone",
    Refusal.HIDDEN: "it is shelved or out of sight already; un-shelve it first",
    Refusal.NOT_SHELVED: "it is not shelved",
    Refusal.NOT_OUT_OF_SERVICE: "it is not out of service",
    Refusal.STILL_JUDGED: "readings still decide about it: it ends by itself; acknowledge or shelve it",
    Refusal.NOTHING_TO_CLOSE: "there is nothing to close: it stands no more",
    Refusal.NAMES_NO_OCCURRENCE: "it names no occurrence; say which are meant",
    Refusal.UNKNOWN_OCCURRENCE: "it has no such occurrence; `coldchain alarms` shows the open ones",
    Refusal.ALREADY_ACKNOWLEDGED: "that occurrence is acknowledged already",
    Refusal.NO_ACTOR: "it does not say who asks",
    Refusal.NO_REASON: "it wants a reason; say why",
    Refusal.NO_END: "it needs an end in the future, and a known clock to tell it by",
    WorkRefusal.NOT_UNDER_WAY: "no such work is under way; `coldchain status` shows those that are",
    WorkRefusal.NOT_SHOWN: "readings must show that it was done, and have not yet; "
    "if it was not, close its alarm with the reason",
    "unknown_excursion": "there is no such excursion; `coldchain excursions` lists those that there are",
    "excursion_lasts": "it lasts; only what is over can be resolved",
    "is_a_sum": "it is a budget; resolve the excursions that it counted",
    "already_resolved": "it is resolved already; `coldchain excursions` says by whom",
    "not_resolved": "it is not resolved, so there is nothing to take back",
    "no_span": "it does not say from when to when",
    "work_too_long": "that is longer than such a work may last; choose an earlier end",
    "no_service_time": "the configuration does not say how long alarms may be out of service; write "
    '[alarms] out_of_service_max = "8 h", or what your site decides',
    Refusal.SHELF_TOO_LONG: "the site's configuration lets it be shelved for {most} at most; choose an "
    "earlier end, and shelve it anew if it must be longer",
}

_MENDS = (
    ("unknown place", "write asset/role as `coldchain status` shows them"),
    ("unknown work", "kinds of work stand in the profile, or under [works] in the configuration"),
    ("unknown asset", "`coldchain status` shows the assets"),
    ("unknown channel", "`coldchain status` shows the channels"),
    ("unknown profile", "list it under [profiles] use in the configuration"),
    ("unknown consignment", "begin it with `coldchain consignment start`"),
    ("the channel", "bind a probe of the right quantity there, or choose another profile"),
    ("asset", "end the other one first, with `coldchain consignment end`"),
    ("the stage would begin", "give a later time"),
    ("the consignment would end", "give a later time"),
)


def in_words(refused: str, detail: Mapping[str, str] | None = None) -> str:
    """A refusal as the fold says it, in words for people; what is not known here is said as it is.

    detail: what belongs to it, as announced.
    """
    if refused in _WORDS:
        most = (detail or {}).get("most_ms", "")
        return _WORDS[refused].format(most=duration_text(int(most)) if most else "a shorter time")
    for beginning, mend in _MENDS:
        if refused.startswith(beginning + " "):
            return f"{refused}; {mend}"
    return refused.replace("_", " ")


def wrong_time(action: Action, now_ms: int, *, known: bool) -> str:
    """Why the times in what is asked for are refused, "" if they are not.

    known: somebody vouches for `now_ms`, so the future can be told from the past.
    """
    stated = [getattr(action, name, None) for name in ("at_ms", "until_ms", "eta_ms")]
    if any(ms is not None and not 0 <= ms <= LAST_MS for ms in stated):
        return "that is no time: it is told in ms since 1970, and the year 9999 is the last"
    at_ms = getattr(action, "at_ms", None)
    if at_ms is None:
        return ""
    if known and at_ms > now_ms + 60_000:
        return "that time lies in the future; say it when it happens"
    if at_ms < now_ms - 60_000 and not getattr(action, "why", "").strip():
        return "a back-dated entry needs a reason"
    return ""
