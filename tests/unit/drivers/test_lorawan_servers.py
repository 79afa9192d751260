"""chirpstack and ttn: the payload is decoded by us, once, and only if it is the device's own."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldchain.driver import MqttDriver
from coldchain.model import Bad, Decoded, Measured, Noted, Reason
from coldchain.session import Now, Received
from coldchain_drivers.chirpstack import DRIVER as CHIRPSTACK
from coldchain_drivers.lorawan.server import DISAGREES
from coldchain_drivers.ttn import DRIVER as TTN

EUI = "a84041000181c061"
COLD = "0E5501B8C0800160E43CC6"  # -182.40 °C, nothing on the second channel
NOW = Now(0, 0)
AT_MS = 1_767_268_800_123
CHANNELS = ("shipper/channel_1", "shipper/channel_2", "shipper/battery")


def b64(data: str) -> str:
    return base64.b64encode(bytes.fromhex(data)).decode()


def chirp(frame: str = COLD, /, **more: Any) -> bytes:
    """An uplink of ChirpStack; None leaves a field out."""
    whole = {
        "deduplicationId": "3ac7e3c4-4401-4b8d-9386-a5c902f9202d",
        "time": "2026-01-01T12:00:00.123456789+00:00",
        "deviceInfo": {"tenantId": "t", "devEui": EUI, "deviceName": "shipper"},
        "fPort": 2,
        "fCnt": 10,
        "data": b64(frame),
    } | more
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


def things(frame: str = COLD, /, uplink: dict[str, Any] | None = None, **more: Any) -> bytes:
    """An uplink of The Things Stack; None leaves a field out."""
    inner = {
        "session_key_id": "AXA50",
        "f_port": 2,
        "f_cnt": 10,
        "frm_payload": b64(frame),
        "received_at": "2026-01-01T12:00:00.123456789Z",
    } | (uplink or {})
    whole = {
        "end_device_ids": {"device_id": "shipper-7", "dev_eui": EUI.upper()},
        "uplink_message": {key: value for key, value in inner.items() if value is not None},
    } | more
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


class Server:
    """One of the two, with one LTC2."""

    def __init__(self, driver: MqttDriver) -> None:
        self.driver = driver
        chirpstack = driver is CHIRPSTACK
        self.message = chirp if chirpstack else things
        self.base: dict[str, Any] = {} if chirpstack else {"application": "boxes@ttn"}
        self.device = {"name": "shipper", "model": "dragino_ltc2"} | (
            {"dev_eui": EUI.upper()} if chirpstack else {"device_id": "shipper-7", "dev_eui": EUI}
        )
        self.other = {} if chirpstack else {"device_id": "other"}
        self.topic = (
            f"application/1b4e28ba/device/{EUI}/event/up"
            if chirpstack
            else "v3/boxes@ttn/devices/shipper-7/up"
        )

    def settings(self, **more: Any) -> Any:
        return self.driver.settings.model_validate(self.base | {"devices": [self.device]} | more)

    def read(self, payload: bytes, at: str = "", **more: Any) -> Decoded:
        return self.driver.decode(self.settings(**more), at or self.topic, payload)

    def counter(self, number: int) -> dict[str, Any]:
        """What tells an uplink from others."""
        if self.driver is CHIRPSTACK:
            return {"deduplicationId": f"id-{number}"}
        return {"uplink": {"f_cnt": number or None}}

    def inside(self, **more: Any) -> dict[str, Any]:
        """Fields of the uplink itself, by ChirpStack's names."""
        if self.driver is CHIRPSTACK:
            return more
        names = {"fPort": "f_port", "data": "frm_payload", "time": "received_at", "object": "decoded_payload"}
        return {"uplink": {names[key]: value for key, value in more.items()}}


BOTH = pytest.mark.parametrize("server", [Server(CHIRPSTACK), Server(TTN)], ids=["chirpstack", "ttn"])


def reasons(decoded: Decoded) -> list[tuple[str | None, Reason]]:
    return [(each.key, each.reason) for each in decoded if isinstance(each, Bad)]


@BOTH
def test_a_payload_is_decoded_here(server: Server) -> None:
    """With the time at which the network received it, nanoseconds cut off."""
    payload = server.message()
    assert server.read(payload) == (
        Measured("shipper/channel_1", "-182.40", "degC", AT_MS),
        Bad(Reason.SENSOR_OPEN, payload, "shipper/channel_2", AT_MS),
        Measured("shipper/battery", "3669", "mV", AT_MS),
    )
    keys = set(server.driver.keys(server.settings()))
    assert set(CHANNELS) <= keys


@BOTH
def test_the_servers_own_reading_is_a_second_opinion(server: Server) -> None:
    """+472.96 beside our −182.40 changes no value; that they disagree is noted."""
    wrong = server.read(server.message(**server.inside(object={"Temp_Channel1": 472.96})))
    assert isinstance(wrong[0], Measured)
    assert wrong[0].value == "-182.40"
    assert wrong[0].doubt is None
    assert wrong[-1] == Noted("shipper/second_opinion", DISAGREES)
    for right in ({"a": [{"b": -182.4}]}, {"t": -182.44}, {}, {"note": "x"}):
        assert len(server.read(server.message(**server.inside(object=right)))) == 3


