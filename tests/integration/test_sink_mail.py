"""Notices as mail, to a real SMTP server that takes, refuses, hangs and is gone."""

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword, Session
from pydantic import ValidationError

from coldchain.clock import SystemClock
from coldchain.config.endpoints import MailSink
from coldchain.sinks.base import (
    Message,
    Misconfigured,
    Pulse,
    Rejected,
    SinkError,
    Surroundings,
    Unreachable,
    Unwilling,
)
from coldchain.sinks.mail import Mail
from coldchain.testing.broker import settle
from tests.servers import Authority, free_port
from tests.unit.sinks.world import NOON, raised

NIGHT, HEAD = "night@example.org", "head@example.org"


class Post:
    """What the server does: keep, and answer what it is told to answer."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, EmailMessage]] = []
        self.to_recipient: dict[str, str] = {}
        self.to_content: list[str] = []
        self.logins: list[tuple[bytes, bytes]] = []

    async def handle_RCPT(  # noqa: N802 - named by aiosmtpd
        self, server: Any, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.to_recipient:
            return self.to_recipient[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.to_content:
            return self.to_content.pop(0)
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=default)
        assert isinstance(mail, EmailMessage)
        self.taken.extend((recipient, mail) for recipient in envelope.rcpt_tos)
        return f"250 queued as {len(self.taken)}"

    def login(self, *about: Any) -> AuthResult:
        given = about[-1]
        assert isinstance(given, LoginPassword)
        self.logins.append((given.login, given.password))
        return AuthResult(success=given.password == b"right", handled=False)


class Server(Controller):
    """One that closes its connections before it stops."""

    def stop(self, no_assert: bool = False) -> None:
        asyncio.run_coroutine_threadsafe(settle(), self.loop).result(10)
        super().stop(no_assert)


@pytest.fixture
def post() -> Iterator[tuple[Post, Controller]]:
    """A server without any security, on loopback."""
    post = Post()
    server = Server(post, hostname="127.0.0.1", port=free_port())
    server.start()
    yield post, server
    server.stop()


def mail(port: int, *, password: str | None = None, **more: Any) -> Mail:
    given: dict[str, Any] = {
        "kind": "mail",
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "coldchain@example.org",
        "recipients": [NIGHT, HEAD],
        "timeout": "2 s",
    }
    around = Surroundings(
        name="letters",
        site="Cell bank\r\nBcc: all@example.org",  # whatever a site is called, it adds no header
        clock=SystemClock(trusted=True),
        secret=lambda file, variable: password,
    )
    return Mail(MailSink.model_validate(given | more), around)


def message(key: str = "k-3-0", **more: Any) -> Message:
    return Message(key, 3, 0, raised(), 1_000, NOON + 1_000, more.pop("age_ms", 250), **more)


def test_what_a_person_reads(post: tuple[Post, Controller]) -> None:
    """Subject and text say what, where, how far and since when; headers let programs sort and thread."""
    taken = post[0].taken
    receipt = mail(post[1].port).tell(message())
    assert receipt == f"{NIGHT}: 250 queued as 1; {HEAD}: 250 queued as 2"
    assert [recipient for recipient, _ in taken] == [NIGHT, HEAD]
    first = taken[0][1]
    assert first["Subject"] == (
        "Cell bank Bcc: all@example.org: [CRITICAL] box-7/air/high raised, −146.2 °C, limit −150.0 °C, "
        "since 2026-11-02T14:26:10.000Z"
    )
    assert first["Bcc"] is None
    assert first["Message-ID"] == "<k-3-0@example.org>"
    assert first["Date"].datetime.isoformat() == "2026-11-02T14:26:11+00:00"
    assert first["Auto-Submitted"] == "auto-generated"
    assert first["Importance"] == "high"
    text = first.get_content()
    assert "value: −146.2 °C" in text
    assert "limit: −150.0 °C" in text
    assert "state: unacknowledged" in text
    assert "key: k-3-0" in text


def test_one_alarm_is_one_thread(post: tuple[Post, Controller]) -> None:
    """Two notices of one alarm refer to the same ancestor, and have names of their own."""
    sink = mail(post[1].port, recipients=[NIGHT])
    sink.tell(message("k-3-0"))
    sink.tell(message("k-9-0"))
    (_, first), (_, second) = post[0].taken
    assert first["References"] == second["References"]
    assert first["Message-ID"] != second["Message-ID"]


def test_late_and_unrecorded_are_in_the_subject(post: tuple[Post, Controller]) -> None:
    """Nobody takes an old alarm for a new one."""
    mail(post[1].port, recipients=[NIGHT]).tell(message(age_ms=3_600_000, unrecorded=True))
    subject = post[0].taken[0][1]["Subject"]
    assert "[NOT RECORDED] [1:00:00 LATE] [CRITICAL]" in subject


def test_who_has_it_is_not_told_twice(post: tuple[Post, Controller]) -> None:
    """One mailbox is full for now: only that one is tried again, and the mail is the same."""
    sink = mail(post[1].port)
    post[0].to_recipient[HEAD] = "452 mailbox full"
    with pytest.raises(Unwilling, match="452 mailbox full"):
        sink.tell(message())
    post[0].to_recipient.clear()
    sink.tell(message())
    assert [recipient for recipient, _ in post[0].taken] == [NIGHT, HEAD]
    assert len({each["Message-ID"] for _, each in post[0].taken}) == 1


def test_a_wrong_address_keeps_nobody_else_waiting(post: tuple[Post, Controller]) -> None:
    """It stands in the receipt; if nobody at all can be told, a person must mend it; nothing is given up."""
    post[0].to_recipient[NIGHT] = "550 no such user"
    assert f"{NIGHT}: REFUSED, 550 no such user" in mail(post[1].port).tell(message())
    with pytest.raises(Misconfigured, match="sender and recipients"):
        mail(post[1].port, recipients=[NIGHT]).tell(message())


@pytest.mark.parametrize(
    ("said", "error"), [("451 try later", Unwilling), ("554 we do not like it", Rejected)]
)
def test_what_is_said_of_the_content(
    post: tuple[Post, Controller], said: str, error: type[SinkError]
) -> None:
    """RFC 5321: 4yz is not now, 5yz is never."""
    post[0].to_content.append(said)
    with pytest.raises(error, match=said):
        mail(post[1].port, recipients=[NIGHT]).tell(message())


def test_nobody_there() -> None:
    """Unreachable, and nothing is given up."""
    with pytest.raises(Unreachable, match="refused"):
        mail(free_port()).tell(message())


def test_a_sign_of_life(post: tuple[Post, Controller]) -> None:
    """A mail to each, which says that the site is watched."""
    mail(post[1].port).beat(Pulse(5_000, NOON, 42))
    assert [recipient for recipient, _ in post[0].taken] == [NIGHT, HEAD]
    assert post[0].taken[0][1]["Subject"].endswith(": still watching")


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[tuple[Post, Controller, Authority]]:
    """A server that wants STARTTLS and a password, with a certificate of an authority of our own."""
    authority = Authority(tmp_path)
    pair = authority.server()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pair.certificate, pair.key)
    post = Post()
    server = Server(
        post,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        require_starttls=True,
        authenticator=post.login,
        auth_required=True,
    )
    server.start()
    yield post, server, authority
    server.stop()


def test_a_password_goes_through_tls_only(secured: tuple[Post, Controller, Authority]) -> None:
    """With the right authority and password it is told; each wrong one is a mistake that a person mends."""
    post, server, authority = secured
    own: dict[str, Any] = {
        "security": "starttls",
        "ca_file": str(authority.certificate),
        "user": "gateway",
        "password_env": "P",
    }
    mail(server.port, password="right", **own).tell(message())
    assert len(post.taken) == 2
    with pytest.raises(Misconfigured, match="user and password"):
        mail(server.port, password="wrong", **own).tell(message())
    logins = len(post.logins)
    with pytest.raises(Misconfigured, match="certificate"):
        mail(server.port, password="right", **(own | {"ca_file": ""})).tell(message())
    assert len(post.logins) == logins, "nothing was said to a server that is not known"
    with pytest.raises(ValidationError, match="open line"):
        mail(server.port, password="right", **(own | {"security": "none", "ca_file": ""}))


def test_a_server_without_tls_is_not_trusted_with_anything(post: tuple[Post, Controller]) -> None:
    """STARTTLS is asked for and not offered: nothing is sent in the clear instead."""
    with pytest.raises(Misconfigured, match="security"):
        mail(post[1].port, security="starttls").tell(message())
    assert post[0].taken == []
    with smtplib.SMTP("127.0.0.1", post[1].port) as server:
        assert server.noop()[0] == 250
