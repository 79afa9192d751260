"""A bare HTTP client for tests: every header is said, nothing is hidden, events are read one by one."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import msgspec

from coldchain.web.server import Page

DEADLINE_S = 10


class Answer:
    """Status, headers, body; `data` is the JSON in it."""

    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def data(self) -> Any:
        """The body as JSON."""
        return msgspec.json.decode(self.body)


class Client:
    """Talks to one page on loopback; keeps a cookie if it is given one."""

    def __init__(self, page: Page, *, tls: ssl.SSLContext | None = None) -> None:
        self.port = page.port
        self.tls = tls
        self.host = f"localhost:{page.port}"
        self.origin = f"{'https' if tls else 'http'}://{self.host}"
        self.cookie = ""

    def _connect(self) -> http.client.HTTPConnection:
        if self.tls is not None:
            return http.client.HTTPSConnection("localhost", self.port, timeout=DEADLINE_S, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=DEADLINE_S)

    def _headers(self, more: Mapping[str, str]) -> dict[str, str]:
        headers = {"host": self.host} | ({"cookie": self.cookie} if self.cookie else {})
        return {name: value for name, value in (headers | dict(more)).items() if value}

    def get(self, path: str, **headers: str) -> Answer:
        """GET; `_` in a header's name stands for `-`."""
        return self._ask(
            "GET", path, None, {name.replace("_", "-"): value for name, value in headers.items()}
        )

    def post(self, path: str, body: object, **headers: str) -> Answer:
        """POST as JSON from our own origin, unless a header says otherwise ("" leaves one out)."""
        own = {"origin": self.origin, "content-type": "application/json"}
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return self._ask("POST", path, content, own | more)

    def _ask(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        connection = self._connect()
        try:
            connection.request(method, path, body, self._headers(headers))
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def login(self, name: str, password: str) -> Answer:
        """Log in and keep the cookie."""
        answer = self.post("/api/login", {"name": name, "password": password})
        if answer.status == 200:
            self.cookie = answer.headers["set-cookie"].partition(";")[0]
        return answer

    @contextmanager
    def events(self, since: str = "", **headers: str) -> Iterator[Iterator[tuple[str, Any, str]]]:
        """The stream as (name, data, id); ends when the server ends it."""
        connection = self._connect()
        try:
            connection.request("GET", f"/api/events?since={since}", headers=self._headers(headers))
            response = connection.getresponse()
            assert response.status == 200, response.read()
            yield _events(response)
        finally:
            connection.close()


def _events(response: http.client.HTTPResponse) -> Iterator[tuple[str, Any, str]]:
    fields: dict[str, str] = {}
    for line in response:
        text = line.decode().rstrip("\n")
        if text:
            name, _, value = text.partition(": ")
            fields[name] = value
        else:
            if "event" in fields:
                yield fields["event"], msgspec.json.decode(fields["data"]), fields.get("id", "")
            fields = {}
