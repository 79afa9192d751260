"""A driver as the suite sees it: with its datasheet, the settings of its example, and one way to read."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import entry_points
from types import FrameType
from typing import Any

from pydantic import BaseModel

from coldchain.config.devices import shipped_device
from coldchain.datasheet import Datasheet, Vector, read_datasheet
from coldchain.driver import Driver, MqttDriver, Query, SerialDriver
from coldchain.model import Bad, Decoded, Measured, Noted

#: A driver that takes so long over one frame hangs: no device waits, and the port's watchdog calls at 30 s.
HANGS_S = 10.0


@dataclass(frozen=True)
class Subject:
    """One driver under test; `broken` says why it could not even be imported."""

    name: str
    found: object = None
    broken: str = ""

    @classmethod
    def of(cls, driver: object) -> Subject:
        """A driver object, or whatever was published as one."""
        return cls(str(getattr(driver, "name", driver)), driver)

    @property
    def driver(self) -> Driver:
        """The driver; AssertionError if there is none."""
        assert not self.broken, f"{self.name} cannot be imported: {self.broken}"
        assert isinstance(self.found, SerialDriver | MqttDriver), (
            f"{self.name} publishes {self.found!r}, no driver"
        )
        return self.found

    @cached_property
    def datasheet(self) -> Datasheet:
        """Its datasheet; raises DatasheetError."""
        return read_datasheet(self.driver)

    def settings(self, more: Mapping[str, Any] | None = None) -> BaseModel:
        """The settings of the datasheet's example, with changes (None takes a key out)."""
        known = repr(more or {})
        if known not in self._ready:
            given = self.datasheet.example_settings | dict(more or {})
            kept = {key: value for key, value in given.items() if value is not None}
            self._ready[known] = self.driver.settings.model_validate(self._with_device(kept))
        return self._ready[known]

    def _with_device(self, given: dict[str, Any]) -> dict[str, Any]:
        """The settings with the shipped device that they name, for drivers of many devices."""
        model = self.driver.devices if isinstance(self.driver, SerialDriver) else None
        if model is None or not isinstance(given.get("device"), str):
            return given
        return given | {"device": shipped_device(given["device"], model)}

    @cached_property
    def _ready(self) -> dict[str, BaseModel]:
        return {}

    def query(self, settings: BaseModel, key: str) -> Query:
        """The question that asks for a key."""
        assert isinstance(self.driver, SerialDriver)
        asked = [query for query in self.driver.poll(settings) if query.key == key]
        assert asked, f"{self.name}: a vector answers {key!r}, and poll asks for no such key"
        return asked[0]

    def frame(self, vector: Vector) -> bytes:
        """The bytes that `decode` gets for a vector."""
        if isinstance(self.driver, SerialDriver):
            return self.driver.line(self.settings(vector.changes)).terminator.join(vector.parts)
        return b"".join(vector.parts)

    def read(self, vector: Vector, frame: bytes | None = None) -> Decoded:
        """What the driver reads of a vector, or of other bytes in its place. AssertionError if it hangs."""
        settings = self.settings(vector.changes)
        frame = self.frame(vector) if frame is None else frame
        driver = self.driver
        with promptly(f"{self.name} over {frame[:40]!r}"):
            if isinstance(driver, MqttDriver):
                return driver.decode(settings, self.topic(vector, settings), frame)
            asked = None if vector.asked is None else self.query(settings, vector.asked)
            return driver.decode(settings, asked, frame)

    def topic(self, vector: Vector, settings: BaseModel) -> str:
        """The topic of a vector; left out: the first that the driver subscribes."""
        assert isinstance(self.driver, MqttDriver)
        return vector.topic or self.driver.topics(settings)[0].replace("+", "x").replace("#", "x")


def installed() -> list[Subject]:
    """Every published driver, in the order of their names, those that cannot be imported too."""
    found = []
    for entry in sorted(entry_points(group="coldchain.drivers"), key=lambda entry: entry.name):
        try:
            found.append(Subject(entry.name, entry.load()))
        except Exception as error:  # noqa: BLE001 - the edge to other people's code
            found.append(Subject(entry.name, broken=f"{type(error).__name__}: {error}"))
    return found


def values(decoded: Decoded) -> list[Measured]:
    """The values among what was read."""
    return [each for each in decoded if isinstance(each, Measured)]


def claims(decoded: Decoded) -> set[Measured | Noted]:
    """All that was read and is no refusal."""
    return {each for each in decoded if not isinstance(each, Bad)}


def refusals(decoded: Decoded) -> list[Bad]:
    """The refusals among what was read."""
    return [each for each in decoded if isinstance(each, Bad)]


@contextmanager
def promptly(what: str, seconds: float = HANGS_S) -> Iterator[None]:
    """Fail instead of hanging. Outside the main thread there is no such alarm, and nothing is guarded."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def hangs(_number: int, _frame: FrameType | None) -> None:
        raise AssertionError(f"{what}: not done within {seconds:g} s")

    before = signal.signal(signal.SIGALRM, hangs)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
