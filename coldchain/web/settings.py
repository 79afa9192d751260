"""Where the page listens, under which names, and whether that may be.

The page can silence alarms, so it is open to nobody by accident: beyond this machine it wants logins and a
line that nobody can listen on.
"""

from __future__ import annotations

import ipaddress
from pathlib import Path

from msgspec import Struct

from coldchain.web.users import Users

#: Anything that stands for "this machine" as a host name.
LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})


class ExposureError(Exception):
    """The page would be open where it must not be; says what to write instead."""


class PageSettings(Struct, frozen=True, kw_only=True):
    """How the page is served.

    host, port:   the address to listen on; port 0 takes a free one.
    names:        host names (with or without a port) people type; a request for any other is refused.
    certificate, key: PEM files for TLS. behind_proxy: a proxy on one of `proxies` does TLS for us.
    users_file:   the logins; sessions lie beside it.
    heartbeat_ms: a connected page hears from us this often and says "no live data" when it does not.
    session_ms:   a login lasts this long.
    metrics_token: what a program shows that reads /metrics, once users exist.
    """

    host: str = "127.0.0.1"
    port: int = 8443
    names: tuple[str, ...] = ()
    certificate: Path | None = None
    key: Path | None = None
    behind_proxy: bool = False
    proxies: tuple[str, ...] = ("127.0.0.1", "::1")
    users_file: Path = Path("/var/lib/coldchain/users.json")
    heartbeat_ms: int = 2_000
    session_ms: int = 30 * 24 * 3_600_000
    metrics_token: str | None = None

    @property
    def tls(self) -> bool:
        """Whether we speak TLS ourselves."""
        return self.certificate is not None


def is_loopback(address: str) -> bool:
    """Whether an address (or "localhost") can be reached from this machine alone."""
    if address == "localhost":
        return True
    try:
        parsed = ipaddress.ip_address(address.strip("[]"))
    except ValueError:
        return False
    mapped = getattr(parsed, "ipv4_mapped", None)
    return (mapped or parsed).is_loopback


def check_exposure(settings: PageSettings, users: Users) -> None:
    """Raise ExposureError where the page would be open to more people than can be told apart.

    An address other than loopback needs users and TLS (own, or a proxy's). A proxy makes everybody look
    like this machine, so `behind_proxy` needs users whatever the address is. Raises UsersError if the users
    file is damaged.
    """
    if (settings.certificate is None) != (settings.key is None):
        raise ExposureError(
            "page: tls_certificate_file and tls_key_file belong together; give both, or neither"
        )
    for file in (settings.certificate, settings.key):
        if file is not None and not file.is_file():
            raise ExposureError(f"page: {file} is not there")
    outside = not is_loopback(settings.host)
    if not outside and not settings.behind_proxy:
        return
    where = f"page: listening on {settings.host}" if outside else "page: standing behind a proxy"
    if not users.all():
        raise ExposureError(
            f"{where} needs logins; add the first with: coldchain user add NAME --role admin "
            f'(kept in {settings.users_file}), or listen on host = "127.0.0.1" without a proxy'
        )
    if outside and not settings.tls and not settings.behind_proxy:
        raise ExposureError(
            f"{where} needs TLS; set tls_certificate_file and tls_key_file, or let a proxy do it and set "
            "behind_proxy = true"
        )
    if not settings.names and (settings.behind_proxy or is_any_address(settings.host)):
        raise ExposureError(
            f'{where} needs the names people type, e.g. names = ["coldchain.example.org"]; others are refused'
        )


def is_any_address(host: str) -> bool:
    """Whether listening there means listening on every address of the machine."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_unspecified
    except ValueError:
        return False
