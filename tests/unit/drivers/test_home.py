"""zigbee2mqtt, shelly, tasmota: what a message mentions is read; nothing else is guessed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldchain.driver import MqttDriver
from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.session import Now, Received
from coldchain_drivers.shelly import DRIVER as SHELLY
from coldchain_drivers.tasmota import DRIVER as TASMOTA
from coldchain_drivers.zigbee2mqtt import DRIVER as ZIGBEE

NOW = Now(0, 0)
T = 1_680_962_879_620


def short(decoded: Decoded) -> list[tuple[Any, ...]]:
    """(key, value, unit) of a value, (key, reason) of a refusal."""
    return [
        (each.key, each.value, each.unit) if isinstance(each, Measured) else (each.key, each.reason)
        for each in decoded
        if isinstance(each, Measured | Bad)
    ]


def reasons(decoded: Decoded) -> set[Reason]:
    return {each.reason for each in decoded if isinstance(each, Bad)}


# --- Zigbee2MQTT -------------------------------------------------------------------------------------------

LID = {"name": "lid", "friendly_name": "bank/lid sensor"}


def zigbee(payload: bytes | str, at: str = "zigbee2mqtt/bank/lid sensor", **more: Any) -> Decoded:
    settings = ZIGBEE.settings.model_validate({"devices": [LID], "last_seen": False} | more)
    return ZIGBEE.decode(settings, at, payload.encode() if isinstance(payload, str) else payload)


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        pytest.param(
            '{"temperature":27.34,"humidity":44.72}',
            [("lid/temperature", "27.34", "degC"), ("lid/humidity", "44.72", "%")],
            id="vendor: documentation",
        ),
        pytest.param('{"contact":true}', [("lid/contact", "1", "closed")], id="contact is true while closed"),
        pytest.param(
            '{"contact":false,"linkquality":90}',
            [("lid/contact", "0", "closed")],
            id="open; the rest is not ours",
        ),
        pytest.param('{"linkquality":90}', [], id="nothing of ours is no fault"),
        pytest.param('{"temperature":null}', [("lid/temperature", Reason.NO_VALUE)], id="null"),
        pytest.param('{"temperature":"27"}', [("lid/temperature", Reason.NOT_A_NUMBER)], id="in quotes"),
        pytest.param('{"temperature":NaN}', [("lid/temperature", Reason.NOT_A_NUMBER)], id="NaN"),
        pytest.param('{"temperature":1,"temperature":2}', [(None, Reason.CORRUPT_FRAME)], id="a key twice"),
        pytest.param("online", [(None, Reason.CORRUPT_FRAME)], id="no JSON"),
        pytest.param("[]", [(None, Reason.CORRUPT_FRAME)], id="no object"),
    ],
)
def test_zigbee_values(payload: str, says: list[tuple[Any, ...]]) -> None:
    """What a message does not mention gives nothing; what it mentions is a value or says why not."""
    assert short(zigbee(payload)) == says


@pytest.mark.parametrize(
    ("seen", "at_ms"),
    [
        pytest.param("1680962879620", T, id="epoch"),
        pytest.param('"2023-04-08T14:07:59.620Z"', T, id="ISO"),
        pytest.param('"2023-04-08T16:07:59+02:00"', 1_680_962_879_000, id="ISO, local with offset"),
        pytest.param('"2023-04-08T16:07:59"', None, id="local without offset is certain for nobody"),
        pytest.param("null", None, id="null"),
    ],
)
def test_zigbee_last_seen(seen: str, at_ms: int | None) -> None:
    """Where it is promised it must be there: what is cached must not look fresh."""
    said = zigbee('{"temperature":5,"last_seen":' + seen + "}", last_seen=True)
    if at_ms is None:
        assert reasons(said) == {Reason.BAD_TIME}
    else:
        assert said == (Measured("lid/temperature", "5", "degC", at_ms),)
    assert reasons(zigbee('{"temperature":5}', last_seen=True)) == {Reason.BAD_TIME}


@pytest.mark.parametrize("word", ["offline", '{"state":"offline"}'], ids=["legacy", "json"])
def test_zigbee_being_gone(word: str) -> None:
    """A device, or the whole bridge: every quantity says so at once; being there says nothing."""
    for topic in ("zigbee2mqtt/bank/lid sensor/availability", "zigbee2mqtt/bridge/state"):
        said = zigbee(word, topic)
        assert reasons(said) == {Reason.OFFLINE}
        assert ("lid/contact", Reason.OFFLINE) in short(said)
        assert zigbee(word.replace("offline", "online"), topic) == ()


def test_zigbee_topics() -> None:
    """Each device, its availability, and the bridge; nothing else is read."""
    settings = ZIGBEE.settings.model_validate({"devices": [LID], "last_seen": True})
    assert ZIGBEE.topics(settings) == (
        "zigbee2mqtt/bank/lid sensor",
        "zigbee2mqtt/bank/lid sensor/availability",
        "zigbee2mqtt/bridge/state",
    )
    assert reasons(zigbee("{}", "zigbee2mqtt/other")) == {Reason.UNEXPECTED_REPLY}


# --- Shelly ------------------------------------------------------------------------------------------------

HT = {"name": "room", "id": "shellyhtg3-1"}
ALL = [("room/temperature_0", "19.8", "degC"), ("room/humidity_0", "42.2", "%")]
#: The vendor's sample as published by a user: on a USB supply, woken just now, its clock not set.
SAMPLE = (
    '{"src":"shellyhtg3-1","dst":"x","method":"NotifyFullStatus","params":{"ts":1680962879.62,'
    '"temperature:0":{"id":0,"tC":19.8,"tF":67.6},"humidity:0":{"id":0,"rh":42.2},'
    '"devicepower:0":{"id":0,"battery":{"V":0.43,"percent":0},"external":{"present":true}},'
    '"sys":{"unixtime":null,"wakeup_period":600,"wakeup_reason":{"boot":"poweron"}}}}'
)


def rpc(method: str = "NotifyStatus", src: str = "shellyhtg3-1", **params: Any) -> str:
    """A notification; component names have _ for the colon."""
    whole = {"ts": 1680962879.62} | {key.replace("_", ":", 1): value for key, value in params.items()}
    return json.dumps({"src": src, "dst": "x", "method": method, "params": whole})


def shelly(*payloads: str | tuple[str, str], **device: Any) -> list[Decoded]:
    """What each message of a run gives."""
    settings = SHELLY.settings.model_validate({"devices": [HT | device]})
    assert SHELLY.session is not None
    state, got = SHELLY.session.start(settings), []
    for payload in payloads:
        topic, text = payload if isinstance(payload, tuple) else ("shellyhtg3-1/events/rpc", payload)
        turn = SHELLY.session.take(settings, state, Received(topic, text.encode()), NOW)
        state = turn.state
        got.append(turn.decoded)
    return got


def test_shelly_sample() -> None:
    """On a supply its battery of 0 % means nothing; just woken it has no time: it counts as it came."""
    (said,) = shelly(SAMPLE)
    assert short(said) == ALL
    assert {each.at_ms for each in said if isinstance(each, Measured)} == {None}


def test_shelly_change() -> None:
    """A change brings what changed, with its time."""
    (said,) = shelly(rpc(temperature_0={"id": 0, "tC": 4.5}))
    assert said == (Measured("room/temperature_0", "4.5", "degC", T),)
    (battery,) = shelly(
        rpc(devicepower_0={"battery": {"V": 5.9, "percent": 87}, "external": {"present": False}})
    )
    assert short(battery) == [("room/battery_0", "87", "%"), ("room/voltage_0", "5.9", "V")]


def test_shelly_errors_lie_over_what_follows() -> None:
    """A sensor in error stays so until it says otherwise, whatever number a change brings."""
    fault = [("room/temperature_0", Reason.SENSOR_FAULT)]
    said = shelly(
        rpc(temperature_0={"tC": None, "errors": ["read"]}),
        rpc(temperature_0={"tC": -127.0}),
        rpc(temperature_0={"errors": ["read"]}),
        rpc(humidity_0={"rh": 40}),
        rpc(temperature_0={"tC": 4.5, "errors": []}),
        rpc(temperature_0={"tC": None}),
    )
    assert [short(each) for each in said] == [
        fault,
        fault,
        fault,
        [("room/humidity_0", "40", "%")],
        [("room/temperature_0", "4.5", "degC")],
        [("room/temperature_0", Reason.NO_VALUE)],
    ]
    full = rpc("NotifyFullStatus", temperature_0={"tC": 4.5})
    assert short(shelly(rpc(temperature_0={"errors": ["read"]}), full)[1]) == [
        ("room/temperature_0", "4.5", "degC")
    ]


def test_shelly_being_gone() -> None:
    """One that sleeps is gone after each message, and well; one that does not is gone."""
    gone = ("shellyhtg3-1/online", "false")
    assert reasons(shelly(gone)[0]) == {Reason.OFFLINE}
    assert shelly(SAMPLE, gone)[1] == ()
    assert reasons(shelly(SAMPLE, rpc(sys={"wakeup_period": 0}), gone)[2]) == {Reason.OFFLINE}
    assert shelly(("shellyhtg3-1/online", "true")) == [()]


def test_shelly_inputs_and_add_ons() -> None:
    """An input is 1 or 0 without a unit: the site says what is wired to it."""
    components = ["input:1", "temperature:100"]
    (said,) = shelly(rpc(input_1={"state": True}, temperature_100={"tC": -21.4}), components=components)
    assert short(said) == [("room/input_1", "1", ""), ("room/temperature_100", "-21.4", "degC")]
    settings = SHELLY.settings.model_validate({"devices": [HT | {"components": components}]})
    assert SHELLY.keys(settings) == {"room/input_1": "", "room/temperature_100": "degC"}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(rpc(src="shellyhtg3-2"), Reason.WRONG_DEVICE, id="another device"),
        pytest.param("{}", Reason.CORRUPT_FRAME, id="no params"),
        pytest.param("x", Reason.CORRUPT_FRAME, id="no JSON"),
    ],
)
def test_shelly_refuses(payload: str, reason: Reason) -> None:
    """Who may publish there is not always who should."""
    (said,) = shelly(payload)
    assert reasons(said) == {reason}


def test_shelly_events_are_no_values() -> None:
    """A button pressed is nothing of ours."""
    assert shelly(rpc("NotifyEvent")) == [()]


# --- Tasmota -----------------------------------------------------------------------------------------------

BOARD = {"name": "box", "topic": "box7", "sensors": [{"name": "DS18B20"}]}
#: The vendor's documentation.
SENSOR = '{"Time":"2019-01-01T00:00:00","DS18B20":{"Temperature":49.7},"TempUnit":"C"}'


def tasmota(payload: str, at: str = "tele/box7/SENSOR", *, sensors: Any = None, **more: Any) -> Decoded:
    board = BOARD | ({"sensors": sensors} if sensors else {})
    settings = TASMOTA.settings.model_validate({"devices": [board]} | more)
    return TASMOTA.decode(settings, at, payload.encode())


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        pytest.param(SENSOR, [("box/DS18B20/temperature", "49.7", "C")], id="vendor: documentation"),
        pytest.param(
            SENSOR.replace('"C"', '"F"'),
            [("box/DS18B20/temperature", "49.7", "F")],
            id="Fahrenheit, as it says",
        ),
        pytest.param(
            SENSOR.replace(',"TempUnit":"C"', ""), [("box/DS18B20/temperature", Reason.NO_UNIT)], id="no unit"
        ),
        pytest.param(
            SENSOR.replace("49.7", "-127"),
            [("box/DS18B20/temperature", Reason.NOT_CONNECTED)],
            id="a lie: −127",
        ),
        pytest.param(
            SENSOR.replace("49.7", "-196.6").replace('"C"', '"F"'),
            [("box/DS18B20/temperature", Reason.NOT_CONNECTED)],
            id="the same in Fahrenheit looks like liquid nitrogen",
        ),
        pytest.param(
            SENSOR.replace("49.7", "85"), [("box/DS18B20/temperature", Reason.POWER_ON_VALUE)], id="a lie: 85"
        ),
        pytest.param(
            SENSOR.replace("49.7", "null"), [("box/DS18B20/temperature", Reason.NO_VALUE)], id="null"
        ),
        pytest.param(
            '{"Time":"2019-01-01T00:00:00","TempUnit":"C"}',
            [("box/DS18B20/temperature", Reason.NOT_CONNECTED)],
            id="a probe that no longer answers is left out",
        ),
        pytest.param("offline", [(None, Reason.CORRUPT_FRAME)], id="no JSON"),
    ],
)
def test_tasmota_values(payload: str, says: list[tuple[Any, ...]]) -> None:
    """A value has the unit of its message, and the lies of its sensor are seen through."""
    assert short(tasmota(payload)) == says


def test_tasmota_probes_are_found_by_their_id() -> None:
    """When the first probe dies the second moves up: its value stays its own, the first is gone."""
    sensors = [{"name": "DS18B20-1", "id": "00000aaaaaaa"}, {"name": "DS18B20-2", "id": "00000bbbbbbb"}]
    both = (
        '{"DS18B20-1":{"Id":"00000AAAAAAA","Temperature":-21.4},'
        '"DS18B20-2":{"Id":"00000BBBBBBB","Temperature":4.5},"TempUnit":"C"}'
    )
    one = '{"DS18B20":{"Id":"00000BBBBBBB","Temperature":4.5},"TempUnit":"C"}'
    second = ("box/DS18B20-2/temperature", "4.5", "C")
    assert short(tasmota(both, sensors=sensors)) == [("box/DS18B20-1/temperature", "-21.4", "C"), second]
    assert short(tasmota(one, sensors=sensors)) == [
        ("box/DS18B20-1/temperature", Reason.NOT_CONNECTED),
        second,
    ]
    with pytest.raises(ValidationError, match="give its id"):
        tasmota(both, sensors=[{"name": "DS18B20-1"}])


def test_tasmota_time() -> None:
    """With a zone its local time counts; an hour that a change of the clock repeats is no time."""
    (said,) = tasmota(SENSOR, zone="+08:00")
    assert said.at_ms == 1_546_300_800_000 - 8 * 3_600_000
    (said,) = tasmota(SENSOR)
    assert said.at_ms is None
    twice = SENSOR.replace("2019-01-01T00:00:00", "2019-10-27T02:30:00")
    assert reasons(tasmota(twice, zone="Europe/Berlin")) == {Reason.BAD_TIME}
    unset = SENSOR.replace("2019-01-01", "1970-01-01")
    (said,) = tasmota(unset, zone="+08:00")
    assert (said.at_ms, isinstance(said, Bad)) == (None, True)
    unset = SENSOR.replace("2019-01-01", "1970-01-02")
    (said,) = tasmota(unset, zone="+08:00")
    assert (said.at_ms, isinstance(said, Measured)) == (None, True), "a clock never set: it counts as it came"


def test_tasmota_being_gone_and_its_topics() -> None:
    """The will of a board makes its values BAD; the order of its topics is the site's."""
    assert reasons(tasmota("Offline", "tele/box7/LWT")) == {Reason.OFFLINE}
    assert tasmota("Online", "tele/box7/LWT") == ()
    assert len(short(tasmota(SENSOR, "box7/tele/SENSOR", full_topic="{topic}/tele"))) == 1
    assert reasons(tasmota(SENSOR, "tele/box8/SENSOR")) == {Reason.UNEXPECTED_REPLY}
    for wrong in ("tele", "tele/+/{topic}", ""):
        with pytest.raises(ValidationError, match="full_topic"):
            tasmota(SENSOR, full_topic=wrong)


