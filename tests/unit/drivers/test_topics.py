"""Topic filters match as the MQTT standard says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain_drivers.topics import fault, has_wildcard, pattern


@pytest.mark.parametrize(
    ("topic_filter", "topic", "matches"),
    [
        pytest.param("a/b", "a/b", True, id="itself"),
        pytest.param("a/b", "a/b/c", False, id="not what lies below"),
        pytest.param("a/+/c", "a/b/c", True, id="one level"),
        pytest.param("a/+/c", "a//c", True, id="an empty level"),
        pytest.param("a/+/c", "a/b/x/c", False, id="not two levels"),
        pytest.param("a/#", "a", True, id="# takes the level above"),
        pytest.param("a/#", "a/b/c", True, id="# takes all below"),
        pytest.param("a/#", "ab", False, id="# not a longer name"),
        pytest.param("#", "a/b", True, id="all"),
        pytest.param("#", "$SYS/x", False, id="all but $"),
        pytest.param("+/x", "$SYS/x", False, id="+ not $"),
        pytest.param("$SYS/#", "$SYS/x", True, id="$ named"),
        pytest.param("a.c", "abc", False, id="a dot is a dot"),
        pytest.param("+", "a\nb", True, id="a line end in a topic"),
    ],
)
def test_matches(topic_filter: str, topic: str, matches: bool) -> None:
    """MQTT 3.1.1, 4.7: examples of the standard, and what a careless pattern would get wrong."""
    assert fault(topic_filter) is None
    assert (pattern(topic_filter).fullmatch(topic) is not None) is matches


@given(
    st.lists(
        st.text(alphabet=st.characters(exclude_characters="+#\0", codec="utf-8"), max_size=5), min_size=1
    )
)
def test_a_topic_matches_itself(levels: list[str]) -> None:
    """A filter without wildcards matches its own topic and needs no escaping by the site."""
    topic = "/".join(levels)
    if topic and levels[0] != "$share":
        assert fault(topic) is None
        assert not has_wildcard(topic)
        assert pattern(topic).fullmatch(topic)
