"""Where messages come from and go to: brokers and sinks.

No secret stands in a configuration file. A secret is named, by a file (`*_file`, also
"$CREDENTIALS_DIRECTORY/NAME" for what systemd hands over) or by an environment variable (`*_env`), and read
by `coldchain.config.credentials` when it is used.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator
from pydantic_core import Url, ValidationError

from coldchain.config.fields import Duration, Name, Period, Table, Text, said
from coldchain.model import Priority

Port = Annotated[int, Field(ge=1, le=65535)]


def _http(value: str) -> str:
    try:
        url = Url(value)
    except (ValidationError, ValueError) as error:
        raise said(f'"{value}" is no URL', 'write one such as "https://example.org/hook"') from error
    if url.scheme not in {"http", "https"} or not url.host:
        raise said(f'"{value}" is no http or https URL', 'write one such as "https://example.org/hook"')
    if url.username or url.password:
        raise said("the URL holds a user or password", "take it out of the URL and use token_file")
    return value


HttpUrl = Annotated[str, AfterValidator(_http)]


def _fits_https(url: str, ca_file: str) -> None:
    if ca_file and not url.lower().startswith("https:"):
        raise said("names ca_file and uses no TLS", "write an https URL, or take ca_file out")


class BrokerSettings(Table):
    """An MQTT broker and how to speak with it."""

    host: Text = Field(examples=["127.0.0.1"])
    port: Port | None = None  # 1883, with TLS 8883
    protocol: Literal["3.1.1", "5"] = "5"
    client_id: Name = Field(examples=["gateway-7"])
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    tls: bool = False
    ca_file: str = ""
    certificate_file: str = ""
    key_file: str = ""
    inflight: Annotated[int, Field(ge=1, le=65535)] = 100
    keep_alive: Period = 30_000
    clean_session: bool = False
    session_expiry: Period = 604_800_000

    @property
    def port_number(self) -> int:
        """The port, stated or usual."""
        return self.port or (8883 if self.tls else 1883)

    @model_validator(mode="after")
    def _fits(self) -> BrokerSettings:
        if self.password_file and self.password_env:
            raise said("has password_file and password_env", "keep one of them")
        if (self.password_file or self.password_env) and not self.user:
            raise said("has a password and no user", "write user")
        if not self.tls and (self.ca_file or self.certificate_file):
            raise said("names certificates and does not use TLS", "write tls = true")
        if bool(self.certificate_file) != bool(self.key_file):
            raise said("has only one of certificate_file and key_file", "write both or none")
        return self


class _Sink(Table):
    """What every sink has."""

    kind: str
    timeout: Period = 10_000


class _TellingSink(_Sink):
    """What every sink has that somebody acts on.

    unrecorded: it also gets critical alarms that the journal could not take. A full disk must silence no
    alarm, so a site that does not want this here says so.
    """

    unrecorded: bool = True


class InfluxSink(_Sink):
    """Every reading as a point into a server that takes InfluxDB's version 2 writes."""

    kind: Literal["influx"]
    url: HttpUrl = Field(examples=["http://127.0.0.1:8086"])
    org: str = ""
    ca_file: str = ""
    bucket: Text = Field(examples=["coldchain"])
    token_file: str = ""
    token_env: str = ""
    # How long a point that was accepted may still be lost by a server that dies: it is kept to be sent again.
    doubt: Duration = 60_000
    batch: Annotated[int, Field(ge=1, le=100_000)] = 1000

    @model_validator(mode="after")
    def _fits(self) -> InfluxSink:
        if self.token_file and self.token_env:
            raise said("has token_file and token_env", "keep one of them")
        _fits_https(self.url, self.ca_file)
        return self


class MqttStateSink(_TellingSink):
    """The present state as retained messages."""

    kind: Literal["mqtt_state"]
    broker: Name = Field(examples=["local"])
    topic_prefix: Text = "coldchain"
    refresh: Period = 60_000

    @model_validator(mode="after")
    def _fits(self) -> MqttStateSink:
        if set("+#") & set(self.topic_prefix) or self.topic_prefix.startswith(("/", "$")):
            raise said(
                f'"{self.topic_prefix}" is no topic to publish under', 'write one such as "coldchain/site-1"'
            )
        return self


class NoticeTable(_TellingSink):
    """What every way to people has.

    heartbeat: a sign of life at least this often; max_age: older notices are told together, as "while you
    were unreachable"; priorities: of which alarms it tells.
    """

    heartbeat: Period | None = None
    max_age: Period = 86_400_000
    priorities: tuple[Annotated[Priority, Field(strict=False)], ...] = Field(
        default=tuple(Priority), strict=False
    )


