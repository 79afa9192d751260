"""Throw-away certificates for tests: an authority of the test's own, made with the openssl program.

Their validity is fixed (1970 to 2100), not counted from today: no test fails when it grows old, nor on a
gateway whose clock starts in 1970.
"""

import ipaddress
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.programs import Program, find

_ALWAYS = ("19700101000000Z", "21000101000000Z")
_PAST = ("19700101000000Z", "19710101000000Z")
# The least `openssl ca` works with: it, unlike `openssl x509`, takes the two dates as they are.
_CONFIGURATION = """\
[ca]
default_ca = here
[here]
dir = .
database = issued
serial = serial
new_certs_dir = .
certificate = ca.pem
private_key = ca.key
default_md = sha256
unique_subject = no
policy = any
[any]
commonName = supplied
[req]
distinguished_name = none
[none]
"""
_OF_AUTHORITY = (
    "basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\n"
)
_OF_ANYBODY = (
    "basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n"
    "subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n"
)


@dataclass(frozen=True, slots=True)
class Pair:
    """A certificate and its private key, two PEM files, and the certificate of who vouches for it."""

    certificate: Path
    key: Path
    authority: Path


class Authority:
    """A certificate authority in a folder. Two of them do not trust each other, whatever their names."""

    def __init__(self, folder: Path, name: str = "coldchain test authority") -> None:
        self._folder = folder / "authority"
        self._folder.mkdir(parents=True)
        self._openssl: Program = find("openssl")
        self._numbers = itertools.count(1)
        (self._folder / "openssl.cnf").write_text(_CONFIGURATION)
        (self._folder / "issued").touch()
        (self._folder / "serial").write_text("01\n")
        self._issue("ca", name, _OF_AUTHORITY, _ALWAYS, "-selfsign")

    @property
    def certificate(self) -> Path:
        """Its own certificate: what a client or server that trusts it is given."""
        return self._folder / "ca.pem"

    def server(
        self, names: Sequence[str] = ("127.0.0.1", "::1", "localhost"), *, expired: bool = False
    ) -> Pair:
        """Make a server's certificate for these host names and addresses."""
        alternatives = ",".join(f"{'IP' if _is_address(name) else 'DNS'}:{name}" for name in names)
        extensions = f"{_OF_ANYBODY}extendedKeyUsage=serverAuth\nsubjectAltName={alternatives}\n"
        return self._pair(names[0], extensions, expired=expired)

    def client(self, name: str, *, expired: bool = False) -> Pair:
        """Make a client's certificate; `name` is its common name, which a broker may take as the user's."""
        return self._pair(name, f"{_OF_ANYBODY}extendedKeyUsage=clientAuth\n", expired=expired)

    def _pair(self, name: str, extensions: str, *, expired: bool) -> Pair:
        stem = f"{next(self._numbers):03}"
        self._issue(stem, name, extensions, _PAST if expired else _ALWAYS)
        return Pair(self._folder / f"{stem}.pem", self._folder / f"{stem}.key", self.certificate)

    def _issue(self, stem: str, name: str, extensions: str, validity: tuple[str, str], *more: str) -> None:
        (self._folder / f"{stem}.ext").write_text(extensions)
        self._run("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", f"{stem}.key")
        subject = "/CN=" + name.replace("\\", "\\\\").replace("/", "\\/").replace("+", "\\+")
        self._run("req", "-new", "-config", "openssl.cnf", "-utf8", "-key", f"{stem}.key", "-subj", subject,
                  "-out", f"{stem}.csr")  # fmt: skip
        self._run("ca", "-batch", "-notext", "-utf8", "-config", "openssl.cnf", "-in", f"{stem}.csr",
                  "-extfile", f"{stem}.ext", "-startdate", validity[0], "-enddate", validity[1],
                  "-out", f"{stem}.pem", *more)  # fmt: skip

    def _run(self, *arguments: str) -> None:
        self._openssl.run(*arguments, cwd=self._folder)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
