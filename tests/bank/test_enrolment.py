"""How members come to a PIN, and who must not."""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from gateway.bank.hashing import KeyedHashes
from gateway.bank.new_pins import NewPins
from gateway.bank.office import Issued, OfficeError
from gateway.bank.pins import Pins
from gateway.bounds import CODE_TRIES, PIN_CAREFUL_S, PIN_PENDING_S
from gateway.demo.seed import seed
from gateway.values.consent import Consent, Purpose
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Done, Outcome, Refused
from gateway.values.pin import Pin
from gateway.values.secret import Secret
from tests.cooperative import HASHER, MORNING, TODAY, Cooperative
from tests.people import ELMER, ROSA, SEGUNDO, WILMER, Person

OVER = Refused("over")
AGREED = Consent(Purpose.BANKING, given=True, channel="ussd", text_version="d1", language="es")


class Desk:
    """Somebody with a phone in their hand, at the bank's side of it."""

    def __init__(self, cooperative: Cooperative, person: Person = WILMER) -> None:
        self.cooperative = cooperative
        self.ref, self.msisdn = person.ref, Msisdn(person.msisdn)
        database, keyed = cooperative.database, KeyedHashes(cooperative.settings.peppers)
        self.new_pins = NewPins(database, HASHER, keyed, Pins(database, HASHER), (4, 6))
        self.hops = 0

    @property
    def now(self) -> dt.datetime:
        return self.cooperative.clock.now()

    def types_dni(self, dni: str) -> str:
        return token(self.new_pins.name_dni(self.ref, Secret(dni), self.now))

    def types_code(self, pending: str, code: str, hop: str = "") -> Outcome:
        self.hops += 1
        hop = hop or f"{self.ref}-{self.hops}"
        return self.new_pins.prove_by_code(
            self.ref, self.msisdn, pending, Secret(code), hop, self.now
        )

    def chooses(self, pending: str, pin: str) -> Outcome:
        return self.new_pins.choose(self.ref, self.msisdn, pending, Secret(pin), self.now, TODAY)

    def repeats(self, pending: str, pin: str) -> Outcome:
        return self.new_pins.activate(self.ref, self.msisdn, pending, Pin(pin), AGREED, self.now)

    def invited(self) -> bool:
        return self.new_pins.invited(self.ref, self.msisdn, self.now)

    def has_pin(self, pin: str) -> bool:
        self.hops += 1
        hop = f"reading-{self.hops}"
        pins = Pins(self.cooperative.database, HASHER)
        return pins.verify(self.ref, Pin(pin), hop, None, self.now) is None


def token(outcome: Outcome) -> str:
    assert isinstance(outcome, Done), outcome
    return str(outcome.values["token"])


@pytest.fixture
def wilmer(cooperative: Cooperative) -> Desk:
    """Wilmer, who has no PIN."""
    return Desk(cooperative)


def asks_reset(cooperative: Cooperative, person: Person, by: str = "Ana") -> int:
    with cooperative.office() as office:
        return office.ask_reset(Msisdn(person.msisdn), person.dni, None, by)


def approves(cooperative: Cooperative, request: int, by: str) -> Issued:
    with cooperative.office() as office:
        return office.approve(request, by)


# ---- Who must not ------------------------------------------------------------------------------


def test_without_a_code_nothing_begins(wilmer: Desk) -> None:
    """Whoever holds the phone knows the DNI, perhaps; that is not enough."""
    assert not wilmer.invited()
    assert wilmer.types_code(wilmer.types_dni(WILMER.dni), "00000000") == OVER


@pytest.mark.parametrize("dni", ["", "4000000", "400000066", "4000000a", "٤٠٠٠٠٠٠٦"])
def test_what_is_no_dni_is_said_before_anything_is_counted(wilmer: Desk, dni: str) -> None:
    """Eight digits."""
    outcome = wilmer.new_pins.name_dni(WILMER.ref, Secret(dni), MORNING)
    assert outcome == Refused("not_a_dni")


