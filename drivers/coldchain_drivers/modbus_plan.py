"""What is asked of a device, and what its replies must hold: the words of a plan."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from coldchain.driver import Query, Reach
from coldchain.model import Reason
from coldchain_drivers.lies import Lie
from coldchain_drivers.modbus_device import RangeTable, SentinelTable
from coldchain_drivers.modbus_numbers import Kind, WordOrder, raw_of, same
from coldchain_drivers.modbus_wire import Function, Read, Transport


@dataclass(frozen=True, slots=True)
class Point:
    """One value that is wanted: where it stands (as sent, from 0) and what its content means."""

    key: str
    function: Function
    address: int
    kind: Kind
    order: WordOrder
    scale: Decimal
    unit: str
    sentinels: tuple[SentinelTable, ...]
    range: RangeTable | None


@dataclass(frozen=True, slots=True)
class Content:
    """What a checked register may hold, and what that is called."""

    kind: Kind
    order: WordOrder
    value: float
    name: str = ""

    def holds(self, data: bytes) -> bool:
        """Whether a reply carries just this."""
        return same(self.kind, raw_of(self.kind, data, 0, self.order), self.value)

    def found(self, data: bytes) -> str:
        """What a reply carries, for people."""
        return f"{raw_of(self.kind, data, 0, self.order):.9g}"

    def __str__(self) -> str:
        """What it is, for people."""
        return f"{self.value:.9g}"


@dataclass(frozen=True, slots=True)
class Digits:
    """Decimal digits in registers, some from the lower end of each."""

    digits: str
    in_each: int

    def holds(self, data: bytes) -> bool:
        """Whether a reply carries just these."""
        return self.found(data) == self.digits

    def found(self, data: bytes) -> str:
        """What a reply carries, for people."""
        words = [data[at : at + 2].hex() for at in range(0, len(data), 2)]
        whole = all(word.isdecimal() and not word[: -self.in_each].strip("0") for word in words)
        return "".join(word[-self.in_each :] for word in words) if whole else data.hex()

    def __str__(self) -> str:
        """What they are."""
        return self.digits


@dataclass(frozen=True, slots=True)
class Check:
    """Registers that must hold one of `right`, or no value of `keys` counts, for this reason.

    `others` are contents that are known and mean another setting than the site stated.
    """

    title: str
    read: Read
    right: tuple[Content | Digits, ...]
    others: tuple[Content, ...]
    otherwise: str
    reason: Reason
    each_round: bool
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One value within a reply."""

    point: Point
    offset: int
    lies: tuple[Lie, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, and what its reply carries."""

    read: Read
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """All that is asked: values by query, checks by query, and the queries in order."""

    transport: Transport
    asked: Mapping[str, Asked]
    checks: Mapping[str, Check]
    poll: tuple[Query, ...]
    identity: tuple[Query, ...]
    units: Mapping[str, str]
    reach: Mapping[str, Reach]
