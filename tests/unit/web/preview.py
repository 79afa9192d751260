"""Look at the page without a daemon: `python -m tests.unit.web.preview [PORT]`; Enter ends it."""

from __future__ import annotations

import sys
from pathlib import Path

from coldchain.web.server import Page
from coldchain.web.settings import PageSettings
from tests.unit.web.room import Room


def main() -> None:
    """Serve a busy room on loopback."""
    room = Room()
    room.show(room.busy())
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 0
    page = Page(room, PageSettings(port=port, users_file=Path("/nonexistent/users.json")), room.clock)
    page.start()
    print(page.url, flush=True)
    sys.stdin.readline()
    page.stop()


if __name__ == "__main__":
    main()
