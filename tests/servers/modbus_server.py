"""pymodbus's own server as a device: over TCP, or at the far end of a cable between two pseudo-terminals."""

from __future__ import annotations

import asyncio
import os
import pty
import select
import threading
import tty
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from pymodbus.framer import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tests.servers.process import DEADLINE_S, HOST

Way = Literal["rtu", "ascii", "tcp"]
_FRAMERS = {"rtu": FramerType.RTU, "ascii": FramerType.ASCII, "tcp": FramerType.SOCKET}


def holding(unit: int, blocks: dict[int, Sequence[int]], *, functions: Sequence[int] = (3, 4)) -> SimDevice:
    """A device with registers at these addresses, for holding registers, input registers or both."""
    data = [
        SimData(address, values=list(values), datatype=DataType.REGISTERS)
        for address, values in blocks.items()
    ]
    none = [SimData(0, values=[0], datatype=DataType.REGISTERS)]
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    return SimDevice(unit, (bits, bits, data if 3 in functions else none, data if 4 in functions else none))


class Cable:
    """Two pseudo-terminals, each the other's far end."""

    def __init__(self, folder: Path) -> None:
        self.ends = [folder / "near", folder / "far"]
        self._pairs = [pty.openpty() for _ in self.ends]
        for (_, slave), link in zip(self._pairs, self.ends, strict=True):
            tty.setraw(slave)
            link.symlink_to(os.ttyname(slave))
        self._stop_reader, self._stop_writer = os.pipe()
        self._thread = threading.Thread(target=self._carry, name="cable")
        self._thread.start()

    def _carry(self) -> None:
        near, far = (master for master, _ in self._pairs)
        other = {near: far, far: near}
        while True:
            ready, _, _ = select.select([near, far, self._stop_reader], [], [])
            if self._stop_reader in ready:
                return
            for end in ready:
                os.write(other[end], os.read(end, 4096))

    def close(self) -> None:
        """Cut it."""
        os.close(self._stop_writer)
        self._thread.join()
        for number in (self._stop_reader, *(end for pair in self._pairs for end in pair)):
            os.close(number)


class ModbusServer:
    """A server that runs within the block. `port`: what a configuration names."""

    def __init__(
        self, way: Way, devices: Sequence[SimDevice], folder: Path, *, over_network: bool = False
    ) -> None:
        """`over_network`: RTU or ASCII over TCP, as through a converter."""
        self.port = ""
        self._way: Way = way
        self._devices = list(devices)
        self._cable = None if way == "tcp" or over_network else Cable(folder)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping: asyncio.Event | None = None
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pymodbus server")

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._ready.wait(DEADLINE_S), "the server does not start"
        if self._failed is not None:
            self.__exit__(None, None, None)
            raise AssertionError(f"the server does not start: {self._failed}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        if self._loop is not None and self._stopping is not None and self._failed is None:
            self._loop.call_soon_threadsafe(self._stopping.set)
        self._thread.join(DEADLINE_S)
        if self._cable is not None:
            self._cable.close()
        assert not self._thread.is_alive(), "the server does not end"

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as failure:  # noqa: BLE001 - told by __enter__
            self._failed = failure
            self._ready.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server: Any
        framer = _FRAMERS[self._way]
        if self._cable is None:
            server = ModbusTcpServer(
                self._devices, framer=framer, address=(HOST, 0), ignore_missing_devices=self._way != "tcp"
            )
            await server.serve_forever(background=True)
            self.port = f"socket://{HOST}:{server.transport.sockets[0].getsockname()[1]}"
        else:
            near, far = self._cable.ends
            server = ModbusSerialServer(
                self._devices, framer=framer, port=str(far), baudrate=9600, ignore_missing_devices=True
            )
            await server.serve_forever(background=True)
            self.port = str(near)
        self._ready.set()
        await self._stopping.wait()
        await server.shutdown()
