"""One broker: its thread, and the connections it has one after the other.

The network loop runs in a thread of our own (paho's documented interface for other loops), because
only so may an acknowledgement be sent: after the check that its connection still stands, and with
nothing in between. It also means that nothing which goes wrong inside paho can end the thread
behind our back.
"""

from __future__ import annotations

import logging
import select
import ssl
import threading
from pathlib import Path
from typing import Any, Protocol

import paho.mqtt.client as paho
from paho.mqtt.enums import MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from coldchain.clock import Clock
from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import BrokerSettings
from coldchain.pipeline.intake import Intake
from coldchain.ports.acknowledging import Window
from coldchain.ports.backoff import Backoff
from coldchain.ports.bell import Bell
from coldchain.ports.broker_client import make_client
from coldchain.ports.inbox import Inbox, Message, Verdict
from coldchain.ports.outlet import Outlet
from coldchain.session import Publication

_log = logging.getLogger(__name__)

#: How long the broker may take to let us in and confirm our subscriptions.
_STANDING_S = 10.0
#: A connection that lasted so long was a good one: the next try comes soon.
_GOOD_S = 10.0
#: How long a connection that is given up waits for what it has handed in to be committed and acknowledged.
DRAIN_S = 10.0
DRAIN_STOPPING_S = 1.0
#: How long a farewell may take to reach the broker.
_FAREWELL_S = 0.3
#: Packets read before acknowledgements have their turn again.
_PACKETS_A_ROUND = 100
#: Topic filters in one SUBSCRIBE.
_FILTERS_A_PACKET = 100


class _Numbered(Protocol):
    def fileno(self) -> int: ...


class _Failed(Exception):
    """A callback met something unexpected; raised again outside of paho."""


