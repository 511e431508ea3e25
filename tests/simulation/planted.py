"""Breaks the code on purpose, in one place each, and looks whether the simulator notices.

A simulator that finds nothing proves nothing, until it is known what it would find.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click

from tests.simulation.campaign import tried
from tests.simulation.fault import Fault
from tests.simulation.house import House, own_house
from tests.simulation.planted_at_the_core import OVER_FINERACT

HOUSE = Path(__file__).parents[2]
SEEDS_MAX = 2_000  # a fault that hides longer than this is not found
ENOUGH = 3  # seeds that notice it: then it was no accident
_PARTS = ("gateway", "menus", "tests/simulation")  # what a run needs


FAULTS = (
    Fault(
        "an older session goes on",
        "gateway/sessions/open.lua",
        "if started and current ~= name then",
        "if false then",
        "the session is alive, why should it not go on?",
    ),
    Fault(
        "an older hop is done again",
        "gateway/sessions/open.lua",
        "if last_order and order >= 0 and order < last_order then",
        "if false then",
        "networks deliver in order",
    ),
    Fault(
        "a repeat is not recognised",
        "gateway/sessions/open.lua",
        "if last_hop and last_hop == hop and (order >= 0 or now - replied <= inferred) then",
        "if false then",
        "every hop carries its key anyway",
    ),
    Fault(
        "a fresh key for every try",
        "gateway/driver.py",
        "        if moves_money:\n            self.apology",
        "        if moves_money:\n"
        "            call = type(call)(call.why, call.operation, call.values,"
        " gateway.mint_key(), call.pin, call.again_ok)\n"
        "            effect = type(effect)(call, effect.member, effect.origin, effect.hop,"
        " effect.language, effect.book)\n"
        "            self.apology",
        "a key must be unique",
    ),
    Fault(
        "the reply goes out before it is kept",
        "gateway/driver.py",
        "            if not self._decided:\n                raise\n",
        "            if False:\n                raise\n",
        "better an answer than an apology",
    ),
    Fault(
        "¿Otra vez? is not asked",
        "gateway/instructions/sql/instructions-0005-limits.sql",
        "    if not p_again_ok and exists (\n",
        "    if false and exists (\n",
        "the session knows whether it is a repeat",
    ),
    Fault(
        "offered again after a mere look",
        "gateway/bank/bank.py",
        "        result = self._desk.instructions.close(uuid.UUID(key))\n"
        "        return self._remembered(result) if result.member_ref == member.ref else None\n",
        "        return self.became(member, key)\n",
        "nobody gave the order, one can see that",
    ),
    Fault(
        "no answer is taken for a no",
        "gateway/instructions/asking.py",
        '        said = _OUTCOMES.get(type(outcome), "unknown")\n',
        "        if type(outcome) not in _OUTCOMES:\n"
        '            outcome = Refused("insufficient_funds")\n'
        "        said = _OUTCOMES[type(outcome)]\n",
        "a core that does not answer has not done it",
    ),
    Fault(
        "the sweep posts under a key of its own",
        "gateway/instructions/asking.py",
        "            outcome = found or self._ledger.post(handed.order)\n",
        "            order = handed.order\n"
        "            if not found and handed.asked_before:\n"
        "                order = type(order)(**{\n"
        "                    name: getattr(order, name) for name in order.__dataclass_fields__\n"
        '                } | {"key": uuid.uuid4()})\n'
        "            outcome = found or self._ledger.post(order)\n",
        "the old key is used up",
    ),
    Fault(
        "a notice is marked before it is sent",
        "gateway/notices/drain.py",
        "        delivery = self._deliver(notice)\n",
        '        self._mark(notice, Sent("soon"))\n        delivery = self._deliver(notice)\n',
        "then nobody else sends it",
    ),
    Fault(
        "receipts are not part of the posting",
        "gateway/instructions/sql/instructions-0002-life.sql",
        "    insert into instructions.instruction select i.*;\n    if i.state = 'posted' then\n",
        "    insert into instructions.instruction select i.*;\n"
        "    if i.state = 'posted' and random() < 0.8 then\n",
        "somebody will write them afterwards",
    ),
    Fault(
        "the origin of an order is not asked for",
        "gateway/conversation.py",
        "= (yield Recall(turn.origin)) if opened.answers else None\n",
        "= None\n",
        "the session knows what became of it",
    ),
    Fault(
        "a database that fails is a plain no",
        "gateway/driver.py",
        "        outcome = gateway.bank.perform(effect.member, _order(effect))\n",
        "        try:\n"
        "            outcome = gateway.bank.perform(effect.member, _order(effect))\n"
        "        except DatabaseUnavailableError:\n"
        '            outcome = Refused("closed")\n',
        "what could not be written was not done",
    ),
    Fault(
        "the PIN stays in the session",
        "gateway/dialog/machine.py",
        "        return state, Call(Why.DO, journey.do, values, draft.key, pin, draft.again_ok)\n",
        "        state = _with(state, trail=(*state.trail, typed))\n"
        "        return state, Call(Why.DO, journey.do, values, draft.key, pin, draft.again_ok)\n",
        "it saves asking for it again",
    ),
    Fault(
        "nothing is left for the next dial",
        "gateway/sessions/close.lua",
        "redis.call('HSET', KEYS[2], 'left', ARGV[8], 'session', ARGV[7], 'remind', ARGV[9])\n",
        "redis.call('HSET', KEYS[2], 'left', '', 'session', ARGV[7], 'remind', ARGV[9])\n",
        "a new dial is a new beginning",
    ),
    Fault(
        "who waits for the core is not told its no",
        "gateway/instructions/sql/instructions-0002-life.sql",
        "    if i.pending_since is not null then\n        perform notices.tell('order_refused'",
        "    if false then\n        perform notices.tell('order_refused'",
        "nothing happened, so there is nothing to tell",
    ),
    *OVER_FINERACT,
)


@dataclass(frozen=True, slots=True)
class Found:
    """What a hunt came to: how many seeds were tried, and which of them broke which promises."""

    fault: Fault
    seeds: int
    broken: dict[int, list[str]]

    @property
    def line(self) -> str:
        """In one line."""
        if not self.broken:
            return f"NOT FOUND in {self.seeds} seeds: {self.fault.name}"
        rules = Counter(rule for rules in self.broken.values() for rule in set(rules))
        how = ", ".join(f"{rule} ({times})" for rule, times in rules.most_common())
        first = min(self.broken)
        return (
            f"found by seed {first}, in {len(self.broken)} of {self.seeds} seeds:"
            f" {self.fault.name}; by: {how}"
        )


@contextmanager
def broken_copy(fault: Fault, house: Path = HOUSE) -> Iterator[Path]:
    """A copy of the house with one fault in it."""
    with tempfile.TemporaryDirectory(prefix="chaski-planted-") as folder:
        copy = Path(folder)
        copy.chmod(0o711)
        for part in _PARTS:
            ignored = shutil.ignore_patterns("__pycache__", "test_*")
            shutil.copytree(house / part, copy / part, ignore=ignored)
        (copy / "tests/__init__.py").touch()
        place = copy / fault.file
        place.write_text(broken(place.read_text(), fault))
        yield copy


def broken(text: str, fault: Fault) -> str:
    """The text with the fault in it.

    Raises:
        ValueError: the code has changed, and the fault has no place in it any more.
    """
    if text.count(fault.old) != 1:
        raise ValueError(f"{fault.name}: stands {text.count(fault.old)} times in {fault.file}")
    return text.replace(fault.old, fault.new)


def hunt(fault: Fault, seeds: int = SEEDS_MAX, enough: int = ENOUGH) -> Found:
    """Run seeds over a broken copy until enough of them notice."""
    with broken_copy(fault) as copy:
        command = [sys.executable, "-m", "tests.simulation.hunt", str(seeds), str(enough)]
        command.append(fault.core)
        done = subprocess.run(
            command,
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise RuntimeError(f"{fault.name}: the hunt broke down\n{done.stderr[-2000:]}")
    told = json.loads(done.stdout.splitlines()[-1])
    return Found(fault, told["seeds"], {int(seed): rules for seed, rules in told["broken"].items()})


def counted(found: Found, houses: dict[str, House]) -> Found:
    """Only the seeds that are clean over the code as it is."""
    house = houses[found.fault.core]
    broken = {
        seed: rules for seed, rules in found.broken.items() if not tried(house, seed).violations
    }
    return Found(found.fault, found.seeds, broken)


def main(argv: Sequence[str]) -> int:
    """`scripts/simulate planted`. Answers 1 where a fault was not found."""
    parser = argparse.ArgumentParser(prog="scripts/simulate planted", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS_MAX, help="the most for each fault")
    parser.add_argument("--enough", type=int, default=ENOUGH, help="seeds that must notice it")
    parser.add_argument("--only", default="", help="faults with this in their name")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="faults at once")
    options = parser.parse_args(argv)
    chosen = [fault for fault in FAULTS if options.only in fault.name]
    click.echo(f"planted: {len(chosen)} faults, one after the other, {options.jobs} at once")
    missed = 0
    with (
        own_house() as any_core,
        own_house(fineract=True) as fineract,
        ThreadPoolExecutor(options.jobs) as pool,
    ):
        houses = {"any": any_core, "fineract": fineract}
        for found in pool.map(lambda fault: hunt(fault, options.seeds, options.enough), chosen):
            sure = counted(found, houses)
            missed += not sure.broken
            click.echo(sure.line)
    click.echo(f"planted: {len(chosen) - missed} of {len(chosen)} faults found")
    return 1 if missed or not chosen else 0
