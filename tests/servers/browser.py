"""A real browser for tests of the page: Debian's Chromium, driven by playwright, on loopback only."""

import contextlib
import ctypes
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.programs import Program, find, library_folders

if TYPE_CHECKING:
    from playwright.sync_api import Browser

# What playwright does not pass itself. No sandbox: as root Chromium refuses to start with it, and the only
# pages are our own. The rest keeps it from calling home and from needing a graphics driver.
_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
)


@contextlib.contextmanager
def chromium() -> Iterator["Browser"]:
    """Start a headless Chromium with a fresh profile and end it with the context.

    Playwright's sync API keeps an event loop running in this thread meanwhile, so `asyncio.run` in the same
    thread is refused until the context ends.
    """
    from playwright.sync_api import sync_playwright

    program = find("chromium")
    with (
        tempfile.TemporaryDirectory(prefix="coldchain-browser-", ignore_cleanup_errors=True) as home,
        _driver_libraries(program),
        sync_playwright() as driver,
    ):
        browser = driver.chromium.launch(
            executable_path=program.path, args=_FLAGS, env=_environment(program, Path(home))
        )
        try:
            yield browser
        finally:
            browser.close()


def _environment(program: Program, home: Path) -> dict[str, str | float | bool]:
    """Give it a home of its own, and fonts: an unpacked browser does not know where its own are."""
    variables = {"HOME": home, "XDG_CONFIG_HOME": home / "config", "XDG_CACHE_HOME": home / "cache"}
    if program.root is not None:
        fonts = home / "fonts.conf"
        fonts.write_text(
            '<?xml version="1.0"?>\n<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">\n<fontconfig>'
            f"<dir>/usr/share/fonts</dir><dir>{program.root}/usr/share/fonts</dir>"
            f'<include ignore_missing="yes">{program.root}/etc/fonts/conf.d</include>'
            f"<cachedir>{home}/cache/fontconfig</cachedir></fontconfig>\n"
        )
        variables["FONTCONFIG_FILE"] = fonts
    environment: dict[str, str | float | bool] = {}
    environment.update(program.environment(**{name: str(value) for name, value in variables.items()}))
    return environment


@contextlib.contextmanager
def _driver_libraries(program: Program) -> Iterator[None]:
    """Let playwright's driver find libatomic on a machine without; all it would say is "Connection closed".

    The driver inherits this process's environment and nothing else, so the variable stands there while it
    starts.
    """
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        unpacked_folders = library_folders(program.root) if program.root is not None else []
    else:
        unpacked_folders = []
    before = os.environ.get("LD_LIBRARY_PATH")
    if unpacked_folders:
        os.environ["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, unpacked_folders))
    try:
        yield
    finally:
        if before is not None:
            os.environ["LD_LIBRARY_PATH"] = before
        elif unpacked_folders:
            del os.environ["LD_LIBRARY_PATH"]
