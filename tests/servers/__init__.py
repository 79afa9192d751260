"""Real programs for tests: a broker, a time-series database, an alert manager, a browser.

Nothing is installed and no system service is started. `find(program)` takes a program from the machine, or
unpacks its Debian packages into a cache folder of the user (once per machine, no root needed). What cannot be
had fails the test, with the exact line that would install it; it never skips.

    from tests.servers import Mosquitto, VictoriaMetrics, Alertmanager, Authority, MqttRelay
    from tests.servers import find, free_port, wait_until, Packet, Side

Every server is a context manager on a free loopback port; its files lie in the folder you give it.

    with Mosquitto(tmp_path) as broker:            # anonymous, persistent, saved every second
        broker.port; broker.host                   # "127.0.0.1"; the port stays the same for its whole life
        broker.log                                 # what it has said so far (text); broker.folder, broker.pid
        broker.stop()                              # SIGTERM and wait; start() again on the same port and data
        broker.kill()                              # SIGKILL: a power cut for the broker
        broker.restart()                           # stop (if it runs) and start
        broker.freeze(); broker.thaw()             # SIGSTOP, SIGCONT: alive for TCP, dead for MQTT
    Mosquitto(tmp_path, users={"gateway": "secret"})          # password file, nobody anonymous
    Mosquitto(tmp_path, users=..., acl="user gateway\\ntopic read #\\n")
    Mosquitto(tmp_path, tls=authority.server(), client_authority=authority)   # TLS; asks for client certificates
    Mosquitto(tmp_path, max_inflight_messages=1000, set_tcp_nodelay=True)     # any mosquitto.conf option by name

    with VictoriaMetrics(tmp_path) as store:       # start, stop, kill, restart, freeze, thaw, log as above
        store.url                                  # "http://127.0.0.1:PORT", for influxdb-client too
        store.export('temp_value{asset="a"}')      # flushes, then list of Series(name, labels, points)
                                                   # points: ((time_ms, value), ...), in time order

    with Alertmanager(tmp_path, webhook=url) as manager: manager.url; manager.alerts()

    with Authority(tmp_path) as ca:                # or Authority(tmp_path) alone: it only writes files
        ca.certificate                             # Path of the CA's PEM, for cafile= / ca_certs=
        pair = ca.server(); pair.certificate, pair.key          # for 127.0.0.1, ::1 and localhost
        ca.server(names=("elsewhere.test",)); ca.client("gateway-7"); ca.server(expired=True)

    with MqttRelay(broker.port) as relay:          # MQTT 3.1.1 and 5, recorded packet by packet
        client.connect("127.0.0.1", relay.port)
        relay.records                              # tuple of Record(order, connection, sender, kind, packet_id,
                                                   #   raw, fate; topic, payload, dup for PUBLISH)
        relay.of(Packet.PUBACK, Side.CLIENT)       # only those
        relay.acknowledged()                       # PUBLISHes of the broker whose PUBACK the client really sent
        relay.wait_for(Packet.PUBACK, Side.CLIENT, count=5)     # blocks with a deadline, AssertionError after it
        with relay.hold(Packet.PUBACK, Side.CLIENT): ...        # kept back, sent in order at the end of the block
        with relay.discard(Packet.PINGRESP, Side.BROKER): ...   # never arrives
        relay.hold()                               # everything, both ways: the line is silently dead
        relay.delay(0.05); relay.delay(0)          # latency each way, order kept
        relay.cut(); relay.cut(reset=False)        # RST or FIN on both sides, the relay goes on listening
        relay.cut_at(Packet.PUBLISH, Side.BROKER, count=3)      # cut instead of forwarding the third from now
        relay.refuse(); relay.accept()             # new connections are closed at once

Fixtures (tests/servers/fixtures.py, loaded by tests/conftest.py):

    mosquitto         function scope: a running Mosquitto with defaults, in tmp_path/"mosquitto"
    mosquitto_server  function scope: mosquitto_server(**settings) starts one more; ended with the test
    victoria_metrics  function scope: a running, empty VictoriaMetrics
    alertmanager      function scope: alertmanager(webhook=url) starts one; ended with the test
    authority         session scope: a throw-away CA
    relay             function scope: an MqttRelay in front of `mosquitto`
    browser           module scope: playwright's Browser (sync API) on Debian's Chromium. Ended with the module:
                      while it runs, `asyncio.run` is refused in the same thread.
    page              function scope: a fresh Page (own context) whose page errors fail the test

`free_port()` gives a loopback port nobody else is given while this process lives; `wait_until(condition,
what=..., deadline_s=...)` polls and fails with `what`.
"""