class _Connection:
    """One connection from CONNECT to its end: the generation that its acknowledgements belong to."""

    def __init__(self, port: MqttPort, client: paho.Client) -> None:
        self.taken = 0
        self.refused = False
        self.stood_s: float | None = None  # since when connected and subscribed
        self._port = port
        self._clock = port.clock
        self._bell = port.bell
        self._inbox = port.inbox
        self._window = Window(port.bell)
        self._client = client
        self._packets = 0
        self._asked: dict[int, list[str]] = {}  # by mid of the SUBSCRIBE
        self._denied: dict[str, str] = {}  # topic filter: what the broker said
        self._ended: str | None = None
        self._failed: Exception | None = None
        self._drain_s: float | None = None
        self._started_s = self._clock.real_s()
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message

    def serve(self) -> str:
        """Connect and work until it ends; the answer is why. Raises OSError."""
        self._client.reconnect()
        while self._ended is None:
            self._port.alive_now()
            now_s = self._clock.real_s()
            if self.stood_s is None and now_s - self._started_s > _STANDING_S:
                return f"no answer from the broker in {_STANDING_S:g} s"
            if self._port.stopping and self._drain_s is None:
                self._drain_s = now_s + DRAIN_STOPPING_S
            if self._drain_s is not None and (not len(self._window) or now_s >= self._drain_s):
                return "no room for what the broker sends; it is asked to send it again"
            self._turn()
            self._inbox.tick()
        return self._ended

    def close(self) -> None:
        """Say good-bye if anybody listens, and give the socket back. The session stays."""
        self._client.on_disconnect = None
        if self._client.socket() is not None:
            try:
                if self.stood_s is not None:
                    self._say_farewell()
                self._client.disconnect()
            except (OSError, ValueError) as error:
                _log.debug("good-bye to %s: %s", self._port.name, error)
        left = self._client.socket()
        if left is not None:
            left.close()

    def _say_farewell(self) -> None:
        """Publish what is to be said before leaving, and wait a moment for the broker to have it.

        If the socket closed behind it, the broker could fail to send us something before it reads the
        good-bye, and publish the will on top.
        """
        said = self._publish(self._inbox.sessions.closing())
        until_s = self._clock.real_s() + _FAREWELL_S
        while not all(each.is_published() for each in said):
            sock, left_s = self._client.socket(), until_s - self._clock.real_s()
            if sock is None or left_s <= 0:
                return
            if select.select([sock], [], [], left_s)[0]:
                self._client.loop_read()

    def _turn(self) -> None:
        """Wait for something to happen, and do it."""
        client = self._client
        sock = client.socket()
        if sock is None:
            self._ended = self._ended or "connection lost"
            return
        buffered = isinstance(sock, ssl.SSLSocket) and sock.pending() > 0
        reading: list[_Numbered] = [sock, self._bell]
        writing = [sock] if client.want_write() else []
        wait_s = self._inbox.sessions.wait_s(1.0) if self.stood_s is not None else 1.0
        readable, writable, _ = select.select(reading, writing, [], 0 if buffered else wait_s)
        if self._bell in readable:
            self._bell.hear()
        if sock in readable or buffered:
            self._read()
        if writable and client.socket() is not None:
            client.loop_write()
        client.loop_misc()
        if self._failed is not None:
            raise _Failed(f"{type(self._failed).__name__}: {self._failed}") from self._failed
        if client.socket() is not None and client.is_connected():
            for mid in self._window.ready():
                client.ack(mid, 1)
        if self.stood_s is not None and client.socket() is not None and self._drain_s is None:
            self._inbox.fire()
            self._publish(self._inbox.wanted())

    def _publish(self, publications: list[Publication]) -> list[paho.MQTTMessageInfo]:
        return [
            self._client.publish(each.topic, each.payload, each.qos, each.retain) for each in publications
        ]

    def _read(self) -> None:
        for _ in range(_PACKETS_A_ROUND):
            before = self._packets
            if self._client.loop_read() != MQTTErrorCode.MQTT_ERR_SUCCESS or self._packets == before:
                return

    # What paho calls, in our own thread

    def _on_connect(
        self, client: paho.Client, _data: object, flags: paho.ConnectFlags, reason: ReasonCode, _more: object
    ) -> None:
        if reason.is_failure:
            self._ended = f"the broker refuses us: {reason}"
            return
        gone = self._port.forget
        if gone:
            client.unsubscribe(sorted(gone))
        filters = self._inbox.filters
        if flags.session_present and self._port.subscribed == frozenset(filters):
            self._stands({})
            return
        for at in range(0, len(filters), _FILTERS_A_PACKET):
            some = list(filters[at : at + _FILTERS_A_PACKET])
            _, mid = client.subscribe(self._subscriptions(some))
            assert mid is not None
            self._asked[mid] = some

    def _subscriptions(self, filters: list[str]) -> Any:
        if self._port.settings.protocol != "5":
            return [(each, 1) for each in filters]
        # Retained messages come with a subscription that is new, not again on each reconnection.
        options = SubscribeOptions(qos=1, retainHandling=SubscribeOptions.RETAIN_SEND_IF_NEW_SUB)
        return [(each, options) for each in filters]

    def _on_subscribe(
        self, _client: paho.Client, _data: object, mid: int, reasons: list[ReasonCode], _more: object
    ) -> None:
        filters = self._asked.pop(mid, [])
        refused = {each: str(why) for each, why in zip(filters, reasons, strict=False) if why.is_failure}
        self._denied |= refused
        if not self._asked:
            self._stands(self._denied)

    def _stands(self, refused: dict[str, str]) -> None:
        """Connected and subscribed: who can be heard is up."""
        self.stood_s = self._clock.real_s()
        if not refused:
            self._port.subscribed = frozenset(self._inbox.filters)
            self._port.forget = frozenset()
        without: dict[str, str] = {}
        for topic_filter, why in refused.items():
            for outlet in self._inbox.of_filter(topic_filter):
                without[outlet.source.id] = f'the broker refuses the topic "{topic_filter}": {why}'
        for outlet in self._inbox.outlets:
            if outlet.source.id in without:
                outlet.fails(without[outlet.source.id])
            else:
                outlet.connected(self._port.detail)
        self._inbox.opened()

    def _on_disconnect(
        self,
        _client: paho.Client,
        _data: object,
        flags: paho.DisconnectFlags,
        reason: ReasonCode,
        _more: object,
    ) -> None:
        if flags.is_disconnect_packet_from_server:
            why = f"the broker ended the connection: {reason}"
        elif reason == "Unspecified error":  # all that paho says of a socket that broke
            why = "connection lost"
        else:
            why = f"connection lost: {reason}"
        self._ended = self._ended or why

    def _on_message(self, _client: paho.Client, _data: object, sent: paho.MQTTMessage) -> None:
        self._packets += 1
        try:
            self._take(sent)
        except Exception as error:  # noqa: BLE001 - paho would end the loop with it; it is raised outside
            self._failed = error

    def _take(self, sent: paho.MQTTMessage) -> None:
        if self._failed is not None:
            return
        try:
            topic = sent.topic
        except UnicodeDecodeError:
            topic = ""
        message = Message(topic, bytes(sent.payload), sent.qos, sent.retain, sent.dup)
        if sent.qos == 0:
            self.taken += self._inbox.take(message, None) is not Verdict.REFUSED
            return
        if self._drain_s is not None:
            return  # not acknowledged: it comes again on the next connection
        token = self._window.arrived(sent.mid)
        verdict = self._inbox.take(message, self._window.settling(token))
        if verdict is Verdict.REFUSED:
            self._window.refuse(token)
            self.refused = True
            self._drain_s = self._clock.real_s() + DRAIN_S
            return
        self.taken += 1
        token.done = token.done or verdict is Verdict.NOTHING


