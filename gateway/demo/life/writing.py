"""Writes a story into the tables that real activity fills, in one transaction."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import psycopg

from gateway.bank.hashing import CHEAPEST_FOR_TESTS, PepperedArgon2
from gateway.bounds import MONEY_MAX_CENTIMOS
from gateway.demo.life.people import DISTRICTS, Invented
from gateway.demo.life.story import DAYS, MEMBERS, Deposit, Order, Story, notices, tell
from gateway.events.export import COLUMNS
from gateway.events.recorder import NOWHERE
from gateway.events.witness import Witness
from gateway.ledger.postgres.office import LedgerOffice
from gateway.ledger.schedule import french, months_after
from gateway.settings import DEMO_PEPPER, DEMO_SESSION_SECRET
from gateway.values.money import Money
from gateway.values.pin import Pin

_SEED = 775
_SOURCE = 775
_ZONE = "America/Lima"
_BY = "demo"
_PIN = Pin("2580")  # of them all: nobody's money
_LOAN = Money(1_200_00)
_LOAN_TEA_PPM = 300_000
_INSTALMENTS = 12

Owner = psycopg.Connection[Any]
Row = Sequence[object]


def give_life(owner_url: str, today: dt.date, members: int = MEMBERS) -> bool:
    """Three months of members who do not exist, summed. False: they were there before.

    Args:
        owner_url: of the role that owns the schemas, in a demo's database.
        today: the story ends with yesterday.
        members: how many.
    """
    with psycopg.connect(owner_url) as owner:
        found = owner.execute("select from bank.member where member_ref like 's-%' limit 1")
        if found.fetchone() is not None:
            return False
        witness = Witness(NOWHERE, DEMO_SESSION_SECRET.encode())
        story = tell(_SEED, today - dt.timedelta(days=1), witness, members)
        hasher = PepperedArgon2({1: bytes.fromhex(DEMO_PEPPER)}, CHEAPEST_FOR_TESTS)
        _assume(owner, today)
        _register(owner, story, hasher)
        _open_accounts(owner, story, today)
        _remember(owner, story, _post(owner, story))
        _record(owner, story)
    # As of its first moment: the worker goes on from there, at whatever hour of it.
    _sum_up(owner_url, dt.datetime.combine(today, dt.time.min, ZoneInfo(_ZONE)))
    return True


def _sum_up(owner_url: str, now: dt.datetime) -> None:
    """So that the figures are there when somebody looks, and not a minute later."""
    with psycopg.connect(owner_url, autocommit=True) as owner:
        owner.execute("analyze")
        owner.execute("select programme.note_due(%s, %s)", (_ZONE, now))
        for step in ("sum_next", "count_next"):
            # The function's name is ours.
            do_next = f"select programme.{step}(%s, %s)"
            while owner.execute(do_next, (_ZONE, now)).fetchone() != (None,):
                pass


def _copy(owner: Owner, into: str, rows: Iterable[Row]) -> None:
    with owner.cursor() as cursor, cursor.copy(f"copy {into} from stdin") as copy:
        for row in rows:
            copy.write_row(row)


def _assume(owner: Owner, today: dt.date) -> None:
    """Districts, what a visit takes, tariffs and targets: invented, and they say so."""
    now = dt.datetime.now(dt.UTC)
    since, source = dt.date(today.year - 1, 1, 1), "inventado para la demostración"
    _copy(
        owner,
        "programme.district",
        ((d.code, d.name, d.province, d.department) for d in DISTRICTS),
    )
    for place in DISTRICTS:
        given = (place.code, since, place.minutes, place.centimos, source, _BY, now)
        owner.execute("select programme.set_travel(%s, %s, %s, %s, %s, %s, %s)", given)
    everywhere = ("", since, 180, 18_00, source, _BY, now)
    owner.execute("select programme.set_travel(%s, %s, %s, %s, %s, %s, %s)", everywhere)
    for what, first, micros in (
        ("ussd_session", since, 38_000),
        ("ussd_session", today - dt.timedelta(days=40), 33_000),
        ("sms_segment", since, 45_000),
    ):
        tariff = (what, first, micros, source, _BY, now)
        owner.execute("select programme.set_tariff(%s, %s, %s, %s, %s, %s)", tariff)
    for indicator, months, value in (
        ("enrolled", 6, 1_900),
        ("active_30", 6, 1_000),
        ("active_90", 6, 1_600),
        ("rural_share", 12, 700),
        ("operations_30", 6, 4_000),
        ("session_success", 3, 900),
    ):
        target = (indicator, today + dt.timedelta(days=30 * months), value, _BY, now)
        owner.execute("select programme.set_target(%s, %s, %s, %s, %s)", target)


def _register(owner: Owner, story: Story, hasher: PepperedArgon2) -> None:
    people = story.people
    _copy(
        owner,
        "bank.member (member_ref, msisdn, first_name, short_name, language, district, rural)",
        (
            (p.ref, p.msisdn, p.first, p.short_name, p.language, p.district.code, p.rural)
            for p in people
        ),
    )
    activated = {member.ref for member, _ in story.activated}
    first_told = min((at for at, _ in story.events), default=None)
    with_pin = [
        p
        for p in people
        if p.ref in activated or (p.since and first_told and p.since < first_told.date())
    ]
    _copy(
        owner,
        "bank.pin_credential (member_ref, hash, pepper_version)",
        ((p.ref, *hasher.hash(p.ref, _PIN)) for p in with_pin),
    )
    _copy(
        owner,
        "audit.entry (at, actor_kind, actor, action, member_ref)",
        ((at, "member", member.ref, "pin.set", member.ref) for member, at in story.activated),
    )


def _open_accounts(owner: Owner, story: Story, today: dt.date) -> None:
    _copy(
        owner,
        "ledger.member (member_ref, dni, first_names, last_names, birth_date)",
        ((p.ref, p.dni, p.first, p.last, p.born) for p in story.people),
    )
    _copy(
        owner,
        "ledger.account (code, kind, name, member_ref)",
        ((p.account, "savings", "Ahorro", p.ref) for p in story.people),
    )
    office = LedgerOffice(owner)
    disbursed = today - dt.timedelta(days=DAYS + 30)
    schedule = french(_LOAN, _LOAN_TEA_PPM, months_after(disbursed, 1), _INSTALMENTS)
    for person in story.people:
        if person.borrower:
            office.open_loan(
                _loan(person), "Campaña cafe", person.ref, schedule, disbursed, disbursed
            )


def _loan(person: Invented) -> str:
    return f"600-{person.ref.removeprefix('s-')}"


def _accounts(owner: Owner, people: Sequence[Invented]) -> dict[str, int]:
    found = owner.execute(
        "select code, id from ledger.account where code = any(%s)",
        ([*(person.account for person in people), "opening", "cash"],),
    )
    return dict(found.fetchall())


def _post(owner: Owner, story: Story) -> dict[uuid.UUID, str]:
    """Every céntimo that moved; answers the references of what was posted.

    Savings are written as rows. A repayment goes through the ledger's own door, which knows what is
    interest: so a balance is written without them, and they then take their part of it.
    """
    ids = _accounts(owner, story.people)
    repaid = Counter[str]()
    for order in story.orders:
        if order.repays and not order.refusal:
            repaid[order.member.ref] += order.centimos
    first = _next_decision(owner)
    rows = list(_decisions(story, ids))
    _copy(
        owner,
        "ledger.decision (id, key, kind, source, target, amount_centimos, refusal, business_date,"
        " decided_at)",
        ((first + place, *decision) for place, (decision, _) in enumerate(rows)),
    )
    _copy(
        owner,
        "ledger.transfer (decision_id, leg, debit_account_id, credit_account_id, amount_centimos,"
        " purpose)",
        (
            (first + place, 1, *sides, decision[4], "amount")
            for place, (decision, sides) in enumerate(rows)
            if sides
        ),
    )
    owner.execute(
        "select setval(pg_get_serial_sequence('ledger.decision', 'id'), %s)",
        (first + len(rows) - 1,),
    )
    _copy(
        owner,
        "ledger.balance (account_id, balance_centimos, floor_centimos, ceiling_centimos)",
        ((ids[p.account], p.centimos + repaid[p.ref], 0, MONEY_MAX_CENTIMOS) for p in story.people),
    )
    references = {
        decision[0]: str(first + place) for place, (decision, sides) in enumerate(rows) if sides
    }
    return references | _repay(owner, story)


def _next_decision(owner: Owner) -> int:
    (last,) = owner.execute("select coalesce(max(id), 100000) from ledger.decision").fetchone() or (
        100_000,
    )
    return int(last) + 1


Decision = tuple[uuid.UUID, str, str, str, int, str | None, dt.date, dt.datetime]


def _decisions(
    story: Story, ids: dict[str, int]
) -> Iterable[tuple[Decision, tuple[int, int] | None]]:
    """What the ledger decided, in its order: each with the accounts that it moved money between, or
    None where it refused."""
    began = story.events[0][0]
    day = began.astimezone(ZoneInfo(_ZONE)).date()
    for place, p in enumerate(story.people):
        key = uuid.UUID(int=_SOURCE << 64 | place, version=4)
        opening: Decision = (key, "opening", "opening", p.account, p.opening, None, day, began)
        yield opening, (ids["opening"], ids[p.account])
    moves: list[Order | Deposit] = [
        *(order for order in story.orders if not order.repays),
        *story.deposits,
    ]
    for move in sorted(moves, key=lambda one: one.at):
        source, target = _sides(move)
        kind = "transfer" if isinstance(move, Order) else "deposit"
        refusal = (move.refusal or None) if isinstance(move, Order) else None
        decided = (move.key, kind, source, target, move.centimos, refusal, move.day, move.at)
        yield decided, None if refusal else (ids[source], ids[target])


def _sides(move: Order | Deposit) -> tuple[str, str]:
    if isinstance(move, Deposit):
        return "cash", move.member.account
    return move.member.account, move.payee.account


def _repay(owner: Owner, story: Story) -> dict[uuid.UUID, str]:
    references = {}
    for order in story.orders:
        if order.repays and not order.refusal:
            given = (
                *(order.key, order.member.account, _loan(order.member), order.centimos),
                order.day,
            )
            answered = owner.execute(
                "select outcome, reference from ledger.post(%s, %s, %s, %s, 'part', %s)", given
            ).fetchone()
            if answered is None or answered[0] != "posted":
                raise AssertionError(f"the ledger says {answered} to a repayment of the story")
            references[order.key] = answered[1]
    return references


def _remember(owner: Owner, story: Story, references: dict[uuid.UUID, str]) -> None:
    """The instructions, the limits that they used, and what was told of them."""
    _copy(
        owner,
        "instructions.instruction (key, operation, member_ref, counterparty_ref, source, target,"
        " amount_centimos, mode, business_date, channel, state, code, reference, accepted_at,"
        " settled_at)",
        (_instruction(order, references.get(order.key)) for order in story.orders),
    )
    used = Counter[tuple[str, str, dt.date]]()
    for order in story.orders:
        if not order.refusal:
            used[order.member.ref, order.operation, order.day] += order.centimos
    _copy(owner, "instructions.usage", ((*key, centimos, 0) for key, centimos in used.items()))
    told = [
        (fact, to, {**detail, "reference": references[order.key]}, order.at)
        for order in story.orders
        if not order.refusal
        for fact, to, detail in notices(order)
    ]
    _tell(owner, told)


def _instruction(order: Order, reference: str | None) -> Row:
    target = _loan(order.member) if order.repays else order.payee.account
    payee = None if order.repays else order.payee.ref  # a loan is nobody's account
    return (
        *(order.key, order.operation, order.member.ref, payee, order.member.account),
        *(target, order.centimos, "part" if order.repays else None, order.day, order.channel),
        *("refused" if order.refusal else "posted", order.refusal or None, reference),
        *(order.at, order.at),
    )


def _tell(owner: Owner, told: Sequence[tuple[str, Invented, dict[str, Any], dt.datetime]]) -> None:
    """Messages that went out, and that a provider took."""
    (last,) = owner.execute("select coalesce(max(id), 0) from notices.outbox").fetchone() or (0,)
    moment = dt.timedelta(seconds=3)
    _copy(
        owner,
        "notices.outbox (id, fact, member_ref, detail, created_at, state, attempts, due_at,"
        " settled_at)",
        (
            (last + place, fact, to.ref, json.dumps(detail), at, "sent", 1, at, at + moment)
            for place, (fact, to, detail, at) in enumerate(told, 1)
        ),
    )
    _copy(
        owner,
        "notices.submissions (sender, provider_id, notice_id, taken_at, segments)",
        (
            ("simulated", f"life-{place}", last + place, at + moment, 1)
            for place, (_, _, _, at) in enumerate(told, 1)
        ),
    )
    owner.execute(
        "select setval(pg_get_serial_sequence('notices.outbox', 'id'), %s)",
        (max(last + len(told), 1),),
    )


def _record(owner: Owner, story: Story) -> None:
    """The events, in their months; the days are to be summed."""
    zone = ZoneInfo(_ZONE)
    days = [at.astimezone(zone).date() for at, _ in story.events]
    for month in sorted({day.replace(day=1) for day in days}):
        owner.execute("select events.make_month(%s)", (month,))
    fields = [name for name in COLUMNS if name not in ("day", "at", "kind")]
    _copy(
        owner,
        f"events.event (day, at, source, number, kind, {', '.join(fields)})",
        (
            (day, at, _SOURCE, number, *_values(msgspec.to_builtins(event).get, fields))
            for number, (day, (at, event)) in enumerate(zip(days, story.events, strict=True))
        ),
    )
    _copy(owner, "events.touched", ((day,) for day in sorted(set(days))))


def _values(get: Callable[[str], object], fields: Sequence[str]) -> Row:
    return (get("kind"), *map(get, fields))
