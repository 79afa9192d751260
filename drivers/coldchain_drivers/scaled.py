"""A device's integer as the decimal number that it means, exactly: 4860 in steps of 0.005 is "24.300"."""

from __future__ import annotations


def scaled(raw: int, step: int = 1, decimals: int = 0, offset: int = 0) -> str:
    """The number (raw × step + offset) / 10^decimals with all its decimals; never "-0"."""
    value = raw * step + offset
    digits = f"{abs(value):0{decimals + 1}d}"
    whole, part = (digits[:-decimals], digits[-decimals:]) if decimals else (digits, "")
    return ("-" if value < 0 else "") + whole + ("." + part if part else "")


def signed(raw: int, bits: int) -> int:
    """An unsigned integer of so many bits as two's complement."""
    return raw - (1 << bits) if raw >> (bits - 1) & 1 else raw
