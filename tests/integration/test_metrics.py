"""What Prometheus reads: each number against the view it was made of, all of it by Prometheus' own tool."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs
from prometheus_client.parser import text_string_to_metric_families

from coldchain.config.load import load
from coldchain.daemon.errors import DaemonError
from coldchain.daemon.page_room import page_settings
from coldchain.model import Priority, Quality
from coldchain.units import QUANTITIES
from coldchain.web.metrics import UNITS, exposition
from coldchain.web.settings import PageSettings
from coldchain.web.station import Role
from coldchain.web.users import Users, make_user
from coldchain.web.views import HoldView, Judgement, Pulse, SinkView, SourceView
from coldchain.web.workings import Workings
from tests.integration.gateways import Printer, Site, running, until
from tests.servers import find
from tests.unit.web.client import Client
from tests.unit.web.room import Room

pytestmark = pytest.mark.servers
RULES = Path(__file__).parents[2] / "config" / "prometheus" / "coldchain.rules.yml"

Found = dict[tuple[str, tuple[tuple[str, str], ...]], float]


def read(text: bytes) -> Found:
    """Every sample by name and labels, as Prometheus' own client reads it."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def shown(room: Room) -> Found:
    return read(exposition(room.state(), room.pulse(), room.workings()))


def one(found: Found, name: str, **labels: str) -> float:
    """The only sample of that name whose labels hold these."""
    hits = [value for (n, has), value in found.items() if n == name and set(labels.items()) <= set(has)]
    assert len(hits) == 1, (name, labels, hits)
    return hits[0]


def promtool(*arguments: str, folder: Path, given: bytes = b"") -> str:
    program = find("promtool")
    done = subprocess.run(
        [program.path, *arguments],
        check=False,
        cwd=folder,
        env=program.environment(),
        input=given,
        capture_output=True,
        timeout=120,
    )
    said = (done.stdout + done.stderr).decode()
    assert done.returncode == 0, said
    return said


def test_every_quantity_has_a_name_with_its_unit() -> None:
    """A new quantity without one would be left out in silence."""
    assert set(UNITS) == set(QUANTITIES)


@pytest.mark.parametrize(
    ("quantity", "quanta", "name", "value"),
    [
        ("temperature", -150_000, "coldchain_temperature_celsius", -150.0),
        ("mass", 152_345, "coldchain_mass_kilograms", 15.2345),
        ("level", 3_500, "coldchain_level_meters", 0.35),
        ("fraction", 2_095, "coldchain_fraction_ratio", 0.2095),
        ("pressure", 101_325, "coldchain_pressure_pascals", 101_325),
        ("concentration", 400, "coldchain_concentration_ratio", 0.0004),
        ("contact", 10, "coldchain_contact_open", 1),
    ],
)
def test_values_come_in_base_units(quantity: str, quanta: int, name: str, value: float) -> None:
    """Nobody has to know our quanta: an independent conversion of each."""
    room = Room()
    asset = room.view.assets[0]
    channel = structs.replace(asset.channels[0], quantity=quantity, value=quanta)
    room.show(structs.replace(room.view, assets=(structs.replace(asset, channels=(channel,)),)))
    assert one(shown(room), name, channel=channel.id) == pytest.approx(value, rel=1e-12)


def test_what_is_bad_has_no_value() -> None:
    """Nothing is drawn where nothing is known; the quality says why."""
    room = Room()
    asset = room.view.assets[0]
    bad = structs.replace(asset.channels[0], value=None, quality=Quality.BAD, judgement=Judgement.NOT_KNOWN)
    room.show(structs.replace(room.view, assets=(structs.replace(asset, channels=(bad,)),)))
    found = shown(room)
    assert not [name for name, _ in found if name == "coldchain_temperature_celsius"]
    assert one(found, "coldchain_channel_quality", channel=bad.id) == 0
    assert one(found, "coldchain_channel_known", channel=bad.id) == 0


def test_ages_are_of_journal_time() -> None:
    """A wall clock that leaps changes none of them."""
    room = Room()
    view = room.state()
    heard = view.assets[0].channels[0].heard_at_journal_ms
    assert heard is not None
    pulse = Pulse(heard + 90_500, 0, False, heard + 60_500, 3_000)
    found = read(exposition(view, pulse, Workings()))
    assert one(found, "coldchain_channel_age_seconds", channel=view.assets[0].channels[0].id) == 90.5
    assert one(found, "coldchain_beat_age_seconds") == 30.0
    assert one(found, "coldchain_clock_known") == 0


