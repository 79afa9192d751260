"""What a right configuration means: the plan, the texts that an activation keeps, what is doubtful."""

from __future__ import annotations

import hashlib
import json
import re
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

import coldchain.config as configuration
from coldchain.config import ConfigError, load
from coldchain.config.credentials import SecretUnavailable, read_secret
from coldchain.config.endpoints import WebhookSink
from coldchain.config.schema import gateway_schema, profile_schema
from coldchain.config.settings import ChannelSettings
from coldchain.config.sources import installed_drivers
from coldchain.facts import Activated, decode, encode
from coldchain.model import Priority, Side
from coldchain.plan import (
    AssetPlan,
    Budget,
    CalibrationPoint,
    ChannelPlan,
    Cited,
    Fires,
    Limit,
    SourcePlan,
)
from coldchain.units import QUANTITIES
from tests.unit.config.small_site import (
    CONFIG,
    DRIVERS,
    PROFILE,
    SirenSettings,
    changed,
    problems,
    warnings,
    write,
)


def test_the_plan(tmp_path: Path) -> None:
    """Each table becomes what the fold needs of it, in integers, and nothing else."""
    plan = configuration.compile(load(write(tmp_path), drivers=DRIVERS))
    assert plan.site == "Cell bank"
    assert plan.sources == (
        SourcePlan(id="freezer", driver="probe", round_ms=10_000, link="ttyUSB0"),
        SourcePlan(id="shipper", driver="tracker", round_ms=600_000, sends_time=True, link="local"),
    )
    assert plan.channels[0] == ChannelPlan(
        id="dewar-2.vapour",
        source="freezer",
        quantity="temperature",
        asset="dewar-2",
        role="vapour",
        interval_ms=10_000,
        fresh_within_ms=120_000,
        max_gap_ms=30_000,
        valid_low=-200_000,
        valid_high=60_000,
        probe="vapour",
    )
    assert [channel.max_gap_ms for channel in plan.channels] == [30_000, 180_000, 180_000]
    assert plan.assets == (
        AssetPlan(id="dewar-2", kind="dewar", profile="frozen", stage="storage"),
        AssetPlan(
            id="shipper-7",
            kind="dry_shipper",
            profile="frozen",
            stage="transport",
            empty_mass=53_000,
            qualified_hold_ms=7 * 86_400_000,
        ),
    )


def test_the_plan_s_profile(tmp_path: Path) -> None:
    """A rule stands in the stages it names, or in all; its source says where hold and allowance come from."""
    path = write(tmp_path)
    (profile,) = configuration.compile(load(path, drivers=DRIVERS)).profiles
    assert (profile.id, profile.version, profile.approved) == ("frozen", "3", False)
    assert profile.sha256 == hashlib.sha256((tmp_path / "limits" / "frozen.toml").read_bytes()).hexdigest()
    storage, transport = profile.stages
    assert (storage.name, storage.title) == ("storage", "In storage")
    limit = Limit(
        id="too-warm",
        role="vapour",
        side=Side.ABOVE,
        limit=-150_000,
        hold_ms=600_000,
        priority=Priority.CRITICAL,
        cited=Cited(source="label; hold: judgement", confidence="high"),
        fires=Fires.AT_DUE,
        re_alarm_ms=900_000,
        advice="Move it.",
    )
    budget = Budget(
        id="time-too-warm",
        role="vapour",
        side=Side.ABOVE,
        limit=-150_000,
        allowance_ms=0,
        priority=Priority.LOW,
        cited=Cited(source="label; allowance 0 min: the label allows none", confidence="high"),
        fires=Fires.ON_READING,
        advice="Quarantine.",
    )
    assert storage.rules == (limit,)
    assert transport.rules == (limit, budget)


def test_how_long_an_alarm_may_be_shelved(tmp_path: Path) -> None:
    """What the site states by priority; what it leaves out is one shift, never without end."""
    path = write(tmp_path, config=CONFIG + '[alarms.shelve_max]\ncritical = "30 min"\n')
    most_ms = configuration.compile(load(path, drivers=DRIVERS)).shelf_max_ms
    shift_ms = 8 * 3_600_000
    assert most_ms == {
        Priority.CRITICAL: 1_800_000,
        Priority.HIGH: shift_ms,
        Priority.LOW: shift_ms,
        Priority.TO_KNOW: shift_ms,
    }


