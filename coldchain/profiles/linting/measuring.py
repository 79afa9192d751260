"""Whether what is measured, and how, fits what is judged."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from coldchain.config.amounts import amount_text, duration_text
from coldchain.config.problems import listed
from coldchain.config.rule_tables import LimitTable
from coldchain.model import Priority
from coldchain.profiles.linting import delays
from coldchain.profiles.linting.finding import Finding, Severity
from coldchain.profiles.linting.knowledge import knowledge
from coldchain.profiles.linting.limits import Judged
from coldchain.profiles.linting.watch import Watch
from coldchain.units import QUANTITIES

_HEARD = {Priority.CRITICAL, Priority.HIGH}


def doubts(here: Judged, watch: Watch) -> Iterator[Finding]:
    """Everything that is impossible or dangerous about judging a role by one channel."""
    yield from _range(here, watch)
    yield from _error(here, watch)
    yield from _silence(here, watch)
    yield from _pace(here, watch)
    yield from _again(here, watch)
    yield from _needs(here, watch)
    if watch.pace is not None:
        # Without it the hold alone is looked at; with it, only what the readings' distance adds.
        alone = {finding.problem.place for finding in delays.doubts(here)}
        for finding in delays.doubts(here, watch.pace):
            if finding.problem.place not in alone:
                yield finding


def _at(watch: Watch, code: str, severity: Severity, key: str, what: str, mend: str) -> Finding:
    return Finding(code, severity, watch.at(key, what, mend))


def _critical(here: Judged) -> dict[str, LimitTable]:
    return {name: rule for name, rule in here.limits().items() if rule.priority == "critical"}


def _range(here: Judged, watch: Watch) -> Iterator[Finding]:
    low, high = watch.valid_low, watch.valid_high
    for name, rule in here.rules.items():
        for value in rule.values():
            for key, end, missed in (
                ("valid_low", low, low is not None and value.quanta <= low.quanta),
                ("valid_high", high, high is not None and value.quanta >= high.quanta),
            ):
                if end is not None and missed:
                    yield _at(
                        watch,
                        "probe-cannot-measure",
                        Severity.ERROR,
                        key,
                        f"is {end.text}: the probe cannot see both sides of {value.text} ({name})",
                        "use a probe that can, or correct its range",
                    )
    shorted = knowledge().shorted_probe
    frozen = any(delays.in_nitrogen(rule) for rule in here.limits("above").values())
    if frozen and low is not None and low.quanta < shorted.value.quanta:
        yield _at(
            watch,
            "window-too-wide",
            Severity.WARNING,
            "valid_low",
            f"is {low.text}: a shorted probe reads colder than nitrogen ever is, and would look safe",
            f'write valid_low = "{shorted.value.text}"',
        )


def _error(here: Judged, watch: Watch) -> Iterator[Finding]:
    if watch.calibrated is False and _critical(here):
        yield _at(
            watch,
            "uncalibrated",
            Severity.WARNING,
            "",
            f"has no calibration, and {listed(_critical(here))} decide about the product by it",
            "write its calibration, with the uncertainty of the certificate",
        )
    if watch.uncertainty is None:
        return
    error = watch.uncertainty
    upper = sorted(limit.value.quanta for limit in here.limits("above").values())
    lower = sorted(limit.value.quanta for limit in here.limits("below").values())
    low, high = here.band()
    if low is not None and high is not None and high - low <= 2 * error.quanta:
        yield _at(
            watch,
            "inside-probe-error",
            Severity.ERROR,
            "calibration",
            f"is uncertain by {error.text}: between {here.text(low)} and {here.text(high)} it can be sure of "
            "no value",
            "use a better probe",
        )
        return
    for first, second in (*pairwise(dict.fromkeys(upper)), *pairwise(dict.fromkeys(lower))):
        if second - first < error.quanta:
            yield _at(
                watch,
                "inside-probe-error",
                Severity.WARNING,
                "calibration",
                f"is uncertain by {error.text}: it cannot tell {here.text(first)} from {here.text(second)}, "
                "two limits",
                "use a better probe, or put the limits further apart",
            )


def _silence(here: Judged, watch: Watch) -> Iterator[Finding]:
    critical = _critical(here)
    if not critical:
        return
    if watch.silence_priority not in _HEARD:
        yield _at(
            watch,
            "silence-unheard",
            Severity.WARNING,
            "silence_priority",
            f"is {watch.silence_priority}: a dead probe here means that nobody guards {listed(critical)}",
            'write silence_priority = "high" or "critical"',
        )
    if watch.fresh_within is None:
        return
    allowed, why = _longest_silence(here, critical)
    if allowed is not None and watch.fresh_within > allowed:
        yield _at(
            watch,
            "fresh-too-long",
            Severity.WARNING,
            "fresh_within",
            f"is {duration_text(watch.fresh_within)}: {why}",
            f"make it {duration_text(allowed // 60_000 * 60_000)} at most",
        )


def _longest_silence(here: Judged, critical: dict[str, LimitTable]) -> tuple[int | None, str]:
    """For how long nobody may know, and why; None where nothing is known of that."""
    frozen = [rule.value.quanta for rule in here.limits("above").values() if delays.in_nitrogen(rule)]
    if frozen:
        start, damage = min(frozen), knowledge().damage.value
        allowed = delays.time_to_damage(start)
        minutes = duration_text(allowed // 60_000 * 60_000)
        return allowed, (
            f"from {here.text(start)} to {damage.text}, where cells may be harmed, a vessel that lost its "
            f"vacuum needs {minutes}"
        )
    if any(rule.value.quantity == "temperature" for rule in critical.values()):
        ajar = knowledge().refrigerator_ajar
        longest = max(ajar.within, *(rule.hold for rule in critical.values()))
        return longest, (
            f"a refrigerator with its door ajar is out within {duration_text(ajar.within)} ({ajar.source})"
        )
    return None, ""


def _pace(here: Judged, watch: Watch) -> Iterator[Finding]:
    if watch.pace is None:
        return
    for name, rule in here.limits().items():
        if rule.fires is None and 0 < rule.hold < 3 * watch.pace:
            yield _at(
                watch,
                "fires-unstated",
                Severity.WARNING,
                "interval",
                f"gives readings {duration_text(watch.pace)} apart, few for {duration_text(rule.hold)}, "
                f"the hold of {name}",
                f'state in the profile that it fires "at_due" or "on_reading" (now: {rule.fires_or_default})',
            )


def _again(here: Judged, watch: Watch) -> Iterator[Finding]:
    for name, rule in _critical(here).items():
        if watch.re_alarm is False and rule.re_alarm is None:
            yield here.finding(
                "no-re-alarm",
                Severity.WARNING,
                name,
                "re_alarm",
                "is missing, and the site repeats no critical alarm: who misses it once misses it",
                "write alarms.re_alarm.critical in the configuration, or re_alarm here",
            )


def _needs(here: Judged, watch: Watch) -> Iterator[Finding]:
    for name, need in here.profile.head.needs.items():
        if need.role != here.role or (need.stages and here.stage not in need.stages):
            continue
        for key, what, mend in watch.unmet(need):
            yield _at(
                watch, "not-as-needed", Severity.WARNING, key, f"{what} (needs.{name}: {need.source})", mend
            )


def values_of(here: Judged) -> list[str]:
    """The values at which this role is judged, for people."""
    return [
        amount_text(QUANTITIES[value.quantity], value.quanta)
        for rule in here.rules.values()
        for value in rule.values()
    ]
