"""The page's server over real sockets on loopback: what it says, to whom, and what it refuses."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import gzip
import re
import socket
import ssl
import stat
import threading
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec import structs

from coldchain.clock import SystemClock
from coldchain.model import Reason
from coldchain.web.hub import Hub
from coldchain.web.server import Page, PageError
from coldchain.web.settings import ExposureError, PageSettings
from coldchain.web.station import AcknowledgeAlarm, Actor, BindChannel, Role
from coldchain.web.users import Users, make_user
from tests.servers.certificates import Authority
from tests.unit.web.client import Client
from tests.unit.web.room import Room

WORD = "correct horse battery"
ACKNOWLEDGE = {
    "do": "acknowledge",
    "alarm": "box-7/vapour/above-150",
    "occurrences": [1],
    "comment": "on my way",
}

Serve = Callable[..., Page]


@pytest.fixture
def static(tmp_path: Path) -> Path:
    """A page as the build leaves one."""
    folder = tmp_path / "static"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<!doctype html><title>page</title><body></body>")
    (folder / "assets" / "index-1a2b.js").write_text("let quiet = true;\n" * 200)
    (folder / ".built-from").write_text("secret of the workshop")
    return folder


@pytest.fixture
def room() -> Room:
    """A station with one critical alarm."""
    room = Room()
    room.put_alarm(room.critical())
    return room


@pytest.fixture
def serve(room: Room, static: Path, tmp_path: Path) -> Iterator[Serve]:
    """Start pages: `serve(host=…)`; they end with the test."""
    started: list[Page] = []

    def start(**change: Any) -> Page:
        settings = PageSettings(port=0, users_file=tmp_path / "users.json", heartbeat_ms=200)
        page = Page(room, structs.replace(settings, **change), SystemClock(), static)
        page.start()
        started.append(page)
        return page

    yield start
    for page in started:
        page.stop()
        assert not page.alive


@pytest.fixture
def users(tmp_path: Path) -> Users:
    """A viewer, an operator and an admin."""
    users = Users(tmp_path / "users.json")
    for role in Role:
        users.add(make_user(role.value, role, WORD, cost=2**4))
    return users


# --- Without users ----------------------------------------------------------------------------------------


def test_the_state_is_served_to_this_machine(serve: Serve) -> None:
    """Everything the page shows is there as JSON, alarms with what to do."""
    client = Client(serve())
    answer = client.get("/api/state")
    assert answer.status == 200
    assert [asset["id"] for asset in answer.data["assets"]] == ["box-7", "dewar-2"]
    assert answer.data["alarms"][0]["advice"].startswith("Open the box")
    me = client.get("/api/me").data
    assert (me["name"], me["authenticated"], me["heartbeat_ms"]) == ("unauthenticated", False, 200)
    assert me["quantities"]["temperature"] == {"unit": "°C", "decimals": 1, "per_display": 1000}


def test_an_action_without_users_is_marked(serve: Serve, room: Room) -> None:
    """Before logins exist an action counts, and its actor is nobody by name."""
    assert Client(serve()).post("/api/act", ACKNOWLEDGE).data == {"done": True, "position": 1}
    action, actor = room.acts[0]
    assert action == AcknowledgeAlarm("box-7/vapour/above-150", (1,), "on my way")
    assert (actor.name, actor.authenticated) == ("unauthenticated", False)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        pytest.param({"host": "evil.example"}, 421, id="foreign host"),
        pytest.param({"origin": "http://evil.example"}, 403, id="foreign origin"),
        pytest.param({"origin": ""}, 403, id="no origin"),
        pytest.param({"content_type": "application/x-www-form-urlencoded"}, 415, id="a form"),
        pytest.param({"content_type": "text/plain"}, 415, id="text"),
        pytest.param({"sec_fetch_site": "cross-site"}, 403, id="cross-site"),
        pytest.param({"x_forwarded_for": "192.0.2.1"}, 403, id="through an unknown proxy"),
    ],
)
def test_other_sites_cannot_act(serve: Serve, room: Room, headers: dict[str, str], status: int) -> None:
    """Nothing another site can make a browser send reaches the station."""
    assert Client(serve()).post("/api/act", ACKNOWLEDGE, **headers).status == status
    assert room.acts == []


def test_a_foreign_name_reads_nothing(serve: Serve) -> None:
    """A name that was made to point here gets neither state nor page."""
    client = Client(serve())
    for path in ("/", "/api/state", "/api/events"):
        assert client.get(path, host="evil.example").status == 421


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param(b"{", "truncated", id="no JSON"),
        pytest.param({"do": "dance"}, "dance", id="no such action"),
        pytest.param({"do": "end", "consignment": "C-1", "outcome": "lost"}, "lost", id="no such outcome"),
        pytest.param(ACKNOWLEDGE | {"actor": "boss"}, "actor", id="another's name in the body"),
        pytest.param(ACKNOWLEDGE | {"occurrences": "all"}, "array", id="not the occurrences"),
        pytest.param(ACKNOWLEDGE | {"comment": "  "}, "why", id="no reason"),
        pytest.param(ACKNOWLEDGE | {"comment": "x" * 3000}, "characters", id="a novel"),
    ],
)
def test_what_is_no_action(serve: Serve, room: Room, body: object, says: str) -> None:
    """A body that is not exactly an action is refused in words, and nothing happens."""
    answer = Client(serve()).post("/api/act", body)
    assert answer.status == 400
    assert says in answer.data["message"]
    assert room.acts == []


def test_a_body_without_end_is_cut(serve: Serve) -> None:
    """Nobody fills the gateway's memory."""
    assert Client(serve()).post("/api/act", b"[" * 70_000).status == 413