def test_a_site_s_figure_stands_with_its_source(tmp_path: Path) -> None:
    """The number that the site puts in is judged by, and cited with who approved it."""
    figure = """
[profiles.figures.frozen.allowance]
value = "30 min"
source = "stability study 12, page 4"
approved_by = "A. Meier, QA"
"""
    plan = configuration.compile(load(write(tmp_path, CONFIG + figure), drivers=DRIVERS))
    budget = plan.profiles[0].stages[1].rules[1]
    assert isinstance(budget, Budget)
    assert budget.allowance_ms == 1_800_000
    assert budget.cited.source == (
        "label; allowance 30 min: stability study 12, page 4, approved by A. Meier, QA"
    )


def test_a_site_s_figure_that_is_wrong_is_said_where_it_stands(tmp_path: Path) -> None:
    """The profile is not at fault for a number that the site wrote."""
    text = CONFIG + (
        "\n[profiles.figures.frozen.allowance]\nvalue = '30'\nsource = 'study'\napproved_by = 'A. Meier'\n"
    )
    line = text.split("\n").index("value = '30'") + 1
    assert problems(write(tmp_path, text)) == [
        f'gateway.toml:{line}: profiles.figures.frozen.allowance.value: "30" has no unit; write "30 s"'
    ]


def test_calibration_and_units_reach_the_plan(tmp_path: Path) -> None:
    """Corrections in quanta, and the site's word for a unit that the device does not send."""
    text = changed(CONFIG, 'poll = "10 s"', 'poll = "10 s"\nsettings = { unit = "" }')
    text = changed(text, 'key = "temp_a"', 'key = "temp_a"\nunit = "K"')
    text += """
[channels."dewar-2.vapour".calibration]
certificate = "2026-0114"
due = 2027-01-31
uncertainty = "0.4 K"
points = [{ at = "-196 °C", correction = "0.3 °C" }, { at = "-150 °C", correction = "-0.2 K" }]
"""
    loaded = load(write(tmp_path, text), drivers=DRIVERS)
    channel = configuration.compile(loaded).channels[0]
    assert channel.unit == "K"
    assert channel.calibration == (CalibrationPoint(-196_000, 300), CalibrationPoint(-150_000, -200))
    calibration = loaded.settings.channels["dewar-2.vapour"].calibration
    assert calibration is not None
    assert (calibration.due.isoformat(), calibration.uncertainty.quanta) == ("2027-01-31", 400)


def test_a_unit_said_in_other_words_is_no_contradiction(tmp_path: Path) -> None:
    """The device says degC, the site °C: both mean the same."""
    text = changed(CONFIG, 'key = "temp_a"', 'key = "temp_a"\nunit = "°C"')
    assert problems(write(tmp_path, text)) == []


def test_a_unit_that_comes_with_each_value_is_not_asked_for(tmp_path: Path) -> None:
    """A balance says g or kg each time: the site needs no word for it, and one of its own would mislead."""
    text = changed(CONFIG, 'poll = "10 s"', 'poll = "10 s"\nsettings = { unit = "as sent" }')
    assert problems(write(tmp_path, text)) == []
    text = changed(text, 'key = "temp_a"', 'key = "temp_a"\nunit = "K"')
    (said,) = problems(write(tmp_path, text))
    assert said.endswith('unit: "temp_a" comes with its own unit each time; leave out unit')


def test_what_an_activation_keeps(tmp_path: Path) -> None:
    """Every text that judges is there, letter for letter, under its hash; the plan survives the journal."""
    path = write(tmp_path, CONFIG.replace("\n", "\r\n"))
    loaded = load(path, drivers=DRIVERS)
    assert set(loaded.documents) == set(loaded.hashes) == {"gateway.toml", "profiles/frozen.toml"}
    assert loaded.documents["gateway.toml"].encode() == path.read_bytes()
    for name, text in loaded.documents.items():
        assert loaded.hashes[name] == hashlib.sha256(text.encode()).hexdigest()
    fact = Activated(plan=configuration.compile(loaded), documents=dict(loaded.hashes))
    assert decode(encode(fact)) == fact


def test_lines_hold_with_any_line_end(tmp_path: Path) -> None:
    """A file from another system has the same line numbers."""
    text = changed(CONFIG, 'poll = "10 s"', 'poll = "10"')
    assert problems(write(tmp_path, text)) == problems(write(tmp_path, text.replace("\n", "\r\n")))


def test_the_same_text_is_the_same_plan(tmp_path: Path) -> None:
    """Loading depends on nothing but the files: not on the time, not on the folder."""
    plans = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        plans.append(configuration.compile(load(write(folder), drivers=DRIVERS)))
    assert plans[0] == plans[1]


