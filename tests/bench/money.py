"""What money orders cost: through the ledger's port and through the whole webhook, beside pgbench.

The port is asked by one Python process with as many threads as pgbench has clients. PostgreSQL and
whoever asks it share all cores.
"""

from __future__ import annotations

import random
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from gateway.db.pool import Database
from gateway.ledger.port import AnyOrder, Deposit, Done, Repayment, RepaymentMode, Transfer
from gateway.ledger.postgres.adapter import PostgresLedger
from gateway.values.money import Money
from tests.bench import pgbench, processes
from tests.bench.figures import Spread, percentile, ratio, spread
from tests.bench.fill import MEMBERS_WITH_A_PIN, Say
from tests.bench.flows import MEMBERS_WITH_A_SLOW_PIN, transfers
from tests.bench.hop import wrong
from tests.bench.phones import Phones
from tests.bench.stage import TODAY, WEBHOOK, Stage, gateway

PORT = "ledger port, transfers"
LOANS = "ledger port, repayments into one loan book"
CASH = "ledger port, deposits from one cash account"
LEDGER = "ledger function by pgbench"
MINIMAL = "minimal function by pgbench"
MINIMAL_FROM_PYTHON = "minimal function from Python"
ORDER, MINIMAL_ORDER = "whole order by pgbench", "minimal order, the same rows, by pgbench"
TPCB, SIMPLE = "pgbench tpcb-like", "pgbench simple-update"
WHOLE, WHOLE_QUICK = "whole webhook", "whole webhook, PIN's hash left out"
_AMOUNT = Money(1_00)
_PHONES_AT_ONCE = 8
_HOPS = 5  # of a transfer

# One order of one of many accounts.
Giver = Callable[[random.Random], object]


@dataclass(frozen=True, slots=True)
class MoneyFigures:
    """What the rounds came to: money orders a second, and where a webhook's time goes."""

    per_s: Mapping[str, list[float]]
    p99_ms: Mapping[str, list[float]]
    spent_ms: Mapping[str, list[float]]
    with_pin_ms: list[float]

    def ratios(self) -> dict[str, Spread]:
        """Of orders a second: above 1, the ledger is faster."""
        pairs = {
            "transfer_vs_minimal_function": (PORT, MINIMAL),
            "transfer_vs_minimal_function_from_python": (PORT, MINIMAL_FROM_PYTHON),
            "transfer_in_sql_vs_minimal_function": (LEDGER, MINIMAL),
            "order_in_sql_vs_minimal_order": (ORDER, MINIMAL_ORDER),
            "transfer_vs_tpcb_like": (PORT, TPCB),
            "transfer_in_sql_vs_tpcb_like": (LEDGER, TPCB),
            "transfer_vs_simple_update": (PORT, SIMPLE),
            "minimal_function_vs_tpcb_like": (MINIMAL, TPCB),
            "hot_account_vs_uniform": (LOANS, PORT),
            "hot_cash_vs_uniform": (CASH, PORT),
        }
        return {name: ratio(self.per_s[a], self.per_s[b]) for name, (a, b) in pairs.items()}

    def rows(self) -> dict[str, dict[str, Spread]]:
        """A row for each way of moving money."""
        rows = {name: {"per_s": spread(values)} for name, values in self.per_s.items()}
        for name, values in self.p99_ms.items():
            rows[name]["p99_ms"] = spread(values)
        return rows

    def where(self) -> dict[str, dict[str, Spread]]:
        """Where the CPU of a transfer through the whole webhook goes, ms; it sums up."""
        return {name: {"ms": spread(values)} for name, values in self.spent_ms.items()}


def measure(stage: Stage, rounds: int, seconds: float, scale: int, say: Say) -> MoneyFigures:
    """All ways of moving money in turn, round by round."""
    say(f"  money: pgbench fills its tables, scale {scale}")
    pgbench.prepare(stage, scale)
    stage.keep_on(processes.ALL_CORES)
    figures = MoneyFigures(defaultdict(list), defaultdict(list), defaultdict(list), [])
    with (
        Database(stage.endpoints.app_url, pgbench.CLIENTS) as database,
        Database(stage.endpoints.owner_url, pgbench.CLIENTS) as owner,
        gateway(stage, processes.SERVER_CORE) as (port, pid),
    ):
        database.open()
        owner.open()
        ways = _ways(stage, PostgresLedger(database), owner, seconds)
        for name, way in ways.items():
            way() if name in {PORT, LOANS, CASH, ORDER} else None  # connections, plans, pages
        pgbench.analyze(stage)
        for number in range(rounds):
            for name, way in ways.items():
                figures.per_s[name].append(way())
            _webhook(stage, figures, port, pid, seconds)
            say(f"  money: round {number + 1} of {rounds}")
    return figures


def transfers_per_s(stage: Stage, ledger: PostgresLedger, seconds: float) -> float:
    """Through the ledger's port, between any two members."""

    def transfer(chance: random.Random) -> object:
        source, target = _pair(chance, stage.members)
        return _posted(ledger, Transfer(uuid.uuid4(), f"s-{source}", f"s-{target}", _AMOUNT, TODAY))

    return _by_threads(transfer, seconds)


