"""What is published on a broker, as a configuration: `coldchain probe mqtt://HOST`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from urllib.parse import urlsplit

import click
from paho.mqtt.client import topic_matches_sub
from pydantic import ValidationError

from coldchain.cli.output import errors
from coldchain.clock import SystemClock
from coldchain.config.endpoints import BrokerSettings
from coldchain.config.proposing import Proposal, as_toml
from coldchain.config.sources import drivers_found
from coldchain.driver import Found, MqttDriver
from coldchain.model import Measured
from coldchain.ports.listening import NoBroker, listen
from coldchain.session import Publication

#: The name of the broker in what is proposed, that of its connection which is forgotten when it ends, and
#: where the password is looked for.
BROKER, CLEAN, PASSWORD_ENV = "found", "found-clean", "COLDCHAIN_BROKER_PASSWORD"


def is_broker(port: str) -> bool:
    """Whether what is to be probed is a broker."""
    return port.startswith(("mqtt://", "mqtts://"))


def probe_broker(
    url: str, only: tuple[str, ...], seconds: float, asset: str, *, ask: bool = False
) -> Iterator[str]:
    """Tables for a gateway.toml, one after the other. Raises ClickException.

    ask: let drivers publish what they ask in service, so that devices say who they are.
    """
    settings = _settings(url)
    drivers = {name: d for name, d in drivers_found()[0].items() if isinstance(d, MqttDriver) and d.looks_at}
    unknown = [name for name in only if name not in drivers]
    if unknown:
        there = ", ".join(sorted(drivers))
        raise click.ClickException(f'"{unknown[0]}" finds nothing on a broker; these do: {there}')
    tried = [drivers[name] for name in sorted(only or drivers)]
    errors.print(f"listening for {seconds:g} s", markup=False)
    filters = [each for driver in tried for each in driver.looks_at]
    try:
        heard = listen(settings, filters, seconds, SystemClock(), partial(_asks, tried) if ask else None)
    except NoBroker as error:
        raise click.ClickException(str(error)) from error
    found = [(driver, seen) for driver in tried if (seen := _found(driver, heard)) is not None]
    if not found:
        raise click.ClickException(
            f"nothing that a driver here knows was published within {seconds:g} s; battery devices speak "
            "seldom: listen longer with --listen, or describe the messages with mqtt_json"
        )
    # A session that the broker forgets needs a connection of its own: the others must be remembered.
    for clean in sorted({_is_clean(driver) for driver, _ in found}):
        yield _table(settings, clean=clean)
    for number, (driver, seen) in enumerate(found):
        name = asset if not number else f"{asset}-{number + 1}"
        yield as_toml(_proposal(driver, seen, heard), name, driver.name)


def _settings(url: str) -> BrokerSettings:
    parts = urlsplit(url)
    try:
        port = parts.port
    except ValueError:
        port = -1
    if not parts.hostname or parts.password is not None or port == -1:
        raise click.ClickException(
            f"write mqtt://[USER@]HOST[:PORT], or mqtts:// for TLS; the password is read from {PASSWORD_ENV}"
        )
    return BrokerSettings(
        host=parts.hostname,
        port=port,
        client_id="coldchain-gateway",
        user=parts.username or "",
        password_env=PASSWORD_ENV if parts.username else "",
        tls=parts.scheme == "mqtts",
    )


def _is_clean(driver: MqttDriver) -> bool:
    return driver.session is not None and driver.session.clean


def _asks(drivers: Sequence[MqttDriver], heard: Mapping[str, bytes], utc_ms: int) -> Iterator[Publication]:
    for driver in drivers:
        ours = _of(driver, heard)
        if ours:
            yield from driver.asks(ours, utc_ms)


def _of(driver: MqttDriver, heard: Mapping[str, bytes]) -> dict[str, bytes]:
    return {
        topic: payload
        for topic, payload in heard.items()
        if any(topic_matches_sub(each, topic) for each in driver.looks_at)
    }


def _found(driver: MqttDriver, heard: dict[str, bytes]) -> Found | None:
    """What a driver would read, if anything; a driver that raises finds nothing."""
    ours = _of(driver, heard)
    try:
        return driver.find(ours) if ours else None
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the edge to other people's code
        errors.print(f"{driver.name} raised {type(error).__name__}: {error}", style="yellow", markup=False)
        return None


def _proposal(driver: MqttDriver, seen: Found, heard: dict[str, bytes]) -> Proposal:
    now: dict[str, tuple[str, str]] = {}
    units: dict[str, str] = {}
    try:
        settings = driver.settings.model_validate(seen.settings | seen.trial)
        units = driver.keys(settings)
        read = [
            one
            for topic, payload in _of(driver, heard).items()
            for one in driver.decode(settings, topic, payload)
        ]
        now = {one.key: (one.value, one.unit) for one in read if isinstance(one, Measured)}
    except ValidationError:
        pass  # what is open must be said first; then a second look shows the values
    return Proposal(
        driver.name,
        driver.title,
        "",
        seen.settings,
        now | seen.now,
        dict(seen.open),
        False,
        CLEAN if _is_clean(driver) else BROKER,
        units,
        seen.notes,
    )


def _table(settings: BrokerSettings, *, clean: bool) -> str:
    lines = [f"[brokers.{CLEAN if clean else BROKER}]", f'host = "{settings.host}"']
    lines += [f"port = {settings.port}"] if settings.port else []
    own = f"{settings.client_id}-2" if clean else settings.client_id
    lines += [f'client_id = "{own}" # one for each gateway']
    lines += ["clean_session = true # so the protocol wants it, on a connection of its own"] if clean else []
    lines += ["tls = true"] if settings.tls else []
    lines += [f'user = "{settings.user}"', f'password_env = "{PASSWORD_ENV}"'] if settings.user else []
    return "\n".join(lines) + "\n"
