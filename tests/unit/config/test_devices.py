"""Data files of devices: what is wrong is said with file, line, place and mend, and their text is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from coldchain.config import ConfigError, load
from coldchain.config.devices import device_files

HEAD = """\
[site]
name = "Test"

[journal]
path = "journal.db"

[sources.fridge]
driver = "modbus"
port = "{port}"
poll = "10 s"

[sources.fridge.settings]
"""
TAIL = """
[channels."fridge.product"]
source = "fridge"
key = "{key}"
asset = "fridge"
role = "product"
quantity = "temperature"
probe = "{probe}"
fresh_within = "2 min"
valid_low = "{low}"
valid_high = "60 °C"

[assets.fridge]
kind = "{kind}"
{more}
"""

GAUGE = """\
title = "A gauge of the site's own"
maturity = "second_hand"

[sources.label]
title = "the label on the gauge"
confidence = "seen"

[line]
transports = ["rtu"]
source = "label"
baud = { value = 9600, source = "label" }
frame = { value = "8N1", source = "label" }
unit_id = { value = 7, source = "label" }

[registers]
address_base = 0
source = "label"

[points.temperature]
title = "Temperature"
function = 3
address = 16
type = "int16"
scale = "0.1"
unit = "degC"
source = "label"
"""


#: More of them, to break.
SENTINEL = 'source = "label"\n[[sentinels]]\nreason = "sensor_open"\nsource = "label"\n'
RANGE = 'source = "label"\nrange = {{ {}, why = "it ends there", source = "label" }}\n'


def site(
    folder: Path,
    settings: str,
    *,
    port: str = "/dev/ttyUSB0",
    key: str = "temperature",
    kind: str = "refrigerator",
    probe: str = "buffered",
    low: str = "-40 °C",
    more: str = "",
) -> Path:
    """A configuration with these settings of a Modbus source."""
    path = folder / "gateway.toml"
    tail = TAIL.format(key=key, kind=kind, probe=probe, low=low, more=more)
    path.write_text(HEAD.format(port=port) + settings + tail, encoding="utf-8")
    return path


def said(path: Path) -> list[str]:
    """Everything that is wrong."""
    with pytest.raises(ConfigError) as error:
        load(path)
    return [str(problem) for problem in error.value.problems]


OWN = 'device = "devices/gauge.toml"\nread = ["temperature"]\n'


def with_gauge(folder: Path, text: str = GAUGE) -> Path:
    """A configuration whose device is a file of the site's own."""
    (folder / "devices").mkdir()
    (folder / "devices" / "gauge.toml").write_text(text, encoding="utf-8")
    return site(folder, OWN)


def test_a_file_of_the_site(tmp_path: Path) -> None:
    """It is found beside the configuration; what it says is in force, and its text goes into the journal."""
    loaded = load(with_gauge(tmp_path))
    source = loaded.sources["fridge"]
    assert source.keys == {"temperature": "degC"}
    assert source.line is not None
    assert (source.line.baud, source.line.frame) == (9600, "8N1")
    assert loaded.documents["devices/gauge.toml"] == GAUGE
    assert [doubt.place for doubt in loaded.warnings] == ["sinks", "assets.fridge"]  # no sink, no limit


def test_a_shipped_file(tmp_path: Path) -> None:
    """It is named without a path, and its text is kept like that of the site's own."""
    loaded = load(site(tmp_path, 'device = "xy_md02"\nread = ["temperature"]\n'))
    assert "XY-MD02" in loaded.documents["devices/xy_md02.toml"]
    assert set(loaded.hashes) == {"gateway.toml", "devices/xy_md02.toml"}