def test_a_wrong_dni_and_a_wrong_code_are_answered_alike(wilmer: Desk) -> None:
    """So that neither can be found out alone."""
    code = wilmer.cooperative.invite(WILMER)

    wrong_dni = wilmer.types_code(wilmer.types_dni(ROSA.dni), code)
    wrong_code = wilmer.types_code(wilmer.types_dni(WILMER.dni), other_than(code))

    assert wrong_dni == Refused("wrong_code", {"tries_left": CODE_TRIES - 1})
    assert wrong_code == Refused("wrong_code", {"tries_left": CODE_TRIES - 2})


def test_thirty_two_sessions_at_once_get_five_guesses_of_a_code(wilmer: Desk) -> None:
    """A guess is counted before it is judged; and then the right one comes too late."""
    code = wilmer.cooperative.invite(WILMER)
    pending, barrier = wilmer.types_dni(WILMER.dni), threading.Barrier(32)
    wrong = [guess for guess in (f"{n:08}" for n in range(40)) if guess != code]

    def guess(number: int) -> Outcome:
        barrier.wait()
        return wilmer.types_code(pending, wrong[number], hop=f"guess-{number}")

    with ThreadPoolExecutor(32) as pool:
        verdicts = list(pool.map(guess, range(32)))

    with wilmer.cooperative.owner() as owner:
        judged = owner.execute("select count(*) from bank.code_attempt").fetchone()
    assert judged == (CODE_TRIES,)
    assert verdicts.count(Refused("code_spent")) == 32 - CODE_TRIES + 1
    assert wilmer.types_code(pending, code) == Refused("code_spent")
    assert not wilmer.invited()


def test_a_copy_of_a_hop_is_no_second_guess(wilmer: Desk) -> None:
    """The network sends it again; the phone's owner has guessed once."""
    code = wilmer.cooperative.invite(WILMER)
    pending = wilmer.types_dni(WILMER.dni)

    twice = [wilmer.types_code(pending, other_than(code), hop="same") for _ in range(2)]

    assert twice == [Refused("wrong_code", {"tries_left": CODE_TRIES - 1})] * 2


def test_one_members_code_is_worth_nothing_in_anothers_hands(cooperative: Cooperative) -> None:
    """Two codes that were swapped at the branch open nothing."""
    wilmers = cooperative.invite(WILMER)
    segundos = approves(cooperative, asks_reset(cooperative, SEGUNDO), "Luis").code
    wilmer, segundo = Desk(cooperative), Desk(cooperative, SEGUNDO)

    crossed = wilmer.types_code(wilmer.types_dni(WILMER.dni), segundos)
    other = segundo.types_code(segundo.types_dni(SEGUNDO.dni), wilmers)

    assert crossed == other == Refused("wrong_code", {"tries_left": CODE_TRIES - 1})


def test_a_token_of_another_member_is_worth_nothing(cooperative: Cooperative) -> None:
    """What a draft keeps belongs to its phone."""
    code = cooperative.invite(WILMER)
    wilmer, segundo = Desk(cooperative), Desk(cooperative, SEGUNDO)
    proof = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))

    assert segundo.chooses(proof, "5938") == OVER
    wilmer.chooses(proof, "5938")
    assert segundo.repeats(proof, "5938") == OVER


def test_a_code_runs_out(wilmer: Desk) -> None:
    """After its hours, to the second."""
    code = wilmer.cooperative.invite(WILMER)
    hours = wilmer.cooperative.settings.code_hours
    wilmer.cooperative.clock.pass_time(hours=hours, seconds=-1)
    assert wilmer.invited()

    wilmer.cooperative.clock.pass_time(seconds=1)

    assert not wilmer.invited()
    assert wilmer.types_code(wilmer.types_dni(WILMER.dni), code) == OVER


def test_a_new_code_ends_the_old_one(wilmer: Desk) -> None:
    """One is open at a time."""
    old = wilmer.cooperative.invite(WILMER)
    new = wilmer.cooperative.invite(WILMER)

    assert isinstance(wilmer.types_code(wilmer.types_dni(WILMER.dni), old), Refused)
    assert token(wilmer.types_code(wilmer.types_dni(WILMER.dni), new))


