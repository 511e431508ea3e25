"""Stop and ask: a member shuts their door, claims a transfer, asks to be called; and whoever has
their number next reaches nothing of theirs."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from gateway.bank.bank import CATALOGUE
from gateway.bank.desk import Desk
from gateway.bank.operations import Request
from gateway.bounds import CLAIM_HOLD_S, CLAIM_WITHIN_S, NUMBER_CAREFUL_S
from gateway.cli.main import main
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.values.msisdn import Msisdn
from gateway.values.outcome import Outcome
from gateway.values.turn import Keystrokes, Origin, Text
from tests.cooperative import MORNING, Cooperative, Handset, Screen, founded
from tests.people import ELMER, FLOR, ROSA, SEGUNDO, Person

FROZEN = "esta bloqueada"
NOBODY = "no esta registrado"
NEW_NUMBER = "+51987000099"
WHAT_SEGUNDO_HAS = {"100-0002": 310_00}


@pytest.fixture
def owner(cooperative: Cooperative) -> Iterator[psycopg.Connection[Any]]:
    with cooperative.owner() as connection:
        yield connection


def owner_url(cooperative: Cooperative) -> str:
    url = cooperative.settings.database_url.get_secret_value()
    return url.replace("chaski_app", "chaski_owner")


def chaski(cooperative: Cooperative, *words: str) -> Result:
    """Staff at their terminal."""
    return CliRunner().invoke(main, [*words, "--url", owner_url(cooperative)])


def at_the_pin(cooperative: Cooperative, person: Person = ROSA) -> Handset:
    """About to send S/ 50 to Segundo."""
    phone = cooperative.phone(person.msisdn)
    assert "PIN:" in phone.dial("2*987000002*50").text
    return phone


def sent(cooperative: Cooperative, soles: str = "50") -> None:
    phone = cooperative.phone(ROSA.msisdn)
    phone.dial(f"2*987000002*{soles}")
    assert "Listo" in phone.press(str(ROSA.pin)).text


def claims_the_last(cooperative: Cooperative) -> Screen:
    phone = cooperative.phone(ROSA.msisdn)
    assert "PIN:" in phone.dial("5*5*1*1").text
    return phone.press(str(ROSA.pin))


class TestAFreeze:
    def test_shuts_every_session_and_its_order_was_not_done(self, cooperative: Cooperative) -> None:
        """Another phone of the network, or a thief's, is at the PIN meanwhile."""
        phone = at_the_pin(cooperative)
        cooperative.text(ROSA.msisdn, "BLOQUEAR")

        assert FROZEN in phone.press(str(ROSA.pin)).text
        assert cooperative.balances(SEGUNDO.ref) == WHAT_SEGUNDO_HAS

    def test_between_the_pin_and_the_posting_is_judged_with_the_posting(
        self, database_urls: tuple[str, str], redis_urls: tuple[str, str]
    ) -> None:
        """The PIN was right, Rosa's SMS shuts the door, and then the order comes to the books."""
        send = CATALOGUE["transfers.send"]

        def frozen_meanwhile(desk: Desk, request: Request) -> Outcome:
            desk.doors.freeze(request.member.ref, request.origin, request.now)
            return send.perform(desk, request)

        operations = {**CATALOGUE, send.name: replace(send, perform=frozen_meanwhile)}
        with founded(database_urls, redis_urls, operations=operations) as cooperative:
            shown = at_the_pin(cooperative).press(str(ROSA.pin))

            assert FROZEN in shown.text
            assert shown.ends
            assert cooperative.balances(SEGUNDO.ref) == WHAT_SEGUNDO_HAS
            cooperative.deliver()
            assert cooperative.inbox(SEGUNDO.msisdn) == []

    def test_that_was_confirmed_lets_no_order_by(
        self, cooperative: Cooperative, owner: psycopg.Connection[Any]
    ) -> None:
        """An order is under way when the freeze comes: the freeze waits for its end, and then no
        other one is taken."""
        order = psycopg.connect(owner_url(cooperative))
        order.execute("select instructions.barred(%s, %s)", (ROSA.ref, MORNING))
        shut = threading.Event()

        def freeze() -> None:
            owner.execute("select bank.freeze(%s, 'sms', 's-1', %s)", (ROSA.ref, MORNING))
            shut.set()

        with ThreadPoolExecutor(1) as pool:
            freezing = pool.submit(freeze)
            with psycopg.connect(owner_url(cooperative), autocommit=True) as looking:
                while not looking.execute(
                    "select from pg_locks where locktype = 'advisory' and not granted"
                ).fetchall():
                    assert not shut.is_set()
            order.commit()
            freezing.result()
        barred = order.execute("select instructions.barred(%s, %s)", (ROSA.ref, MORNING))

        assert barred.fetchone() == ("frozen",)
        order.close()

    def test_ends_orders_that_no_core_has_and_leaves_those_that_one_has(
        self, cooperative: Cooperative, owner: psycopg.Connection[Any]
    ) -> None:
        """Accepted over another core: one is with it, the other waits behind that one."""
        asked, waiting = uuid.uuid4(), uuid.uuid4()
        for key, target in ((asked, "100-0003"), (waiting, "100-0002")):
            owner.execute(
                "select instructions.accept(%s, 'transfers.send', %s, %s, '100-0001', %s, 5000,"
                " null, '2026-11-23', 'ussd', 'norandino', 's-2', %s, true, %s, %s, %s, 100000,"
                " %s, false, false)",
                (key, ROSA.ref, SEGUNDO.ref, target, ROSA.msisdn, *[MORNING] * 4),
            )
            long_ago = MORNING - dt.timedelta(hours=1)
            owner.execute(
                "select instructions.take_turn(%s, 'a hop', %s, %s, %s)",
                (key, long_ago, long_ago, MORNING),
            )
            owner.execute("select instructions.stands(%s, %s)", (key, MORNING))

        owner.execute("select bank.freeze(%s, 'sms', 's-1', %s)", (ROSA.ref, MORNING))

        states = dict(owner.execute("select key, state from instructions.instruction").fetchall())
        assert states == {waiting: "closed", asked: "accepted"}
        cooperative.deliver()
        assert any("NO se hizo" in sms for sms in cooperative.new_sms(ROSA.msisdn))

    def test_by_staff_is_lifted_by_staff(
        self, cooperative: Cooperative, owner: psycopg.Connection[Any]
    ) -> None:
        freeze = ("members", "freeze", "--phone", ROSA.msisdn, "--by", "ana")
        assert [chaski(cooperative, *freeze).output for _ in range(2)] == [
            "shut\n",
            "it was shut already\n",
        ]
        assert FROZEN in cooperative.phone(ROSA.msisdn).dial("2*987000002*50").text

        opened = chaski(cooperative, "members", "unfreeze", "--phone", ROSA.msisdn, "--by", "luis")

        assert opened.output == "open again\n"
        sent(cooperative)
        deeds = owner.execute(
            "select actor, action from audit.entry where actor_kind = 'staff' order by id"
        ).fetchall()
        assert deeds == [
            ("ana", "member.frozen"),
            ("luis", "caution.lifted"),
            ("luis", "member.unfrozen"),
        ]


