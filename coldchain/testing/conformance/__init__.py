"""The conformance suite: what every driver must hold, ours and other people's.

In a test module of a driver's own package:

    from coldchain.testing.conformance import conformance
    from my_package.my_gauge import DRIVER

    test_my_gauge = conformance(DRIVER)

That is one test for each check; each check's docstring says what must hold. What the device says, and
what must be read of it, comes from the driver's datasheet (`coldchain.datasheet`). `installed()` gives
every driver that is published under the entry-point group `coldchain.drivers`; one that cannot be
imported fails. Needs pytest and hypothesis (`pip install coldchain[testing]`).
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from coldchain.testing.conformance import conversation, damage, lies, papers, vectors
from coldchain.testing.conformance.subject import Subject, installed

__all__ = ["CHECKS", "ON_A_LINE", "Subject", "conformance", "installed"]

Check = Callable[[Subject], None]

#: Checks that look at papers and frames alone: milliseconds to a second each.
CHECKS: tuple[Check, ...] = (*papers.CHECKS, *vectors.CHECKS, *lies.CHECKS, *damage.CHECKS)
#: Checks on the real port, over a pseudo-terminal: seconds each, marked `slow`.
ON_A_LINE: tuple[Check, ...] = conversation.CHECKS


def conformance(*drivers: object) -> Callable[[Check, Subject], None]:
    """A pytest function that holds each driver (or `Subject`) to each check."""
    subjects = [each if isinstance(each, Subject) else Subject.of(each) for each in drivers]
    rows = [
        pytest.param(check, subject, id=f"{subject.name}: {_words(check)}", marks=marks)
        for subject in subjects
        for checks, marks in ((CHECKS, ()), (ON_A_LINE, (pytest.mark.slow,)))
        for check in checks
    ]

    @pytest.mark.parametrize(("check", "subject"), rows)
    def test_conformance(check: Check, subject: Subject) -> None:
        """What the check's own docstring says must hold of the driver."""
        check(subject)

    return test_conformance


def _words(check: Check) -> str:
    return check.__name__.replace("_", " ")
