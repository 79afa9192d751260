"""Every driver that is published here, held to the suite that other people's drivers are held to."""

from __future__ import annotations

from coldchain.testing.conformance import conformance, installed

test_every_driver = conformance(*installed())