class TestAClaim:
    def test_is_one_for_a_transfer_however_many_ask_at_once(
        self, cooperative: Cooperative, owner: psycopg.Connection[Any]
    ) -> None:
        sent(cooperative)
        (key,) = owner.execute("select key from instructions.instruction").fetchone() or ("",)
        barrier = threading.Barrier(8)

        def claim(number: int) -> tuple[int, bool]:
            with psycopg.connect(
                cooperative.settings.database_url.get_secret_value(), autocommit=True
            ) as app:
                barrier.wait()
                row = app.execute(
                    "select claim, created from bank.open_claim(%s, %s, 'ussd', %s, %s)",
                    (ROSA.ref, key, MORNING - dt.timedelta(days=1), MORNING),
                ).fetchone()
            assert row
            return row

        with ThreadPoolExecutor(8) as pool:
            found = list(pool.map(claim, range(8)))

        assert len({number for number, _ in found}) == 1
        assert sorted(created for _, created in found) == [False] * 7 + [True]
        told = owner.execute("select count(*) from notices.outbox where fact = 'claim_opened'")
        assert told.fetchone() == (1,)

    def test_is_of_ones_own_transfers_of_the_last_days_alone(
        self, cooperative: Cooperative, owner: psycopg.Connection[Any]
    ) -> None:
        """Not of another's, not of an old one, not of one that was refused."""
        sent(cooperative)
        (key,) = owner.execute("select key from instructions.instruction").fetchone() or ("",)
        claim = "select claim from bank.open_claim(%s, %s, 'ussd', %s, %s)"
        since = MORNING - dt.timedelta(seconds=CLAIM_WITHIN_S)

        assert owner.execute(claim, (ELMER.ref, key, since, MORNING)).fetchall() == []
        assert owner.execute(claim, (ROSA.ref, uuid.uuid4(), since, MORNING)).fetchall() == []
        late = MORNING + dt.timedelta(seconds=1)
        assert owner.execute(claim, (ROSA.ref, key, late, late)).fetchall() == []
        cooperative.clock.pass_time(seconds=CLAIM_WITHIN_S + 1)
        assert "No enviaste dinero" in cooperative.phone(ROSA.msisdn).dial("5*5*1").text

    def test_holds_nothing_unless_the_policy_says_so(self, cooperative: Cooperative) -> None:
        sent(cooperative)
        assert "Reclamo 1001 anotado" in claims_the_last(cooperative).text

        (account,) = PostgresLedger(cooperative.database).accounts(SEGUNDO.ref)
        assert account.available.centimos == 360_00
        cooperative.deliver()
        assert not any("eclam" in sms for sms in cooperative.inbox(SEGUNDO.msisdn))

    def test_holds_what_is_still_there_until_the_hold_runs_out(
        self, database_urls: tuple[str, str], redis_urls: tuple[str, str]
    ) -> None:
        """Segundo has spent a part. He reads no name, and no claim; after some days it is his
        again."""
        policy = {"CHASKI_CLAIM_HOLDS": "yes"}
        with founded(database_urls, redis_urls, environment=policy) as cooperative:
            sent(cooperative)
            phone = cooperative.phone(SEGUNDO.msisdn)
            phone.dial("2*987000003*340")
            assert "Listo" in phone.press(str(SEGUNDO.pin)).text

            assert "Retuvimos" in claims_the_last(cooperative).text

            assert self._available(cooperative) == 0
            phone.dial("1")
            shown = phone.press(str(SEGUNDO.pin)).text
            assert "Rosa" not in shown
            assert "eclam" not in shown
            assert "S/ 20.00" in chaski(cooperative, "claims", "list").output

            cooperative.clock.pass_time(seconds=CLAIM_HOLD_S + 1)
            cooperative.deliver()
            assert self._available(cooperative) == 20_00
            assert "S/ 20.00" not in chaski(cooperative, "claims", "list").output
            assert cooperative.books_are_right()

    def test_is_held_released_and_settled_by_staff(
        self, cooperative: Cooperative, owner: psycopg.Connection[Any]
    ) -> None:
        sent(cooperative)
        claims_the_last(cooperative)

        def staff(*words: str) -> str:
            return chaski(cooperative, "claims", *words).output

        assert "no claim has the number 7" in staff("show", "7")
        assert "nothing is held" in staff("release", "1001")
        assert "S/ 50.00 held until" in staff("hold", "1001", "--by", "ana")
        assert "held already" in staff("hold", "1001")
        assert self._available(cooperative) == 310_00
        assert "claimant=m-0001" in staff("show", "1001")
        assert staff("release", "1001", "--by", "ana") == "released\n"
        assert self._available(cooperative) == 360_00
        staff("hold", "1001", "--by", "ana")
        assert staff("close", "1001", "--how", "refused", "--by", "luis") == "settled\n"
        assert self._available(cooperative) == 360_00
        assert "it was settled before" in staff("close", "1001", "--how", "returned")
        assert staff("list") == "no claim is open\n"
        assert "resolved" in staff("list", "--all")
        deeds = owner.execute(
            "select actor, action from audit.entry where action like 'claim.%' order by id"
        ).fetchall()
        assert deeds == [
            (ROSA.ref, "claim.opened"),
            ("ana", "claim.held"),
            ("ana", "claim.released"),
            ("ana", "claim.held"),
            ("luis", "claim.released"),
            ("luis", "claim.resolved"),
        ]

    def _available(self, cooperative: Cooperative) -> int:
        (account,) = PostgresLedger(cooperative.database).accounts(SEGUNDO.ref)
        return account.available.centimos


