"""The built page, held in memory, compressed once: a few files, under 100 kB together."""

from __future__ import annotations

import gzip
import hashlib
from importlib import resources
from importlib.resources.abc import Traversable

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

_TYPES = {
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "css": "text/css; charset=utf-8",
    "svg": "image/svg+xml",
    "json": "application/json",
    "webmanifest": "application/manifest+json",
    "png": "image/png",
}

_PAGE = "index.html"
_NOT_BUILT = (
    "The page has not been built; `make setup` builds it. Monitoring, alarms and /api work without it.\n"
)


class StaticFile(Struct, frozen=True):
    """One file, plain and compressed; `tag` is its ETag, `lasting`: its name changes with its content."""

    content: bytes
    packed: bytes
    kind: str
    tag: str
    lasting: bool


class StaticFiles:
    """What lies in `coldchain/web/static`, or in another folder."""

    def __init__(self, folder: Traversable | None = None) -> None:
        folder = folder if folder is not None else resources.files("coldchain.web") / "static"
        self._files = dict(_walk(folder, "")) if folder.is_dir() else {}

    def answer(self, request: Request) -> Response:
        """The file a path names; the page itself for "/"."""
        file = self._files.get(_path(request))
        if file is None:
            built = _PAGE in self._files
            return PlainTextResponse("not found\n" if built else _NOT_BUILT, 404 if built else 503)
        headers = {
            "etag": file.tag,
            "vary": "accept-encoding",
            "cache-control": "public, max-age=31536000, immutable" if file.lasting else "no-cache",
        }
        if request.headers.get("if-none-match") == file.tag:
            return Response(status_code=304, headers=headers)
        content = file.content
        if len(file.packed) < len(content) and "gzip" in request.headers.get("accept-encoding", ""):
            content = file.packed
            headers["content-encoding"] = "gzip"
        return Response(content, media_type=file.kind, headers=headers)

    def is_page(self, request: Request) -> bool:
        """Whether the page itself is asked for, and there is one."""
        return _path(request) == _PAGE and _PAGE in self._files

    def page(self, request: Request, start: bytes | None) -> Response:
        """The page, with the JSON in it that it shows before it has asked for anything, if there is any."""
        content = self._files[_PAGE].content
        if start is not None:
            # In JSON "<" stands in texts only; escaped, no text can end the element or begin another.
            block = (
                b'<script type="application/json" id="start">'
                + start.replace(b"<", b"\\u003c")
                + b"</script>"
            )
            content = content.replace(b"</body>", block + b"</body>", 1)
        headers = {"vary": "accept-encoding", "cache-control": "no-store"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            content = gzip.compress(content, 5, mtime=0)
            headers["content-encoding"] = "gzip"
        return Response(content, media_type=_TYPES["html"], headers=headers)


def _path(request: Request) -> str:
    return str(request.path_params.get("path", "")) or _PAGE


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for entry in folder.iterdir():
        name = f"{prefix}{entry.name}"
        if entry.is_dir():
            found += _walk(entry, f"{name}/")
        elif not entry.name.startswith("."):
            content = entry.read_bytes()
            kind = _TYPES.get(name.rpartition(".")[2], "application/octet-stream")
            tag = f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            packed = gzip.compress(content, 9, mtime=0)
            found.append((name, StaticFile(content, packed, kind, tag, name.startswith("assets/"))))
    return found