def test_a_one_wire_probe_says_where_it_ends() -> None:
    """config check refuses it below −55 °C."""
    settings = TASMOTA.settings.model_validate({"devices": [BOARD]})
    assert TASMOTA.reach(settings)["box/DS18B20/temperature"].low == "-55"


# --- All of them -------------------------------------------------------------------------------------------

ALIKE: list[tuple[MqttDriver, dict[str, Any], str, list[str]]] = [
    (
        ZIGBEE,
        {"devices": [LID], "last_seen": True},
        "zigbee2mqtt/bank/lid sensor",
        ["temperature", "last_seen"],
    ),
    (
        SHELLY,
        {"devices": [HT]},
        "shellyhtg3-1/events/rpc",
        ["params", "temperature:0", "tC", "errors", "sys"],
    ),
    (TASMOTA, {"devices": [BOARD], "zone": "+00:00"}, "tele/box7/SENSOR", ["Time", "DS18B20", "Temperature"]),
]
WORDS = sorted({word for *_, words in ALIKE for word in words} | {"src", "method", "TempUnit"})
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=6)
    | st.sampled_from(["C", "shellyhtg3-1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=12,
)


@pytest.mark.parametrize(
    ("driver", "given", "topic", "words"), ALIKE, ids=lambda each: getattr(each, "name", "")
)
@given(payload=st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode()))
def test_any_payload(
    driver: MqttDriver, given: dict[str, Any], topic: str, words: list[str], payload: bytes
) -> None:
    """No payload raises; a value's number stands in it, true and false aside."""
    for said in driver.decode(driver.settings.model_validate(given), topic, payload):
        if isinstance(said, Measured):
            assert said.value.encode() in payload or said.value in {"0", "1"}


@pytest.mark.parametrize(
    ("driver", "given", "topic", "words"), ALIKE, ids=lambda each: getattr(each, "name", "")
)
def test_settings_refuse_two_alike(
    driver: MqttDriver, given: dict[str, Any], topic: str, words: list[str]
) -> None:
    """Two devices under one name would mix."""
    (device,) = given["devices"]
    with pytest.raises(ValidationError, match="two devices"):
        driver.settings.model_validate(given | {"devices": [device, device]})
