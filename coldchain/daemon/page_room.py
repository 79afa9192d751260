"""The page as the daemon sees it: served while it can be, tried again when it cannot.

Monitoring does not hang on it. Only a configuration that would open it to others is refused.
"""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING

from coldchain.clock import Clock
from coldchain.config.credentials import SecretUnavailable, read_secret
from coldchain.config.loaded import Loaded
from coldchain.daemon.errors import DaemonError
from coldchain.web.settings import ExposureError, PageSettings, check_exposure
from coldchain.web.station import Station
from coldchain.web.users import Users, UsersError

if TYPE_CHECKING:
    from coldchain.web.server import Page

_log = logging.getLogger(__name__)


class PageRoom:
    """Keeps the page of one station served. `why`: what stands against it now, "" if it is served."""

    def __init__(self, station: Station, clock: Clock) -> None:
        self.page: Page | None = None
        self.why = ""
        self._station, self._clock = station, clock
        self._settings: PageSettings | None = None
        self._lock = threading.Lock()

    def open(self, settings: PageSettings | None) -> None:
        """Serve it by these settings from now on, or (None) not at all. Raises DaemonError as `check`."""
        check(settings)
        with self._lock:
            if settings != self._settings:
                self._close()
            self._settings = settings
            self._serve()

    def look(self) -> None:
        """Serve it again if it is not served: its address was taken, or its thread has died."""
        with self._lock:
            self._serve()

    def stop(self) -> None:
        """Serve it no more."""
        with self._lock:
            self._settings = None
            self._close()

    def _serve(self) -> None:
        if self._settings is None or (self.page is not None and self.page.alive):
            return
        from coldchain.web.server import Page, PageError

        page = Page(self._station, self._settings, self._clock)
        try:
            page.start()
        except (PageError, ExposureError, UsersError) as error:
            if self.why != str(error):
                _log.error("the page is not served, everything else goes on; it is tried again: %s", error)
            self.page, self.why = None, str(error)
            return
        self.page, self.why = page, ""
        _log.info("page at %s", page.url)

    def _close(self) -> None:
        if self.page is not None:
            self.page.stop()
        self.page, self.why = None, ""


def check(settings: PageSettings | None) -> None:
    """Raise DaemonError where the page would be open to people it must not be, or cannot be served at all."""
    if settings is None:
        return
    try:
        import coldchain.web.server  # noqa: F401 - is the extra installed?

        check_exposure(settings, Users(settings.users_file))
    except ImportError as error:
        raise DaemonError(
            f"the page needs more than is installed ({error}); "
            "install it with: pip install 'coldchain[web]', or take [page] out of the configuration"
        ) from error
    except (ExposureError, UsersError) as error:
        raise DaemonError(str(error)) from error


def page_settings(loaded: Loaded) -> PageSettings | None:
    """The page as the configuration says; None: no page."""
    page = loaded.settings.page
    if page is None:
        return None
    beside_journal = loaded.resolve(loaded.settings.journal.path).with_name("users.json")
    try:
        token = read_secret(
            page.metrics_token_file, page.metrics_token_env, base=loaded.path.parent, environ=os.environ
        )
    except SecretUnavailable as error:
        raise DaemonError(f"page: the token for /metrics: {error.what}; {error.mend}") from error
    return PageSettings(
        host=page.host,
        port=page.port,
        names=page.names,
        certificate=loaded.resolve(page.tls_certificate_file) if page.tls_certificate_file else None,
        key=loaded.resolve(page.tls_key_file) if page.tls_key_file else None,
        behind_proxy=page.behind_proxy,
        proxies=page.proxies,
        users_file=loaded.resolve(page.users_file) if page.users_file else beside_journal,
        metrics_token=token,
    )
