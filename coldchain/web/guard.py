"""What every request passes before anything looks at it: where it came from, and under which name.

Three attacks are meant: a foreign site that makes somebody's browser act here (cross-site requests), a
foreign name that resolves to our address (DNS rebinding), and forged forwarding headers. The answers are:
known host names only, actions only with our own Origin, and forwarding headers from the configured proxy
alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from msgspec import Struct
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from coldchain.web.settings import LOOPBACK_NAMES, PageSettings, is_any_address, is_loopback

_FORWARDING = ("forwarded", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "x-real-ip")
_SAFE = frozenset({"GET", "HEAD"})

#: Scripts and styles from our own files alone; nothing else may be loaded, framed or posted to.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "content-security-policy": _POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
}


class Caller(Struct, frozen=True):
    """Where a request came from: the client's address, whether it is surely this machine, and TLS."""

    address: str
    local: bool
    secure: bool


class Refused(Exception):
    """A request that goes no further: the HTTP status and why, for whoever set it up."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


def caller_of(settings: PageSettings, peer: str, headers: Mapping[str, str]) -> Caller:
    """Who calls, trusting forwarding headers only from a configured proxy; raises Refused otherwise.

    Without `behind_proxy` such headers are believed in nothing, but a request that carries one has come
    through somebody and so is not surely from this machine.
    """
    if not settings.behind_proxy:
        forwarded = any(name in headers for name in _FORWARDING)
        named_loopback = _name_of(headers.get("host", "")) in LOOPBACK_NAMES
        return Caller(peer, is_loopback(peer) and named_loopback and not forwarded, settings.tls)
    if peer not in settings.proxies:
        raise Refused(403, f"this page is served through a proxy only; {peer} is none of page.proxies")
    if headers.get("x-forwarded-proto", "").lower() != "https":
        raise Refused(403, "the proxy must speak TLS and send X-Forwarded-Proto: https")
    # The last entry is the one our own proxy added; those before it are the client's claims.
    address = headers.get("x-forwarded-for", "").rpartition(",")[2].strip()
    if not address:
        raise Refused(403, "the proxy must send X-Forwarded-For")
    return Caller(address, False, True)


def _name_of(host: str) -> str:
    """The name in a Host header, without its port, in lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host.partition("]")[0] + "]"
    return host.partition(":")[0]


def check_host(settings: PageSettings, host: str) -> None:
    """Refuse a Host that is none of ours: a foreign name that points here would pass for it in a browser."""
    allowed = {name.lower() for name in settings.names}
    if not settings.behind_proxy:
        here = is_loopback(settings.host) or is_any_address(settings.host)
        allowed |= LOOPBACK_NAMES if here else {_bracketed(settings.host.lower())}
    host = host.strip().lower()
    if host not in allowed and _name_of(host) not in allowed:
        raise Refused(
            421, f"{host or 'no host'} is none of this page's names; add it to page.names if it should be"
        )


def _bracketed(address: str) -> str:
    return f"[{address}]" if ":" in address and not address.startswith("[") else address


def check_origin(caller: Caller, method: str, headers: Mapping[str, str]) -> None:
    """Refuse what another site's page made a browser send. A request that changes something must say its
    Origin, and it must be ours; any other must not be marked as cross-site."""
    if headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Refused(403, "this request was made by another site's page")
    if method in _SAFE:
        return
    origin = urlsplit(headers.get("origin", ""))
    scheme = "https" if caller.secure else "http"
    if (origin.scheme, origin.netloc.lower()) != (scheme, headers.get("host", "").strip().lower()):
        raise Refused(
            403, f"Origin must be this page's own; a script sends e.g. Origin: {scheme}://HOST:PORT"
        )
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise Refused(415, "Content-Type must be application/json")


class Guard:
    """ASGI middleware: refuses what must not pass, tells the rest its `Caller`, adds security headers."""

    def __init__(self, app: ASGIApp, settings: PageSettings) -> None:
        self._app = app
        self._settings = settings

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass one request, or answer it."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # no websocket here
        headers = Headers(scope=scope)
        secure = self._settings.tls or self._settings.behind_proxy

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                out = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    out.setdefault(name, value)
                out.setdefault("cache-control", "no-store")
                if secure:
                    out.setdefault("strict-transport-security", "max-age=31536000")
            await send(message)

        client = scope.get("client")
        try:
            caller = caller_of(self._settings, client[0] if client else "", headers)
            check_host(self._settings, headers.get("host", ""))
            if scope["path"].startswith("/api/") or scope["method"] not in _SAFE:
                check_origin(caller, scope["method"], headers)
        except Refused as refused:
            await PlainTextResponse(refused.why + "\n", refused.status)(scope, receive, sealed)
            return
        scope["coldchain.caller"] = caller
        await self._app(scope, receive, sealed)
