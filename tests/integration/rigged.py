"""The real `coldchain` command with a journal that obeys files in a folder: for tests only.

    python -m tests.integration.rigged FOLDER run --config …

While FOLDER/stuck exists, a commit does not come back; FOLDER/poisoned: the writer meets a defect.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from coldchain.cli.main import main
from coldchain.journal import Batch, Commit, Journal


def rig(folder: Path) -> None:
    """Put the journal under the folder's command."""
    commit = Journal.commit

    def rigged(self: Journal, batch: Batch) -> Commit:
        while (folder / "stuck").exists():
            time.sleep(0.02)
        if (folder / "poisoned").exists():
            raise ZeroDivisionError("a defect, for a test")
        return commit(self, batch)

    Journal.commit = rigged  # type: ignore[method-assign]


if __name__ == "__main__":
    rig(Path(sys.argv[1]))
    main(sys.argv[2:], prog_name="coldchain")
