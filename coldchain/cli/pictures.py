"""Writing a picture into a file, as SVG or as PNG."""

from __future__ import annotations

from pathlib import Path

import click

from coldchain import __version__
from coldchain.cli.replay_options import Misused
from coldchain.pipeline.engine_id import engine
from coldchain.reports.picture import draw
from coldchain.reports.pictured import Picture
from coldchain.reports.png import CannotDraw, png


def made_by() -> str:
    """Which program drew it, and which code judged."""
    return f"coldchain {__version__}, engine {engine()}"


def write(path: Path, picture: Picture) -> None:
    """Draw a picture into a file whose ending says in which form; what hinders is an error of usage."""
    drawn = draw(picture)
    try:
        data = png(drawn) if path.suffix.lower() == ".png" else drawn.encode()
        path.write_bytes(data)
    except CannotDraw as error:
        raise Misused(str(error), click.get_current_context()) from error
    except OSError as error:
        raise Misused(f"{path} cannot be written: {error.strerror}", click.get_current_context()) from error