def test_a_number_that_is_another_persons_now_reaches_nothing(wilmer: Desk) -> None:
    """The code was for the phone that Wilmer had when it was issued."""
    code = wilmer.cooperative.invite(WILMER)
    with wilmer.cooperative.owner() as owner:
        owner.execute(
            "update bank.member set msisdn = '+51987000099' where member_ref = %s", (WILMER.ref,)
        )

    assert not wilmer.invited()
    assert wilmer.types_code(wilmer.types_dni(WILMER.dni), code) == OVER
    wilmer.msisdn = Msisdn("+51987000099")
    assert wilmer.types_code(wilmer.types_dni(WILMER.dni), code) == OVER


def test_a_number_that_moves_while_the_pin_is_chosen_reaches_nothing(wilmer: Desk) -> None:
    """It is looked at again when the PIN would become theirs."""
    code = wilmer.cooperative.invite(WILMER)
    proof = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))
    wilmer.chooses(proof, "5938")
    with wilmer.cooperative.owner() as owner:
        owner.execute("update bank.member set msisdn = '+51987000099' where member_ref = 'm-0006'")

    assert wilmer.repeats(proof, "5938") == OVER
    assert not wilmer.has_pin("5938")


def test_a_pin_needs_a_proof(wilmer: Desk) -> None:
    """A DNI alone is none."""
    wilmer.cooperative.invite(WILMER)
    pending = wilmer.types_dni(WILMER.dni)

    assert wilmer.chooses(pending, "5938") == OVER
    assert wilmer.repeats(pending, "5938") == OVER


def test_who_takes_too_long_begins_anew(wilmer: Desk) -> None:
    """And so does who began in another session meanwhile."""
    code = wilmer.cooperative.invite(WILMER)
    proof = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))
    wilmer.chooses(proof, "5938")

    wilmer.cooperative.clock.pass_time(seconds=PIN_PENDING_S)

    assert wilmer.repeats(proof, "5938") == OVER
    again = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))
    wilmer.types_dni(WILMER.dni)
    assert wilmer.chooses(again, "5938") == OVER


def test_a_frozen_member_does_not_enrol(wilmer: Desk) -> None:
    """Their door is shut until staff open it."""
    code = wilmer.cooperative.invite(WILMER)
    with wilmer.cooperative.office() as office:
        assert office.freeze(wilmer.msisdn, "Ana")

    assert wilmer.types_code(wilmer.types_dni(WILMER.dni), code) == Refused("frozen")


@pytest.mark.parametrize(
    ("pin", "why"),
    [
        ("123", "pin_length"),
        ("1234567", "pin_length"),
        ("12a4", "pin_length"),
        ("٥٩٣٨", "pin_length"),
        ("1234", "pin_in_a_row"),
        ("4321", "pin_in_a_row"),
        ("789012", "pin_in_a_row"),
        ("1111", "pin_repeats"),
        ("1212", "pin_repeats"),
        ("123123", "pin_repeats"),
        ("7787", "pin_repeats"),
        ("2580", "pin_usual"),
        ("1990", "pin_like_a_date"),
        ("8700", "pin_of_yours"),  # the phone is +51987000006
        ("1707", "pin_of_yours"),  # born on 17 July 1990
        ("170790", "pin_of_yours"),
    ],
)
def test_a_pin_that_a_thief_would_try_is_refused_with_the_reason(
    wilmer: Desk, pin: str, why: str
) -> None:
    """And nothing of it is kept."""
    code = wilmer.cooperative.invite(WILMER)
    proof = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))

    outcome = wilmer.chooses(proof, pin)

    assert isinstance(outcome, Refused)
    assert outcome.code == why
    assert wilmer.repeats(proof, "5938") == OVER


def test_a_part_of_the_dni_is_no_pin(wilmer: Desk) -> None:
    """It is on the document, which is stolen with the phone."""
    with wilmer.cooperative.office() as office:
        code = office.invite(wilmer.msisdn, "47219385", None, "Ana").code
    proof = token(wilmer.types_code(wilmer.types_dni("47219385"), code))

    assert wilmer.chooses(proof, "7219") == Refused("pin_of_yours")
    assert wilmer.chooses(proof, "219385") == Refused("pin_of_yours")
    assert token(wilmer.chooses(proof, "5938"))


