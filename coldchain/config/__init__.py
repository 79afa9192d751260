"""Configuration: TOML files read, checked and compiled once into the plan that the fold sees.

`load` reads a configuration with all it refers to, or raises `ConfigError` with everything that is wrong;
`compile` makes the plan of what was loaded. Nothing here reads a clock, and nothing a secret: those are read
where they are used, by `coldchain.config.credentials`.
"""

from coldchain.config.load import compile, load  # noqa: A004  # the plan is compiled: no other word fits
from coldchain.config.loaded import Loaded, Source
from coldchain.config.problems import ConfigError, Problem

__all__ = ["ConfigError", "Loaded", "Problem", "Source", "compile", "load"]
