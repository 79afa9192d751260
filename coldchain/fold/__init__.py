"""The fold: facts in, announcements out; pure, and the only place where anything is decided."""

from coldchain.fold.engine import Fold

__all__ = ["Fold"]
