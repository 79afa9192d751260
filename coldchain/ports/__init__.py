"""Ports: a thread for each serial line and each broker, from bytes and messages to facts.

A port knows of its driver what `coldchain.driver` says and of the pipeline what `Intake` says. It
judges nothing and loses nothing silently.
"""

from coldchain.ports.ports import Ports, start_ports
from coldchain.ports.standing import SourceStatus

__all__ = ["Ports", "SourceStatus", "start_ports"]
