"""MQTT topic filters: which are well formed, and which topics they match (MQTT 3.1.1, section 4.7)."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator


def fault(topic_filter: str) -> str | None:
    """What is wrong with a topic filter, or None."""
    levels = topic_filter.split("/")
    if not topic_filter or "\0" in topic_filter or len(topic_filter.encode("utf-8")) > 65_535:
        return "a topic filter has 1 to 65,535 bytes and no NUL"
    if levels[0] == "$share":
        return "a shared subscription hands one device's messages to several readers: its order is lost"
    if any("+" in level and level != "+" for level in levels):
        return "+ stands alone between slashes"
    if any("#" in level and (level != "#" or at < len(levels) - 1) for at, level in enumerate(levels)):
        return "# stands alone, at the end"
    return None


def has_wildcard(topic_filter: str) -> bool:
    """Whether more than one topic matches."""
    return bool(set(topic_filter.split("/")) & {"+", "#"})


def pattern(topic_filter: str) -> re.Pattern[str]:
    """What `fullmatch`es the topics of a well-formed filter. Wildcards never match a first level with $."""
    made = "(?!\\$)" if topic_filter[0] in "+#" else ""
    levels = topic_filter.split("/")
    for at, level in enumerate(levels):
        slash = "/" if at else ""
        if level == "#":
            made += ".*" if not at else "(?:/.*)?"  # "a/#" matches "a" too
        else:
            made += slash + ("[^/]*" if level == "+" else re.escape(level))
    return re.compile(made, re.DOTALL)


def _plain(topic: str) -> str:
    wrong = fault(topic) or ("a wildcard would mix devices" if has_wildcard(topic) else None)
    if wrong:
        raise ValueError(f'topic "{topic}": {wrong}')
    return topic


#: One topic, or a part of one: no filter.
PlainTopic = Annotated[str, AfterValidator(_plain)]
