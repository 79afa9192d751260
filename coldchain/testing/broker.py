"""A broker inside the process: MQTT 3.1.1 only, for demonstrations and for tests.

It does not queue for an absent client; a gateway uses a real broker (`config/mosquitto.conf`).
"""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings

#: How long it may take to listen (real seconds).
_START_S = 30
#: Turns of the loop at its end: one for a closing transport to leave the selector, one to close its socket,
#: one for what is told of it.
_TURNS = 3


class BrokerError(Exception):
    """It cannot listen; says why and what to do."""


class EmbeddedBroker:
    """amqtt in a thread of its own, on a free loopback port."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._failure = ""
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._run, name="embedded broker", daemon=True)

    def start(self) -> None:
        """Listen; raises BrokerError if it cannot."""
        self._thread.start()
        if not self._ready.wait(_START_S):
            raise BrokerError(f"the broker does not listen after {_START_S} s; try again")
        if self._failure:
            raise BrokerError(self._failure)

    def stop(self) -> None:
        """End every connection and the thread."""
        if self._end is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(5)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            self._loop.run_until_complete(self._serve())
        except ImportError as error:
            self._failure = f"a broker is needed ({error}): pip install 'coldchain[demo]'"
        except Exception as error:  # noqa: BLE001 - the thread's outer edge
            self._failure = f"the broker cannot listen: {error}"
        finally:
            self._loop.close()
            self._ready.set()

    async def _serve(self) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from amqtt.broker import Broker  # type: ignore[import-untyped]  # ships no types

            logging.getLogger("amqtt").setLevel(logging.CRITICAL)
            logging.getLogger("transitions").setLevel(logging.CRITICAL)

            class Closing(Broker):  # type: ignore[misc]  # ships no types
                """Closes every connection, also one whose client leaves before it says who it is."""

                async def stream_connected(
                    self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, listener_name: str
                ) -> None:
                    try:
                        await super().stream_connected(reader, writer, listener_name)
                    finally:
                        writer.close()

            broker = Closing(
                {
                    "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{self.port}"}},
                    "plugins": {
                        "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
                    },
                }
            )
            await broker.start()
        self._end = asyncio.Event()
        self._ready.set()
        await self._end.wait()
        await broker.shutdown()
        await settle()


async def settle() -> None:
    """End every other task of this loop; every transport that is closing gets its turns to be closed.

    A loop that stops before leaves sockets open, which are complained of wherever they are collected.
    """
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    for _ in range(_TURNS):
        await asyncio.sleep(0)