# ---- Who may -----------------------------------------------------------------------------------


def test_a_pin_entered_twice_is_theirs_and_the_code_is_over(wilmer: Desk) -> None:
    """Once, however often the last hop comes; with their yes, and what they read."""
    code = wilmer.cooperative.invite(WILMER)
    proof = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))
    chosen = token(wilmer.chooses(proof, "5938"))

    assert wilmer.repeats(chosen, "5939") == Refused("pins_differ")
    assert not wilmer.has_pin("5938")
    assert wilmer.repeats(chosen, "5938") == Done()
    assert wilmer.repeats(chosen, "5938") == Done()

    assert wilmer.has_pin("5938")
    assert not wilmer.invited()
    with wilmer.cooperative.owner() as owner:
        consents = owner.execute(
            "select purpose, given, text_version, language from bank.consent "
            "where member_ref = 'm-0006'"
        ).fetchall()
        deeds = owner.execute(
            "select action from audit.entry where member_ref = 'm-0006' order by id"
        ).fetchall()
        level = owner.execute("select instructions.level('m-0006', %s)", (MORNING,)).fetchone()
    assert consents == [("banking", True, "d1", "es")]
    assert [deed for (deed,) in deeds] == ["code.issued", "consent.given", "pin.set"]
    assert level == ("normal",)


def test_a_process_that_dies_between_the_entries_leaves_no_pin(wilmer: Desk) -> None:
    """The first entry waits in PostgreSQL, and the next session goes on from the beginning."""
    code = wilmer.cooperative.invite(WILMER)
    proof = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))
    wilmer.chooses(proof, "5938")

    later = Desk(wilmer.cooperative)
    assert not later.has_pin("5938")
    again = token(later.types_code(later.types_dni(WILMER.dni), code, hop="later"))
    later.chooses(again, "6047")

    assert wilmer.repeats(proof, "5938") == OVER
    assert later.repeats(again, "6047") == Done()
    assert later.has_pin("6047")


def test_a_changed_pin_is_careful_for_a_day(cooperative: Cooperative) -> None:
    """Whoever took the phone with the PIN has a day of small amounts, and the member an SMS."""
    rosa = Desk(cooperative, ROSA)
    assert rosa.new_pins.prove_by_pin(ROSA.ref, Secret("0000"), "one", MORNING) == Refused(
        "wrong_pin", {"tries_left": 2}
    )
    proof = token(rosa.new_pins.prove_by_pin(ROSA.ref, Secret("4826"), "two", MORNING))

    rosa.chooses(proof, "5938")
    assert rosa.repeats(proof, "5938") == Done()

    assert rosa.has_pin("5938")
    assert not rosa.has_pin("4826")
    day = dt.timedelta(seconds=PIN_CAREFUL_S)
    with cooperative.owner() as owner:
        levels = [
            owner.execute("select instructions.level('m-0001', %s)", (at,)).fetchone()
            for at in (MORNING + day - dt.timedelta(seconds=1), MORNING + day)
        ]
    assert levels == [("careful",), ("normal",)]


def test_a_hop_that_was_no_right_pin_begins_no_change(cooperative: Cooperative) -> None:
    """PostgreSQL looks for the attempt itself."""
    rows = cooperative.database.call(
        "select bank.begin_change('m-0001', 'never', %s, %s) as id", (MORNING, MORNING)
    )
    assert [row["id"] for row in rows if row["id"]] == []


