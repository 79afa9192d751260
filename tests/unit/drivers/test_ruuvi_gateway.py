"""ruuvi_gateway: what the tag says is read as the vendor's vectors say, once, or it is no value."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldchain.model import Bad, Decoded, Measured, Reason
from coldchain.session import Now, Received, Turn
from coldchain_drivers.ruuvi_formats import UNITS, manufacturer_data, read
from coldchain_drivers.ruuvi_gateway import DRIVER, State

MAC = "CB:B8:33:4C:88:4F"
TOPIC = f"ruuvi/C8:25:2D:8E:9C:2C/{MAC}"
NOW = Now(0, 0)
VALID = "0512FC5394C37C0004FFFC040CAC364200CDCBB8334C884F"
OVER, UNDER, NONE = Reason.OVER_RANGE, Reason.UNDER_RANGE, Reason.NO_VALUE


def settings(**more: Any) -> Any:
    return DRIVER.settings.model_validate({"tags": [{"name": "fridge", "mac": MAC}]} | more)


def advert(data: str) -> str:
    """An advertisement: flags, then the manufacturer's data."""
    return f"020106{len(data) // 2 + 3:02X}FF9904{data}"


def message(data: str = VALID, **more: Any) -> bytes:
    """As a gateway relays it."""
    whole = {"gw_mac": "C8:25:2D:8E:9C:2C", "rssi": -26, "ts": "1653668027", "data": advert(data)} | more
    return json.dumps({key: value for key, value in whole.items() if value is not None}).encode()


@pytest.mark.parametrize(
    ("data", "sequence", "says"),
    [
        pytest.param(
            VALID,
            205,
            ["24.300", "53.4900", "100044", "4", "-4", "1036", "2977"],
            id="format 5, vendor: valid",
        ),
        pytest.param(
            "057FFFFFFEFFFE7FFF7FFF7FFFFFDEFEFFFECBB8334C884F",
            65534,
            [OVER] * 7,
            id="format 5, vendor: maximum, where everything beyond is clipped to",
        ),
        pytest.param(
            "058001000000008001800180010000000000CBB8334C884F",
            0,
            [UNDER, "0.0000", UNDER, UNDER, UNDER, UNDER, UNDER],
            id="format 5, vendor: minimum",
        ),
        pytest.param(
            "058000FFFFFFFF800080008000FFFFFFFFFFFFFFFFFFFFFF",
            None,
            [NONE] * 7,
            id="format 5, vendor: invalid",
        ),
        pytest.param(
            "05800200000001800280028002002000CDCBB8334C884F"[:26] + "0020000001CBB8334C884F",
            1,
            ["-163.830", "0.0000", "50001", "-32766", "-32766", "-32766", "1601"],
            id="format 5: one above the minimum",
        ),
        pytest.param(
            "06170C5668C79E007000C90501D9FFCD004C884F",
            205,
            ["29.500", "55.3000", "101102", "201"],
            id="format 6, vendor: valid",
        ),
        pytest.param(
            "067FFF9C40FFFE27109C40FAFAFEFFFF074C8F4F",
            255,
            [OVER, "100.0000", OVER, OVER],
            id="format 6, vendor: maximum",
        ),
        pytest.param(
            "068000FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 255, [NONE] * 4, id="format 6, vendor: invalid"
        ),
        pytest.param(
            "E1170C5668C79E0065007004BD11CA00C90A0213E0AC000000DECDEE100000000000CBB8334C884F",
            14_601_710,
            ["29.500", "55.3000", "101102", "201"],
            id="format E1, vendor: valid",
        ),
        pytest.param(
            "E18001" + "00" * 19 + "FFFFFF" + "00000000" + "FF" * 5 + "CBB8334C884F",
            0,
            [UNDER, "0.0000", UNDER, "0"],
            id="format E1, vendor: minimum",
        ),
    ],
)
def test_vectors(data: str, sequence: int | None, says: list[str | Reason]) -> None:
    """Each vector is read digit by digit; an end of a field is no value, for everything beyond looks so."""
    said = read(bytes.fromhex(data))
    assert said is not None
    assert [value for _, value in said.values] == says
    assert said.sequence == sequence


@pytest.mark.parametrize(
    "advertisement",
    [
        pytest.param("0201061BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6", id="vendor's sample"),
        pytest.param("1BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6", id="without flags"),
        pytest.param(
            "05FF4C001005" + "1BFF99040515AE4C6DC6D7000CFFF803F4ADB6AD697FF41F0C28CBD6",
            id="behind another company's",
        ),
    ],
)
def test_an_advertisement_is_walked(advertisement: str) -> None:
    """The manufacturer's part is found where it stands, and read as devices.ruuvi.com's sample says."""
    data = manufacturer_data(bytes.fromhex(advertisement))
    assert data is not None
    said = read(data)
    assert said is not None
    assert dict(said.values)["temperature"] == "27.750"
    assert dict(said.values)["battery"] == "2989"
    assert said.sequence == 27007


