"""The page in a real browser: what a person in an operations room sees, hears and can do.

The station behind it lives in memory (`tests.unit.web.room`); server and built page are the product's.
Set COLDCHAIN_SCREENSHOTS to a folder to keep the pictures.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import resources, util
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from msgspec import structs
from playwright.sync_api import Browser, Locator, Page, Response, Route, expect

from coldchain.model import Quality, Reason
from coldchain.web.plain_views import Instant
from coldchain.web.series import Band, Sample
from coldchain.web.server import Page as Server
from coldchain.web.settings import PageSettings
from coldchain.web.station import (
    AcknowledgeAlarm,
    BeginWork,
    BindChannel,
    EndWork,
    EnterStage,
    Role,
    SetEta,
    ShelveAlarm,
    StartConsignment,
)
from coldchain.web.users import Users, make_user
from coldchain.web.views import HoldView
from tests.house.tree import ROOT
from tests.unit.web.room import HOUR, MINUTE, Room

pytestmark = [pytest.mark.browser, pytest.mark.slow]

HEARTBEAT_MS = 1_000
ALARM = "box-7/vapour/above-150"
SIZES = [(1920, 1080), (1280, 800), (390, 844)]

Serve = Callable[..., Server]


@pytest.fixture(scope="module", autouse=True)
def built() -> None:
    """What is looked at is what the sources say: a stale page would prove nothing."""
    stamp = ROOT / "coldchain/web/static/.built-from"
    sources = (ROOT / "coldchain/web/ui/src").rglob("*.*")
    fresh = stamp.exists() and stamp.stat().st_mtime >= max(path.stat().st_mtime for path in sources)
    assert fresh, "the built page is missing or stale; run: make setup"


@pytest.fixture
def room() -> Room:
    """Two assets, nothing wrong."""
    return Room()


@pytest.fixture
def serve(room: Room, tmp_path: Path) -> Iterator[Serve]:
    """Start the page's server; it ends with the test."""
    started: list[Server] = []

    def start(**change: Any) -> Server:
        settings = PageSettings(port=0, users_file=tmp_path / "users.json", heartbeat_ms=HEARTBEAT_MS)
        server = Server(room, structs.replace(settings, **change), room.clock)
        server.start()
        started.append(server)
        return server

    yield start
    for server in started:
        server.stop()


def look(page: Page, server: Server, query: str = "") -> None:
    """Open the page and wait until it is live."""
    page.goto(server.url + query)
    expect(page.locator("[data-link=live]")).to_be_visible()


def alarm(page: Page, name: str = ALARM) -> Locator:
    """The row of an alarm."""
    return page.locator(f'[data-alarm="{name}"]')


def sound(page: Page, state: str) -> None:
    """The sound is, or becomes, in that state."""
    expect(page.locator("[data-sound]")).to_have_attribute("data-sound", state)


# --- Alarms -----------------------------------------------------------------------------------------------


def test_an_alarm_arrives_and_sounds(page: Page, serve: Serve, room: Room) -> None:
    """Without a reload the alarm is there, says what to do, stands in the title, and sounds if armed."""
    look(page, serve())
    page.evaluate("window.stillTheSame = true")
    expect(page.get_by_test_id("counts")).to_have_text("Nothing wrong")
    page.locator("[data-sound]").click()
    sound(page, "armed")

    room.put_alarm(room.critical())

    expect(alarm(page)).to_contain_text("What to do: Open the box only to refill")
    for said in ("box-7", "vapour above −150 °C", "−146.2", "since", "told room", "taken by nobody"):
        expect(alarm(page)).to_contain_text(said)
    sound(page, "sounding")
    expect(page.get_by_test_id("counts")).to_contain_text("1 critical")
    expect(page).to_have_title(re.compile(r"^\(1 critical\)"))
    expect(page.locator('[data-asset="box-7"]')).to_have_attribute("data-state", "critical")
    assert page.evaluate("window.stillTheSame") is True


def test_acknowledging_takes_one_key_and_a_reason(page: Page, serve: Serve, room: Room) -> None:
    """`a`, a reason, Enter: the station gets the occurrences that were seen, and the sound ends."""
    room.put_alarm(room.critical(numbers=(3, 4)))
    look(page, serve())
    page.locator("[data-sound]").click()
    sound(page, "sounding")
    page.keyboard.press("a")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("Covers occurrence 3, 4, and no other")
    page.keyboard.type("spare shipper is on its way")
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(alarm(page)).to_have_attribute("data-state", "acknowledged")
    expect(alarm(page)).to_contain_text("taken by unauthenticated")
    expect(alarm(page)).to_contain_text("spare shipper is on its way")
    sound(page, "armed")
    assert [action for action, _ in room.acts] == [
        AcknowledgeAlarm(ALARM, (3, 4), "spare shipper is on its way")
    ]


