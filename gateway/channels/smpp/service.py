"""The lines of a process: several operators, one event loop in a thread of its own."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotInTimeError
from functools import partial

import structlog
from prometheus_client import CollectorRegistry

from gateway.bounds import (
    SESSION_TOTAL_S,
    SMPP_HOPS_WAITING_MAX,
    SMPP_SCREEN_WITHIN_S,
    SMPP_SMS_THREADS,
    SMPP_SMS_WAITING_MAX,
)
from gateway.channels.doors import Counter
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Message
from gateway.channels.smpp.connection import Connection
from gateway.channels.smpp.figures import Figures
from gateway.channels.smpp.lines import Line
from gateway.channels.smpp.link import USUAL, Link, Timings
from gateway.channels.smpp.pool import Pool
from gateway.channels.smpp.receipts import is_receipt
from gateway.channels.smpp.sender import SmppSender
from gateway.channels.smpp.sms import SmsDesk
from gateway.channels.smpp.ussd import UssdDesk, is_ussd
from gateway.values.msisdn import Msisdn

_CLOSED_WITHIN_S = 2  # after the unbind: a peer that does not close is left

log = structlog.stdlib.get_logger(__name__)


class Service:
    """All lines of a process, from `start` to `stop`. Its other methods are for any thread.

    Args:
        lines: the operators' accounts.
        counter: the gateway that serves them.
        registry: takes the figures.
        short_code: what members dial, where a line does not say another one.
        region: ISO 3166, of numbers without their country's code, likewise.
        threads: hops at once, of all lines together.
        dialogue_s: after so long without a word a dialogue is over.
        timings, jitter: see `Link`.
    """

    def __init__(
        self,
        lines: Sequence[Line],
        counter: Counter,
        registry: CollectorRegistry,
        *,
        short_code: str,
        region: str,
        threads: int = 16,
        dialogue_s: float = SESSION_TOTAL_S,
        timings: Timings = USUAL,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="smpp")
        self._hops = Pool("smpp-hop", threads, SMPP_HOPS_WAITING_MAX)
        self._aside = Pool("smpp-aside", SMPP_SMS_THREADS, SMPP_SMS_WAITING_MAX)
        figures = Figures(registry)
        self._lines = [
            _Line(line, counter, figures, self, short_code, region, dialogue_s, timings, jitter)
            for line in lines
        ]

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The event loop of all lines."""
        return self._loop

    @property
    def hops(self) -> Pool:
        """Threads for hops."""
        return self._hops

    @property
    def aside(self) -> Pool:
        """Threads for what nobody waits for with a phone in hand."""
        return self._aside

    @property
    def senders(self) -> tuple[SmppSender, ...]:
        """A sender for each line that carries SMS."""
        return tuple(line.sender for line in self._lines if line.sender)

    @property
    def checks(self) -> Mapping[str, Callable[[], bool]]:
        """For the readiness page: whether each line is bound."""
        return {f"smpp.{line.name}": partial(getattr, line.link, "bound") for line in self._lines}

    @property
    def states(self) -> Mapping[str, str]:
        """What each bind is doing: `{"claro.transceiver": "bound"}`."""
        return {
            f"{line.name}.{bind}": state.value
            for line in self._lines
            for bind, state in line.link.states.items()
        }

    def start(self) -> None:
        """Begin to bind. Whether a line is bound is said by `checks`."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more, let what is under way be answered, unbind. Called twice, it does nothing
        more."""
        if self._loop.is_closed():
            return
        if self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._close(), self._loop).result()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
        self._hops.close()
        self._aside.close()
        self._loop.close()

    def push(self, msisdn: Msisdn, text: str | None, *, expects_answer: bool) -> bool:
        """Begin a dialogue ourselves, by the first line whose operator allows it and takes it.

        Args:
            msisdn: whose phone.
            text: a notice; None, with `expects_answer`: what a dial would show, so that who lost
                the signal in an order is offered to go on with it.
            expects_answer: the first answer to a text is as good as a dial.

        Returns:
            Whether a network took it; not, whether anybody has read it.
        """
        pushing = asyncio.run_coroutine_threadsafe(
            self._push(msisdn, text, expects_answer=expects_answer), self._loop
        )
        try:
            return pushing.result(SMPP_SCREEN_WITHIN_S * (1 + len(self._lines)))
        except (NotInTimeError, CancelledError):
            pushing.cancel()
            return False

    async def _push(self, msisdn: Msisdn, text: str | None, *, expects_answer: bool) -> bool:
        for line in self._lines:
            ussd = line.ussd
            if ussd and await ussd.push(msisdn, text, expects_answer=expects_answer):
                return True
        return False

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        for line in self._lines:
            line.running = self._loop.create_task(line.link.run())
        try:
            self._loop.run_forever()
        finally:
            left = asyncio.all_tasks(self._loop)
            for task in left:
                task.cancel()
            self._loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))

    async def _close(self) -> None:
        for line in self._lines:
            line.closing = True
        settling = (
            line.ussd.settle(SMPP_SCREEN_WITHIN_S, partial(getattr, line.link, "bound"))
            for line in self._lines
            if line.ussd
        )
        await asyncio.gather(*settling)
        await asyncio.gather(*(line.link.close() for line in self._lines))
        running = [line.running for line in self._lines if line.running]
        if running:
            await asyncio.wait(running, timeout=_CLOSED_WITHIN_S)


