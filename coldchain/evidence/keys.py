"""The gateway's key: Ed25519 (RFC 8032), private as a PEM file (PKCS #8, RFC 5958), public as 64 hex digits.

The library that signs is an extra; without it everything but signing and checking works.
"""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class EvidenceError(Exception):
    """Something about keys, heads or exports that cannot be done: what, and the mend."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what
        self.mend = mend


class Key:
    """A private key, never shown; `public` is what others check with."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        self._private = private
        self.public: str = private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()

    @classmethod
    def read(cls, text: str, where: str) -> Key:
        """The key of a PEM text; `where` is named in the EvidenceError if it is none."""
        _need()
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            private = load_pem_private_key(text.encode() + b"\n", None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise EvidenceError(f"{where} holds no private key: {error}", _MAKE) from error
        if not isinstance(private, Ed25519PrivateKey):
            raise EvidenceError(f"{where} holds a key of another kind than Ed25519", _MAKE)
        return cls(private)

    @classmethod
    def make(cls, path: Path) -> Key:
        """Draw a key and write it to a new file that only its owner may read; never over another file."""
        _need()
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

        private = Ed25519PrivateKey.generate()
        text = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError as error:
            raise EvidenceError(
                f"{path} is there already", "give another path: a key that signed something is never replaced"
            ) from error
        except OSError as error:
            raise EvidenceError(f"{path} cannot be written: {error.strerror}", "give another path") from error
        with os.fdopen(fd, "wb") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        return cls(private)

    def sign(self, statement: bytes) -> str:
        """The signature, as hex."""
        return self._private.sign(statement).hex()


def signed_by(key: str, signature: str, statement: bytes) -> bool:
    """Whether this signature (hex) under a statement was made with the private half of `key` (hex)."""
    _need()
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(key)).verify(bytes.fromhex(signature), statement)
    except (InvalidSignature, ValueError):
        return False
    return True


_MAKE = "make one with `coldchain key new FILE`"


def _need() -> None:
    try:
        importlib.import_module("cryptography")
    except ImportError as error:
        raise EvidenceError(
            f"signing needs the package cryptography ({error})",
            "install it with: pip install 'coldchain[evidence]'",
        ) from error