@BOTH
def test_what_was_remembered_has_its_own_time(server: Server) -> None:
    """A polled record is backfill: its own time, marked as history, and no opinion on it is asked."""
    payload = server.message("0E55410862086760E43CC6", **server.inside(object={"t": 1}))
    first, *_ = said = server.read(payload)
    assert first == Measured("shipper/channel_1", "21.46", "degC", 1_625_570_502_000, history=True)
    assert all(isinstance(each, Measured) and each.history for each in said)


@BOTH
def test_a_copy_gives_nothing(server: Server) -> None:
    """The same uplink by two ways counts once; a new one counts, and a counter that is left out is zero."""
    session = server.driver.session
    assert session is not None
    state, sizes = session.start(server.settings()), []
    for number, retained in ((0, False), (0, False), (1, True), (1, False), (1, False), (0, False)):
        received = Received(server.topic, server.message(**server.counter(number)), retained)
        turn = session.take(server.settings(), state, received, NOW)
        state = turn.state
        sizes.append(len(turn.decoded))
    assert sizes == [3, 0, 3, 3, 0, 0]


def test_a_counter_that_began_anew_is_no_copy() -> None:
    """After a new join the counter of The Things Stack starts again, under another session key."""
    assert TTN.session is not None
    settings, topic = Server(TTN).settings(), Server(TTN).topic
    first = TTN.session.take(settings, {}, Received(topic, things()), NOW)
    again = things(uplink={"session_key_id": "other"})
    assert len(TTN.session.take(settings, first.state, Received(topic, again), NOW).decoded) == 3


@BOTH
def test_copies_are_remembered_within_bounds(server: Server) -> None:
    """A device that speaks for years costs a bounded memory."""
    session = server.driver.session
    assert session is not None
    state: Any = {}
    for number in range(200):
        received = Received(server.topic, server.message(**server.counter(number + 1)))
        state = session.take(server.settings(), state, received, NOW).state
    assert [len(each) for each in state.values()] == [32]


@BOTH
def test_simulated_uplinks_are_no_evidence(server: Server) -> None:
    """Unless the source says so, every quantity is refused."""
    payload = server.message(simulated=True)
    assert reasons(server.read(payload)) == [
        (key, Reason.SIMULATED) for key in server.settings().devices[0].keys
    ]
    assert isinstance(server.read(payload, simulated=True)[0], Measured)
    assert isinstance(server.read(server.message(simulated=False))[0], Measured)


def test_what_is_encrypted_for_a_join_server_is_refused() -> None:
    """Its bytes are no payload, however well they may decode."""
    context = {"sessionKeyId": "0102", "appSKey": {"kekLabel": "k"}}
    chirped = Server(CHIRPSTACK).read(chirp(joinServerContext=context))
    thinged = Server(TTN).read(things(uplink={"app_s_key": {"encrypted_key": "x"}}))
    for said in (chirped, thinged):
        assert reasons(said) == [(key, Reason.ENCRYPTED) for key in CHANNELS]


@BOTH
def test_another_devices_message(server: Server) -> None:
    """Who may publish under a device's topic is not always the device: body and topic must agree."""
    if server.driver is CHIRPSTACK:
        others = [
            chirp(deviceInfo={"devEui": "0000000000000001"}),
            chirp(deviceInfo={}),
            chirp(deviceInfo=None),
        ]
    else:
        others = [
            things(end_device_ids={"device_id": "other", "dev_eui": EUI}),
            things(end_device_ids={"device_id": "shipper-7", "dev_eui": "0000000000000001"}),
            things(end_device_ids=None),
        ]
    for payload in others:
        assert server.read(payload) == (Bad(Reason.WRONG_DEVICE, payload),)


@BOTH
@pytest.mark.parametrize(
    ("more", "says"),
    [
        pytest.param({"data": None}, (), id="no payload: the network's own frame"),
        pytest.param({"data": "=="}, Reason.CORRUPT_FRAME, id="no base64"),
        pytest.param({"data": "AA AA"}, Reason.CORRUPT_FRAME, id="base64 with a blank"),
        pytest.param({"data": b64("00" * 243)}, Reason.CORRUPT_FRAME, id="longer than any radio frame"),
        pytest.param({"data": 7}, Reason.CORRUPT_FRAME, id="a number"),
        pytest.param({"fPort": "2"}, Reason.CORRUPT_FRAME, id="a port in quotes"),
        pytest.param({"fPort": -2}, Reason.CORRUPT_FRAME, id="a negative port"),
        pytest.param({"fPort": None}, Reason.UNEXPECTED_REPLY, id="port left out is 0: not what it measures"),
        pytest.param({"time": "yesterday"}, Reason.BAD_TIME, id="a time that is none"),
        pytest.param({"time": "2026-01-01T12:00:00"}, Reason.BAD_TIME, id="a time without a zone"),
    ],
)
def test_what_is_no_measurement(server: Server, more: dict[str, Any], says: Any) -> None:
    """It is refused with the reason, and nothing is guessed."""
    said = server.read(server.message(**server.inside(**more)))
    if says == ():
        assert said == ()
    else:
        assert {each.reason for each in said if isinstance(each, Bad)} == {says}
        assert not any(isinstance(each, Measured) for each in said)


