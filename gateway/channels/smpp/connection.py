"""One TCP connection to an SMSC: requests and their answers, both ways, until it ends."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import structlog

from gateway.bounds import SMPP_INBOUND_MAX, SMPP_UNREAD_OCTETS_MAX
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import (
    NOTHING,
    RESPONSE,
    Body,
    Framer,
    Message,
    Pdu,
    PduError,
    Taken,
    decode,
    encode,
    refusal,
)

_READ_OCTETS = 64 * 1024
_SEQUENCE_MAX = 0x7FFF_FFFF
_UNANSWERED = frozenset({0x0B, 0x102})  # outbind, alert_notification

log = structlog.stdlib.get_logger(__name__)


class LostError(Exception):
    """The connection has ended. Its text says why."""


class NotSentError(Exception):
    """A request has not left: nobody can have taken it."""


class NoAnswerError(Exception):
    """A request has left, and no answer came: it may have been taken."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What the operator allows. See `LineSheet`. `response_s` is for each request, from when it has
    left; who asks may have less time."""

    window: int
    response_s: float
    enquire_link_s: float


# Takes a message that came in, with its connection; answers the status, at once or later.
Hear = Callable[[Message, "Connection"], "int | Awaitable[int]"]
Observe = Callable[[str, Pdu], None]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that waits: by which command it is answered, and the answer."""

    by: int
    answer: asyncio.Future[Pdu]


