"""Text messages as a GSM network takes them: SMS-SUBMIT of 3GPP TS 23.040, alphabets of TS 23.038. Pure.

Made as PDUs and not in a modem's text mode: there "[" is an escape that ends the entry on some modems, and
which alphabet is meant depends on what the modem was told before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

#: TS 23.038, 6.2.1: the default alphabet, in the order of its codes, and its extension behind an escape.
_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = {
    "^": 0x14,
    "{": 0x28,
    "}": 0x29,
    "\\": 0x2F,
    "[": 0x3C,
    "~": 0x3D,
    "]": 0x3E,
    "|": 0x40,
    "€": 0x65,
}
_ESCAPE = 0x1B
_CODES: dict[str, tuple[int, ...]] = {
    each: (code,) for code, each in enumerate(_BASIC) if code != _ESCAPE
} | {each: (_ESCAPE, code) for each, code in _EXTENSION.items()}
#: What we write that the alphabet lacks, in its nearest form; a message in UCS-2 has less than half the room.
_NEAREST = str.maketrans({"−": "-", "°": "", "“": '"', "”": '"', "…": "...", "–": "-", "’": "'", "µ": "u"})

#: TS 23.040: room for user data in one message, alone and behind the header that counts the parts.
_SEPTETS, _SEPTETS_OF_PART = 160, 153
_UNITS, _UNITS_OF_PART = 70, 67


class Submit(NamedTuple):
    """One message for AT+CMGS: the PDU in hexadecimal digits (the modem's own service centre first), and the
    number of octets that the command names (without the service centre)."""

    pdu: str
    octets: int


def submits(number: str, text: str, reference: int, parts_max: int) -> list[Submit]:
    """The text to that number ("+" and digits), in as many parts as it needs.

    reference: 0 to 255, the same in all parts of one text and another in the next. What does not fit into
    `parts_max` is cut, and ends in "...".
    """
    nearest = text.translate(_NEAREST)
    gsm = all(each in _CODES for each in nearest)
    # An unpaired surrogate has no UCS-2; it can come from a name that was no valid text.
    units: list[tuple[int, ...]]
    if gsm:
        units = [_CODES[each] for each in nearest]
    else:
        # An unpaired surrogate has no UCS-2; it can come from a name that was no valid text.
        units = list(_utf16(text.encode(errors="replace").decode()))
    alone, of_part = (_SEPTETS, _SEPTETS_OF_PART) if gsm else (_UNITS, _UNITS_OF_PART)
    dots: list[tuple[int, ...]] = [_CODES["."]] * 3 if gsm else list(_utf16("..."))
    parts = [units] if sum(map(len, units)) <= alone else list(_split(units, of_part))
    if len(parts) > parts_max:
        room = alone if parts_max == 1 else of_part
        last = parts[parts_max - 1] if parts_max > 1 else next(_split(units, alone))
        while sum(map(len, last)) > room - len(dots):
            last = last[:-1]
        parts = [*parts[: parts_max - 1], last + dots]
    return [
        _submit(number, [code for unit in part for code in unit], gsm, _header(reference, len(parts), index))
        for index, part in enumerate(parts, 1)
    ]


def _header(reference: int, parts: int, index: int) -> bytes:
    """TS 23.040, 9.2.3.24.1: which part of how many; nothing for a text in one message."""
    return bytes([5, 0, 3, reference & 0xFF, parts, index]) if parts > 1 else b""


def _submit(number: str, codes: list[int], gsm: bool, header: bytes) -> Submit:
    first = 0x11 | (0x40 if header else 0)  # SMS-SUBMIT, relative validity; with a header or without
    digits = number.removeprefix("+")
    address = bytes([len(digits), 0x91]) + bytes.fromhex(_swapped(digits))
    if gsm:
        fill = -len(header) * 8 % 7  # the text begins on a septet's border
        length = (len(header) * 8 + fill) // 7 + len(codes)
        data = header + _packed(codes, fill)
    else:
        data = header + b"".join(code.to_bytes(2) for code in codes)
        length = len(data)
    # Protocol 0; alphabet; valid for 4 days (TS 23.040, 9.2.3.12.1: 0xAA), for a telephone that is off.
    tpdu = bytes([first, 0]) + address + bytes([0, 0 if gsm else 8, 0xAA, length]) + data
    return Submit(("00" + tpdu.hex()).upper(), len(tpdu))


def _swapped(digits: str) -> str:
    """Semi-octets: each pair of digits the other way round, an odd one filled up with F."""
    even = digits + "F" * (len(digits) % 2)
    return "".join(even[i + 1] + even[i] for i in range(0, len(even), 2))


def _packed(codes: list[int], fill: int) -> bytes:
    """Seven bits a character, lowest first, after so many bits of nothing."""
    bits = sum(code << (7 * index + fill) for index, code in enumerate(codes))
    return bits.to_bytes((7 * len(codes) + fill + 7) // 8, "little")


def _utf16(text: str) -> Iterator[tuple[int, ...]]:
    """Each character's one or two code units: a pair is never torn apart."""
    for each in text:
        raw = each.encode("utf-16-be")
        yield tuple(int.from_bytes(raw[i : i + 2]) for i in range(0, len(raw), 2))


def _split(units: list[tuple[int, ...]], room: int) -> Iterator[list[tuple[int, ...]]]:
    part: list[tuple[int, ...]] = []
    used = 0
    for unit in units:
        if used + len(unit) > room:
            yield part
            part, used = [], 0
        part.append(unit)
        used += len(unit)
    yield part
