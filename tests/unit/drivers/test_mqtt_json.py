"""mqtt_json: a message is read where the settings say, as it was sent, or it is no value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain_drivers.mqtt_json import DRIVER

ONE: dict[str, Any] = {"key": "vapour", "topic": "box/7", "path": "t", "unit": "degC"}
STAMPED = ONE | {"time_path": "at", "time_format": "epoch_ms", "sequence_path": "n"}


def settings(*mappings: dict[str, Any], **more: Any) -> Any:
    return DRIVER.settings.model_validate({"mappings": list(mappings) or [ONE]} | more)


def decode(payload: str | bytes, mapping: dict[str, Any] = ONE, topic: str = "box/7", **more: Any) -> Decoded:
    return DRIVER.decode(
        settings(mapping, **more), topic, payload.encode() if isinstance(payload, str) else payload
    )


def value(text: str, **more: Any) -> Measured:
    return Measured("vapour", text, "degC", **more)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        pytest.param('{"t": -146.20}', value("-146.20"), id="the number's own text"),
        pytest.param('{"t": -146.2e0, "x": {"t": 1}}', value("-146.2e0"), id="exponent, another t elsewhere"),
        pytest.param('{"t": 0}', value("0"), id="zero"),
        pytest.param('{"t": "-146.20"}', Reason.NOT_A_NUMBER, id="a number in quotes"),
        pytest.param('{"t": true}', Reason.NOT_A_NUMBER, id="true is not 1"),
        pytest.param('{"t": NaN}', Reason.NOT_A_NUMBER, id="NaN"),
        pytest.param('{"t": -Infinity}', Reason.NOT_A_NUMBER, id="Infinity"),
        pytest.param('{"t": [-146.20]}', Reason.NOT_A_NUMBER, id="a list"),
        pytest.param('{"t": {"v": 1}}', Reason.NOT_A_NUMBER, id="an object"),
        pytest.param('{"t": 1' + "0" * 30 + "}", Reason.NOT_A_NUMBER, id="more digits than any reading has"),
        pytest.param('{"t": 1e999}', Reason.NOT_A_NUMBER, id="more than a float holds"),
        pytest.param('{"t": null}', Reason.NO_VALUE, id="null"),
        pytest.param('{"u": 1}', Reason.NO_VALUE, id="missing"),
        pytest.param("[1, 2]", Reason.NO_VALUE, id="no object"),
        pytest.param(
            '{"t": -146.20, "t": -20}', Reason.CORRUPT_FRAME, id="a key twice on the path: neither wins"
        ),
        pytest.param('{"t": -146.20, "x": 1, "x": 2}', value("-146.20"), id="a key twice beside the path"),
        pytest.param('{"t": -146.20, "x": NaN}', value("-146.20"), id="NaN beside the path"),
    ],
)
def test_numbers(payload: str, says: Measured | Reason) -> None:
    """A JSON number is a value with its text as sent; nothing else is."""
    want = Bad(says, payload.encode(), "vapour") if isinstance(says, Reason) else says
    assert decode(payload) == (want,)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"", Reason.NO_VALUE, id="empty, as when a retained message is cleared"),
        pytest.param(b'{"t": -146.2', Reason.CORRUPT_FRAME, id="torn"),
        pytest.param(b'{"t": 01}', Reason.CORRUPT_FRAME, id="no JSON number"),
        pytest.param(b'{"t": .5}', Reason.CORRUPT_FRAME, id="no digit before the point"),
        pytest.param(b"{'t': 1}", Reason.CORRUPT_FRAME, id="single quotes"),
        pytest.param(b'{"t": 1} x', Reason.CORRUPT_FRAME, id="something behind it"),
        pytest.param(b"\xff\xfe{}", Reason.CORRUPT_FRAME, id="no UTF-8"),
        pytest.param('{"t": 1}'.encode("utf-16"), Reason.CORRUPT_FRAME, id="UTF-16"),
        pytest.param(b"\xef\xbb\xbf{}", Reason.CORRUPT_FRAME, id="byte order mark"),
        pytest.param(b"[" * 60_000, Reason.CORRUPT_FRAME, id="nests without end"),
        pytest.param(b'{"t": 1}' + b" " * 65_536, Reason.OVERSIZED_FRAME, id="too long"),
    ],
)
def test_what_is_no_message(payload: bytes, reason: Reason) -> None:
    """What cannot be read as a whole gives one bad reading without a key."""
    assert decode(payload) == (Bad(reason, payload),)


DEEP = '{"a": {"b": [{"c.d": {"temperature:0": -80.5}}]}, "u": "F"}'


@pytest.mark.parametrize(
    "path",
    ['a.b[0]."c.d".temperature:0', '["a"].b[0]["c.d"]."temperature:0"', '"a"."b"[0]["c.d"]["temperature:0"]'],
)
def test_paths(path: str) -> None:
    """A path leads through objects and lists, with quotes where a key holds a dot."""
    deep = {"key": "k", "topic": "x", "path": path, "unit_path": "u"}
    assert decode(DEEP, deep, "x") == (Measured("k", "-80.5", "F"),)


def test_the_whole_payload_may_be_the_value() -> None:
    """A topic that carries a bare number is read with an empty path."""
    assert decode("-80.50", ONE | {"path": ""}) == (value("-80.50"),)


@pytest.mark.parametrize("path", ["a..b", "a.", ".", "a[x]", "a[-1]", "a b", 'a."', "a]["])
def test_what_is_no_path(path: str) -> None:
    """A path that cannot be read is refused with the settings."""
    with pytest.raises(ValidationError, match="no path"):
        settings(ONE | {"path": path})


@pytest.mark.parametrize(
    ("payload", "unit", "says"),
    [
        pytest.param('{"t": 1, "u": "°C"}', "u", Measured("vapour", "1", "°C"), id="as sent"),
        pytest.param(
            '{"t": 1, "u": "Celsius"}',
            "u",
            Reason.UNKNOWN_UNIT,
            id="no unit of ours",
        ),
        pytest.param('{"t": 1}', "u", Reason.NO_UNIT, id="missing"),
        pytest.param('{"t": 1, "u": 5}', "u", Reason.NO_UNIT, id="a number is no unit"),
        pytest.param('{"t": 1, "u": ""}', "u", Reason.NO_UNIT, id="empty"),
        pytest.param('{"t": 1, "u": "C", "u": "F"}', "u", Reason.NO_UNIT, id="twice"),
    ],
)
def test_units(payload: str, unit: str, says: Measured | Reason) -> None:
    """A unit comes from the message or the settings, and is never guessed."""
    mapping = {key: value for key, value in ONE.items() if key != "unit"} | {"unit_path": unit}
    want = Bad(says, payload.encode(), "vapour") if isinstance(says, Reason) else says
    assert decode(payload, mapping) == (want,)


@pytest.mark.parametrize(
    ("stamp", "form", "at_ms"),
    [
        pytest.param("1767268800000", "epoch_ms", 1_767_268_800_000, id="ms"),
        pytest.param("1767268800.1239", "epoch_s", 1_767_268_800_123, id="s with fraction, cut to ms"),
        pytest.param('"1767268800"', "epoch_s", 1_767_268_800_000, id="as text"),
        pytest.param('"2026-01-01T12:00:00.123456789+00:00"', "iso8601", 1_767_268_800_123, id="nanoseconds"),
        pytest.param('"2026-01-01 20:00:00+08:00"', "iso8601", 1_767_268_800_000, id="offset"),
        pytest.param("0", "epoch_ms", 0, id="a clock that booted in 1970 is kept as sent"),
        pytest.param("-1", "epoch_ms", None, id="before 1970"),
        pytest.param("1e17", "epoch_ms", None, id="beyond the calendar"),
        pytest.param("null", "epoch_ms", None, id="null"),
        pytest.param("true", "epoch_ms", None, id="true"),
        pytest.param('"2026-01-01T12:00:00"', "iso8601", None, id="local, zone unknown"),
        pytest.param('"2026-02-30T12:00:00Z"', "iso8601", None, id="no such day"),
        pytest.param('"2026-01-01T12:00:00+99:00"', "iso8601", None, id="no such offset"),
        pytest.param('"0001-01-01T00:00:00+14:00"', "iso8601", None, id="before the calendar"),
        pytest.param('"١٧٦٧"', "epoch_s", None, id="digits of another script"),
    ],
)
def test_time(stamp: str, form: str, at_ms: int | None) -> None:
    """A device's time is certain or the reading is bad; it is never replaced by our own."""
    mapping = ONE | {"time_path": "at", "time_format": form}
    payload = f'{{"t": 1, "at": {stamp}}}'
    want = value("1", at_ms=at_ms) if at_ms is not None else Bad(Reason.BAD_TIME, payload.encode(), "vapour")
    assert decode(payload, mapping) == (want,)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        pytest.param('{"t": 1, "at": 5, "n": 7}', value("1", at_ms=5, sequence=7), id="numbered"),
        pytest.param('{"t": 1, "at": 5, "n": 7.0}', Reason.CORRUPT_FRAME, id="no counter has decimals"),
        pytest.param('{"t": 1, "at": 5, "n": "7"}', Reason.CORRUPT_FRAME, id="in quotes"),
        pytest.param('{"t": 1, "at": 5, "n": -7}', Reason.CORRUPT_FRAME, id="negative"),
        pytest.param('{"t": 1, "at": 5}', Reason.CORRUPT_FRAME, id="missing"),
    ],
)
def test_sequence(payload: str, says: Measured | Reason) -> None:
    """Where a counter is configured, a message without one cannot be told from its repeat."""
    (said,) = decode(payload, STAMPED)
    assert (said.reason if isinstance(said, Bad) else said) == says


