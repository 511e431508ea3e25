"""What was told, what was sent and what the books say, held against each other. Pure.

Each check answers one line for every violation, and nothing where all is well.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gateway.bounds import SENDERS_AT_ONCE
from tests.chaos.orders import Heard, Order, What
from tests.chaos.screens import tellings

DRAINED_MAX_S = 60  # after the storm every notice is out within this: the lease of a dead worker
ITF_PPM = 50  # Ley 29667: of each side, rounded down to a multiple of five céntimos
ITF_STEP_CENTIMOS = 5


@dataclass(frozen=True, slots=True)
class Movement:
    """Money moved, say the books. `receiver_ref` is empty where a loan was paid. `at`: seconds
    since the epoch. `given_at`: when its order was accepted, where a core decides on it later;
    None: it was decided at once."""

    reference: str
    sender_ref: str
    receiver_ref: str
    centimos: int
    at: float
    given_at: float | None = None

    @property
    def known_at(self) -> float:
        """From when on the gateway can know of it."""
        return self.at if self.given_at is None else self.given_at

    def __str__(self) -> str:
        return f"op. {self.reference} ({self.sender_ref}, {self.centimos} céntimos)"


@dataclass(frozen=True, slots=True)
class Sms:
    """One that a phone received. `at`: seconds since the epoch."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class Books:
    """The books when all is over.

    Args:
        differing: what recomputing every balance found, a line each.
        sum_centimos: over all accounts.
        savings_before: the sum of all savings before the storm, céntimos.
        savings_after: and after it.
        movements: of this storm.
        unsettled: orders without a last word.
        unsent: notices that are neither sent nor given up.
        given_up: notices that will never be sent.
        inboxes: by phone, the SMS that it received.
        taxed: the ledger takes the tax on movements.
    """

    differing: Sequence[str]
    sum_centimos: int
    savings_before: int
    savings_after: int
    movements: Sequence[Movement]
    unsettled: int
    unsent: int
    given_up: int
    inboxes: Mapping[str, Sequence[Sms]]
    taxed: bool = True


