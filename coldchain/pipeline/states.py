"""The fold's state as bytes: a cache, so that a start need not fold everything again.

It is only ever read back by the same engine (the journal stores which), so it may follow the
fold's own objects; anything that is not one of ours is refused while reading.
"""

from __future__ import annotations

import io
import pickle
import zlib
from enum import Enum
from typing import Any

from coldchain.fold import Fold
from coldchain.rules import plugged

_ALLOWED_MODULES = ("coldchain.",)
_ALLOWED = {
    ("collections", "OrderedDict"),
    ("array", "array"),
    ("array", "_array_reconstructor"),
    ("msgspec._core", "rebuild"),
    ("msgspec._utils", "rebuild"),
}


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if module.startswith(_ALLOWED_MODULES) or (module, name) in _ALLOWED or _is_plugged(module):
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of the fold")


def _is_plugged(module: str) -> bool:
    """Whether a module belongs to a package that brings a rule: a rule's state is its own."""
    package = module.partition(".")[0]
    return any(package == plugin.module.partition(".")[0] for plugin in plugged.known().values())


class _Writer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        # Before Python 3.11.4 a member goes as getattr(class, name), and no reader of ours may call getattr.
        return (type(obj), (obj.value,)) if isinstance(obj, Enum) else NotImplemented


class _Deflated:
    """Takes the pickle in pieces, so that the whole of it never lies in memory.

    Level 1 makes a history of readings three to six times smaller in about the time that pickling takes;
    higher levels take much longer for little more.
    """

    def __init__(self) -> None:
        self._deflate = zlib.compressobj(1)
        self._pieces: list[bytes] = []

    def write(self, piece: bytes | memoryview) -> int:
        self._pieces.append(self._deflate.compress(piece))
        return len(piece)

    def whole(self) -> bytes:
        return b"".join((*self._pieces, self._deflate.flush()))


def freeze(fold: Fold) -> bytes:
    """The state as bytes."""
    state = _Deflated()
    _Writer(state, protocol=5).dump(fold)
    return state.whole()


def thaw(state: bytes) -> Fold:
    """The state again; pickle.UnpicklingError if it is not a fold's."""
    try:
        pickled = zlib.decompress(state)
    except zlib.error as cause:
        raise pickle.UnpicklingError(str(cause)) from cause
    fold = _Reader(io.BytesIO(pickled)).load()
    if not isinstance(fold, Fold):
        raise pickle.UnpicklingError("not a fold")
    return fold
