"""Writes qtag-clm-sample.txt: a report in the form of Berlinger's Q-tag CLm, on a journey that never was.

A model of such a device measures once a minute, decides its alarm slots from that, and logs every
tenth minute; so, as with a real one, its own result lies between the logged values. Model and importer
share nothing. Run it to write the sample anew:  python tests/data/berlinger/make_sample.py
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from pathlib import Path

START = datetime(2023, 3, 7, 6, 12)
MINUTES = 15 * 60 + 8
ENERGY = 83.0
SLOTS = {1: (2, 80, 30), 2: (4, 80, 60), 3: (0, 0, 0), 4: (3, 20, 60), 5: (1, 20, 30)}
COLD = (1, 3)
CUMULATIVE = (3, 4)


def tenths(minute: int) -> int:
    """The air in the box, in tenths of a degree: cooling bricks, a frozen brick, an open lid, the sun."""
    value = 42 + 9 * math.sin(minute / 23) + 3 * math.sin(minute / 7)
    value += 30 * math.exp(-minute / 30)  # packed warm
    if 140 <= minute < 330:  # beside a frozen brick
        value -= 34 * math.sin((minute - 140) / 190 * math.pi) ** 0.5
    if 466 <= minute < 500:  # lid open
        value += 75 * math.sin((minute - 466) / 34 * math.pi) ** 0.7
    if minute >= 760:  # left in the sun
        value += 60 * (1 - math.exp(-(minute - 760) / 12))
    return round(value)


def at(minute: int) -> str:
    """A minute as the device writes it."""
    return (START + timedelta(minutes=minute)).strftime("%Y-%m-%d %H:%M")


def degrees(value: int) -> str:
    """Tenths as the device writes them."""
    return f"{value / 10:.1f}"


def outside(kind: int, limit: int, value: int) -> bool:
    """Whether a value violates a slot; the limit itself does not."""
    return value < limit if kind in COLD else value > limit


def results(samples: list[int]) -> list[str]:
    """What the device lists under Res: the events of each slot that triggered."""
    lines = []
    for slot, (kind, limit, needed) in SLOTS.items():
        events: list[list[int]] = []  # [start, end (exclusive)]
        for minute, value in enumerate(samples):
            if kind and outside(kind, limit, value):
                if events and events[-1][1] == minute:
                    events[-1][1] = minute + 1
                else:
                    events.append([minute, minute + 1])
        found = []
        if kind in CUMULATIVE and sum(end - start for start, end in events) >= needed:
            spent, trigger = 0, 0
            for start, end in events:
                if spent < needed <= spent + end - start:
                    trigger = start + needed - spent
                spent += end - start
            found.append(f"   TS S: {at(events[0][0])}, t A: {spent}, TS A: {at(trigger)}")
        for start, end in events if kind and kind not in CUMULATIVE else []:
            if end - start >= needed:
                worst = (min if kind in COLD else max)(range(start, end), key=lambda m: samples[m])
                over = "" if end == len(samples) else f" {at(end)}"
                found.append(
                    f"   TS S: {at(start)}, t A: {end - start}, TS A: {at(start + needed)}, TS E:{over}, "
                    f"T M: {degrees(samples[worst])}, TS M: {at(worst)}"
                )
        if found:
            lines += [f"  {slot}:", *found]
    return lines


def report() -> str:
    """The whole report."""
    samples = [tenths(minute) for minute in range(MINUTES)]
    logged = range(0, MINUTES, 10)
    shown = [samples[minute] for minute in logged]
    ratio = ENERGY / 8.3144e-3
    weights = [math.exp(-ratio / (value / 10 + 273.15)) for value in samples]
    kinetic = ratio / -math.log(sum(weights) / len(weights)) - 273.15
    low, high = min(logged, key=lambda m: samples[m]), max(logged, key=lambda m: samples[m])
    lines = ["Device: Q-tag CLm doc LR", "Vers: 1.9", "Fw Vers: 4.7.04o", "Device ID: 80", "Sensor: 1"]
    lines += ["Conf:", " Serial: SAMPLE0001", " CID: 0", " Zone: 1.00", " Start Delay: 30", " Moving Avrg: 1"]
    lines += [f" MKT Energy: {ENERGY}", " User String 1: no real journey, for tests: never was"]
    lines += [
        " User String 2:",
        " Logging Interval: 10",
        " Test Res: 1, Test TS: 2023-01-16 08:30",
        " Alarm:",
    ]
    for slot, (kind, limit, needed) in SLOTS.items():
        values = f", T AL: {degrees(limit)}, t AL: {needed}" if kind else ""
        lines += [f"  {slot}:", f"   Type: {kind}{values}"]
    lines += ["Res:", f" TS Actv: {at(-150)}", f" TS Start: {at(0)}", " Start Reason: 2"]
    lines += [
        f" TS Stop: {at(MINUTES)}",
        " TS Batt Crit:",
        f" Min T: {degrees(samples[low])}, TS Min T: {at(low)}",
    ]
    lines += [f" Max T: {degrees(samples[high])}, TS Max T: {at(high)}", f" MKT: {kinetic:.1f}"]
    lines += [f" Avrg T: {sum(samples) / len(samples) / 10:.1f}", " Run Number: 1"]
    lines += [" Alarm:", *results(samples)]
    lines += ["Marker:", "\tNumber\tT\tyyyy-MM-dd hh:mm\t", "Data:", "\tyyyy-MM-dd hh:mm\tT\tOut of limits"]
    for minute, value in zip(logged, shown, strict=True):
        marked = any(kind and outside(kind, limit, value) for kind, limit, _ in SLOTS.values())
        lines.append(f"\t{at(minute)}\t{degrees(value)}\t{'x' if marked else ''}")
    lines += ["Cert:", " Vers: 1.0", " Issuer: nobody", " Owner: nobody, for tests", "Sig Cert: 00"]
    lines += ["Sig: 00"]
    return "".join(line + "\r\n" for line in lines)


if __name__ == "__main__":
    Path(__file__).with_name("qtag-clm-sample.txt").write_bytes(report().encode())
