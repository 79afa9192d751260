"""What people type at a gateway: the same with a daemon and without one, and always in plain words."""

from __future__ import annotations

import json
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from coldchain.cli.main import main
from coldchain.daemon.control import local_actor, socket_path
from coldchain.daemon.daemon import Daemon
from coldchain.facts import (
    Acknowledged,
    Bound,
    ConsignmentEnded,
    ConsignmentStarted,
    EtaSet,
    ExcursionReopened,
    ExcursionResolved,
    Fact,
    LatchReset,
    Shelved,
    StageEntered,
    Unbound,
    Unshelved,
    WorkBegan,
    WorkEnded,
)
from coldchain.journal import Reader
from coldchain.removed import NamesErased
from tests.integration.gateways import Printer, Site, assert_equal, read, running, standing, until

pytestmark = pytest.mark.slow

HOT, OVER = "box-hot/vapour/above", "box-over/vapour/above"


@dataclass
class Gateway:
    """A site where box-hot is too warm, box-over was, and box-calm never. `daemon` None: nothing runs."""

    site: Site
    daemon: Daemon | None

    def type(self, *words: str) -> Result:
        """Type a command; what it said on standard output and standard error."""
        command = [*words, "--config", str(self.site.config)]
        return CliRunner().invoke(main, command, prog_name="coldchain", catch_exceptions=False)

    def says(self, *words: str) -> Any:
        """A command's JSON."""
        done = self.type(*words, "--format", "json")
        return json.loads(done.stdout)


_SERVICE = """
[alarms]
out_of_service_max = "1 h"

[works.move]
longest = "10 min"
done_when = { role = "vapour", moves = "rises", by = "20 °C", within = "1 h" }
advice = "Close the lid."
source = "made up for a test"
confidence = "low"
"""