def test_alarms_sinks_sources_and_ourselves() -> None:
    """Each priority has a count, also when it is none: an alert on it can never be without data."""
    room = Room()
    room.put_alarm(room.critical())
    gateway = structs.replace(
        room.view.gateway,
        journal_ok=False,
        sources=(SourceView("bus", "mve_tec3000", False),),
        sinks=(SinkView("night", False, 3),),
    )
    room.show(structs.replace(room.view, gateway=gateway))
    found = shown(room)
    counts = {p: one(found, "coldchain_alarms_unacknowledged", priority=p.value) for p in Priority}
    assert counts.pop(Priority.CRITICAL) == 1
    assert set(counts.values()) == {0}
    assert one(found, "coldchain_alarm_state", alarm=room.critical().id) == 1
    assert one(found, "coldchain_source_up", source="bus", driver="mve_tec3000") == 0
    assert one(found, "coldchain_sink_up", sink="night") == 0
    assert one(found, "coldchain_sink_waiting", sink="night") == 3
    assert one(found, "coldchain_journal_ok") == 0
    assert one(found, "coldchain_commits_total") == 500
    assert one(found, "coldchain_journal_wal_bytes") == 1_024_000
    assert one(found, "coldchain_disk_free_bytes") == 8e9
    assert one(found, "coldchain_clock_error_seconds") == 0.25
    assert one(found, "process_resident_memory_bytes") > 1e6


def test_the_nitrogen_that_is_left() -> None:
    """An interval that shrinks from when it was reckoned, against what is needed."""
    room = Room()
    view = room.state()
    hold = HoldView(7_200_000, 10_800_000, 9_000_000, room.pulse().journal_ms)
    asset = structs.replace(view.assets[0], hold=hold)
    pulse = structs.replace(room.pulse(), journal_ms=hold.reckoned_at_journal_ms + 3_600_000)
    found = read(exposition(structs.replace(view, assets=(asset,)), pulse, Workings()))
    assert one(found, "coldchain_hold_left_seconds", asset=asset.id, bound="low") == 3_600
    assert one(found, "coldchain_hold_left_seconds", asset=asset.id, bound="high") == 7_200
    assert one(found, "coldchain_hold_needed_seconds", asset=asset.id) == 5_400


def test_the_reserve_is_needed_to_the_end() -> None:
    """It does not shrink with the way; without an arrival it is all that is needed; no end is no number."""
    room = Room()
    view = room.state()
    at_ms = room.pulse().journal_ms
    pulse = structs.replace(room.pulse(), journal_ms=at_ms + 3_600_000)

    def told(hold: HoldView) -> Found:
        assets = (structs.replace(view.assets[0], hold=hold),)
        return read(exposition(structs.replace(view, assets=assets), pulse, Workings()))

    asset = view.assets[0].id
    found = told(HoldView(36_000_000, None, 7_200_000, at_ms, reserve_ms=10_800_000))
    assert one(found, "coldchain_hold_needed_seconds", asset=asset) == 3_600 + 10_800
    assert one(found, "coldchain_hold_left_seconds", asset=asset, bound="low") == 32_400
    assert [dict(labels)["bound"] for name, labels in found if name == "coldchain_hold_left_seconds"] == [
        "low"
    ]
    found = told(HoldView(36_000_000, 40_000_000, None, at_ms, reserve_ms=10_800_000))
    assert one(found, "coldchain_hold_needed_seconds", asset=asset) == 10_800
    found = told(HoldView(None, None, None, None, reserve_ms=10_800_000, why="too_few_readings"))
    assert "coldchain_hold_needed_seconds" not in {name for name, _ in found}


def test_promtool_finds_nothing_to_say(tmp_path: Path) -> None:
    """Names, units and help are as the field expects them, by Prometheus' own linter."""
    room = Room()
    room.put_alarm(room.critical())
    text = exposition(room.state(), room.pulse(), room.workings())
    assert promtool("check", "metrics", folder=tmp_path, given=text) == ""


def test_the_rules_are_rules(tmp_path: Path) -> None:
    """promtool reads the file that ships, and every name in it is one that we send."""
    assert "SUCCESS" in promtool("check", "rules", str(RULES), folder=tmp_path)
    room = Room()
    room.put_alarm(room.critical())
    sent = {name for name, _ in shown(room)} | {"coldchain_sink_up", "coldchain_sink_waiting"}
    used = set(re.findall(r"\bcoldchain_\w+", RULES.read_text(encoding="utf-8")))
    assert used <= sent


#: For each rule: what is seen, minute by minute, and the minute from which somebody is called.
STORIES: dict[str, tuple[dict[str, str], int]] = {
    "ColdchainGatewaySilent": ({'up{job="coldchain", instance="g"}': "1 1 0x20"}, 4),
    "ColdchainStuck": ({'coldchain_beat_age_seconds{instance="g"}': "5 5 70+60x20"}, 3),
    "ColdchainJournalNotWritable": ({'coldchain_journal_ok{instance="g"}': "1 1 0x20"}, 2),
    "ColdchainCriticalUnacknowledged": (
        {'coldchain_alarms_unacknowledged{instance="g", priority="critical"}': "0 0 1x30"}, 17,
    ),
    "ColdchainNothingKnown": (
        {'coldchain_channel_known{instance="g", asset="box-7", role="air"}': "1 1 0x30"}, 17,
    ),
    "ColdchainSinkDown": ({'coldchain_sink_up{instance="g", sink="night"}': "1 1 0x30"}, 12),
    "ColdchainDiskFilling": (
        {
            'coldchain_disk_free_bytes{instance="g"}': "20 11 9x30",
            'coldchain_disk_bytes{instance="g"}': "100x40",
        },
        12,
    ),
    "ColdchainLogNotCopied": (
        {'coldchain_journal_wal_bytes{instance="g"}': "4194304 67108864 67108865x30"}, 12,
    ),
    "ColdchainBehind": (
        {
            'coldchain_queue_facts{instance="g"}': "0 50 51x30",
            'coldchain_queue_capacity_facts{instance="g"}': "100x40",
        },
        7,
    ),
    "ColdchainClockNotCorrected": ({'coldchain_clock_error_seconds{instance="g"}': "1 10 10.1x30"}, 12),
    "ColdchainClockNotKnown": ({'coldchain_clock_known{instance="g"}': "1 1 0x30"}, 12),
}  # fmt: skip