def test_a_bad_value_keeps_its_time_and_number() -> None:
    """When a probe failed is as much evidence as when it did not."""
    payload = '{"t": null, "at": 5, "n": 7}'
    assert decode(payload, STAMPED) == (Bad(Reason.NO_VALUE, payload.encode(), "vapour", 5, 7),)


@pytest.mark.parametrize(
    ("payload", "mapping", "reason"),
    [
        pytest.param(
            '{"t": "----"}',
            {"bad_when": [{"value": "----", "reason": "sensor_open"}]},
            Reason.SENSOR_OPEN,
            id="text",
        ),
        pytest.param(
            '{"t": -9999.0}',
            {"bad_when": [{"value": -9999, "reason": "not_connected"}]},
            Reason.NOT_CONNECTED,
            id="number",
        ),
        pytest.param(
            '{"t": false}',
            {"bad_when": [{"value": False, "reason": "not_ready"}]},
            Reason.NOT_READY,
            id="false",
        ),
        pytest.param(
            '{"t": 0}', {"bad_when": [{"value": False, "reason": "not_ready"}]}, None, id="0 is not false"
        ),
        pytest.param(
            '{"t": 1.0}', {"bad_when": [{"value": True, "reason": "not_ready"}]}, None, id="1 is not true"
        ),
        pytest.param('{"t": -127.00}', {"lies": ["ds18b20"]}, Reason.NOT_CONNECTED, id="a known lie"),
        pytest.param('{"t": 85}', {"lies": ["ds18b20"]}, Reason.POWER_ON_VALUE, id="power-on value"),
        pytest.param(
            '{"t": -242.02}', {"lies": ["max31865"]}, Reason.SENSOR_SHORT, id="a short that reads cold"
        ),
        pytest.param('{"t": -127.5}', {"lies": ["ds18b20", "max31865"]}, None, id="a value beside it"),
        pytest.param('{"t": "-80.5"}', {"text_numbers": True}, None, id="a number in quotes, allowed"),
        pytest.param(
            '{"t": "-80,5"}', {"text_numbers": True}, Reason.NOT_A_NUMBER, id="a text is still no number"
        ),
        pytest.param('{"t": "nan"}', {"text_numbers": True}, Reason.NOT_A_NUMBER, id="nan in quotes"),
        pytest.param('{"t": " 1"}', {"text_numbers": True}, Reason.NOT_A_NUMBER, id="a blank in quotes"),
        pytest.param(
            '{"t": 1, "q": "ok"}', {"quality_path": "q", "quality_good": ["ok"]}, None, id="status good"
        ),
        pytest.param(
            '{"t": 1, "q": 0}', {"quality_path": "q", "quality_good": [0]}, None, id="status as number"
        ),
        pytest.param(
            '{"t": 1, "q": "err"}',
            {"quality_path": "q", "quality_good": ["ok"]},
            Reason.SENSOR_FAULT,
            id="unknown status",
        ),
        pytest.param(
            '{"t": 1}',
            {"quality_path": "q", "quality_good": ["ok"]},
            Reason.SENSOR_FAULT,
            id="status missing",
        ),
    ],
)
def test_values_that_are_none(payload: str, mapping: dict[str, Any], reason: Reason | None) -> None:
    """What a device uses for "no value" becomes bad with its reason, by data."""
    (said,) = decode(payload, ONE | mapping)
    assert (said.reason if isinstance(said, Bad) else None) is reason


