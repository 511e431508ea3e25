"""SMS over SMPP: members' messages and delivery receipts come in as deliver_sm.

Source: SMPP 3.4, 4.6 (deliver_sm), 5.2.12 (esm_class); 3GPP TS 23.040 for messages in parts.

A deliver_sm is answered when the message is safe, and with a temporary error while it is not: then
the network brings it again. A part of a longer message is safe with the whole; but a network that
waits for each answer would never send the next part, so it is answered after a moment too.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable

import structlog

from gateway.bounds import SMPP_PARTS_HOLD_S
from gateway.channels.doors import Counter
from gateway.channels.smpp import codec, receipts
from gateway.channels.smpp.codec import Message
from gateway.channels.smpp.copies import Carrier, Copies
from gateway.channels.smpp.dialects import Sms
from gateway.channels.smpp.figures import LineFigures
from gateway.channels.smpp.numbers import phone
from gateway.channels.smpp.parts import Part, Parts, heard
from gateway.channels.smpp.pool import Pool
from gateway.channels.smpp.ussd import CHANNEL
from gateway.values.delivery import Report
from gateway.values.msisdn import Msisdn, NotAMobileError, mobile
from gateway.values.turn import Keystrokes, Origin, Text

SECRET_FIELDS = frozenset({"short_message", "message_payload"})

_NAMED_BY = (codec.RECEIPTED_MESSAGE_ID, codec.USER_MESSAGE_REFERENCE)

log = structlog.stdlib.get_logger(__name__)


def parse(message: Message, line: str, name: str, region: str, text: str) -> Text:
    """A member's message.

    Args:
        message: its deliver_sm, or that of its last part.
        line: our account at the network.
        name: the same for all its copies, and no other message's.
        region: ISO 3166, of numbers without their country's code.
        text: the whole.

    Raises:
        NotAMobileError: it is not from a member's kind of number: a short code, a landline, a name.
    """
    origin = Origin(CHANNEL, line, name, _mobile(message, region))
    return Text(origin, message.destination.text, Keystrokes(text))


def parse_report(message: Message, sender: str, sms: Sms) -> Report | None:
    """A delivery receipt; None: of no message, or of a state that is the network's own."""
    receipt = receipts.parse(message)
    if not receipt.message_id or receipt.state is None:
        return None
    message_id = receipts.canonical(receipt.message_id, sms.ids.receipt)
    return Report(sender, message_id, receipt.state, receipt.reason)


class SmsDesk:
    """What comes in as SMS on one line. Of one event loop.

    Args:
        line: its name: our account at the network.
        sender: the name of who sends its SMS.
        sms: its dialect.
        region: ISO 3166, of numbers without their country's code.
        counter: the gateway; it may block: it is called in a thread of `pool`.
        figures: of the line.
        now: seconds of a clock that never goes back, the one of the connections.
        hold_s: how long a part waits for the whole before it is answered all the same.
    """

    def __init__(
        self,
        *,
        line: str,
        sender: str,
        sms: Sms,
        region: str,
        counter: Counter,
        pool: Pool,
        figures: LineFigures,
        now: Callable[[], float] = time.monotonic,
        hold_s: float = SMPP_PARTS_HOLD_S,
    ) -> None:
        self._line = line
        self._sender = sender
        self._sms = sms
        self._region = region
        self._counter = counter
        self._pool = pool
        self._figures = figures
        self._hold_s = hold_s
        self._parts = Parts(now)
        self._copies = Copies(now)
        self._held: dict[tuple[object, ...], asyncio.Future[int]] = {}

    async def hear(self, message: Message, carrier: Carrier) -> int:
        """A member's message, or a part of one. Answers the status that it is answered with."""
        try:
            _mobile(message, self._region)
        except NotAMobileError as error:
            log.warning("sms_not_from_a_mobile", channel=CHANNEL, line=self._line, why=error.code)
            return codec.ROK
        part = heard(message, self._sms.heard_default)
        if part.total > 1 and len(message.octets) > codec.SHORT_MESSAGE_MAX:
            log.warning("sms_part_too_long", line=self._line, octets=len(message.octets))
            return codec.RX_P_APPN  # no phone has sent it, and parts are kept until all are there
        text = self._parts.add(part)
        if text is None:
            return await self._hold(part)
        status = await self._receive(message, part, text, carrier)
        if status == codec.ROK:
            self._parts.done(part)
        held = self._held.pop(part.key, None)
        if held is not None and not held.done():
            held.set_result(status)
        return status

    async def report(self, message: Message) -> int:
        """A delivery receipt. Answers the status that it is answered with."""
        report = parse_report(message, self._sender, self._sms)
        if report is None:
            receipt = receipts.parse(message)
            known = receipt.stat if receipt.stat.isalpha() else ""
            log.warning("receipt_not_understood", line=self._line, stat=known)
            return codec.ROK
        took = receipts.parse(message).took
        if took is not None:
            self._figures.delivered(took.total_seconds())
        keeping = self._pool.run(self._counter.reported, report)
        if keeping is None or not await keeping:
            return codec.RX_T_APPN
        return codec.ROK

    async def _hold(self, part: Part) -> int:
        """Wait for what becomes of the whole."""
        held = self._held.get(part.key)
        if held is None:
            held = self._held[part.key] = asyncio.get_running_loop().create_future()
        done, _ = await asyncio.wait((held,), timeout=self._hold_s)
        if done:
            return held.result()
        if self._held.get(part.key) is held:
            del self._held[part.key]
        return codec.ROK

    async def _receive(self, message: Message, part: Part, text: str, carrier: Carrier) -> int:
        fingerprint = _fingerprint(message, part, text)
        name = self._copies.name(fingerprint, carrier)
        parsed = parse(message, self._line, name, self._region, text)
        receiving = self._pool.run(self._counter.receive, parsed)
        safe = receiving is not None and await receiving
        self._copies.answered(fingerprint, well=safe)
        return codec.ROK if safe else codec.RX_T_APPN


def _mobile(message: Message, region: str) -> Msisdn:
    return mobile(phone(message.source, region).e164, region)


def _fingerprint(message: Message, part: Part, text: str) -> bytes:
    """Two messages of the same words in parts have another reference each."""
    named = tuple(message.tlv(tag) for tag in _NAMED_BY)
    whole = (message.source.text, message.destination.text, part.key, part.total, named, text)
    return hashlib.blake2b(repr(whole).encode(errors="replace"), digest_size=16).digest()
