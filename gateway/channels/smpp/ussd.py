"""USSD over SMPP: a deliver_sm comes in, a submit_sm with a screen goes out.

Source: SMPP 3.4, 5.3.2.44 (ussd_service_op) and 5.3.2.43 (its_session_info); 3GPP TS 24.090 and
29.002 (what the operations mean). What differs from network to network is in the dialect.

A deliver_sm is answered at once, and the screen is a submission of its own. "At once" is safe: a
hop is claimed by the gateway, its outcome waits for the caller's next dial, and what we could not
even begin is told on the screen. To let the network wait for the bank would only make it bring the
key again. Screens are perishable: what cannot be shown within seconds is dropped, never queued.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum

import structlog

from gateway.bounds import SESSION_TOTAL_S, SMPP_SCREEN_WITHIN_S, SMPP_SCREENS_WAITING_MAX
from gateway.channels.dialled import behind
from gateway.channels.doors import Counter
from gateway.channels.smpp import codec
from gateway.channels.smpp.codec import Address, Message, Pdu, PduError, Tlv
from gateway.channels.smpp.connection import NoAnswerError, NotSentError
from gateway.channels.smpp.dialects import Numbering, Ussd
from gateway.channels.smpp.dialogues import Carrier, Dialogue, Dialogues, Hop, Number, Way
from gateway.channels.smpp.encodings import meaning, read, write
from gateway.channels.smpp.figures import LineFigures
from gateway.channels.smpp.lines import Push
from gateway.channels.smpp.names import status_name
from gateway.channels.smpp.numbers import phone
from gateway.channels.smpp.pool import Pool
from gateway.values.msisdn import Msisdn, NotAMobileError
from gateway.values.turn import Answer, Keystrokes, Origin, Reply, Turn

CHANNEL = "smpp"

# What may never be written down: it may hold a PIN or a balance.
SECRET_FIELDS = frozenset({"short_message", "message_payload"})

# How a dialogue ended that was not ended by us.
ABORTED, CLOSED, FAILED = "UserAborted", "NetworkAborted", "Failed"

_THROTTLED_WAITS_S = (0.2, 0.4, 0.8, 1.6)
_DROPPED = {NotSentError: "not_sent", NoAnswerError: "no_answer", PduError: "unwritable"}
_SETTLE_POLL_S = 0.05
_END_BIT = 0x01
_MASKED_OCTETS = 2
_PADDING = "\0\r\n"  # some networks fill an answer up

log = structlog.stdlib.get_logger(__name__)


class Event(Enum):
    """What a message says. `UNSAID`: it begins a dialogue, or goes on with one. `UNKNOWN`: by an
    operation that the dialect does not have; it is taken as an answer."""

    BEGIN = "begin"
    ANSWER = "answer"
    ABORT = "abort"
    CLOSE = "close"
    DONE = "done"
    UNSAID = "unsaid"
    UNKNOWN = "unknown"


_ASKING = frozenset(
    {Event.BEGIN, Event.ANSWER, Event.UNSAID, Event.UNKNOWN}
)  # a screen is waited for


class NotAHopError(ValueError):
    """The message is no USSD hop: `field` is missing, or cannot be read."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@dataclass(frozen=True, slots=True)
class Heard:
    """A message of a network's USSD.

    Args:
        number: the session's.
        count: what the network counts, and 0 begins again after `count_size` of them; None: it
            does not.
        typed: the answer; of a dial all that was dialled. Cut where no phone types more.
    """

    event: Event
    msisdn: Msisdn
    number: Number
    count: int | None
    count_size: int
    way: Way
    typed: str = field(repr=False)


def is_ussd(message: Message, ussd: Ussd) -> bool:
    """Whether it is USSD, and not an SMS over the same line."""
    if message.tlv(codec.USSD_SERVICE_OP) is not None:
        return True
    return bool(ussd.service_type) and message.service_type == ussd.service_type


