"""A log that tells afterwards where it was: it fills what nobody watched, and overrides nothing."""

from __future__ import annotations

import pytest

from coldchain.consignments.bindings import Bindings
from coldchain.consignments.when import When

PLACE = "box/product"


def at(ms: int) -> When:
    """An instant on both axes."""
    return When(ms, ms)


def watched() -> Bindings:
    """A log told of the place until 10; a probe of the gateway has measured it from 100 on."""
    found = Bindings()
    assert found.lend("logger", PLACE, at(0), at(10))
    found.bind("probe", PLACE, at(100))
    return found


@pytest.mark.parametrize(
    ("since", "until", "lent"),
    [
        pytest.param(50, 60, True, id="before anybody watched"),
        pytest.param(90, 100, True, id="until the probe came"),
        pytest.param(90, 101, False, id="beyond it"),
        pytest.param(150, 160, False, id="while it was watched"),
    ],
)
def test_whoever_measured_a_place_stays(since: int, until: int, lent: bool) -> None:
    """The logger's channel is the older one there; still the probe is believed while it measures."""
    bindings = watched()
    assert bindings.lend("logger", PLACE, at(since), at(until)) is lent
    assert bindings.channel_at(PLACE, since) == ("logger" if lent else "probe" if since >= 100 else None)
    for ms in (100, 155, 1000):
        assert bindings.channel_at(PLACE, ms) == "probe"


def test_another_logger_beside_it_stands_beside() -> None:
    """Two logs of one place at one time: the first is believed."""
    bindings = watched()
    assert not bindings.lend("other", PLACE, at(5), at(20))
    assert bindings.channel_at(PLACE, 5) == "logger"
    assert bindings.channel_at(PLACE, 15) is None
