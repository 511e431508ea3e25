"""The members whose phones dial: enrolled beside the demo's six, with savings, some with a loan."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass

import psycopg

from gateway.bank.hashing import PinHasher
from gateway.demo.cooperative import Person, Savings
from gateway.ledger.contract.cooperative import Office
from gateway.ledger.postgres.office import LedgerOffice
from gateway.ledger.schedule import french, months_after
from gateway.values.money import Money
from gateway.values.pin import Pin

MEMBERS_PER_PHONE = 4  # so that no caller comes near the gateway's bound of hops a minute
MEMBERS_MIN = 12

_RICH_CENTIMOS = 5_000_00
_POOR_CENTIMOS = 3_00  # runs out: refusals belong to the storm
_POOR_EVERY = 6
_LOAN_EVERY = 3
_LOAN = Money(5_000_00)
_LOAN_TEA_PPM = 300_000
_LOAN_INSTALMENTS = 12
_BORN = dt.date(1980, 6, 24)

_FIRST_NAMES = ("Nelida", "Santos", "Olinda", "Alcides", "Delicia", "Porfirio", "Yolanda", "Ever")
_LAST_NAMES = ("Abad", "Bances", "Cunya", "Davila", "Estela", "Facundo", "Gonza", "Huaches")

_REGISTER = "select bank.register_member(%s, %s, %s, %s, 'es')"
_FIRST_PIN = "select bank.first_pin(%s, %s, %s)"


@dataclass(frozen=True, slots=True)
class Member:
    """One of them, and whether they have a loan to pay.

    Their PIN has six digits and begins with 0, so that no process number, reference, amount or
    duration can be mistaken for it.
    """

    person: Person
    pin: str
    has_loan: bool

    @property
    def ref(self) -> str:
        """What the core and the gateway call them."""
        return self.person.ref

    @property
    def msisdn(self) -> str:
        """Their phone, E.164."""
        return self.person.msisdn

    @property
    def dialled(self) -> str:
        """Their phone as another member types it."""
        return self.person.msisdn.removeprefix("+51")

    @property
    def short_name(self) -> str:
        """What others see: `Nelida A.`"""
        return self.person.short_name


def members(phones: int, chance: random.Random) -> tuple[Member, ...]:
    """Enough members for so many phones: every sixth is poor, every third has a loan."""
    count = max(MEMBERS_MIN, phones * MEMBERS_PER_PHONE)
    pins = chance.sample(range(1_000, 99_000), count)
    return tuple(_member(number, pins[number]) for number in range(count))


def _member(number: int, pin: int) -> Member:
    # Every pair of names is another one, and so is every `Nelida A.`
    round_, at = divmod(number, len(_FIRST_NAMES))
    first, last = _FIRST_NAMES[at], _LAST_NAMES[(at + round_) % len(_LAST_NAMES)]
    ordinal = number // (len(_FIRST_NAMES) * len(_LAST_NAMES))
    first += "" if ordinal == 0 else chr(ord("a") + ordinal)
    opening = _POOR_CENTIMOS if number % _POOR_EVERY == _POOR_EVERY - 1 else _RICH_CENTIMOS
    person = Person(
        ref=f"c-{number:04d}",
        first_names=first,
        last_names=last,
        short_name=f"{first} {last[0]}.",
        dni=f"{50_000_000 + number}",
        msisdn=f"+51987{100_000 + number}",
        pin=f"{pin:06d}",
        born=_BORN,
        savings=(Savings(f"200-{number:04d}", "Ahorro", opening),),
    )
    return Member(person, f"{pin:06d}", has_loan=number % _LOAN_EVERY == 0)


def enrol(
    owner_url: str,
    hasher: PinHasher,
    today: dt.date,
    those: tuple[Member, ...],
    *,
    own_ledger: bool,
) -> None:
    """Register them with the gateway, and with the core where that is the own ledger.

    Args:
        owner_url: `postgresql://…` of the role that owns the schemas.
        hasher: with the pepper that the gateway will use.
        today: the business date.
        those: members of a database that does not know them yet.
        own_ledger: whether it is.
    """
    with psycopg.connect(owner_url, autocommit=True) as owner:
        office = LedgerOffice(owner)
        for member in those:
            if own_ledger:
                with_the_core(office, member, today)
            person = member.person
            owner.execute(_REGISTER, (person.ref, person.msisdn, person.called, person.short_name))
            hashed, version = hasher.hash(person.ref, Pin(member.pin))
            owner.execute(_FIRST_PIN, (person.ref, hashed, version))


def with_the_core(office: Office, member: Member, today: dt.date) -> None:
    """The core owns persons and accounts."""
    person, (savings,) = member.person, member.person.savings
    office.enrol_person(person.ref, person.dni, person.first_names, person.last_names, person.born)
    opening = Money(savings.centimos)
    office.open_savings(savings.code, savings.name, person.ref, opening, today)
    if member.has_loan:
        office.open_loan(
            f"400-{person.ref}",
            "Campaña cafe",
            person.ref,
            french(_LOAN, _LOAN_TEA_PPM, months_after(today, 1), _LOAN_INSTALMENTS),
            disbursed_on=today,
            business_date=today,
        )