def test_one_acknowledgement_hides_no_other_alarm(page: Page, serve: Serve, room: Room) -> None:
    """The second alarm stays unacknowledged and goes on sounding; what comes meanwhile is not covered."""
    room.put_alarm(room.critical())
    room.put_alarm(structs.replace(room.critical("dewar-2/vapour/above-150"), asset="dewar-2"))
    look(page, serve())
    page.locator("[data-sound]").click()
    alarm(page).get_by_role("button", name="Acknowledge").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button", name="on my way").click()
    room.put_alarm(room.critical(numbers=(1, 2)))
    expect(dialog).to_contain_text("Occurrence 2 came since and is not covered")
    dialog.get_by_role("button", name="Acknowledge").click()
    expect(dialog).to_have_count(0)

    assert room.acts[0][0] == AcknowledgeAlarm(ALARM, (1,), "on my way")
    expect(alarm(page)).to_have_attribute("data-state", "unacknowledged")
    expect(alarm(page, "dewar-2/vapour/above-150")).to_have_attribute("data-state", "unacknowledged")
    sound(page, "sounding")


def test_a_refusal_is_told_and_nothing_pretended(page: Page, serve: Serve, room: Room) -> None:
    """What the station refuses stays as it is on the page, with the station's words."""
    room.put_alarm(room.critical())
    room.refuse = "the journal cannot be written"
    look(page, serve())
    page.keyboard.press("a")
    page.keyboard.type("on my way")
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog")).to_contain_text("Refused: the journal cannot be written")
    expect(alarm(page)).to_have_attribute("data-state", "unacknowledged")


def test_shelving_wants_an_end(page: Page, serve: Serve, room: Room) -> None:
    """Without an end ahead nothing is sent; a shelved alarm stays in sight with its end."""
    room.put_alarm(room.critical())
    look(page, serve())
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("Reason").fill("supplier is here")
    dialog.get_by_role("button", name="Shelve").click()
    expect(dialog).to_be_visible()
    dialog.get_by_label("End (UTC)").fill("2020-01-01T00:00")
    dialog.get_by_role("button", name="Shelve").click()
    expect(dialog.get_by_role("alert")).to_contain_text("must lie ahead")
    assert room.acts == []
    dialog.get_by_role("button", name="2 h").click()
    dialog.get_by_role("button", name="Shelve").click()
    expect(dialog).to_have_count(0)
    [(action, _)] = room.acts
    assert isinstance(action, ShelveAlarm)
    assert HOUR < action.until_ms - room.zero_utc <= 2 * HOUR + MINUTE
    expect(alarm(page)).to_contain_text("silent until")
    expect(alarm(page)).to_contain_text("supplier is here")


def test_no_shelf_outlives_the_site_s_longest(page: Page, serve: Serve, room: Room) -> None:
    """The choices end with the site's maximum, the dialog names it, and a later end is not sent."""
    room.put_alarm(structs.replace(room.critical(), shelf_max_ms=HOUR))
    look(page, serve())
    page.keyboard.press("s")
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("for 1\u2009h at most")
    expect(dialog.get_by_role("group").get_by_role("button")).to_have_count(2)
    dialog.get_by_label("Reason").fill("weekend")
    dialog.get_by_label("End (UTC)").fill("2099-01-01T00:00")
    dialog.get_by_role("button", name="Shelve").click()
    expect(dialog.get_by_role("alert")).to_contain_text("too long")
    assert room.acts == []
    dialog.get_by_role("group").get_by_role("button").last.click()
    dialog.get_by_role("button", name="Shelve").click()
    expect(dialog).to_have_count(0)
    [(action, _)] = room.acts
    assert isinstance(action, ShelveAlarm)
    assert action.until_ms - room.zero_utc <= HOUR + MINUTE


# --- Work, steps, groups, floods --------------------------------------------------------------------------


def test_work_is_in_sight_with_its_end_and_owner(page: Page, serve: Serve, room: Room) -> None:
    """Whose alarms are hidden until when, by whom and why; an end that nothing confirms; blind minutes."""
    room.show(room.busy())
    look(page, serve(), "?asset=dewar-2")
    filling = page.locator('[data-work="filling"]')
    expect(filling).to_contain_text("alarms hidden: level-low")
    expect(filling).to_contain_text("left")
    expect(filling).to_contain_text("operator-1")
    expect(filling).to_contain_text("weekly filling")
    expect(filling).to_contain_text("do not show yet")
    expect(page.locator('[data-work="out-of-service"]')).to_contain_text("END NOT CONFIRMED")
    expect(page.locator('[data-channel="dewar-2-vapour"]')).to_contain_text("45\u2009min without some alarms")
    expect(page.locator('[data-channel="dewar-2-level"]')).to_contain_text("without some alarms now, 12")
    expect(page.locator('[data-asset="dewar-2"]')).to_contain_text("Filling")