def test_a_file_of_the_same_name_as_a_shipped_one(tmp_path: Path) -> None:
    """Both texts are kept, for both were in force."""
    (tmp_path / "devices").mkdir()
    (tmp_path / "devices" / "xy_md02.toml").write_text(GAUGE, encoding="utf-8")
    own = 'device = "devices/xy_md02.toml"\nread = ["temperature"]\n'
    text = (
        site(tmp_path, own).read_text(encoding="utf-8")
        + """
[sources.other]
driver = "modbus"
port = "/dev/ttyUSB1"
poll = "10 s"
[sources.other.settings]
device = "xy_md02"
read = ["temperature"]
"""
    )
    (tmp_path / "gateway.toml").write_text(text, encoding="utf-8")
    texts = load(tmp_path / "gateway.toml").documents
    assert len(texts) == 3
    assert GAUGE in texts.values()
    assert any("XY-MD02" in text for text in texts.values())


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        pytest.param(
            "function = 3",
            "function = 6",
            "21: points.temperature.function: 6 is not known here; write 1, 2, 3 or 4",
            id="a write",
        ),
        pytest.param(
            'type = "int16"',
            'type = "int61"',
            '23: points.temperature.type: "int61" is not known',
            id="a type",
        ),
        pytest.param(
            'scale = "0.1"',
            "scale = 0.1",
            '24: points.temperature.scale: 0.1 is no text; write "0.1"',
            id="a float",
        ),
        pytest.param(
            'scale = "0.1"',
            'scale = "tenths"',
            '24: points.temperature.scale: "tenths" is no plain number',
            id="a word",
        ),
        pytest.param(
            'scale = "0.1"', 'scale = "0"', "24: points.temperature.scale: a scale of nothing", id="nothing"
        ),
        pytest.param(
            'unit = "degC"',
            'unit = "grad"',
            '25: points.temperature.unit: "grad" is refused: no unit "grad"',
            id="a unit",
        ),
        pytest.param(
            'unit = "degC"\n',
            "",
            "19: points.temperature: has not either unit or several units",
            id="no unit",
        ),
        pytest.param(
            'unit = "degC"\nsource = "label"',
            'unit = "degC"\nsource = "lable"',
            '26: points.temperature.source: there is no source "lable"; write [sources.lable], or one of',
            id="a source that is not there",
        ),
        pytest.param(
            'confidence = "seen"',
            'confidence = "sure"',
            '6: sources.label.confidence: "sure" is not known',
            id="sure",
        ),
        pytest.param(
            "address_base = 0", "address_base = 2", "16: registers.address_base: 2 is", id="counts from 2"
        ),
        pytest.param(
            "address_base = 0\nsource",
            'address_base = 0\nword_order = "middle"\nsource',
            '17: registers.word_order: "middle" is not known',
            id="a third order of words",
        ),
        pytest.param(
            "address = 16", "adress = 16", "22: points.temperature.adress: unknown key", id="misspelt"
        ),
        pytest.param(
            "address = 16",
            "address = 70000",
            "22: points.temperature.address: 70000 is too large",
            id="too large",
        ),
        pytest.param(
            "type = ", "step = 0\ntype = ", "23: points.temperature.step: 0 is too small", id="a step of 0"
        ),
        pytest.param(
            "type = ",
            'repeat = 4\nstep = 1\ntype = "int32"\n#',
            "19: points.temperature: stands upon its neighbour in the row; write step = 2 or more",
            id="a row of wide ones too narrow",
        ),
        pytest.param(
            "function = 3",
            "function = 2",
            "19: points.temperature: function 2 does not read int16",
            id="a discrete input is no integer",
        ),
        pytest.param(
            'source = "label"\n',
            SENTINEL + "raw = 1\nat_or_above = 2\n",
            "sentinels[0]: not exactly one of raw, at_or_above, at_or_below",
            id="a sentinel of two forms",
        ),
        pytest.param(
            'source = "label"\n',
            SENTINEL.replace("sensor_open", "broken") + "raw = 1\n",
            'sentinels[0].reason: "broken" is refused: "broken" is no reason that a driver may give',
            id="a reason that there is not",
        ),
        pytest.param(
            'source = "label"\n',
            RANGE.format('low = "5", high = "5", unit = "degC"'),
            "27: points.temperature.range: low 5 is not below high 5",
            id="a range of nothing",
        ),
        pytest.param(
            'source = "label"\n',
            RANGE.format('low = "5", high = "9", unit = "kg"'),
            "19: points.temperature: degC, kg do not measure the same",
            id="a range of something else",
        ),
        pytest.param(
            'source = "label"\n',
            SENTINEL + 'raw = 1\npoints = ["t"]\n',
            'sentinels[0].points[0]: "t" is no point; points here: temperature',
            id="a sentinel of no point",
        ),
        pytest.param("[points.temperature]", "[points.temperature", "19: ", id="no TOML"),
    ],
)
def test_what_is_wrong_in_a_file(tmp_path: Path, old: str, new: str, says: str) -> None:
    """It is said where it stands in that file, not in the configuration that names it."""
    place, _, tail = GAUGE.rpartition(old)
    found = said(with_gauge(tmp_path, place + new + tail))
    assert all(problem.startswith("devices/gauge.toml:") for problem in found)
    assert any(says in problem.removeprefix("devices/gauge.toml:") for problem in found), found


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        pytest.param(
            'device = "comet"\nread = ["temperature"]\n',
            '13: sources.fridge.settings.device: no device "comet" is known; did you mean "comet_t"?',
            id="misspelt",
        ),
        pytest.param(
            'device = "devices/none.toml"\nread = ["temperature"]\n',
            "devices/none.toml:1: cannot be read: No such file or directory",
            id="a file that is not there",
        ),
        pytest.param(
            'device = 7\nread = ["temperature"]\n',
            "gateway.toml:13: sources.fridge.settings.device: 7 is no",
            id="7",
        ),
        pytest.param(
            'read = ["temperature"]\n',
            "sources.fridge.settings.device: is missing; write device: a device",
            id="none",
        ),
        pytest.param(
            'device = "xy_md02"\n', "settings.read: is missing; write read: which of its points", id="read"
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["temperatur"]\n',
            'gateway.toml:14: sources.fridge.settings.read[0]: "temperatur" is no point of XY-MD02',
            id="a point that there is not",
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["temperature", "temperature"]\n',
            '14: sources.fridge.settings.read[1]: "temperature" stands here twice',
            id="a point twice",
        ),
        pytest.param(
            'device = "comet_t"\nread = ["temperature"]\n',
            "settings.unit: is missing; write unit: what the device is set to, one of degC, degF; its",
            id="a unit that nobody knows",
        ),
        pytest.param(
            'device = "comet_t"\nread = ["temperature"]\nunit = "K"\n',
            '15: sources.fridge.settings.unit: "temperature" is never in "K"; write one of degC, degF',
            id="a unit that it never has",
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["temperature"]\nunit = "degC"\n',
            "15: sources.fridge.settings.unit: each value that is read has a unit of its own; leave out unit",
            id="a unit that is known",
        ),
        pytest.param(
            'device = "pta8e16"\nread = ["channel_1"]\n',
            "settings.unit_id: is missing; write unit_id: the address that the device is set to",
            id="an address that nobody knows",
        ),
        pytest.param(
            'device = "pta8e16"\nread = ["channel_1"]\nunit_id = 0\n',
            "15: sources.fridge.settings.unit_id: 0 speaks to all devices, and none answers",
            id="everybody's address",
        ),
        pytest.param(
            'device = "mb8art"\nread = ["channel_1"]\n',
            'settings.choices: is missing; write choices: resolution, one of "0.1", "0.01" (resolution',
            id="a resolution that nobody stated",
        ),
        pytest.param(
            'device = "mb8art"\nread = ["channel_1"]\nchoices = { resolution = "0.5" }\n',
            '15: sources.fridge.settings.choices.resolution: "0.5" is not known here; write one of "0.1",',
            id="a resolution that there is not",
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["temperature"]\nchoices = { resolution = "0.1" }\n',
            "15: sources.fridge.settings.choices.resolution: nothing that is read depends on it",
            id="a choice that there is not",
        ),
        pytest.param(
            'device = "vaisala_hmt330"\nread = ["temperature"]\nunit_id = 1\nbaud = 19200\nframe = "8N2"\n',
            "settings.transport: is missing; write transport: how the device is reached, one of rtu, tcp",
            id="two ways to reach it",
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["temperature"]\ntransport = "tcp"\n',
            "15: sources.fridge.settings.transport: XY-MD02, XY-MD01 temperature and humidity transmitter "
            '(SHT20, SHT40) does not speak "tcp"; write one of rtu',
            id="a way that it does not know",
        ),
        pytest.param(
            'device = "thermo_ult"\nread = ["thermocouple_2"]\nunit_id = 1\n',
            "sources.fridge.baud: is missing: modbus does not know it; write baud = 9600, or what the device",
            id="a speed that nobody knows",
        ),
        pytest.param(
            'device = "comet_p"\nread = ["channel_1"]\nunit = "degC"\n',
            "settings.serial: is missing; write serial: the number on the label of the device",
            id="a serial number that shows how registers are counted",
        ),
        pytest.param(
            'device = "comet_p"\nread = ["channel_1"]\nunit = "degC"\nserial = "11960456"\n',
            'sources.fridge.port: modbus is told to speak over the network, and "/dev/ttyUSB0" is a device',
            id="a network device at a serial port",
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["temperature"]\nserial = "1"\n',
            "15: sources.fridge.settings.serial: this device's serial number cannot be read; leave out",
            id="a serial number that cannot be read",
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["temperature"]\nwithout_checks = ["status"]\n',
            '15: sources.fridge.settings.without_checks[0]: "status" is no check of it; checks of it: none',
            id="a check that there is not",
        ),
        pytest.param(
            'device = "xy_md02"\nread = ["x"]\n[sources.fridge.settings.points.x]\n'
            'function = 6\naddress = 1\ntype = "int16"\nunit = "degC"\n',
            "16: sources.fridge.settings.points.x.function: 6 is",
            id="a point of the site that would write",
        ),
        pytest.param(
            'device = "comet_t"\nread = ["x"]\n[sources.fridge.settings.points.x]\n'
            'function = 3\naddress = 0\ntype = "int16"\nunit = "degC"\n',
            "17: sources.fridge.settings.points.x.address: stands before the first register",
            id="a point before the first",
        ),
    ],
)
def test_what_is_wrong_in_the_settings(tmp_path: Path, settings: str, says: str) -> None:
    """What no data file can know is asked for, and the error says why and where."""
    found = said(site(tmp_path, settings))
    assert any(says in problem for problem in found), found


