"""A pretended bank: it answers every operation with example values, so that the menus can be
walked, printed and tried without any server."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from gateway.dialog.book import Book, Condition
from gateway.dialog.checker.declared import Declared, Supply, known_values
from gateway.dialog.checker.supplied import SENTENCES
from gateway.dialog.kinds import KINDS
from gateway.dialog.steps import Call
from gateway.values.member import MemberView
from gateway.values.money import Money
from gateway.values.outcome import Day, Done, Outcome, Pending, Record, Refused, Scalar, Value

_ROWS = 2  # of each list: enough to be asked which one
PENDING = "pending"  # is chosen as a refusal's code is: the outcome that is not known yet

Results = Mapping[str, Mapping[str, Value]]


@dataclass(frozen=True, slots=True)
class Examples:
    """The values that screens are shown with.

    Args:
        known: some values, the first for the first row of a list and so on; by the name that a
            sentence uses (`loans.name`: of that room's operations only), or else by the kind.
        typed: what is typed for a slot, by its type.
    """

    known: Mapping[str, tuple[Scalar, ...]]
    typed: Mapping[str, str]

    def scalar(self, kind: str, name: str, room: str = "", row: int = 0) -> Scalar:
        """A value of a kind for what sentences call `name`."""
        kind = kind.removesuffix("?")
        if kind == "flag":
            return True
        for key in (f"{room}.{name}", name, kind):
            if key in self.known:
                return self.known[key][row % len(self.known[key])]
        return next(iter(known_values(kind)), f"{name} {row + 1}")

    def scalars(self, kinds: Mapping[str, str], room: str = "", row: int = 0) -> dict[str, Scalar]:
        """A value for each of these names."""
        return {name: self.scalar(kind, name, room, row) for name, kind in kinds.items()}

    def member(self, language: str) -> MemberView:
        """Who calls."""
        first, short = (str(self.scalar("person", name)) for name in ("first_name", "short_name"))
        return MemberView("example", first, short, language, enrolled=True)


def _longest(kind: str) -> Scalar:
    """What the checker fits screens for."""
    value = Supply(kind).longest()
    if isinstance(value, Record):
        raise AssertionError(f"{kind} is a record")  # noqa: TRY004 - none of those below is
    return value


_DAY = Day(dt.date(2026, 11, 23))

TYPICAL = Examples(
    known={
        "first_name": ("Rosa",),
        "short_name": ("Rosa Q.",),
        "money": (Money(85_40),),
        "signed_money": (Money(1_250_50), Money(85_40)),
        "date": (_DAY,),
        "number": (2,),
        "person": ("Segundo C.", "Elmer T."),
        "payee_name": ("Segundo C.", "Elmer T."),
        "product": ("Ahorro", "Ahorro navidad"),
        "loans.name": ("Campaña de cafe", "Credito cacao"),
        "reference": ("100009",),
        "short_code": ("*775#",),
        "tax": (Money(5),),
        "available": (Money(1_250_50), Money(310_00)),
        "limit": (Money(2_000_00),),
        "remaining": (Money(1_300_00),),
        "owed": (Money(512_40),),
        "payoff": (Money(498_15),),
        "late_charge": (Money(1_20),),
        "left": (6,),
        "days_late": (12,),
        "minutes": (15,),
        "least": (4,),
        "most": (6,),
        "what": ("enviar S/ 85.40 a Segundo C.",),
        "problem": ("El monto debe ser mayor que cero.",),
    },
    typed={"money": "50", "date": "25/12/26", "payee": "987654321", "secret": "40000001"},  # nosec B105
)

_PLAIN_KINDS = (
    *("money", "signed_money", "date", "number", "person", "product", "payee_name"),
    *("reference", "text", "short_code"),
)

LONGEST = Examples(
    known={
        **{kind: (_longest(kind),) for kind in _PLAIN_KINDS},
        "what": TYPICAL.known["what"],
        "problem": TYPICAL.known["problem"],
    },
    typed={
        "money": "999999.99",
        "date": "25/12/2026",
        "payee": "987654321",
        "secret": "40000001",  # nosec B105 - as a DNI is typed
    },
)


@dataclass(frozen=True, slots=True)
class PretendedBank:
    """Answers what a machine calls for.

    Args:
        book: which kinds of row it tells apart.
        operations: what the real bank declares.
        examples: the values to answer with.
        results: what some operations' results are instead.
        empty: the operations whose list is empty.
        refusing: the operations that refuse, each with its code (or `PENDING`).
        figures: what some figures of a refusal are instead.
        sparing: what is declared with a `?`, and so is not always there, is not there.
    """

    book: Book
    operations: Mapping[str, Declared]
    examples: Examples = TYPICAL
    results: Results = field(default_factory=dict)
    empty: frozenset[str] = frozenset()
    refusing: Mapping[str, str] = field(default_factory=dict)
    figures: Mapping[str, Scalar] = field(default_factory=dict)
    sparing: bool = False

    def perform(self, call: Call) -> Outcome:
        """What the operation comes to."""
        declared = self.operations[call.operation]
        code = self.refusing.get(call.operation)
        if code == PENDING:
            return Pending()
        if code is not None and not (code == "again" and call.again_ok):
            kinds = {**SENTENCES.get(code, {}), **declared.refusals.get(code, {})}
            return Refused(code, {**self.examples.scalars(self._there(kinds)), **self.figures})
        room, gives = _room(declared.name), self._there(declared.gives)
        given = {name: self._result(kind, name, room) for name, kind in gives.items()}
        given |= {"token": "00"} if declared.secret else {}  # nosec B105
        said = {name: value for name, value in call.values.items() if name in given}
        return Done({**given, **said, **self.results.get(declared.name, {})}, self._rows(declared))

    def _there(self, kinds: Mapping[str, str]) -> Mapping[str, str]:
        if not self.sparing:
            return kinds
        return {name: kind for name, kind in kinds.items() if not kind.endswith("?")}

    def _result(self, kind: str, name: str, room: str) -> Value:
        known = KINDS.get(kind.removesuffix("?"))
        if known and known.fields:
            return Record(self.examples.scalars(known.fields, _room(known.offers or "")))
        return self.examples.scalar(kind, name, room)

    def _rows(self, declared: Declared) -> tuple[Record, ...]:
        """Two rows, or one of each kind that the menus tell apart."""
        if declared.rows is None or declared.name in self.empty:
            return ()
        kinds = self._row_kinds(declared.name)
        rows = [
            self.examples.scalars(declared.rows, _room(declared.name), row)
            for row in range(len(kinds) or _ROWS)
        ]
        for row, kind in zip(rows, kinds, strict=False):
            row["kind"] = kind
        return tuple(map(Record, rows))

    def _row_kinds(self, operation: str) -> list[str]:
        for journey in self.book.journeys.values():
            if journey.do == operation and journey.rows:
                return [kind for kind in journey.rows.ways if kind]
        return []


def denied(condition: Condition, kind: str) -> Value:
    """A result of that kind for which the condition does not hold."""
    if condition.value is not None:
        return ""
    match kind.removesuffix("?"):
        case "money" | "signed_money":
            return Money(0)
        case "number":
            return 0
        case "flag":
            return False
        case _:
            return ""


def _room(operation: str) -> str:
    return operation.partition(".")[0]