class MqttPort:
    """A thread for the sources of one broker. `start` once; `ask_to_stop` and `join` end it."""

    def __init__(
        self,
        broker: str,
        settings: BrokerSettings,
        outlets: tuple[Outlet, ...],
        intake: Intake,
        clock: Clock,
        *,
        base: Path,
        forget: frozenset[str] = frozenset(),
    ) -> None:
        """`forget`: filters of an older configuration that the broker may still keep for us."""
        self.name = broker
        self.settings = settings
        self.outlets = outlets
        self.clock = clock
        self.bell = Bell()
        self.inbox = Inbox(broker, outlets, intake, clock)
        self.forget = (forget | self.inbox.claimed) - frozenset(self.inbox.filters)
        self.subscribed: frozenset[str] | None = None
        self.beat_s = clock.real_s()
        session = "a clean session" if settings.clean_session else "a session that is kept"
        self.detail = f"{settings.host}:{settings.port_number}, MQTT {settings.protocol}, {session}"
        self._intake = intake
        self._base = base
        self._stopping = threading.Event()
        self._backoff = Backoff()
        self._thread = threading.Thread(target=self._run, name=f"broker {broker}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End soon: what was handed in is acknowledged if it is committed within a second."""
        self._stopping.set()
        self.bell.ring()

    def hurry(self, sources: frozenset[str]) -> None:
        """Nothing: nobody can ask these devices to send more often."""

    def join(self, wait_s: float) -> bool:
        """Whether the thread has ended, after waiting at most so long."""
        if self._thread.ident is not None:
            self._thread.join(max(0.0, wait_s))
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping.is_set()

    def alive_now(self) -> None:
        """A sign of life for the watchdog."""
        self.beat_s = self.clock.real_s()

    def _run(self) -> None:
        try:
            while not self._stopping.is_set():
                self.alive_now()
                why, refused = self._try()
                if not self._stopping.is_set():
                    self._fell(why, refused=refused)
        finally:
            self.inbox.finish()
            self.bell.close()

    def _try(self) -> tuple[str, bool]:
        """One connection; why it ended, and whether for want of room."""
        try:
            return self._connect()
        except SecretUnavailable as error:
            return str(error), False
        except ssl.SSLCertVerificationError as error:
            mend = "check the broker's certificate, host and ca_file, and this gateway's clock"
            return f"{self.settings.host}:{self.settings.port_number}: {error.verify_message}; {mend}", False
        except OSError as error:
            return f"{self.settings.host}:{self.settings.port_number}: {error}", False
        except Exception as error:  # noqa: BLE001 - the thread's outer edge: a defect must not end a port
            _log.exception("broker %s", self.name)
            return f"{type(error).__name__}: {error}", False

    def _fell(self, why: str, *, refused: bool) -> None:
        """The connection is over: say so, and wait before the next."""
        for outlet in self.outlets:
            outlet.lost(why)
        self._pause(self._backoff.wait_s())
        # An offer of nothing tells whether the intake takes anything at all.
        while refused and not self._stopping.is_set() and not self._intake.offer(()):
            self._pause(1.0)

    def _connect(self) -> tuple[str, bool]:
        will = self.inbox.sessions.connecting()
        connection = _Connection(self, make_client(self.settings, self._base, will))
        try:
            why = connection.serve()
        finally:
            connection.close()
            stood_s = connection.stood_s
            if connection.taken or (stood_s is not None and self.clock.real_s() - stood_s >= _GOOD_S):
                self._backoff.reset()
        return why, connection.refused

    def _pause(self, wait_s: float) -> None:
        until_s = self.clock.real_s() + wait_s
        while (left_s := until_s - self.clock.real_s()) > 0 and not self._stopping.wait(min(left_s, 1.0)):
            self.alive_now()
            self.inbox.tick()
