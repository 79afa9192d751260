"""Each notice as a text message, through a GSM modem on a serial line.

Commands and their answers are those of 3GPP TS 27.005 and TS 27.007, which modems share. The modem is asked
from time to time whether it still stands in its network, so that its failure is known before it is needed.
"+CMGS" is the receipt: the network has the message; it does not say that a telephone does.
"""

from __future__ import annotations

import contextlib
import re
import zlib

import serial

from coldchain.config.credentials import SecretUnavailable
from coldchain.config.endpoints import SmsSink
from coldchain.sinks.base import (
    CannotStart,
    Category,
    Message,
    Misconfigured,
    Pulse,
    Rejected,
    SinkError,
    SinkKind,
    Surroundings,
    Unreachable,
    wants,
)
from coldchain.sinks.each_person import EachPerson
from coldchain.sinks.text_message import Submit, submits
from coldchain.sinks.wording import sentence

#: How long a modem may think about anything but sending, in real seconds.
_ANSWER_S = 5.0
_END, _ESCAPE = b"\x1a", b"\x1b"
#: Older than this, a message says how late it comes.
_LATE_MS = 300_000
#: TS 27.007, 7.2: registered at home, roaming; and for text messages only (6, 7).
_REGISTERED = frozenset({1, 5, 6, 7})
_REGISTRATION = {
    0: "not registered, and not looking for a network",
    2: "looking for a network",
    3: "the network refuses this card",
}
#: TS 27.005, 3.2.5 (and TS 24.011, annex E-2): about this number only.
_NUMBER = {1: "the number is assigned to nobody", 28: "unidentified subscriber", 30: "unknown subscriber"}
#: The same: a person must mend something.
_MEND = {
    8: ("barred by the operator", "ask the operator"),
    10: ("outgoing calls are barred for this card", "ask the operator"),
    50: ("the card has no text messages", "ask the operator"),
    310: ("no SIM card", "put a SIM card in"),
    311: ("the SIM card asks for its PIN", "write pin_file, or switch the PIN off"),
    312: ("the SIM card is locked to another telephone", "ask the operator"),
    313: ("the SIM card fails", "put another SIM card in"),
    316: ("the SIM card asks for its PUK", "unlock it in a telephone"),
    330: ("the service centre's number is not known", "set it in the modem (AT+CSCA)"),
}
#: The same: about this message.
_CONTENT = {304: "the modem refuses the message's form"}
_ERROR = re.compile(r"\+(CMS|CME) ERROR: *(\d+)")


