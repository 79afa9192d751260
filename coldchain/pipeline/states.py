"""The fold's state as bytes: a cache, so that a start need not fold everything again.

It is only ever read back by the same engine (the journal stores which), so it may follow the
fold's own objects; anything that is not one of ours is refused while reading.
"""

from __future__ import annotations

import io
import pickle
from enum import Enum
from typing import Any

from coldchain.fold import Fold

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
        if module.startswith(_ALLOWED_MODULES) or (module, name) in _ALLOWED:
            return super().find_class(module, name)
        raise pickle.UnpicklingError(f"{module}.{name} is no part of the fold")


class _Writer(pickle.Pickler):
    def reducer_override(self, obj: Any) -> Any:
        # Before Python 3.11.4 a member goes as getattr(class, name), and no reader of ours may call getattr.
        return (type(obj), (obj.value,)) if isinstance(obj, Enum) else NotImplemented


def freeze(fold: Fold) -> bytes:
    """The state as bytes."""
    state = io.BytesIO()
    _Writer(state, protocol=5).dump(fold)
    return state.getvalue()


def thaw(state: bytes) -> Fold:
    """The state again; pickle.UnpicklingError if it is not a fold's."""
    fold = _Reader(io.BytesIO(state)).load()
    if not isinstance(fold, Fold):
        raise pickle.UnpicklingError("not a fold")
    return fold
