"""Reading out an Elitech logger: every question with its reply, as a file that is kept as it is.

The file is text: a line for each request and each reply in hexadecimal digits, in order, so that what is
imported of it can be read anew when more is known of the logger. `coldchain import` takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil

from msgspec import Struct

from coldchain.importers import elitech_wire as wire

#: The first line of such a file, by which it is recognised.
FIRST_LINE = "coldchain readout of an Elitech logger, 1"
#: So often a question is asked until it has a reply, or one whose sum fits. A judgement.
_TRIES = 3
#: Asks and gives the reply of so many bytes, or less if no more came.
Talk = Callable[[bytes, int], bytes]


class NoReadout(Exception):
    """The logger could not be read out whole; the message says where, and the mend."""


class Readout(Struct, frozen=True):
    """What was read out: the file's text, and what to tell of it."""

    text: str
    info: wire.Info
    header: wire.Header


class _Asking:
    def __init__(self, talk: Talk) -> None:
        self._talk = talk
        self.lines: list[str] = []

    def ask(self, what: str, request: bytes, size: int) -> bytes:
        """A reply of this size. One whose sum does not fit is asked for again: the same twice is meant so."""
        came: list[bytes] = []
        short = b""
        for _ in range(_TRIES):
            reply = self._talk(request, size)
            if not wire.is_reply(reply, size):
                short = reply or short
                continue
            self.lines += [f"> {request.hex().upper()}", f"< {reply.hex().upper()}"]
            if wire.sum_fits(reply) or reply in came:
                return reply
            came.append(reply)
        if came:
            return came[-1]
        heard = f"only {len(short)} of {size} bytes" if short else "nothing"
        raise NoReadout(
            f"{what}: {heard} came, asked {_TRIES} times; the logger keeps its data: read it out again"
        )


def read_out(
    talk: Talk,
    utc: str,
    told: Callable[[int, int], None],
    page_values: int | None = None,
    values: int | None = None,
) -> Readout:
    """Read a logger out. Raises NoReadout.

    utc:     the gateway's time, for the file; told: called with each page's number and how many there are.
    page_values, values: how many values a page has, and one measurement, for a model that is not known.
    """
    asking = _Asking(talk)
    asking.ask("the first question", wire.INIT, wire.INIT_BYTES)
    info = wire.info(asking.ask("its information", wire.INFO, wire.INFO_BYTES))
    form = _form(info, page_values, values)
    header = wire.data_header(asking.ask("the data's header", wire.header(info.station), wire.HEADER_BYTES))
    sizes = page_sizes(header.count * form.values, form.page_values)
    if len(sizes) > 256:
        raise NoReadout(
            f"it says that it holds {header.count} measurements, and a page has a number below 256"
        )
    for number, size in enumerate(sizes):
        told(number + 1, len(sizes))
        what = f"page {number + 1} of {len(sizes)}"
        asking.ask(what, wire.page(info.station, number), wire.page_bytes(size))
    head = [FIRST_LINE, f"read: {utc}", f"model: {form.name}", f"values in a page: {form.page_values}"]
    head.append(f"values in a measurement: {form.values}")
    return Readout("\n".join([*head, *asking.lines, "end", ""]), info, header)


def page_sizes(count: int, page_values: int) -> Sequence[int]:
    """How many values each page has, of so many in all."""
    pages = ceil(count / page_values)
    return [min(page_values, count - number * page_values) for number in range(pages)]


def _form(info: wire.Info, page_values: int | None, values: int | None) -> wire.Model:
    known = wire.MODELS.get(info.model)
    if known is not None and page_values is None and values is None:
        return known
    if page_values is None or values is None:
        there = ", ".join(f"{number} ({model.name})" for number, model in wire.MODELS.items())
        raise NoReadout(
            f"it says model {info.model}, and known are {there}; say how many values a page of its data has "
            "(--page-values) and a measurement (--values 1, or 2 with humidity), from who knows this model"
        )
    if page_values % values:
        raise NoReadout(f"a page of {page_values} values cannot hold whole measurements of {values}")
    return wire.Model(known.name if known else f"model {info.model}", page_values, values)
