"""Layouts of loggers' tables: each sample is read by its own layout alone, and no doubt is settled by one."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest

from coldchain.config.problems import ConfigError
from coldchain.importers import LoggerFile, ReadAs, Refused, layouts, read
from coldchain.importers.text import decode, lines
from coldchain.model import Reason
from tests import data

SAMPLES = Path(data.__file__).parent / "loggers"
#: What people must say of each sample, and what is then read: unit, and the temperatures of each series.
SAYS: dict[str, tuple[dict[str, Any], str, str, list[list[str]]]] = {
    "elitech-log.txt": ({}, "EF7216103439", "degC", [["4.2", "4.4", "4.1", "not_connected", "9.6", "4.0"]]),
    "elitech-datareader.txt": ({"unit": "degF"}, "", "degF", [["4.2", "-4.4", "4.1", "9.6"]]),
    "logtag-usb.csv": ({}, "D0C500100160", "degC", [["4.2", "4.4", "8.1", "4.0"]]),
    "logtag-analyzer.csv": ({"unit": "degC"}, "", "degC", [["4.2", "4.4", "8.1", "4.0", "4.1"]]),
    "sensitech.csv": ({}, "3820000123", "degF", [["39.6", "39.9", "46.6", "39.2"]]),
    "mve-tec3000.csv": (
        {}, "CAB2120001", "degC",
        [["-189.2", "-189.0", "-188.7", "-189.4"], ["-185.0", "-184.8", "-140.1", "-185.2"]],
    ),
}  # fmt: skip


def sample(name: str) -> bytes:
    """A sample's bytes."""
    return (SAMPLES / name).read_bytes()


def parse(content: bytes | str, **told: Any) -> LoggerFile:
    """A file as read, its clock in UTC unless told otherwise."""
    content = content if isinstance(content, bytes) else content.encode()
    return read("trip", content, ReadAs(**{"zone": UTC, **told}))


def temperatures(file: LoggerFile) -> list[list[str]]:
    """The values of each series, or why there is none."""
    return [[value.raw or str(value.bad) for value in series.values] for series in file.series]


def test_every_layout_has_a_sample() -> None:
    """A layout that nothing exercises would not be noticed when it breaks."""
    assert {Path(name).stem for name in SAYS} == set(layouts.shipped())
    assert {path.name for path in SAMPLES.iterdir()} == {*SAYS, "README.md"}


@pytest.mark.parametrize("name", SAYS)
def test_a_sample_is_read_by_its_own_layout(name: str) -> None:
    """Kind, serial number, unit and temperatures come out, no other layout fits, nothing else is unread."""
    told, serial, unit, values = SAYS[name]
    text, _ = decode(sample(name))
    assert [key for key, each in layouts.shipped().items() if each.fits(lines(text))] == [Path(name).stem]
    file = parse(sample(name), **told)
    layout = layouts.shipped()[Path(name).stem]
    assert (file.kind, file.serial) == (layout.title, serial)
    assert {series.unit for series in file.series} == {unit}
    assert temperatures(file) == values
    assert file.doubts == ()
    assert not [one for one in file.unread if not one.known]
    assert f"recognised as {layout.title} ({layout.how_sure})" in file.notes


@pytest.mark.parametrize("name", SAYS)
def test_no_layout_knows_the_zone(name: str) -> None:
    """Every one of them writes local times: the zone is asked, with the logger's name where there is one."""
    told, serial, _, _ = SAYS[name]
    with pytest.raises(Refused) as refused:
        parse(sample(name), zone=None, **told)
    assert refused.value.asks_zone
    assert refused.value.device == serial


def test_a_zone_in_the_file_is_shown_and_not_trusted() -> None:
    """How a logger was set up is no proof of how its clock was set."""
    with pytest.raises(Refused, match=re.escape("'Timezone : UTC +02:00' is how it was set up, no proof")):
        parse(sample("elitech-log.txt"), zone=None)


@pytest.mark.parametrize("name", [name for name, says in SAYS.items() if says[0]])
def test_a_unit_that_no_line_tells_is_asked(name: str) -> None:
    """A logger may be set to °F, so none is assumed."""
    with pytest.raises(Refused, match="states no unit; say it: --unit"):
        parse(sample(name))


def test_dates_that_leave_the_order_open_are_asked() -> None:
    """The custom of a program to write the month first settles nothing."""
    text = sample("logtag-analyzer.csv").decode().replace("05/12", "05/06").replace("05/13", "05/07")
    short = "\n".join(text.splitlines()[:3])
    with pytest.raises(Refused, match="day first or month first"):
        parse(short, unit="degC")
    read_so = parse(short, unit="degC", dates="DMY").series[0].values[0].at_ms
    assert read_so != parse(short, unit="degC", dates="MDY").series[0].values[0].at_ms


def test_the_heading_of_elitech_stands_one_field_off() -> None:
    """Its °C stands above the humidity: taken at its word, the file would pass 50 % as 50 °C."""
    values = parse(sample("elitech-log.txt")).series[0].values
    assert values[0].raw == "4.2"
    text = sample("elitech-log.txt").decode("latin-1").replace("S/N", "Number")
    with pytest.raises(Refused, match=r"no name for column 3.*wrong columns; name .* --column 3"):
        parse(text)
    assert temperatures(parse(text, columns=("3",), unit="degC"))[0][0] == "4.2"


