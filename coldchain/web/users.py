"""Who may log in: one small file, passwords as salted scrypt, every change atomic.

The file is JSON, mode 0600, and is read again when it changes, so `coldchain user add` works while the
daemon runs. Each user's cost parameters stand beside the hash: raising the defaults later breaks no login.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import tempfile
import threading
import unicodedata
from pathlib import Path

import msgspec
from msgspec import Struct

from coldchain.web.station import UNAUTHENTICATED, Role

#: Cost of scrypt: one of the equal settings that the OWASP Password Storage Cheat Sheet lists, the one of
#: 32 MiB, since a gateway is small and its daemon must never be killed for a login.
_COST = 2**15
_BLOCK = 8
_PARALLEL = 3
_BYTES = 32

#: NIST SP 800-63B-4, 3.1.1.2: for a password that is the only factor.
MIN_PASSWORD_LENGTH = 15
#: The same section wants at least 64 accepted; far beyond that it is only work for the hash.
MAX_PASSWORD_LENGTH = 256

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class UsersError(Exception):
    """The users file cannot be used, or what was asked of it makes no sense; says the mend."""


class User(Struct, frozen=True, forbid_unknown_fields=True):
    """One login. `salt` and `hash` are hex; `cost`, `block`, `parallel` are scrypt's N, r, p."""

    name: str
    role: Role
    salt: str
    hash: str
    cost: int = _COST
    block: int = _BLOCK
    parallel: int = _PARALLEL

    @property
    def credential(self) -> str:
        """Changes with the password: a session made under another one is over."""
        return self.salt[:16]


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    version: int
    users: tuple[User, ...]


_FILE = msgspec.json.Decoder(_File)

#: An unknown name costs as much time as a wrong password, so that names cannot be found out.
_NOBODY = User("", Role.VIEWER, "00" * 16, "00" * _BYTES)


def _normal(password: str) -> bytes:
    # NIST SP 800-63B-4, 3.1.1.2: stabilise Unicode before hashing, or the same word typed on another
    # keyboard is another password.
    return unicodedata.normalize("NFKC", password).encode()


def _hash(password: str, user: User) -> bytes:
    return hashlib.scrypt(
        _normal(password),
        salt=bytes.fromhex(user.salt),
        n=user.cost,
        r=user.block,
        p=user.parallel,
        maxmem=128 * user.block * (user.cost + user.parallel + 2),
        dklen=_BYTES,
    )


def make_user(name: str, role: Role, password: str, *, cost: int = _COST) -> User:
    """A user with a fresh salt; raises UsersError where name or password will not do.

    `cost` is scrypt's N, a power of two; less than the default is for tests.
    """
    if not _NAME.fullmatch(name) or name == UNAUTHENTICATED:
        raise UsersError(
            f"{name!r} is no name for a login: letters, digits and . _ @ - only, at most 64 of them, "
            "beginning with a letter or digit"
        )
    length = len(unicodedata.normalize("NFKC", password))
    if length < MIN_PASSWORD_LENGTH:
        raise UsersError(
            f"the password has {length} characters; at least {MIN_PASSWORD_LENGTH} are wanted "
            "(NIST SP 800-63B-4, 3.1.1.2): a few words in a row are easy to keep in mind"
        )
    if length > MAX_PASSWORD_LENGTH:
        raise UsersError(f"the password has {length} characters; at most {MAX_PASSWORD_LENGTH} are taken")
    blank = User(name, role, secrets.token_hex(16), "", cost)
    return msgspec.structs.replace(blank, hash=_hash(password, blank).hex())


class Users:
    """The users file at `path`, which need not exist: then there are no users yet."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._scrypt = threading.Semaphore(1)  # 32 MiB each: one at a time
        self._read_as: tuple[int, int, int] | None = None
        self._users: dict[str, User] = {}

    def all(self) -> dict[str, User]:
        """Every user by name, read anew if the file has changed.

        Raises UsersError if it is there but cannot be read: a damaged file must never mean "no users yet".
        """
        with self._lock:
            try:
                status = self.path.stat()
            except FileNotFoundError:
                self._read_as, self._users = None, {}
                return {}
            except OSError as error:
                raise UsersError(f"{self.path}: {error.strerror}") from error
            read_as = (status.st_mtime_ns, status.st_size, status.st_ino)
            if read_as != self._read_as:
                self._users = self._read(status.st_mode)
                self._read_as = read_as
            return self._users

    def _read(self, mode: int) -> dict[str, User]:
        if mode & 0o077:
            raise UsersError(f"{self.path}: others may read it; mend with: chmod 600 {self.path}")
        try:
            file = _FILE.decode(self.path.read_bytes())
        except OSError as error:
            raise UsersError(f"{self.path}: {error.strerror}") from error
        except msgspec.DecodeError as error:
            raise UsersError(
                f"{self.path}: {error}; restore it from a copy, or remove it and add users anew"
            ) from error
        if file.version != 1:
            raise UsersError(f"{self.path}: version {file.version} was written by a newer coldchain")
        return {user.name: user for user in file.users}

    def verify(self, name: str, password: str) -> User | None:
        """The user of that name and password, or None; takes the same time for an unknown name."""
        known = self.all().get(name)
        user = known if known is not None else _NOBODY
        with self._scrypt:
            given = _hash(password[:MAX_PASSWORD_LENGTH], user)
        right = hmac.compare_digest(given, bytes.fromhex(user.hash))
        return known if right and len(password) <= MAX_PASSWORD_LENGTH else None

    def add(self, user: User) -> None:
        """Add a user; raises UsersError if the name is taken."""
        users = self.all()
        if user.name in users:
            raise UsersError(
                f"{user.name} is there already; a new password: coldchain user passwd {user.name}"
            )
        self._write({**users, user.name: user})

    def replace(self, user: User) -> None:
        """Give a user another password or role; raises UsersError if there is none of that name."""
        users = self._have(user.name)
        self._write({**users, user.name: user})

    def remove(self, name: str) -> None:
        """Remove a user. The last one stays: without users the page would be open on this machine."""
        users = self._have(name)
        if len(users) == 1:
            raise UsersError(
                f"{name} is the last user; without users anybody on this machine may act. "
                f"If that is meant, stop coldchain and remove {self.path}"
            )
        self._write({other: user for other, user in users.items() if other != name})

    def _have(self, name: str) -> dict[str, User]:
        users = self.all()
        if name not in users:
            raise UsersError(f"there is no user {name}; there are: {', '.join(users) or 'none'}")
        return users

    def _write(self, users: dict[str, User]) -> None:
        content = msgspec.json.format(msgspec.json.encode(_File(1, tuple(users.values()))), indent=1)
        try:
            write_private(self.path, content + b"\n")
        except OSError as error:
            raise UsersError(f"{self.path}: {error.strerror}; nothing was changed") from error


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, whole or not at all, even if the power fails.

    Written by root it belongs to whom it belonged, or to the folder's owner: the command may run as root
    while the daemon does not. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # made with mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            owner = (path if path.exists() else path.parent).stat()
            if os.geteuid() == 0 and owner.st_uid != 0:
                os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the rename itself must survive too
    finally:
        os.close(folder)
