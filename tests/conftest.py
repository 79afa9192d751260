"""What holds for every test: how long hypothesis searches, and that a failure can be had again.

Each run searches elsewhere (nothing is derandomised). The Makefile draws a seed, prints it and passes it as
`--hypothesis-seed`; `make test SEED=…` repeats a run. No deadline: the time of one example says nothing on a
machine that others use too.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, Phase, settings

pytest_plugins = ["tests.servers.fixtures"]  # brokers, databases, a browser: started by the tests that ask

settings.register_profile(
    "here",
    derandomize=False,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # measures the machine, not the test
)
settings.register_profile("ci", settings.get_profile("here"), max_examples=200, database=None)
# The long search by hand: COLDCHAIN_HYPOTHESIS=long .venv/bin/python -m pytest tests/unit/…
settings.register_profile("long", settings.get_profile("here"), max_examples=20_000)
# `make check` is asked for many times a day: what it does not search, `make test` does.
settings.register_profile("check", settings.get_profile("here"), max_examples=15)
# `make mutants` asks thousands of times whether a fault is seen: few examples, no search for the smallest.
settings.register_profile(
    "mutants",
    settings.get_profile("here"),
    max_examples=40,
    database=None,
    phases=(Phase.explicit, Phase.generate),
    report_multiple_bugs=False,
)
# Named outright, for hypothesis itself would choose its own derandomised profile where CI is set.
settings.load_profile(os.environ.get("COLDCHAIN_HYPOTHESIS") or ("ci" if os.environ.get("CI") else "here"))