def said(payload: bytes, at: str = TOPIC, **more: Any) -> Decoded:
    return DRIVER.decode(settings(**more), at, payload)


def test_a_message_gives_every_quantity_with_its_unit_and_time() -> None:
    """The time is when the gateway received it."""
    first, second, *_ = said(message())
    assert first == Measured("fridge/temperature", "24.300", "degC", 1_653_668_027_000)
    assert second == Measured("fridge/humidity", "53.4900", "%", 1_653_668_027_000)
    keys = DRIVER.keys(settings())
    assert {f"fridge/{name}" for name in UNITS} == set(keys)


def test_a_tag_that_calibrates_is_in_doubt() -> None:
    """Its values are not fully accurate yet, it says."""
    data = "E1170C5668C79E0065007004BD11CA00C90A0213E0AC000000DECDEE010000000000CBB8334C884F"
    assert {each.doubt for each in said(message(data)) if isinstance(each, Measured)} == {Reason.UNSTABLE}


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        pytest.param(b"", Reason.CORRUPT_FRAME, id="empty"),
        pytest.param(b"[]", Reason.CORRUPT_FRAME, id="no object"),
        pytest.param(b'{"temperature": 24.3}', Reason.CORRUPT_FRAME, id="no advertisement: ruuvi_decoded"),
        pytest.param(message(VALID[:-2]), Reason.CORRUPT_FRAME, id="a byte short"),
        pytest.param(message(VALID + "00"), Reason.CORRUPT_FRAME, id="a byte too long"),
        pytest.param(message("03" + VALID[2:]), Reason.CORRUPT_FRAME, id="another format"),
        pytest.param(message().replace(b"9904", b"9905"), Reason.CORRUPT_FRAME, id="another company"),
        pytest.param(
            message(VALID[:-2] + "50"), Reason.WRONG_DEVICE, id="the tag names another address than the topic"
        ),
        pytest.param(
            message(gw_mac="AA:AA:AA:AA:AA:AA"), Reason.WRONG_DEVICE, id="another gateway than the topic's"
        ),
    ],
)
def test_what_is_no_measurement(payload: bytes, reason: Reason) -> None:
    """The whole message is refused, with the reason."""
    assert said(payload) == (Bad(reason, payload),)


@pytest.mark.parametrize("stamp", ["never", True, [], "-5"], ids=str)
def test_a_time_that_cannot_be_read(stamp: object) -> None:
    """What should be a time and is none is BAD; it is never replaced by the time of arrival."""
    got = said(message().replace(b'"1653668027"', json.dumps(stamp).encode()))
    assert {each.reason for each in got if isinstance(each, Bad)} == {Reason.BAD_TIME}
    assert len(got) == 7


def test_two_times_are_none() -> None:
    """Of two equal keys neither wins."""
    got = said(message().replace(b'"ts": ', b'"ts": "1", "ts": '))
    assert {each.reason for each in got if isinstance(each, Bad)} == {Reason.BAD_TIME}


def test_a_gateway_without_a_clock_counts() -> None:
    """It sends `cnt` and no time: the reading counts when it came."""
    assert {each.at_ms for each in said(message(ts=None, cnt="17"))} == {None}


def session(*steps: tuple[str, bytes] | bytes, retained: bool = False) -> list[Decoded]:
    """What each message of a run gives."""
    state: State = {}
    got = []
    assert DRIVER.session is not None
    for step in steps:
        topic, payload = step if isinstance(step, tuple) else (TOPIC, step)
        turn: Turn = DRIVER.session.take(settings(), state, Received(topic, payload, retained), NOW)
        state = turn.state
        got.append(turn.decoded)
    return got


OTHER = f"ruuvi/AA:AA:AA:AA:AA:AA/{MAC}"


def numbered(sequence: int) -> str:
    return VALID[:32] + f"{sequence:04X}" + VALID[36:]


def test_one_measurement_counts_once() -> None:
    """Copies come from the same gateway and from others, with other times: they are one measurement."""
    copies = (message(ts="1653668028"), (OTHER, message(gw_mac="AA:AA:AA:AA:AA:AA", ts="1653668029")))
    got = session(message(), *copies, message(numbered(206)), copies[0])
    assert [len(each) for each in got] == [7, 0, 0, 7, 0]


