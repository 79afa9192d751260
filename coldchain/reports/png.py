"""A picture as PNG: the same SVG, drawn by resvg (an extra), with whatever fonts the machine has."""

from __future__ import annotations

#: Pixels for each unit of the drawing: sharp on paper.
_ZOOM = 2
_LETTER = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20">'
    '<text y="15" font-size="14" font-family="{font}">M</text></svg>'
)
_BLANK = '<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"></svg>'


class CannotDraw(Exception):
    """Why no PNG can be made here, and what to install."""


def png(svg: str) -> bytes:
    """The bytes of a PNG; raises CannotDraw if what draws it is not installed, or no font is."""
    try:
        from resvg_py import svg_to_bytes
    except ImportError as error:
        raise CannotDraw(
            "a PNG needs resvg_py; install coldchain[png], or write a .svg, which needs nothing"
        ) from error
    from coldchain.reports.svg import FONT

    family = FONT.split(",", maxsplit=1)[0]
    with_letter = svg_to_bytes(svg_string=_LETTER.format(font=FONT), sans_serif_family=family)
    if bytes(with_letter) == bytes(svg_to_bytes(svg_string=_BLANK)):
        raise CannotDraw(
            "this machine has no font, so a PNG would have no words; install one"
            " (on Debian: apt-get install fonts-dejavu-core), or write a .svg"
        )
    return bytes(svg_to_bytes(svg_string=svg, zoom=_ZOOM, sans_serif_family=family))
