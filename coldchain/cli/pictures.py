"""Writing a picture into a file, as SVG or as PNG."""

from __future__ import annotations

from pathlib import Path

from coldchain import __version__
from coldchain.pipeline.engine_id import engine
from coldchain.reports.picture import draw
from coldchain.reports.pictured import Picture
from coldchain.reports.png import CannotDraw, png


class CannotWrite(Exception):
    """Why a picture could not be written, and the mend."""


def made_by() -> str:
    """Which program drew it, and which code judged."""
    return f"coldchain {__version__}, engine {engine()}"


def write(path: Path, picture: Picture) -> None:
    """Draw a picture into a file whose ending says in which form. Raises CannotWrite."""
    drawn = draw(picture)
    try:
        path.write_bytes(png(drawn) if path.suffix.lower() == ".png" else drawn.encode())
    except CannotDraw as error:
        raise CannotWrite(str(error)) from error
    except OSError as error:
        raise CannotWrite(f"{path} cannot be written: {error.strerror}") from error