def test_a_relative_path_starts_at_the_file(tmp_path: Path) -> None:
    """Wherever the daemon is started."""
    loaded = load(write(tmp_path), drivers=DRIVERS)
    assert loaded.resolve(loaded.settings.journal.path) == tmp_path / "journal.db"
    assert loaded.resolve("/var/lib/x") == Path("/var/lib/x")


def test_every_table_may_be_used_in_full(tmp_path: Path) -> None:
    """Optional tables, as the documentation shows them, are right together."""
    text = (
        CONFIG
        + """
[page]
host = "0.0.0.0"
users_file = "users"
behind_proxy = true
names = ["coldchain.example.org"]
proxies = ["10.0.0.1"]

[clock]
trust = "site"

[brokers.far]
host = "broker.example.org"
client_id = "gateway-1"
protocol = "3.1.1"
tls = true
ca_file = "ca.crt"
certificate_file = "client.crt"
key_file = "client.key"
user = "gateway"
password_env = "FAR_PASSWORD"
inflight = 20
clean_session = true
session_expiry = "14 d"

[sinks.series]
kind = "influx"
url = "https://series.example.org"
org = "site"
bucket = "coldchain"
token_file = "$CREDENTIALS_DIRECTORY/series"
doubt = "5 min"

[sinks.on-call]
kind = "webhook"
url = "https://example.org/hook"
secret_file = "hook-secret"
heartbeat = "5 min"
max_age = "24 h"
priorities = ["critical", "high"]
unrecorded = true
"""
    )
    settings = load(write(tmp_path, text), drivers=DRIVERS).settings
    assert settings.brokers["far"].port_number == 8883
    assert settings.brokers["local"].port_number == 1883
    hook = settings.sinks["on-call"]
    assert isinstance(hook, WebhookSink)
    assert hook.priorities == (Priority.CRITICAL, Priority.HIGH)
    assert (hook.heartbeat, hook.unrecorded) == (300_000, True)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            'interval = "1 min"\nfresh_within = "10 min"',
            'interval = "5 min"\nfresh_within = "10 min"',
            'gateway.toml:54: channels."shipper-7.vapour": readings 5 min apart are few for 10 min, the hold '
            'of frozen (too-warm); state in the profile that it fires "at_due" or "on_reading" (now: at_due)',
            id="readings too far apart for a hold",
        ),
        pytest.param(
            "[sinks.state]",
            '[assets.box]\nkind = "passive_box"\n[sinks.state]',
            "gateway.toml:78: assets.box: no channel measures it; "
            "add a channel with this asset, or remove the asset\n"
            "gateway.toml:78: assets.box: no limit judges it outside of a consignment; write profile",
            id="an asset that nobody watches",
        ),
        pytest.param(
            'topic = "shipper/7"',
            'topic = "shipper/7"\nsends_time = false',
            "gateway.toml:25: sources.shipper.broker: the source sends neither time nor number, so all that "
            "the broker kept would count as measured on reconnecting; "
            "use a broker with clean_session = true, or a device that sends its time",
            id="a backlog that cannot be told from the present",
        ),
    ],
)
def test_what_is_doubtful_is_said(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A warning refuses nothing and stands at its line."""
    assert warnings(write(tmp_path, changed(CONFIG, old, new))) == message.split("\n")


def test_a_stated_choice_is_not_doubted(tmp_path: Path) -> None:
    """Where the profile says how a hold fires, few readings are the author's choice."""
    text = changed(
        CONFIG, 'interval = "1 min"\nfresh_within = "10 min"', 'interval = "5 min"\nfresh_within = "10 min"'
    )
    profile = changed(PROFILE, 'hold = "10 min"', 'hold = "10 min"\nfires = "at_due"')
    assert warnings(write(tmp_path, text, profile)) == []


def test_a_stage_measured_in_part_is_doubted(tmp_path: Path) -> None:
    """A stage that an asset is not in may be for others, unless it has a part of what is judged there."""
    profile = PROFILE + re.sub(r"(?s)^.*\[rules.time-too-warm\]", "[rules.room]", PROFILE).replace(
        'role = "vapour"', 'role = "air"'
    )
    text = changed(CONFIG, 'profile = "frozen"\nstage = "transport"', 'profile = "frozen"\nstage = "storage"')
    assert warnings(write(tmp_path, text, profile)) == [
        f"gateway.toml:{line}: assets.{asset}.profile: frozen judges air in stage transport, and no channel "
        f"of this asset has that role; roles here: {roles}; add a channel, choose another profile, or write "
        f'logged = ["air"] if loggers\' files tell it after a trip'
        for line, asset, roles in ((32, "dewar-2", "vapour"), (40, "shipper-7", "mass, vapour"))
    ]


NEED = """
[needs.vapour]
role = "vapour"
probe = ["liquid"]
interval = "30 s"
uncertainty = "0.5 °C"
source = "SP-3"
confidence = "high"
"""


def test_a_profile_says_what_it_must_be_measured_with(tmp_path: Path) -> None:
    """Each thing that a channel does not do so is a doubt at its line."""
    calibrated = changed(
        CONFIG,
        "[sinks.state]",
        '[channels."shipper-7.vapour".calibration]\ncertificate = "1"\ndue = 2027-01-31\n'
        'uncertainty = "0.6 °C"\n\n[sinks.state]',
    )
    found = [warning.split(": ", 1) for warning in warnings(write(tmp_path, calibrated, PROFILE + NEED))]
    assert [what for _, what in found] == [
        f"channels.{channel}, and frozen needs it so (SP-3); {mend}"
        for channel, mend in (
            ('"dewar-2.vapour".calibration: is missing', "calibrate the probe to 0.5 °C or better"),
            ('"dewar-2.vapour".probe: is vapour', "use a probe that is liquid"),
            ('"shipper-7.vapour".probe: is vapour', "use a probe that is liquid"),
            ('"shipper-7.vapour".interval: is 1 min, more than 30 s', "sample it more often"),
            (
                '"shipper-7.vapour".calibration: is uncertain by 0.6 °C, more than 0.5 °C',
                "use a better probe",
            ),
        )
    ]
    lines = calibrated.split("\n")
    assert [lines[int(where.split(":")[1]) - 1] for where, _ in found] == [
        '[channels."dewar-2.vapour"]',
        'probe = "vapour"',
        'probe = "vapour"',
        'interval = "1 min"',
        '[channels."shipper-7.vapour".calibration]',
    ]


def test_what_a_profile_builds_on_is_part_of_the_configuration(tmp_path: Path) -> None:
    """Its text is kept and its hash stated, or nobody could say later what was in force."""
    path = write(
        tmp_path,
        changed(CONFIG, 'profile = "frozen"\nstage = "storage"', 'profile = "ours"\nstage = "storage"'),
    )
    ours = (
        'id = "ours"\nversion = "1"\nstatus = "unapproved"\ntitle = "Ours"\n'
        'extends = "frozen"\nextends_version = "3"\n'
    )
    (tmp_path / "limits" / "ours.toml").write_text(ours, encoding="utf-8")
    figure = '[profiles.figures.ours.allowance]\nvalue = "5 min"\nsource = "study"\napproved_by = "B"\n'
    path.write_text(path.read_text(encoding="utf-8") + figure, encoding="utf-8")
    loaded = load(path, drivers=DRIVERS)
    assert loaded.documents["profiles/ours.toml"] == ours
    assert loaded.documents["profiles/frozen.toml"] == PROFILE
    assert set(loaded.hashes) == {"gateway.toml", "profiles/frozen.toml", "profiles/ours.toml"}
    (tmp_path / "limits" / "ours.toml").write_text(ours.replace('"frozen"', '"frosen"'), encoding="utf-8")
    assert problems(path) == [
        'limits/ours.toml:5: extends: there is no profile "frosen"; did you mean "frozen"?'
    ]


def test_every_quantity_can_be_configured() -> None:
    """A quantity that is added to the units can be named by a channel."""
    schema = ChannelSettings.model_json_schema()
    assert schema["properties"]["quantity"]["enum"] == list(QUANTITIES)


def refs(node: object) -> set[str]:
    """Every `$ref` in a schema."""
    if isinstance(node, dict):
        found = {node["$ref"]} if "$ref" in node else set()
        return found.union(*(refs(value) for value in node.values()))
    return set().union(*(refs(value) for value in node)) if isinstance(node, list) else set()


def test_the_schema_holds_together() -> None:
    """Each reference leads somewhere, each driver's settings are in it, defaults are texts with units."""
    drivers = installed_drivers()
    schema = gateway_schema(drivers)
    for ref in refs(schema):
        assert ref.removeprefix("#/$defs/") in schema["$defs"], ref
    assert set(drivers) <= set(schema["$defs"])
    assert set(schema["required"]) == {"site", "journal"}
    assert schema["$defs"]["SourceSettings"]["properties"]["clock_tolerance"]["default"] == "1 min"
    assert json.loads(json.dumps(schema)) == schema
    profile = profile_schema()
    for ref in refs(profile):
        assert ref.removeprefix("#/$defs/") in profile["$defs"], ref


def test_secrets_are_read_where_they_are_used(tmp_path: Path) -> None:
    """From a file, from what systemd hands over, from the environment; else with a reason not at all."""
    (tmp_path / "secret").write_text("geheim\n", encoding="utf-8")
    (tmp_path / "empty").write_text("\n", encoding="utf-8")
    handed = {"CREDENTIALS_DIRECTORY": str(tmp_path), "TOKEN": "aus der Umgebung"}
    assert read_secret("secret", "", base=tmp_path, environ={}) == "geheim"
    assert read_secret(str(tmp_path / "secret"), "", base=Path("/"), environ={}) == "geheim"
    assert read_secret("$CREDENTIALS_DIRECTORY/secret", "", base=Path("/"), environ=handed) == "geheim"
    assert read_secret("", "TOKEN", base=tmp_path, environ=handed) == "aus der Umgebung"
    assert read_secret("", "", base=tmp_path, environ=handed) is None
    for file, variable in (
        ("none", ""),
        ("empty", ""),
        ("$CREDENTIALS_DIRECTORY/secret", ""),
        ("", "NOTHING"),
    ):
        with pytest.raises(SecretUnavailable, match="; "):
            read_secret(file, variable, base=tmp_path, environ={})


def entry(name: str, value: str, group: str) -> EntryPoint:
    """What another distribution publishes."""
    return EntryPoint(name, value, group)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(
            "tests.unit.config.nowhere:DRIVER",
            'gateway.toml:19: sources.freezer.driver: driver "probe" cannot be loaded: '
            "No module named 'tests.unit.config.nowhere'; install it again, with what it needs",
            id="a module that is gone",
        ),
        pytest.param(
            "tests.unit.config.small_site:CONFIG",
            'gateway.toml:19: sources.freezer.driver: "probe" is no driver; '
            "ask whoever made it: it must publish a driver object",
            id="something else under its name",
        ),
    ],
)
def test_a_driver_that_is_broken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, message: str
) -> None:
    """Somebody else's broken distribution is said at the source that wants it, and breaks nothing else."""
    published = [
        entry("probe", value, "coldchain.drivers"),
        entry("tracker", "tests.unit.config.small_site:TRACKER", "coldchain.drivers"),
        entry("unused", "tests.unit.config.nowhere:X", "coldchain.drivers"),
    ]
    monkeypatch.setattr("coldchain.config.sources.entry_points", lambda group: published)
    with pytest.raises(ConfigError) as caught:
        load(write(tmp_path))
    assert [str(problem) for problem in caught.value.problems] == [message]