def parse(message: Message, ussd: Ussd, region: str) -> Heard:
    """A message that came in.

    Args:
        message: a deliver_sm or data_sm.
        ussd: the dialect.
        region: ISO 3166, of numbers without their country's code.

    Raises:
        NotAHopError: a field is missing, or cannot be read.
    """
    try:
        msisdn = phone(message.source, region)
    except NotAMobileError as error:
        raise NotAHopError("source_addr") from error
    number, count, count_size = _session(message, ussd)
    alphabet = meaning(message.data_coding, ussd.heard_default)
    return Heard(
        event=_event(message, ussd),
        msisdn=msisdn,
        number=number,
        count=count,
        count_size=count_size,
        way=way_back(message, ussd),
        typed=read(message.octets, alphabet).strip(_PADDING)[: codec.SHORT_MESSAGE_MAX],
    )


def way_back(message: Message, ussd: Ussd) -> Way:
    """How a screen gets back to where a message came from."""
    fit = (tlv for tlv in message.tlvs if len(tlv.value) <= codec.HEARD_FIELD_MAX)
    echo = tuple(tlv for tlv in fit if tlv.tag in ussd.echoed)
    return Way(message.source, message.destination, echo)


def render(reply: Reply, way: Way, ussd: Ussd) -> Message:
    """A reply as the screen that the network shows."""
    operation = ussd.says.end if reply.ends else ussd.says.ask
    return screen(reply.text, way, ussd, operation, ends=reply.ends)


def screen(text: str, way: Way, ussd: Ussd, operation: int, *, ends: bool) -> Message:
    """A text as a screen."""
    octets = write(text, ussd.alphabet)
    tlvs = [Tlv(codec.USSD_SERVICE_OP, bytes((operation,)))]
    tlvs += [_ended(tlv) if ussd.end_bit_out and ends else tlv for tlv in way.echo]
    if ussd.its_reply_type is not None and not ends:
        tlvs.append(Tlv(codec.ITS_REPLY_TYPE, bytes((ussd.its_reply_type,))))
    if len(octets) >= ussd.payload_from:
        tlvs.append(Tlv(codec.MESSAGE_PAYLOAD, octets))
        octets = b""
    return Message(
        source=_numbered(way.code, ussd.code_numbering),
        destination=_numbered(way.phone, ussd.phone_numbering),
        text=octets,
        tlvs=tuple(tlvs),
        service_type=ussd.service_type,
        data_coding=ussd.data_coding,
    )