def test_work_begins_with_an_end_and_a_reason(page: Page, serve: Serve, room: Room) -> None:
    """No longer than its kind may last, of the whole vessel where it is by design, and ended by hand."""
    room.show(room.busy())
    look(page, serve(), "?asset=dewar-2")
    page.get_by_text("Work at this vessel").click()
    form = page.get_by_role("form", name="Begin work")
    form.get_by_label("Work").select_option("out-of-service")
    form.get_by_label("Place").select_option("dewar-2/level")
    form.get_by_label("End (UTC)").fill("2099-01-01T00:00")
    form.get_by_label("Reason").fill("valve changed")
    form.get_by_role("button", name="Begin").click()
    expect(page.locator(".manage [role=alert]").first).to_contain_text("too long")
    assert room.acts == []
    form.get_by_role("button", name="As long as it may last").click()
    form.get_by_role("button", name="Begin").click()
    expect(page.locator(".manage [role=status]").first).to_contain_text("Done")
    [(begun, _)] = room.acts
    assert isinstance(begun, BeginWork)
    assert (begun.scope, begun.work, begun.comment) == ("dewar-2/level", "out-of-service", "valve changed")
    assert begun.until_ms - room.zero_utc <= 8 * HOUR + MINUTE
    form.get_by_label("Work").select_option("filling")
    expect(form.get_by_label("Place")).to_have_count(0)
    page.locator('[data-work="filling"]').get_by_role("button", name="It is done").click()
    expect(page.locator(".manage [role=status]").first).to_contain_text("Done")
    assert room.acts[-1][0] == EndWork("dewar-2", "filling")


def test_who_is_called_next_and_what_came_first(page: Page, serve: Serve, room: Room) -> None:
    """Each contact with its time, who sleeps, who is next; and the first of a group is marked."""
    room.show(room.busy())
    look(page, serve())
    expect(alarm(page)).to_contain_text("on-call not now (quiet hours)")
    expect(alarm(page)).to_contain_text("head at")
    expect(alarm(page)).to_contain_text("after the first")
    expect(alarm(page, "box-7/tilt/over-30")).to_contain_text("came first")


def test_a_flood_is_said(page: Page, serve: Serve, room: Room) -> None:
    """While one lasts the page says so; when it is over it says nothing."""
    view = room.busy()
    room.show(structs.replace(view, gateway=structs.replace(view.gateway, flood=room.ago(5 * MINUTE))))
    look(page, serve())
    expect(page.get_by_test_id("flood")).to_contain_text("More alarms than a person can take in")
    room.show(view)
    expect(page.get_by_test_id("flood")).to_have_count(0)


def test_coverage_sinks_while_nothing_is_heard(page: Page, serve: Serve, room: Room) -> None:
    """A probe that died an hour ago was watched for less of the time than it says of its last reading."""
    channel = room.channel("box-7-vapour")
    assert channel is not None
    dead = structs.replace(
        channel,
        good_ms=9 * HOUR,
        product_ms=9 * HOUR,
        counts_at_journal_ms=room.zero_journal - HOUR,
        good_until_journal_ms=room.zero_journal - HOUR,
    )
    room.put_channel(dead)
    look(page, serve(), "?asset=box-7")
    expect(page.locator('[data-channel="box-7-vapour"]')).to_contain_text("coverage 89.9")


# --- A poor line ------------------------------------------------------------------------------------------


#: The page itself, its style and its first script.
FIRST = r"/|/assets/index-[^/]+\.(js|css)"


def test_the_first_answer_shows_the_alarm(page: Page, serve: Serve, room: Room) -> None:
    """Page, style and first script are enough: the alarm and the values stand there before the line is up.

    Then the line does not come up, and everything that was brought along is withdrawn.
    """
    room.put_alarm(room.critical())
    server = serve()
    asked: list[str] = []

    def hold_back(route: Route) -> None:
        """Let pass what the page itself names; everything else never gets an answer."""
        path = urlsplit(route.request.url).path
        asked.append(path)
        if re.fullmatch(FIRST, path):
            route.continue_()

    page.route("**/*", hold_back)
    page.clock.install()
    page.goto(server.url, wait_until="commit")
    expect(alarm(page)).to_contain_text("What to do: Open the box only to refill")
    expect(page.locator("[data-link=told]")).to_be_visible()
    expect(page.get_by_test_id("link")).to_have_text("connecting")
    expect(page.get_by_test_id("counts")).to_have_text("1 critical")
    expect(page.locator('[data-asset="box-7"] .big')).to_contain_text("−187.9")
    expect(page.get_by_text("Nothing wrong")).to_have_count(0)
    assert "/api/events" in asked
    page.clock.fast_forward(5_000)
    expect(page.get_by_test_id("no-live-data")).to_be_visible()
    expect(page.locator('[data-asset="box-7"] .big')).to_have_text("—")
    expect(alarm(page)).to_be_visible()