@pytest.mark.parametrize("remedy", ["reset", "freeze"])
def test_a_change_that_was_begun_with_the_old_pin_does_not_outlive_its_remedy(
    cooperative: Cooperative, remedy: str
) -> None:
    """The thief is one entry from a PIN of their own when staff take the old one away, or Rosa
    shuts her door; it stays so when the door is opened again."""
    thief = Desk(cooperative, ROSA)
    proof = token(thief.new_pins.prove_by_pin(ROSA.ref, Secret("4826"), "one", MORNING))
    thief.chooses(proof, "5938")

    if remedy == "reset":
        approves(cooperative, asks_reset(cooperative, ROSA), "Luis")
    else:
        with cooperative.owner() as owner:
            owner.execute("select bank.freeze('m-0001', 'sms', 's-1', %s)", (MORNING,))
            assert thief.repeats(proof, "5938") != Done()
            owner.execute("select bank.lift_freeze('m-0001', 'Ana', %s)", (MORNING,))

    assert thief.repeats(proof, "5938") != Done()
    assert not thief.has_pin("5938")


# ---- Two of staff ------------------------------------------------------------------------------


def test_one_of_staff_gives_no_pin_to_who_has_had_one(cooperative: Cooperative) -> None:
    """Two agreed to a reset; a code of Ana's alone, with a DNI of her own, is not in its place."""
    issued = approves(cooperative, asks_reset(cooperative, ROSA), "Luis")

    with cooperative.office() as office, pytest.raises(OfficeError, match="two of you"):
        office.invite(Msisdn(ROSA.msisdn), "99999999", None, "Ana")
    with cooperative.owner() as owner:
        alone = owner.execute(
            "select bank.issue_code('m-0001', 'enrol', 'd', 'c', 1, '{}', 'Ana', %s, %s)",
            (MORNING, MORNING),
        ).fetchone()
    assert alone == (None,)

    rosa = Desk(cooperative, ROSA)
    assert token(rosa.types_code(rosa.types_dni(ROSA.dni), issued.code))


def test_what_was_asked_keeps_no_hash_once_it_is_decided(cooperative: Cooperative) -> None:
    """Eight digits are soon guessed by who has the pepper."""
    approves(cooperative, asks_reset(cooperative, ROSA), "Luis")

    with cooperative.owner() as owner:
        (detail,) = owner.execute("select detail from bank.staff_request").fetchone() or ({},)

    assert set(detail) == {"pepper_version"}


def test_a_code_does_not_come_back_with_the_number(wilmer: Desk) -> None:
    """Away and back again: the code was for another time."""
    wilmer.cooperative.invite(WILMER)
    with wilmer.cooperative.owner() as owner:
        for old, new in ((WILMER.msisdn, "+51987000096"), ("+51987000096", WILMER.msisdn)):
            owner.execute(
                "select bank.move_number(%s, %s, 'Ana', %s, %s)", (old, new, MORNING, MORNING)
            )

    assert not wilmer.invited()


@pytest.mark.parametrize("by", ["Ana", "ana", " Ana ", "ana\t", "A na"])
def test_who_asks_for_a_reset_cannot_approve_it(cooperative: Cooperative, by: str) -> None:
    """Four eyes are two people's; and the old PIN still holds."""
    request = asks_reset(cooperative, ROSA)

    with pytest.raises(OfficeError, match="another person"):
        approves(cooperative, request, by)

    assert Desk(cooperative, ROSA).has_pin("4826")


def test_a_reset_is_approved_once(cooperative: Cooperative) -> None:
    """And one that nobody asked for, never."""
    request = asks_reset(cooperative, ROSA)
    approves(cooperative, request, "Luis")

    with pytest.raises(OfficeError, match="already"):
        approves(cooperative, request, "Eva")
    with pytest.raises(OfficeError, match="no such request"):
        approves(cooperative, request + 1, "Eva")


def test_a_forgotten_pin_is_replaced_by_a_code_that_two_agreed_to(
    cooperative: Cooperative,
) -> None:
    """The old one is over at once; the new one is careful for a day."""
    issued = approves(cooperative, asks_reset(cooperative, ROSA), "Luis")
    rosa = Desk(cooperative, ROSA)
    assert not rosa.has_pin("4826")
    assert rosa.invited()

    proof = token(rosa.types_code(rosa.types_dni(ROSA.dni), issued.code))
    rosa.chooses(proof, "5938")
    assert rosa.repeats(proof, "5938") == Done()

    assert rosa.has_pin("5938")
    with cooperative.owner() as owner:
        level = owner.execute("select instructions.level('m-0001', %s)", (MORNING,)).fetchone()
        deeds = owner.execute(
            "select action, actor from audit.entry where member_ref = 'm-0001' order by id desc "
            "limit 7"
        ).fetchall()
    assert level == ("careful",)
    assert ("request.asked", "Ana") in deeds
    assert ("request.approved", "Luis") in deeds
    assert ("pin.revoked", "Luis") in deeds
    assert ("pin.reset", ROSA.ref) in deeds