class Sms:
    """One modem. Not for several threads."""

    def __init__(self, settings: SmsSink, around: Surroundings) -> None:
        try:
            self._pin = around.secret(settings.pin_file, settings.pin_env)
        except SecretUnavailable as error:
            raise CannotStart(around.name, "read the PIN", error.what, mend=error.mend) from error
        self.max_age_ms = settings.max_age
        self.heartbeat_ms = settings.heartbeat
        self._settings, self._clock = settings, around.clock
        self._name, self._site = around.name, around.site
        self._people = EachPerson(around.name, settings.numbers)
        self._line: serial.SerialBase | None = None
        self._pin_tried = False

    def tell(self, message: Message) -> str:
        """Send one notice; the receipt names each number with the network's reference."""
        late = f"{message.age_ms // 60_000} min late: " if message.age_ms > _LATE_MS else ""
        unrecorded = "NOT RECORDED: " if message.unrecorded else ""
        text = f"{unrecorded}{late}{self._site}: {sentence(message.announcement)}"
        reference = zlib.crc32(message.key.encode()) & 0xFF

        def send(number: str) -> str:
            self._ready()
            parts = submits(number, " ".join(text.split()), reference, self._settings.parts)
            return ", ".join(self._send(number, part) for part in parts)

        return self._people.tell(message.key, send)

    def beat(self, pulse: Pulse) -> None:
        """Ask whether the modem stands in its network. Nothing is sent: a message costs money."""
        self._ready()

    def close(self) -> None:
        """Let go of the line."""
        if self._line is not None:
            with contextlib.suppress(serial.SerialException, OSError):
                self._line.close()
            self._line = None

    # --- The modem

    def _ready(self) -> None:
        """Open the line if it is not, and make sure of the card and the network."""
        what = f"use the modem on {self._settings.device}"
        if self._line is None:
            try:
                self._line = serial.serial_for_url(
                    self._settings.device, self._settings.baud, timeout=_ANSWER_S, write_timeout=_ANSWER_S
                )
                with contextlib.suppress(AttributeError, ValueError):
                    self._line.exclusive = True
            except (serial.SerialException, OSError, ValueError) as error:
                raise Unreachable(
                    self._name, what, str(error), mend="plug it in; it is tried again"
                ) from error
            self._say(_ESCAPE)  # out of a text that an earlier program left unfinished
            self._ask("AT", what)
            self._ask("ATE0", what)  # no echo
            self._ask("AT+CMEE=1", what)  # errors as numbers
            self._ask("AT+CMGF=0", what)  # PDU mode
        self._unlock(what)
        self._registered(what)

    def _unlock(self, what: str) -> None:
        said = " ".join(self._ask("AT+CPIN?", what))
        if "READY" in said:
            return
        if "SIM PIN" not in said or not self._pin or self._pin_tried:
            why = f"the SIM card is not ready: {said or 'no answer'}"
            mend = (
                "write pin_file, or switch the card's PIN off; unlock it in a telephone if it asks for a PUK"
            )
            raise Misconfigured(self._name, what, why, mend=mend)
        self._pin_tried = True  # three wrong PINs lock a card: one try in the life of this sink
        if not re.fullmatch(r"[0-9]{4,8}", self._pin):
            raise Misconfigured(self._name, what, "the PIN is not four to eight digits", mend="mend pin_file")
        try:
            self._ask(f"AT+CPIN={self._pin}", "give the SIM card its PIN", secret=True)
        except SinkError as error:
            mend = "mend the PIN and start again: it is tried once, since the third wrong one locks the card"
            raise Misconfigured(self._name, what, error.why, mend=mend) from error

    def _registered(self, what: str) -> None:
        why = ""
        for command in ("AT+CREG?", "AT+CEREG?"):  # the latter for LTE alone
            try:
                said = " ".join(self._ask(command, what))
            except SinkError:
                if self._line is None:
                    raise
                continue  # a modem that does not know the command
            found = re.search(r"\+CE?REG: *\d+ *, *(\d+)", said)
            state = int(found[1]) if found else -1
            if state in _REGISTERED:
                return
            why = why or _REGISTRATION.get(state, f"registration not known ({said})")
        raise Unreachable(self._name, what, f"no network: {why}", mend="look at its antenna and its place")

    def _send(self, number: str, part: Submit) -> str:
        what = f"send a text message to {number}"
        self._say(f"AT+CMGS={part.octets}\r".encode())
        self._until(what, _ANSWER_S, prompt=True)
        self._say(part.pdu.encode() + _END)
        said = self._until(what, self._settings.timeout / 1000)
        found = re.search(r"\+CMGS: *(\d+)", " ".join(said))
        return f"+CMGS {found[1]}" if found else "OK"

    def _ask(self, command: str, what: str, *, secret: bool = False) -> list[str]:
        self._say(command.encode() + b"\r")
        said = self._until(what, _ANSWER_S)
        return [] if secret else said

    def _say(self, data: bytes) -> None:
        assert self._line is not None
        try:
            self._line.write(data)
        except (serial.SerialException, OSError) as error:
            raise self._gone("write to the modem", error) from error

    def _until(self, what: str, patience_s: float, *, prompt: bool = False) -> list[str]:
        """The lines up to "OK", or the prompt for a text. What else the modem has to say is not for us."""
        assert self._line is not None
        until_s = self._clock.real_s() + patience_s
        heard = bytearray()
        while (left_s := until_s - self._clock.real_s()) > 0:
            try:
                self._line.timeout = min(left_s, 0.2)
                heard += self._line.read_until(b"\n")
            except (serial.SerialException, OSError) as error:
                raise self._gone(what, error) from error
            *lines, rest = heard.decode("ascii", "replace").replace("\r", "\n").split("\n")
            lines = [line.strip() for line in lines if line.strip()]
            if prompt and rest.strip().startswith(">"):
                return lines
            for line in lines:
                if line == "OK" and not prompt:
                    return lines
                if line == "ERROR" or _ERROR.match(line):
                    raise self._judged(what, line)
        self.close()  # whatever it answers later belongs to this question and to no other
        mend = "nothing: it is tried again; if it stays so, look at device and baud"
        raise Unreachable(self._name, what, f"no answer within {patience_s:g} s", mend=mend)

    def _gone(self, what: str, error: Exception) -> Unreachable:
        self.close()
        return Unreachable(
            self._name, what, f"the modem is gone: {error}", mend="plug it in; it is tried again"
        )

    def _judged(self, what: str, line: str) -> SinkError:
        """What the modem's refusal is about; a plain ERROR says nothing, and is tried again."""
        found = _ERROR.match(line)
        code = int(found[2]) if found else -1
        # TS 27.007, 9.2 numbers the card's troubles 10 to 16 where TS 27.005 says 310 to 316.
        if found and found[1] == "CME" and 10 <= code <= 16:
            code += 300
        if code in _NUMBER:
            why = f"{line}: {_NUMBER[code]}"
            return Misconfigured(self._name, what, why, mend="mend the number in `numbers`")
        if code in _MEND:
            why, mend = _MEND[code]
            return Misconfigured(self._name, what, f"{line}: {why}", mend=mend)
        if code in _CONTENT:
            return Rejected(self._name, what, f"{line}: {_CONTENT[code]}")
        return Unreachable(self._name, what, line)


SINK = SinkKind(
    name="sms",
    title="Each notice as a text message through a GSM modem",
    category=Category.NOTICE,
    settings=SmsSink,
    make=Sms,
    wants=wants,
)
