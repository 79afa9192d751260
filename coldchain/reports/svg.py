"""The little of SVG that pictures need: escaped text, short numbers, the same bytes every time."""

from __future__ import annotations

from html import escape

from msgspec import Struct

#: Found on nearly every machine under one of these names; the widths below suit the widest of them.
FONT = "DejaVu Sans, Verdana, Liberation Sans, Arial, Helvetica, sans-serif"
#: Width of an average letter in parts of the font's size, on the safe side.
_LETTER = 0.58


class Box(Struct, frozen=True):
    """A rectangle on the paper; y grows downwards."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        """Its right edge."""
        return self.left + self.width

    @property
    def bottom(self) -> float:
        """Its lower edge."""
        return self.top + self.height


class Sheet:
    """Collects elements; `text` gives the whole document."""

    def __init__(self, width: int, title: str, describe: str) -> None:
        self.width = width
        self._title, self._describe = title, describe
        self._parts: list[str] = []

    def rect(self, box: Box, fill: str, stroke: str = "none", **more: str | float) -> None:
        """A rectangle."""
        self._add(
            "rect",
            x=number(box.left), y=number(box.top), width=number(max(box.width, 0)), height=number(box.height),
            fill=fill, stroke=stroke, **more,
        )  # fmt: skip

    def line(self, x1: float, y1: float, x2: float, y2: float, stroke: str, **more: str | float) -> None:
        """A straight line."""
        self._add("line", x1=number(x1), y1=number(y1), x2=number(x2), y2=number(y2), stroke=stroke, **more)

    def path(self, d: str, **more: str | float) -> None:
        """A path by its commands."""
        self._add("path", d=d, **more)

    def circle(self, x: float, y: float, r: float, **more: str | float) -> None:
        """A circle."""
        self._add("circle", cx=number(x), cy=number(y), r=number(r), **more)

    def write(
        self, x: float, y: float, text: str, size: float = 11, fill: str = "#222", **more: str | float
    ) -> None:
        """A line of text with its baseline at y."""
        self._add("text", text, x=number(x), y=number(y), font_size=number(size), fill=fill, **more)

    def raw(self, text: str) -> None:
        """An element as it is, such as definitions."""
        self._parts.append(text)

    def text(self, height: float) -> str:
        """The document."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{number(height)}"'
            f' viewBox="0 0 {self.width} {number(height)}" role="img" font-family="{FONT}">'
        )
        about = f"<title>{plain(self._title)}</title><desc>{plain(self._describe)}</desc>"
        ground = f'<rect width="{self.width}" height="{number(height)}" fill="#fff"/>'
        return "\n".join([head, about, ground, *self._parts, "</svg>"]) + "\n"

    def _add(self, element: str, text: str | None = None, /, **attributes: str | float) -> None:
        words = "".join(
            f' {name.replace("_", "-")}="{escape(value) if isinstance(value, str) else number(value)}"'
            for name, value in attributes.items()
        )
        self._parts.append(
            f"<{element}{words}/>" if text is None else f"<{element}{words}>{plain(text)}</{element}>"
        )


def number(value: float) -> str:
    """A coordinate: to a tenth of a pixel, without a needless end."""
    shown = f"{value:.1f}"
    return shown.removesuffix(".0") if shown != "-0.0" else "0"


def plain(text: str) -> str:
    """Text of anybody's own: escaped, and nothing in it that XML cannot hold."""
    return escape("".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text), quote=False)


def width_of(text: str, size: float) -> float:
    """About how wide a text is, on the safe side."""
    return len(text) * size * _LETTER


def shortened(text: str, size: float, width: float) -> str:
    """As much of a text as fits, with an ellipsis if it is not all."""
    fits = max(1, int(width / (size * _LETTER)))
    return text if len(text) <= fits else text[: fits - 1] + "…"
