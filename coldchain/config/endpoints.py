"""Where messages come from and go to: brokers and sinks.

No secret stands in a configuration file. A secret is named, by a file (`*_file`, also
"$CREDENTIALS_DIRECTORY/NAME" for what systemd hands over) or by an environment variable (`*_env`), and read
by `coldchain.config.credentials` when it is used.
"""

from __future__ import annotations

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
    """What every sink has. `unrecorded`: it also gets critical alarms that the journal could not take."""

    kind: str
    unrecorded: bool = False
    timeout: Period = 10_000


class InfluxSink(_Sink):
    """Every reading as a point into a server that takes InfluxDB's version 2 writes."""

    kind: Literal["influx"]
    url: HttpUrl = Field(examples=["http://127.0.0.1:8086"])
    org: str = ""
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
        return self


class MqttStateSink(_Sink):
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


class WebhookSink(_Sink):
    """Each notice as an HTTP request, at least once, with a key to recognise repeats by."""

    kind: Literal["webhook"]
    url: HttpUrl = Field(examples=["https://example.org/hook"])
    token_file: str = ""
    token_env: str = ""
    secret_file: str = ""  # signs the body (HMAC)
    secret_env: str = ""
    heartbeat: Period | None = None  # a request at least this often, so that the receiver can miss us
    max_age: Period = 86_400_000  # older notices are told together, as "while you were unreachable"
    priorities: tuple[Annotated[Priority, Field(strict=False)], ...] = Field(
        default=tuple(Priority), strict=False
    )

    @model_validator(mode="after")
    def _fits(self) -> WebhookSink:
        for one, other in (("token_file", "token_env"), ("secret_file", "secret_env")):
            if getattr(self, one) and getattr(self, other):
                raise said(f"has {one} and {other}", "keep one of them")
        return self


SinkSettings = InfluxSink | MqttStateSink | WebhookSink

SINKS: dict[str, type[InfluxSink | MqttStateSink | WebhookSink]] = {
    "influx": InfluxSink,
    "mqtt_state": MqttStateSink,
    "webhook": WebhookSink,
}
