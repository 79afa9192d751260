"""Payload codecs: the vendors' own examples, digit by digit; what is not known stops the reading."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.model import Reason
from coldchain.units import exact
from coldchain_drivers.lies import KNOWN_UNITS
from coldchain_drivers.lorawan.cayenne_lpp import cayenne_lpp
from coldchain_drivers.lorawan.codec import Codec, Said, Uplink
from coldchain_drivers.lorawan.models import CODECS

T = 1_700_000_000_000  # when the network received it
LPP = cayenne_lpp((1, 3, 5))
OPEN, GONE, FAULT = Reason.SENSOR_OPEN, Reason.NOT_CONNECTED, Reason.SENSOR_FAULT
STOP = ("", Reason.UNEXPECTED_REPLY)
BAD_TIME = ("", Reason.BAD_TIME)


def codec(model: str) -> Codec:
    return LPP if model == "cayenne_lpp" else CODECS[model]


def read(model: str, data: str, port: int | None = 2) -> list[tuple[object, ...]]:
    """(name, value) of what is measured now, (name, value, time) of what was remembered."""
    said = codec(model).read(Uplink(bytes.fromhex(data), port, T))
    return [
        (each.name, each.value) if each.at_ms is None else (each.name, each.value, each.at_ms)
        for each in said
    ]


def ltc2(first: str | Reason, second: str | Reason, battery: str = "3669") -> list[tuple[object, ...]]:
    return [("channel_1", first), ("channel_2", second), ("battery", battery)]


@pytest.mark.parametrize(
    ("model", "data", "says"),
    [
        # Dragino LTC2
        pytest.param(
            "dragino_ltc2", "0E55010862086760E43CC6", ltc2("21.46", "21.51"), id="ltc2, vendor: manual"
        ),
        pytest.param(
            "dragino_ltc2",
            "0E5501B8C0800160E43CC6",
            ltc2("-182.40", OPEN),
            id="ltc2, cryogenic: the server's codec says +472.96",
        ),
        pytest.param("dragino_ltc2", "0E5502F858800160E43CC6", ltc2("-196.0", OPEN), id="ltc2, in tenths"),
        pytest.param(
            "dragino_ltc2",
            "0E5503271080FF60E43CC6",
            ltc2(Reason.UNKNOWN_UNIT, Reason.UNKNOWN_UNIT),
            id="ltc2, resistances are no temperatures",
        ),
        pytest.param("dragino_ltc2", "0E55047FFF000060E43CC6", [STOP], id="ltc2, a form nobody described"),
        pytest.param(
            "dragino_ltc2",
            "0E55017FFF000060E43CC6",
            ltc2(Reason.OVER_RANGE, "0.00"),
            id="ltc2, the end of its numbers",
        ),
        pytest.param(
            "dragino_ltc2", "0E5501954C000060E43CC6", ltc2(FAULT, "0.00"), id="ltc2, below absolute zero"
        ),
        pytest.param(
            "dragino_ltc2", "CE55010862086760E43CC6", ltc2("21.46", "21.51"), id="ltc2, battery status"
        ),
        pytest.param("dragino_ltc2", "0E550108620867", [STOP], id="ltc2, cut"),
        pytest.param(
            "dragino_ltc2",
            "0E55410862086760E43CC6" + "0E5541B8C0800160E43CF8",
            [
                ("channel_1", "21.46", 1_625_570_502_000),
                ("channel_2", "21.51", 1_625_570_502_000),
                ("battery", "3669", 1_625_570_502_000),
                ("channel_1", "-182.40", 1_625_570_552_000),
                ("channel_2", OPEN, 1_625_570_552_000),
                ("battery", "3669", 1_625_570_552_000),
            ],
            id="ltc2, polled: its memory with its own times",
        ),
        pytest.param(
            "dragino_ltc2",
            "0E55410862086760E43CC6" + "0E5501B8C0800160E43CF8",
            [STOP],
            id="ltc2, memory and measurement in one: neither",
        ),
        pytest.param(
            "dragino_ltc2", "0E5541086208670000003C", [BAD_TIME], id="ltc2, a clock that was never set"
        ),
        pytest.param("dragino_ltc2", "0E554108620867FFFFFFFF", [BAD_TIME], id="ltc2, a clock far ahead"),
        pytest.param(
            "dragino_ltc2_ht",
            "0E5501B8C0E4A860E43CC6",
            ltc2("472.96", "-70.00"),
            id="ltc2 in HT form: only where somebody says so",
        ),
        # Dragino LHT65N
        pytest.param(
            "dragino_lht65n",
            "CBF60B0D0376010ADD7FFF",
            [("temperature", "28.29"), ("humidity", "88.6"), ("battery", "3062"), ("probe", "27.81")],
            id="lht65n, vendor: example",
        ),
        pytest.param(
            "dragino_lht65n",
            "CBF60B0D0376817FFF7FFF",
            [("temperature", "28.29"), ("humidity", "88.6"), ("battery", "3062"), ("probe", GONE)],
            id="lht65n, no connection: the code reads 327.67",
        ),
        pytest.param(
            "dragino_lht65n",
            "CBF60B0D0376017FFF7FFF",
            [("temperature", "28.29"), ("humidity", "88.6"), ("battery", "3062"), ("probe", GONE)],
            id="lht65n, the code without its bit",
        ),
        pytest.param(
            "dragino_lht65n",
            "0ADD0B0DC3760960E43CC6",
            [("temperature", "28.29"), ("humidity", "88.6"), ("probe", "27.81")],
            id="lht65n, probe first, with a time",
        ),
        pytest.param(
            "dragino_lht65n",
            "CBF60B0D037600000000" + "00",
            [("temperature", "28.29"), ("humidity", "88.6"), ("battery", "3062"), ("probe", GONE)],
            id="lht65n, no probe",
        ),
        pytest.param("dragino_lht65n", "CBF628F20C1E0F11223344", [], id="lht65n, the probe's serial number"),
        pytest.param("dragino_lht65n", "CBF60B0D0376030ADD7FFF", [STOP], id="lht65n, an unknown outside"),
        pytest.param(
            "dragino_lht65n",
            "0ADD0B0D03764160E43CC6",
            [
                ("temperature", "28.29", 1_625_570_502_000),
                ("humidity", "88.6", 1_625_570_502_000),
                ("probe", "27.81", 1_625_570_502_000),
            ],
            id="lht65n, polled",
        ),
        pytest.param(
            "dragino_lht65n",
            "0ADD0B0D03768160E43CC6" + "7FFF0B0D03768160E43CF8",
            [
                ("temperature", "28.29", 1_625_570_502_000),
                ("humidity", "88.6", 1_625_570_502_000),
                ("probe", "27.81", 1_625_570_502_000),
                ("temperature", "28.29", 1_625_570_552_000),
                ("humidity", "88.6", 1_625_570_552_000),
                ("probe", GONE, 1_625_570_552_000),
            ],
            id="lht65n, polled, by the codec that marks it in bit 7",
        ),
        # Milesight
        pytest.param(
            "milesight_ts101",
            "01756403670701",
            [("battery", "100"), ("temperature", "26.3")],
            id="ts101, vendor",
        ),
        pytest.param(
            "milesight_em500_pt100",
            "01756403671901",
            [("battery", "100"), ("temperature", "28.1")],
            id="em500-pt100, vendor",
        ),
        pytest.param(
            "milesight_em500_pt100",
            "0175640367E0F8",
            [("battery", "100"), ("temperature", "-182.4")],
            id="em500-pt100, cryogenic",
        ),
        pytest.param(
            "milesight_em500_pt100",
            "83D7E0F8640002",
            [("temperature", "-182.4")],
            id="em500-pt100, a jump: the value, not by how much",
        ),
        pytest.param(
            "milesight_em500_pt100",
            "20CE9E744663E0F8",
            [("temperature", "-182.4", 1_665_561_758_000)],
            id="em500-pt100, remembered",
        ),
        pytest.param(
            "milesight_em300_mcs",
            "01755C03673401046865060001",
            [("battery", "92"), ("temperature", "30.8"), ("humidity", "50.5"), ("contact", "1")],
            id="em300-mcs, vendor: open",
        ),
        pytest.param("milesight_em300_mcs", "060000", [("contact", "0")], id="em300-mcs, closed"),
        pytest.param(
            "milesight_em300_mcs", "060002", [("contact", Reason.UNEXPECTED_REPLY)], id="em300-mcs, neither"
        ),
        pytest.param(
            "milesight_em300_mcs",
            "20CE9E74466310015D01",
            [
                ("temperature", "27.2", 1_665_561_758_000),
                ("humidity", "46.5", 1_665_561_758_000),
                ("contact", "1", 1_665_561_758_000),
            ],
            id="em300-mcs, vendor: remembered",
        ),
        pytest.param(
            "milesight_em300_th",
            "01755C0367B60004685B",
            [("battery", "92"), ("temperature", "18.2"), ("humidity", "45.5")],
            id="em300-th, vendor",
        ),
        pytest.param(
            "milesight_em300_th",
            "20CE9E74466310015D00",
            [("temperature", "27.2", 1_665_561_758_000), ("humidity", "46.5", 1_665_561_758_000)],
            id="em300-th, vendor: remembered",
        ),
        pytest.param(
            "milesight_ts201", "8367340101", [("temperature", "30.8")], id="ts201, vendor: threshold"
        ),
        pytest.param(
            "milesight_ts201", "93673401640002", [("temperature", "30.8")], id="ts201, vendor: jump"
        ),
        pytest.param("milesight_ts201", "B36700", [("temperature", FAULT)], id="ts201, could not be read"),
        pytest.param(
            "milesight_ts201", "B36701", [("temperature", Reason.OVER_RANGE)], id="ts201, out of range"
        ),
        pytest.param(
            "milesight_ts201",
            "20CE9E744663103401" + "20CE9E744663010E01",
            [("temperature", FAULT, 1_665_561_758_000), ("temperature", "27.0", 1_665_561_758_000)],
            id="ts201, remembered: what could not be read stays so",
        ),
        pytest.param(
            "milesight_ts201",
            "0367340105" + "0000",
            [("temperature", "30.8"), STOP],
            id="milesight: an unknown part stops the reading, and what came before counts",
        ),
        pytest.param(
            "milesight_em500_pt100",
            "93D7E0F8640002",
            [STOP],
            id="another model's part: its length is unknown",
        ),
        pytest.param("milesight_ts101", "0367", [STOP], id="milesight, cut"),
        pytest.param("milesight_ts101", "03", [STOP], id="milesight, cut in the head"),
        pytest.param(
            "milesight_em300_th",
            "FF0101FF166123456789012345FF090100FF0A0111FF0F00FFFF0100",
            [],
            id="milesight: what it says of itself when it joins",
        ),
        pytest.param(
            "milesight_em300_th", "0468C9", [("humidity", FAULT)], id="more than 100 % is no humidity"
        ),
        pytest.param(
            "milesight_ts101", "20CE0000000007" + "01", [BAD_TIME], id="milesight, a clock never set"
        ),
        # Elsys, Cayenne LPP
        pytest.param(
            "elsys",
            "0100E202290400270506060308",
            [("temperature", "22.6"), ("humidity", "41"), ("co2", "776")],
            id="elsys, vendor: ERS CO2",
        ),
        pytest.param(
            "elsys",
            "0CF8300D01070E18",
            [("probe_1", "-200.0"), ("digital_1", "1"), ("battery", "3608")],
            id="elsys, a probe outside and a contact",
        ),
        pytest.param("elsys", "14000F6950", [("pressure", "1010.000")], id="elsys, pressure"),
        pytest.param("elsys", "0100E2FE00", [("temperature", "22.6"), STOP], id="elsys, an unknown type"),
        pytest.param(
            "elsys",
            "190010190020",
            [("probe_2", "1.6"), STOP],
            id="elsys, several probes under one type: which is which stands nowhere",
        ),
        pytest.param(
            "cayenne_lpp",
            "03670110056700FF",
            [("temperature_3", "27.2"), ("temperature_5", "25.5")],
            id="lpp, vendor of the network: example",
        ),
        pytest.param(
            "cayenne_lpp",
            "0767011001000101680F",
            [("digital_1", "1"), ("humidity_1", "7.5")],
            id="lpp, others' channels",
        ),
        pytest.param(
            "cayenne_lpp", "036701100399", [("temperature_3", "27.2"), STOP], id="lpp, an unknown type"
        ),
    ],
)
def test_vectors(model: str, data: str, says: list[tuple[object, ...]]) -> None:
    """Each payload is read as exactly this."""
    assert read(model, data) == says


@pytest.mark.parametrize("model", ["dragino_ltc2", "dragino_lht65n"])
def test_dragino_says_other_things_on_other_ports(model: str) -> None:
    """Port 5 is about the device itself, 2 is what it measures; another one is not read as if it were."""
    data = "0E55010862086760E43CC6"
    assert read(model, data, 5) == []
    assert read(model, data, 3) == [STOP]
    assert read(model, data, None) == [STOP]


def test_every_quantity_has_a_unit_of_ours_or_none() -> None:
    """Where there is none, the configuration asks the site what a 1 means."""
    for each in CODECS.values():
        assert {unit for unit in each.units.values() if unit} <= KNOWN_UNITS
    assert LPP.units["digital_1"] == ""


def test_cold_ones_reach_liquid_nitrogen() -> None:
    """The two for which this was built state no end above it; the HT form does."""
    assert "channel_1" not in CODECS["dragino_ltc2"].reach
    assert float(CODECS["milesight_em500_pt100"].reach["temperature"].low) < -195.8
    assert float(CODECS["dragino_ltc2_ht"].reach["channel_1"].low) > -195.8


def _near(examples: list[str]) -> st.SearchStrategy[bytes]:
    pieces = st.sampled_from([bytes.fromhex(each) for each in examples])
    return st.lists(pieces | st.binary(max_size=3), max_size=5).map(b"".join)


PAYLOADS = st.binary(max_size=60) | _near(
    [
        "0E5501B8C0800160E43CC6",
        "CBF60B0D0376010ADD7FFF",
        "0367E0F8",
        "20CE9E744663E0F8",
        "0100E2",
        "03670110",
        "B36700",
    ]
)


@given(st.sampled_from([*CODECS.values(), LPP]), PAYLOADS, st.sampled_from([None, 0, 2, 5, 85]))
def test_any_payload(each: Codec, data: bytes, port: int | None) -> None:
    """No payload raises; each value is a plain number of a known quantity, and none below absolute zero."""
    said = each.read(Uplink(data, port, T))
    for one in said:
        assert isinstance(one, Said)
        if isinstance(one.value, Reason):
            continue
        number = exact(one.value)
        assert number is not None
        assert one.name in each.units
        if each.units[one.name] == "degC":
            assert number >= -273.15