class WebhookSink(NoticeTable):
    """Each notice as an HTTP request, at least once, with a key to recognise repeats by."""

    kind: Literal["webhook"]
    url: HttpUrl = Field(examples=["https://example.org/hook"])
    ca_file: str = ""
    token_file: str = ""
    token_env: str = ""
    secret_file: str = ""  # signs the body (HMAC)
    secret_env: str = ""

    @model_validator(mode="after")
    def _fits(self) -> WebhookSink:
        for one, other in (("token_file", "token_env"), ("secret_file", "secret_env")):
            if getattr(self, one) and getattr(self, other):
                raise said(f"has {one} and {other}", "keep one of them")
        _fits_https(self.url, self.ca_file)
        return self


class AlertmanagerSink(_TellingSink):
    """The alarms that stand, as alerts of Prometheus' Alertmanager (API v2)."""

    kind: Literal["alertmanager"]
    url: HttpUrl = Field(examples=["http://127.0.0.1:9093"])
    ca_file: str = ""
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    token_file: str = ""
    token_env: str = ""
    page_url: HttpUrl | None = None  # where people find this gateway's page
    refresh: Period = 60_000

    @model_validator(mode="after")
    def _fits(self) -> AlertmanagerSink:
        secrets = ("password_file", "password_env", "token_file", "token_env")
        given = [each for each in secrets if getattr(self, each)]
        if len(given) > 1:
            raise said(f"has {' and '.join(given)}", "keep one of them")
        if any("password" in each for each in given) != bool(self.user):
            raise said("has only one of user and password", "write user and password_file, or none")
        _fits_https(self.url, self.ca_file)
        return self


def _address(value: str) -> str:
    if not re.fullmatch(r"[!-?A-~]+@[A-Za-z0-9.\-]+", value):
        raise said(f'"{value}" is no mail address', 'write one such as "night-shift@example.org"')
    return value


def _number(value: str) -> str:
    # ITU-T E.164: at most fifteen digits, none of them a leading zero.
    if not re.fullmatch(r"\+[1-9][0-9]{4,14}", value):
        raise said(
            f'"{value}" is no international telephone number',
            'write one such as "+8613800138000", all digits',
        )
    return value


MailAddress = Annotated[str, AfterValidator(_address)]
TelephoneNumber = Annotated[str, AfterValidator(_number)]


class MailSink(NoticeTable):
    """Each notice as a mail to every recipient."""

    kind: Literal["mail"]
    host: Text = Field(examples=["mail.example.org"])
    port: Port | None = None
    security: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str = ""
    user: str = ""
    password_file: str = ""
    password_env: str = ""
    sender: MailAddress = Field(examples=["coldchain@example.org"])
    recipients: tuple[MailAddress, ...] = Field(
        strict=False, min_length=1, examples=[["night-shift@example.org"]]
    )
    timeout: Period = 30_000

    @property
    def port_number(self) -> int:
        """The port: stated, or 587 (RFC 6409), with TLS from the start 465 (RFC 8314), without any 25."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]

    @model_validator(mode="after")
    def _fits(self) -> MailSink:
        if self.password_file and self.password_env:
            raise said("has password_file and password_env", "keep one of them")
        if bool(self.password_file or self.password_env) != bool(self.user):
            raise said("has only one of user and password", "write user and password_file, or none")
        if self.user and self.security == "none":
            raise said("sends a password over an open line", 'write security = "starttls" or "tls"')
        if self.ca_file and self.security == "none":
            raise said("names ca_file and uses no TLS", 'write security = "starttls" or "tls"')
        return self


class SmsSink(NoticeTable):
    """Each notice as a text message to every number, through a GSM modem on a serial line.

    heartbeat: how often the modem is asked whether it still stands in its network; nothing is sent for it.
    """

    kind: Literal["sms"]
    device: Text = Field(examples=["/dev/serial/by-id/usb-modem-if00"])
    baud: Annotated[int, Field(ge=300, le=4_000_000)] = 115_200  # a modem on USB does not care
    pin_file: str = ""
    pin_env: str = ""
    numbers: tuple[TelephoneNumber, ...] = Field(strict=False, min_length=1, examples=[["+8613800138000"]])
    parts: Annotated[int, Field(ge=1, le=8)] = 3
    heartbeat: Period | None = 300_000
    timeout: Period = 60_000

    @model_validator(mode="after")
    def _fits(self) -> SmsSink:
        if self.pin_file and self.pin_env:
            raise said("has pin_file and pin_env", "keep one of them")
        return self


SinkSettings = InfluxSink | MqttStateSink | AlertmanagerSink | WebhookSink | MailSink | SmsSink

SINKS: dict[str, type[SinkSettings]] = {
    "alertmanager": AlertmanagerSink,
    "influx": InfluxSink,
    "mail": MailSink,
    "mqtt_state": MqttStateSink,
    "sms": SmsSink,
    "webhook": WebhookSink,
}


def tells_unrecorded(sink: SinkSettings) -> bool:
    """Whether a sink also gets critical alarms that the journal could not take.

    A time series does not: it gets every row once that is recorded. A sink that somebody else has published
    need not have the key.
    """
    return not isinstance(sink, InfluxSink) and getattr(sink, "unrecorded", True)
