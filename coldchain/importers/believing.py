"""What of a file is believed where nobody says it of the probe: between which values, and for how long."""

from __future__ import annotations

from msgspec import Struct

#: A reading of a file counts for this many of the file's own usual steps, unless told otherwise.
GAP_STEPS = 3


class Valid(Struct, frozen=True):
    """The lowest and the highest temperature that is believed, in thousandths of °C; beyond, it is BAD."""

    low_mc: int
    high_mc: int


#: What a platinum thermometer can show (IEC 60751 reaches from −200 to +850 °C): codes such as −999 or 999.9
#: for "no probe" lie beyond it. So does +850 °C itself: a converter whose probe is open shows the end of its
#: scale (qitechgmbh/control, issue 176).
PLATINUM = Valid(-200_000, 849_999)