class Connection:
    """One connection.

    Args:
        reader, writer: of a socket that is open.
        terms: of the operator.
        hear: what to do with a message. Raising, it answers that it could not be done for now.
        observe: is shown each PDU, `in` and `out`. Raising, it changes nothing.
        line: its name, for the log.
    """

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        terms: Terms,
        hear: Hear,
        observe: Observe,
        line: str = "",
    ) -> None:
        self._log = log.bind(line=line)
        self._reader = reader
        self._writer = writer
        self._terms = terms
        self._hear = hear
        self._observe = observe
        self._sequence = 0
        self._pending: dict[int, _Asked] = {}
        self._slots = asyncio.Semaphore(terms.window)
        self._answering: set[asyncio.Task[None]] = set()
        self.ended_at: float | None = None  # on `time.monotonic`'s clock

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.ended_at is not None

    @property
    def in_window(self) -> int:
        """Requests of ours that wait for their answer."""
        return len(self._pending)

    async def serve(self) -> None:
        """Read until it ends.

        Raises:
            LostError: it has.
        """
        framer = Framer()
        try:
            while True:
                octets = await self._reader.read(_READ_OCTETS)
                if not octets:
                    raise LostError(_closed(framer.waiting))
                for frame in framer.feed(octets):
                    self._take(frame)
        except PduError as error:
            self._write(Pdu(codec.GENERIC_NACK, 0, status=error.status))
            raise LostError(str(error)) from error
        except OSError as error:
            raise LostError(type(error).__name__) from error
        finally:
            self.end()

    async def ask_often(self) -> None:
        """Ask the network every so often whether it is there.

        Raises:
            LostError: it is not.
        """
        while True:
            await asyncio.sleep(self._terms.enquire_link_s)
            try:
                await self.exchange(codec.ENQUIRE_LINK, NOTHING, self._terms.response_s)
            except (NotSentError, NoAnswerError) as error:
                raise LostError("no answer to enquire_link") from error

    async def request(self, command: int, body: Body, within_s: float) -> Pdu:
        """A request within the window, and its answer, whatever its status.

        Raises:
            PduError: it cannot be written; nothing was sent.
            NotSentError: nothing was sent.
            NoAnswerError: none came in time.
        """
        deadline = asyncio.get_running_loop().time() + within_s
        try:
            async with asyncio.timeout_at(deadline):
                await self._slots.acquire()
        except TimeoutError:
            raise NotSentError("the window is full") from None
        try:
            return await self._exchange(command, body, deadline)
        finally:
            self._slots.release()

    async def exchange(self, command: int, body: Body, within_s: float) -> Pdu:
        """The same, past the window: what is about the connection itself never waits."""
        deadline = asyncio.get_running_loop().time() + within_s
        return await self._exchange(command, body, deadline)

    async def answer_all(self, within_s: float) -> None:
        """Let what came in be answered: what is not comes again, elsewhere."""
        if self._answering:
            await asyncio.wait(self._answering, timeout=within_s)

    def end(self) -> None:
        """End it: whoever waits for an answer learns it. Ended twice, it changes nothing."""
        if self.over:
            return
        self.ended_at = time.monotonic()
        for asked in self._pending.values():
            if not asked.answer.done():
                asked.answer.set_exception(NoAnswerError("the connection broke"))
        self._writer.close()

    async def _exchange(self, command: int, body: Body, deadline: float) -> Pdu:
        if self.over:
            raise NotSentError("the connection broke")
        sequence = self._next_sequence()
        request = Pdu(command, sequence, body)
        octets = encode(request)
        loop = asyncio.get_running_loop()
        asked = self._pending[sequence] = _Asked(command | RESPONSE, loop.create_future())
        deadline = min(deadline, loop.time() + self._terms.response_s)
        try:
            self._send(request, octets)
            async with asyncio.timeout_at(deadline):
                return await asked.answer
        except TimeoutError:
            raise NoAnswerError("no answer in time") from None
        finally:
            del self._pending[sequence]

    def _next_sequence(self) -> int:
        while True:
            self._sequence = self._sequence % _SEQUENCE_MAX + 1
            if self._sequence not in self._pending:
                return self._sequence

    def _take(self, frame: bytes) -> None:
        try:
            pdu = decode(frame)
        except PduError as error:
            self._refuse(error)
            return
        self._show("in", pdu)
        if pdu.answers:
            self._answered(pdu)
        elif isinstance(pdu.body, Message):
            self._heard(pdu, pdu.body)
        elif pdu.command == codec.ENQUIRE_LINK:
            self._write(Pdu(pdu.command | RESPONSE, pdu.sequence))
        elif pdu.command == codec.UNBIND:
            self._write(Pdu(pdu.command | RESPONSE, pdu.sequence))
            raise LostError("the network has unbound us")
        elif pdu.command not in _UNANSWERED:
            self._write(Pdu(codec.GENERIC_NACK, pdu.sequence, status=codec.RINVCMDID))

    def _refuse(self, error: PduError) -> None:
        """A PDU that cannot be read breaks nothing: the next one can."""
        self._log.warning("smpp_unreadable", command=f"0x{error.command:08x}", why=str(error))
        if error.command & RESPONSE:
            return
        status = codec.RX_P_APPN if error.command == codec.DELIVER_SM else error.status
        self._write(refusal(error.command, error.sequence, status))

    def _answered(self, pdu: Pdu) -> None:
        """Another command's answer answers nothing; a nack does, but it never says yes."""
        asked = self._pending.get(pdu.sequence)
        if asked is None or asked.answer.done():
            return
        if pdu.command == codec.GENERIC_NACK:
            asked.answer.set_result(replace(pdu, status=pdu.status or codec.RUNKNOWNERR))
        elif pdu.command == asked.by:
            asked.answer.set_result(pdu)

    def _heard(self, pdu: Pdu, message: Message) -> None:
        if len(self._answering) >= SMPP_INBOUND_MAX:
            self._answer(pdu, codec.RMSGQFUL)
            return
        try:
            answer = self._hear(message, self)
        except Exception:
            self._log.exception("smpp_message_failed")
            self._answer(pdu, codec.RX_T_APPN)
            return
        if isinstance(answer, int):
            self._answer(pdu, answer)
            return
        task = asyncio.ensure_future(self._answer_later(pdu, answer))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer_later(self, pdu: Pdu, answer: Awaitable[int]) -> None:
        try:
            status = await answer
        except Exception:
            self._log.exception("smpp_message_failed")
            status = codec.RX_T_APPN
        self._answer(pdu, status)

    def _answer(self, pdu: Pdu, status: int) -> None:
        if status != codec.ROK:
            self._write(refusal(pdu.command, pdu.sequence, status))
            return
        self._write(Pdu(pdu.command | RESPONSE, pdu.sequence, Taken("")))

    def _show(self, way: str, pdu: Pdu) -> None:
        try:
            self._observe(way, pdu)
        except Exception:
            self._log.exception("smpp_not_observed", way=way)

    def _write(self, pdu: Pdu) -> None:
        self._send(pdu, encode(pdu))

    def _send(self, pdu: Pdu, octets: bytes) -> None:
        if self.over:
            return
        self._show("out", pdu)
        self._writer.write(octets)
        if self._writer.transport.get_write_buffer_size() > SMPP_UNREAD_OCTETS_MAX:
            self._log.warning("smpp_peer_does_not_read")
            self._writer.transport.abort()


def _closed(waiting: int) -> str:
    return "the network closed the connection" + (", in the middle of a PDU" if waiting else "")
