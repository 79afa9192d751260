"""TEC 3000: one request, one strictly read reply, and nothing that writes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from coldchain.model import Bad, Measured, Reason
from coldchain_drivers.mve_tec3000 import DRIVER

BUS: dict[str, Any] = {"baud": 9600, "frame": "8N1", "displayed_unit": "degC"}


def settings(**more: Any) -> Any:
    return DRIVER.settings.model_validate(BUS | more)


def decode(frame: bytes, key: str = "temp_a", **more: Any) -> Measured | Bad:
    ready = settings(**more)
    query = next(query for query in DRIVER.poll(ready) if query.key == key)
    (said,) = DRIVER.decode(ready, query, frame)
    return said


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        pytest.param(b"-197.10", Measured("temp_a", "-197.10", "degC"), id="seen in use, kept as sent"),
        pytest.param(b"+021.5", Measured("temp_a", "+021.5", "degC"), id="sign and leading zeros are kept"),
        pytest.param(b"", Reason.UNEXPECTED_REPLY, id="empty line"),
        pytest.param(b"-19", Reason.UNEXPECTED_REPLY, id="torn before the point: no whole number is a value"),
        pytest.param(b"-197.", Reason.UNEXPECTED_REPLY, id="torn after the point"),
        pytest.param(b"001 TEMPA?", Reason.UNEXPECTED_REPLY, id="echo of the request"),
        pytest.param(b"001 -197.10", Reason.UNEXPECTED_REPLY, id="an address is not part of a reply"),
        pytest.param(b"-197.10 -20.00", Reason.UNEXPECTED_REPLY, id="two replies in one line"),
        pytest.param(b"-197.10\r", Reason.UNEXPECTED_REPLY, id="a stray carriage return"),
        pytest.param(b" -197.10", Reason.UNEXPECTED_REPLY, id="a leading blank"),
        pytest.param(b"-197,10", Reason.UNEXPECTED_REPLY, id="decimal comma"),
        pytest.param(b"nan", Reason.UNEXPECTED_REPLY, id="nan"),
        pytest.param(b"-1e2.0", Reason.UNEXPECTED_REPLY, id="exponent"),
        pytest.param("-١٩٧.١٠".encode(), Reason.UNEXPECTED_REPLY, id="digits of another script"),
        pytest.param(b"\xff\xfe-197.10", Reason.UNEXPECTED_REPLY, id="line noise before it"),
        pytest.param(b"-197.10" + b" " * 80, Reason.UNEXPECTED_REPLY, id="longer than any reply"),
    ],
)
def test_decode(frame: bytes, says: Measured | Reason) -> None:
    """Only a whole reply of the expected form is a value; all else is bad and keeps its bytes."""
    want = Bad(says, frame, "temp_a") if isinstance(says, Reason) else says
    assert decode(frame) == want


@pytest.mark.parametrize(
    ("more", "sends"),
    [
        pytest.param({}, [b"TEMPA?\r\n", b"TEMPB?\r\n"], id="single unit, bare form"),
        pytest.param({"address": 1}, [b"001 TEMPA?\r\n", b"001 TEMPB?\r\n"], id="address, as seen in use"),
        pytest.param({"address": 247}, [b"247 TEMPA?\r\n", b"247 TEMPB?\r\n"], id="highest address"),
        pytest.param(
            {"queries": [{"key": "offset", "query": "CALVL?", "unit": "in"}]},
            [b"CALVL?\r\n"],
            id="a table of its own",
        ),
    ],
)
def test_poll(more: dict[str, Any], sends: list[bytes]) -> None:
    """What goes over the line is exactly this."""
    assert [query.send for query in DRIVER.poll(settings(**more))] == sends


def test_keys_and_line() -> None:
    """A channel can be checked against the keys, and the line is told as configured."""
    ready = settings(queries=[{"key": "a", "query": "TEMPA?"}, {"key": "o", "query": "CALVL?", "unit": "in"}])
    assert DRIVER.keys(ready) == {"a": "degC", "o": "in"}
    line = DRIVER.line(ready)
    assert (line.baud, line.frame, line.terminator, line.timeout_ms) == (9600, "8N1", b"\r\n", 3000)


@pytest.mark.parametrize(
    "query",
    [
        *("CALTA", "CALTB", "HITSTA", "HITSTB", "ALMS 0", "CALVL +001.0", "CODE?", "CODE 1234", "*RST", ""),
        *(
            "CALTA\r\nTEMPA?",
            "TEMPA?\r\nCALTA",
            "CALTA;TEMPA?",
            "tempa?",
            "TEMPA? ",
            "?",
            "001 TEMPA?",
            "TEMPA??",
        ),
    ],
)
def test_what_writes_or_tells_the_password_cannot_be_configured(query: str) -> None:
    """No table of queries can make a monitor calibrate, test, mute, set or ask for the password."""
    with pytest.raises(ValidationError):
        settings(queries=[{"key": "x", "query": query}])


@given(st.text(max_size=20))
def test_no_text_at_all_makes_a_command(text: str) -> None:
    """Whatever is accepted as a query sends one word that ends in "?"."""
    try:
        ready = settings(address=7, queries=[{"key": "x", "query": text}])
    except ValidationError:
        return
    (query,) = DRIVER.poll(ready)
    assert query.send == b"007 " + text.encode("ascii") + b"\r\n"
    assert text.isalnum() is False
    assert text.endswith("?")
    assert text[:-1].isalnum()


@pytest.mark.parametrize(
    ("lacks", "says"),
    [
        pytest.param("baud", "No public document states it", id="baud: says why there is no default"),
        pytest.param("frame", "Not published either", id="frame"),
        pytest.param("displayed_unit", "nothing is guessed", id="unit"),
    ],
)
def test_what_is_not_known_must_be_configured(lacks: str, says: str) -> None:
    """Nothing unknown has a default, and the error says why and what to do."""
    with pytest.raises(ValidationError) as refused:
        DRIVER.settings.model_validate({key: value for key, value in BUS.items() if key != lacks})
    (error,) = refused.value.errors()
    assert error["loc"] == (lacks,)
    assert says in error["msg"]


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"address": 0}, id="address 0"),
        pytest.param({"address": 248}, id="address 248"),
        pytest.param({"address": "1"}, id="address as text"),
        pytest.param({"baud": "9600"}, id="baud as text"),
        pytest.param({"displayed_unit": "Celsius"}, id="no unit of ours"),
        pytest.param({"adress": 1}, id="misspelt key"),
        pytest.param({"queries": []}, id="nothing to ask"),
        pytest.param({"queries": [{"key": "x", "query": "TEMPA?"}] * 2}, id="a key twice"),
        pytest.param(
            {"queries": [{"key": "x", "query": "TEMPA?", "pattern": "(.*)"}]}, id="pattern names no value"
        ),
        pytest.param(
            {"queries": [{"key": "x", "query": "TEMPA?", "pattern": "(?P<value>"}]}, id="pattern is none"
        ),
        pytest.param({"identity_pattern": "("}, id="identity pattern is none"),
        pytest.param({"lies": ["tec_open"]}, id="no lie is known of this controller"),
        pytest.param(
            {"lies": [{"value": "-999.9", "reason": "outside_validity"}]}, id="a reason of the fold"
        ),
        pytest.param(
            {"lies": [{"value": "1", "at_or_above": "2", "reason": "sensor_open"}]}, id="two forms in one lie"
        ),
        pytest.param(
            {"lies": [{"at_or_above": "much", "reason": "sensor_open"}]}, id="a bound that is no number"
        ),
    ],
)
def test_settings_refuse(more: dict[str, Any]) -> None:
    """A wrong setting is refused when it is read, not when the probe fails."""
    with pytest.raises(ValidationError):
        settings(**more)


@pytest.mark.parametrize(
    ("frame", "reason"),
    [
        pytest.param(b"999.9", Reason.SENSOR_OPEN, id="the number"),
        pytest.param(b"999.90", Reason.SENSOR_OPEN, id="the same number with other digits"),
        pytest.param(b"OPEN", Reason.SENSOR_OPEN, id="a word of the device, outside the pattern"),
        pytest.param(b"-231.0", Reason.SENSOR_SHORT, id="beyond a bound"),
        pytest.param(b"open", Reason.UNEXPECTED_REPLY, id="another word is not it"),
    ],
)
def test_lies_of_the_site(frame: bytes, reason: Reason) -> None:
    """What the site knows of its controller becomes bad with the site's reason."""
    lies = [
        {"value": "999.9", "reason": "sensor_open"},
        {"value": "OPEN", "reason": "sensor_open"},
        {"at_or_below": "-230", "reason": "sensor_short"},
    ]
    assert decode(frame, lies=lies) == Bad(reason, frame, "temp_a")