def test_what_was_long_on_its_way_is_not_shown_as_now(page: Page, serve: Serve, room: Room) -> None:
    """If the script comes later than a heartbeat may, no value that the page brought counts as known."""
    room.put_alarm(room.critical())
    server = serve()
    waiting: list[Route] = []

    def keep(route: Route) -> None:
        waiting.append(route)

    page.route("**/assets/index-*.js", keep)
    page.route("**/api/**", lambda route: None)
    page.clock.install()
    page.goto(server.url, wait_until="commit")
    while not waiting:
        page.wait_for_timeout(10)
    page.clock.fast_forward(5_000)
    waiting[0].continue_()
    expect(alarm(page)).to_be_visible()
    # The page's clock goes on: where the machine takes its time, what was connecting is lost by now.
    expect(page.locator("[data-link=connecting], [data-link=lost]")).to_be_visible()
    expect(page.locator('[data-asset="box-7"] .big')).to_have_text("—")


#: What a phone on a poor line must be sent before it shows an alarm. At 1.6 Mbit/s (200 bytes a ms) 48,000
#: bytes take 240 ms; with a round trip of 150 ms each for connection, page and script they are there after
#: 690 ms. That leaves 310 ms of one second for the phone itself.
FIRST_BYTES = 48_000


def test_what_is_needed_first_is_small(page: Page, serve: Serve, room: Room) -> None:
    """Page, style and first script together: three answers, with no more bytes than one second bears."""
    room.show(room.busy())
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    page.on("response", keep)
    look(page, serve())
    took = {
        path: sum(answer.request.sizes()[part] for part in ("responseHeadersSize", "responseBodySize"))
        for answer in answers
        if re.fullmatch(FIRST, path := urlsplit(answer.url).path)
    }
    assert len(took) == 3, took
    assert 0 < sum(took.values()) <= FIRST_BYTES, took


# --- Not known --------------------------------------------------------------------------------------------


def gone(page: Page, value: str = "187.9") -> None:
    """No value stands as if it were so: panel and card say that it is not known."""
    panel = page.locator('[data-channel="box-7-vapour"]')
    expect(panel).to_have_attribute("data-known", "false")
    expect(panel.locator(".big")).to_have_count(0)
    expect(panel).to_contain_text("not known")
    card = page.locator('[data-asset="box-7"]')
    expect(card).to_contain_text("not known")
    expect(card.locator(".big")).to_have_text("—")
    expect(card.locator(".hatched").first).to_be_visible()
    assert value not in (card.locator(".big").text_content() or "")


def test_a_server_that_stops_is_seen(page: Page, serve: Serve, room: Room) -> None:
    """The page says "no live data" and withdraws every value; once the server is back it goes on."""
    server = serve()
    look(page, server)
    page.evaluate("window.stillTheSame = true")
    expect(page.locator('[data-channel="box-7-vapour"] .big')).to_have_text("−187.9")
    server.stop()
    expect(page.get_by_test_id("no-live-data")).to_contain_text("No live data")
    gone(page)
    expect(page.get_by_text("Nothing wrong")).to_have_count(0)
    expect(page).to_have_title(re.compile("No live data"))

    room.read("box-7-vapour", -190_000)
    serve(port=server.port)
    expect(page.locator("[data-link=live]")).to_be_visible(timeout=15_000)
    expect(page.locator('[data-channel="box-7-vapour"] .big')).to_have_text("−190.0")
    assert page.evaluate("window.stillTheSame") is True


def test_a_server_that_freezes_is_seen(page: Page) -> None:
    """A connection that is open and silent is as good as none: the missing heartbeat tells."""
    command = [sys.executable, "-m", "tests.unit.web.preview"]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as frozen:
        try:
            assert frozen.stdout is not None
            page.goto(frozen.stdout.readline().strip())
            expect(page.locator("[data-link=live]")).to_be_visible()
            frozen.send_signal(signal.SIGSTOP)
            expect(page.get_by_test_id("no-live-data")).to_be_visible(timeout=15_000)
            frozen.send_signal(signal.SIGCONT)
            expect(page.locator("[data-link=live]")).to_be_visible(timeout=15_000)
        finally:
            frozen.kill()