class UssdDesk:
    """The dialogues of one line. Of one event loop.

    Args:
        line: its name: our account at the network.
        ussd: its dialect.
        short_code: what members dial.
        region: ISO 3166, of numbers without their country's code.
        counter: the gateway. Its `take` may block: it is called in a thread of `pool`.
        pool: threads for hops, and no more waiting than are of use.
        aside: threads for what nobody waits for.
        submit: to the network, within so many seconds; see `Link.submit`.
        figures: of the line.
        push: what the operator allows us to begin; None: nothing.
        dialogue_s: after so long without a word a dialogue is over.
        now: seconds of a clock that never goes back.
    """

    def __init__(
        self,
        *,
        line: str,
        ussd: Ussd,
        short_code: str,
        region: str,
        counter: Counter,
        pool: Pool,
        aside: Pool,
        submit: Callable[[Message, float], Awaitable[Pdu]],
        figures: LineFigures,
        push: Push | None = None,
        dialogue_s: float = SESSION_TOTAL_S,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._line = line
        self._ussd = ussd
        self._short_code = short_code
        self._region = region
        self._counter = counter
        self._pool = pool
        self._aside = aside
        self._submit = submit
        self._figures = figures
        self._push = push
        self._now = now
        self._dialogues = Dialogues(now, dialogue_s)
        self._pushes = 0
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def dialogues(self) -> int:
        """Dialogues under way."""
        return len(self._dialogues)

    def hear(self, message: Message, carrier: Carrier) -> int:
        """A message of this line's USSD, and what it came over. Answers the status that it is
        answered with."""
        if len(self._tasks) >= SMPP_SCREENS_WAITING_MAX:
            self._figures.shed("flood")
            return codec.RX_T_APPN
        try:
            heard = parse(message, self._ussd, self._region)
        except NotAHopError as error:
            if _event(message, self._ussd) in _ASKING:
                self._close(way_back(message, self._ussd), error.field)
            return codec.ROK
        if heard.event is Event.UNKNOWN:
            operation = f"0x{message.number(codec.USSD_SERVICE_OP) or 0:02x}"
            log.warning("smpp_unknown_operation", line=self._line, operation=operation)
        dialogue = self._dialogue(heard)
        if dialogue is not None:
            self._hop(heard, dialogue, carrier)
        return codec.ROK

    async def push(self, msisdn: Msisdn, text: str | None, *, expects_answer: bool) -> bool:
        """Begin a dialogue ourselves, where the operator allows it.

        Args:
            msisdn: whose phone.
            text: what to show; None, with `expects_answer`, is what a dial would show: who lost
                the signal in an order is offered to go on with it.
            expects_answer: the first answer to a text is as good as a dial.

        Returns:
            Whether the network took it. A member who is in a dialogue is left alone.
        """
        says = self._ussd.says
        operation = says.push_ask if expects_answer else says.push_notice
        if self._push is None or operation is None or self._dialogues.talks(msisdn):
            return False
        if text is None and not expects_answer:
            return False
        number, way = self._way_out(msisdn, self._push)
        if not expects_answer:
            return await self._pushed(screen(text or "", way, self._ussd, operation, ends=True))
        dialogue = self._dialogues.invite(msisdn, number, way, given=number is None)
        taken = await self._pushed_and_asks(dialogue, text, operation)
        if not taken:
            self._dialogues.end(dialogue)
        return taken

    async def settle(self, within_s: float, bound: Callable[[], bool]) -> None:
        """Let the hops under way be answered, as long as there is a way out for their screens."""
        ends = self._now() + within_s
        while self._tasks and bound() and self._now() < ends:
            await asyncio.wait(self._tasks, timeout=_SETTLE_POLL_S)

    def _dialogue(self, heard: Heard) -> Dialogue | None:
        """Whose hop it is; None where it is none, and what there was to do is done."""
        if heard.event is Event.BEGIN:
            return self._begin(heard)
        dialogue = self._dialogues.going_on(heard.msisdn, heard.number, heard.way)
        if heard.event in {Event.ABORT, Event.CLOSE}:
            if dialogue is not None:
                self._ended(dialogue, ABORTED if heard.event is Event.ABORT else CLOSED)
            return None
        if heard.event is Event.DONE:
            return None
        if heard.event is Event.UNSAID and self._dials(heard, dialogue):
            return self._begin(heard)
        if dialogue is None:
            self._close(heard.way, "session")
        return dialogue

    def _dials(self, heard: Heard, dialogue: Dialogue | None) -> bool:
        """Whether what does not say so begins a dialogue. Our code is never an answer: who types it
        has dialled, but not by its digits alone, which may be an amount. And what comes after the
        last screen, and is no copy, begins anew."""
        if dialogue is None:
            return True
        coded = heard.typed.startswith("*") or heard.typed.endswith("#")
        if coded and behind(heard.typed, self._short_code) is not None:
            return True
        return dialogue.closed and dialogue.again(heard.typed) is None

    def _begin(self, heard: Heard) -> Dialogue:
        way = heard.way
        # Nothing else that was typed becomes an address: networks say of answers that they begin,
        # and an answer may be a PIN.
        if self._ussd.code == "text" and behind(heard.typed, self._short_code) is not None:
            way = Way(way.phone, Address(self._short_code, way.code.ton, way.code.npi), way.echo)
        return self._dialogues.begin(heard.msisdn, heard.number, way)

    def _hop(self, heard: Heard, dialogue: Dialogue, carrier: Carrier) -> None:
        copy_of = dialogue.again(heard.typed)
        if copy_of is not None:
            if copy_of.reply is not None:  # else one screen answers both
                self._go(self._shown(copy_of, copy_of.reply, dialogue, self._deadline()))
            return
        first, typed = dialogue.hops == 0, heard.typed
        if first:
            typed = "" if dialogue.invited else behind(typed, self._short_code) or ""
        dialogue.hops += 1
        order = dialogue.order(heard.count, heard.count_size, heard.typed)
        turn = self._turn(dialogue, Answer(Keystrokes(typed), order))
        # Whoever has begun shall come to an end: so under too much load it is dials that are shed.
        shed = first and self._pool.crowded
        answering = None if shed else self._pool.run(self._counter.take, turn)
        if answering is None:
            self._figures.shed("busy")
            self._dialogues.end(dialogue)
            self._go(
                self._show(self._counter.busy(turn.origin.channel), dialogue.way, self._deadline())
            )
            return
        hop = dialogue.last = Hop(Keystrokes(heard.typed), carrier)
        self._go(self._answer(answering, hop, dialogue, self._deadline()))

    async def _answer(
        self, answering: asyncio.Future[Reply], hop: Hop, dialogue: Dialogue, deadline: float
    ) -> None:
        try:
            reply = hop.reply = await answering
        except BaseException:
            dialogue.last = None  # let the key be pressed again
            raise
        if not dialogue.over:  # else they hung up or dialled again: this screen is nobody's
            dialogue.closed = dialogue.closed or reply.ends
            await self._shown(hop, reply, dialogue, deadline)

    async def _shown(self, hop: Hop, reply: Reply, dialogue: Dialogue, deadline: float) -> None:
        status = await self._show(reply, dialogue.way, deadline)
        hop.shown = hop.shown or status is not None
        if status not in {None, codec.ROK}:
            self._ended(dialogue, FAILED)

    async def _show(self, reply: Reply, way: Way, deadline: float) -> int | None:
        """Show a screen. Answers the network's status; None where it gave none."""
        return await self._send(render(reply, way, self._ussd), deadline, "screen")

    async def _send(self, message: Message, deadline: float, kind: str) -> int | None:
        waits = iter(_THROTTLED_WAITS_S)
        while True:
            began = self._now()
            try:
                answer = await self._submit(message, deadline - began)
            except (NotSentError, NoAnswerError, PduError) as error:
                self._dropped(str(error), _DROPPED[type(error)])
                return None
            self._figures.submitted(kind, self._now() - began)
            if answer.status == codec.ROK:
                return codec.ROK
            wait_s = next(waits, None) if answer.status in codec.OVERLOADED else None
            if wait_s is None or self._now() + wait_s >= deadline:
                self._dropped(status_name(answer.status), "refused")
                return answer.status
            await asyncio.sleep(wait_s)

    async def _pushed(self, message: Message) -> bool:
        return await self._send(message, self._deadline(), "push") == codec.ROK

    async def _pushed_and_asks(self, dialogue: Dialogue, text: str | None, operation: int) -> bool:
        if text is None:
            reply = await self._dialled_for(dialogue)
            if reply is None or reply.ends or dialogue.over:
                return False
            text = reply.text
        return await self._pushed(screen(text, dialogue.way, self._ussd, operation, ends=False))

    async def _dialled_for(self, dialogue: Dialogue) -> Reply | None:
        """What a dial shows. The answer to it is an answer."""
        dialogue.hops += 1
        turn = self._turn(dialogue, Answer(Keystrokes("")))
        answering = self._pool.run(self._counter.take, turn)
        return None if answering is None else await answering

    def _turn(self, dialogue: Dialogue, answer: Answer) -> Turn:
        msisdn, _ = dialogue.key
        origin = Origin(CHANNEL, self._line, dialogue.session_id, msisdn)
        return Turn(origin, self._short_code, answer)

    def _way_out(self, msisdn: Msisdn, push: Push) -> tuple[Number, Way]:
        """The number of a dialogue that we begin, where we give it one, and its way."""
        numbering = self._ussd.phone_numbering or Numbering(ton=1, npi=1)
        to = Address(msisdn.e164.removeprefix("+"), numbering.ton, numbering.npi)
        code = Address(push.source, push.numbering.ton, push.numbering.npi)
        tag = self._ussd.session.tag
        if push.first_session is None or push.last_session is None or tag is None:
            return None, Way(to, code)
        mask = self._ussd.session.mask
        step = mask & -mask  # the lowest bit of the number
        numbers = range(push.first_session & mask, (push.last_session & mask) + 1, step)
        number = numbers[self._pushes % len(numbers)] & mask
        self._pushes += 1
        return number, Way(to, code, (Tlv(tag, number.to_bytes(_MASKED_OCTETS, "big")),))

    def _ended(self, dialogue: Dialogue, status: str) -> None:
        """The network is done with it: nothing more of ours is shown there."""
        self._dialogues.end(dialogue)
        told = self._aside.run(
            self._counter.session_ended,
            CHANNEL,
            self._line,
            dialogue.session_id,
            status,
            dialogue.hops,
        )
        if told is None:
            self._figures.shed("session_end")

    def _close(self, way: Way, field: str) -> None:
        """A message that is no hop of any dialogue gets a last screen."""
        reply = self._counter.misunderstood(CHANNEL, field)
        self._go(self._show(reply, way, self._deadline()))

    def _dropped(self, why: str, label: str) -> None:
        self._figures.shed(label)
        log.warning("smpp_screen_dropped", line=self._line, why=why)

    def _deadline(self) -> float:
        return self._now() + SMPP_SCREEN_WITHIN_S

    def _go(self, doing: Awaitable[object]) -> None:
        async def done() -> None:
            try:
                await doing
            except Exception:
                log.exception("smpp_hop_failed", line=self._line)

        task = asyncio.ensure_future(done())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _event(message: Message, ussd: Ussd) -> Event:
    info = message.tlv(codec.ITS_SESSION_INFO) or b""
    if ussd.end_bit_in and len(info) == _MASKED_OCTETS and info[-1] & _END_BIT:
        return Event.CLOSE
    operation = message.number(codec.USSD_SERVICE_OP)
    if operation is None:
        return Event.UNSAID
    for event in (Event.BEGIN, Event.ANSWER, Event.ABORT, Event.CLOSE, Event.DONE):
        if operation in getattr(ussd.hears, event.value):
            return event
    return Event.UNKNOWN


def _session(message: Message, ussd: Ussd) -> tuple[Number, int | None, int]:
    """The session's number, the count, and how many counts there are."""
    session = ussd.session
    value = message.tlv(session.tag) if session.tag is not None else None
    if not value:
        return None, None, 1
    if len(value) > _MASKED_OCTETS:
        return value[: codec.HEARD_FIELD_MAX], None, 1
    whole = int.from_bytes(value, "big")
    if not session.sequence:
        return whole & session.mask, None, 1
    lowest = session.sequence & -session.sequence
    count = (whole & session.sequence) // lowest
    return whole & session.mask, count, session.sequence // lowest + 1


def _ended(tlv: Tlv) -> Tlv:
    if tlv.tag != codec.ITS_SESSION_INFO or len(tlv.value) != _MASKED_OCTETS:
        return tlv
    return Tlv(tlv.tag, bytes((tlv.value[0], tlv.value[1] | _END_BIT)))


def _numbered(address: Address, numbering: Numbering | None) -> Address:
    return Address(address.text, numbering.ton, numbering.npi) if numbering else address
