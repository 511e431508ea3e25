"""Fill a database with the demo cooperative. Doing it twice changes nothing."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import psycopg

from gateway.bank.hashing import PinHasher
from gateway.demo.cooperative import ELMER, PEOPLE, ROSA, Person
from gateway.ledger.fineract.standin.world import World
from gateway.ledger.memory import MemoryLedger
from gateway.ledger.postgres.office import LedgerOffice
from gateway.ledger.schedule import french, months_after, single
from gateway.values.money import Money
from gateway.values.pin import Pin

_REGISTER = "select bank.register_member(%s, %s, %s, %s, %s)"
_AGREED = "select bank.agreed(%s, 'reading') is not null"
_AGREE = "select bank.agree(%s, 'reading', true, 'demo', 'demo', %s, clock_timestamp())"
_FIRST_PIN = "select bank.first_pin(%s, %s, %s)"

# At 30 % a year this principal makes twelve instalments of exactly S/ 85.40.
_ROSA_PRINCIPAL = Money(891_58)
_ROSA_TEA_PPM = 300_000
_ROSA_INSTALMENTS = 12
_ROSA_PAID = 6

# At 30 % a year for 180 days this principal comes to exactly S/ 3,000.00.
_ELMER_PRINCIPAL = Money(2_631_17)
_ELMER_TEA_PPM = 300_000
_ELMER_TERM = dt.timedelta(days=180)
_ELMER_LATE = dt.timedelta(days=12)


Desk = LedgerOffice | World | MemoryLedger


def seed(
    owner_url: str,
    hasher: PinHasher,
    today: dt.date,
    core: World | MemoryLedger | None = None,
) -> bool:
    """Register the members with the core and with the gateway. False: they were there before.

    Args:
        owner_url: `postgresql://…` of the role that owns the schemas.
        hasher: with the pepper that the gateway will use.
        today: the business date: Rosa's instalment is due on it, Elmer's was 12 days before.
        core: a core beside our database that has the members' money; None: the own ledger.
    """
    with psycopg.connect(owner_url, autocommit=True) as owner:
        office = core or LedgerOffice(owner)
        opened = [_with_the_core(office, person, today) for person in PEOPLE]
        _lend_to_rosa(office, today)
        _lend_to_elmer(office, today)
        for person in PEOPLE:
            _with_the_gateway(owner, person, hasher)
    return any(opened)


def _with_the_core(office: Desk, person: Person, today: dt.date) -> bool:
    """The core owns persons and accounts."""
    opened = office.enrol_person(
        person.ref, person.dni, person.first_names, person.last_names, person.born
    )
    for account in person.savings:
        office.open_savings(account.code, account.name, person.ref, Money(account.centimos), today)
    return opened


def _with_the_gateway(owner: psycopg.Connection, person: Person, hasher: PinHasher) -> None:
    """The gateway owns the phone and the PIN."""
    owner.execute(
        _REGISTER,
        (person.ref, person.msisdn, person.called, person.short_name, person.language),
    )
    if person.pin is not None:
        hashed, version = hasher.hash(person.ref, Pin(person.pin))
        owner.execute(_FIRST_PIN, (person.ref, hashed, version))
    if person.reads_by_sms and owner.execute(_AGREED, (person.ref,)).fetchone() == (False,):
        owner.execute(_AGREE, (person.ref, person.language))


def _lend_to_rosa(office: Desk, today: dt.date) -> None:
    schedule = french(_ROSA_PRINCIPAL, _ROSA_TEA_PPM, today, _ROSA_INSTALMENTS)
    due = (months_after(today, number - _ROSA_PAID) for number in range(_ROSA_INSTALMENTS))
    office.open_loan(
        "300-0001",
        "Campaña cafe",
        ROSA.ref,
        [replace(row, due_on=due_on) for row, due_on in zip(schedule, due, strict=True)],
        disbursed_on=months_after(today, -_ROSA_PAID - 1),
        business_date=today,
        paid_instalments=_ROSA_PAID,
    )


def _lend_to_elmer(office: Desk, today: dt.date) -> None:
    due_on = today - _ELMER_LATE
    disbursed_on = due_on - _ELMER_TERM
    office.open_loan(
        "300-0003",
        "Campaña cacao",
        ELMER.ref,
        single(_ELMER_PRINCIPAL, _ELMER_TEA_PPM, disbursed_on, due_on),
        disbursed_on=disbursed_on,
        business_date=today,
    )