@dataclass(frozen=True, slots=True)
class Storm:
    """What was done to the gateway, and how it looked from outside.

    Args:
        kills: by process.
        fallen: what ended by itself, a line each.
        drained_s: from the recovery to the last notice; None: it never came to be.
        drained_max_s: how long that may take.
        leaks: where a PIN was found, a line each.
        faults: answers that no aggregator could use, a line each.
        puzzles: what no phone can make sense of, a line each.
    """

    kills: Mapping[str, int]
    fallen: Sequence[str] = ()
    drained_s: float | None = 0
    drained_max_s: int = DRAINED_MAX_S
    leaks: Sequence[str] = ()
    faults: Sequence[str] = ()
    puzzles: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the verdict."""

    name: str
    violations: list[str] = field(default_factory=list)


def judge(orders: Sequence[Order], books: Books, storm: Storm) -> list[Check]:
    """Every check. The gateway passes if none has a violation."""
    moved = _by_order(orders, books.movements)
    denials = {_key(order): _denials(order, books) for order in orders}
    checks: tuple[tuple[str, Iterable[str]], ...] = (
        ("the ledger adds up", _adds_up(books)),
        ("nothing moved twice", _doubled(orders, moved)),
        ("nothing moved that nobody asked for", _unasked(orders, books.movements)),
        ("whoever was told that it was done, it was", _lost(orders, moved)),
        ("whatever was done, its sender got the SMS", _untold(orders, books)),
        ("whoever was told that it was not done, it never was", _denied(orders, moved, denials)),
        ("nobody was told that it was not done when it was", _belied(orders, moved, denials)),
        ("every order has its end, every notice is out", _unfinished(books, storm)),
        ("an SMS came twice only where a process died", _repeated(books, storm)),
        ("no PIN in a log, in Redis or in a transcript", storm.leaks),
        ("every hop got a screen while web was up", storm.faults),
        ("no phone was at a loss", storm.puzzles),
        ("nothing ended by itself, and all healed", storm.fallen),
    )
    return [Check(name, list(found)) for name, found in checks]


Moved = Mapping[tuple[str, int], Sequence[Movement]]


def _key(order: Order) -> tuple[str, int]:
    return order.sender.ref, order.centimos


def _by_order(orders: Sequence[Order], movements: Sequence[Movement]) -> Moved:
    moved: dict[tuple[str, int], list[Movement]] = {_key(order): [] for order in orders}
    for movement in sorted(movements, key=lambda movement: movement.at):
        moved.setdefault((movement.sender_ref, movement.centimos), []).append(movement)
    return moved


def _adds_up(books: Books) -> Iterator[str]:
    yield from (f"differs: {account}" for account in books.differing)
    if books.sum_centimos:
        yield f"all accounts together hold {books.sum_centimos} céntimos, not 0"
    left = sum(one.centimos for one in books.movements if not one.receiver_ref)
    if books.taxed:
        left += sum(
            (2 if one.receiver_ref else 1) * itf_centimos(one.centimos) for one in books.movements
        )
    missing = books.savings_before - left - books.savings_after
    if missing:
        yield f"{missing} céntimos of all savings went neither into taxes nor into loans"


def itf_centimos(centimos: int) -> int:
    """The tax on one debit or credit of savings."""
    return centimos * ITF_PPM // (1_000_000 * ITF_STEP_CENTIMOS) * ITF_STEP_CENTIMOS


def _doubled(orders: Sequence[Order], moved: Moved) -> Iterator[str]:
    """More often than it was meant; the second time only after somebody said "yes, again"."""
    for order in orders:
        movements = moved[_key(order)]
        if len(movements) > order.wanted:
            yield f"{order}: meant {order.wanted} times, moved {len(movements)} times"
        for again in movements[1:]:
            if not any(one.agreed and one.sent and one.at <= again.at for one in order.attempts):
                yield f"{order}: {again} came without a yes to ¿Otra vez?"


def _unasked(orders: Sequence[Order], movements: Sequence[Movement]) -> Iterator[str]:
    known = {_key(order): order for order in orders}
    for movement in movements:
        order = known.get((movement.sender_ref, movement.centimos))
        receiver = order.payee.ref if order and order.payee else ""
        if order is None or movement.receiver_ref != receiver:
            yield f"{movement} to {movement.receiver_ref or 'a loan'}: nobody meant that"


def _lost(orders: Sequence[Order], moved: Moved) -> Iterator[str]:
    for order in orders:
        movements = moved[_key(order)]
        yield from (
            f"{order}: told op. {reference}, which the books do not have"
            for reference in order.references - {movement.reference for movement in movements}
        )
        for heard in order.heard:
            before = any(one.known_at <= heard.at for one in movements)
            if heard.what in {What.SENT_BEFORE, What.NOT_AGAIN} and not before:
                yield f"{order}: told that it was asked for before, and it was not"


def _untold(orders: Sequence[Order], books: Books) -> Iterator[str]:
    phones = {order.sender.ref: order.sender.msisdn for order in orders}
    told = {phone: _receipts(inbox) for phone, inbox in books.inboxes.items()}
    for movement in books.movements:
        receipts = told.get(phones.get(movement.sender_ref, ""), Counter())
        if not receipts[movement.reference, movement.centimos]:
            yield f"{movement}: no SMS told its sender"


def _receipts(inbox: Iterable[Sms]) -> Counter[tuple[str, int]]:
    """How often a phone was told of each movement, by reference and céntimos."""
    return Counter(
        (told.reference, told.centimos)
        for sms in inbox
        for told in tellings(sms.text)
        if told.what is What.SENT
    )


Denials = Mapping[tuple[str, int], Sequence[Heard]]


def _denials(order: Order, books: Books) -> list[Heard]:
    """Whatever told its sender that it was not done: on a screen, or by SMS."""
    told = {What.NOT_DONE, What.NOT_AGAIN, What.REFUSED, What.UNFINISHED}
    by_sms = [
        Heard(What.NOT_DONE, sms.at)
        for sms in books.inboxes.get(order.sender.msisdn, ())
        for one in tellings(sms.text)
        if one.what is What.NOT_DONE and one.centimos == order.centimos
    ]
    return [*(heard for heard in order.heard if heard.what in told), *by_sms]


def _denied(orders: Sequence[Order], moved: Moved, told: Denials) -> Iterator[str]:
    """A movement after a denial needs an attempt between the two that was not denied itself; and
    there are as many such attempts as there are movements."""
    for order in orders:
        movements, attempts = moved[_key(order)], [one for one in order.attempts if one.sent]
        good = [one.at for one in attempts if not one.denied]
        for movement in movements:
            before = [one.at for one in told[_key(order)] if _denies(one, movement)]
            last = max(before, default=0)
            if not any(last < at <= movement.at for at in good):
                yield f"{order}: {movement} moved {'after a denial' if last else 'before any PIN'}"
        if len(movements) > len(good):
            yield f"{order}: moved {len(movements)} times, {len(good)} tries were not denied"


def _denies(denial: Heard, movement: Movement) -> bool:
    """What was left unfinished, or not done again, is another order than the one that was with the
    core by then; and that one has the same amount."""
    of_another = denial.what in {What.UNFINISHED, What.NOT_AGAIN}
    return denial.at < (movement.known_at if of_another else movement.at)


def _belied(orders: Sequence[Order], moved: Moved, told: Denials) -> Iterator[str]:
    """Nobody is told `NO se hizo` of what was done before, each time that it was meant; and nobody
    `No se hizo otra vez` of what was done again."""
    for order in orders:
        for denial in told[_key(order)]:
            done = sum(one.at < denial.at for one in moved[_key(order)])
            meant = {
                What.NOT_DONE: sum(at <= denial.at for at in order.meant_at),
                What.NOT_AGAIN: 2,
            }
            if done >= meant.get(denial.what, done + 1):
                yield f"{order}: told at {denial.at:.3f} that it was {denial.what}, and it was done"


def _unfinished(books: Books, storm: Storm) -> Iterator[str]:
    if books.unsettled:
        yield f"{books.unsettled} orders have no end"
    if books.unsent:
        yield f"{books.unsent} notices are not out"
    if books.given_up:
        yield f"{books.given_up} notices were given up"
    if storm.drained_s is None:
        yield f"not all was settled and sent within {storm.drained_max_s} s"


def repeated_sms(books: Books) -> int:
    """How many SMS about a movement came once more than needed."""
    texts = Counter(
        (phone, sms.text)
        for phone, inbox in books.inboxes.items()
        for sms in inbox
        if "op. " in sms.text
    )
    return texts.total() - len(texts)


def _repeated(books: Books, storm: Storm) -> Iterator[str]:
    """A death of the worker, or of PostgreSQL under it, repeats what was being sent, no more."""
    bound = SENDERS_AT_ONCE * (storm.kills.get("worker", 0) + storm.kills.get("PostgreSQL", 0))
    repeated = repeated_sms(books)
    if repeated > bound:
        yield f"{repeated} SMS came twice; {bound} may, after so many deaths"


def told_apart(orders: Sequence[Order]) -> dict[str, int]:
    """How often anything of each kind was told."""
    told: defaultdict[str, int] = defaultdict(int)
    for order in orders:
        for heard in order.heard:
            told[heard.what.value] += 1
    return dict(told)