def test_a_second_start_of_the_demo_gives_no_pin_back(cooperative: Cooperative) -> None:
    """One that was given up stays so."""
    approves(cooperative, asks_reset(cooperative, ROSA), "Luis")
    url = cooperative.settings.database_url.get_secret_value()

    seed(url.replace("chaski_app", "chaski_owner"), HASHER, TODAY)

    assert not Desk(cooperative, ROSA).has_pin("4826")


def test_a_pin_that_was_locked_twice_waits_for_staff(cooperative: Cooperative) -> None:
    """Three wrong, fifteen minutes, three wrong: then time does not help any more."""
    elmer = Desk(cooperative, ELMER)
    for _ in range(2):
        assert not any(elmer.has_pin("0000") for _ in range(3))
        cooperative.clock.pass_time(minutes=15)
    cooperative.clock.pass_time(days=365)
    assert not elmer.has_pin("5164")

    with cooperative.office() as office:
        assert office.unlock(elmer.msisdn, "Ana")
        assert not office.unlock(elmer.msisdn, "Ana")

    assert elmer.has_pin("5164")
    with cooperative.owner() as owner:
        deeds = owner.execute(
            "select action from audit.entry where member_ref = 'm-0003' order by id"
        ).fetchall()
    assert deeds == [("pin.locked",), ("pin.blocked",), ("pin.unlocked",)]


@pytest.mark.parametrize(
    "call",
    [
        "bank.issue_code('m-0006', 'enrol', '', '', 1, '{}', 'x', now(), now())",
        "bank.approve_reset(1, '', 1, 'x', now(), now())",
        "bank.ask_staff('pin_reset', 'm-0001', '{}', 'x', now())",
        "bank.unlock_pin('m-0001', 'x', now())",
        "bank.seal_pin('m-0001', '', '', 2)",
        "bank.pins_to_seal(2, '', 10)",
        "bank.first_pin('m-0006', '', 1)",
        "bank.access_of('m-0001', now(), 5)",
    ],
)
def test_the_application_cannot_do_what_staff_do(cooperative: Cooperative, call: str) -> None:
    """Whoever takes over a web process issues no code."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        cooperative.database.call(f"select {call}")


# ---- What is kept ------------------------------------------------------------------------------


def test_no_table_of_the_bank_holds_a_dni_a_code_or_a_pin(wilmer: Desk) -> None:
    """Neither while a PIN is chosen nor afterwards; nor the parts of a DNI."""
    code = wilmer.cooperative.invite(WILMER)
    proof = token(wilmer.types_code(wilmer.types_dni(WILMER.dni), code))
    wilmer.chooses(proof, "593862")
    assert held(wilmer.cooperative, code, WILMER.dni, "593862") == []

    wilmer.repeats(proof, "593862")

    assert held(wilmer.cooperative, code, WILMER.dni, "593862") == []


def held(cooperative: Cooperative, *secrets: str) -> list[str]:
    """The tables of the gateway (not of the core, which owns the DNI) that hold one of these."""
    with cooperative.owner() as owner:
        tables = owner.execute(
            "select format('%I.%I', schemaname, tablename) from pg_tables "
            "where schemaname in ('bank', 'audit', 'notices', 'instructions')"
        ).fetchall()
        return [
            f"{table}: {secret}"
            for (table,) in tables
            for secret in secrets
            if owner.execute(
                f"select from {table} as t where t::text like %s limit 1",
                (f"%{secret}%",),
            ).fetchone()
            is not None
        ]


def other_than(code: str) -> str:
    """A code that is wrong."""
    return "00000000" if code != "00000000" else "11111111"
