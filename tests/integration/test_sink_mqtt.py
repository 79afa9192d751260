"""The present state on a real broker that is stopped, frozen, robbed of its memory, or says no."""

import json
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from coldchain.clock import SystemClock
from coldchain.config.endpoints import BrokerSettings, MqttStateSink
from coldchain.model import Priority, Quality
from coldchain.sinks.base import (
    AlarmNow,
    AssetNow,
    CannotStart,
    ChannelNow,
    Message,
    Misconfigured,
    Present,
    Surroundings,
    Unreachable,
)
from coldchain.sinks.mqtt_state import MqttState
from coldchain.sinks.state_drain import StateDrain
from tests.servers import Authority, Mosquitto, MqttRelay, Packet, Peer, Side, wait_until
from tests.unit.sinks.world import AIR, HIGH, NOON, raised

PREFIX = "cell-bank"
MADE: list[MqttState] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Whatever a test made is closed at its end."""
    yield
    while MADE:
        MADE.pop().close()


def sink(port: int, *, path: Callable[[str], Path] = Path, timeout: str = "5 s", **broker: Any) -> MqttState:
    """A state sink on that port; `broker` adds to the broker's settings."""
    secret = broker.pop("secret", None)
    settings = BrokerSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "client_id": "gateway-7", **broker}
    )
    around = Surroundings(
        name="board",
        site="cell-bank",
        clock=SystemClock(trusted=True),
        secret=lambda file, variable: secret,
        broker=lambda name: settings,
        path=path,
    )
    made = MqttState(
        MqttStateSink.model_validate(
            {"kind": "mqtt_state", "broker": "local", "topic_prefix": PREFIX, "timeout": timeout}
        ),
        around,
    )
    MADE.append(made)
    return made


def present(
    value: int = -151_000, *, alarm: bool = True, position: int = 7, state: str = "unacknowledged"
) -> Present:
    """One box, one probe, and its alarm."""
    return Present(
        position=position,
        arrival_ms=1_000,
        utc_ms=NOON + 1_000,
        assets=(AssetNow("box-7", simulated=True, unapproved=True),),
        channels=(
            ChannelNow(AIR, "box-7", "air", "temperature", value, Quality.GOOD, at_ms=NOON, simulated=True),
        ),
        alarms=(
            AlarmNow(HIGH, Priority.CRITICAL, state, True, NOON, open=(1,), unapproved=True, simulated=True),
        )
        if alarm
        else (),
    )


class Board:
    """Somebody who comes late and reads what is retained."""

    def __init__(self, port: int, **more: Any) -> None:
        self.port = port
        self.more = more

    def read(self) -> dict[str, Any]:
        """Everything that is retained, by topic without the prefix."""
        with Peer(self.port, subscribe=[f"{PREFIX}/#"], **self.more) as peer:
            # Retained messages come before a message published after the subscription.
            peer.publish(f"{PREFIX}/end", b"end", retain=False)
            wait_until(lambda: any(m.topic == f"{PREFIX}/end" for m in peer.messages), what="all came")
            found = {m.topic.removeprefix(f"{PREFIX}/"): m.payload for m in peer.messages if m.retain}
        return {
            topic: text.decode() if topic == "status" else json.loads(text) for topic, text in found.items()
        }


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_the_board_shows_everything(mosquitto: Mosquitto, protocol: str) -> None:
    """Whoever subscribes finds asset, channel, alarm, heartbeat and status, with the warning marks."""
    made = sink(mosquitto.port, protocol=protocol)
    made.show(present(), all_of_it=True)
    board = Board(mosquitto.port).read()
    assert set(board) == {"asset/box-7", f"channel/{AIR}", f"alarm/{HIGH}", "heartbeat", "status"}
    assert board["status"] == "online"
    assert board["heartbeat"] == {"position": 7, "journal_ms": 1_000, "utc": "2026-11-02T14:26:11.000Z"}
    channel = board[f"channel/{AIR}"]
    assert (channel["value"], channel["quality"], channel["at_ms"]) == (-151_000, "good", NOON)
    alarm = board[f"alarm/{HIGH}"]
    assert (alarm["state"], alarm["priority"], alarm["open"]) == ("unacknowledged", "critical", [1])
    assert all(board[topic]["simulated"] for topic in ("asset/box-7", f"channel/{AIR}", f"alarm/{HIGH}"))
    assert board[f"alarm/{HIGH}"]["unapproved"] is True


