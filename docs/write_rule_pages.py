"""Write docs/rules.md and the made parts of docs/rules/*.md anew, and the drawings beside them.

For each kind of rule there is a profile (docs/rules/profiles) and a check file (docs/rules/stories), whose
cases are played by the fold and drawn; parameters come from the tables that read a profile.

Use: python docs/write_rule_pages.py
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coldchain.config.amounts import duration_text
from coldchain.config.fields import NUMBER_PATTERNS
from coldchain.config.rule_tables import RULES, RuleTable
from coldchain.config.rule_tables.base import SOURCE_SUFFIX
from coldchain.reports.markdown import code, filled, table
from coldchain.reports.picture import draw
from coldchain.testing.check_file import CheckFile, read_check
from coldchain.testing.checking import CaseResult, run
from coldchain.testing.picturing import picture_of

FOLDER = Path(__file__).with_name("rules")
INDEX = FOLDER.with_suffix(".md")

#: What every kind has, and what it says of itself otherwise, in this order.
_COMMON = [key for key in RuleTable.model_fields if key != "kind" and not key.endswith(SOURCE_SUFFIX)]


def made() -> dict[Path, str]:
    """Every file that is made, whole or in part, with the text that it should have."""
    index = _put(INDEX.read_text(encoding="utf-8"), "kinds", _kinds())
    files = {INDEX: _put(index, "parameters", _parameters(RuleTable, _COMMON))}
    for kind, rule in RULES.items():
        story = read_check(FOLDER / "stories" / f"{kind}.toml")
        played = run(story, "documentation").cases
        files |= {FOLDER / _drawing(kind, one): draw(picture_of(story, one)) for one in played}
        path = FOLDER / f"{kind}.md"
        page = _put(path.read_text(encoding="utf-8"), "example", _example(kind, story))
        page = _put(page, "drawings", "\n\n".join(_told(kind, story, each) for each in enumerate(played)))
        files[path] = _put(page, "parameters", _parameters(rule, _own(rule)))
    return files


def _put(page: str, name: str, text: str) -> str:
    """The page with a made part as it should be; raises ValueError if its markers are missing."""
    begin, end = f"<!-- {name} -->\n", f"<!-- end of {name} -->"
    if page.count(begin) != 1 or page.count(end) != 1:
        raise ValueError(f"a page has no {begin.strip()} … {end}: {page[:60]!r}")
    before, rest = page.split(begin)
    return f"{before}{begin}{text}\n{end}{rest.split(end)[1]}"


def _kinds() -> str:
    rows = (
        (f"[`{kind}`](rules/{kind}.md)", (rule.__doc__ or "").splitlines()[0]) for kind, rule in RULES.items()
    )
    return table(("kind", "what it judges"), rows)


# The example


def _example(kind: str, story: CheckFile) -> str:
    text = (FOLDER / "profiles" / f"{kind}.toml").read_text(encoding="utf-8")
    parts = [f"```toml\n{text[text.index('[rules.') :].strip()}\n```"]
    for name, rule in story.profile.rules.items():
        parts += [
            filled(f"`{name}` means, as `coldchain profiles explain` says it:"),
            filled("\n".join(f"- {sentence}" for sentence in rule.sentences())),
        ]
    return "\n\n".join(parts)


# The drawings


def _drawing(kind: str, played: CaseResult) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", played.case.name.lower()).strip("-")
    return f"{kind}-{words}.svg"


def _told(kind: str, story: CheckFile, numbered: tuple[int, CaseResult]) -> str:
    number, played = numbered
    if not played.passed:
        raise ValueError(f"{kind}, {played.case.name!r}: it did not go as its story expects: coldchain check")
    name = played.case.name
    given = story.document.data["cases"][number]["series"]
    series = given if isinstance(given, dict) else {next(iter(story.channels)): given}
    interval = duration_text(next(iter(story.channels.values())).settings.interval)
    lines = [
        *(f"- {role}: {code(text)}, a reading every {interval}" for role, text in series.items()),
        *(f"- {code(each.text)}" for each in played.case.events),
        "- said: " + ", ".join(code(line.text) for line in played.case.expected),
    ]
    return f"### {name[0].upper()}{name[1:]}\n\n![{name}]({_drawing(kind, played)})\n\n" + filled(
        "\n".join(lines)
    )


# The parameters


def _own(rule: type[RuleTable]) -> list[str]:
    """What a kind has besides the common parameters, and where it has another default than they."""
    common = RuleTable.model_fields
    return [
        key
        for key, field in rule.model_fields.items()
        if key != "kind"
        and not key.endswith(SOURCE_SUFFIX)
        and (key not in common or field.default != common[key].default)
    ]


def _parameters(rule: type[RuleTable], keys: list[str]) -> str:
    schema = rule.model_json_schema()
    required = set(schema.get("required", ()))
    rows = []
    for key in keys:
        about = schema["properties"][key]
        if not about.get("description"):
            raise ValueError(f"{rule.__name__}.{key} has no description")
        default = "**needed**" if key in required else _default(about)
        rows.append((code(key), about["description"], _form(about), default, _source(rule, key, about)))
    return table(("key", "meaning", "written", "left out", "its source"), rows)


def _forms(about: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (each for each in about.get("anyOf", (about,)) if each.get("type") != "null")


def _is_number(about: dict[str, Any]) -> bool:
    return any(
        each.get("pattern") in NUMBER_PATTERNS or each.get("type") == "integer" for each in _forms(about)
    )


def _form(about: dict[str, Any]) -> str:
    (form,) = _forms(about)
    shown = [*about.get("examples", ()), *form.get("examples", ())][:1]
    such = f", such as {code(str(shown[0]))}" if shown else ""
    if "enum" in form:
        return ", ".join(code(word) for word in form["enum"])
    if form.get("pattern") == NUMBER_PATTERNS[0]:
        return f"time in ms, s, min, h or d{such}"
    if form.get("pattern") == NUMBER_PATTERNS[1]:
        return f"number with its unit{such}"
    names = {
        "integer": "whole number",
        "boolean": "`true` or `false`",
        "string": "text",
        "array": "list of names",
    }
    return names[form["type"]] + such


def _default(about: dict[str, Any]) -> str:
    default = about.get("default")
    if isinstance(default, bool):
        return code(str(default).lower())
    if isinstance(default, str) and default:
        return code(default)
    return "0" if isinstance(default, int) else "–"


def _source(rule: type[RuleTable], key: str, about: dict[str, Any]) -> str:
    own = rule.source_key(key)
    return code(own) if _is_number(about) or own != "source" else "–"


if __name__ == "__main__":
    files = made()
    for stale in set(FOLDER.glob("*.svg")) - set(files):
        stale.unlink()
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