def test_a_value_in_doubt() -> None:
    """A status that the site lists as doubtful keeps the value and marks it."""
    mapping = ONE | {"quality_path": "q", "quality_good": ["ok"], "quality_doubt": ["warming up"]}
    assert decode('{"t": 1, "q": "warming up"}', mapping) == (value("1", doubt=Reason.UNSTABLE),)


def test_a_message_of_changes_may_lack_a_value() -> None:
    """With `optional` an absent value is no fault; null still is."""
    assert decode('{"u": 1}', ONE | {"optional": True}) == ()
    assert decode('{"t": null}', ONE | {"optional": True}) == (
        Bad(Reason.NO_VALUE, b'{"t": null}', "vapour"),
    )


@pytest.mark.parametrize("said", ["true", '"yes"', "1", "null"])
def test_simulated_messages_are_refused_unless_declared(said: str) -> None:
    """What says of itself that it is simulated is never taken for evidence by mistake."""
    payload = f'{{"t": 1, "simulated": {said}}}'
    assert decode(payload) == (Bad(Reason.SIMULATED, payload.encode(), "vapour"),)
    assert decode(payload, simulated=True) == (value("1"),)
    assert decode('{"t": 1, "simulated": false}') == (value("1"),)


def test_another_devices_message() -> None:
    """Where the site says what a message must carry, one that carries another id is not ours."""
    expect = [{"path": "device.eui", "value": "70b3d5"}]
    assert decode('{"t": 1, "device": {"eui": "70b3d5"}}', expect=expect) == (value("1"),)
    (other,) = decode('{"t": 1, "device": {"eui": "70b3d6"}}', expect=expect)
    assert isinstance(other, Bad)
    assert other.reason is Reason.WRONG_DEVICE


