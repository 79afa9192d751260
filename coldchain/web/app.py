"""What the page may ask for over HTTP: state, curves, events, actions, logging in and out.

Everything is JSON. Reading needs a login once users exist; acting needs the role of operator, changing
what measures what the role of admin. While no users exist, only this machine itself is served.
"""

from __future__ import annotations

import asyncio
import gzip
import hmac
import logging
import math
from collections.abc import AsyncIterator, Callable

import msgspec
from msgspec import Raw, Struct
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from coldchain import __version__
from coldchain.clock import Clock
from coldchain.units import QUANTITIES
from coldchain.web.guard import Caller, Guard, Refused, check_origin
from coldchain.web.hub import Event, Hub
from coldchain.web.metrics import MEDIA_TYPE, exposition
from coldchain.web.sessions import Sessions
from coldchain.web.settings import PageSettings
from coldchain.web.static_files import StaticFiles
from coldchain.web.station import (
    UNAUTHENTICATED,
    AcknowledgeAlarm,
    Action,
    Actor,
    BindChannel,
    CloseAlarm,
    EraseNames,
    ReopenExcursion,
    ResetLatch,
    ResolveExcursion,
    Role,
    ShelveAlarm,
    Station,
    UnbindChannel,
)
from coldchain.web.throttle import Throttle
from coldchain.web.users import User, Users, UsersError
from coldchain.web.views import Pulse

_log = logging.getLogger(__name__)

_LONGEST_BODY = 64 * 1024
_LONGEST_TEXT = 2_000
_MOST_COLUMNS = 4_000
#: How long the page waits for the state that it brings with it. Without, it asks for itself.
_START_S = 0.5
_RANK = {Role.VIEWER: 0, Role.OPERATOR: 1, Role.ADMIN: 2}
_ADMIN_ONLY = (BindChannel, UnbindChannel, ResolveExcursion, ReopenExcursion, EraseNames)
#: What is only done with words beside it; an acknowledgement without them tells the next shift nothing.
_WANTS_WORDS = (
    AcknowledgeAlarm, ShelveAlarm, ResetLatch, CloseAlarm, ResolveExcursion, ReopenExcursion,
)  # fmt: skip

Handler = Callable[[Request], object]


class Login(Struct, frozen=True, forbid_unknown_fields=True):
    """What the login form sends."""

    name: str
    password: str


# Made once: two threads that prepare a type at the same time end the process (see daemon/control.py).
_LOGIN: msgspec.json.Decoder[Login] = msgspec.json.Decoder(Login)
_ACTION: msgspec.json.Decoder[Action] = msgspec.json.Decoder(Action)


class Me(Struct, frozen=True):
    """Who is looking, and what the page needs once: how often it hears from us, units, the version."""

    name: str
    role: Role
    authenticated: bool
    heartbeat_ms: int
    version: str
    quantities: dict[str, dict[str, str | int]]


class Start(Struct, frozen=True):
    """What the page brings with it: who looks, the pulse, everything now and its number."""

    me: Me
    beat: Pulse
    state: Raw
    since: str