class _Line:
    """One line's link and desks."""

    def __init__(
        self,
        line: Line,
        counter: Counter,
        figures: Figures,
        service: Service,
        short_code: str,
        region: str,
        dialogue_s: float,
        timings: Timings,
        jitter: Callable[[], float],
    ) -> None:
        self.name = line.name
        self.closing = False
        self.running: asyncio.Task[None] | None = None
        sheet = line.sheet
        own = figures.of(line.name, trace=sheet.trace)
        self.link = Link(line, self._hear, own, timings, jitter)
        self.ussd: UssdDesk | None = None
        self.sender: SmppSender | None = None
        self._dialect = line.dialect.ussd
        self._takes_sms = sheet.sms is not None
        region = sheet.region or region
        self._sms = SmsDesk(
            line=line.name,
            sender=line.sender,
            sms=line.dialect.sms,
            region=region,
            counter=counter,
            pool=service.aside,
            figures=own,
        )
        if line.dialect.ussd is not None:
            self.ussd = UssdDesk(
                line=line.name,
                ussd=line.dialect.ussd,
                short_code=sheet.short_code or short_code,
                region=region,
                counter=counter,
                pool=service.hops,
                aside=service.aside,
                submit=self.link.submit,
                figures=own,
                push=sheet.push,
                dialogue_s=dialogue_s,
            )
        if sheet.sms is not None:
            self.sender = SmppSender(
                line=line,
                sms=sheet.sms,
                submit=self.link.submit,
                refused=lambda: self.link.refused,
                loop=service.loop,
                figures=own,
            )
        figures.watch(
            line.name,
            dialogues=lambda: self.ussd.dialogues if self.ussd else 0,
            in_window=lambda: self.link.in_window,
        )

    def _hear(self, message: Message, connection: Connection) -> int | Awaitable[int]:
        """Whose is it? An operation says USSD, whatever else the message looks like."""
        if self.closing:
            return codec.RX_T_APPN
        if self.ussd and message.tlv(codec.USSD_SERVICE_OP) is not None:
            return self.ussd.hear(message, connection)
        if is_receipt(message):
            return self._sms.report(message)
        if self.ussd and self._dialect and is_ussd(message, self._dialect):
            return self.ussd.hear(message, connection)
        if self._takes_sms:
            return self._sms.hear(message, connection)
        log.warning("smpp_not_ours", line=self.name, esm_class=f"0x{message.esm_class:02x}")
        return codec.RX_P_APPN
