"""What every request must pass: names, origins, and forwarding headers that may be lies."""

from __future__ import annotations

import pytest
from msgspec import structs

from coldchain.web.guard import Caller, Refused, caller_of, check_host, check_origin
from coldchain.web.settings import PageSettings

LOCAL = PageSettings()
PROXIED = PageSettings(behind_proxy=True, names=("cold.example.org",))
FROM_PROXY = {
    "host": "cold.example.org",
    "x-forwarded-proto": "https",
    "x-forwarded-for": "203.0.113.9, 198.51.100.4",
}
OWN = {"origin": "http://localhost:8443", "host": "localhost:8443", "content-type": "application/json"}


@pytest.mark.parametrize(
    ("peer", "headers", "local"),
    [
        pytest.param("127.0.0.1", {"host": "localhost:8443"}, True, id="this machine"),
        pytest.param("::1", {"host": "[::1]:8443"}, True, id="this machine, IPv6"),
        pytest.param("::ffff:127.0.0.1", {"host": "127.0.0.1"}, True, id="this machine, mapped"),
        pytest.param("192.0.2.9", {"host": "localhost"}, False, id="another machine that says localhost"),
        pytest.param("127.0.0.1", {"host": "evil.example"}, False, id="a foreign name that points here"),
        pytest.param(
            "127.0.0.1",
            {"host": "localhost", "x-forwarded-for": "192.0.2.9"},
            False,
            id="through a proxy nobody told us of",
        ),
        pytest.param(
            "127.0.0.1", {"host": "localhost", "forwarded": "for=192.0.2.9"}, False, id="the same, RFC 7239"
        ),
    ],
)
def test_who_is_surely_this_machine(peer: str, headers: dict[str, str], local: bool) -> None:
    """Only a direct request under a loopback name counts as this machine; a header is believed in nothing."""
    assert caller_of(LOCAL, peer, headers) == Caller(peer, local, secure=False)


def test_the_proxy_tells_the_client() -> None:
    """Behind the proxy the client is the last address, the one our proxy saw; earlier ones are claims."""
    assert caller_of(PROXIED, "127.0.0.1", FROM_PROXY) == Caller("198.51.100.4", local=False, secure=True)


@pytest.mark.parametrize(
    ("peer", "change"),
    [
        pytest.param("192.0.2.9", {}, id="past the proxy"),
        pytest.param("127.0.0.1", {"x-forwarded-proto": "http"}, id="the proxy speaks no TLS"),
        pytest.param("127.0.0.1", {"x-forwarded-proto": ""}, id="the proxy does not say"),
        pytest.param("127.0.0.1", {"x-forwarded-for": ""}, id="the proxy names no client"),
    ],
)
def test_what_a_proxy_must_do(peer: str, change: dict[str, str]) -> None:
    """A request that did not come through the configured proxy over TLS goes no further."""
    with pytest.raises(Refused) as refused:
        caller_of(PROXIED, peer, FROM_PROXY | change)
    assert refused.value.status == 403


@pytest.mark.parametrize(
    ("settings", "host", "passes"),
    [
        pytest.param(LOCAL, "localhost:8443", True, id="localhost"),
        pytest.param(LOCAL, "127.0.0.1", True, id="loopback address"),
        pytest.param(LOCAL, "[::1]:8443", True, id="loopback, IPv6"),
        pytest.param(LOCAL, "LOCALHOST", True, id="any case"),
        pytest.param(LOCAL, "evil.example", False, id="a foreign name"),
        pytest.param(LOCAL, "localhost.evil.example", False, id="a foreign name that begins well"),
        pytest.param(LOCAL, "", False, id="none"),
        pytest.param(
            structs.replace(LOCAL, names=("box.lan",)), "box.lan:8443", True, id="a configured name"
        ),
        pytest.param(
            structs.replace(LOCAL, names=("box.lan:1",)), "box.lan:2", False, id="another port than said"
        ),
        pytest.param(structs.replace(LOCAL, host="192.0.2.7"), "192.0.2.7:8443", True, id="its own address"),
        pytest.param(structs.replace(LOCAL, host="192.0.2.7"), "localhost", False, id="not on loopback"),
        pytest.param(structs.replace(LOCAL, host="0.0.0.0"), "0.0.0.0:8443", False, id="no address at all"),
        pytest.param(PROXIED, "cold.example.org", True, id="through the proxy"),
        pytest.param(PROXIED, "localhost", False, id="behind a proxy, by another name"),
    ],
)
def test_names(settings: PageSettings, host: str, passes: bool) -> None:
    """A name that is not ours is refused even if it resolves to us: so would a foreign page get in."""
    if passes:
        check_host(settings, host)
        return
    with pytest.raises(Refused) as refused:
        check_host(settings, host)
    assert refused.value.status == 421


@pytest.mark.parametrize(
    ("method", "headers", "status"),
    [
        pytest.param("POST", OWN, None, id="our own page"),
        pytest.param(
            "POST", OWN | {"content-type": "application/json; charset=utf-8"}, None, id="with a charset"
        ),
        pytest.param("POST", OWN | {"origin": "http://evil.example"}, 403, id="another site"),
        pytest.param("POST", OWN | {"origin": "http://localhost:1"}, 403, id="another port"),
        pytest.param("POST", OWN | {"origin": "https://localhost:8443"}, 403, id="another scheme"),
        pytest.param("POST", OWN | {"origin": "null"}, 403, id="a sandboxed frame"),
        pytest.param("POST", {k: v for k, v in OWN.items() if k != "origin"}, 403, id="no origin"),
        pytest.param("POST", OWN | {"content-type": "text/plain"}, 415, id="what a plain form can send"),
        pytest.param("POST", OWN | {"sec-fetch-site": "cross-site"}, 403, id="the browser says cross-site"),
        pytest.param("GET", {}, None, id="a script reads"),
        pytest.param("GET", {"sec-fetch-site": "none"}, None, id="typed by a person"),
        pytest.param("GET", {"sec-fetch-site": "same-site"}, 403, id="a neighbour's page reads"),
    ],
)
def test_origins(method: str, headers: dict[str, str], status: int | None) -> None:
    """What changes something must come from our own page; what reads must not come from another site's."""
    caller = Caller("127.0.0.1", local=True, secure=False)
    if status is None:
        check_origin(caller, method, headers)
        return
    with pytest.raises(Refused) as refused:
        check_origin(caller, method, headers)
    assert refused.value.status == status