def test_a_refusal_of_the_station_is_told(serve: Serve, room: Room) -> None:
    """What the station refuses comes back in its words."""
    room.refuse = "the condition lasts"
    answer = Client(serve()).post("/api/act", ACKNOWLEDGE)
    assert (answer.status, answer.data["message"]) == (409, "the condition lasts")


@pytest.mark.parametrize(
    "query",
    [
        "channel=box-7-vapour",
        "channel=box-7-vapour&from=5&to=5&columns=10",
        "channel=box-7-vapour&from=0&to=9&columns=0",
        "channel=box-7-vapour&from=0&to=9&columns=1000000",
        "channel=box-7-vapour&from=a&to=9&columns=10",
        "from=0&to=9&columns=10",
    ],
)
def test_what_is_no_curve(serve: Serve, query: str) -> None:
    """A span or a width that makes no sense is refused, not guessed."""
    assert Client(serve()).get(f"/api/series?{query}").status == 400


def test_curves(serve: Serve, room: Room) -> None:
    """A curve comes reduced to the width that was asked for, compressed where the client can."""
    client = Client(serve())
    span = f"from={room.zero_utc - 36_000_000}&to={room.zero_utc}"
    path = f"/api/series?channel=box-7-vapour&{span}&columns=300"
    plain = client.get(path)
    assert plain.data["readings"] == 1200
    assert 290 <= len(plain.data["drawn"]["at_ms"]) <= 300
    packed = client.get(path, accept_encoding="gzip")
    assert packed.headers["content-encoding"] == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert client.get(f"/api/series?channel=nothing&{span}&columns=300").status == 404


# --- The page itself --------------------------------------------------------------------------------------


def test_files(serve: Serve) -> None:
    """The page is served from the package, sealed by headers; hidden files and other folders are not."""
    client = Client(serve())
    page = client.get("/", accept_encoding="gzip")
    assert page.status == 200
    assert page.headers["cache-control"] == "no-store"
    assert gzip.decompress(page.body).startswith(b"<!doctype html><title>page</title>")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert page.headers["x-content-type-options"] == "nosniff"
    assert "server" not in page.headers
    script = client.get("/assets/index-1a2b.js", accept_encoding="gzip, br")
    assert script.headers["content-type"].startswith("text/javascript")
    assert "immutable" in script.headers["cache-control"]
    assert gzip.decompress(script.body).startswith(b"let quiet")
    assert client.get("/assets/index-1a2b.js", if_none_match=script.headers["etag"]).status == 304
    for path in ("/.built-from", "/../users.json", "/assets/../../users.json", "/assets", "/nothing"):
        assert client.get(path).status == 404, path


def brought(client: Client, **headers: str) -> Any:
    """What the page brings with it, as a browser reads it; None if it brings nothing."""
    page = client.get("/", **headers)
    assert page.status == 200
    found = re.search(r'<script type="application/json" id="start">(.*?)</script></body>', page.body.decode())
    return None if found is None else msgspec.json.decode(found[1])