@BOTH
def test_without_a_time_it_counts_when_it_came(server: Server) -> None:
    """A server that says none leaves it to us; it never does in practice."""
    assert {each.at_ms for each in server.read(server.message(**server.inside(time=None)))} == {None}


@BOTH
def test_keys_twice_are_refused(server: Server) -> None:
    """Of two equal keys neither wins."""
    payload = server.message()[:-1] + b', "simulated": false, "simulated": true}'
    assert server.read(payload) == (Bad(Reason.CORRUPT_FRAME, payload),)


def test_a_gap_in_the_payload_is_flagged() -> None:
    """What this model does not have stops the reading; what came before counts."""
    server = Server(CHIRPSTACK)
    server.device["model"] = "milesight_em500_pt100"
    said = server.read(chirp("0367E0F8" + "AABB"))
    assert isinstance(said[0], Measured)
    assert reasons(said) == [(None, Reason.UNEXPECTED_REPLY)]


def test_status_and_log_of_chirpstack() -> None:
    """The battery as the network asked for it, and errors of the network as facts."""
    server = Server(CHIRPSTACK)
    base = server.topic.removesuffix("up")
    status = chirp(batteryLevel=75.5, margin=20)
    assert server.read(status, base + "status") == (Measured("shipper/battery_level", "75.5", "%", AT_MS),)
    assert server.read(chirp(batteryLevel=None), base + "status") == ()
    error = chirp(level="ERROR", code="UPLINK_MIC", data=None)
    assert server.read(error, base + "log") == (Noted("shipper/network", "UPLINK_MIC"),)
    assert server.read(chirp(level="WARNING"), base + "log") == ()


@BOTH
def test_topics(server: Server) -> None:
    """A topic for each device, and nothing else is read."""
    topics = server.driver.topics(server.settings())
    if server.driver is CHIRPSTACK:
        assert topics == tuple(f"application/+/device/{EUI}/event/{each}" for each in ("up", "status", "log"))
        assert len(server.read(chirp(), application="1b4e28ba")) == 3
        assert len(server.read(chirp(), application="other")) == 1
    else:
        assert topics == (server.topic,)
    payload = server.message()
    for other in ("x", server.topic + "/x", server.topic.replace("shipper-7", "z").replace(EUI, "0" * 16)):
        assert server.read(payload, other) == (Bad(Reason.UNEXPECTED_REPLY, payload),)


@BOTH
@pytest.mark.parametrize(
    ("change", "says"),
    [
        pytest.param({"model": "dragino_ltc9"}, "no payload of", id="an unknown model"),
        pytest.param({"dev_eui": "a840"}, "no DevEUI", id="half an EUI"),
        pytest.param({"model": "cayenne_lpp"}, "needs lpp_channels", id="LPP without channels"),
        pytest.param({"lpp_channels": [3]}, "no other model", id="channels without LPP"),
        pytest.param({"nam": "x"}, "Extra inputs", id="misspelt"),
    ],
)
def test_settings_refuse(server: Server, change: dict[str, Any], says: str) -> None:
    """What cannot be read for certain is refused, with what to write."""
    with pytest.raises(ValidationError, match=says):
        server.settings(devices=[server.device | change])


@BOTH
def test_two_devices_alike(server: Server) -> None:
    """Neither name nor identity may come twice."""
    with pytest.raises(ValidationError, match="two devices"):
        server.settings(devices=[server.device, server.device | {"name": "other"}])
    with pytest.raises(ValidationError, match="two devices"):
        server.settings(devices=[server.device, server.device | {"dev_eui": "0" * 16} | server.other])


@BOTH
def test_the_cold_sensor_reaches_and_the_house_sensor_does_not(server: Server) -> None:
    """What a device can say depends on its model."""
    lht = server.device | {"model": "dragino_lht65n"}
    assert server.driver.reach(server.settings()) == {}
    assert server.driver.reach(server.settings(devices=[lht]))["shipper/probe"].low == "-55"


WORDS = ["data", "fPort", "time", "deviceInfo", "devEui", "uplink_message", "frm_payload", "end_device_ids"]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=6)
    | st.just(EUI),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=3), inner, max_size=6)
    ),
    max_leaves=12,
)


@BOTH
@given(payload=st.binary(max_size=60) | JSON.map(lambda value: json.dumps(value).encode()), change=JSON)
def test_any_payload(server: Server, payload: bytes, change: Any) -> None:
    """No payload raises."""
    assert isinstance(server.read(payload), tuple)
    for field in ("data", "fPort", "time", "object"):
        assert isinstance(server.read(server.message(**server.inside(**{field: change}))), tuple)
