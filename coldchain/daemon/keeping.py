"""An imported file as a document of the journal, and back, bit for bit."""

from __future__ import annotations

import base64
import hashlib
import zlib

from coldchain.journal import Document
from coldchain.logged import FileImported


def kept(content: bytes) -> Document:
    """A file as a document: itself where it is plain UTF-8, else compressed and in base64."""
    try:
        text = content.decode()
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        text = base64.b64encode(zlib.compress(content, 9)).decode()
    return Document.of(text)


def original(fact: FileImported, document: Document) -> bytes:
    """The bytes of an imported file again; ValueError if they are not those that were imported."""
    content = document.text.encode()
    if fact.kept != fact.sha256:
        content = zlib.decompress(base64.b64decode(document.text))
    if hashlib.sha256(content).hexdigest() != fact.sha256:
        raise ValueError(f"{fact.name}: what is kept is not what was imported")
    return content