class TestACall:
    def test_says_what_they_were_doing_and_none_of_its_values(
        self, cooperative: Cooperative
    ) -> None:
        """Rosa lost the signal at the amount, and redials for help; then it is done."""
        phone = cooperative.phone(ROSA.msisdn)
        phone.dial("2*987000002")
        again = cooperative.phone(ROSA.msisdn)
        again.dial()
        again.press("2", "5", "5", "2")

        listed = chaski(cooperative, "calls", "list").output
        assert "send/amount" in listed
        assert ROSA.msisdn in listed
        assert "987000002" not in listed.replace(ROSA.msisdn, "")

        assert chaski(cooperative, "calls", "done", "1", "--by", "ana").output == "done\n"
        assert "no open call" in chaski(cooperative, "calls", "done", "1").output
        assert chaski(cooperative, "calls", "list").output == "nobody waits for a call\n"

    def test_is_on_the_list_once_while_it_is_open(
        self, cooperative: Cooperative, owner: psycopg.Connection[Any]
    ) -> None:
        """By SMS and by dialling, and also of who is locked out."""
        cooperative.text(FLOR.msisdn, "LLAMENME")
        cooperative.phone(FLOR.msisdn).dial("5*5*2")
        cooperative.text(ROSA.msisdn, "BLOQUEAR")
        assert "te llamamos" in cooperative.phone(ROSA.msisdn).dial("5*5*2").text

        rows = owner.execute("select member_ref, channel from bank.call order by id").fetchall()
        assert rows == [(FLOR.ref, "sms"), (ROSA.ref, "africastalking")]