def test_a_writer_that_stalls_is_seen(page: Page, serve: Serve, room: Room) -> None:
    """The server answers but the writer's own heartbeat does not come through: no live data either."""
    look(page, serve())
    room.writer_stopped_at = room.clock.journal_ms() - 10_000
    expect(page.get_by_test_id("no-live-data")).to_contain_text("no longer works through readings")
    gone(page)


def test_a_bad_reading_is_never_a_number(page: Page, serve: Serve, room: Room) -> None:
    """A probe that opens takes the number from the page; the last value is told as the past."""
    look(page, serve())
    expect(page.locator('[data-channel="box-7-vapour"] .big')).to_have_text("−187.9")
    room.bad("box-7-vapour", Reason.SENSOR_OPEN)
    gone(page)
    expect(page.locator('[data-channel="box-7-vapour"]')).to_contain_text("probe open")
    expect(page.locator('[data-channel="box-7-vapour"]')).to_contain_text("was −187.9")
    expect(page.get_by_test_id("counts")).to_contain_text("1 not known")


def test_silence_makes_a_value_unknown(page: Page, serve: Serve, room: Room) -> None:
    """While nothing comes the value grows stale on the page, even if the monitor has not yet said so."""
    channel = room.channel("box-7-vapour")
    assert channel is not None
    room.put_channel(structs.replace(channel, fresh_within_ms=6_000))
    look(page, serve())
    gone(page)
    expect(page.locator('[data-channel="box-7-vapour"]')).to_contain_text("nothing heard for")


def test_a_clock_that_is_not_known_is_said(page: Page, serve: Serve, room: Room) -> None:
    """The header and a banner say so, and times taken then are marked."""
    clock = structs.replace(room.view.clock, known=False)
    late = structs.replace(room.critical(), since=Instant(5_000, known=False))
    room.show(structs.replace(room.view, clock=clock, alarms=(late,)))
    look(page, serve())
    expect(page.get_by_text("clock not known").first).to_be_visible()
    expect(alarm(page)).to_contain_text("≈")


def test_the_hold_that_is_left(page: Page, serve: Serve, room: Room) -> None:
    """The interval against way and reserve; it runs out while the page is open, and is hatched unheard."""
    journal_ms = room.pulse().journal_ms

    def put(hold: HoldView) -> None:
        box, *others = room.view.assets
        room.show(structs.replace(room.view, assets=(structs.replace(box, hold=hold), *others)))

    reckoned = HoldView(
        80 * HOUR, 99 * HOUR, 17 * HOUR, journal_ms, 48 * HOUR, "mass", channel="box-7-vapour"
    )
    put(reckoned)
    look(page, serve(), "?asset=box-7")
    shown = page.locator('section [data-hold], [data-asset="box-7"] [data-hold]')
    expect(shown).to_have_count(2)  # on the card, and with the vessel
    detail = page.locator("section [data-hold]")
    expect(detail).to_have_attribute("data-hold", "enough")
    expect(detail).to_contain_text(re.compile("LN2 79.h to 98.h left"))  # rounded down
    expect(detail).to_contain_text(re.compile("needs 17.h [+] 48.h reserve"))
    # The shorter end lasts three seconds longer than what is needed; the way cannot become shorter than none.
    put(structs.replace(reckoned, low_ms=48 * HOUR + 3_000, needed_ms=0))
    expect(detail).to_have_attribute("data-hold", "short", timeout=20_000)
    expect(detail).to_contain_text("not enough")
    put(structs.replace(reckoned, high_ms=None, needed_ms=None))
    expect(detail).to_contain_text(re.compile("LN2 at least 79.h left"))
    expect(detail).to_contain_text(re.compile("needs 48.h reserve; arrival not known"))
    put(
        structs.replace(
            reckoned, low_ms=None, high_ms=None, reckoned_at_journal_ms=None, why="too_few_readings"
        )
    )
    expect(detail).to_have_attribute("data-hold", "not_known")
    expect(detail).to_contain_text("LN2 hold not known: too few readings")
    put(reckoned)
    expect(detail).not_to_have_class(re.compile("hatched"))
    room.bad("box-7-vapour", Reason.SENSOR_OPEN)
    expect(detail).to_have_class(re.compile("hatched"))


# --- Curves -----------------------------------------------------------------------------------------------


