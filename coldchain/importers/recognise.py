"""Any file of a logger: its bytes, their hash, and the reader that knows its form."""

from __future__ import annotations

import hashlib

from coldchain.importers import (
    berlinger,
    columnar,
    csv_file,
    elitech,
    line_protocol,
    own_points,
    own_table,
    text,
)
from coldchain.importers.loggerfile import BY_ITS_OWN_EVIDENCE, LoggerFile, ReadAs
from coldchain.importers.refusal import Refused


def read(name: str, data: bytes, told: ReadAs = BY_ITS_OWN_EVIDENCE) -> LoggerFile:
    """Read a logger's file by its own evidence and by what was told.

    name: how reports call the file. Raises Refused (with the name) if nobody can judge it.
    """
    try:
        if len(data) > text.BYTES_MAX:
            raise Refused(f"the file is larger than {text.BYTES_MAX >> 20} MiB", "split it")
        if columnar.is_parquet(data):
            own = own_table.read_parquet(name, sha256(data), data, told)
            return own or columnar.read_log(name, sha256(data), data, told)
        decoded, note = text.decode(data, told.encoding)
        lines = text.lines(decoded)
        if berlinger.is_berlinger(lines):
            found = berlinger.read(name, sha256(data), lines, told)
        elif elitech.is_readout(lines):
            found = elitech.read(name, sha256(data), lines, told)
        elif own_table.is_own(lines, told):
            found = own_table.read_text(name, sha256(data), lines, told)
        elif own_points.is_own(lines, told):
            found = own_points.read(name, sha256(data), lines, told)
        elif line_protocol.is_line_protocol(lines):
            found = line_protocol.read(name, sha256(data), lines, told)
        else:
            found = csv_file.read(name, sha256(data), lines, told, open_end=text.ends_open(decoded))
    except Refused as refused:
        raise refused.at(name) from refused
    return found if not note else found.with_note(note)


def sha256(data: bytes) -> str:
    """The hash by which a report names the bytes that were judged."""
    return hashlib.sha256(data).hexdigest()
