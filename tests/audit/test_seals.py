"""The seals: whatever was committed is in exactly one, and none of it can be altered unseen."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
from typing import Any

import psycopg
import pytest
from click.testing import CliRunner

from gateway.audit.lines import line_queries
from gateway.audit.seals import Sealing, head
from gateway.bounds import SEAL_XACTS_MAX
from gateway.cli.main import main
from gateway.db.pool import Database
from tests.audit.conftest import NOON, Evidence

_DEED = (
    "select audit.write("
    "'system', 'test', 'thing.done', null, jsonb_build_object('n', %s::int), now())"
)

_SEAL = "select * from audit.seal(%s, %s)"


def _do(connection: psycopg.Connection[Any], *numbers: int) -> None:
    for number in numbers:
        connection.execute(_DEED, (number,))


def _sealed_deeds(evidence: Evidence) -> list[list[int]]:
    """Which deeds are in which seal."""
    with evidence.owner() as owner:
        rows = owner.execute(
            "select array_agg((e.about ->> 'n')::int order by e.id) from audit.seal as s"
            " join audit.entry as e on e.xact >= s.from_xact and e.xact < s.through_xact"
            " group by s.number order by s.number"
        ).fetchall()
    return [row[0] for row in rows]


def test_the_kinds_that_are_sealed_are_those_that_are_verified(evidence: Evidence) -> None:
    with evidence.owner() as owner:
        (kinds,) = owner.execute("select audit.kinds()").fetchone() or ()

    assert kinds == list(line_queries())


def test_a_transaction_that_is_held_open_across_periods_falls_between_no_two(
    evidence: Evidence,
) -> None:
    """Its ids are lower than those of rows that were committed long before it."""
    with evidence.owner() as slow, evidence.owner() as quick:
        _do(quick, 1)
        with slow.transaction():
            _do(slow, 2)
            _do(quick, 3)
            first = evidence.seal()
            _do(quick, 4)
            nothing = evidence.seal()
        second = evidence.seal()

    assert nothing == []
    assert [seal[0] for seal in (*first, *second)] == [1, 2]
    assert _sealed_deeds(evidence) == [[1], [2, 3, 4]]
    assert evidence.verdict().ok


def test_a_transaction_that_was_undone_leaves_no_hole(evidence: Evidence) -> None:
    with evidence.owner() as slow, evidence.owner() as quick:
        with slow.transaction() as undone:
            _do(slow, 1)
            _do(quick, 2)
            evidence.seal()
            raise psycopg.Rollback(undone)
        evidence.seal()

    assert [deeds for deeds in _sealed_deeds(evidence) if deeds] == [[2]]
    assert evidence.verdict().ok


def test_who_writes_does_not_wait_for_who_seals(evidence: Evidence) -> None:
    """The seal is written and not committed: a deed is done, and an order too."""
    with evidence.owner() as sealer, evidence.owner() as writer:
        writer.execute("set lock_timeout = '200ms'")
        _do(writer, 1)
        with sealer.transaction():
            assert sealer.execute(_SEAL, (NOON, SEAL_XACTS_MAX)).fetchall()
            _do(writer, 2)
            writer.execute("select instructions.close(gen_random_uuid(), now())")
        evidence.seal()

    assert evidence.verdict().ok
    assert [len(deeds) for deeds in _sealed_deeds(evidence)] == [1, 1]


def test_of_two_that_seal_at_once_one_does(evidence: Evidence) -> None:
    """The other finds it so, without waiting."""
    with evidence.owner() as one, evidence.owner() as writer:
        _do(writer, 1)
        with one.transaction():
            assert one.execute(_SEAL, (NOON, SEAL_XACTS_MAX)).fetchall()
            assert evidence.seal() == []
        assert evidence.seal() == []

    assert evidence.verdict().seals == 1
    assert evidence.verdict().ok


@pytest.mark.parametrize(
    "when",
    [
        *(
            f"insert on audit.part for each row when (new.kind = '{kind}')"
            for kind in line_queries()
        ),
        "insert on audit.seal for each row",
    ],
)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_between_any_two_statements_it_seals_once(
    evidence: Evidence, moment: str, when: str
) -> None:
    """The server's process ends itself there, as by an administrator's kill."""
    with evidence.owner() as owner:
        _do(owner, 1)
        owner.execute(
            "create function public.die() returns trigger language plpgsql as"
            " $$ begin perform pg_terminate_backend(pg_backend_pid()); return new; end $$"
        )
        owner.execute(f"create trigger dies {moment} {when} execute function public.die()")
        with pytest.raises(psycopg.OperationalError):
            evidence.seal()
        owner.execute("drop function public.die() cascade")
    assert evidence.verdict().seals == 0

    evidence.seal()

    assert _sealed_deeds(evidence) == [[1]]
    assert evidence.verdict().ok


def test_what_was_left_for_days_is_sealed_piece_by_piece(evidence: Evidence) -> None:
    with evidence.owner() as owner:
        _do(owner, *range(40))

    made = 0
    while evidence.seal(xacts_max=7):
        made += 1

    assert made >= 6
    assert [n for deeds in _sealed_deeds(evidence) for n in deeds] == list(range(40))
    assert evidence.verdict().ok


def test_the_duty_seals_once_a_period_and_says_the_head_once_a_day(
    evidence: Evidence, caplog: pytest.LogCaptureFixture
) -> None:
    """With two workers, the one that comes second finds nothing to do."""
    now = [NOON]
    with Database(evidence.app_url, 2) as database, evidence.owner() as owner:
        database.open()
        duties = [
            Sealing(database, lambda: contextlib.nullcontext(database), lambda: now[0])
            for _ in range(2)
        ]
        did = []
        for minutes in (0, 1, 6, 7):
            now[0] = NOON + dt.timedelta(minutes=minutes)
            _do(owner, minutes)
            did.append([duty.run() > 0 for duty in duties])
        newest = head(database)

    assert did == [[True, False], [False, False], [True, False], [False, False]]
    assert newest
    assert newest.number == 2
    assert evidence.verdict(newest.hash).ok
    assert evidence.verdict().unsealed == 1


def test_a_stranger_recomputes_a_seal_from_the_bytes_that_the_readme_names(
    sealed: Evidence,
) -> None:
    """With nothing of ours but select and SHA-256."""
    with psycopg.connect(sealed.auditor_url) as auditor:
        seals = auditor.execute(
            "select number, from_xact, through_xact, sealed_at, previous, hash"
            " from audit.seal order by number"
        ).fetchall()
        previous = hashlib.sha256(b"").digest()
        for number, from_xact, through, at, standing_on, hash_ in seals:
            parts = []
            for (kind,) in auditor.execute("select unnest(audit.kinds()) order by 1").fetchall():
                rows = auditor.execute(
                    f"select line from audit.line_{kind} where xact >= %s and xact < %s"  # noqa: S608
                    " order by xact, line",
                    (from_xact, through),
                ).fetchall()
                lines = [f"{line}\n".encode() for (line,) in rows]
                marks = b"".join(hashlib.sha256(line).digest()[:8] for line in lines)
                digest = hashlib.sha256(b"".join(lines)).hexdigest()
                parts.append(f"{kind} {len(lines)} {digest} {hashlib.sha256(marks).hexdigest()}\n")
            text = (
                f"chaski seal 1\n{number}\n{from_xact}\n{through}\n"
                f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%S.%fZ}\n{previous.hex()}\n{''.join(parts)}"
            )
            assert standing_on == previous
            assert hash_ == hashlib.sha256(text.encode()).digest()
            previous = hash_
    assert len(seals) == 3


def test_the_auditor_sees_no_person_and_writes_nothing(sealed: Evidence) -> None:
    with psycopg.connect(sealed.auditor_url, autocommit=True) as auditor:
        assert auditor.execute("select ok from ledger.verify()").fetchone() == (True,)
        for attempt in (
            "select * from ledger.member",
            "select * from bank.member",
            "select msisdn from instructions.instruction",
            "select session_id from instructions.instruction",
            "select * from bank.pin_credential",
            "select * from notices.outbox",
            "select audit.seal(now(), 1000)",
            "select audit.write('staff', 'eve', 'thing.done', null, '{}', now())",
            "delete from audit.seal",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                auditor.execute(attempt)


def test_after_a_restore_into_another_server_the_numbers_go_on(evidence: Evidence) -> None:
    """Which counts from its own beginning: sealing stops with a word, until it was told."""
    with evidence.owner() as owner:
        # This server is the other one, once the evidence was written by one far ahead of it.
        owner.execute(
            "create or replace function audit.xact() returns bigint language sql volatile"
            " begin atomic select pg_current_xact_id()::text::bigint + 1000000; end"
        )
        _do(owner, 1)
        while evidence.seal():
            pass
        _do(owner, 2)
        owner.execute(
            "create or replace function audit.xact() returns bigint language sql volatile"
            " begin atomic select pg_current_xact_id()::text::bigint + 0; end"
        )
        with pytest.raises(psycopg.errors.RaiseException, match="was a dump restored"):
            evidence.seal()

        told = CliRunner().invoke(main, ("audit", "go-on", "--url", evidence.url))
        assert told.exit_code == 0, told.output
        _do(owner, 3)
        evidence.seal()

    assert _sealed_deeds(evidence)[0] == [1]
    assert [n for n in _sealed_deeds(evidence)[1] if n] == [2, 3]  # and that it was told to go on
    assert evidence.verdict().ok
