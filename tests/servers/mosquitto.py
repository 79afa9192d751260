"""The MQTT broker that gateways use, with a configuration of the test's own."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from typing_extensions import override

from tests.servers.certificates import Authority, Pair
from tests.servers.process import Server
from tests.servers.programs import Program, find

Setting: TypeAlias = str | int | bool | Path

# What a kill must not cost unless the test says otherwise: sessions and queues are on disk within a second
# (the broker's own default is half an hour), and an absent client's queue has no bound.
_DEFAULTS: Mapping[str, Setting] = {
    "persistence": True,
    "autosave_interval": 1,
    "max_queued_messages": 0,
    "log_type": "all",
    "log_timestamp": False,
    "connection_messages": True,
}


class Mosquitto(Server):
    """An MQTT broker (3.1.1 and 5) on a loopback port.

    `users`: name to password; with them nobody is anonymous. `acl`: the text of an ACL file. `tls`: its
    certificate; then it speaks TLS only. `client_authority`: clients must show a certificate of this
    authority (`use_identity_as_username=True` makes its name the user). Any other option goes by its name in
    mosquitto.conf. For a kill that loses what came since the last stop: `autosave_interval=0`.
    """

    name = "mosquitto"

    def __init__(
        self,
        folder: Path,
        *,
        users: Mapping[str, str] | None = None,
        acl: str | None = None,
        tls: Pair | None = None,
        client_authority: Authority | None = None,
        **settings: Setting,
    ) -> None:
        super().__init__(folder)
        self.users = dict(users or {})
        self.acl = acl
        self.tls = tls
        self.client_authority = client_authority
        self.settings = {**_DEFAULTS, **settings}
        self.data = folder / "data"
        self.data.mkdir(exist_ok=True)

    @override
    def command(self) -> tuple[Program, Sequence[str | Path]]:
        configuration = self.folder / "mosquitto.conf"
        configuration.write_text(
            "".join(f"{key} {_written(value)}\n" for key, value in self._options().items())
        )
        return find("mosquitto"), ["-c", configuration]

    def _options(self) -> dict[str, Setting]:
        # `user root`: started by root it would otherwise become a user that an unpacked broker does not
        # bring. Options of a listener stand after it.
        options: dict[str, Setting] = {"user": "root", "persistence_location": f"{self.data}/"}
        listener = {key: value for key, value in self.settings.items() if key in _OF_LISTENER}
        options |= {key: value for key, value in self.settings.items() if key not in _OF_LISTENER}
        if self.users:
            options["password_file"] = self._password_file()
        if self.acl is not None:
            acl_file = self.folder / "acl"
            acl_file.write_text(self.acl)
            options["acl_file"] = acl_file
        options.setdefault("allow_anonymous", not (self.users or self.client_authority))
        options["listener"] = f"{self.port} {self.host}"
        if self.tls is not None:
            options |= {"certfile": self.tls.certificate, "keyfile": self.tls.key}
        if self.client_authority is not None:
            options |= {"cafile": self.client_authority.certificate, "require_certificate": True}
        return options | listener

    def _password_file(self) -> Path:
        passwords = self.folder / "passwords"
        passwords.write_text("".join(f"{name}:{word}\n" for name, word in self.users.items()))
        passwords.chmod(0o600)
        find("mosquitto_passwd").run("-U", passwords)  # hashes the plain words in place
        return passwords


# Options that belong to the listener before them; anywhere else they would be the default listener's.
_OF_LISTENER = frozenset({
    "bind_interface", "cafile", "certfile", "ciphers", "ciphers_tls1.3", "crlfile", "keyfile",
    "max_connections", "max_qos", "max_topic_alias", "mount_point", "protocol", "require_certificate",
    "socket_domain", "tls_version", "use_identity_as_username", "use_subject_as_username",
    "use_username_as_clientid",
})  # fmt: skip


def _written(value: Setting) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