class TestANumberThatGoesToSomebodyElse:
    """Rosa's number is a stranger's now, or Flor's; each way in is tried with it."""

    @pytest.fixture(params=["release", "move"])
    def given_up(self, cooperative: Cooperative, request: pytest.FixtureRequest) -> None:
        """Call after Rosa has left what the test is about."""
        self.cooperative, self.how = cooperative, request.param

    def goes(self) -> None:
        to = () if self.how == "release" else ("--to", NEW_NUMBER)
        done = chaski(
            self.cooperative, "members", self.how, "--phone", ROSA.msisdn, *to, "--by", "ana"
        )
        assert done.exit_code == 0, done.output

    def comes_to_flor(self) -> None:
        done = chaski(
            self.cooperative, "members", "move", "--phone", FLOR.msisdn, "--to", ROSA.msisdn
        )
        assert done.output == "moved\n"

    def test_a_dial_and_an_sms_find_nobody(self, given_up: None) -> None:
        self.goes()

        assert NOBODY in self.cooperative.phone(ROSA.msisdn).dial().text
        assert NOBODY in self.cooperative.phone(ROSA.msisdn).dial("1").text
        (answer,) = self.cooperative.text(ROSA.msisdn, "SALDO")
        assert NOBODY in answer

    def test_a_session_that_was_open_asks_the_bank_for_nothing_more(self, given_up: None) -> None:
        """Also with the right PIN."""
        phone = at_the_pin(self.cooperative)
        self.goes()

        assert "no esta registrado" in phone.press(str(ROSA.pin)).text
        assert self.cooperative.balances(SEGUNDO.ref) == WHAT_SEGUNDO_HAS

    def test_a_draft_is_not_offered_to_the_next_owner(self, given_up: None) -> None:
        at_the_pin(self.cooperative)
        self.goes()
        self.comes_to_flor()

        shown = self.cooperative.phone(ROSA.msisdn).dial().text

        assert "Hello Flor" in shown
        assert "Segundo" not in shown

    def test_a_draft_by_sms_is_not_offered_either(self, given_up: None) -> None:
        self.cooperative.text(ROSA.msisdn, "ENVIAR 987000002 50")
        self.goes()
        self.comes_to_flor()

        assert "Segundo" not in self.cooperative.phone(ROSA.msisdn).dial().text
        (answer,) = self.cooperative.text(ROSA.msisdn, "SEND 987000003 20")
        assert "Segundo" not in answer

    def test_an_outcome_is_not_told_to_the_next_owner(self, given_up: None) -> None:
        """Neither the one that waits for the next dial, nor that of the very session."""
        phone = at_the_pin(self.cooperative)
        phone.press(str(ROSA.pin))
        self.goes()
        self.comes_to_flor()

        assert "S/ 50.00" not in self.cooperative.phone(ROSA.msisdn).dial().text
        origin = Origin("africastalking", "norandino", phone.session, Msisdn(ROSA.msisdn))
        assert self.cooperative.gateway.bank.recall(origin) is None

    def test_what_was_to_be_sent_to_the_old_number_is_not(self, given_up: None) -> None:
        """A receipt goes to where Rosa is now, or nowhere; the answer to her text to nobody."""
        sent(self.cooperative)
        text = Text(
            Origin("sms", "norandino", "sms-late", Msisdn(ROSA.msisdn)), "775", Keystrokes("SALDO")
        )
        assert self.cooperative.gateway.receive(text)
        self.goes()

        self.cooperative.deliver()

        assert self.cooperative.inbox(ROSA.msisdn) == []
        moved = [sms[:8] for sms in self.cooperative.inbox(NEW_NUMBER)]
        assert moved == (["Enviaste"] if self.how == "move" else [])

    def test_who_she_sent_to_is_not_suggested(self, given_up: None) -> None:
        sent(self.cooperative)
        self.goes()
        self.comes_to_flor()

        asked = self.cooperative.phone(ROSA.msisdn).dial("2").text

        assert "Segundo" not in asked

    def test_what_the_operator_said_of_it_is_forgotten(
        self, given_up: None, owner: psycopg.Connection[Any]
    ) -> None:
        owner.execute("select sim.remember(%s, false, null, %s)", (ROSA.msisdn, MORNING))
        self.goes()

        assert owner.execute("select from sim.answer").fetchall() == []


