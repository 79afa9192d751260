"""The documentation's pages about profiles, as far as they are made from the files themselves.

`docs/draw_profiles.py` writes them anew, a test compares.
"""

from __future__ import annotations

from collections.abc import Iterator

from coldchain.config.amounts import duration_text
from coldchain.config.composed import figure_in
from coldchain.config.profile_file import Profile, missing_figures
from coldchain.profiles.differences import brief_of, named
from coldchain.profiles.linting import CODES
from coldchain.profiles.load import read, shipped

_INTRODUCTION = """\
# Profiles that come with the program

Made from the files themselves by `docs/draw_profiles.py`. What the words mean, and how to make one of these
your own, is in [profiles.md](profiles.md). **None of these is approved.**
`coldchain profiles explain PROFILE` prints one in whole sentences.
"""


def overview() -> str:
    """A table of every shipped profile: what it is for, and which figures it asks for."""
    lines = ["| profile | for | stages | the site must give |", "|---|---|---|---|"]
    for name in shipped():
        profile = read(name, complete=False)
        head = profile.head
        asks = "; ".join(missing_figures(profile.document, {}).values()) or "nothing"
        link = f"[`{name}`](shipped-profiles.md#{name})"
        lines.append(f"| {link} | {head.title} | {', '.join(head.stages)} | {asks} |")
    return "\n".join(lines)


def doubts() -> str:
    """Every code of lint and what it is about."""
    return "\n".join(
        ["| code | what it finds |", "|---|---|", *(f"| `{c}` | {w} |" for c, w in CODES.items())]
    )


def shipped_page() -> str:
    """The whole page about the shipped profiles."""
    return "\n".join([_INTRODUCTION, *(line for name in shipped() for line in _profile(name))])


def redrawn(page: str) -> str:
    """`docs/profiles.md` with its made parts as they should be; raises ValueError if a marker is missing."""
    for marker, made in (("profiles", overview()), ("doubts", doubts())):
        start, end = f"<!-- {marker} -->\n", f"<!-- end of {marker} -->"
        if start not in page or end not in page:
            raise ValueError(f"the page has no {start.strip()} … {end}")
        before, rest = page.split(start, 1)
        page = before + start + made + "\n" + end + rest.split(end, 1)[1]
    return page


def _profile(name: str) -> Iterator[str]:
    profile = read(name, complete=False)
    head = profile.head
    yield from (f"## {name}", "", f"Version {head.version}. {head.title}.", "")
    for base in profile.bases.values():
        how = "All of" if head.extends == base.head.id else "With rules of"
        yield from (f"{how} [{named(base)}](#{base.head.id}).", "")
    if head.notes:
        yield from (" ".join(head.notes.split()), "")
    if head.figures:
        yield "Figures of the site:"
        yield ""
        for figure in head.figures.values():
            otherwise = (
                f"{figure.default} otherwise ({figure.source})" if figure.default else "**must be given**"
            )
            yield f"- {figure.title}: {otherwise}"
        yield ""
    for need in head.needs.values():
        parts = [f"a probe that is {' or '.join(need.probe)}"] if need.probe else []
        parts += [f"a reading every {duration_text(need.interval)} at least"] if need.interval else []
        parts += [f"a probe uncertain by {need.uncertainty.text} at most"] if need.uncertainty else []
        yield from (f"`{need.role}` needs {', '.join(parts)} ({need.source}; {need.confidence}).", "")
    yield from _rules(profile)
    for work in head.works.values():
        yield from (f"{work.title}: {' '.join(work.sentences())} ({work.source}; {work.confidence})", "")


def _rules(profile: Profile) -> Iterator[str]:
    names = [*profile.rules, *profile.waiting]
    if not names:
        return
    yield "| stages | rule | what calls | priority | source | confidence |"
    yield "|---|---|---|---|---|---|"
    for name in names:
        rule = profile.rules.get(name) or profile.waiting[name]
        table = profile.head.rules[name]
        of_site = [key for key, value in table.items() if figure_in(value) is not None]
        figures = f" (figure of the site: {', '.join(of_site)})" if of_site else ""
        stages = profile.holds_in(name)
        where = "all" if set(stages) == set(profile.head.stages) else ", ".join(stages)
        yield (
            f"| {where} | `{name}` | {brief_of(rule)}{figures} "
            f"| {table['priority']} | {_sources(table)} | {table['confidence']} |"
        )
    yield ""


def _sources(table: dict[str, object]) -> str:
    said = [str(table["source"])]
    said += [
        f"{key.removesuffix('_source').replace('_', ' ')}: {value}"
        for key, value in table.items()
        if key.endswith("_source") and value
    ]
    return "; ".join(said).replace("|", "\\|")