@pytest.mark.parametrize(
    ("frame", "right"),
    [
        pytest.param(b"Controller, Software ver. 2.05", True, id="as documented"),
        pytest.param(b"-197.10", False, id="a temperature: request and reply are out of step"),
        pytest.param(b"*IDN?", False, id="echo"),
        pytest.param(b"003 *IDN?", False, id="echo with address"),
        pytest.param(b"", False, id="nothing"),
        pytest.param(b"\xff\x80\x80abc", False, id="noise"),
        pytest.param(b"A" * 200, False, id="too long"),
    ],
)
def test_identity(frame: bytes, right: bool) -> None:
    """A device that is not a controller is found on connecting, with a sentence why."""
    ready = settings()
    said = DRIVER.identify(ready, *DRIVER.identity(ready), frame)
    assert (said is None) is right


def test_identity_can_be_narrowed_and_left_out() -> None:
    """One unit can be told from another by its name, and a unit without *IDN? can be read."""
    narrow = settings(address=3, identity_pattern=r"Controller, Software ver\. 2\.\d\d")
    (who,) = DRIVER.identity(narrow)
    assert who.send == b"003 *IDN?\r\n"
    assert DRIVER.identify(narrow, who, b"Controller, Software ver. 2.05") is None
    assert DRIVER.identify(narrow, who, b"Controller, Software ver. 1.99") is not None
    assert DRIVER.identity(settings(ask_identity=False)) == ()


@given(st.binary(max_size=120) | st.from_regex(rb"[-+]?\d{0,4}[.,]?\d{0,4}[ \r\n]?", fullmatch=True))
def test_any_bytes_are_a_plain_value_or_bad(frame: bytes) -> None:
    """No bytes raise, and no value differs from what was sent."""
    said = decode(frame)
    if isinstance(said, Measured):
        assert said.value.encode("ascii") == frame
    else:
        assert said.frame == frame
    DRIVER.identify(settings(), *DRIVER.identity(settings()), frame)


@given(st.binary(max_size=40))
def test_a_reply_to_nothing_is_no_value(frame: bytes) -> None:
    """What comes without having been asked for is bad, never the value of some key."""
    assert DRIVER.decode(settings(), None, frame) == (Bad(Reason.UNEXPECTED_REPLY, frame),)
