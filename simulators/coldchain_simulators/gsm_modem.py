"""A GSM modem as a program meets it on a serial line: commands of 3GPP TS 27.005 and TS 27.007.

It keeps what it was asked to send. The ways in which it fails are set from outside: the card asks for its
PIN, there is no network, the network refuses a message, it never answers.
"""

from __future__ import annotations

import re
import threading
from collections import deque

from coldchain_simulators.wires import Wire

_LOOK_S = 0.05
_ESCAPE, _END = 0x1B, 0x1A


class GsmModem:
    """One modem behind a wire, answering in a thread of its own.

    sent: (octets as the command named them, PDU in hexadecimal digits), in order.
    registration: the second number of +CREG: 1 at home, 0 none, 2 searching, 3 denied, 5 roaming.
    pin: what the card asks for, or "" for nothing; pin_tries counts what it was given.
    refusals: what the next messages are answered with in place of "+CMGS", such as "+CMS ERROR: 38";
    "" is no answer at all.
    """

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.sent: list[tuple[int, str]] = []
        self.registration = 1
        self.pin = ""
        self.pin_tries: list[str] = []
        self.refusals: deque[str] = deque()
        self.commands: list[str] = []
        self._echo = True
        self._numbers = False
        self._octets: int | None = None
        self._entered = bytearray()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gsm-modem", daemon=True)

    def start(self) -> GsmModem:
        """Begin to answer."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End; the wire is the caller's."""
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for byte in self.wire.read(_LOOK_S):
                self._take(byte)

    def _take(self, byte: int) -> None:
        if self._octets is not None and byte == _END:
            text, octets = self._entered.decode("ascii", "replace"), self._octets
            self._octets = None
            self._entered.clear()
            self._send(octets, text)
        elif byte == _ESCAPE:
            self._octets = None
            self._entered.clear()
        elif self._octets is None and byte == 0x0D:
            command = self._entered.decode("ascii", "replace").strip()
            self._entered.clear()
            if command:
                self._obey(command)
        else:
            self._entered.append(byte)

    def _obey(self, command: str) -> None:
        self.commands.append(command)
        if self._echo:
            self.wire.write(command.encode() + b"\r")
        match command:
            case "ATE0":
                self._echo = False
            case "AT+CMEE=1":
                self._numbers = True
            case "AT+CPIN?":
                self._say("+CPIN: SIM PIN" if self.pin else "+CPIN: READY")
            case "AT+CREG?":
                self._say(f"+CREG: 0,{self.registration}")
            case _ if found := re.fullmatch(r"AT\+CPIN=(\d+)", command):
                self.pin_tries.append(found[1])
                if found[1] != self.pin:
                    self._say("+CME ERROR: 16" if self._numbers else "ERROR")
                    return
                self.pin = ""
            case _ if found := re.fullmatch(r"AT\+CMGS=(\d+)", command):
                if self.pin:
                    self._say("+CMS ERROR: 311")
                    return
                self._octets = int(found[1])
                self.wire.write(b"\r\n> ")
                return
            case "AT" | "AT+CMGF=0":
                pass
            case _:
                self._say("ERROR")
                return
        self._say("OK")

    def _send(self, octets: int, pdu: str) -> None:
        if self.refusals:
            if said := self.refusals.popleft():
                self._say(said)
            return
        if len(pdu) != 2 * octets + 2:  # the service centre of no octets comes first
            self._say("+CMS ERROR: 304")
            return
        self.sent.append((octets, pdu))
        self._say(f"+CMGS: {len(self.sent) % 256}")
        self._say("OK")

    def _say(self, line: str) -> None:
        self.wire.write(f"\r\n{line}\r\n".encode())
