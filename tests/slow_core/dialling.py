"""Members who dial, in an open loop: a session begins when it is due, whatever became of others."""

from __future__ import annotations

import http.client
import itertools
import threading
import time
import urllib.parse
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from gateway.settings import DEMO_WEBHOOK_SECRET
from tests.chaos.members import Member

AGGREGATOR_S = 10  # Africa's Talking gives up then
PAUSE_S = 0.5  # reading a screen and typing
AT_ONCE_MAX = 400  # sessions: far above a rate times the longest session
FIRST_CENTIMOS = 1_00
_APART = 10  # orders of others between two of one sender

_KINDS = ("menus", "balance", "menus", "send", "balance", "menus", "balance", "send")
_FORM = {"serviceCode": "*775#", "networkCode": "99999"}
_HEADERS = {"Content-Type": "application/x-www-form-urlencoded"}


@dataclass(frozen=True, slots=True)
class Hop:
    """One answer. `needs_core`: its screen cannot be made without asking it. `last`: all that was
    to be typed had been. `text` is empty where none came."""

    needs_core: bool
    last: bool
    took_s: float
    text: str


@dataclass(frozen=True, slots=True)
class _Step:
    typed: str
    needs_core: bool


@dataclass(slots=True)
class Dialled:
    """All hops of one phase."""

    hops: list[Hop] = field(default_factory=list)
    sessions: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, hop: Hop) -> None:
        """One more."""
        with self._lock:
            self.hops.append(hop)


class Dialling:
    """Of every eight sessions three look into menus, three at a balance, and two send money.

    Args:
        port: of the gateway, on 127.0.0.1.
        those: who dials, each in turn.
    """

    def __init__(self, port: int, those: Sequence[Member]) -> None:
        self._port = port
        self._those = those
        self._sessions = self._plan(those)

    def look(self, per_s: float) -> Dialled:
        """Everybody looks at their balance once."""
        return self._dial(((one, _looking(one)) for one in self._those), per_s, len(self._those))

    def dial(self, per_s: float, seconds: float) -> Dialled:
        """So many sessions a second, for so long. Comes back when the last one is over."""
        return self._dial(self._sessions, per_s, int(per_s * seconds))

    def _dial(
        self, sessions: Iterator[tuple[Member, list[_Step]]], per_s: float, count: int
    ) -> Dialled:
        dialled = Dialled()
        began = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE_MAX, "phone") as phones:
            for number, (member, steps) in enumerate(itertools.islice(sessions, count)):
                due = began + number / per_s
                time.sleep(max(0.0, due - time.monotonic()))
                dialled.sessions += 1
                phones.submit(self._session, member, steps, due, dialled)
        return dialled

    def _plan(self, those: Sequence[Member]) -> Iterator[tuple[Member, list[_Step]]]:
        """Without end. No two orders of a member have the same amount: nobody is asked whether
        they meant it twice. Nobody has two sessions at once: the newer one would end the
        other."""
        kinds = itertools.cycle(_KINDS)
        looking, sending = those[::2], those[1::2]
        lookers, senders = itertools.cycle(looking), itertools.cycle(_each_twice(sending, looking))
        for number, kind in enumerate(kinds):
            if kind == "send":
                member, payee = next(senders)
                amount = FIRST_CENTIMOS + number
                yield member, _sending(member, payee, amount)
            elif kind == "balance":
                member = next(lookers)
                yield (
                    member,
                    [
                        _Step("", needs_core=False),
                        _Step("1", needs_core=False),
                        _Step(f"1*{member.pin}", needs_core=True),
                    ],
                )
            else:
                yield (
                    next(lookers),
                    [_Step(typed, needs_core=False) for typed in ("", "5", "5*1")],
                )

    def _session(self, member: Member, steps: list[_Step], due: float, dialled: Dialled) -> None:
        session = f"slow-{uuid.uuid4()}"
        for step in steps:
            text = self._answered(member.msisdn, session, step.typed)
            dialled.add(Hop(step.needs_core, step is steps[-1], time.monotonic() - due, text))
            if not text.startswith("CON"):
                return
            time.sleep(PAUSE_S)
            due = time.monotonic()

    def _answered(self, msisdn: str, session: str, typed: str) -> str:
        form = {**_FORM, "sessionId": session, "phoneNumber": msisdn, "text": typed}
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=AGGREGATOR_S)
        try:
            path = f"/ussd/africastalking/{DEMO_WEBHOOK_SECRET}"
            connection.request("POST", path, urllib.parse.urlencode(form), _HEADERS)
            response = connection.getresponse()
            text = response.read().decode()
        except (OSError, http.client.HTTPException):
            return ""
        else:
            return text if response.status == 200 else ""
        finally:
            connection.close()


def _each_twice(those: Sequence[Member], payees: Sequence[Member]) -> list[tuple[Member, Member]]:
    """Every sender with a payee, and again some sessions later, with another: both orders take from
    one account, and the first may still be under way. Beside that no two orders meet: else all of
    them would be one row, and only that would be measured."""
    firsts = [(member, payees[number]) for number, member in enumerate(those)]
    again = [(member, payees[number - _APART // 2]) for number, member in enumerate(those)]
    return [
        pair
        for first in range(0, len(those), _APART)
        for pair in (*firsts[first : first + _APART], *again[first : first + _APART])
    ]


def _looking(member: Member) -> list[_Step]:
    return [
        _Step("", needs_core=False),
        _Step("1", needs_core=False),
        _Step(f"1*{member.pin}", needs_core=True),
    ]


def _sending(member: Member, payee: Member, centimos: int) -> list[_Step]:
    amount = f"{centimos // 100}.{centimos % 100:02d}"
    to = payee.dialled
    typed = ("2", f"2*{to}", f"2*{to}*{amount}", f"2*{to}*{amount}*{member.pin}")
    return [_Step("", needs_core=False), *(_Step(one, needs_core=True) for one in typed)]
