"""Those around a gateway under faults: a device that never stops talking, and somebody who always looks."""

from __future__ import annotations

import contextlib
import json
import threading
import time
from pathlib import Path
from typing import Self

import paho.mqtt.client as paho

from coldchain.daemon.control import Ask, ControlError, NotRunning, ask, socket_path
from tests.servers import Peer, wait_until

#: Between two messages (real seconds), and how many share a value.
_PACE_S, _SWING = 0.02, 15
#: The broker must have said yes within this (real seconds).
_SETTLES_S = 60.0


class Talk:
    """A device on MQTT that numbers what it says, and knows whether the broker has said yes to all of it.

    ahead_ms: by how much its clock is wrong; times: how many times as often as usual it speaks.
    """

    def __init__(self, port: int, ahead_ms: int = 0) -> None:
        self.said = 0
        self.ahead_ms = ahead_ms
        self.times = 1
        # No lock: paho calls `on_publish` under its own, which `publish` waits for.
        self._sent: set[int] = set()
        self._kept: set[int] = set()
        self._peer = Peer(port)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="talk", daemon=True)

    def __enter__(self) -> Self:
        self._peer.connect()
        self._peer.client.on_publish = self._on_publish
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._peer.disconnect()

    def end(self) -> None:
        """Say no more."""
        self._end.set()
        self._thread.join()

    def settled(self) -> None:
        """Wait until the broker has said yes to everything.

        What paho is given in the moment of a reconnection it may keep until the next one.
        """
        for _ in range(5):
            with contextlib.suppress(AssertionError):
                wait_until(lambda: self._kept >= self._sent, what="", deadline_s=5)
                return
            self._peer.client.reconnect()
        wait_until(lambda: self._kept >= self._sent, what="the broker has everything", deadline_s=_SETTLES_S)

    def _run(self) -> None:
        swings = 0.0
        while not self._end.wait(_PACE_S / self.times):
            number = self.said
            swings += 1 / _SWING / self.times
            message = {
                "time": time.time_ns() // 1_000_000 + self.ahead_ms,
                "sequence": number,
                "vapour": -140.0 if int(swings) % 2 else -180.0,
                "simulated": True,
            }
            self._sent.add(self._peer.client.publish("probe", json.dumps(message), 1).mid)
            self.said += 1

    def _on_publish(self, client: paho.Client, data: object, mid: int, *_: object) -> None:
        self._kept.add(mid)


class Onlooker:
    """Somebody who looks at the station all the time, as the page does; remembers each reading shown."""

    def __init__(self, journal: Path) -> None:
        self.shown: set[tuple[str, int, int]] = set()
        self._path = socket_path(journal)
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._look, name="onlooker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(0.05):
            try:
                state = ask(self._path, Ask()).state
            except (NotRunning, ControlError):
                continue  # it is being killed all the time
            for channel in (c for a in state.assets for c in a.channels) if state is not None else ():
                if channel.at is not None and channel.value is not None:
                    self.shown.add((channel.id, channel.at.ms, channel.value))