def test_only_what_changed_is_published(mosquitto: Mosquitto) -> None:
    """Between refreshes a reading costs one message, not the whole board."""
    made = sink(mosquitto.port)
    made.show(present(), all_of_it=True)
    with Peer(mosquitto.port, subscribe=[f"{PREFIX}/#"]) as peer:
        wait_until(lambda: len(peer.messages) == 5, what="the retained board")
        made.show(present(-150_000, position=8), all_of_it=False)
        wait_until(lambda: len(peer.messages) >= 6, what="the change")
        made.show(present(-150_000, position=9), all_of_it=True)
        wait_until(lambda: len(peer.messages) == 11, what="the refresh")
        assert [m.topic for m in peer.messages[5:6]] == [f"{PREFIX}/channel/{AIR}"]


def test_what_is_gone_leaves_the_board(mosquitto: Mosquitto) -> None:
    """A removed alarm's topic disappears, so nobody sees an alarm that is no more."""
    made = sink(mosquitto.port)
    made.show(present(), all_of_it=True)
    made.show(present(alarm=False), all_of_it=False)
    assert f"alarm/{HIGH}" not in Board(mosquitto.port).read()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_what_an_earlier_run_left_is_cleared(mosquitto: Mosquitto, protocol: str) -> None:
    """Topics retained by a run that died long ago, of assets that are gone, do not stay for ever."""
    with Peer(mosquitto.port) as ghost:
        ghost.publish(f"{PREFIX}/alarm/box-1/air/high", b'{"state":"unacknowledged"}', retain=True)
        ghost.publish("elsewhere/alarm/x", b"{}", retain=True)
    made = sink(mosquitto.port, protocol=protocol)

    def cleared() -> bool:
        made.show(present(), all_of_it=True)
        return "alarm/box-1/air/high" not in Board(mosquitto.port).read()

    wait_until(cleared, what="the ghost is gone")
    assert f"alarm/{HIGH}" in Board(mosquitto.port).read()
    with Peer(mosquitto.port, subscribe=["elsewhere/#"]) as peer:
        peer.wait_for(1)


def test_the_broker_says_when_we_vanish(mosquitto: Mosquitto, relay: MqttRelay) -> None:
    """When the connection breaks, "offline" stands on the board without our doing; then "online" again."""
    made = sink(relay.port)
    made.show(present(), all_of_it=True)
    relay.cut()
    wait_until(lambda: Board(mosquitto.port).read()["status"] == "offline", what="the will is out")
    wait_until(made.lost, what="the sink knows")
    made.show(present(), all_of_it=False)
    assert Board(mosquitto.port).read()["status"] == "online"


def test_leaving_says_offline(mosquitto: Mosquitto) -> None:
    """An orderly end is said as well: the broker sends no will then."""
    made = sink(mosquitto.port)
    made.show(present(), all_of_it=True)
    made.close()
    assert Board(mosquitto.port).read()["status"] == "offline"


def test_a_broker_that_lost_its_memory_is_told_again(
    mosquitto_server: Callable[..., Mosquitto],
) -> None:
    """After a restart without persistence the board is whole again, though nothing changed meanwhile."""
    broker = mosquitto_server(persistence=False)
    made = sink(broker.port)
    now = present()
    drain = StateDrain(made, lambda: now, SystemClock(trusted=True))
    drain.step()
    whole = Board(broker.port).read()
    broker.kill()
    broker.start()
    assert Board(broker.port).read() == {}

    def whole_again() -> bool:
        try:
            drain.step()
        except Unreachable:
            return False
        return Board(broker.port).read() == whole

    wait_until(whole_again, what="the board is whole again")


def test_a_broker_that_is_down(mosquitto: Mosquitto) -> None:
    """Nothing is queued for later: what was true while it was down does not arrive behind the present."""
    made = sink(mosquitto.port)
    made.show(present(-151_000), all_of_it=True)
    mosquitto.stop()
    wait_until(made.lost, what="the sink knows")
    with pytest.raises(Unreachable):
        made.show(present(-140_000), all_of_it=False)
    mosquitto.start()
    with Peer(mosquitto.port, subscribe=[f"{PREFIX}/channel/#"]) as peer:
        made.show(present(-150_000), all_of_it=False)
        wait_until(lambda: any(b"-150000" in m.payload for m in peer.messages), what="the present")
        assert not any(b"-140000" in m.payload for m in peer.messages)


def test_every_publish_waits_for_its_puback(relay: MqttRelay) -> None:
    """Without the broker's word it was not shown: the sink says so, and begins a new connection."""
    made = sink(relay.port, timeout="500 ms")
    made.show(present(), all_of_it=True)
    with relay.hold(Packet.PUBACK, Side.BROKER), pytest.raises(Unreachable, match="not acknowledged"):
        made.show(present(-150_000), all_of_it=False)
    assert made.lost()
    made.show(present(-150_000), all_of_it=False)
    assert relay.acknowledged() is not None