def test_who_comes_while_it_ends_is_let_go(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection accepted in the very moment in which the server closes is ended, not left behind."""
    page = serve()
    stop = Hub.stop
    late = socket.socket()

    async def come_late(hub: Hub) -> None:
        await stop(hub)
        late.connect(("127.0.0.1", page.port))
        for _ in range(2):  # seen in the first turn of the loop, accepted in the second
            await asyncio.sleep(0)

    monkeypatch.setattr(Hub, "stop", come_late)
    with late:
        page.stop()
        late.settimeout(10)
        with contextlib.suppress(ConnectionResetError):
            assert late.recv(1) == b""
    gc.collect()  # what was left behind would be reported by its end


def test_the_page_brings_the_state_with_it(serve: Serve, room: Room) -> None:
    """What is wrong stands in the page's first answer; the stream goes on from there."""
    client = Client(serve())
    start = brought(client)
    assert [alarm["id"] for alarm in start["state"]["alarms"]] == ["box-7/vapour/above-150"]
    assert start["state"]["head"]["asset_order"] == ["box-7", "dewar-2"]
    assert start["me"] == client.get("/api/me").data
    assert start["beat"]["beat_journal_ms"] <= start["beat"]["journal_ms"] <= room.clock.journal_ms()
    with client.events(since=start["since"]) as events:
        assert [name for name, _, _ in islice(events, 4)] == ["me", "beat", "beat", "beat"]


def test_no_text_ends_what_the_page_brings(serve: Serve, room: Room) -> None:
    """Words of an alarm that look like markup stay words: they can neither end the element nor run."""
    evil = "</script><script>alert(1)</script><!--"
    room.put_alarm(structs.replace(room.critical(), advice=evil))
    client = Client(serve())
    assert client.get("/").body.count(b"<script") == 1
    assert brought(client)["state"]["alarms"][0]["advice"] == evil


def test_the_page_brings_nothing_to_strangers(serve: Serve, users: Users) -> None:
    """Who may not see the state gets the page without it: not logged in, or led here by another site."""
    client = Client(serve())
    assert brought(client) is None
    assert client.login("viewer", WORD).status == 200
    assert brought(client)["me"]["name"] == "viewer"
    assert brought(client, sec_fetch_site="cross-site") is None


@pytest.mark.parametrize("how", ["fails", "hangs"])
def test_the_page_comes_without_a_state_rather_than_not(
    serve: Serve, room: Room, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """A station that fails or hangs keeps nobody from the page, which then says that it knows nothing."""
    released = threading.Event()
    if how == "fails":
        room.failing = True
    else:
        state = room.state
        monkeypatch.setattr(room, "state", lambda: (released.wait(20), state())[1])
    client = Client(serve())
    try:
        assert brought(client) is None
    finally:
        released.set()
        room.failing = False


def test_a_page_that_was_not_built(room: Room, tmp_path: Path) -> None:
    """Without a built page the API works and the answer says what to do."""
    page = Page(room, PageSettings(port=0, users_file=tmp_path / "u.json"), SystemClock(), tmp_path / "none")
    page.start()
    try:
        client = Client(page)
        assert client.get("/").status == 503
        assert b"make setup" in client.get("/").body
        assert client.get("/api/state").status == 200
    finally:
        page.stop()


# --- Events -----------------------------------------------------------------------------------------------


def test_the_stream_begins_with_everything(serve: Serve) -> None:
    """A page that knows nothing hears who it is, gets a heartbeat, then the whole state with its number."""
    with Client(serve()).events() as events:
        (hello, me, _), (beat, pulse, _), (name, state, number) = islice(events, 3)
    assert (hello, beat, name) == ("me", "beat", "state")
    assert me["name"] == "unauthenticated"
    assert pulse["journal_ms"] >= pulse["beat_journal_ms"]
    assert len(state["assets"]) == 2
    assert number


def test_only_what_differs_is_sent(serve: Serve, room: Room) -> None:
    """A reading of one asset sends that asset alone; an alarm that is gone is named as gone."""
    with Client(serve()).events() as events:
        list(islice(events, 3))
        room.bad("box-7-vapour", Reason.SENSOR_OPEN)
        change = next(data for name, data, _ in events if name == "change")
        assert [asset["id"] for asset in change["assets"]] == ["box-7"]
        assert change["assets"][0]["channels"][0]["reason"] == "sensor_open"
        assert change["alarms"] == []
        assert "head" not in change
        room.drop_alarm("box-7/vapour/above-150")
        change = next(data for name, data, _ in events if name == "change")
        assert change["gone"] == ["alarm:box-7/vapour/above-150"]


def test_a_page_that_was_away_gets_what_it_missed(serve: Serve, room: Room) -> None:
    """After a broken line the page names the last number it saw and gets the rest, not everything."""
    page = serve()
    with Client(page).events() as events:
        *_, (_, _, number) = islice(events, 3)
    room.put_alarm(room.critical("dewar-2/x"))
    with Client(page).events(since=number) as events:
        name, change, _ = next(event for event in events if event[0] in {"state", "change"})
    assert name == "change"
    assert [alarm["id"] for alarm in change["alarms"]] == ["dewar-2/x"]
    assert change["assets"] == []
    with Client(page).events(since="another-7") as events:
        assert next(event for event in events if event[0] in {"state", "change"})[0] == "state"


def test_heartbeats_come_while_nothing_happens_and_while_much_does(serve: Serve, room: Room) -> None:
    """The heartbeat depends on time alone: neither a calm hour nor a storm of readings keeps it back."""
    with Client(serve()).events() as events:
        assert [name for name, _, _ in islice(events, 6)] == ["me", "beat", "state", "beat", "beat", "beat"]
        stop = threading.Event()

        def storm() -> None:
            value = 0
            while not stop.wait(0.02):
                value += 1
                room.read("box-7-vapour", value)

        thread = threading.Thread(target=storm)
        thread.start()
        try:
            names = [name for name, _, _ in islice(events, 12)]
        finally:
            stop.set()
            thread.join()
        assert {"beat", "change"} <= set(names)


def test_a_station_that_fails_looks_dead(serve: Serve, room: Room) -> None:
    """When the state cannot be had the stream ends: an old state with a heartbeat would look alive."""
    with Client(serve()).events() as events:
        list(islice(events, 3))
        room.failing = True
        room.show(room.view)
        assert list(events)[-1][:2] == ("bye", {"why": "failed"})


def test_stopping_says_good_bye(serve: Serve) -> None:
    """Stopping ends open streams at once, so that pages know and the daemon need not wait."""
    page = serve()
    with Client(page).events() as events:
        list(islice(events, 3))
        page.stop()
        assert list(events)[-1][:2] == ("bye", {"why": "stopping"})


def test_changes_from_any_thread_after_the_end_harm_nothing(room: Room, static: Path, tmp_path: Path) -> None:
    """The writer's thread may tell of a change while the page is being stopped, and afterwards."""
    page = Page(room, PageSettings(port=0, users_file=tmp_path / "u.json"), SystemClock(), static)
    page.start()
    listeners = list(room._listeners)
    page.stop()
    assert room._listeners == []
    for changed in listeners:
        changed()


# --- With users -------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("users")
def test_once_users_exist_everybody_logs_in(serve: Serve, room: Room) -> None:
    """Not even this machine reads or acts without a login; the page itself holds no secret and is served."""
    client = Client(serve())
    for path in ("/api/me", "/api/state", "/api/series?x", "/api/events"):
        assert client.get(path).status == 401, path
    assert client.post("/api/act", ACKNOWLEDGE).status == 401
    assert room.acts == []
    assert client.get("/").status == 200


@pytest.mark.usefixtures("users")
def test_the_cookie(serve: Serve, tmp_path: Path) -> None:
    """The session's cookie is out of reach of scripts and other sites; its file is out of reach of others."""
    client = Client(serve())
    answer = client.login("operator", WORD)
    assert answer.status == 200
    assert answer.data["role"] == "operator"
    flags = {word.strip().lower().partition("=")[0] for word in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite", "path", "max-age"} <= flags
    assert "samesite=strict" in answer.headers["set-cookie"].lower()
    assert stat.S_IMODE((tmp_path / "users-sessions.json").stat().st_mode) == 0o600
    assert client.get("/api/state").status == 200
    assert client.post("/api/logout", {}).status == 204
    assert client.get("/api/state").status == 401


@pytest.mark.usefixtures("users")
@pytest.mark.parametrize(
    ("name", "action", "status"),
    [
        pytest.param("viewer", ACKNOWLEDGE, 403, id="a viewer only looks"),
        pytest.param("operator", ACKNOWLEDGE, 200, id="an operator acknowledges"),
        pytest.param(
            "operator", {"do": "bind", "channel": "c", "asset": "a", "role": "r"}, 403, id="and binds nothing"
        ),
        pytest.param(
            "admin", {"do": "bind", "channel": "c", "asset": "a", "role": "r"}, 200, id="an admin binds"
        ),
    ],
)
def test_roles(serve: Serve, room: Room, name: str, action: dict[str, Any], status: int) -> None:
    """Each role does what is its own; the actor of what is done is the login."""
    client = Client(serve())
    client.login(name, WORD)
    assert client.post("/api/act", action).status == status
    assert [actor for _, actor in room.acts] == (
        [Actor(name, Role(name), authenticated=True, address="127.0.0.1")] if status == 200 else []
    )
    if name == "admin":
        assert isinstance(room.acts[0][0], BindChannel)


@pytest.mark.usefixtures("users")
def test_guessing_is_slowed(serve: Serve) -> None:
    """After a few wrong passwords even the right one waits, and the answer says how long."""
    client = Client(serve())
    answers = [client.login("operator", "wrong wrong wrong") for _ in range(6)]
    assert [answer.status for answer in answers] == [401] * 5 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert client.login("operator", WORD).status == 429


def test_a_session_that_is_over_ends_its_stream(serve: Serve, users: Users) -> None:
    """Who is removed sees nothing more within a heartbeat."""
    client = Client(serve())
    client.login("viewer", WORD)
    with client.events() as events:
        list(islice(events, 3))
        users.remove("viewer")
        assert list(events)[-1][:2] == ("bye", {"why": "logged_out"})


def test_a_damaged_users_file_shuts_the_page(serve: Serve, users: Users) -> None:
    """While logins cannot be read nobody gets in; it never falls back to open."""
    client = Client(serve())
    client.login("admin", WORD)
    users.path.write_text("{")
    assert client.get("/api/state").status == 503
    assert client.post("/api/act", ACKNOWLEDGE).status == 503


# --- Where it listens -------------------------------------------------------------------------------------


def test_it_does_not_start_open_to_others(serve: Serve) -> None:
    """An address beyond loopback without logins is refused before anything listens."""
    with pytest.raises(ExposureError, match="coldchain user add"):
        serve(host="0.0.0.0")


def test_an_address_that_is_taken_is_told(serve: Serve) -> None:
    """A second page on the same port fails at once, in words."""
    first = serve()
    with pytest.raises(PageError, match=f"port {first.port}"):
        serve(port=first.port)


@pytest.mark.usefixtures("users")
def test_with_tls(serve: Serve, authority: Authority) -> None:
    """Under TLS the cookie is bound to this host and to TLS, and browsers are told to stay with it."""
    pair = authority.server()
    page = serve(certificate=pair.certificate, key=pair.key)
    client = Client(page, tls=ssl.create_default_context(cafile=str(authority.certificate)))
    answer = client.login("admin", WORD)
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("__Host-coldchain=")
    assert "; secure" in cookie.lower()
    assert "strict-transport-security" in answer.headers
    assert client.get("/api/state").status == 200
    assert page.url.startswith("https://")


@pytest.mark.usefixtures("users")
def test_behind_a_proxy(serve: Serve, room: Room) -> None:
    """Through the proxy one logs in under its name; past it nothing is served, loopback or not."""
    page = serve(behind_proxy=True, names=("cold.example.org",))
    client = Client(page)
    assert client.get("/api/state").status == 403
    through = {"host": "cold.example.org", "x_forwarded_proto": "https", "x_forwarded_for": "203.0.113.9"}
    login = {"name": "operator", "password": WORD}
    answer = client.post("/api/login", login, origin="https://cold.example.org", **through)
    assert answer.status == 200
    assert "secure" in answer.headers["set-cookie"].lower()
    client.cookie = answer.headers["set-cookie"].partition(";")[0]
    assert client.post("/api/act", ACKNOWLEDGE, origin="https://cold.example.org", **through).status == 200
    assert room.acts[0][1].address == "203.0.113.9"
