"""A phone on an operator's network: it says what a network of its dialect would say, as fields and
bytes of SMPP, and leaves it to whoever carries them how they are encoded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Tlv
from gateway.channels.smpp.dialects import Ussd

_END_BIT = 1
_GSM = 0x0F


class Network(Protocol):
    """An SMSC to which our gateway is bound."""

    def deliver(self, message: Message) -> int:
        """Deliver a message. Answers the status that it is answered with."""

    def submitted(self) -> Message:
        """The next message that was submitted."""


@dataclass(frozen=True)
class Screen:
    """What the phone shows."""

    text: str
    ends: bool


def letters(text: str) -> bytes:
    """The octets of plain letters, which are those of ASCII in the GSM alphabet too."""
    assert text.isascii()
    assert not set(text) & set("@$_[]{}\\^|~`")
    return text.encode()


def words(octets: bytes) -> str:
    """A screen's text: ASCII, and of the GSM alphabet what our screens have."""
    beyond = {0x7D: "ñ", 0x5D: "Ñ", 0x60: "¿", 0x40: "¡", 0x00: "@", 0x05: "é", 0x11: "_"}
    return "".join(beyond.get(octet, chr(octet)) for octet in octets)


@dataclass
class Handset:
    """A phone, in at most one dialogue.

    Args:
        network: carries what it says.
        ussd: the network's dialect.
        msisdn: E.164 with its plus.
        numbers: gives each dialogue its number, of as many bits as the dialect has.
        code: what it dials.
    """

    network: Network
    ussd: Ussd
    msisdn: str
    numbers: Callable[[], int] = lambda: 0x2A00
    code: str = "*775#"
    number: int = 0
    count: int = 0
    screens: list[Screen] = field(default_factory=list)

    def dial(self, code: str = "") -> Screen:
        """Dial, in a new dialogue."""
        self.number, self.count = self.numbers(), 0
        return self.say(self.dialled(code or self.code))

    def press(self, *answers: str) -> Screen:
        """Answer, one screen after the other, and see the last one."""
        for answer in answers:
            screen = self.say(self.answered(answer))
        return screen

    def say(self, message: Message) -> Screen:
        """Have something delivered, and see the screen that follows."""
        assert self.network.deliver(message) == codec.ROK
        return self.see()

    def see(self) -> Screen:
        """The next screen."""
        screen = self.shown(self.network.submitted())
        self.screens.append(screen)
        return screen

    def dialled(self, code: str) -> Message:
        """The message of a dial."""
        return self._message(self.ussd.hears.begin[0], code)

    def answered(self, answer: str) -> Message:
        """The message of an answer."""
        self.count += 1
        return self._message(self.ussd.hears.answer[0], answer)

    def hung_up(self) -> Message:
        """The message that the member has hung up; by the end bit where no operation says it."""
        self.count += 1
        if self.ussd.hears.abort:
            return self._message(self.ussd.hears.abort[0], "")
        assert self.ussd.end_bit_in
        return self._message(self.ussd.hears.answer[0], "", ends=True)

    def shown(self, message: Message) -> Screen:
        """A message as this phone shows it; it is for this phone, and of its dialogue."""
        assert message.destination == Address(self.msisdn.removeprefix("+"), 1, 1)
        assert message.service_type == self.ussd.service_type
        operation = message.number(codec.USSD_SERVICE_OP)
        ends = operation == self.ussd.says.end
        if self.ussd.end_bit_out:
            info = message.number(codec.ITS_SESSION_INFO)
            assert info is not None
            if self.ussd.says.end == self.ussd.says.ask:
                ends = bool(info & _END_BIT)
            assert ends == bool(info & _END_BIT)
        assert ends or operation == self.ussd.says.ask
        self._assert_ours(message)
        return Screen(words(message.octets), ends)

    def _assert_ours(self, message: Message) -> None:
        tag = self.ussd.session.tag
        if tag is None:
            return
        number = message.number(tag)
        assert number is not None
        assert number & self.ussd.session.mask == self.number & self.ussd.session.mask

    def _message(self, operation: int, text: str, *, ends: bool = False) -> Message:
        tlvs = [Tlv(codec.USSD_SERVICE_OP, bytes((operation,)))]
        if self.ussd.session.tag is not None:
            tlvs.append(Tlv(self.ussd.session.tag, self._info(ends=ends).to_bytes(2, "big")))
        return Message(
            source=Address(self.msisdn.removeprefix("+"), 1, 1),
            destination=Address(self.code.strip("*#"), 0, 1),
            text=letters(text),
            tlvs=tuple(tlvs),
            service_type="USSD",
            data_coding=_GSM,
        )

    def _info(self, *, ends: bool) -> int:
        session = self.ussd.session
        info = self.number & session.mask
        if session.sequence:
            lowest = session.sequence & -session.sequence
            info |= self.count * lowest & session.sequence
        return info | (_END_BIT if ends else 0)
