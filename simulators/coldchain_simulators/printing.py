"""Simulated devices that print by themselves: a −86 °C freezer, a receiver, a controller's fills."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from operator import xor

from coldchain_simulators.asked import Sample


class Forma900:
    """What a Thermo Forma 900 prints. `alarm`: its own word, "" if there is none."""

    def __init__(self, cabinet: Sample, alarm: str = "") -> None:
        self._cabinet = cabinet
        self.alarm = alarm

    def line(self, utc_ms: int) -> bytes:
        """NUL, whole degrees or T_ERR, C, the alarm, LF, CR, EOT, and a blank."""
        value = self._cabinet()
        shown = "T_ERR" if value is None else f"{'-' if round(value) < 0 else ''}{abs(round(value)):03d}"
        alarm = self.alarm or ("CNTRLFAIL" if value is None else "")
        return f"\0{shown} C {alarm:<9} \n\r\x04 ".encode("ascii")


class Receiver:
    """A GNSS receiver: GGA and RMC. `place` gives degrees north and east, None without a fix."""

    def __init__(self, place: Callable[[], tuple[float, float] | None]) -> None:
        self._place = place

    def line(self, utc_ms: int) -> bytes:
        """Both sentences of one second, each with its checksum."""
        moment = datetime.fromtimestamp(utc_ms // 1000, tz=UTC)
        place = self._place()
        if place is None:
            gga = f"GPGGA,{moment:%H%M%S},,,,,0,00,99.99,,,,,,"
            rmc = f"GPRMC,{moment:%H%M%S},V,,,,,,,{moment:%d%m%y},,,N"
        else:
            where = f"{_minutes(place[0], 2, 'NS')},{_minutes(place[1], 3, 'EW')}"
            gga = f"GPGGA,{moment:%H%M%S},{where},1,08,0.9,545.4,M,46.9,M,,"
            rmc = f"GPRMC,{moment:%H%M%S},A,{where},000.0,000.0,{moment:%d%m%y},,,A"
        return b"".join(_sentence(each.encode("ascii")) for each in (gga, rmc))


class KryosPrinter:
    """The two lines of each fill, as a KRYOS prints them; `filling` says whether its valve is open."""

    def __init__(self, filling: Callable[[], bool]) -> None:
        self._filling = filling
        self._since_ms: int | None = None

    def line(self, utc_ms: int) -> bytes:
        """A line when a fill began or ended since the last look, else nothing."""
        filling = self._filling()
        if filling is (self._since_ms is not None):
            return b""
        if self._since_ms is None:
            self._since_ms = utc_ms
            return f"Fill Started on {_us(utc_ms)}\r\n".encode("ascii")
        began_ms, self._since_ms = self._since_ms, None
        minutes = (utc_ms - began_ms) // 60_000
        return f"Fill occurred on {_us(began_ms)} for {minutes} minutes\r\n".encode("ascii")


def _us(utc_ms: int) -> str:
    """A date as the controller writes it: month, day and year of two digits, without leading zeros."""
    at = datetime.fromtimestamp(utc_ms // 1000, tz=UTC)
    return f"{at.month}/{at.day}/{at:%y} @ {at.hour}:{at:%M}"


def _minutes(degrees: float, digits: int, sides: str) -> str:
    """Degrees as NMEA has them: whole degrees, then minutes, then the side."""
    ten_thousandths = round(abs(degrees) * 600_000)
    whole, rest = divmod(ten_thousandths, 600_000)
    return f"{whole:0{digits}d}{rest // 10_000:02d}.{rest % 10_000:04d},{sides[0 if degrees >= 0 else 1]}"


def _sentence(covered: bytes) -> bytes:
    return b"$%b*%02X\r\n" % (covered, reduce(xor, covered, 0))
