"""People's data: what is held is named, given out, forgotten in time, and erased when asked."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner, Result

from gateway.audit.verifying import verify
from gateway.bounds import CALL_DAYS, CODE_DAYS, ORIGIN_DAYS, PIN_ATTEMPT_DAYS, SIM_ANSWER_DAYS
from gateway.cli.main import main
from gateway.cli.people import explained
from gateway.db.reading import snapshot
from gateway.retention import KINDS, Retention
from tests.cooperative import MORNING, Cooperative
from tests.people import MARIA, ROSA, WILMER
from tests.searching import Search

_TABLES = """
    select t.schemaname || '.' || t.tablename from pg_tables as t
    where t.schemaname not in ('pg_catalog', 'information_schema', 'public')
        and not (
            select relispartition from pg_class
            where oid = format('%I.%I', t.schemaname, t.tablename)::regclass
        )
"""


@pytest.fixture
def owner_url(database_urls: tuple[str, str]) -> str:
    return database_urls[0]


def _sends(cooperative: Cooperative, person: Any = ROSA, to: str = "987000002") -> None:
    phone = cooperative.phone(person.msisdn)
    phone.dial()
    phone.press("2", to, "50")
    assert "Listo" in phone.press(str(person.pin)).text
    cooperative.deliver()


def _chaski(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def _erase(owner_url: str, person: Any, by: str = "ana", approved_by: str = "luis") -> Result:
    words = ("members", "erase", "--phone", person.msisdn, "--url", owner_url)
    return _chaski(*words, "--by", by, "--approved-by", approved_by)


def _sealed_and_right(owner_url: str) -> bool:
    with psycopg.connect(owner_url, autocommit=True) as owner:
        while owner.execute("select * from audit.seal(now(), 50000)").fetchall():
            pass
    with snapshot(owner_url) as evidence:
        return verify(evidence, lambda far: None).ok


def test_every_table_is_of_a_kind(cooperative: Cooperative) -> None:
    """A new table has a purpose and a term, or it may not be: say so in gateway/retention.py."""
    with cooperative.owner() as owner:
        tables = {name for (name,) in owner.execute(_TABLES)}

    assert tables - {table for kind in KINDS for table in kind.tables} == set()
    assert {table for kind in KINDS for table in kind.tables} - tables == set()


def test_what_is_held_of_rosa_is_given_to_her_with_what_it_is_for(
    cooperative: Cooperative, owner_url: str
) -> None:
    """All of it, and no secret; that it was given is written down."""
    _sends(cooperative)
    cooperative.text(ROSA.msisdn, "SALDO")

    shown = _chaski("members", "export", "--phone", ROSA.msisdn, "--url", owner_url, "--by", "ana")

    parts = {part["part"]: part for part in json.loads(shown.output)}
    assert set(parts) == {name for kind in KINDS for name in kind.parts}
    assert all(part["for"] and part["kept"] for part in parts.values())
    assert parts["person"]["rows"][0]["dni"] == ROSA.dni
    assert parts["orders"]["rows"][0]["amount_centimos"] == 50_00
    filled = {name for name, part in parts.items() if part["rows"]}
    assert filled >= {"binding", "consents", "notices", "deliveries", "texts", "postings", "deeds"}
    with cooperative.owner() as owner:
        (hashed,) = owner.execute(
            "select hash from bank.pin_credential where member_ref = %s", (ROSA.ref,)
        ).fetchone() or ("",)
        (deed,) = owner.execute("select action from audit.entry order by id desc").fetchone() or ()
    assert hashed
    assert hashed not in shown.output
    assert deed == "member.exported"


def test_a_part_that_the_database_gives_is_of_some_kind(
    cooperative: Cooperative, owner_url: str
) -> None:
    """None is left out of what a member is shown."""
    with cooperative.owner() as owner:
        (held,) = owner.execute(
            "select bank.export_member(%s, 'ana', now())", (ROSA.ref,)
        ).fetchone() or ({},)

    assert {part["part"] for part in explained(held)} == set(held)


@pytest.mark.parametrize(("by", "approved_by"), [("ana", "ana"), ("ana", " Ana "), ("", "ana")])
def test_one_of_staff_erases_nobody(
    cooperative: Cooperative, owner_url: str, by: str, approved_by: str
) -> None:
    """Not by the command, and not beside it."""
    assert _erase(owner_url, ROSA, by, approved_by).exit_code != 0
    with (
        psycopg.connect(owner_url) as owner,
        pytest.raises(psycopg.errors.CheckViolation, match="two of staff"),
    ):
        owner.execute(
            "select * from bank.erase_member(%s, %s, %s, now())", (ROSA.ref, by, approved_by)
        )
    assert "1. Saldo" in cooperative.phone(ROSA.msisdn).dial().text


def test_an_erased_member_is_nowhere_but_in_the_core_and_the_books_are_right(
    cooperative: Cooperative, owner_url: str
) -> None:
    """Rosa still holds money: the core keeps the person. Nothing else knows her phone or name."""
    _sends(cooperative)
    cooperative.text(ROSA.msisdn, "SALDO")
    assert _sealed_and_right(owner_url)

    erased = _erase(owner_url, ROSA)

    assert erased.exit_code == 0
    assert "still holds or owes money" in erased.output
    core = {("table ledger.member", kind): "the core's register" for kind in ("name", "DNI")}
    core["table notices.simulated_sms", "name"] = "what others were sent about their own money"
    search = Search({ROSA.msisdn: "phone", "Rosa": "name", ROSA.dni: "DNI"}, core)
    search.look_in_postgres(owner_url)
    assert search.found == []
    assert "no esta registrado" in cooperative.phone(ROSA.msisdn).dial().text
    assert cooperative.balances(ROSA.ref)["100-0001"] == 1_200_50
    assert cooperative.books_are_right()
    assert _sealed_and_right(owner_url)


def test_whoever_holds_nothing_is_forgotten_by_the_books_too(
    cooperative: Cooperative, owner_url: str
) -> None:
    """María has S/ 0.00: her reference stays, her name and DNI do not."""
    erased = _erase(owner_url, MARIA)

    assert "the books keep the reference alone" in erased.output
    search = Search({MARIA.msisdn: "phone", "María": "name", MARIA.dni: "DNI"})
    search.look_in_postgres(owner_url)
    assert search.found == []
    assert _sealed_and_right(owner_url)


def test_others_still_read_their_own_movements_with_who_was_forgotten(
    cooperative: Cooperative, owner_url: str
) -> None:
    """María sent it all back and was forgotten: Rosa's lines are there, without her name."""
    _sends(cooperative, ROSA, "987000004")
    _sends(cooperative, MARIA, "987000001")
    assert "the books keep the reference alone" in _erase(owner_url, MARIA).output

    phone = cooperative.phone(ROSA.msisdn)
    phone.dial()
    phone.press("4")
    movements = phone.press(str(ROSA.pin))

    assert movements.text.count("S/ 50.00") == 2
    assert "María" not in movements.text
    assert "None" not in movements.text


