"""Members: small agents that want something, read screens, and decide by what they read.

A member repeats an order only where they were told that it was not done, or where nothing tells
otherwise; and then they say no to `¿Otra vez?` unless they mean it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto

from gateway.bounds import AGAIN_WINDOW_S, PIN_LOCK_S
from tests.simulation.history import Last
from tests.simulation.network import AGGREGATOR_MS, SHORT_CODE, Dialect, Network, Screen, Session
from tests.simulation.screens import Kind, Reading, Saying, What, read
from tests.simulation.world import World

HOPS_MAX = 14  # a session: the longest sensible one has nine, and a lost member hangs up
DIALS_MAX = 8  # an intent
_READ_MS = (1_500, 4_000, 9_000)  # reading a screen and typing
_SLOW_MS = (25_000, 58_000, 66_000, 150_000)  # somebody came to the door
_REDIAL_MS = (500, 4_000, 15_000, 45_000, 100_000)
_PATIENCE_MS = (1_000, 3_000)  # of who hangs up and dials again
_BETWEEN_MS = (1_000, 20_000, 60_000, 240_000)
_LONG_MS = (610_000, 960_000)  # beyond drafts, "again?", and a locked PIN
# Without a trace of an order they give it again only while the bank would ask "again?".
_TRACE_MS = AGAIN_WINDOW_S * 1000 - 90_000


class Fate(Enum):
    """What a member believes of an intent."""

    OPEN = auto()  # not given yet, or known not to be done
    UNSURE = auto()  # the PIN was sent, and nothing came back
    DONE = auto()
    DENIED = auto()
    PENDING = auto()
    LEFT = auto()  # given up before it was sure


@dataclass(slots=True, eq=False)
class Intent:
    """What a member wants.

    Args:
        centimos: how much; 0 only looks at the balance.
        target: the account that it goes to.
        number: the payee's mobile as it is typed; empty for a loan.
        whom: how the screens call the payee or the loan.
        again: it is the same as the one before, on purpose.
        wrong_first: an amount that is typed first, seen on the confirm screen, and taken back.
        wrong_pins: how many wrong PINs come first.
        fate: what the member believes.
        references: where they were told that it was done.
        sent_ms: when the PIN was sent last.
        sent: how often it was sent since something was last said of it.
    """

    centimos: int
    target: str = ""
    number: str = ""
    whom: str = ""
    again: bool = False
    wrong_first: int = 0
    wrong_pins: int = 0
    fate: Fate = Fate.OPEN
    references: list[str] = field(default_factory=list)
    sent_ms: int = -1
    sent: int = 0

    @property
    def settled(self) -> bool:
        """There is nothing more to do for it."""
        return self.fate not in {Fate.OPEN, Fate.UNSURE}


@dataclass(slots=True, eq=False)
class Member:
    """One person with one phone."""

    ref: str
    first_name: str
    last_name: str
    msisdn: str
    account: str
    opening: int
    pin: str
    language: str
    dialect: Dialect
    loan: str = ""
    plan: list[Intent] = field(default_factory=list)

    @property
    def short_name(self) -> str:
        """How others see them."""
        return f"{self.first_name} {self.last_name[0]}."


class Life:
    """A member in a run."""

    def __init__(self, member: Member, world: World, network: Network) -> None:
        self.member = member
        self._world = world
        self._network = network
        self._session: Session | None = None

    # ---- What they hear ----------------------------------------------------------------------

    def hear(self, text: str) -> None:
        """An SMS arrives."""
        self._world.note("gets", self.member.ref, text)
        for saying in read(text).sayings:
            self._learn(saying)

    def _learn(self, saying: Saying) -> None:  # noqa: C901 - one case a saying
        """What is said of an order changes what they believe of the intent."""
        if saying.received:
            return
        plan = [intent for intent in self.member.plan if intent.centimos == saying.amount]
        if any(saying.reference in intent.references for intent in plan):
            return  # no news
        match saying.what:
            case What.DONE:
                for intent in [one for one in plan if one.fate is not Fate.DONE][:1]:
                    intent.references.append(saying.reference)
                    intent.fate = Fate.DONE
            case What.PENDING:
                for intent in [one for one in plan if not one.settled][:1]:
                    intent.fate = Fate.PENDING
            case What.ASKED:
                for intent in [one for one in plan if one.fate is Fate.UNSURE][:1]:
                    # Of two alike it is the second that was not done; of one, nobody can tell yet.
                    intent.fate = Fate.OPEN if intent.again else Fate.LEFT
                    intent.sent = 0
            case What.DENIED | What.OFFERED:
                doubtful = (Fate.UNSURE, Fate.PENDING)
                for intent in [one for one in plan if one.fate in doubtful][:1]:
                    intent.fate, intent.sent = Fate.OPEN, 0

    # ---- What they do ------------------------------------------------------------------------

    def live(self) -> None:
        """One intent after the other."""
        for intent in self.member.plan:
            self._pause(_LONG_MS if self._world.chance.random() < 0.04 else _BETWEEN_MS)
            self._pursue(intent)

    def _pursue(self, intent: Intent) -> None:
        member, world = self.member, self._world
        before = [one for one in member.plan if one is not intent]
        same = [one for one in before if one.centimos == intent.centimos]
        if intent.again and any(one.fate is not Fate.DONE for one in same):
            intent.fate = Fate.LEFT  # they mean it to come after the other
            return
        if intent.centimos:
            world.history.intended[member.ref, intent.target, intent.centimos] += 1
        dials = 0
        while not intent.settled and dials < DIALS_MAX and not world.calm:
            if intent.fate is Fate.UNSURE and world.station.now_ms - intent.sent_ms > _TRACE_MS:
                break
            dials += 1
            kind, _ = self._dial(intent)
            if kind == Kind.LOCKED:
                self._world.station.sleep(PIN_LOCK_S * 1000 + self._world.chance.choice(_READ_MS))
            elif not intent.settled:
                self._pause(_REDIAL_MS)

    def ask(self) -> None:
        """Dial once more, and read."""
        screen = self._hop("")
        if screen and screen.text:
            self._read(screen)
        self._hang_up()

    def last_order(self, intent: Intent) -> None:
        """Under a clear sky: one clean session brings an order to its end."""
        world, member = self._world, self.member
        member.plan.append(intent)
        world.history.intended[member.ref, intent.target, intent.centimos] += 1
        kind, text = self._dial(intent)
        refused = read(text).refused
        world.history.lasts.append(Last(member.ref, kind, text, refused))

    def _dial(self, intent: Intent) -> tuple[str, str]:
        """One session. Answers the kind of its last screen, and what stands on it."""
        screen = self._hop(self._way_in(intent))
        for _ in range(HOPS_MAX):
            if screen is None:
                return "nothing", ""
            reading = self._read(screen)
            self._conclude(intent, reading, screen)
            if screen.ends or (intent.settled and reading.kind is not Kind.AGAIN):
                break
            answer = self._answer(intent, reading)
            if answer is None:
                break
            self._pause(_SLOW_MS if self._happens(0.01) else _READ_MS)
            screen = self._hop(*answer)
        self._hang_up()
        return reading.kind.value, screen.text if screen else ""

    def _conclude(self, intent: Intent, reading: Reading, screen: Screen) -> None:
        """What a screen that names no order says of what they are doing now."""
        if reading.kind is Kind.PENDING and intent.fate is Fate.UNSURE:
            intent.fate = Fate.PENDING
        if not intent.centimos and screen.ends and reading.kind is Kind.OTHER:
            intent.fate = Fate.DONE
            self._world.history.counts["balance"] += 1
        if reading.kind is Kind.LOCKED:
            self._world.history.counts["locked"] += 1
        if reading.kind is Kind.HOME and reading.sayings:
            self._world.history.counts["told above the menu"] += 1

    def _way_in(self, intent: Intent) -> str:
        """What is dialled behind the short code: mostly nothing."""
        if self._world.calm or intent.wrong_first:
            return ""
        if intent.number and self._happens(0.2):
            return f"2*{intent.number}*{_typed(intent.centimos)}"
        if intent.number and self._happens(0.15):
            text = f"ENVIAR {intent.number} {_typed(intent.centimos)}"
            self._network.text(self.member.ref, self.member.msisdn, text)
            self._pause(_READ_MS)
        return ""

    def _answer(  # noqa: C901 - one case a screen
        self, intent: Intent, reading: Reading
    ) -> tuple[str, str] | None:
        """What they type now, and how the script shows it. None: they hang up."""
        if reading.kind is Kind.CONFIRM:
            return self._confirm(intent, reading)
        if self._happens(0.02):
            return _shown(self._world.chance.choice(("7", "abc", "", "00", "0", "9")))
        match reading.kind:
            case Kind.HOME:
                if intent.fate is Fate.UNSURE and self._happens(0.3):
                    return None  # nothing is said of it: better wait for the SMS
                return _shown("2" if intent.number else "3" if intent.centimos else "1")
            case Kind.LOAN:
                return _shown("2")
            case Kind.RESUME:
                mine = reading.amount == intent.centimos and (
                    reading.whom == intent.whom or not intent.number
                )
                return _shown("1" if mine and not self._happens(0.15) else "2")
            case Kind.SOURCE:
                return _shown("1")
            case Kind.PAYEE:
                return _shown(intent.number)
            case Kind.AMOUNT:
                return self._amount(intent, reading)
            case Kind.AGAIN:
                return self._once_more(intent)
            case Kind.REFUSED:
                intent.fate = Fate.DENIED
                return None
            case _:
                return _shown("00")

    def _amount(self, intent: Intent, reading: Reading) -> tuple[str, str] | None:
        if reading.refused:
            intent.fate = Fate.DENIED
            return None
        return _shown(_typed(intent.wrong_first or intent.centimos))

    def _confirm(self, intent: Intent, reading: Reading) -> tuple[str, str]:
        """The screen that asks for the PIN. They look whether it shows what they want."""
        if intent.centimos and reading.amount == intent.wrong_first:
            intent.wrong_first = 0
            return _shown("0")
        if (reading.amount or 0) != intent.centimos or (
            intent.number and reading.whom != intent.whom
        ):
            return _shown("00")
        if intent.wrong_pins:
            intent.wrong_pins -= 1
            self._world.note("mistypes", self.member.ref)
            return str(int(self.member.pin) - 1), "(a wrong PIN)"
        if intent.centimos:
            intent.fate = Fate.UNSURE
            intent.sent_ms = self._world.station.now_ms
            intent.sent += 1
        return self.member.pin, "(PIN)"

    def _once_more(self, intent: Intent) -> tuple[str, str] | None:
        """`¿Otra vez?`: yes only where they mean it, and know that the other one was done."""
        others = [one for one in self.member.plan if one is not intent]
        done = [one for one in others if one.fate is Fate.DONE and one.centimos == intent.centimos]
        if intent.again and intent.sent <= 1 and done:
            return _shown("1")
        intent.fate = Fate.LEFT
        return None

    # ---- Hands and eyes ----------------------------------------------------------------------

    def _read(self, screen: Screen) -> Reading:
        reading = read(screen.text)
        for saying in reading.sayings:
            self._learn(saying)
        return reading

    def _hop(self, typed: str, shown: str | None = None) -> Screen | None:
        member, world = self.member, self._world
        if self._session is None or not self._session.live:
            self._session = self._network.open(member.ref, member.msisdn, member.dialect)
        hurried = world.happens(world.weather.hurry)
        patience_ms = world.chance.choice(_PATIENCE_MS) if hurried else AGGREGATOR_MS
        if shown is None:
            shown = SHORT_CODE if not typed else f"{SHORT_CODE[:-1]}*{typed}#"
        return self._network.hop(self._session, typed, shown, patience_ms)

    def _hang_up(self) -> None:
        if self._session is not None:
            self._network.drop(self._session, "Incomplete")

    def _pause(self, choices_ms: tuple[int, ...]) -> None:
        self._world.station.sleep(self._world.chance.choice(choices_ms))

    def _happens(self, share: float) -> bool:
        return not self._world.calm and self._world.happens(share)


def _typed(centimos: int) -> str:
    soles, rest = divmod(centimos, 100)
    return f"{soles}.{rest:02d}" if rest else str(soles)


def _shown(typed: str) -> tuple[str, str]:
    return typed, typed or "(nothing)"