def test_ten_thousand_points_keep_their_extremes(page: Page, serve: Serve, room: Room) -> None:
    """10,000 readings are drawn in columns of a pixel; the one spike and the one dip among them are there."""
    start = room.zero_utc - 10_000 * 6_000
    odd = {3_333: -120_000, 6_666: -195_500}
    room.dense["box-7-vapour"] = tuple(
        Sample(start + i * 6_000, odd.get(i, -188_000 + i % 7), Quality.GOOD) for i in range(10_000)
    )
    look(page, serve(), f"?asset=box-7&from={start}&to={room.zero_utc}")
    curve = page.locator('[data-channel="box-7-vapour"] .curve')
    expect(curve).to_have_attribute("data-readings", "10000")
    expect(curve).to_have_attribute("data-columns", re.compile(r"^\d{3,}$"))
    assert 300 <= int(curve.get_attribute("data-columns") or 0) <= 4_000
    said = curve.get_by_role("img").get_attribute("aria-label") or ""
    assert "lowest −195.5" in said
    assert "highest −120.0" in said
    # The spike is a stroke on the canvas, not only a number: there is ink near the top of the plot.
    ink = page.evaluate(
        """() => {
            const canvas = document.querySelector('[data-channel="box-7-vapour"] canvas');
            const at = Math.round(canvas.width * 0.36), to = Math.round(canvas.width * 0.43);
            const strip = canvas.getContext('2d').getImageData(at, 0, to - at, canvas.height);
            const rows = new Set();
            for (let i = 0; i < strip.data.length; i += 4)
              if (strip.data[i + 3] > 90 && strip.data[i] < 80) rows.add(Math.floor(i / 4 / strip.width));
            return rows.size / canvas.height;
        }"""
    )
    assert ink > 0.4, ink


def test_a_gap_is_said_and_the_table_holds_the_numbers(page: Page, serve: Serve) -> None:
    """Behind each curve is a table with lowest, highest, count and the gaps; the picture says them too."""
    look(page, serve(), "?asset=box-7")
    curve = page.locator('[data-channel="box-7-vapour"] .curve')
    expect(curve.get_by_role("img")).to_have_attribute("aria-label", re.compile("1 gap"))
    curve.get_by_text("Table behind the curve").click()
    expect(curve.get_by_role("columnheader").nth(2)).to_have_text("Lowest (°C)")
    expect(curve.get_by_role("row", name=re.compile("gap until"))).to_have_count(1)
    assert curve.get_by_role("row").count() > 200


def test_a_time_whose_readings_went_is_a_band(page: Page, serve: Serve, room: Room) -> None:
    """Lowest to highest of each hour, said as a summary: in the picture, in its words and in the table."""
    hour = 3_600_000
    start = room.zero_utc - room.zero_utc % hour - 12 * hour
    room.dense["box-7-vapour"] = (Sample(start - hour, -188_000, Quality.GOOD),)
    begins = tuple(start + i * hour for i in range(12))
    room.bands["box-7-vapour"] = Band(
        from_ms=begins,
        to_ms=tuple(begin + hour for begin in begins),
        low=(-191_000,) * 12,
        high=(-171_000,) * 12,
        mean=(-180_000,) * 11 + (None,),
        count=(60,) * 12,
        doubtful=(False,) * 11 + (True,),
    )
    look(page, serve(), f"?asset=box-7&from={start}&to={start + 12 * hour}")
    curve = page.locator('[data-channel="box-7-vapour"] .curve')
    expect(curve.get_by_text("summary: lowest to highest")).to_be_visible()
    said = curve.get_by_role("img").get_attribute("aria-label") or ""
    assert "720 older readings stand as lowest, highest and mean" in said
    assert "lowest −191.0" in said
    curve.get_by_role("img").hover()
    expect(curve.get_by_text("summary of 60 readings")).to_be_visible()
    curve.get_by_text("Table behind the curve").click()
    expect(curve.get_by_role("row", name=re.compile("summary until"))).to_have_count(12)
    expect(curve.get_by_role("row", name=re.compile("mean −180.0"))).to_have_count(11)
    expect(curve.get_by_role("row", name=re.compile("in doubt"))).to_have_count(1)


def test_a_link_shows_the_same(page: Page, browser: Browser, serve: Serve, room: Room) -> None:
    """Asset and span stand in the address; copied, they open the same view for somebody else."""
    server = serve()
    look(page, server, "?asset=dewar-2")
    page.get_by_role("button", name="6 h").click()
    assert page.url.endswith("?asset=dewar-2&span=6h")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=server.url.rstrip("/"))
    page.get_by_role("button", name="Copy link to this view").click()
    expect(page.get_by_text("copied", exact=True)).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(link)
        expect(other.locator('[data-detail="dewar-2"]')).to_be_visible()
        expect(other.get_by_role("button", name="Back to live")).to_be_visible()
        from_ms, to_ms = (int(word) for word in re.findall(r"=(\d+)", link))
        assert to_ms - from_ms == 6 * HOUR