def test_a_member_whose_order_is_under_way_is_not_erased(
    cooperative: Cooperative, owner_url: str
) -> None:
    """Its end is owed to them first."""
    with cooperative.owner() as owner:
        owner.execute(
            "insert into instructions.instruction (key, operation, member_ref, source, target,"
            " amount_centimos, business_date, state, accepted_at) values (gen_random_uuid(),"
            " 'transfers.send', %s, 'a', 'b', 100, '2026-11-23', 'unknown', now())",
            (ROSA.ref,),
        )

    refused = _erase(owner_url, ROSA)

    assert refused.exit_code == 1
    assert "still under way" in refused.output
    assert "1. Saldo" in cooperative.phone(ROSA.msisdn).dial().text


def _origins(cooperative: Cooperative) -> int:
    with cooperative.owner() as owner:
        row = owner.execute("select count(msisdn) from instructions.instruction").fetchone()
    return int(row[0]) if row else 0


def _attempts(cooperative: Cooperative) -> int:
    with cooperative.owner() as owner:
        row = owner.execute("select count(*) from bank.pin_attempt").fetchone()
    return int(row[0]) if row else 0


def test_each_kind_is_forgotten_when_its_time_has_come_and_not_before(
    cooperative: Cooperative, owner_url: str
) -> None:
    """Orders stay and are still as they were sealed; from which phone they came is gone."""
    _sends(cooperative)
    assert _sealed_and_right(owner_url)
    seen = []
    for days in (0, ORIGIN_DAYS - 1, ORIGIN_DAYS + 1, PIN_ATTEMPT_DAYS - 1, PIN_ATTEMPT_DAYS + 1):
        now = MORNING + dt.timedelta(days=days)
        Retention(cooperative.database, lambda now=now: now).run()  # type: ignore[misc]
        seen.append((_origins(cooperative), _attempts(cooperative)))

    assert seen == [(1, 1), (1, 1), (0, 1), (0, 1), (0, 0)]
    assert cooperative.books_are_right()
    assert _sealed_and_right(owner_url)