def test_a_sink_of_somebody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sink is found by its entry point and checked by its own table."""
    published = [entry("siren", "tests.unit.config.small_site:SIREN", "coldchain.sinks")]
    monkeypatch.setattr("coldchain.config.draft.entry_points", lambda group: published)
    text = CONFIG + '\n[sinks.hall]\nkind = "siren"\npin = 17\n'
    siren: object = load(write(tmp_path, text), drivers=DRIVERS).settings.sinks["hall"]
    assert isinstance(siren, SirenSettings)
    assert siren.pin == 17
    wrong = problems(write(tmp_path, text.replace("pin", "pni")))
    assert [problem.split(": ", 1)[1] for problem in wrong] == [
        "sinks.hall.pin: is missing; write pin",
        "sinks.hall.pni: unknown key; did you mean pin?",
    ]


@pytest.mark.parametrize(
    ("second", "says"),
    [
        pytest.param('{ address = 2, baud = 9600, frame = "8N1"', "", id="each its address"),
        pytest.param(
            '{ address = 1, baud = 9600, frame = "8N1"', 'both ask "001 TEMPA?"', id="one address twice"
        ),
        pytest.param('{ address = 2, baud = 4800, frame = "8N1"', "talks at 9600 8N1", id="another speed"),
    ],
)
def test_freezers_on_one_bus(tmp_path: Path, second: str, says: str) -> None:
    """Several controllers share an RS-485 line if each has its address and all talk at one speed."""
    tail = ', displayed_unit = "degC", queries = [{ key = "temp_a", query = "TEMPA?" }] }'
    sources = ""
    for name, settings in (("a", '{ address = 1, baud = 9600, frame = "8N1"'), ("b", second)):
        sources += f"""
[sources.{name}]
driver = "mve_tec3000"
port = "/dev/ttyUSB0"
poll = "30 s"
settings = {settings}{tail}
"""
    path = tmp_path / "gateway.toml"
    path.write_text(f'[site]\nname = "bus"\n[journal]\npath = "j.db"\n{sources}', encoding="utf-8")
    if not says:
        assert set(load(path).sources) == {"a", "b"}
        return
    with pytest.raises(ConfigError, match=re.escape(says)):
        load(path)