def test_a_moved_member_has_the_lower_limits_for_a_day(
    cooperative: Cooperative, owner: psycopg.Connection[Any]
) -> None:
    """And dials from the new number; a number that is a member's is not given twice."""
    move = ("members", "move", "--phone", ROSA.msisdn, "--to")
    assert "a member's already" in chaski(cooperative, *move, SEGUNDO.msisdn).output
    assert chaski(cooperative, *move, NEW_NUMBER, "--by", "ana").output == "moved\n"
    assert "no such member" in chaski(cooperative, *move, NEW_NUMBER).output

    assert "Hola Rosa" in cooperative.phone(NEW_NUMBER).dial().text
    row = owner.execute(
        "select level, until - since from instructions.caution where reason = 'number_changed'"
    ).fetchone()
    assert row
    assert row[0] == "careful"
    assert abs(row[1] - dt.timedelta(seconds=NUMBER_CAREFUL_S)) < dt.timedelta(minutes=1)
    trusted = chaski(cooperative, "members", "trust", "--phone", NEW_NUMBER, "--by", "ana")
    assert trusted.output == "trusted again: number_changed\n"


def test_a_released_member_keeps_the_account_and_gets_another_number(
    cooperative: Cooperative,
) -> None:
    """Whoever sends money to the old number finds no member there."""
    assert chaski(cooperative, "members", "release", "--phone", ROSA.msisdn).output == "released\n"
    assert "No es de un socio" in cooperative.phone(SEGUNDO.msisdn).dial("2*987000001").text
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_250_50

    given = chaski(cooperative, "members", "give-number", ROSA.ref, "--to", NEW_NUMBER)

    assert given.output == "given\n"
    phone = cooperative.phone(NEW_NUMBER)
    phone.dial("1")
    assert "S/ 1,250.50" in phone.press(str(ROSA.pin)).text
