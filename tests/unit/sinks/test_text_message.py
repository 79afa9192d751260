"""Text messages as the GSM network takes them, against a published vector and a decoder of our own."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coldchain.sinks.text_message import Submit, submits

#: Characters of the default alphabet and of its extension (TS 23.038, 6.2.1), and what they are told as.
GSM = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCZÄÖÑÜ§¿abczäöñüà^{}\\[~]|€"


def test_the_classic_vector() -> None:
    """Pettersson, "SMS and the PDU format": "hellohello" to +46708251358, 23 octets for the command."""
    (found,) = submits("+46708251358", "hellohello", 0, 1)
    assert found == Submit("0011000B916407281553F80000AA0AE8329BFD4697D9EC37", 23)


def test_an_escaped_character_takes_two_septets() -> None:
    """TS 23.038, 6.2.1.1: "[" is 0x1B 0x3C: septets 1B 3C pack into 1B 1E."""
    (found,) = submits("+12345", "[", 0, 1)
    assert found.pdu.endswith("02" + "1B1E")


@pytest.mark.parametrize(
    ("text", "parts"),
    [("a" * 160, 1), ("a" * 161, 2), ("a" * 306, 2), ("a" * 307, 3), ("温" * 70, 1), ("温" * 71, 2)],
)
def test_how_many_parts(text: str, parts: int) -> None:
    """TS 23.040: 160 septets or 70 units alone, 153 or 67 behind the header."""
    assert len(submits("+12345", text, 1, 9)) == parts


def test_what_the_alphabet_lacks_is_said_in_its_nearest_form() -> None:
    """A minus and a degree sign would cost more than half of the room."""
    (found,) = submits("+12345", "−146.2 °C, “held”", 0, 1)
    assert decoded([found]) == '-146.2 C, "held"'


def test_what_does_not_fit_is_cut_and_says_so() -> None:
    """The beginning counts: what, where, how bad. The end shows that there was more."""
    found = submits("+12345", "x" * 1000, 7, 2)
    assert len(found) == 2
    assert decoded(found) == "x" * (153 + 150) + "..."
    assert decoded(submits("+12345", "[" * 500, 7, 1)) == "[" * 78 + "..."


@given(
    st.one_of(st.text(GSM, min_size=1, max_size=700), st.text(min_size=1, max_size=250)),
    st.from_regex(r"\+[1-9][0-9]{4,14}", fullmatch=True),
    st.integers(0, 255),
)
def test_whatever_is_sent_can_be_read_again(text: str, number: str, reference: int) -> None:
    """A decoder written from the standard, not from the encoder, gives number and text back."""
    parts = submits(number, text, reference, 99)
    plain = text.translate(
        str.maketrans({"−": "-", "°": "", "“": '"', "”": '"', "…": "...", "–": "-", "’": "'", "µ": "u"})
    )
    sendable = text.encode("utf-16-be", "replace").decode("utf-16-be")
    assert decoded(parts) in (plain, sendable)
    for part in parts:
        assert len(part.pdu) // 2 == part.octets + 1
        assert part.octets <= 164, "TS 23.040: no more than 140 octets of user data"
        length = int(part.pdu[6:8], 16)
        digits = part.pdu[10 : 10 + length + length % 2]
        assert "".join(b + a for a, b in re.findall("(.)(.)", digits)).rstrip("F") == number[1:]


def parts_of(part: Submit) -> int:
    """Of how many parts the text is that this is one of."""
    raw = bytes.fromhex(part.pdu)
    return raw[5 + (raw[3] + 1) // 2 + 4 + 4] if raw[1] & 0x40 else 1


def decoded(parts: list[Submit]) -> str:
    """The text of SMS-SUBMITs, in the order that their headers give."""
    found = {}
    for position, part in enumerate(parts, 1):
        raw = bytes.fromhex(part.pdu)
        assert raw[0] == 0
        with_header = raw[1] & 0x40
        at = 5 + (raw[3] + 1) // 2
        assert raw[at] == 0
        alphabet, length = raw[at + 1], raw[at + 3]
        data = raw[at + 4 :]
        index = data[5] if with_header else position
        if with_header:
            assert data[4] == len(parts)
        if alphabet == 8:
            assert length == len(data)
            found[index] = data[6 if with_header else 0 :].decode("utf-16-be")
        else:
            bits = "".join(f"{byte:08b}"[::-1] for byte in data)
            septets = [int(bits[i * 7 : i * 7 + 7][::-1], 2) for i in range(length)]
            found[index] = _characters(septets[7 if with_header else 0 :])
    return "".join(text for _, text in sorted(found.items()))


def _characters(septets: list[int]) -> str:
    basic = (
        "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
        "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
    )
    more = {10: "\f", 20: "^", 40: "{", 41: "}", 47: "\\", 60: "[", 61: "~", 62: "]", 64: "|", 101: "€"}
    text, rest = "", iter(septets)
    for each in rest:
        text += more[next(rest)] if each == 27 else basic[each]
    return text