#: What looks bad and is not a rule's own: it never calls.
CALM: dict[str, dict[str, str]] = {
    "ColdchainClockNotCorrected": {'coldchain_clock_error_seconds{instance="g"}': "16x40"},
}


def test_each_rule_calls_when_it_must_and_not_before(tmp_path: Path) -> None:
    """A story for each alert, judged by promtool: quiet the minute before, firing at its minute."""
    named = re.findall(r"- alert: (\w+)", RULES.read_text(encoding="utf-8"))
    assert sorted(named) == sorted(STORIES)

    def alert(name: str, minute: int, fires: bool) -> dict[str, Any]:
        # Labels and words are compared as a whole; only whether it fires is asked here, so each test has
        # one alert and the query of ALERTS tells its state.
        query = f'count(ALERTS{{alertname="{name}", alertstate="firing"}})'
        samples = [{"labels": "{}", "value": 1}] if fires else []
        return {"expr": query, "eval_time": f"{minute}m", "exp_samples": samples}

    tests = [
        {
            "name": name,
            "interval": "1m",
            "input_series": [{"series": each, "values": values} for each, values in series.items()],
            "promql_expr_test": [alert(name, minute - 1, False), alert(name, minute, True)],
        }
        for name, (series, minute) in STORIES.items()
    ]
    tests += [
        {
            "name": f"{name}: calm",
            "interval": "1m",
            "input_series": [{"series": each, "values": values} for each, values in series.items()],
            "promql_expr_test": [alert(name, 40, False)],
        }
        for name, series in CALM.items()
    ]
    suite = {"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": tests}
    (tmp_path / "tests.yml").write_text(json.dumps(suite))  # JSON is YAML
    assert "SUCCESS" in promtool("test", "rules", "tests.yml", folder=tmp_path)


def test_a_real_gateway_is_read_with_a_token(tmp_path: Path) -> None:
    """Over HTTP: what we are; once there are users, a program needs the token and no other."""
    with Printer(tmp_path / "one") as printer:
        site = Site(tmp_path).profile().ascii("one", printer.port)
        users = Users(tmp_path / "users.json")
        settings = PageSettings(port=0, users_file=users.path, metrics_token="s3cret")
        with running(site, page=settings) as daemon:
            assert daemon.page is not None
            client = Client(daemon.page)
            assert client.get("/metrics").status == 200, "nobody is known: this machine may read"
            users.add(make_user("wang", Role.OPERATOR, "correct horse battery", cost=2**4))
            until(lambda: client.get("/metrics").status == 401, "the users count")
            assert "metrics_token_file" in client.get("/metrics").data["message"]
            assert client.get("/metrics", authorization="Bearer s3cre").status == 401

            def now() -> Found:
                answer = client.get("/metrics", authorization="Bearer s3cret")
                assert answer.status == 200
                assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
                return read(answer.body)

            printer.say(-180.0, time.time_ns() // 1_000_000)
            name = "coldchain_temperature_celsius"
            until(lambda: any(found == name for found, _ in now()), "the value is there")
            found = now()
            assert one(found, name, asset="box-one", role="vapour") == -180.0
            assert one(found, "coldchain_source_up", source="one") == 1
            assert one(found, "coldchain_journal_ok") == 1
            assert one(found, "coldchain_commits_total") > 0
            size = sum(each.stat().st_size for each in tmp_path.glob("journal.db*") if "shm" not in each.name)
            assert 0 < one(found, "coldchain_journal_bytes") <= size
            assert 0 < one(found, "coldchain_journal_wal_bytes") < one(found, "coldchain_journal_bytes")
            assert one(found, "coldchain_disk_free_bytes") < one(found, "coldchain_disk_bytes")


def test_the_token_is_a_secret_of_the_configuration(tmp_path: Path) -> None:
    """It is read from a file; one that is not there is said with its mend, before anything starts."""
    site = Site(tmp_path).profile()
    site.part("page", '[page]\nmetrics_token_file = "token"\n').write()
    with pytest.raises(DaemonError, match="the token for /metrics"):
        page_settings(load(site.config))
    (tmp_path / "token").write_text("s3cret\n")
    settings = page_settings(load(site.config))
    assert settings is not None
    assert settings.metrics_token == "s3cret"