def test_a_frozen_broker_is_noticed(mosquitto: Mosquitto) -> None:
    """A broker that is alive for TCP only costs one time-out, no hanging thread."""
    made = sink(mosquitto.port, timeout="300 ms")
    made.show(present(), all_of_it=True)
    mosquitto.freeze()
    with pytest.raises(Unreachable):
        made.show(present(-150_000), all_of_it=False)
    with pytest.raises(Unreachable):
        made.show(present(-150_000), all_of_it=False)
    mosquitto.thaw()
    made.show(present(-150_000), all_of_it=False)
    assert Board(mosquitto.port).read()[f"channel/{AIR}"]["value"] == -150_000


def test_an_unrecorded_alarm_is_shown_at_once(mosquitto: Mosquitto) -> None:
    """What no journal holds goes out on a topic of its own, not retained, marked as not recorded."""
    made = sink(mosquitto.port)
    with Peer(mosquitto.port, subscribe=[f"{PREFIX}/unrecorded"]) as peer:
        assert made.tell(Message("k-1", 3, 0, raised(), 0, NOON, 5, unrecorded=True)) == "PUBACK"
        (text,) = peer.wait_for(1)
    said = json.loads(text)
    assert (said["key"], said["unrecorded"]) == ("k-1", True)
    assert said["text"].startswith("[NOT RECORDED]")
    assert "unrecorded" not in Board(mosquitto.port).read()


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_wrong_password_is_for_a_person(mosquitto_server: Callable[..., Mosquitto], protocol: str) -> None:
    """A refusal is not a broken line: it says what to check."""
    broker = mosquitto_server(users={"gateway": "right"})
    made = sink(broker.port, user="gateway", password_env="X", secret="wrong", protocol=protocol)
    with pytest.raises(Misconfigured, match="check user and password"):
        made.show(present(), all_of_it=True)
    right = sink(broker.port, user="gateway", password_env="X", secret="right", protocol=protocol)
    right.show(present(), all_of_it=True)


# paho leaves the socket of a failed handshake to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_over_tls(mosquitto_server: Callable[..., Mosquitto], authority: Authority) -> None:
    """With the site's own authority and a client certificate; a stranger's server is refused."""
    pair = authority.client("gateway-7")
    broker = mosquitto_server(
        tls=authority.server(), client_authority=authority, use_identity_as_username=True
    )
    files = {
        "tls": True,
        "ca_file": str(authority.certificate),
        "certificate_file": str(pair.certificate),
        "key_file": str(pair.key),
    }
    sink(broker.port, **files).show(present(), all_of_it=True)
    context = ssl.create_default_context(cafile=authority.certificate)
    context.load_cert_chain(pair.certificate, pair.key)
    assert Board(broker.port, tls=context).read()["status"] == "online"
    with pytest.raises(Misconfigured, match="certificate verify failed"):
        sink(broker.port, tls=True).show(present(), all_of_it=True)


def test_certificates_that_are_not_there(mosquitto: Mosquitto, tmp_path: Path) -> None:
    """A missing file is said with its name when the sink is made."""
    with pytest.raises(CannotStart, match="read its certificates"):
        sink(mosquitto.port, tls=True, ca_file=str(tmp_path / "none.pem"))


def test_odd_names_become_topics(mosquitto: Mosquitto) -> None:
    """An alarm of a port ("port:x") and a name with what a topic cannot hold still find their place."""
    odd = Present(1, 0, None, alarms=(AlarmNow("port:a+b#c", Priority.HIGH, "unacknowledged", True),))
    made = sink(mosquitto.port)
    made.show(odd, all_of_it=True)
    assert Board(mosquitto.port).read()["alarm/port:a_b_c"]["id"] == "port:a+b#c"


def test_a_big_board(mosquitto: Mosquitto) -> None:
    """Hundreds of topics go out within the broker's window, each acknowledged."""
    channels = tuple(ChannelNow(f"c{n}", "box-7", f"r{n}", "temperature", n) for n in range(500))
    made = sink(mosquitto.port)
    made.show(Present(1, 0, None, channels=channels), all_of_it=True)
    assert len(Board(mosquitto.port).read()) == 502


def test_a_broker_that_lets_nobody_write_there(mosquitto_server: Callable[..., Mosquitto]) -> None:
    """A topic that the user may not write is down with a reason, not a board that shows nothing."""
    broker = mosquitto_server(users={"gateway": "right"}, acl="user gateway\ntopic readwrite elsewhere/#\n")
    made = sink(broker.port, user="gateway", password_env="X", secret="right")
    with pytest.raises((Misconfigured, Unreachable)):
        made.show(present(), all_of_it=True)