def test_several_devices_in_one_mapping() -> None:
    """One mapping serves alike devices by name, and no other topic is subscribed or read."""
    ready = settings(
        {
            "key": "{device}/t",
            "topic": "up/{device}/t",
            "devices": ["box-7", "box-8"],
            "path": "v",
            "unit": "K",
        }
    )
    assert DRIVER.topics(ready) == ("up/box-7/t", "up/box-8/t")
    assert DRIVER.keys(ready) == {"box-7/t": "K", "box-8/t": "K"}
    assert DRIVER.decode(ready, "up/box-8/t", b'{"v": 77.3}') == (Measured("box-8/t", "77.3", "K"),)
    assert DRIVER.decode(ready, "up/box-9/t", b'{"v": 77.3}') == (
        Bad(Reason.UNEXPECTED_REPLY, b'{"v": 77.3}'),
    )


def test_several_values_in_one_message() -> None:
    """One message gives each of its quantities, also through a filter of the same device."""
    ready = settings(
        ONE | {"topic": "box/7/#", "same_device": True},
        {"key": "mass", "topic": "box/7/scale", "path": "kg", "unit": "kg"},
    )
    payload = b'{"t": -190.10, "kg": 7.850}'
    assert DRIVER.decode(ready, "box/7/scale", payload) == (Measured("mass", "7.850", "kg"), value("-190.10"))


