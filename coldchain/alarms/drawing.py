"""The documentation's picture and list of the alarm table, made from the table itself.

`docs/alarms.md` holds both between marker lines; a test compares them, and
`python -m coldchain.alarms.drawing docs/alarms.md` prints the page with both made anew.
"""

from __future__ import annotations

import re
import sys

from coldchain.alarms.table import TABLE, AlarmState, Refusal, Row

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
}


def drawing() -> str:
    """The transitions that lead from one state to another, as a Mermaid state diagram."""
    arrows: dict[tuple[AlarmState, AlarmState], list[str]] = {}
    for row in TABLE:
        if isinstance(row.becomes, AlarmState):
            for state in row.states:
                if state is not row.becomes:
                    arrows.setdefault((state, row.becomes), []).append(_label(row))
    lines = ["stateDiagram-v2", *(f'    state "{name}" as {state.name}' for state, name in _NAMES.items())]
    lines.append(f"    [*] --> {AlarmState.NORMAL.name}")
    for (start, end), labels in arrows.items():
        lines.append(f"    {start.name} --> {end.name}: {' / '.join(dict.fromkeys(labels))}")
    return "\n".join(lines)


def listing() -> str:
    """Every row of the table, refusals and events without effect too, as a Markdown table."""
    lines = ["| in | event | if | becomes |", "|---|---|---|---|"]
    for row in TABLE:
        states = ", ".join(_NAMES[state] for state in row.states)
        lines.append(f"| {states} | {_words(row.event)} | {_condition(row) or '–'} | {_becomes(row)} |")
    return "\n".join(lines)


def redrawn(page: str) -> str:
    """The page with what stands between its `<!-- drawing -->` and `<!-- listing -->` markers made anew."""
    for name, text in (("drawing", f"```mermaid\n{drawing()}\n```"), ("listing", listing())):
        marked = re.compile(rf"(?<=<!-- {name} -->\n).*?(?=\n<!-- end of {name} -->)", re.DOTALL)
        page, found = marked.subn(lambda _, text=text: text, page)  # type: ignore[misc]
        if found != 1:
            raise ValueError(f"the page has {found} places for the {name}; mark one with <!-- {name} -->")
    return page


def _words(name: str) -> str:
    return name.replace("_", " ")


def _condition(row: Row) -> str:
    asked = ((name, getattr(row, name)) for name in _CONDITIONS)
    return ", ".join(_CONDITIONS[name][0 if want else 1] for name, want in asked if want is not None)


def _label(row: Row) -> str:
    condition = _condition(row)
    return f"{_words(row.event)}{f' [{condition}]' if condition else ''}{' (asks anew)' if row.anew else ''}"


def _becomes(row: Row) -> str:
    if isinstance(row.becomes, Refusal):
        return f"refused: {_words(row.becomes)}"
    if row.becomes is None:
        return "stays"
    return f"**{_NAMES[row.becomes]}**{', asks anew' if row.anew else ''}"


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as page:  # noqa: PTH123  (alarms/ imports no pathlib)
        sys.stdout.write(redrawn(page.read()))
