"""Who hears of a critical alarm while the journal cannot be written: everybody, where a site says no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config.endpoints import SINKS, tells_unrecorded
from tests.unit.config.small_site import (
    CONFIG,
    SirenSettings,
    changed,
    warnings,
    write,
)

#: What each kind cannot do without.
NEEDED = {
    "alertmanager": {"url": "http://127.0.0.1:9093"},
    "influx": {"url": "http://127.0.0.1:8086", "bucket": "coldchain"},
    "mail": {"host": "mail.example.org", "sender": "a@example.org", "recipients": ["b@example.org"]},
    "mqtt_state": {"broker": "local"},
    "sms": {"device": "/dev/modem", "numbers": ["+8613800138000"]},
    "webhook": {"url": "https://example.org/hook"},
}
NOBODY = "while the journal cannot be written, as on a full disk, no sink is told of a critical alarm"
STATE = '[sinks.state]\nkind = "mqtt_state"\nbroker = "local"\n'


@pytest.mark.parametrize("kind", sorted(SINKS))
def test_each_kind_that_somebody_acts_on_is_told(kind: str) -> None:
    """By itself; a site may spare it. A time series knows no such choice: it gets every row, later."""
    needed = {"kind": kind, **NEEDED[kind]}
    sink = SINKS[kind].model_validate(needed)
    assert tells_unrecorded(sink) is (kind != "influx")
    if kind == "influx":
        assert "unrecorded" not in SINKS[kind].model_fields
    else:
        assert not tells_unrecorded(SINKS[kind].model_validate({**needed, "unrecorded": False}))


def test_a_sink_of_somebody_else_is_told() -> None:
    """Though its own table knows nothing of it."""
    assert tells_unrecorded(SirenSettings(kind="siren", pin=17))  # type: ignore[arg-type]  # a foreign table


@pytest.mark.parametrize(
    ("sinks", "line", "mend"),
    [
        pytest.param("", 1, "add a sink that somebody acts on, such as webhook, mail or sms", id="no sink"),
        pytest.param(
            '[sinks.series]\nkind = "influx"\nurl = "http://127.0.0.1:8086"\nbucket = "b"\n',
            78,
            "add a sink that somebody acts on, such as webhook, mail or sms",
            id="a time series alone",
        ),
        pytest.param(
            STATE + "unrecorded = false\n",
            78,
            "let one of these have unrecorded = true and the priority critical: state",
            id="the one there is is spared",
        ),
        pytest.param(
            STATE
            + 'unrecorded = false\n[sinks.day]\nkind = "webhook"\nurl = "https://example.org"\n'
            + 'priorities = ["high"]\n',
            78,
            "let one of these have unrecorded = true and the priority critical: day, state",
            id="one is spared, one wants nothing critical",
        ),
    ],
)
def test_where_nobody_would_be_told_the_check_says_so(
    tmp_path: Path, sinks: str, line: int, mend: str
) -> None:
    """A warning, with the mend; it refuses nothing."""
    said = warnings(write(tmp_path, changed(CONFIG, STATE, sinks)))
    assert said == [f"gateway.toml:{line}: sinks: {NOBODY}; {mend}"]


def test_one_that_is_told_is_enough(tmp_path: Path) -> None:
    """A site that spares some sinks and not all has made its choice."""
    text = CONFIG + "unrecorded = false\n" + '[sinks.day]\nkind = "webhook"\nurl = "https://example.org"\n'
    assert warnings(write(tmp_path, text)) == []
