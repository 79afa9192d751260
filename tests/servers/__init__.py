"""Real programs for tests: a broker, a time-series database, an alert manager, a browser.

Nothing is installed and no system service is started. `find(program)` takes a program from the machine, or
unpacks its Debian packages into a cache folder of the user (once per machine, no root needed). What cannot be
had fails the test, with the exact line that would install it; it never skips.

    from tests.servers import Mosquitto, VictoriaMetrics, Alertmanager, Authority, Peer, MqttRelay
    from tests.servers import find, free_port, wait_until, Packet, Side, Fate

Every server is a context manager on a free loopback port; its files lie in the folder you give it.

    with Mosquitto(tmp_path) as broker:            # anonymous, persistent, saved every second
        broker.port; broker.host                   # "127.0.0.1"; the port stays the same for its whole life
        broker.log                                 # what it has said so far (text); broker.folder, broker.pid
        broker.stop()                              # SIGTERM and wait; start() again on the same port and data
        broker.kill()                              # SIGKILL: a power cut for the broker
        broker.restart()                           # stop (if it runs) and start
        broker.freeze(); broker.thaw()             # SIGSTOP, SIGCONT: alive for TCP, dead for MQTT
    Mosquitto(tmp_path, users={"gateway": "secret"})        # password file, nobody anonymous
    Mosquitto(tmp_path, users=..., acl="user gateway\\ntopic read #\\n")
    Mosquitto(tmp_path, tls=ca.server(), client_authority=ca)        # TLS; asks for client certificates
    Mosquitto(tmp_path, max_inflight_messages=1000, set_tcp_nodelay=True)   # mosquitto.conf's own names

    with VictoriaMetrics(tmp_path) as store:       # start, stop, kill, restart, freeze, thaw, log as above
        store.url                                  # "http://127.0.0.1:PORT", for influxdb-client too
        store.export('temp_value{asset="a"}')      # flushes, then list of Series(name, labels, points)
                                                   # points: ((time_ms, value), ...), in time order

    with Alertmanager(tmp_path, webhook=url) as manager: manager.url; manager.alerts()

    ca = Authority(tmp_path)                       # only writes files; valid from 1970 to 2100
    ca.certificate                                 # Path of the CA's PEM, for cafile= / ca_certs=
    pair = ca.server(); pair.certificate, pair.key # for 127.0.0.1, ::1 and localhost
    ca.server(names=("elsewhere.test",)); ca.client("gateway-7"); ca.server(expired=True)

    with Peer(broker.port, "gateway", subscribe=["probe/#"]) as peer:   # paho, with a lasting session
        peer.publish("probe/1", b"a", b"b")        # returns when acknowledged
        peer.wait_for(2)                           # payloads in the order they came; peer.messages
        peer.vanish()                              # gone without a good-bye, comes back by itself
    Peer(port, "gateway", acknowledge=False)       # then peer.acknowledge(message) by hand
    Peer(port)                                     # without a name the session ends with the connection
    Peer(port, mqtt5=False, user=..., password=..., tls=ssl_context)

    with MqttRelay(broker.port) as relay:          # MQTT 3.1.1 and 5, recorded packet by packet
        client.connect(relay.host, relay.port)
        relay.records                              # every Record so far: order, connection, sender, kind,
                                                   #   packet_id, raw, fate; PUBLISH: topic, payload, dup, qos
        relay.of(Packet.PUBACK, Side.CLIENT)       # only those; a third argument picks the Fate
        relay.acknowledged()                       # the broker's PUBLISHes whose PUBACK the client sent
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=5)      # counted since the start; has a deadline
        with relay.hold(Packet.PUBACK, Side.CLIENT, after=3):    # three pass, the rest is kept back and
            ...                                                  #   sent in order at the block's end
        with relay.discard(Packet.PINGRESP, Side.BROKER): ...    # never arrives
        rule = relay.hold(); rule.release()        # everything, both ways: a dead line that tells nobody
        relay.delay(0.05); relay.delay(0)          # latency each way, order kept
        relay.cut(); relay.cut(reset=False)        # RST or FIN on both sides; the relay goes on listening
        relay.cut_at(Packet.PUBLISH, Side.BROKER, count=3)       # RST in place of the third from now
        relay.refuse(); relay.accept()             # new connections are refused, taken again
        relay.connections; relay.fragments         # open ones; bytes that were no whole packet

Fixtures (tests/servers/fixtures.py, loaded by tests/conftest.py). A test that uses one is marked `servers` or
`browser` by itself:

    mosquitto         function scope: a running Mosquitto with defaults, in tmp_path/"mosquitto"
    mosquitto_server  function scope: mosquitto_server(**settings) starts one more; ended with the test
    victoria_metrics  function scope: a running, empty VictoriaMetrics
    alertmanager      function scope: alertmanager(webhook=url) starts one; ended with the test
    authority         session scope: a throw-away CA
    relay             function scope: an MqttRelay in front of `mosquitto`
    browser           module scope: playwright's Browser (sync API) on Debian's Chromium; while it runs,
                      `asyncio.run` is refused in the same thread, so it ends with the module
    page              function scope: a fresh Page (own context) whose page errors fail the test

`free_port()` gives a loopback port nobody else is given while this process lives; `wait_until(condition,
what=..., deadline_s=...)` polls and fails with `what`.
"""

from tests.servers.alertmanager import Alertmanager
from tests.servers.certificates import Authority, Pair
from tests.servers.mosquitto import Mosquitto
from tests.servers.mqtt_wire import Packet, Side
from tests.servers.peer import Peer
from tests.servers.process import Server, free_port, wait_until
from tests.servers.programs import Program, ProgramMissingError, find
from tests.servers.relay import Fate, MqttRelay, Record, Rule
from tests.servers.victoria import Series, VictoriaMetrics

__all__ = [
    "Alertmanager",
    "Authority",
    "Fate",
    "Mosquitto",
    "MqttRelay",
    "Packet",
    "Pair",
    "Peer",
    "Program",
    "ProgramMissingError",
    "Record",
    "Rule",
    "Series",
    "Server",
    "Side",
    "VictoriaMetrics",
    "find",
    "free_port",
    "wait_until",
]
