"""The trail: a deed and its line are one, and no line is ever changed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.cooperative import Cooperative
from tests.people import ROSA


@pytest.fixture
def owner(database_urls: tuple[str, str]) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(database_urls[0], autocommit=True) as connection:
        yield connection


def _freeze(connection: psycopg.Connection[Any]) -> None:
    connection.execute("select bank.freeze('m-1', 'sms', 's-1', now())")


@pytest.mark.parametrize(
    "change",
    [
        "update audit.entry set actor = 'nobody'",
        "delete from audit.entry",
        "truncate audit.entry",
    ],
)
def test_not_even_the_owner_changes_what_is_written(
    owner: psycopg.Connection[Any], change: str
) -> None:
    """By mistake: who takes the trigger away is found by the seals."""
    _freeze(owner)

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
        owner.execute(change)


def test_the_application_makes_no_deeds_up(database_urls: tuple[str, str]) -> None:
    """It may act, and what it does is written; it may not write."""
    with psycopg.connect(database_urls[1], autocommit=True) as application:
        for attempt in (
            "select audit.write('staff', 'eve', 'member.unfrozen', 'm-1', '{}', now())",
            "insert into audit.entry (action) values ('member.unfrozen')",
            "select * from audit.entry",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                application.execute(attempt)


def test_a_deed_that_did_not_happen_is_not_written(owner: psycopg.Connection[Any]) -> None:
    """Frozen twice is frozen once; a freeze that is rolled back leaves no line."""
    _freeze(owner)
    _freeze(owner)
    with owner.transaction() as undone:
        owner.execute("select bank.freeze('m-2', 'sms', 's-2', now())")
        raise psycopg.Rollback(undone)

    rows = owner.execute(
        "select actor_kind, actor, action, member_ref from audit.entry order by id"
    ).fetchall()

    assert rows == [
        ("member", "m-1", "member.frozen", "m-1"),
        ("system", "caution", "caution.begun", "m-1"),  # no order is taken any more
    ]


def test_what_a_member_does_by_sms_is_on_their_timeline(
    cooperative: Cooperative, owner: psycopg.Connection[Any]
) -> None:
    """Rosa wants no reminders, and then shuts her door."""
    cooperative.text(ROSA.msisdn, "BAJA")
    cooperative.text(ROSA.msisdn, "BLOQUEAR")

    rows = owner.execute("select action from audit.entry order by id").fetchall()

    assert [action for (action,) in rows][-2:] == ["member.frozen", "caution.begun"]
    assert ("consent.withdrawn",) in rows


@pytest.mark.parametrize(
    ("other", "same"),
    [("ana", True), (" Ana ", True), ("ana\t", True), ("a na", True), ("Luis", False)],
)
def test_a_name_that_is_written_otherwise_is_no_second_person(
    owner: psycopg.Connection[Any], other: str, same: bool
) -> None:
    """Whatever takes two of staff asks here."""
    row = owner.execute("select audit.same_person('Ana', %s)", (other,)).fetchone()

    assert row == (same,)


def test_who_asked_for_a_limit_does_not_approve_it_under_another_spelling(
    owner: psycopg.Connection[Any],
) -> None:
    """Ana asks for more, and `ana ` agrees."""
    asked = owner.execute(
        "select number from instructions.limits_waiting() order by number desc limit 1"
    ).fetchone()
    assert asked is None
    owner.execute(
        "insert into instructions.limit_rule (operation, channel, level, effective_on,"
        " per_operation_centimos, reason, raises, asked_by, asked_at)"
        " values ('loans.pay', 'any', 'careful', '2027-01-01', 1200000, 'more', true, 'Ana', now())"
    )
    (number,) = owner.execute("select number from instructions.limits_waiting()").fetchone() or (0,)

    with pytest.raises(psycopg.errors.CheckViolation, match="another person"):
        owner.execute("select instructions.approve_limit(%s, 'ana ', now())", (number,))
