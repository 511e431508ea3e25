"""What the console's process may do in the database: that, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from gateway.console import words
from tests.house import House

_GRANTS = Path(words.__file__).parent / "sql" / "console-0002-grants.sql"
# What pages have of their own is beside the matter: `staff`, `console`, sums.
_OF_MEMBERS = ("bank.", "instructions.", "notices.", "ledger.", "audit.", "sim.", "library.")
_MAY = """
    select n.nspname || '.' || p.proname
    from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace
    where n.nspname not in ('pg_catalog', 'information_schema', 'public')
        and has_schema_privilege(%s, n.oid, 'usage')
        and has_function_privilege(%s, p.oid, 'execute')
"""


def _may(house: House, role: str) -> set[str]:
    with house.cooperative.owner() as owner:
        return {name for (name,) in owner.execute(_MAY, (role, role))}


def _staff(house: House) -> psycopg.Connection[object]:
    url = house.cooperative.settings.database_url.get_secret_value()
    return psycopg.connect(url.replace("chaski_app", "chaski_staff"), autocommit=True)


def test_staff_may_call_what_the_grants_name_and_nothing_else(house: House) -> None:
    """Of all that has to do with members and their money."""
    granted = _GRANTS.read_text().partition("grant execute on function")[2]
    named = re.sub(r"--.*", "", granted)
    functions = set(re.findall(r"\b(?:bank|instructions|notices)\.[a-z_]+", named))
    of_others = {name for name in _may(house, "chaski_staff") if name.startswith(_OF_MEMBERS)}

    assert len(of_others) > 20
    assert of_others == functions


def test_staff_read_no_table_and_post_nothing(house: House) -> None:
    with house.cooperative.owner() as owner:
        tables = [
            name
            for (name,) in owner.execute(
                "select schemaname || '.' || tablename from pg_tables"
                " where schemaname not in ('pg_catalog', 'information_schema', 'public')"
            )
        ]
    assert len(tables) > 40
    with _staff(house) as staff:
        for table in tables:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                staff.execute(f"select from {table}")
    forbidden = {"ledger.post", "instructions.execute", "audit.write", "bank.first_pin"}
    assert forbidden & _may(house, "chaski_staff") == set()


def test_who_serves_members_may_not_act_as_staff(house: House) -> None:
    """The application's role has the duty that forgets, and nothing of the desk's."""
    of_staff = {
        name for name in _may(house, "chaski_app") if name.startswith(("staff.", "console."))
    }
    desk = {"bank.issue_code", "bank.unlock_pin", "bank.lift_freeze", "bank.approve_reversal"}

    assert of_staff == {"staff.forget"}
    assert desk & _may(house, "chaski_app") == set()


def test_a_function_that_staff_may_call_looks_nothing_up_in_their_path(house: House) -> None:
    """All of them run as the owner: each says where names are looked up."""
    with house.cooperative.owner() as owner:
        loose = owner.execute(
            "select n.nspname || '.' || p.proname from pg_proc as p"
            " join pg_namespace as n on n.oid = p.pronamespace"
            " where has_function_privilege('chaski_staff', p.oid, 'execute')"
            " and n.nspname not in ('pg_catalog', 'information_schema', 'public')"
            " and has_schema_privilege('chaski_staff', n.oid, 'usage')"
            " and (not p.prosecdef or not ('search_path=pg_catalog, pg_temp' = any(p.proconfig)))"
        ).fetchall()
    assert loose == []
