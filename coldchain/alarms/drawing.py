"""The documentation's picture and list of the alarm table, made from the table itself.

`docs/alarms.md` holds them between marker lines; `docs/draw_alarms.py` writes them anew, a test compares.
"""

from __future__ import annotations

from coldchain.alarms import works
from coldchain.alarms.table import HIDDEN_STATES, TABLE, AlarmState, Refusal, Row
from coldchain.alarms.works import WorkRow, WorkState

_NAMES = {
    AlarmState.NORMAL: "Normal",
    AlarmState.UNACKNOWLEDGED: "Unacknowledged",
    AlarmState.ACKNOWLEDGED: "Acknowledged",
    AlarmState.RETURNED: "Return-to-normal unacknowledged",
    AlarmState.SHELVED: "Shelved",
    AlarmState.SUPPRESSED: "Suppressed by design",
    AlarmState.OUT_OF_SERVICE: "Out of service",
}

_CONDITIONS = {
    "active": ("condition lasts", "condition gone"),
    "unacknowledged": ("some unacknowledged", "all acknowledged"),
    "latched": ("latched", "not latched"),
    "judged": ("still judged", "no longer judged"),
    "suppressed": ("still suppressed", "not suppressed"),
}


_WORK_NAMES = {
    WorkState.UNDER_WAY: "Under way (alarms hidden)",
    WorkState.AWAITED: "Ended, sign awaited",
    WorkState.UNCONFIRMED: "End not confirmed (alarm)",
    WorkState.OVER: "Over",
}

_WORK_CONDITIONS = {
    "checked": ("readings can show it", "nothing to show"),
    "shown": ("shown", "not shown"),
    "waits": ("it may still come", "it cannot come any more"),
}


def drawing(focus: frozenset[AlarmState], others: frozenset[AlarmState]) -> str:
    """The transitions within `focus`, and between it and `others`, as a Mermaid state diagram."""
    arrows: dict[tuple[AlarmState, AlarmState], list[str]] = {}
    for row in TABLE:
        if isinstance(row.becomes, AlarmState):
            for state in row.states:
                ends = {state, row.becomes}
                if len(ends) == 2 and ends <= focus | others and ends & focus:
                    arrows.setdefault((state, row.becomes), []).append(_label(row))
    names = (
        f'    state "{name}" as {state.name}' for state, name in _NAMES.items() if state in focus | others
    )
    lines = ["```mermaid", "stateDiagram-v2", *names]
    for (start, end), labels in arrows.items():
        lines.append(f"    {start.name} --> {end.name}: {' / '.join(dict.fromkeys(labels))}")
    return "\n".join([*lines, "```"])


def work_drawing() -> str:
    """The transitions of a work at a vessel as a Mermaid state diagram."""
    arrows: dict[tuple[WorkState, WorkState], list[str]] = {}
    for row in works.TABLE:
        for state in row.states if isinstance(row.becomes, WorkState) else ():
            arrows.setdefault((state, row.becomes), []).append(_work_label(row))  # type: ignore[arg-type]
    lines = ["```mermaid", "stateDiagram-v2"]
    lines += [f'    state "{name}" as {state.name}' for state, name in _WORK_NAMES.items()]
    for (start, end), labels in arrows.items():
        lines.append(f"    {start.name} --> {end.name}: {' / '.join(dict.fromkeys(labels))}")
    return "\n".join([*lines, "```"])


def listing() -> str:
    """Every row of the table, refusals and events without effect too, as a Markdown table."""
    lines = ["| in | event | if | becomes |", "|---|---|---|---|"]
    for row in TABLE:
        states = ", ".join(_NAMES[state] for state in row.states)
        lines.append(f"| {states} | {_words(row.event)} | {_condition(row) or '–'} | {_becomes(row)} |")
    return "\n".join(lines)


def redrawn(page: str) -> str:
    """The page with what stands between its markers (`<!-- list -->`, `<!-- end of list -->`) made anew."""
    in_sight = frozenset(AlarmState) - HIDDEN_STATES
    shelf = frozenset({AlarmState.SHELVED})
    parts = {
        "drawing in sight": drawing(in_sight, frozenset()),
        "drawing shelf": drawing(shelf, in_sight),
        "drawing hidden": drawing(HIDDEN_STATES - shelf, in_sight | shelf),
        "list": listing(),
        "drawing works": work_drawing(),
    }
    for name, text in parts.items():
        before, start, rest = page.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"\n<!-- end of {name} -->")
        if not start or not end:
            raise ValueError(f"the page has no place for '{name}'; mark one with <!-- {name} -->")
        page = before + start + text + end + after
    return page


def _words(name: str) -> str:
    return name.replace("re_alarm", "re-alarm").replace("_", " ")


def _condition(row: Row | WorkRow) -> str:
    known = _CONDITIONS if isinstance(row, Row) else _WORK_CONDITIONS
    asked = ((name, getattr(row, name)) for name in known)
    return ", ".join(known[name][0 if want else 1] for name, want in asked if want is not None)


def _work_label(row: WorkRow) -> str:
    condition = _condition(row)
    return f"{_words(row.event)}{f' [{condition}]' if condition else ''}"


def _label(row: Row) -> str:
    condition = _condition(row)
    return f"{_words(row.event)}{f' [{condition}]' if condition else ''}{' (asks anew)' if row.anew else ''}"


def _becomes(row: Row) -> str:
    if isinstance(row.becomes, Refusal):
        return f"refused: {_words(row.becomes)}"
    if row.becomes is None:
        return "stays"
    return f"**{_NAMES[row.becomes]}**{', asks anew' if row.anew else ''}"