# --- Stamps, keys, people ---------------------------------------------------------------------------------


def test_simulated_and_unapproved_are_stamped(page: Page, serve: Serve, room: Room) -> None:
    """Whatever is simulated or judged by an unapproved profile says so on card, detail, alarm and header."""
    busy = room.busy()
    room.show(structs.replace(busy, simulated=True))
    look(page, serve(), "?asset=box-7")
    expect(page.locator("header .stamp")).to_have_text("simulated")
    expect(page.locator('[data-asset="training-box"] .stamp')).to_have_text("simulated")
    for place in ('[data-asset="box-7"]', '[data-detail="box-7"] .detail-head', f'[data-alarm="{ALARM}"]'):
        expect(page.locator(f"{place} .stamp")).to_have_text("unapproved")


def test_the_keyboard_does_it_all(page: Page, serve: Serve, room: Room) -> None:
    """Arrows choose, `/` finds, `?` helps, Escape closes; single keys can be switched off."""
    room.show(room.busy())
    look(page, serve())
    page.keyboard.press("ArrowDown")
    expect(alarm(page).locator(".choose")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(alarm(page).locator(".choose")).not_to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator('[data-asset="box-7"]')).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator('[data-detail="dewar-2"]')).to_be_visible()
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()
    page.keyboard.type("fridge a")
    expect(page.locator("[data-asset]")).to_have_count(0)
    page.locator("#find").fill("fridge")
    expect(page.locator("[data-asset]")).to_have_count(1)
    page.keyboard.press("Escape")
    page.locator("#find").fill("")
    page.keyboard.press("Tab")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    page.get_by_label("Single-key shortcuts").uncheck()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("a")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_a_consignment_from_start_to_arrival(page: Page, serve: Serve, room: Room) -> None:
    """Start, stage and expected arrival are forms that send what was chosen, and show what became of it."""
    look(page, serve(), "?asset=dewar-2")
    page.get_by_text("Consignment and probes").click()
    form = page.get_by_role("form", name="Start a consignment")
    form.get_by_label("Consignment number").fill("C-7")
    form.get_by_label("Limit profile").select_option("example-fresh")
    form.get_by_label("Stage").select_option("packed")
    form.get_by_label("Units").fill("unit 1\n\nunit 2\n")
    form.get_by_role("button", name="Start").click()
    expect(page.get_by_text("Done.", exact=True).first).to_be_visible()
    assert room.acts[0][0] == StartConsignment(
        "C-7", "dewar-2", "example-fresh", "packed", ("unit 1", "unit 2")
    )

    page.locator('[data-asset="box-7"]').click()
    page.get_by_text("Consignment and probes").click()
    page.get_by_role("form", name="Enter a stage").get_by_label("Stage").select_option("delivered")
    page.get_by_role("button", name="Enter stage").click()
    expect(page.locator('[data-detail="box-7"] .lane').first).to_contain_text("delivered")
    page.get_by_label("Arrives (UTC)").fill("2031-01-02T03:04")
    page.get_by_role("form", name="Expected arrival").get_by_role("button").click()
    expect(page.locator('[data-detail="box-7"] .lane').first).to_contain_text("2031-01-02 03:04:00")
    assert room.acts[1:] == [
        (EnterStage("C-2026-118", "delivered"), room.acts[1][1]),
        (SetEta("C-2026-118", 1_925_089_440_000), room.acts[2][1]),
    ]


def test_a_role_that_no_limit_judges_asks(page: Page, serve: Serve, room: Room) -> None:
    """The form offers the roles that are judged; another one is not recorded until that is confirmed."""
    look(page, serve(), "?asset=box-7")
    page.get_by_text("Consignment and probes").click()
    form = page.get_by_role("form", name="Bind a probe", exact=True)
    expect(form.locator("datalist option")).to_have_count(1)
    form.get_by_label("Channel").select_option("spare-1")
    form.get_by_label("Role").fill("vapuor")
    form.get_by_role("button", name="Bind").click()
    expect(page.get_by_role("alert").filter(has_text="Not recorded: no limit judges")).to_be_visible()
    assert room.acts == []
    page.get_by_role("button", name="Bind it all the same").click()
    expect(page.get_by_text("Done.", exact=True).first).to_be_visible()
    assert [action for action, _ in room.acts] == [
        BindChannel("spare-1", "box-7", "vapuor", confirmed=True),
    ]
    expect(page.get_by_role("button", name="Bind it all the same")).to_have_count(0)