def _ways(
    stage: Stage, ledger: PostgresLedger, owner: Database, seconds: float
) -> dict[str, Callable[[], float]]:
    accounts = pgbench.MINIMAL_ACCOUNTS

    def minimal(chance: random.Random) -> object:
        source, target = _pair(chance, accounts)
        values = (uuid.uuid4(), source, target, _AMOUNT.centimos, TODAY)
        return owner.row("select bench.transfer(%s, %s, %s, %s, %s) as id", values)["id"]

    def repay(chance: random.Random) -> object:
        n = chance.randint(1, stage.members)
        part = RepaymentMode.PART
        return _posted(ledger, Repayment(uuid.uuid4(), f"s-{n}", f"l-{n}", _AMOUNT, part, TODAY))

    def deposit(chance: random.Random) -> object:
        account = f"s-{chance.randint(1, stage.members)}"
        return _posted(ledger, Deposit(uuid.uuid4(), account, _AMOUNT, TODAY, "caja-1"))

    return {
        PORT: lambda: transfers_per_s(stage, ledger, seconds),
        MINIMAL: lambda: pgbench.script(stage, pgbench.MINIMAL, accounts, seconds),
        LOANS: lambda: _by_threads(repay, seconds),
        CASH: lambda: _by_threads(deposit, seconds),
        LEDGER: lambda: pgbench.script(stage, pgbench.LEDGER, stage.members, seconds),
        ORDER: lambda: pgbench.script(stage, pgbench.ORDER, stage.members, seconds),
        MINIMAL_ORDER: lambda: pgbench.script(stage, pgbench.MINIMAL_ORDER, accounts, seconds),
        MINIMAL_FROM_PYTHON: lambda: _by_threads(minimal, seconds),
        TPCB: lambda: pgbench.builtin(stage, "tpcb-like", seconds),
        SIMPLE: lambda: pgbench.builtin(stage, "simple-update", seconds),
    }


def _posted(ledger: PostgresLedger, order: AnyOrder) -> bool:
    outcome = ledger.post(order)
    return isinstance(outcome, Done) and outcome.created


def _pair(chance: random.Random, members: int) -> tuple[int, int]:
    source = chance.randint(1, members)
    return source, 1 + (source + chance.randint(0, members - 2)) % members


def _by_threads(give: Giver, seconds: float) -> float:
    """Orders a second from as many threads as pgbench has clients.

    Raises:
        RuntimeError: one was not carried out.
    """
    done = [0] * pgbench.CLIENTS
    failed: list[object] = []
    until = time.perf_counter() + seconds

    def work(place: int) -> None:
        chance = random.Random(time.time_ns() + place)  # noqa: S311 - chance, no secret
        while time.perf_counter() < until:
            if not give(chance):
                failed.append(place)
                return
            done[place] += 1

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(done))]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed or not all(done):
        raise RuntimeError("an order was not carried out")
    return sum(done) / (time.perf_counter() - began)


def _webhook(stage: Stage, figures: MoneyFigures, port: int, pid: int, seconds: float) -> None:
    """Five hops a transfer, once with PINs as they are, once with those whose hash costs nothing.
    The difference of the two is what the PIN costs; the other figures are of the second."""
    slow = MEMBERS_WITH_A_SLOW_PIN
    known = min(stage.members, MEMBERS_WITH_A_PIN)
    groups = {WHOLE: (1, slow), WHOLE_QUICK: (slow + 1, known - slow)}
    for name, (first, count) in groups.items():
        flow = transfers(first, count, known)
        before = _cpu(stage, pid)
        tally = Phones(port, WEBHOOK, flow).in_a_row(_PHONES_AT_ONCE, seconds)
        spent = {part: seconds - before[part] for part, seconds in _cpu(stage, pid).items()}
        wrong(tally, name)
        sent = len(tally.latencies_s) / _HOPS
        figures.per_s[name].append(sent / tally.seconds)
        figures.p99_ms[name].append(percentile(tally.latencies_s, 0.99) * 1000)
        _note(figures, name, {part: s / sent * 1000 for part, s in spent.items()})


def _note(figures: MoneyFigures, name: str, cpu_ms: Mapping[str, float]) -> None:
    """The parts of a transfer: the PIN is what the first group took in the gateway on top of the
    second; the other parts are the second's."""
    if name == WHOLE:
        figures.with_pin_ms.append(cpu_ms["gateway"])
        return
    parts = {
        "gateway: argon2id of the PIN": figures.with_pin_ms[-1] - cpu_ms["gateway"],
        "gateway: all else, 5 hops": cpu_ms["gateway"],
        "PostgreSQL": cpu_ms["postgres"],
        "Redis": cpu_ms["redis"],
    }
    for part, ms in {**parts, "all together": sum(parts.values())}.items():
        figures.spent_ms[part].append(ms)


def _cpu(stage: Stage, pid: int) -> dict[str, float]:
    roots = {"gateway": pid, "postgres": stage.postgres, "redis": stage.redis}
    return {name: processes.cpu_s(root) for name, root in roots.items()}
