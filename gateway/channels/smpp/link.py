"""A line's binds, kept alive: connect, bind, and begin again when one is lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

import structlog

from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import NOTHING, Address, Bind, Message, Pdu, PduError
from gateway.channels.smpp.connection import (
    Connection,
    Hear,
    LostError,
    NoAnswerError,
    NotSentError,
    Terms,
)
from gateway.channels.smpp.figures import LineFigures
from gateway.channels.smpp.lines import Line
from gateway.channels.smpp.names import command_name, status_name

_OVER_POLL_S = 0.02  # a connection that has just ended: the next one takes longer
# What a network that starts up or is overloaded says to a bind: nobody's account is wrong.
_NOT_NOW = codec.OVERLOADED | {codec.RSYSERR}
_TRANSMITS = frozenset({codec.BIND_TRANSCEIVER, codec.BIND_TRANSMITTER})

log = structlog.stdlib.get_logger(__name__)


class State(Enum):
    """What a bind is doing."""

    CONNECTING = "connecting"
    BOUND = "bound"
    REFUSED = "refused"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Timings:
    """How long a bind is waited for, and how soon the next try is.

    The wait doubles with each failure in a row, from `…_first_s` to `…_max_s`, and jitter takes
    away up to half of it. Who refuses us wants a person, not haste: some lock an account that
    tries too often.
    """

    connect_s: float = 5
    bind_s: float = 10
    answers_s: float = 3  # at the end, for messages that are being put away
    unbind_s: float = 2
    retry_first_s: float = 0.5
    retry_max_s: float = 30
    refused_first_s: float = 10
    refused_max_s: float = 300
    settled_s: float = 30  # a bind that has lasted so long was none of the failures in a row


USUAL = Timings()


class _RefusedError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(status_name(status))
        self.status = status


class Link:
    """One line's binds: a transceiver, or a receiver and a transmitter. Of one event loop.

    Args:
        line: the account.
        hear: takes each message that comes in.
        figures: of the line.
        timings: see there.
        jitter: a number from 0 to 1.
    """

    def __init__(
        self,
        line: Line,
        hear: Hear,
        figures: LineFigures,
        timings: Timings = USUAL,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._timings = timings
        binds = {
            "transceiver": (codec.BIND_TRANSCEIVER,),
            "separately": (codec.BIND_RECEIVER, codec.BIND_TRANSMITTER),
        }[line.sheet.bind]
        self._keepers = [_Keeper(line, bind, hear, figures, timings, jitter) for bind in binds]
        self._outgoing = next(each for each in self._keepers if each.bind in _TRANSMITS)

    @property
    def states(self) -> dict[str, State]:
        """What each bind is doing, by its name: `transceiver`."""
        return {keeper.name: keeper.state for keeper in self._keepers}

    @property
    def bound(self) -> bool:
        """Whether all binds are there. May be asked by any thread."""
        return all(keeper.state is State.BOUND for keeper in self._keepers)

    @property
    def refused(self) -> bool:
        """Whether the operator does not let us send. May be asked by any thread."""
        return self._outgoing.state is State.REFUSED

    @property
    def in_window(self) -> int:
        """Submissions that wait for their answer. May be asked by any thread."""
        connection = self._outgoing.connection
        return connection.in_window if connection else 0

    async def run(self) -> None:
        """Keep the binds until `close`. Never raises."""
        await asyncio.gather(*(keeper.keep() for keeper in self._keepers))

    async def submit(self, message: Message, within_s: float) -> Pdu:
        """Submit a message, and its answer, whatever its status. Waits for a bind that is coming
        back.

        Raises:
            PduError: it cannot be written; nothing was sent.
            NotSentError: nothing was sent.
            NoAnswerError: no answer came in time: it may have been taken.
        """
        deadline = time.monotonic() + within_s
        while (left_s := deadline - time.monotonic()) > 0:
            connection = await self._outgoing.connected(left_s)
            try:
                return await connection.request(codec.SUBMIT_SM, message, left_s)
            except NotSentError:
                if not connection.over:
                    raise
            await asyncio.sleep(_OVER_POLL_S)
        raise NotSentError("not bound")

    async def close(self) -> None:
        """Unbind, and end `run`."""
        await asyncio.gather(*(keeper.close() for keeper in self._keepers))


class _Keeper:
    """Keeps one bind."""

    def __init__(
        self,
        line: Line,
        bind: int,
        hear: Hear,
        figures: LineFigures,
        timings: Timings,
        jitter: Callable[[], float],
    ) -> None:
        self.bind = bind
        self.name = command_name(bind).removeprefix("bind_")
        self.state = State.CONNECTING
        self.connection: Connection | None = None
        self._line = line
        self._hear = hear
        self._figures = figures
        self._timings = timings
        self._jitter = jitter
        self._there = asyncio.Event()
        self._closing = asyncio.Event()
        self._living: asyncio.Future[None] | None = None
        self._failures = 0
        self._refusals = 0

    async def keep(self) -> None:
        """Bind, and bind again, until it is closed."""
        try:
            while not self._closing.is_set():
                self._living = asyncio.ensure_future(self._life())
                try:
                    await asyncio.wait((self._living,))
                finally:
                    self._living.cancel()
                self._note_fault(self._living)
                if not self._closing.is_set():
                    await self._pause(self._wait_s())
        finally:
            self.state = State.CLOSED

    async def connected(self, within_s: float) -> Connection:
        """The connection, once it is bound.

        Raises:
            NotSentError: it is not in time.
        """
        if self.connection is None or not self._there.is_set():
            try:
                async with asyncio.timeout(within_s):
                    await self._there.wait()
            except TimeoutError:
                raise NotSentError("not bound") from None
        if self.connection is None:
            raise NotSentError("not bound")
        return self.connection

    async def close(self) -> None:
        """Unbind, and try no more."""
        self._closing.set()
        connection = self.connection
        if connection is not None:
            await connection.answer_all(self._timings.answers_s)
            with contextlib.suppress(NotSentError, NoAnswerError):
                await connection.exchange(codec.UNBIND, NOTHING, self._timings.unbind_s)
            connection.end()
        elif self._living is not None:
            self._living.cancel()  # it may wait for a peer that says nothing

    async def _life(self) -> None:
        """One connection, from its beginning to its end."""
        began = time.monotonic()
        try:
            await self._live()
        except _RefusedError as error:
            self._refusals += 1
            self.state = State.REFUSED
            self._figures.not_bound(self.name, "refused")
            log.error("smpp_bind_refused", line=self._line.name, bind=self.name, why=str(error))  # noqa: TRY400
            return
        except (LostError, NotSentError, NoAnswerError, OSError, TimeoutError) as error:
            self._ended(str(error) or type(error).__name__, time.monotonic() - began)
        except PduError as error:  # the sheet was checked, so this is ours
            self._ended(str(error), 0)
        finally:
            self._there.clear()
            self.connection = None

    def _ended(self, why: str, lived_s: float) -> None:
        was_bound = self.state is State.BOUND
        self._refusals = 0
        self._failures = 0 if was_bound and lived_s >= self._timings.settled_s else self._failures
        again = bool(self._failures) and not was_bound
        self._failures += 1
        self.state = State.CONNECTING
        self._figures.not_bound(self.name, "lost" if was_bound else "unreachable")
        if self._closing.is_set():
            log.info("smpp_unbound", line=self._line.name, bind=self.name)
        elif not again:  # said once, when it begins
            event = "smpp_lost" if was_bound else "smpp_unreachable"
            log.warning(event, line=self._line.name, bind=self.name, why=why)

    def _note_fault(self, living: asyncio.Future[None]) -> None:
        """A fault of ours ends one connection, and not the line."""
        fault = None if living.cancelled() else living.exception()
        if fault is not None:
            self._failures += 1
            self.state = State.CONNECTING
            log.error("smpp_fault", line=self._line.name, bind=self.name, exc_info=fault)

    async def _live(self) -> None:
        connection = await self._connect()
        async with contextlib.AsyncExitStack() as stack:
            stack.callback(connection.end)
            serving = asyncio.ensure_future(connection.serve())
            stack.push_async_callback(_stop, serving)
            await self._bind(connection, serving)
            self.connection = connection
            self.state = State.BOUND
            self._refusals = 0
            self._there.set()
            self._figures.bound(self.name)
            log.info("smpp_bound", line=self._line.name, bind=self.name)
            asking = asyncio.ensure_future(connection.ask_often())
            stack.push_async_callback(_stop, asking)
            done, _ = await asyncio.wait((serving, asking), return_when=asyncio.FIRST_COMPLETED)
            for each in done:
                each.result()

    async def _connect(self) -> Connection:
        sheet, tls = self._line.sheet, self._line.tls
        name = (sheet.tls and sheet.tls.name) or sheet.host
        async with asyncio.timeout(self._timings.connect_s):
            reader, writer = await asyncio.open_connection(
                sheet.host, sheet.port, ssl=tls, server_hostname=name if tls else None
            )
        terms = Terms(sheet.window, sheet.response_s, sheet.enquire_link_s)
        observe, line = self._figures.observe, self._line.name
        return Connection(reader, writer, terms, self._hear, observe, line)

    async def _bind(self, connection: Connection, serving: asyncio.Future[None]) -> None:
        sheet = self._line.sheet
        body = Bind(
            sheet.system_id,
            self._line.password,
            sheet.system_type,
            addresses=Address(sheet.address_range),
        )
        answer = await connection.exchange(self.bind, body, self._timings.bind_s)
        if serving.done():
            serving.result()
        if answer.status in _NOT_NOW:
            raise LostError(f"{command_name(answer.command)}: {status_name(answer.status)}")
        if answer.status != codec.ROK:
            raise _RefusedError(answer.status)

    def _wait_s(self) -> float:
        timings = self._timings
        if self._refusals:
            first, most, times = timings.refused_first_s, timings.refused_max_s, self._refusals
        else:
            first, most, times = timings.retry_first_s, timings.retry_max_s, self._failures
        doubled: float = first * 2 ** min(times - 1, 20)
        return min(doubled, most) * (1 - self._jitter() / 2)

    async def _pause(self, wait_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(wait_s):
                await self._closing.wait()


async def _stop(task: asyncio.Future[None]) -> None:
    """End a task, whose outcome was looked at or does not matter any more."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError, LostError):
        await task