def _enrols_and_asks(cooperative: Cooperative) -> None:
    """Wilmer has two codes, the second one tried once, and waits for a call; María was called."""
    cooperative.invite(WILMER)
    code = cooperative.invite(WILMER)
    phone = cooperative.phone(WILMER.msisdn)
    phone.dial()
    phone.press(WILMER.dni, code[::-1] if code != code[::-1] else "00000000")
    with cooperative.owner() as owner:
        for ref in (WILMER.ref, MARIA.ref):
            owner.execute("select bank.ask_call(%s, 'send/amount', 'ussd', %s)", (ref, MORNING))
        owner.execute(
            "update bank.call set done_at = %s, done_by = 'ana' where member_ref = %s",
            (MORNING, MARIA.ref),
        )
        for person in (WILMER, MARIA):
            owner.execute("select sim.remember(%s, false, null, %s)", (person.msisdn, MORNING))


def _left(cooperative: Cooperative) -> dict[str, int]:
    """How much is kept of enrolments, of calls and of SIM cards."""
    counts = {
        "codes": "bank.activation_code",
        "hashes": "bank.activation_code where code_hash is not null or dni_hash is not null",
        "guesses": "bank.code_attempt",
        "pending": "bank.pin_pending",
        "calls": "bank.call",
        "sims": "sim.answer",
    }
    with cooperative.owner() as owner:
        return {
            name: owner.execute(f"select count(*) from {what}").fetchone()[0]  # type: ignore[index]  # noqa: S608 - ours
            for name, what in counts.items()
        }


def test_what_was_there_to_enrol_and_to_call_is_forgotten_in_its_time(
    cooperative: Cooperative,
) -> None:
    """Of Wilmer's newest code a line stays, without a hash: it says that he had one. Nobody has
    called him yet."""
    _enrols_and_asks(cooperative)
    assert _left(cooperative) == {
        "codes": 2,
        "hashes": 1,
        "guesses": 1,
        "pending": 1,
        "calls": 2,
        "sims": 2,
    }
    seen = []
    for days in (SIM_ANSWER_DAYS + 1, CODE_DAYS - 1, CODE_DAYS + 5, CALL_DAYS - 1, CALL_DAYS + 1):
        now = MORNING + dt.timedelta(days=days)
        Retention(cooperative.database, lambda now=now: now).run()  # type: ignore[misc]
        seen.append(tuple(_left(cooperative).values()))

    assert seen == [
        (2, 1, 1, 1, 2, 0),
        (2, 1, 1, 1, 2, 0),
        (1, 0, 0, 0, 2, 0),
        (1, 0, 0, 0, 2, 0),
        (1, 0, 0, 0, 1, 0),
    ]


def test_who_is_erased_in_the_middle_of_enrolling_leaves_nothing(
    cooperative: Cooperative, owner_url: str
) -> None:
    """And María's stays."""
    _enrols_and_asks(cooperative)

    assert _erase(owner_url, WILMER).exit_code == 0

    left = _left(cooperative)
    assert (left["codes"], left["guesses"], left["pending"]) == (0, 0, 0)
    assert (left["calls"], left["sims"]) == (1, 1)


def test_what_comes_later_is_forgotten_later(cooperative: Cooperative) -> None:
    """The mark of how far it got passes nothing over."""
    _sends(cooperative)
    cooperative.clock.pass_time(days=2)
    _sends(cooperative)
    seen = []
    for days in (ORIGIN_DAYS + 1, ORIGIN_DAYS + 1, ORIGIN_DAYS + 3):
        now = MORNING + dt.timedelta(days=days)
        Retention(cooperative.database, lambda now=now: now).run()  # type: ignore[misc]
        seen.append(_origins(cooperative))

    assert seen == [1, 1, 0]


def test_the_terms_are_shown(cooperative: Cooperative) -> None:
    """To who has to know them by heart."""
    shown = _chaski("retention", "show")
    rows = json.loads(_chaski("retention", "show", "--json").output)

    assert "PIN attempts" in shown.output
    assert len(rows) == len(KINDS)
    assert all(row["for"] and row["kept"] and row["erased"] for row in rows)
