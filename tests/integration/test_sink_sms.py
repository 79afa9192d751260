"""Notices as text messages through a modem on a real pseudo-terminal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from coldchain.clock import SystemClock
from coldchain.config.endpoints import SmsSink
from coldchain.sinks.base import Message, Misconfigured, Pulse, Rejected, Surroundings, Unreachable
from coldchain.sinks.sms import Sms
from coldchain.sinks.text_message import Submit
from coldchain_simulators.gsm_modem import GsmModem
from coldchain_simulators.wires import PtyWire
from tests.unit.sinks.test_text_message import decoded, parts_of
from tests.unit.sinks.world import NOON, raised

NIGHT, HEAD = "+8613800138000", "+46708251358"


@pytest.fixture
def modem(tmp_path: Path) -> Iterator[GsmModem]:
    """A modem that is plugged in."""
    wire = PtyWire(tmp_path / "modem")
    modem = GsmModem(wire).start()
    yield modem
    modem.stop()
    wire.close()


def sms(modem: GsmModem, *, pin: str | None = None, **more: Any) -> Sms:
    given = {"kind": "sms", "device": modem.wire.port, "numbers": [NIGHT, HEAD], "timeout": "1 s"}
    around = Surroundings(
        name="night", site="Cell bank", clock=SystemClock(trusted=True), secret=lambda file, variable: pin
    )
    return Sms(SmsSink.model_validate(given | more), around)


def message(key: str = "k-3-0", **more: Any) -> Message:
    return Message(key, 3, 0, raised(), 1_000, NOON + 1_000, more.pop("age_ms", 250), **more)


def read(modem: GsmModem) -> list[str]:
    """What telephones would show, in order: parts of one text as one, once the last has come."""
    texts, parts = [], []
    for octets, pdu in list(modem.sent):
        parts.append(Submit(pdu, octets))
        if len(parts) == parts_of(parts[0]):
            texts.append(decoded(parts))
            parts = []
    return texts


def test_each_number_gets_the_sentence(modem: GsmModem) -> None:
    """Site, priority, what, how far, since when, in a telephone's alphabet; the network's word is kept."""
    sink = sms(modem)
    assert sink.tell(message()) == f"{NIGHT}: +CMGS 1; {HEAD}: +CMGS 2"
    what = "[CRITICAL] box-7/air/high raised, -146.2 C, limit -150.0 C"
    said = f"Cell bank: {what}, since 2026-11-02T14:26:10.000Z"
    assert read(modem) == [said, said]
    sink.close()


def test_late_and_unrecorded_are_said_first(modem: GsmModem) -> None:
    """Who reads it at night must not take an old alarm for a new one."""
    sink = sms(modem, numbers=[NIGHT])
    sink.tell(message(age_ms=3_600_000, unrecorded=True))
    assert read(modem)[0].startswith("NOT RECORDED: 60 min late: Cell bank:")
    sink.close()


def test_who_has_it_is_not_told_twice(modem: GsmModem) -> None:
    """The network takes the first message and not the second: only the second is tried again."""
    sink = sms(modem)
    sink.tell(message("k-2-0"))
    modem.refusals.extend(["+CMS ERROR: 38"])
    with pytest.raises(Unreachable, match="CMS ERROR: 38"):
        sink.tell(message())
    sink.tell(message())
    assert len(modem.sent) == 4
    modem.sent.clear()
    sink.tell(message("k-4-0"))
    assert len(modem.sent) == 2, "the next notice goes to both"
    sink.close()


def test_a_wrong_number_keeps_nobody_else_waiting(modem: GsmModem) -> None:
    """A number that is nobody's is refused in the receipt; alone, it is a mistake for a person to mend."""
    sink = sms(modem)
    modem.refusals.append("+CMS ERROR: 1")
    receipt = sink.tell(message())
    assert receipt.startswith(
        f"{HEAD}: +CMGS 1; {NIGHT}: REFUSED, +CMS ERROR: 1: the number is assigned to nobody"
    )
    alone = sms(modem, numbers=[NIGHT])
    sink.close()
    modem.refusals.append("+CMS ERROR: 1")
    with pytest.raises(Misconfigured, match="numbers"):
        alone.tell(message())
    alone.close()


@pytest.mark.parametrize(
    ("said", "error", "words"),
    [
        ("+CMS ERROR: 304", Rejected, "form"),
        ("+CMS ERROR: 330", Misconfigured, "service centre"),
        ("+CMS ERROR: 332", Unreachable, "332"),
        ("ERROR", Unreachable, "ERROR"),
        ("", Unreachable, "no answer within 1 s"),
    ],
)
def test_what_a_refusal_means(modem: GsmModem, said: str, error: type[Exception], words: str) -> None:
    """Of the message, of the card, of the network, or nothing known; afterwards the modem is used again."""
    sink = sms(modem, numbers=[NIGHT])
    modem.refusals.append(said)
    with pytest.raises(error, match=words):
        sink.tell(message())
    sink.tell(message("k-4-0"))
    assert len(modem.sent) == 1
    sink.close()


def test_without_a_network_it_is_said_before_it_is_needed(modem: GsmModem) -> None:
    """The look that costs nothing finds it; roaming is a network, too."""
    sink = sms(modem)
    pulse = Pulse(0, None, 1)
    sink.beat(pulse)
    modem.registration = 5
    sink.beat(pulse)
    modem.registration = 3
    with pytest.raises(Unreachable, match="the network refuses this card"):
        sink.beat(pulse)
    assert modem.sent == []
    sink.close()


def test_a_pin_is_given_once_only(modem: GsmModem) -> None:
    """The third wrong PIN locks a card: one try, then a person is asked. The PIN is in no message."""
    modem.pin = "4711"
    sink = sms(modem, pin="1234")
    for _ in range(5):
        with pytest.raises(Misconfigured) as caught:
            sink.tell(message())
        assert "1234" not in str(caught.value)
    assert modem.pin_tries == ["1234"]
    sink.close()
    right = sms(modem, pin="4711")
    right.tell(message())
    assert modem.pin_tries == ["1234", "4711"]
    right.close()


def test_a_card_that_asks_and_no_pin(modem: GsmModem) -> None:
    """The mend names the setting."""
    modem.pin = "4711"
    sink = sms(modem)
    with pytest.raises(Misconfigured, match="pin_file"):
        sink.tell(message())
    assert modem.pin_tries == []
    sink.close()


def test_plugged_in_again(modem: GsmModem) -> None:
    """Unplugged, it is unreachable; behind the same name again, it is set up and used."""
    assert isinstance(modem.wire, PtyWire)
    sink = sms(modem, numbers=[NIGHT])
    sink.tell(message())
    modem.wire.unplug()
    with pytest.raises(Unreachable):
        sink.tell(message("k-4-0"))
    with pytest.raises(Unreachable, match="plug it in"):
        sink.tell(message("k-4-0"))
    modem.wire.replug()
    sink.tell(message("k-4-0"))
    assert len(modem.sent) == 2
    sink.close()
