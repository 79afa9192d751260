"""Each notice as a mail, at least once to every recipient.

The same notice has the same Message-ID on every attempt, and what is said of one alarm is one thread for a
mail program. The server's "250" is the receipt: it says that a mail server has it, not that anybody has read
it; acknowledging on the page says that.
"""

from __future__ import annotations

import contextlib
import hashlib
import smtplib
import socket
import ssl
from datetime import timedelta
from email.charset import QP, Charset
from email.header import Header
from email.mime.text import MIMEText
from email.policy import compat32
from email.utils import format_datetime

from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import MailSink
from coldchain.model import Priority
from coldchain.sinks.base import (
    AccessRefused,
    CannotStart,
    Category,
    Message,
    Misconfigured,
    Pulse,
    Rejected,
    SinkError,
    SinkKind,
    Surroundings,
    Unreachable,
    Unwilling,
    wants,
)
from coldchain.sinks.each_person import EachPerson
from coldchain.sinks.trust import trusted
from coldchain.sinks.wording import at_utc, details, iso, sentence

#: Told later than this, a notice says so in its subject.
_LATE_MS = 300_000
_SUBJECT_MAX = 200
_FORM = compat32.clone(linesep="\r\n")
_WORDS = 200


class Mail:
    """One mail server. A connection lasts for one notice. Not for several threads."""

    def __init__(self, settings: MailSink, around: Surroundings) -> None:
        try:
            self._password = around.secret(settings.password_file, settings.password_env)
        except SecretUnavailable as error:
            raise CannotStart(around.name, "read the password", error.what, mend=error.mend) from error
        self._tls: ssl.SSLContext | None = None
        if settings.security != "none":
            self._tls = trusted(around, settings.ca_file)
        self.max_age_ms = settings.max_age
        self.heartbeat_ms = settings.heartbeat
        self._settings = settings
        self._name, self._site = around.name, around.site
        self._domain = settings.sender.rpartition("@")[2]
        self._people = EachPerson(around.name, settings.recipients)

    def tell(self, message: Message) -> str:
        """Send one notice; the receipt names each recipient with the server's words."""
        mail = self._mail(message)
        with contextlib.ExitStack() as ends:
            server: list[smtplib.SMTP] = []

            def send(recipient: str) -> str:
                if not server:
                    server.append(self._connect(ends))
                return self._send(server[0], mail, recipient)

            return self._people.tell(message.key, send)

    def beat(self, pulse: Pulse) -> None:
        """Send a mail that says nothing but that we are alive: its absence is what somebody notices."""
        time = iso(pulse.utc_ms) or "clock not known"
        text = f"{self._site} is watching.\n\njournal position {pulse.position}, {time}\n"
        mail = self._addressed("still watching", f"heartbeat-{pulse.position}-{pulse.journal_ms}", text)
        with contextlib.ExitStack() as ends:
            server = self._connect(ends)
            for recipient in self._settings.recipients:
                self._send(server, mail, recipient)

    def close(self) -> None:
        """Nothing is kept open."""

    # --- The mail

    def _mail(self, message: Message) -> MIMEText:
        said = message.announcement
        marks = "[NOT RECORDED] " if message.unrecorded else ""
        if message.age_ms > _LATE_MS:
            marks += f"[{timedelta(seconds=message.age_ms // 1000)} LATE] "
        lines = [
            f"{marks}{sentence(said)}",
            "",
            *(f"{key}: {value}" for key, value in details(said)),
            f"announced: {iso(message.announced_utc_ms) or 'while the clock was not known'}",
            f"told: {message.age_ms / 1000:.0f} s later, attempt {message.attempt}",
            f"key: {message.key}",
        ]
        if message.unrecorded:
            lines.append("The journal could not be written: this is not yet recorded.")
        mail = self._addressed(f"{marks}{sentence(said)}", message.key, "\n".join(lines) + "\n")
        if message.announced_utc_ms is not None and (date := at_utc(message.announced_utc_ms)) is not None:
            mail["Date"] = format_datetime(date)
        if said.alarm:  # what is said of one alarm is one thread
            thread = hashlib.sha256(f"{self._site}\n{said.alarm}".encode()).hexdigest()[:32]
            mail["References"] = f"<alarm-{thread}@{self._domain}>"
        if said.priority is Priority.CRITICAL:
            mail["Importance"] = "high"
            mail["X-Priority"] = "1"
        mail["Coldchain-Key"] = message.key
        mail["Coldchain-Position"] = str(message.position)
        mail["Coldchain-Attempt"] = str(message.attempt)
        return mail

    def _addressed(self, subject: str, key: str, text: str) -> MIMEText:
        # Not EmailMessage: folding a long subject, it moves blanks into and out of words that are not ASCII.
        utf8 = Charset("utf-8")
        utf8.body_encoding = QP
        mail = MIMEText(text, _charset=utf8, policy=_FORM)  # type: ignore[arg-type]  # typeshed: str only
        # A site's name or a comment may hold line breaks, which a header must not.
        words = " ".join(f"{self._site}: {subject}".split())[:_SUBJECT_MAX]
        mail["Subject"] = Header(words, "utf-8")  # type: ignore[assignment]  # typeshed: only str
        mail["From"] = self._settings.sender
        mail["To"] = ", ".join(self._settings.recipients)
        mail["Message-ID"] = f"<{key}@{self._domain}>"
        mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no "out of office" comes back
        return mail

    # --- The server

    def _connect(self, ends: contextlib.ExitStack) -> smtplib.SMTP:
        settings = self._settings
        timeout_s = settings.timeout / 1000
        what = f"connect to {settings.host}:{settings.port_number}"
        own = socket.gethostname() or "localhost"  # without it smtplib asks the name service who we are
        try:
            if settings.security == "tls":
                assert self._tls is not None
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    settings.host, settings.port_number, own, timeout=timeout_s, context=self._tls
                )
            else:
                server = smtplib.SMTP(settings.host, settings.port_number, own, timeout=timeout_s)
            ends.callback(_leave, server)
            if settings.security == "starttls":
                server.starttls(context=self._tls)
            server.ehlo_or_helo_if_needed()
            if settings.user:
                server.login(settings.user, self._password or "")
        except smtplib.SMTPAuthenticationError as error:
            raise AccessRefused(self._name, what, _said(error), mend="check user and password") from error
        except smtplib.SMTPNotSupportedError as error:
            mend = "set security to what the server offers"
            raise Misconfigured(self._name, what, str(error), mend=mend) from error
        except ssl.SSLError as error:
            mend = "check the server's certificate, ca_file, and whether security fits the port"
            raise AccessRefused(self._name, what, str(error)[:_WORDS], mend=mend) from error
        except smtplib.SMTPResponseException as error:
            raise self._judged(what, error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(self._name, what, f"{type(error).__name__}: {error}"[:_WORDS]) from error
        return server

    def _send(self, server: smtplib.SMTP, mail: MIMEText, recipient: str) -> str:
        """To one recipient, so that it is known whom a refusal is about."""
        what = f"mail {recipient}"
        mend = f"check sender and recipients: the server does not take mail for {recipient}"
        try:
            code, words = server.mail(self._settings.sender)
            if code == 250:
                code, words = server.rcpt(recipient)
            if code not in (250, 251):
                server.rset()
                error = smtplib.SMTPResponseException(code, words)
                if code < 500:
                    raise self._judged(what, error)
                raise Misconfigured(self._name, what, _said(error), mend=mend)
            code, words = server.data(mail.as_bytes())
            if code != 250:
                raise self._judged(what, smtplib.SMTPResponseException(code, words))
        except smtplib.SMTPResponseException as error:
            raise self._judged(what, error) from error
        except (smtplib.SMTPException, OSError) as error:
            raise Unreachable(self._name, what, f"{type(error).__name__}: {error}"[:_WORDS]) from error
        return _text(code, words)

    def _judged(self, what: str, error: smtplib.SMTPResponseException) -> SinkError:
        """RFC 5321, 4.2.1: 4yz is "not now", 5yz is "never"."""
        kind = Unwilling if error.smtp_code < 500 else Rejected
        return kind(self._name, what, _said(error))


def _leave(server: smtplib.SMTP) -> None:
    with contextlib.suppress(smtplib.SMTPException, OSError):
        server.quit()
    server.close()


def _said(error: smtplib.SMTPResponseException) -> str:
    return _text(error.smtp_code, error.smtp_error)


def _text(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"{code} {' '.join(text.split())}"[:_WORDS].strip()


SINK = SinkKind(
    name="mail",
    title="Each notice as a mail to every recipient",
    category=Category.NOTICE,
    settings=MailSink,
    make=Mail,
    wants=wants,
)
