"""Every driver that is published here, held to the suite that other people's drivers are held to."""

from __future__ import annotations

import pytest

from coldchain.testing.conformance import conformance, installed

pytestmark = pytest.mark.slow

test_every_driver = conformance(*installed())