def test_a_tag_that_began_anew_is_heard() -> None:
    """The same number with other values is another measurement."""
    warmer = "0513FC" + VALID[6:]
    assert [len(each) for each in session(message(), message(warmer))] == [7, 7]


def test_without_a_number_nothing_is_a_repeat() -> None:
    """A tag that gives no number cannot be told from its repeat."""
    unnumbered = VALID[:32] + "FFFF" + VALID[36:]
    assert [len(each) for each in session(message(unnumbered), message(unnumbered))] == [7, 7]


def test_a_retained_copy_takes_no_live_one_away() -> None:
    """After a retained message the same measurement may come live, and is fresher for it."""
    assert DRIVER.session is not None
    first = DRIVER.session.take(settings(), {}, Received(TOPIC, message(), True), NOW)
    second = DRIVER.session.take(settings(), first.state, Received(TOPIC, message()), NOW)
    assert (len(first.decoded), len(second.decoded)) == (7, 7)


def test_format_6_is_left_out_where_e1_was_heard() -> None:
    """The vendor says so: it is the same measurement with less in it."""
    e1 = "E1170C5668C79E0065007004BD11CA00C90A0213E0AC000000DECDEE000000000000CBB8334C884F"
    six = "06170C5668C79E007000C90501D9FFEE004C884F"
    assert [len(each) for each in session(message(e1), message(six))] == [4, 0]
    assert [len(each) for each in session(message(six), message(e1))] == [4, 4]


@pytest.mark.parametrize(
    "word", [b"offline", b'{"state": "offline"}', b'"offline"', b'{"state":"OFFLINE"}'], ids=bytes.decode
)
def test_a_gateway_that_is_gone_takes_its_tags_along(word: bytes) -> None:
    """The tags last heard through it are BAD at once; those of another gateway are not."""
    status = ("ruuvi/C8:25:2D:8E:9C:2C/gw_status", word)
    _, gone = session(message(), status)
    assert {each.reason for each in gone if isinstance(each, Bad)} == {Reason.OFFLINE}
    assert "fridge/temperature" in {each.key for each in gone}
    _, _, still_heard = session(
        message(), (OTHER, message(numbered(206), gw_mac="AA:AA:AA:AA:AA:AA")), status
    )
    assert still_heard == ()
    _, online = session(message(), (status[0], b'{"state": "online"}'))
    assert online == ()
    (at_first,) = session(status)
    assert at_first == ()


def test_topics() -> None:
    """Each tag under every gateway, or under the prefix of one; and the word of the gateways themselves."""
    assert DRIVER.topics(settings()) == (f"ruuvi/+/{MAC}", "ruuvi/+/gw_status")
    assert DRIVER.topics(settings(topic="site/gw1")) == (f"site/gw1/{MAC}", "site/gw1/gw_status")
    assert len(said(message(), f"site/gw1/{MAC}", topic="site/gw1")) == 7
    assert len(said(message(), topic="site/gw1")) == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param({"tags": []}, "at least 1", id="no tag"),
        pytest.param({"tags": [{"name": "a", "mac": "CB:B8"}]}, "no address", id="half an address"),
        pytest.param(
            {"tags": [{"name": "a", "mac": MAC}, {"name": "b", "mac": MAC.lower()}]},
            "same mac",
            id="mac twice",
        ),
        pytest.param({"topic": "ruuvi/#"}, "twice", id="# in the topic"),
        pytest.param({"topic": ""}, "1 to 65,535", id="no topic"),
        pytest.param({"tag": []}, "Extra inputs", id="misspelt"),
    ],
)
def test_settings_refuse(given: dict[str, Any], says: str) -> None:
    """What could mix tags is refused, with what to write."""
    with pytest.raises(ValidationError, match=says):
        settings(**given)


def test_it_says_how_far_it_reaches() -> None:
    """Below −163.8 °C it can say nothing: config check refuses it there."""
    reach = DRIVER.reach(settings())["fridge/temperature"]
    assert (reach.low, reach.high, reach.unit) == ("-163.835", "163.835", "degC")


@given(st.binary(max_size=60) | st.binary(max_size=50).map(lambda data: message(data.hex())))
def test_any_payload(payload: bytes) -> None:
    """No payload raises, with or without a state."""
    assert isinstance(said(payload), tuple)
    session(payload, message(), payload)


@given(st.binary(min_size=24, max_size=24))
def test_any_data_of_format_5(data: bytes) -> None:
    """Every number is one that the format can say."""
    got = read(b"\x05" + data[1:])
    assert got is not None
    for name, value in got.values:
        if name == "temperature" and not isinstance(value, Reason):
            assert -163.835 < float(value) < 163.835