class Problem(Exception):
    """An answer that is not what was asked for: status, a word for programs, a sentence for people."""

    def __init__(self, status: int, word: str, message: str, retry_s: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.word = word
        self.message = message
        self.retry_s = retry_s

    def response(self) -> Response:
        """As JSON."""
        body = msgspec.json.encode({"error": self.word, "message": self.message})
        headers = {"retry-after": str(self.retry_s)} if self.retry_s is not None else {}
        return Response(body, self.status, headers, "application/json")


_QUANTITIES: dict[str, dict[str, str | int]] = {
    quantity.name: {
        "unit": quantity.display_unit,
        "decimals": quantity.decimals,
        "per_display": quantity.per_display,
    }
    for quantity in QUANTITIES.values()
}


def _json(request: Request, body: bytes) -> Response:
    """JSON, compressed where it is long and the other side can: phones in loading bays."""
    headers = {"vary": "accept-encoding"}
    if len(body) > 1_000 and "gzip" in request.headers.get("accept-encoding", ""):
        body = gzip.compress(body, 5, mtime=0)
        headers["content-encoding"] = "gzip"
    return Response(body, headers=headers, media_type="application/json")


async def _read(request: Request) -> bytes:
    """The body, if it is short enough; raises Problem."""
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > _LONGEST_BODY:
            raise Problem(413, "too_long", f"more than {_LONGEST_BODY} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


class Api:
    """The handlers; `users`, `sessions` and `throttle` may block and are asked in threads."""

    def __init__(
        self,
        station: Station,
        settings: PageSettings,
        clock: Clock,
        users: Users,
        hub: Hub,
        static: StaticFiles,
    ) -> None:
        self._station = station
        self._settings = settings
        self._clock = clock
        self._users = users
        self._hub = hub
        self._static = static
        self._throttle = Throttle(clock)
        sessions_file = settings.users_file.with_name(settings.users_file.stem + "-sessions.json")
        self._sessions = Sessions(sessions_file, users, clock, settings.session_ms)
        # Under TLS the prefix binds the cookie to this host and to HTTPS (RFC 6265bis, 4.1.3.2).
        self._cookie = "__Host-coldchain" if settings.tls or settings.behind_proxy else "coldchain"

    # --- Who asks -------------------------------------------------------------------------------------------

    def _actor(self, request: Request) -> Actor:
        """Who asks; raises Problem if nobody we know. Blocks on a file when the users changed."""
        caller: Caller = request.scope["coldchain.caller"]
        try:
            if not self._users.all():
                if caller.local:
                    return Actor(UNAUTHENTICATED, Role.ADMIN, authenticated=False, address=caller.address)
                raise Problem(403, "no_users", "without users this page serves its own machine only")
            user = self._sessions.user_of(request.cookies.get(self._cookie, ""))
        except UsersError as error:
            _log.error("%s", error)
            raise Problem(503, "users_unreadable", "the users file cannot be used; see the log") from error
        if user is None:
            raise Problem(401, "log_in", "log in first")
        return Actor(user.name, user.role, address=caller.address)

    async def _who(self, request: Request, role: Role = Role.VIEWER) -> Actor:
        actor = await asyncio.to_thread(self._actor, request)
        if _RANK[actor.role] < _RANK[role]:
            raise Problem(
                403, "role", f"this needs the role {role.value}; {actor.name} is {actor.role.value}"
            )
        return actor

    # --- Handlers -------------------------------------------------------------------------------------------

    async def me(self, request: Request) -> Response:
        """GET /api/me"""
        actor = await self._who(request)
        return _json(request, msgspec.json.encode(self._me(actor)))

    def _me(self, actor: Actor) -> Me:
        return Me(
            actor.name, actor.role, actor.authenticated, self._settings.heartbeat_ms, __version__, _QUANTITIES
        )

    async def state(self, request: Request) -> Response:
        """GET /api/state: everything now, as the first event of the stream would say it."""
        await self._who(request)
        return _json(request, (await self._hub.snapshot()).data)

    async def series(self, request: Request) -> Response:
        """GET /api/series?channel=…&from=…&to=…&columns=…: one curve, times in UTC ms."""
        await self._who(request)
        query = request.query_params
        try:
            from_ms, to_ms, columns = (int(query[name]) for name in ("from", "to", "columns"))
            channel = query["channel"]
        except (KeyError, ValueError) as error:
            raise Problem(400, "query", "channel, from, to (UTC ms) and columns are wanted") from error
        if not (-(2**53) < from_ms < to_ms < 2**53 and 0 < columns <= _MOST_COLUMNS):
            raise Problem(400, "query", f"from must lie before to, columns between 1 and {_MOST_COLUMNS}")
        view = await asyncio.to_thread(self._station.series, channel, from_ms, to_ms, columns)
        if view is None:
            raise Problem(404, "channel", f"there is no channel {channel}")
        return _json(request, msgspec.json.encode(view))

    async def metrics(self, request: Request) -> Response:
        """GET /metrics: for Prometheus, which logs in with a token of its own."""
        given = request.headers.get("authorization", "").removeprefix("Bearer ").encode()
        token = (self._settings.metrics_token or "").encode()
        if not (token and hmac.compare_digest(given, token)):
            try:
                await self._who(request)
            except Problem as problem:
                mend = "set page.metrics_token_file, and send it as Authorization: Bearer …"
                raise Problem(problem.status, problem.word, f"{problem}; a program: {mend}") from problem
        state, pulse, workings = await asyncio.to_thread(
            lambda: (self._station.state(), self._station.pulse(), self._station.workings())
        )
        return Response(exposition(state, pulse, workings), media_type=MEDIA_TYPE)

    async def events(self, request: Request) -> Response:
        """GET /api/events: server-sent events `me`, `state`, `change`, `beat`, `bye`."""
        actor = await self._who(request)
        if self._hub.full:
            raise Problem(503, "full", "too many pages are open", retry_s=5)
        last_id = request.headers.get("last-event-id") or request.query_params.get("since", "")

        def still_welcome() -> bool:
            try:
                self._actor(request)
            except Problem:
                return False
            return True

        greeting = Event("me", msgspec.json.encode(self._me(actor)))  # saves a page one round trip
        stream: AsyncIterator[bytes] = self._hub.listen(last_id, greeting, still_welcome)
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(stream, headers=headers, media_type="text/event-stream")

    async def act(self, request: Request) -> Response:
        """POST /api/act: one action; 200 if done, 409 if the station refused it."""
        actor = await self._who(request, Role.OPERATOR)
        try:
            action = _ACTION.decode(await _read(request))
        except msgspec.DecodeError as error:
            raise Problem(400, "action", str(error)) from error
        if isinstance(action, _ADMIN_ONLY) and actor.role is not Role.ADMIN:
            raise Problem(
                403,
                "role",
                "what measures what, what counts in a budget and what is erased is an admin's to say",
            )
        words = getattr(action, "comment", "") or getattr(action, "why", "")
        if len(words) > _LONGEST_TEXT:
            raise Problem(400, "words", f"more than {_LONGEST_TEXT} characters")
        if isinstance(action, _WANTS_WORDS) and not action.comment.strip():
            raise Problem(400, "words", "say why, in a few words")
        outcome = await asyncio.to_thread(self._station.act, action, actor)
        response = _json(request, msgspec.json.encode(outcome))
        response.status_code = 200 if outcome.done else 409
        return response

    async def login(self, request: Request) -> Response:
        """POST /api/login {name, password}"""
        caller: Caller = request.scope["coldchain.caller"]
        try:
            login = _LOGIN.decode(await _read(request))
        except msgspec.DecodeError as error:
            raise Problem(400, "login", str(error)) from error
        wait_s = self._throttle.wait_s(login.name, caller.address)
        if wait_s > 0:
            seconds = math.ceil(wait_s)
            raise Problem(429, "wait", f"too many attempts; wait {seconds} s", retry_s=seconds)
        try:
            user = await asyncio.to_thread(self._users.verify, login.name, login.password)
        except UsersError as error:
            _log.error("%s", error)
            raise Problem(503, "users_unreadable", "the users file cannot be used; see the log") from error
        if user is None:
            _log.warning("login refused for %r from %s", login.name[:64], caller.address)
            raise Problem(401, "wrong", "name or password is wrong")
        self._throttle.succeeded(login.name, caller.address)
        return await self._let_in(request, user, caller)

    async def _let_in(self, request: Request, user: User, caller: Caller) -> Response:
        token = await asyncio.to_thread(self._sessions.open, user)
        response = _json(request, msgspec.json.encode(self._me(Actor(user.name, user.role))))
        response.set_cookie(
            self._cookie,
            token,
            max_age=self._settings.session_ms // 1000,
            path="/",
            secure=caller.secure,
            httponly=True,
            samesite="strict",
        )
        return response

    async def logout(self, request: Request) -> Response:
        """POST /api/logout"""
        caller: Caller = request.scope["coldchain.caller"]
        await asyncio.to_thread(self._sessions.close, request.cookies.get(self._cookie, ""))
        response = Response(status_code=204)
        response.delete_cookie(self._cookie, path="/", secure=caller.secure, httponly=True, samesite="strict")
        return response

    async def file(self, request: Request) -> Response:
        """GET of anything else: the page and its files, which hold no secrets and so need no login.

        Whoever may see the state gets it in the page itself: on a slow line an alarm stands there before the
        page has asked for anything.
        """
        if not self._static.is_page(request):
            return self._static.answer(request)
        return self._static.page(request, await self._start(request))

    async def _start(self, request: Request) -> bytes | None:
        """What the page shows first; None if it is not for whoever asks, or not to be had at once."""
        caller: Caller = request.scope["coldchain.caller"]
        try:
            check_origin(caller, "GET", request.headers)
            me = self._me(await self._who(request))
        except (Problem, Refused):
            return None
        now = await self._hub.at_once(_START_S)
        if now is None:
            return None
        event, beat = now
        return msgspec.json.encode(Start(me, beat, Raw(event.data), event.id))


async def _problem(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)
    return error.response()


def make_app(api: Api, settings: PageSettings) -> Starlette:
    """The application: routes behind the guard."""
    routes = [
        Route("/api/me", api.me),
        Route("/api/state", api.state),
        Route("/api/series", api.series),
        Route("/api/events", api.events),
        Route("/metrics", api.metrics),
        Route("/api/act", api.act, methods=["POST"]),
        Route("/api/login", api.login, methods=["POST"]),
        Route("/api/logout", api.logout, methods=["POST"]),
        Route("/{path:path}", api.file),
    ]
    return Starlette(
        routes=routes,
        middleware=[Middleware(Guard, settings=settings)],
        exception_handlers={Problem: _problem},
    )