@pytest.fixture(scope="module", params=["with a daemon", "without"])
def gateway(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """Such a site. The socket's path is longer than a socket's address may be."""
    folder = tmp_path_factory.mktemp("a-folder-whose-name-alone-is-quite-long-" + "x" * 60)
    with ExitStack() as ends:
        printers = {name: ends.enter_context(Printer(folder / name)) for name in ("hot", "over", "calm")}
        site = Site(folder).profile(hold="1 s").part("service", _SERVICE)
        for name, printer in printers.items():
            site.ascii(name, printer.port)
        life = ends.enter_context(ExitStack())
        daemon = life.enter_context(running(site))

        def say(name: str, celsius: float) -> None:
            printers[name].say(celsius, time.time_ns() // 1_000_000)

        until(lambda: all(source.up for source in daemon.station.state().gateway.sources), "the ports")
        for name, celsius in (("calm", -180.0), ("hot", -140.0), ("over", -140.0)):
            say(name, celsius)
        until(lambda: {HOT, OVER} <= set(standing(daemon)), "the alarms")
        say("over", -180.0)
        until(lambda: not active(daemon, OVER), "the return to normal")
        without = request.param == "without"
        if without:
            life.close()
        yield Gateway(site, None if without else daemon)


def active(daemon: Daemon, alarm: str) -> bool:
    """Whether an alarm's condition lasts."""
    return next(each.active for each in daemon.station.state().alarms if each.id == alarm)


# --- Looking ----------------------------------------------------------------------------------------------


def test_status_for_people_and_for_machines(gateway: Gateway) -> None:
    """Every vessel with its value, judgement, stage and profile; the stamps; and whether anybody watches."""
    said = gateway.type("status")
    assert said.exit_code == 0
    for word in ("SIMULATED", "UNAPPROVED", "box-hot", "−140.0 °C", "outside", "inside", "transport", HOT):
        assert word in said.stdout, word
    assert ("nothing is watched" in said.stderr) is (gateway.daemon is None)
    state = gateway.says("status")
    assert state["daemon_runs"] is (gateway.daemon is not None)
    assert {asset["id"] for asset in state["assets"]} == {"box-hot", "box-over", "box-calm"}
    assert state["simulated"] is True


def test_alarms_for_people_and_for_machines(gateway: Gateway) -> None:
    """The alarms that stand, with what is open in each."""
    said = gateway.type("alarms")
    assert said.exit_code == 0
    assert HOT in said.stdout
    assert "critical" in said.stdout
    found = {alarm["id"]: alarm for alarm in gateway.says("alarms")}
    assert {HOT, OVER} <= found.keys()
    assert found[HOT]["active"] is True
    assert found[OVER]["active"] is False


# --- Doing ------------------------------------------------------------------------------------------------

#: What is typed, what comes of it (0 done, 1 refused), and what is said.
STORY: list[tuple[list[str], int, str]] = [
    (["ack", "box-hot/vapour/below", "-m", "x"], 1, "stands; `coldchain alarms` lists those"),
    (["reset", OVER, "-m", "x"], 1, "acknowledge it first"),
    (["ack", HOT, "-n", "99", "-m", "x"], 1, "it has no such occurrence"),
    (["ack", HOT, "-m", "refilling now"], 0, "acknowledged box-hot/vapour/above (journal position "),
    (["ack", HOT, "-m", "again"], 1, "is acknowledged already"),
    (["ack", HOT, "-n", "1", "-m", "x"], 1, "there is nothing to acknowledge"),
    (["reset", HOT, "-m", "x"], 1, "its condition lasts"),
    (["close", HOT, "-m", "x"], 1, "readings still decide about it"),
    (["shelve", HOT, "--for", "9h", "-m", "weekend"], 1, "shelved for 8 h at most; choose an earlier end"),
    (["shelve", HOT, "--for", "8h", "-m", "cleaning"], 0, "shelved box-hot/vapour/above until 2"),
    (["shelve", HOT, "--for", "30 min", "-m", "loading"], 0, "shelved box-hot/vapour/above until 2"),
    (["unshelve", HOT, "-m", "loaded"], 0, "un-shelved"),
    (["unshelve", HOT], 1, "it is not shelved"),
    (["unshelve", "nothing"], 1, "there is no such alarm; `coldchain alarms` lists"),
    (["ack", OVER, "-n", "1", "-m", "seen"], 0, "acknowledged"),
    (["reset", OVER, "-m", "inspected by QA"], 0, "reset box-over/vapour/above"),
    (["work", "out-of-service", "box-calm/vapour", "--for", "2h", "-m", "x"], 1, "choose an earlier end"),
    (["work", "out-of-service", "box-calm/air", "--for", "2h", "-m", "x"], 1, "write asset/role as"),
    (["work", "out-of-service", "box-calm/vapour", "--for", "30min", "-m", "new"], 0, "out of service until"),
    (["work", "in-service", "box-calm/vapour", "-m", "in place"], 0, "box-calm/vapour in service again"),
    (["work", "in-service", "box-calm/vapour"], 1, "no such work is under way"),
    (["work", "begin", "box-calm", "thaw", "--for", "1min", "-m", "x"], 1, "kinds of work stand in"),
    (["work", "begin", "box-calm", "move", "--for", "1d", "-m", "x"], 1, "may last; choose an earlier end"),
    (["work", "begin", "box-calm", "move", "--for", "5min", "-m", "lid open"], 0, "move at box-calm until 2"),
    (["work", "end", "box-calm", "move"], 0, "ended: move at box-calm"),
    (["work", "end", "box-calm", "move"], 1, "readings must show that it was done"),
    (["consignment", "start", "C-1", "--asset", "box-calm", "--profile", "no-such"], 1, "[profiles] use"),
    (["consignment", "start", "C-1", "--asset", "box-9", "--profile", "test"], 1, "shows the assets"),
    (["consignment", "start", "C-1", "--asset", "box-calm", "--profile", "test"], 1, "has no stage"),
    (
        ["consignment", "start", "C-1", "--asset", "box-calm", "--profile", "test", "--stage", "transport",
         "--unit", "U-1", "--unit", "U-2"], 0, "started C-1 in box-calm",
    ),
    (
        ["consignment", "start", "C-2", "--asset", "box-calm", "--profile", "test", "--stage", "transport"],
        1, "carries consignment C-1; end the other one first",
    ),
    (["consignment", "eta", "C-1", "2100-11-24T18:00+08:00"], 0, "expected 2100-11-24 10:00:00 UTC"),
    (["consignment", "stage", "C-1", "thaw"], 1, "profile test has no stage thaw"),
    (["consignment", "stage", "C-1", "storage", "--at", "2020-01-01T00:00Z"], 1, "needs a reason"),
    (["consignment", "stage", "C-1", "storage", "--at", "2100-01-01T00:00Z"], 1, "lies in the future"),
    (["consignment", "stage", "C-1", "storage"], 0, "C-1 is in storage"),
    (["consignment", "end", "C-1", "--outcome", "delivered"], 0, "C-1: delivered"),
    (["consignment", "end", "C-1", "--outcome", "infused"], 1, "consignment C-1 is over"),
    (["consignment", "stage", "C-7", "storage"], 1, "begin it with `coldchain consignment start`"),
    (["excursions", "resolve", f"{OVER}#9", "-m", "x"], 1, f"there are: {OVER}#1"),
    (["excursions", "resolve", f"{HOT}#1", "-m", "x"], 1, "only what is over can be"),
    (["excursions", "resolve", f"{OVER}#1", "-m", "study 12"], 0, f"resolved {OVER}#1"),
    (["excursions", "resolve", f"{OVER}#1", "-m", "x"], 1, "it is resolved already"),
    (["excursions", "list"], 0, "study 12"),
    (["why", f"{OVER}#1"], 0, "that time does not count against budgets"),
    (["excursions", "unresolve", f"{OVER}#1", "-m", "not so"], 0, f"unresolved {OVER}#1"),
    (["excursions", "unresolve", f"{OVER}#1", "-m", "x"], 1, "it is not resolved"),
    (["unbind", "box-calm.vapour", "--why", "calibration"], 0, "box-calm.vapour measures nothing"),
    (["unbind", "box-calm.vapour"], 1, "is not bound"),
    (["bind", "box-calm.vapour", "--asset", "box-9", "--role", "vapour"], 1, "unknown asset box-9"),
    (["bind", "box-calm.vapour", "--asset", "box-calm", "--role", "vapuor"], 1, "--unjudged"),
    (["bind", "box-calm.vapour", "--asset", "box-calm", "--role", "vapuor"], 1, 'did you mean "vapour"?'),
    (["bind", "box-calm.vapour", "--asset", "box-calm", "--role", "x", "--unjudged"], 0, "note: no limit"),
    (["bind", "box-calm.vapour", "--asset", "box-calm", "--role", "vapour"], 0, "measures box-calm/vapour"),
]  # fmt: skip

#: What stands in the journal afterwards, in this order; a refused request is a fact as well.
DONE: list[type[Fact]] = [
    Acknowledged, Shelved, Unshelved, LatchReset, WorkBegan, WorkEnded, ConsignmentStarted, EtaSet,
    StageEntered, ConsignmentEnded, ExcursionResolved, ExcursionReopened, Unbound, Bound,
]  # fmt: skip


def test_the_story(gateway: Gateway) -> None:
    """Each command does what it says, or is refused with a reason and what to do instead."""
    for words, status, said in STORY:
        done = gateway.type(*words)
        assert (done.exit_code, said in done.stdout + done.stderr) == (status, True), (words, done.output)
        assert "Traceback" not in done.output
    history = read(gateway.site.journal)
    for kind in DONE:
        assert history.of(kind), kind.__name__
    with Reader.open(gateway.site.journal) as reader:
        texts = {text.commitment: text.text for text in reader.private_texts()}
    me = local_actor(os.getuid()).name
    assert f"uid {os.getuid()}" in me
    assert {texts[fact.actor] for kind in DONE for fact in history.of(kind)} == {me}
    assert "refilling now" in texts.values()
    assert history.of(ConsignmentStarted, consignment="C-1")[-1].units == ("U-1", "U-2")
    assert_equal(gateway.site.journal)


def test_a_name_is_erased_and_the_fact_says_so(gateway: Gateway) -> None:
    """Everywhere at once, in the transaction of its fact; what was done stays, and the chain verifies."""
    for comment in ("Wang was here", "Wang", "Wang"):
        assert gateway.type("shelve", HOT, "--for", "30 min", "-m", comment).exit_code == 0
    held = {one["text"]: one["times"] for one in gateway.says("names", "list", "--with", "wang")["texts"]}
    assert held == {"Wang was here": 1, "Wang": 2}
    refused = gateway.type("names", "erase", "Wang", "-m", "wang asked for it")
    assert (refused.exit_code, "word it without" in refused.stderr) == (1, True)
    done = gateway.type("names", "erase", "Wang", "-m", "asked to be forgotten")
    assert (done.exit_code, "in 2 places" in done.stdout) == (0, True), done.output
    assert "1 other texts contain it" in done.stderr
    gateway.type("names", "erase", "Wang", "--with", "-m", "asked to be forgotten")
    assert gateway.says("names", "list", "--with", "wang")["texts"] == []
    assert gateway.type("names", "erase", "Wang", "-m", "again").exit_code == 1
    first, second = read(gateway.site.journal).of(NamesErased)
    assert (len(first.commitments), len(second.commitments)) == (2, 1)
    with Reader.open(gateway.site.journal) as reader:
        assert {reader.private_text(one) for one in (*first.commitments, *second.commitments)} == {None}
        assert reader.private_text(second.comment) == "asked to be forgotten"
    if gateway.daemon is not None:
        shown = gateway.daemon.station.state()
        assert "Wang" not in repr(shown)
    assert_equal(gateway.site.journal)


def test_how_the_alarm_system_did(gateway: Gateway) -> None:
    """Two critical alarms, one taken up; the span can be cut, and a cut that leaves nothing is refused."""
    said = gateway.type("alarms", "report")
    assert said.exit_code == 0, said.output
    assert "most frequent" in said.stdout
    found = gateway.says("alarms", "report")
    critical = next(row for row in found["priorities"] if row["priority"] == "critical")
    assert critical["raised"] == 2
    assert {row["alarm"] for row in found["top"]} >= {HOT, OVER}
    assert found["from_ms"] > 1_700_000_000_000, "UTC"
    later = gateway.says("alarms", "report", "--to", "2020-01-01T00:00Z", "--from", "2019-01-01T00:00Z")
    assert later["raised"] == 0
    empty = gateway.type("alarms", "report", "--from", "2020-01-01T00:00Z", "--to", "2020-01-01T00:00Z")
    assert empty.exit_code == 1
    assert "let --to be later" in empty.stderr


def test_outcomes_for_machines(gateway: Gateway) -> None:
    """JSON says whether it was done, where in the journal, or why not; the exit status says the same."""
    done = gateway.type(
        "bind", "box-calm.vapour", "--asset", "box-calm", "--role", "vapour", "--format", "json"
    )
    assert done.exit_code == 0
    assert json.loads(done.stdout)["done"] is True
    assert json.loads(done.stdout)["position"] > 0
    refused = gateway.type("unshelve", "nothing", "--format", "json")
    assert refused.exit_code == 1
    assert json.loads(refused.stdout)["done"] is False
    assert "coldchain alarms" in json.loads(refused.stdout)["message"]


def test_what_cannot_be_meant(gateway: Gateway) -> None:
    """A wrong length of time, or a time without an offset, is refused with an example of a right one."""
    span = gateway.type("shelve", HOT, "--for", "soon", "-m", "x")
    assert span.exit_code == 2
    assert "such as 30min, 4h or 1d" in span.stderr
    moment = gateway.type("consignment", "eta", "C-1", "2100-11-24T18:00")
    assert moment.exit_code == 2
    assert "has no offset" in moment.stderr


def test_a_file_that_somebody_works_on(gateway: Gateway) -> None:
    """A mistake in gateway.toml keeps nobody from acknowledging while a daemon runs on the old one."""
    good = gateway.site.config.read_text(encoding="utf-8")
    gateway.site.config.write_text(good.replace("[site]", "[site]\nnonsense = 1"), encoding="utf-8")
    try:
        said = gateway.type("alarms")
        assert said.exit_code == (0 if gateway.daemon is not None else 1)
        if gateway.daemon is None:
            assert "nonsense" in said.stderr
    finally:
        gateway.site.config.write_text(good, encoding="utf-8")


def test_no_configuration_at_all(tmp_path: Path) -> None:
    """What is missing is named, and how to name another; without a journal it says who makes one."""
    missing = CliRunner().invoke(main, ["status", "--config", str(tmp_path / "none.toml")])
    assert missing.exit_code == 1
    assert (
        "none.toml: No such file or directory; name the gateway's configuration with --config"
        in missing.stderr
    )
    (tmp_path / "empty.toml").write_text("", encoding="utf-8")
    empty = CliRunner().invoke(main, ["status", "--config", str(tmp_path / "empty.toml")])
    assert empty.exit_code == 1
    assert "coldchain config check" in empty.stderr
    (tmp_path / "new.toml").write_text(
        f'[site]\nname = "new"\n[journal]\npath = "{tmp_path / "new.db"}"\n', encoding="utf-8"
    )
    new = CliRunner().invoke(main, ["status", "--config", str(tmp_path / "new.toml")])
    assert new.exit_code == 1
    assert "a journal is made by the daemon" in new.stderr


def test_a_daemon_that_may_not_be_asked(tmp_path: Path) -> None:
    """A socket that hangs up, or answers nonsense, is said in words; so is one left over by a crash."""
    config = tmp_path / "gateway.toml"
    config.write_text(f'[site]\nname = "x"\n[journal]\npath = "{tmp_path / "j.db"}"\n', encoding="utf-8")
    path = socket_path(tmp_path / "j.db")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as somebody:
        somebody.bind(str(path))
        somebody.listen()
        somebody.settimeout(30)
        runner = CliRunner()

        def hang_up() -> None:
            somebody.accept()[0].close()

        hanging = threading.Thread(target=hang_up)
        hanging.start()
        said = runner.invoke(main, ["status", "--config", str(config)])
        hanging.join()
        assert said.exit_code == 1
        assert "broke off" in said.stderr
    left_over = runner.invoke(main, ["status", "--config", str(config)])
    assert left_over.exit_code == 1
    assert "there is no such file; check the path; a journal is made by the daemon" in left_over.stderr