BUS = """
[sources.{name}]
driver = "modbus"
port = "{port}"
poll = "10 s"
[sources.{name}.settings]
device = "{device}"
read = ["{key}"]
{more}
"""


def bus(folder: Path, *sources: tuple[str, str], port: str = "/dev/ttyUSB0") -> Path:
    """Sources on one line: device and further settings of each."""
    text = '[site]\nname = "Test"\n[journal]\npath = "journal.db"\n'
    for number, (device, more) in enumerate(sources):
        key = "channel_1" if device in ("mb8art", "cwt_8pt1000", "comet_p") else "temperature"
        text += BUS.format(name=f"s{number}", port=port, device=device, key=key, more=more)
    path = folder / "gateway.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_devices_may_share_a_line(tmp_path: Path) -> None:
    """Each with an address of its own, all with the same speed."""
    sources = [("xy_md02", ""), ("xy_md02", "unit_id = 2"), ("cwt_8pt1000", "unit_id = 3")]
    assert len(load(bus(tmp_path, *sources)).sources) == 3


@pytest.mark.parametrize(
    ("sources", "says"),
    [
        pytest.param(
            [("xy_md02", ""), ("cwt_8pt1000", "unit_id = 2"), ("xy_md02", "unit_id = 1")],
            'sources.s2.port: "/dev/ttyUSB0" belongs to sources.s0, and both ask 01 04 00 01 00 01 60 0a; '
            "give each device an address of its own",
            id="one address twice",
        ),
        pytest.param(
            [("xy_md02", ""), ("vaisala_hmp", "")],
            "which talks at 9600 8N1; give both the same baud and frame",
            id="two speeds",
        ),
    ],
)
def test_devices_that_cannot_share_a_line(tmp_path: Path, sources: list[tuple[str, str]], says: str) -> None:
    """Why not, and what to do."""
    assert any(says in problem for problem in said(bus(tmp_path, *sources)))


