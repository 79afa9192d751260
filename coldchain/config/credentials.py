"""Secrets, read where they are used: from a file of their own, or from the environment.

systemd hands secrets to a service as files in a folder that it names in $CREDENTIALS_DIRECTORY
(systemd.exec(5), "Credentials"); a `*_file` may begin with that name.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path

_DIRECTORY = "CREDENTIALS_DIRECTORY"


class SecretUnavailable(Exception):
    """A secret that cannot be read: where it should be, and the mend. Never holds the secret."""

    def __init__(self, what: str, mend: str) -> None:
        super().__init__(f"{what}; {mend}")
        self.what = what
        self.mend = mend


def read_secret(file: str, variable: str, *, base: Path, environ: Mapping[str, str]) -> str | None:
    """The secret in `file` or in the environment's `variable`; None if neither is named.

    base: the folder where a relative path starts. A line end at the end of a file is no part of it.
    Raises SecretUnavailable.
    """
    if variable:
        if not environ.get(variable):
            raise SecretUnavailable(f"${variable} is not set", "set it for the service, or use a *_file")
        return environ[variable]
    if not file:
        return None
    path = secret_path(file, base=base, environ=environ)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SecretUnavailable(
            f"{path} cannot be read: {error}", "create it, readable by the service"
        ) from error
    secret = text.removesuffix("\n").removesuffix("\r")
    if not secret:
        raise SecretUnavailable(f"{path} is empty", "write the secret into it")
    return secret


def secret_path(file: str, *, base: Path, environ: Mapping[str, str]) -> Path:
    """Where a secret's file lies; raises SecretUnavailable if systemd has handed over nothing."""
    prefix = f"${_DIRECTORY}/"
    if not file.startswith(prefix):
        return base / file
    if not environ.get(_DIRECTORY):
        raise SecretUnavailable(
            f'"{file}" is for a service started by systemd with LoadCredential=',
            f"start it so, or set ${_DIRECTORY} to a folder that holds {file.removeprefix(prefix)}",
        )
    return Path(environ[_DIRECTORY]) / file.removeprefix(prefix)


def tls_context(
    path: Callable[[str], Path], ca_file: str = "", certificate_file: str = "", key_file: str = ""
) -> ssl.SSLContext:
    """Whom a client believes: the authorities of `ca_file`, or the system's if it names none.

    path: where a file that the configuration names lies; certificate_file, key_file: ours, if the other side
    asks for one. Raises SecretUnavailable.
    """
    about = ca_file
    try:
        context = ssl.create_default_context(cafile=path(ca_file) if ca_file else None)
        if certificate_file:
            about = f"{certificate_file} with {key_file}"
            context.load_cert_chain(path(certificate_file), path(key_file))
    except (OSError, ssl.SSLError) as error:
        mend = "name PEM files that this service may read"
        raise SecretUnavailable(f"{about} cannot be used: {error}", mend) from error
    return context
