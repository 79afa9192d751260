"""Whom a sink believes that it is who it says: the system's authorities, or the site's own."""

from __future__ import annotations

import ssl

from coldchain.config.credentials import SecretUnavailable, tls_context
from coldchain.sinks.base import CannotStart, Surroundings


def trusted(
    around: Surroundings, ca_file: str = "", certificate_file: str = "", key_file: str = ""
) -> ssl.SSLContext:
    """What `tls_context` makes. Raises CannotStart if a file cannot be used."""
    try:
        return tls_context(around.path, ca_file, certificate_file, key_file)
    except SecretUnavailable as error:
        raise CannotStart(around.name, "read its certificates", error.what, mend=error.mend) from error


def trusted_at(url: str, around: Surroundings, ca_file: str) -> ssl.SSLContext | None:
    """The same for a URL; None for one without TLS, which needs none (a context costs a megabyte)."""
    return trusted(around, ca_file) if url.lower().startswith("https:") else None