def test_a_network_device_shares_no_line_with_others(tmp_path: Path) -> None:
    """Modbus TCP and a converter's serial line are two things."""
    sources = [("comet_p", 'unit = "degC"\nserial = "1"'), ("xy_md02", "unit_id = 2")]
    found = said(bus(tmp_path, *sources, port="socket://192.0.2.7:502"))
    assert any("only one of the two speaks Modbus TCP" in problem for problem in found)


def test_a_module_that_ends_at_180_is_refused_where_nitrogen_is_watched(tmp_path: Path) -> None:
    """A shorted probe reads its floor, −180 °C: in a dry shipper that is perfect, or never a value."""
    path = site(
        tmp_path,
        'device = "cwt_8pt1000"\nread = ["channel_1"]\n',
        key="channel_1",
        kind="dry_shipper",
        probe="vapour",
        low="-200 °C",
        more='profile = "dry-shipper-150"',
    )
    text = path.read_text(encoding="utf-8").replace('role = "product"', 'role = "vapour"')
    path.write_text(text, encoding="utf-8")
    found = said(path)
    assert any(
        "the module ends at −180 °C, where a shorted probe reads the same" in problem
        and "use a device that can" in problem
        for problem in found
    ), found
    path.write_text(
        text.replace('device = "cwt_8pt1000"', 'device = "mb8art"\nchoices = { resolution = "0.1" }'),
        encoding="utf-8",
    )
    assert load(path).sources["fridge"].keys == {"channel_1": "degC"}


def test_the_shipped_files() -> None:
    """All that the issue of devices asks for is there."""
    assert set(device_files()) >= {
        "comet_t",
        "comet_p",
        "mb8art",
        "cwt_8pt1000",
        "pta8e16",
        "xy_md02",
        "vaisala_hmp",
        "vaisala_hmt330",
        "vaisala_hmdw110",
        "thermo_ult",
        "dixell_xr",
        "novus_fieldlogger",
    }