def test_what_a_source_promises() -> None:
    """Whether a source sends times and numbers is told from its mappings."""
    assert (DRIVER.sends_time(settings()), DRIVER.numbers_readings(settings())) == (False, False)
    assert (DRIVER.sends_time(settings(STAMPED)), DRIVER.numbers_readings(settings(STAMPED))) == (True, True)


@pytest.mark.parametrize(
    ("mappings", "says"),
    [
        pytest.param(
            [ONE | {"topic": "box/+"}], "may match several devices", id="values of several devices would mix"
        ),
        pytest.param([ONE | {"topic": "box/#/t", "same_device": True}], "at the end", id="# in the middle"),
        pytest.param([ONE | {"topic": "box/7+", "same_device": True}], "stands alone", id="+ beside text"),
        pytest.param([ONE | {"topic": "$share/a/box/7"}], "order is lost", id="shared subscription"),
        pytest.param([ONE | {"topic": ""}], "1 to 65,535", id="no topic"),
        pytest.param([ONE | {"devices": ["a"]}], "go together", id="devices without a place"),
        pytest.param([ONE | {"topic": "box/{device}"}], "go together", id="a place without devices"),
        pytest.param([ONE | {"unit_path": "u"}], "either unit or unit_path", id="two units"),
        pytest.param([{"key": "k", "topic": "x", "path": "t"}], "never guessed", id="no unit"),
        pytest.param([ONE | {"time_path": "at"}], "go together", id="time without format"),
        pytest.param(
            [ONE | {"time_path": "at", "time_format": "iso8601_local"}],
            "needs zone",
            id="local time without zone",
        ),
        pytest.param([ONE, ONE | {"topic": "other"}], "the same key", id="a key twice"),
        pytest.param([ONE, STAMPED | {"key": "b"}], "make two sources", id="times for some only"),
        pytest.param([ONE | {"quality_path": "q"}], "go together", id="status without what is good"),
        pytest.param([ONE | {"unit": "Celsius"}], "no unit", id="no unit of ours"),
        pytest.param([ONE | {"pth": "t"}], "Extra inputs", id="misspelt"),
        pytest.param([], "at least 1", id="no mapping"),
    ],
)
def test_settings_refuse(mappings: list[dict[str, Any]], says: str) -> None:
    """A mapping that could mix, lose or guess something is refused, with what to write instead."""
    with pytest.raises(ValidationError, match=says):
        DRIVER.settings.model_validate({"mappings": mappings})


FULL = STAMPED | {
    "unit_path": "u",
    "quality_path": "q",
    "quality_good": ["ok", 0],
    "text_numbers": True,
    "bad_when": [{"value": "--", "reason": "sensor_open"}, {"value": -9999, "reason": "sensor_open"}],
    "lies": ["ds18b20", "max31865"],
}
del FULL["unit"]
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["ok", "C", "--", "1"])
)
names = st.sampled_from(["t", "at", "n", "u", "q", "simulated"]) | st.text(max_size=3)
values = st.recursive(
    scalars, lambda v: st.lists(v, max_size=3) | st.dictionaries(names, v, max_size=5), max_leaves=12
)
READY = (settings(), settings(FULL), settings(FULL | {"path": "t[0].x", "optional": True}, simulated=True))


@given(
    payload=st.binary(max_size=80) | values.map(lambda v: json.dumps(v).encode()),
    which=st.sampled_from(READY),
)
def test_any_payload(payload: bytes, which: Any) -> None:
    """No payload raises; a value's text stands in the payload, and what is bad keeps its bytes."""
    for said in DRIVER.decode(which, "box/7", payload):
        if isinstance(said, Measured):
            assert said.value.encode() in payload
        else:
            assert said.frame == payload


@given(st.text(max_size=40))
def test_any_topic(topic: str) -> None:
    """A topic that no mapping serves gives no value."""
    said = DRIVER.decode(settings(), topic, b'{"t": 1}')
    assert said == ((value("1"),) if topic == "box/7" else (Bad(Reason.UNEXPECTED_REPLY, b'{"t": 1}'),))