def test_logging_in(page: Page, serve: Serve, room: Room, tmp_path: Path) -> None:
    """With users the page asks first; a viewer then sees everything and can do nothing."""
    users = Users(tmp_path / "users.json")
    users.add(make_user("li", Role.VIEWER, "correct horse battery", cost=2**4))
    room.put_alarm(room.critical())
    page.goto(serve().url)
    page.get_by_label("Name").fill("li")
    page.get_by_label("Password").fill("wrong wrong wrong wrong")
    page.get_by_role("button", name="Log in").click()
    expect(page.get_by_role("alert")).to_contain_text("wrong")
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Log in").click()
    expect(alarm(page)).to_be_visible()
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    page.keyboard.press("a")
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.reload()
    expect(alarm(page)).to_be_visible()
    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_label("Password")).to_be_visible()
    expect(alarm(page)).to_have_count(0)


def test_the_wall_board(page: Page, serve: Serve, room: Room) -> None:
    """No chrome; the sound is armed by the first key and until then the board says that it is silent."""
    room.show(room.busy())
    look(page, serve(), "?wall")
    expect(page.get_by_test_id("wall-sound")).to_contain_text("Sound is off")
    expect(page.get_by_role("button", name="Acknowledge")).to_have_count(0)
    expect(page.locator("#find")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    sound(page, "sounding")
    expect(page.get_by_test_id("wall-sound")).to_have_count(0)


# --- Looks ------------------------------------------------------------------------------------------------


def test_nothing_comes_from_elsewhere(page: Page, serve: Serve, room: Room) -> None:
    """The page works without the internet: all requests go to its own server, the policy stops none."""
    room.show(room.busy())
    server = serve()
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    look(page, server)
    expect(page.locator(".curve canvas").first).to_be_visible()
    assert asked
    assert [url for url in asked if not url.startswith((server.url, "data:"))] == []
    assert [text for text in said if "Content Security Policy" in text or "Refused" in text] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", ["", "?asset=fridge-1", "?wall"], ids=["room", "asset", "wall"])
def test_pictures(
    browser: Browser, serve: Serve, room: Room, tmp_path: Path, query: str, scheme: Any
) -> None:
    """At each size nothing runs out of the window; the pictures are kept for the eye."""
    room.show(room.busy())
    server = serve()
    folder = Path(os.environ.get("COLDCHAIN_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"\W+", "-", query.strip("?")) or "room"
    for width, height in SIZES:
        with browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme) as context:
            page = context.new_page()
            look(page, server, query)
            if query != "?wall" and (query or width > 390):
                expect(page.locator(".curve").first).to_have_attribute("data-columns", re.compile(r"\d\d"))
            page.screenshot(path=folder / f"{name}-{scheme}-{width}.png", full_page=width == 390)
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.skipif(
    util.find_spec("axe_playwright_python") is None,
    reason="axe-core comes with axe-playwright-python, which is absent",
)
# Contrast is the scheme's, layout the size's: each of both is seen on every page.
@pytest.mark.parametrize(
    ("scheme", "size"),
    [("light", (1280, 800)), ("dark", (390, 844))],
    ids=["light and wide", "dark and narrow"],
)
@pytest.mark.parametrize("query", ["?asset=box-7", "?asset=fridge-1", "?asset=dewar-2", "?wall"])
def test_accessibility(
    browser: Browser, serve: Serve, room: Room, query: str, scheme: Any, size: tuple[int, int]
) -> None:
    """axe finds nothing against WCAG 2.2 A and AA: contrast, names, roles, focus; a dialog, no live data."""
    axe = (resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
    room.show(room.busy())
    with browser.new_context(viewport={"width": size[0], "height": size[1]}, color_scheme=scheme) as context:
        page = context.new_page()
        look(page, serve(), query)
        page.evaluate(axe)
        if query != "?wall":
            expect(page.locator(".curve canvas").first).to_be_visible()
            page.get_by_text("Consignment and probes").click()
            page.get_by_text("Table behind the curve").first.click()
        assert violations(page) == []
        if query == "?asset=box-7":
            page.get_by_text("Table behind the curve").first.click()  # long, and seen
            page.keyboard.press("s")
            expect(page.get_by_role("dialog")).to_be_visible()
            assert violations(page) == []
            page.keyboard.press("Escape")
            expect(page.get_by_role("dialog")).to_have_count(0)
            room.writer_stopped_at = room.clock.journal_ms() - 10_000
            expect(page.get_by_test_id("no-live-data")).to_be_visible()
            assert violations(page) == [], "what was last known is still there to be read"


def violations(page: Page) -> list[str]:
    """What axe finds: rule, how bad, and the first places."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    found = page.evaluate(f"axe.run({{runOnly: {tags}}}).then((found) => found.violations)")
    return [
        f"{each['id']} ({each['impact']}): {[node['html'][:200] for node in each['nodes'][:3]]}"
        for each in found
    ]
