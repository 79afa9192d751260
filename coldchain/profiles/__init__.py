"""Limit profiles: limits as data, each with its source.

`load` compiles a profile by its file or by the id of one that came with the program; `compile_quick` makes
one of limits typed on a command line.
"""

from coldchain.profiles.load import load, shipped
from coldchain.profiles.quick import compile_quick

__all__ = ["compile_quick", "load", "shipped"]
