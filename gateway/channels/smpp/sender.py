"""SMS by a line of our own: a `Sender` whose messages leave by the bind that this process holds.

Source: SMPP 3.4, 4.4 (submit_sm), 5.1.3 (statuses), 7.1.1.2 (relative times).

A message in parts that could be given only half is given whole again later, under the same
reference, so that a phone puts the parts of both together. Only the last part asks for a receipt.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import zlib
from collections.abc import Awaitable, Callable
from concurrent.futures import Future

from gateway.bounds import (
    SEND_TIMEOUT_S,
    SMPP_SMS_WITHIN_S,
    SMPP_THROTTLED_FIRST_S,
    SMPP_THROTTLED_MAX_S,
)
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Pdu, PduError, Taken
from gateway.channels.smpp.connection import NoAnswerError, NotSentError
from gateway.channels.smpp.dialects import Letters
from gateway.channels.smpp.encodings import fits
from gateway.channels.smpp.figures import LineFigures
from gateway.channels.smpp.lines import Line, LineSms
from gateway.channels.smpp.names import status_name
from gateway.channels.smpp.parts import Piece, cut
from gateway.channels.smpp.receipts import canonical
from gateway.notices.senders import (
    Away,
    Delivery,
    Limits,
    Misconfigured,
    Never,
    Sent,
    Sms,
    TryLater,
)

# What becomes of a message by the status that it was refused with. Others may pass another time.
NEVER = frozenset({0x01, 0x0B})  # its length, the number
MISCONFIGURED = frozenset(
    {
        *(0x04, 0x05, 0x0D, 0x0E, 0x0F, 0x53),  # how we are bound
        *(0x0A, 0x48, 0x49),  # whom it is from
        *(0x50, 0x51),  # the type and plan of all numbers
        *(0x15, 0x43, 0x07, 0x06, 0x61, 0x62),  # fields that are the same in every message
        *(0xC0, 0xC1, 0xC2, 0xC3, 0xC4),
    }
)

_INTERNATIONAL, _ISDN = 1, 1
_RECEIPT = 1
_DAY_S, _HOUR_S, _MINUTE_S = 86_400, 3_600, 60
_DAYS_MAX = 30  # the field has no room for the months of more
_MAYBE_SENT = "may have been sent"


class SmppSender:
    """A `Sender`. Called by several threads at once, while `loop` runs.

    Args:
        line: the account; it has `sms`.
        sms: of its sheet.
        submit: to the network, within so many seconds; see `Link.submit`.
        refused: whether the operator does not let us in.
        loop: that `submit` belongs to.
        figures: of the line.
    """

    def __init__(
        self,
        *,
        line: Line,
        sms: LineSms,
        submit: Callable[[Message, float], Awaitable[Pdu]],
        refused: Callable[[], bool],
        loop: asyncio.AbstractEventLoop,
        figures: LineFigures,
    ) -> None:
        self.name = line.sender
        self.limits = Limits(sms.per_second, sms.segments_max)
        self._sms = sms
        self._dialect = line.dialect.sms
        self._submit = submit
        self._refused = refused
        self._loop = loop
        self._figures = figures
        # Screens never wait for messages: half of the window is theirs.
        self._share = asyncio.Semaphore(max(1, line.sheet.window // 2))
        self._throttled_until = 0.0
        self._throttled_s: float = SMPP_THROTTLED_FIRST_S

    def send(self, sms: Sms) -> Delivery:
        """Hand one message over."""
        sent = self._send(sms)
        try:
            sending = asyncio.run_coroutine_threadsafe(sent, self._loop)
        except RuntimeError:  # the loop has been closed
            sent.close()
            return TryLater("the line is closed", SMPP_THROTTLED_MAX_S)
        return _outcome(sending)

    async def _send(self, sms: Sms) -> Delivery:
        deadline = time.monotonic() + SMPP_SMS_WITHIN_S
        wait_s = self._throttled_until - time.monotonic()
        if wait_s > 0:
            return TryLater("the network is overloaded", wait_s)
        if self._refused():
            return Misconfigured("the operator refuses our bind")
        messages = self._messages(sms)
        if len(messages) > self.limits.segments_max:
            return Never(f"too long: {len(messages)} segments")
        try:
            async with asyncio.timeout(SMPP_SMS_WITHIN_S):
                await self._share.acquire()
        except TimeoutError:
            return TryLater("the window is full", SMPP_THROTTLED_FIRST_S)
        try:
            return await self._submitted(messages, deadline)
        finally:
            self._share.release()

    async def _submitted(self, messages: list[Message], deadline: float) -> Delivery:
        last_id = ""
        for number, message in enumerate(messages):
            try:
                answer = await self._answer(message, deadline, patient=number > 0)
            except (NotSentError, NoAnswerError, PduError) as error:
                return _unanswered(error, begun=number > 0)
            if answer.status != codec.ROK:
                return self._not_taken(answer.status, begun=number > 0)
            taken = answer.body
            last_id = (taken.message_id or "") if isinstance(taken, Taken) else ""
        provider_id = canonical(last_id, self._dialect.ids.answer)
        in_pieces = len(messages) > 1
        return Sent(provider_id, sender=self.name, segments=len(messages) if in_pieces else 0)

    async def _answer(self, message: Message, deadline: float, *, patient: bool) -> Pdu:
        """The network's answer. For what was begun, an overloaded network is waited for."""
        while True:
            began = time.monotonic()
            answer = await self._submit(message, deadline - began)
            self._figures.submitted("sms", time.monotonic() - began)
            if answer.status not in codec.OVERLOADED:
                self._throttled_s = SMPP_THROTTLED_FIRST_S
                return answer
            wait_s = self._slow_down()
            if not patient or time.monotonic() + wait_s >= deadline:
                return answer
            await asyncio.sleep(wait_s)

    def _slow_down(self) -> float:
        wait_s = self._throttled_s
        self._throttled_until = time.monotonic() + wait_s
        self._throttled_s = min(2 * wait_s, SMPP_THROTTLED_MAX_S)
        return wait_s

    def _not_taken(self, status: int, *, begun: bool) -> Delivery:
        reason = status_name(status)
        if begun:
            return TryLater(f"{reason}: a part was taken")
        if status in codec.OVERLOADED:
            return TryLater(reason, max(0.1, self._throttled_until - time.monotonic()))
        if status in NEVER:
            return Never(reason)
        return Misconfigured(reason) if status in MISCONFIGURED else TryLater(reason)

    def _messages(self, sms: Sms) -> list[Message]:
        letters = self._letters(sms.text)
        reference = zlib.crc32((sms.reference or secrets.token_hex(8)).encode())
        pieces = cut(sms.text, letters.alphabet, self._dialect.long, reference)
        return [
            self._message(piece, sms, letters, asks=self._sms.receipts and piece is pieces[-1])
            for piece in pieces
        ]

    def _letters(self, text: str) -> Letters:
        letters = self._dialect.letters
        return letters if fits(text, letters.alphabet) else self._dialect.other_letters

    def _message(self, piece: Piece, sms: Sms, letters: Letters, *, asks: bool) -> Message:
        return Message(
            source=self._sms.address,
            destination=Address(sms.to.e164.removeprefix("+"), _INTERNATIONAL, _ISDN),
            text=piece.text,
            tlvs=piece.tlvs,
            service_type=self._dialect.service_type,
            data_coding=letters.data_coding,
            esm_class=piece.esm_class,
            registered_delivery=_RECEIPT if asks else 0,
            validity=_validity(sms.valid_s),
        )


def _outcome(sending: Future[Delivery]) -> Delivery:
    try:
        return sending.result(SEND_TIMEOUT_S)
    except TimeoutError:
        sending.cancel()
        return TryLater(f"no answer in time: {_MAYBE_SENT}")


def _unanswered(error: Exception, *, begun: bool) -> Delivery:
    if isinstance(error, PduError):
        return Never(f"it cannot be written: {error}")
    if isinstance(error, NoAnswerError):
        return TryLater(f"{error}: {_MAYBE_SENT}")
    return TryLater(f"{error}: a part was taken") if begun else Away(str(error))


def _validity(valid_s: int) -> str:
    """`DDhhmmss` from now, as SMPP says it; empty: as long as the network likes."""
    if valid_s <= 0:
        return ""
    whole_s = min(valid_s, _DAYS_MAX * _DAY_S - 1)
    days, rest = divmod(whole_s, _DAY_S)
    hours, rest = divmod(rest, _HOUR_S)
    minutes, seconds = divmod(rest, _MINUTE_S)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"
