"""How long each page of the console takes in a large cooperative, and what it weighs.

Pages are asked in this process: what a network and a browser add is theirs. Of each page the median
of some rounds is shown, and the slowest. Exit 1 where a median is above the bound.
"""

from __future__ import annotations

import argparse
import datetime as dt
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg

from gateway import bootstrap
from gateway.bank.hashing import CHEAPEST_FOR_TESTS
from gateway.bootstrap import Parts
from gateway.console.access import DOORS, Needs
from gateway.console.app import MOUNTED_AT
from gateway.db.migrations import migrate
from gateway.db.pool import Database
from gateway.demo.seed import seed
from gateway.demo.staff import seed_staff
from gateway.demo.variables import demo_variables
from gateway.embedded import Embedded, Endpoints
from gateway.observing import Metrics
from gateway.settings import load
from gateway.signin.register import Role
from gateway.web import create_app
from tests.cooperative import HASHER, Clock
from tests.house import Browser

PAGE_MS_MAX = 200
_ROUNDS = 15
_SOMEBODY = "b-777"

_FILL = (
    """
insert into bank.member (member_ref, msisdn, first_name, short_name, language)
select
    'b-' || n, '+5198' || lpad(n::text, 7, '0'), 'Rosa', 'Rosa ' || chr(65 + n %% 26) || '.', 'es'
from generate_series(1, %(members)s) as n
""",
    """
insert into bank.pin_credential (member_ref, hash, pepper_version)
select 'b-' || n, 'none', 1 from generate_series(1, %(members)s) as n
""",
    """
insert into instructions.instruction (
    key, operation, member_ref, counterparty_ref, source, target, amount_centimos, business_date,
    channel, provider_account, session_id, msisdn, state, reference, accepted_at, settled_at
)
select
    gen_random_uuid(), 'transfers.send', 'b-' || n, 'b-' || (n %% %(members)s + 1), 's-' || n,
    's-1', 5000, at::date, 'africastalking', 'norandino', 's' || n, '+51980000000', 'posted',
    (500000 + k * %(members)s + n)::text, at, at
from generate_series(1, %(each)s) as k, generate_series(1, %(members)s) as n,
    lateral (select %(now)s::timestamptz - (%(each)s - k) * interval '1 day'
        - n * interval '1 second' as at) as t
""",
    """
insert into notices.outbox (fact, member_ref, detail, created_at, state, due_at, settled_at)
select 'transfer_sent', i.member_ref, '{}', i.accepted_at, 'sent', i.accepted_at, i.accepted_at
from instructions.instruction as i
""",
    """
insert into notices.submissions (sender, provider_id, notice_id, taken_at, segments, state, rank)
select 'infobip', 'p' || o.id, o.id, o.created_at, 1, 'delivered', 30 from notices.outbox as o
""",
    """
insert into audit.entry (at, actor_kind, actor, action, member_ref, about)
select i.accepted_at, 'staff', 'ana', 'pin.unlocked', i.member_ref, '{}'
from instructions.instruction as i
""",
    """
insert into bank.pin_attempt (hop, member_ref, order_key, claimed_at, right_pin)
select i.key::text, i.member_ref, i.key::text, i.accepted_at, true
from instructions.instruction as i
""",
)


def _fill(endpoints: Endpoints, members: int, each: int, now: dt.datetime) -> None:
    values = {"members": members, "each": each, "now": now}
    with psycopg.connect(endpoints.owner_url, autocommit=True) as owner:
        for number, statement in enumerate(_FILL, start=1):
            owner.execute(statement, values)
            print(f"  {number} of {len(_FILL)} tables", flush=True)  # noqa: T201
        owner.execute("vacuum analyze")


def _paths(reference: str) -> list[str]:
    """Every page, with somebody who is there; and what is searched."""
    looks = [door for door in DOORS if door.method == "GET" and door.needs is Needs.ALL]
    paths = [door.path.replace("<ref>", _SOMEBODY) for door in looks]
    pages = [path for path in paths if "<" not in path]
    return [
        *pages,
        f"/ordenes?numero={reference}",
        f"/ordenes?socio={_SOMEBODY}",
        "/ordenes?desde=2026-11-01&hasta=2026-11-23",
        f"/rastro?socio={_SOMEBODY}",
        "/rastro?quien=ana",
    ]


def _measure(supervisor: Browser, administrator: Browser, paths: Sequence[str]) -> bool:
    fine = True
    for path in paths:
        browser = administrator if path == "/personal" else supervisor
        took, weighs = [], 0
        for _ in range(_ROUNDS):
            began = time.perf_counter()
            answer = browser.see(path)
            took.append((time.perf_counter() - began) * 1000)
            weighs = len(answer.data)
            if answer.status_code != 200:
                raise SystemExit(f"{path}: {answer.status_code}")
        median = statistics.median(took)
        fine = fine and median < PAGE_MS_MAX
        print(f"{median:8.1f} ms {max(took):8.1f} ms {weighs:8,} B  {path}")  # noqa: T201
    began = time.perf_counter()
    supervisor.see("/socios")
    supervisor.send("/socios", who="Rosa Q")
    print(f"{(time.perf_counter() - began) * 1000:8.1f} ms  a name is searched")  # noqa: T201
    return fine


def _console(stack: ExitStack, endpoints: Endpoints, clock: Clock) -> tuple[Browser, Browser]:
    settings = load(demo_variables(endpoints))
    parts = Parts(now=clock.now, often=clock.often, hasher=HASHER)
    gateway = bootstrap.build(settings, Metrics(), parts)
    stack.callback(gateway.close)
    staff = stack.enter_context(Database(endpoints.staff_url, 4))
    staff.open()
    console = bootstrap.console(settings, staff, gateway, parts, CHEAPEST_FOR_TESTS)
    app = create_app([gateway], [], gateway.metrics.registry, mounted={MOUNTED_AT: console})
    browsers = []
    for login in ("luis", "carmen"):
        browser = Browser(app.test_client(), clock)
        if browser.enter(login).status_code != 303:
            raise SystemExit(f"{login} cannot come in")
        browsers.append(browser)
    return browsers[0], browsers[1]


def main() -> int:
    """Fill, measure, say."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--members", type=int, default=40_000)
    arguments.add_argument("--orders-each", type=int, default=10)
    chosen = arguments.parse_args()
    clock = Clock()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chaski-bench-")))
        folder.chmod(0o711)
        endpoints = stack.enter_context(Embedded(folder, print))
        migrate(endpoints.owner_url)
        seed(endpoints.owner_url, HASHER, clock.now().date())
        seed_staff(endpoints.owner_url, CHEAPEST_FOR_TESTS)
        orders = chosen.members * chosen.orders_each
        print(f"filling {chosen.members:,} members, {orders:,} orders")  # noqa: T201
        _fill(endpoints, chosen.members, chosen.orders_each, clock.now())
        supervisor, administrator = _console(stack, endpoints, clock)
        print(f"  median     slowest    weighs  page, {Role.SUPERVISOR.value}'s eyes")  # noqa: T201
        fine = _measure(supervisor, administrator, _paths(str(500_000 + orders // 2)))
    print(f"each median is below {PAGE_MS_MAX} ms" if fine else "TOO SLOW")  # noqa: T201
    return 0 if fine else 1


if __name__ == "__main__":
    sys.exit(main())
