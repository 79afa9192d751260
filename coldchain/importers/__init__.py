"""Files that loggers leave behind: read by their own evidence, refused where that leaves a doubt.

`read` makes a `LoggerFile` of a file's bytes or raises `Refused`; `replay_plan` turns it into the facts
that the fold judges. Nothing here judges, and nothing guesses.
"""

from coldchain.importers.loggerfile import BY_ITS_OWN_EVIDENCE, ROLE, LoggerFile, ReadAs, Series, Value
from coldchain.importers.recognise import read, sha256
from coldchain.importers.refusal import Refused, Unread

__all__ = [
    "BY_ITS_OWN_EVIDENCE",
    "ROLE",
    "LoggerFile",
    "ReadAs",
    "Refused",
    "Series",
    "Unread",
    "Value",
    "read",
    "sha256",
]
