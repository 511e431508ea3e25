"""The radio and the aggregator: what becomes of a key press on its way to the gateway and back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from gateway.channels.africastalking import ussd
from gateway.driver import Gateway
from gateway.values.msisdn import Msisdn
from gateway.values.turn import Answer as LastAnswer
from gateway.values.turn import Keystrokes, Origin, Reply, Text, Turn
from tests.simulation.history import Answered, Duty, Hop, Told
from tests.simulation.screens import Kind, read
from tests.simulation.station import Actor, Answer
from tests.simulation.world import World, died

SHORT_CODE = "*775#"
ACCOUNT = "norandino"  # ours at every provider
AGGREGATOR_MS = 10_000  # Africa's Talking gives up then
_TRAVEL_MS = (20, 100, 400, 1_500)  # between phone and gateway, one way
_SLOW_MS = (4_000, 11_000, 25_000, 50_000)  # of a network that has trouble itself
_DEAD_MS = (2_000, 6_000)  # until a phone notices that the radio lost it
_AT_ONCE_MS = (0, 1, 20, 300, 900)  # a second copy of the network's own
_LATE_MS = (1_500, 4_000, 11_000, 30_000, 70_000, 150_000)  # within a session's longest life
_RETRY_MS = (200, 1_000, 3_000)  # after the gateway broke the connection
_EVENT_MS = (0, 10, 500, 5_000, 40_000)  # until the network tells that a session ended


class Dialect(StrEnum):
    """How a network names a hop."""

    CUMULATIVE = "africastalking"  # by all that was typed so far
    COUNTING = "counting"  # by its number
    LAST = "last-answer"  # not at all: a repeat can only be inferred

    @property
    def exact(self) -> bool:
        """Whether a repeat is recognised for certain."""
        return self is not Dialect.LAST


@dataclass(frozen=True, slots=True)
class Screen:
    """What the phone shows. `ends`: the session is over."""

    text: str
    ends: bool


@dataclass(slots=True)
class Session:
    """A session at the aggregator. `began`: the moment of its dial. `answered`: the latest hop that
    the gateway has answered. `live`: it would still take an answer."""

    id: str
    member: str
    msisdn: str
    dialect: Dialect
    began: int
    typed: list[str] = field(default_factory=list)
    hops: int = 0
    answered: int = 0
    live: bool = True


@dataclass(slots=True)
class _Exchange:
    """One hop at the aggregator: its copies on their way, and the first answer to any of them.
    `keys`: of the orders that any copy looked up."""

    session: Session
    number: int
    request: Callable[[], Screen]
    reply: Answer = field(default_factory=Answer)
    keys: list[str] = field(default_factory=list)
    copies: int = 0
    under_way: int = 0
    retried: bool = False


@dataclass(frozen=True, slots=True)
class _Replied:
    """What came back to the aggregator. None: the gateway broke the connection."""

    screen: Screen | None
    told: tuple[Told, ...] = ()


class Network:
    """Carries hops between phones and the gateway of a run."""

    def __init__(self, world: World, gateway: Gateway, forget: Callable[[float], None]) -> None:
        self._world = world
        self._gateway = gateway
        self._forget = forget
        self._sessions = 0
        self._newest: dict[str, Session] = {}
        self._answered: dict[str, int] = {}  # when each member's latest answered session began

    # ---- What a phone does -------------------------------------------------------------------

    def open(self, member: str, msisdn: str, dialect: Dialect) -> Session:
        """A phone begins to dial."""
        self._sessions += 1
        name = f"S{self._world.seed}-{self._sessions}"
        session = Session(name, member, msisdn, dialect, self._world.history.now())
        self._newest[member] = session
        return session

    def hop(self, session: Session, typed: str, shown: str, patience_ms: int) -> Screen | None:
        """Send what was typed and wait for the screen. None: the phone shows an error, and the
        session is gone.

        Args:
            typed: in a session's first hop, what stands behind the short code.
            shown: the same for the script.
        """
        world, chance, weather = self._world, self._world.chance, self._world.weather
        session.hops += 1
        if session.hops > 1 or typed:
            session.typed.append(typed)
        what = "dials" if session.hops == 1 else "types"
        world.note(what, session.member, f"{session.id}/{session.hops} {shown}")
        self._troubles(session)
        if world.happens(weather.up_lost):
            world.note("lost on the way up", session.member, session.id)
            world.station.sleep(chance.choice(_DEAD_MS))
            return self.drop(session, "Failed")
        exchange = _Exchange(session, session.hops, self._request(session, typed))
        slow = world.happens(weather.slow)
        if slow:
            world.note("slow", session.member, f"{session.id}/{session.hops}")
        self._send(exchange, chance.choice(_SLOW_MS if slow else _TRAVEL_MS))
        if world.happens(weather.twice):
            world.note("sent twice", session.member, f"{session.id}/{session.hops}")
            self._send(exchange, chance.choice(_TRAVEL_MS) + chance.choice(_AT_ONCE_MS))
        if world.happens(weather.late):
            late_ms = chance.choice(_LATE_MS)
            world.note("sent late too", session.member, f"{session.id}/{session.hops}")
            self._send(exchange, late_ms)
        patience_ms = min(patience_ms, AGGREGATOR_MS)
        replied = world.station.await_answer(exchange.reply, patience_ms)
        return self._shown(session, replied if isinstance(replied, _Replied) else None, patience_ms)

    def _shown(self, session: Session, replied: _Replied | None, patience_ms: int) -> Screen | None:
        world = self._world
        if replied is None:
            hurried = patience_ms < AGGREGATOR_MS
            world.note("hung up" if hurried else "timed out", session.member, session.id)
            return self.drop(session, "Incomplete")
        if replied.screen is None:
            world.note("network error", session.member, session.id)
            return self.drop(session, "Failed")
        if world.happens(world.weather.down_lost):
            world.note("lost on the way down", session.member, session.id)
            world.station.sleep(world.chance.choice(_DEAD_MS))
            return self.drop(session, "Success" if replied.screen.ends else "Incomplete")
        world.station.sleep(world.chance.choice(_TRAVEL_MS))
        for told in replied.told:
            told.seen = True
        lines = replied.screen.text.replace("\n", " | ")
        world.note("reads", session.member, f"{session.id}/{session.hops} {lines}")
        if replied.screen.ends:
            self.drop(session, "Success")
        return replied.screen

    def drop(self, session: Session, status: str) -> None:
        """The session is over for the phone. The gateway may hear of it, once or twice, or not."""
        if not session.live:
            return
        session.live = False
        world = self._world
        if not world.happens(world.weather.ended) and not world.calm:
            return
        times = 2 if world.happens(world.weather.twice) else 1
        for _ in range(times):
            world.station.spawn(
                f"end of {session.id}",
                lambda: self._tell_end(session, status),
                in_ms=world.chance.choice(_EVENT_MS),
                about=Duty("session end"),
            )

    def text(self, member: str, msisdn: str, text: str) -> None:
        """An SMS to the gateway, which answers by SMS. It may be lost, and it may come twice."""
        world, chance = self._world, self._world.chance
        world.note("writes", member, text)
        self._sessions += 1
        origin = Origin("sms", ACCOUNT, f"T{world.seed}-{self._sessions}", Msisdn(msisdn))
        if world.happens(world.weather.up_lost):
            world.note("lost on the way up", member, "SMS")
            return
        times = 2 if world.happens(world.weather.twice) else 1
        for copy in range(times):
            about = self._copy(origin.session_id, 1, copy, member, exact=False)

            def serve() -> None:
                if not self._gateway.receive(Text(origin, "775", Keystrokes(text))):
                    world.note("not taken", member, "SMS")

            world.station.spawn(
                f"text {origin.session_id}",
                serve,
                in_ms=chance.choice(_TRAVEL_MS),
                about=about,
                ended=died,
            )

    # ---- What the aggregator does ------------------------------------------------------------

    def _troubles(self, session: Session) -> None:
        """What may go wrong in the house while a hop is on its way."""
        world, weather = self._world, self._world.weather
        if world.happens(weather.fall):
            world.station.at(world.chance.randrange(3_000), world.fall)
        for share, how_much in ((weather.forget, 1.0), (weather.forget_part, 0.4)):
            if world.happens(share):
                in_ms = world.chance.randrange(3_000)
                world.station.at(in_ms, lambda how_much=how_much: self._forget(how_much))
        if world.happens(weather.outage):
            world.station.at(world.chance.randrange(3_000), world.outage)

    def _send(self, exchange: _Exchange, in_ms: int) -> None:
        """Post the hop to the gateway."""
        session = exchange.session
        exchange.copies += 1
        exchange.under_way += 1
        copy, number = exchange.copies, exchange.number
        plain = number == 1 and not session.typed
        about = self._copy(
            session.id,
            number,
            copy,
            session.member,
            exact=session.dialect.exact,
            plain=plain,
            dialled=session.began,
        )
        about.all_keys = exchange.keys

        def serve() -> None:
            about.began = self._world.history.now()
            about.began_ms = self._world.station.now_ms
            latest = self._answered.get(session.member, 0)
            later_dial = session.answered > 0 and latest > session.began
            about.outrun = later_dial or session.answered > number
            screen = exchange.request()
            if read(screen.text).kind is not Kind.SORRY:
                session.answered = max(session.answered, number)
                latest = self._answered.get(session.member, 0)
                self._answered[session.member] = max(latest, session.began)
            told = self._produced(about, screen, "", session)
            answer = _Replied(screen, tuple(told))
            back_ms = self._world.chance.choice(_TRAVEL_MS)
            self._world.station.at(back_ms, lambda: exchange.reply.give(answer))

        self._world.station.spawn(
            f"hop {session.id}/{number}" + ("" if copy == 1 else f" copy {copy}"),
            serve,
            in_ms=in_ms,
            about=about,
            ended=lambda actor: self._served(exchange, actor),
        )

    def _served(self, exchange: _Exchange, actor: Actor) -> None:
        """A copy was served, or its worker died with it: then the network may try once more."""
        died(actor)
        exchange.under_way -= 1
        if not actor.killed or exchange.reply.given:
            return
        world = self._world
        if not exchange.retried and (world.calm or world.chance.random() < 0.5):
            exchange.retried = True
            world.note("network's retry", exchange.session.member, actor.name)
            self._send(exchange, world.chance.choice(_RETRY_MS))
        elif exchange.under_way == 0:
            exchange.reply.give(_Replied(None))

    def _copy(
        self,
        session: str,
        number: int,
        copy: int,
        member: str,
        *,
        exact: bool,
        plain: bool = False,
        dialled: int = 0,
    ) -> Hop:
        world = self._world
        return Hop(
            session=session,
            number=number,
            copy=copy,
            member=member,
            exact=exact,
            plain=plain,
            dialled=dialled,
            began=world.history.now(),
            began_ms=world.station.now_ms,
        )

    def _produced(
        self, hop: Hop, screen: Screen, outcome: str, session: Session | None = None
    ) -> list[Told]:
        """A reply leaves the gateway."""
        world = self._world
        reading = read(screen.text)
        told = self._told_again(hop, screen)
        if told is None:
            keys = tuple(hop.keys or hop.all_keys)
            given = hop.keys if hop.pin else ()
            # What is looked up first may be outdated when a slow worker says it: so it is of then.
            began = hop.began
            told = world.tells(hop.member, reading, keys, "screen", hop.orders, given, began, began)
        hop.told = told
        if session:
            newest = self._newest[hop.member] is session
            hop.newer = session.hops > hop.number or not newest or not session.live
        if world.leaks(screen.text) and hop.exact:
            world.history.leaks.append(f"on the screen of {hop.session}/{hop.number}")
        sorry = reading.kind is Kind.SORRY
        now_ms = world.station.now_ms
        moment = world.history.now()
        answered = Answered(hop, moment, screen.text, screen.ends, outcome, sorry, now_ms)
        world.history.answered.append(answered)
        if reading.kind is Kind.AGAIN:
            world.history.counts["¿Otra vez?"] += 1
        if hop.copy > 1:
            world.note("copy answered", hop.member, f"{hop.session}/{hop.number} copy {hop.copy}")
        return told

    def _told_again(self, hop: Hop, screen: Screen) -> list[Told] | None:
        """What was told by an earlier reply of this session, if this is only that reply again."""
        if hop.keys:
            return None
        for one in self._world.history.answered:
            if one.hop.session == hop.session and one.text == screen.text:
                return one.hop.told
        return None

    def _request(self, session: Session, typed: str) -> Callable[[], Screen]:
        """What the aggregator posts for this hop, however often."""
        number, history = session.hops, "*".join(session.typed)
        if session.dialect is Dialect.CUMULATIVE:
            form = {
                "sessionId": session.id,
                "serviceCode": SHORT_CODE,
                "phoneNumber": session.msisdn,
                "networkCode": "99999",
                "text": history,
            }
            return lambda: self._by_form(form)
        sequence = number if session.dialect is Dialect.COUNTING else None
        origin = Origin(session.dialect, ACCOUNT, session.id, Msisdn(session.msisdn))
        turn = Turn(origin, SHORT_CODE, LastAnswer(Keystrokes(typed), sequence))
        return lambda: _screen(self._gateway.take(turn))

    def _by_form(self, form: dict[str, str]) -> Screen:
        """Through the channel's own two translations."""
        turn = ussd.parse(form, account=ACCOUNT)
        verb, _, text = ussd.render(self._gateway.take(turn)).partition(" ")
        return Screen(text, ends=verb == "END")

    def _tell_end(self, session: Session, status: str) -> None:
        self._world.note("end of session", session.member, f"{session.id} {status}")
        self._gateway.session_ended(session.dialect, ACCOUNT, session.id, status, session.hops)


def _screen(reply: Reply) -> Screen:
    return Screen(reply.text, reply.ends)