def test_a_place_that_holds_nothing_is_not_named() -> None:
    """Another version may put its fields where its heading says; then the heading is right."""
    text = re.sub(
        r"(?m)^(\d+\t[^\t]+)\t(\S+)\t(\S+)\t", r"\1\t\t\2\t\3", sample("elitech-log.txt").decode("latin-1")
    )
    assert temperatures(parse(text))[0][:2] == ["4.2", "4.4"]


@pytest.mark.parametrize(
    ("name", "drop"),
    [("elitech-log.txt", "\r\n"), ("elitech-datareader.txt", "\n")],
    ids=["log", "datareader"],
)
def test_a_file_with_fewer_lines_than_it_promises_is_in_doubt(name: str, drop: str) -> None:
    """The number of readings stands in the file: one that was cut between two lines is noticed."""
    text = sample(name).decode("latin-1").removesuffix(drop).rpartition(drop)[0] + drop
    (doubt,) = parse(text, **SAYS[name][0]).doubts
    assert re.search(r"it holds \d readings .* and has \d lines", doubt)


def test_the_loggers_own_alarms_are_kept_in_its_words() -> None:
    """What is a known alarm line becomes an alarm; one without words does not, others are repeated."""
    (alarm,) = parse(sample("elitech-log.txt")).alarms
    assert (alarm.rule, alarm.text) == (
        "first alarm, temperature", "First Alarm(Temperature) : 2026-05-01 10:10:00",
    )  # fmt: skip
    assert "it says: Alert status,Alert" in parse(sample("logtag-usb.csv")).notes
    assert parse(sample("logtag-usb.csv")).alarms == ()


def test_a_probe_that_is_not_connected_is_bad() -> None:
    """`NC` is no number and no reading."""
    (_, _, _, missing, *_) = parse(sample("elitech-log.txt")).series[0].values
    assert (missing.raw, missing.bad) == ("", Reason.NOT_CONNECTED)


def test_a_heading_with_the_unit_is_kept(tmp_path: Path) -> None:
    """Where a heading names the temperature with its unit, that counts, and one told otherwise is refused."""
    text = sample("logtag-usb.csv").decode().replace("Time,Reading", "Time,Temperature (°F)")
    text = text.replace("Non alert range,2.0  to  8.0 °C\n", "")
    assert parse(text).series[0].unit == "degF"
    with pytest.raises(Refused, match="leave out --unit"):
        parse(text, unit="degC")


def test_decimal_commas_between_commas_are_not_taken_for_fields() -> None:
    """ "4,2" would be 4 and 2: such an export is refused."""
    text = re.sub(r"(\d)\.(\d)", r"\1,\2", sample("logtag-analyzer.csv").decode())
    with pytest.raises(Refused, match=r"no headings|decimal"):
        parse(text, unit="degC")


_OWN = 'title = "Ours"\nhow_sure = "simulated only"\nsources = ["ourselves"]\nunknown = "nothing"\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param(_OWN + "recognise = ['(']\n", r"own.toml:5: recognise", id="no regular expression"),
        pytest.param(
            _OWN + "recognise = ['x']\nserial = 'S/N'\n", r"own.toml:6: serial.*group", id="no group"
        ),
        pytest.param(_OWN + "recognise = []\n", r"own.toml:5: recognise", id="recognises anything"),
        pytest.param(_OWN + "recognise = ['x']\nfeilds = ['a']\n", r"own.toml:6: feilds", id="misspelt"),
        pytest.param(
            _OWN.replace("simulated only", "sure") + "recognise = ['x']\n", "own.toml:2: how_sure", id="sure"
        ),
    ],
)
def test_a_layout_of_the_sites_own_says_what_is_wrong(tmp_path: Path, text: str, says: str) -> None:
    """File, line and field, as for a configuration."""
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=says):
        layouts.layout_named(str(path))


def test_a_layout_of_the_sites_own_reads_its_file(tmp_path: Path) -> None:
    """Fields by place, unit and serial number by its lines."""
    path = tmp_path / "own.toml"
    path.write_text(
        _OWN + "recognise = ['x']\nfields = ['', 'Temperature']\nunit = 'in (K)'\nserial = 'no (.+)'\n"
    )
    text = "box no 7, in K\n2026-05-01T09:30Z;77.3;5\n2026-05-01T09:40Z;77.4;5\n"
    file = parse(text, layout=layouts.layout_named(str(path)))
    assert (file.kind, file.serial, file.series[0].unit) == ("Ours", "7, in K", "K")
    assert temperatures(file) == [["77.3", "77.4"]]


def test_the_example_of_the_manual_is_a_layout(tmp_path: Path) -> None:
    """What docs/import.md shows for a logger of one's own can be read as it stands."""
    manual = (Path(data.__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```toml\n(title = .*?)```", manual, re.DOTALL)
    path = tmp_path / "example.toml"
    path.write_text(example, encoding="utf-8")
    file = parse("Our logger\nSerial: A-7\nUnit: °F\nReadings: 1\n2026-05-01T09:30Z;40.1\n",
                 layout=layouts.layout_named(str(path)))  # fmt: skip
    assert (file.serial, file.series[0].unit, file.doubts) == ("A-7", "degF", ())


def test_the_manual_tells_how_sure_each_layout_is() -> None:
    """Its table names every layout, and those made from nothing but their names are called so."""
    manual = (Path(data.__file__).parents[2] / "docs" / "import.md").read_text(encoding="utf-8")
    for name, layout in layouts.shipped().items():
        (row,) = [line for line in manual.splitlines() if line.startswith(f"| `{name}` |")]
        assert ("made up" in row) is (layout.how_sure == "simulated only")
        assert ("second-hand" in row) is (layout.how_sure == "from second-hand description")
